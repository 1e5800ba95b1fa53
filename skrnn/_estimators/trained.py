"""The base of all estimators that train a network: parameters, state, report."""

import inspect
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

from sklearn.exceptions import ConvergenceWarning

from skrnn._data.typing import Widths
from skrnn._engine import ENGINES
from skrnn._estimators.advice import AdvisedEstimator
from skrnn._estimators.names import NAMES, Names, resolve
from skrnn._networks.activations import HIDDEN_ACTIVATIONS
from skrnn._networks.optimizers import OPTIMIZERS
from skrnn._networks.specs import NetworkSpec, Spec
from skrnn._networks.weights import initial_weights
from skrnn._sklearn import (
    Count,
    Counts,
    Instance,
    Schedule,
    Share,
    StrOptions,
    positive,
)

# Share of the data held out for early stopping if validation_split is None.
DEFAULT_SHARE = 0.1


@dataclass(kw_only=True, eq=False, repr=False)
class TrainedNetwork(AdvisedEstimator):
    """An estimator whose ``fit`` trains a network; a subclass chooses network and data.

    It keeps `_spec`, `_weights` and the optimizer's state.
    """

    units: Widths = 32
    activation: str = "tanh"
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    layer_norm: bool = False
    optimizer: Any = "adam"
    learning_rate: float = 3e-3
    learning_rate_schedule: Any = None
    clipnorm: float | None = 1.0
    global_clipnorm: float | None = None
    epochs: int = 200
    batch_size: int = 32
    shuffle: bool = True
    early_stopping: bool | str = "auto"
    validation_split: float | None = None
    patience: int = 10
    warm_start: bool = False
    engine: str = "auto"
    verbose: int = 0
    random_state: Any = None

    _training_constraints = {
        "units": [Count(), Counts()],
        "activation": [Names("activation", set(HIDDEN_ACTIVATIONS))],
        "dropout": [Share()],
        "recurrent_dropout": [Share()],
        "layer_norm": ["boolean"],
        "optimizer": [
            Names("optimizer", set(OPTIMIZERS)),
            Instance("keras.optimizers.Optimizer", "apply"),
        ],
        "learning_rate": [positive()],
        "learning_rate_schedule": [
            Names("schedule", set(NAMES["schedule"])),
            Schedule(),
            None,
        ],
        "clipnorm": [positive(), None],
        "global_clipnorm": [positive(), None],
        "epochs": [Count()],
        "batch_size": [Count()],
        "shuffle": ["boolean"],
        "early_stopping": ["boolean", StrOptions({"auto"})],
        "validation_split": [Share(zero=False), None],
        "patience": [Count()],
        "warm_start": ["boolean"],
        "engine": [StrOptions(set(ENGINES))],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    # The class of the description of the network.
    _spec_class: ClassVar[type[Spec]] = NetworkSpec
    # First words of the hint in the divergence warning.
    _advice = "Scale X and y, or try"

    @property
    def _is_fitted(self):
        return hasattr(self, "_weights")

    def __sklearn_is_fitted__(self):
        return self._is_fitted

    def _named(self, kind, name=None):
        """Return a parameter by our name: it may be another library's."""
        return resolve(kind, getattr(self, name or kind))

    def _plan_of_steps(self, *, one_epoch):
        """Decide how the optimizer steps; `one_epoch` means the next of all epochs."""
        optimizer = self._named("optimizer")
        schedule = self._named("schedule", "learning_rate_schedule")
        if schedule is not None and not isinstance(optimizer, str):
            raise ValueError(
                f"learning_rate_schedule={self.learning_rate_schedule!r} is for an "
                "optimizer by name; an instance has its own rate: give it a schedule "
                "of keras.optimizers.schedules, or write optimizer='adam'."
            )
        return {
            "optimizer": optimizer,
            "learning_rate": float(self.learning_rate),
            "schedule": schedule,
            "first_epoch": getattr(self, "n_iter_", 0) if one_epoch else 0,
            "planned_epochs": self.epochs,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
        }

    def _start(self, spec, seed, resume, fill=list):
        """Return the weights and the optimizer's state to start from.

        `fill` puts given weights into the random ones.
        """
        if resume:
            same = self._optimizer_kind == _kind(self._named("optimizer"))
            return self._weights, self._optimizer_state if same else None
        return fill(initial_weights(spec, seed)), None

    def _how_to_validate(self, is_large, validation, epochs):
        """Decide whether training may stop early, and on how much it validates.

        ``partial_fit`` trains its one epoch on all of its data.
        """
        if epochs is not None:
            return {"early_stopping": False}
        is_asked_for = validation is not None or self.validation_split is not None
        stops = self.early_stopping
        if stops == "auto":
            stops = is_large or is_asked_for
        share = None
        if validation is None and (stops or is_asked_for):
            share = self.validation_split or DEFAULT_SHARE
        return {"early_stopping": bool(stops), "validation_split": share}

    def _changes(self, spec):
        """Name the parameters that make other weights now, in their own order."""
        known = list(inspect.signature(type(self)).parameters)
        places = {name: place for place, name in enumerate(known)}
        changed = self._spec.changes_to(spec)
        return sorted(changed, key=lambda name: places.get(name, len(known)))

    def _refuse_changes(self, spec):
        """Refuse to continue training if the network would be another one."""
        changed = self._changes(spec)
        if changed:
            # Training can only go on with the same weights.
            raise ValueError(
                f"{type(self).__name__} cannot go on training: {', '.join(changed)} "
                "changed since the network was built. Fit with warm_start=False."
            )

    def _keep(self, spec, trained, resume):
        """Set the fitted attributes."""
        before = getattr(self, "history_", {}) if resume else {}
        n_before = getattr(self, "n_iter_", 0) if resume else 0
        self._spec, self._weights = spec, trained.weights
        self._optimizer_state = trained.optimizer_state
        self._optimizer_kind = _kind(self._named("optimizer"))
        self.history_ = trained.history_after(before, n_before)
        n_finished = len(trained.history["loss"])
        self.n_iter_ = n_before + n_finished
        self.best_epoch_ = n_before + min(trained.best_epoch, n_finished)

    def _report(self, trained):
        """Return self; warn if training diverged, raise if it was interrupted."""
        if trained.diverged:
            kept = f"of epoch {self.best_epoch_}" if self.best_epoch_ else "before it"
            warnings.warn(
                f"Training of {type(self).__name__} stopped in epoch "
                f"{self.n_iter_ + 1}: the loss is not finite. The finite weights "
                f"{kept} are kept. {self._advice} a lower learning_rate (now "
                f"{self.learning_rate}) or clipnorm (now {self.clipnorm}).",
                ConvergenceWarning,
                stacklevel=5,
            )
        if trained.interrupted:
            raise KeyboardInterrupt
        return self


def _kind(optimizer):
    return optimizer if isinstance(optimizer, str) else type(optimizer).__name__
