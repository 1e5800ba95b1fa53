"""What all networks have in common: parameters, how to train, state."""

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from skrnn._attention import ATTENTIONS
from skrnn._cells import CELLS, HIDDEN_ACTIVATIONS
from skrnn._constraints import (
    Count,
    Counts,
    Share,
    StrOptions,
    positive,
)
from skrnn._holdout import hold_out
from skrnn._seed import draw_seed
from skrnn._spec import NetworkSpec, TrainPlan
from skrnn._weights import initial_weights

# With fewer sequences than this, early_stopping="auto" trains for all epochs on all:
# sets of 40 to 270 sequences lose more by what is held out, series of 2,000 rows gain.
EARLY_STOPPING_FROM = 500


@dataclass(kw_only=True, eq=False, repr=False)
class BaseNetwork(BaseEstimator):
    """The parameters of recurrent layers and of training, and what training leaves."""

    units: int | tuple[int, ...] = 32
    bidirectional: bool = False
    attention: str | None = None
    embedding_dim: int | tuple[int, ...] | None = None
    dense_units: int | tuple[int, ...] = ()
    activation: str = "tanh"
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    layer_norm: bool = False
    loss: Any = "auto"
    optimizer: Any = "adam"
    learning_rate: float = 3e-3
    clipnorm: float | None = 1.0
    epochs: int = 200
    batch_size: int = 32
    shuffle: bool = True
    early_stopping: bool | str = "auto"
    validation_split: float = 0.1
    patience: int = 10
    warm_start: bool = False
    verbose: int = 0
    random_state: Any = None

    _common_constraints = {
        "units": [Count(), Counts()],
        "bidirectional": ["boolean"],
        "attention": [StrOptions(set(ATTENTIONS)), None],
        "embedding_dim": [Count(), None],
        "dense_units": [Count(), Counts(empty=True)],
        "activation": [StrOptions(set(HIDDEN_ACTIVATIONS))],
        "dropout": [Share()],
        "recurrent_dropout": [Share()],
        "layer_norm": ["boolean"],
        "learning_rate": [positive()],
        "clipnorm": [positive(), None],
        "epochs": [Count()],
        "batch_size": [Count()],
        "shuffle": ["boolean"],
        "early_stopping": ["boolean", StrOptions({"auto"})],
        "validation_split": [Share(zero=False)],
        "patience": [Count()],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }
    # What describes the network, and what draws its weights.
    _spec_class: ClassVar[type[NetworkSpec]] = NetworkSpec
    _initial_weights: ClassVar[Callable] = staticmethod(initial_weights)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        network = getattr(cls, "_network_constraints", {})
        task = getattr(cls, "_task_constraints", {})
        cls._parameter_constraints = cls._common_constraints | network | task
        if "cell" in inspect.get_annotations(cls):
            cls._parameter_constraints |= {"cell": [StrOptions(set(CELLS))]}

    @property
    def _is_fitted(self):
        return hasattr(self, "_weights")

    def __sklearn_is_fitted__(self):
        return self._is_fitted

    def _plan(self, n_sequences, epochs, resume, **more):
        """Decide how to train."""
        early_stopping = self.early_stopping
        if early_stopping == "auto":
            early_stopping = n_sequences >= EARLY_STOPPING_FROM
        return TrainPlan(
            loss=self.loss,
            optimizer=self.optimizer,
            learning_rate=float(self.learning_rate),
            clipnorm=self.clipnorm,
            epochs=self.epochs if epochs is None else epochs,
            batch_size=self.batch_size,
            shuffle=self.shuffle,
            # One epoch of partial_fit is trained on everything it is given.
            early_stopping=bool(early_stopping) and epochs is None,
            patience=self.patience,
            verbose=int(self.verbose),
            seed=draw_seed(self.random_state, self.n_iter_ if resume else 0),
            name=type(self).__name__,
            **more,
        )

    def _split(self, dataset, plan):
        """Hold out some sequences to validate on, if training may stop early."""
        if not plan.early_stopping:
            return dataset, None
        strata = self._validation_strata(dataset)
        rows = hold_out(len(dataset), self.validation_split, strata, plan.seed)
        return dataset.take(rows[0]), dataset.take(rows[1])

    def _refuse_changes(self, spec):
        """Refuse to go on training another network."""
        changed = self._spec.changes_to(spec)
        if changed:
            # Training can only go on with the same weights.
            raise ValueError(
                f"{type(self).__name__} cannot go on training: {', '.join(changed)} "
                "changed since the network was built. Fit with warm_start=False."
            )

    def _start(self, spec, seed, resume, fill=list):
        """Return the weights and the optimizer's state to start from.

        `fill` puts in the weights that were given.
        """
        if resume:
            same = self._optimizer_kind == _kind(self.optimizer)
            return self._weights, self._optimizer_state if same else None
        return fill(self._initial_weights(spec, seed)), None

    def _keep(self, spec, trained, resume):
        """Set the fitted attributes."""
        before = getattr(self, "history_", {}) if resume else {}
        n_before = getattr(self, "n_iter_", 0) if resume else 0
        self._spec, self._weights = spec, trained.weights
        self._optimizer_state = trained.optimizer_state
        self._optimizer_kind = _kind(self.optimizer)
        self._model = None
        self.history_ = trained.history_after(before, n_before)
        n_finished = len(trained.history["loss"])
        self.n_iter_ = n_before + n_finished
        self.best_epoch_ = n_before + min(trained.best_epoch, n_finished)

    def _report(self, trained):
        """Return self, having told how training ended if it didn't by itself."""
        if trained.diverged:
            kept = f"of epoch {self.best_epoch_}" if self.best_epoch_ else "before it"
            warnings.warn(
                f"Training of {type(self).__name__} stopped in epoch "
                f"{self.n_iter_ + 1}: the loss is not finite. The finite weights "
                f"{kept} are kept. Scale X, or try a lower learning_rate (now "
                f"{self.learning_rate}) or clipnorm (now {self.clipnorm}).",
                ConvergenceWarning,
                stacklevel=4,
            )
        if trained.interrupted:
            raise KeyboardInterrupt
        return self

    def __getstate__(self):
        # The spec as text and the weights are the state: a Keras model is made from
        # them again.
        state = super().__getstate__()
        if "_spec" not in state:
            return state
        return state | {"_model": None, "_spec": self._spec.to_json()}

    def __setstate__(self, state):
        if "_spec" in state:
            state = state | {"_spec": self._spec_class.from_json(state["_spec"])}
        super().__setstate__(state)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _kind(optimizer):
    return optimizer if isinstance(optimizer, str) else type(optimizer).__name__
