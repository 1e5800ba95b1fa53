"""The base of networks that read sequences: parameters, training plan, state."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sklearn.utils.validation import check_is_fitted

from skrnn import _engine
from skrnn._data.holdout import hold_out
from skrnn._data.typing import Widths
from skrnn._engine import TrainPlan
from skrnn._estimators.names import Names, resolve
from skrnn._estimators.saved import mark_state, read_state
from skrnn._estimators.tasks.documentation import Row
from skrnn._estimators.trained import TrainedNetwork
from skrnn._networks.attention import ATTENTIONS
from skrnn._networks.cells import CELLS
from skrnn._networks.losses import LOSSES
from skrnn._sklearn import (
    Count,
    Counts,
    Instances,
    draw_seed,
    unchanged_on_error,
)

# With fewer sequences than this, early_stopping="auto" trains for all epochs on all of
# them: holding some out costs sets of 40 to 270 sequences more than stopping gains.
# Series of 2,000 rows gain.
EARLY_STOPPING_FROM = 500


@dataclass(kw_only=True, eq=False, repr=False)
class BaseNetwork(TrainedNetwork):
    """The parameters of a network that reads sequences, and how it is trained."""

    bidirectional: bool = False
    attention: str | None = None
    embedding_dim: int | tuple[int, ...] | None = None
    dense_units: Widths = ()
    loss: Any = "auto"
    callbacks: Any = None

    _common_constraints = TrainedNetwork._training_constraints | {
        "bidirectional": ["boolean"],
        "attention": [Names("attention", set(ATTENTIONS)), None],
        "embedding_dim": [Count(), None],
        "dense_units": [Count(), Counts(empty=True)],
        "callbacks": [Instances("keras.callbacks.Callback", "on_epoch_end"), None],
    }
    # Name -> type and description of parameters that mean something of their own here.
    _network_docs: ClassVar[Mapping[str, Row]] = {}
    # How the names of losses are looked up.
    _kind_of_loss: ClassVar[str] = "loss of numbers"

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        network = getattr(cls, "_network_constraints", {})
        task = getattr(cls, "_task_constraints", {})
        cls._parameter_constraints = cls._common_constraints | network | task
        if "cell" in inspect.get_annotations(cls):
            cls._parameter_constraints |= {"cell": [Names("cell", CELLS.keys())]}

    def _fit(self, X, y, sample_weight, **known):
        """Train from the first weights on, or with `warm_start` go on.

        `known` are further arguments of `fit`: the validation set, `future`.
        """
        resume = self.warm_start and self._is_fitted
        with unchanged_on_error(self):
            return self._train(X, y, sample_weight, resume=resume, **known)

    def _partial_fit(self, X, y, sample_weight, classes=None, **known):
        options = {"resume": self._is_fitted, "epochs": 1, "min_samples": 1}
        # Classes that the first call was told must not be learnt from y again.
        options["known_target"] = classes is not None
        with unchanged_on_error(self):
            self._validate_params()
            self._begin_partial_fit(y, classes)
            trained = self._train(X, y, sample_weight, **options, **known)
        return self._report(trained)

    def _plan(self, n_sequences, epochs, resume, validation=None):
        """Decide how to train."""
        is_large = n_sequences >= EARLY_STOPPING_FROM
        return TrainPlan(
            loss=None if isinstance(self.loss, str) else self.loss,
            epochs=self.epochs if epochs is None else epochs,
            batch_size=self.batch_size,
            shuffle=self.shuffle,
            patience=self.patience,
            callbacks=tuple(self.callbacks or ()),
            verbose=int(self.verbose),
            seed=draw_seed(self.random_state, self.n_iter_ if resume else 0),
            name=type(self).__name__,
            **self._plan_of_steps(one_epoch=epochs is not None),
            **self._rescaling(),
            **self._how_to_validate(is_large, validation, epochs),
        )

    def _loss_of_head(self):
        """Return the loss as a head names it; None without a name."""
        if not isinstance(self.loss, str):
            return None
        name = resolve(self._kind_of_loss, self.loss)
        parameters = LOSSES[name].parameters if name in LOSSES else ()
        values = [float(getattr(self, each)) for each in parameters]
        return (name, *values) if values else name

    def _split(self, dataset, plan, validation, spec):
        """Return what to train on and what to validate on.

        That is what is given, or else what is held out: if training may stop early, or
        if a share is asked for.
        """
        if validation is not None:
            return dataset, validation.read(self, spec)
        if plan.validation_split is None:
            return dataset, None
        strata = self._validation_strata(dataset)
        rows = hold_out(len(dataset), plan.validation_split, strata, plan.seed)
        return dataset.take(rows[0]), dataset.take(rows[1])

    def _keep(self, spec, trained, resume):
        super()._keep(spec, trained, resume)
        self._model = None

    @property
    def model_(self) -> Any:
        """The trained network as a ``keras.Model``, made at first access.

        It reads unpadded sequences (n, T, F), or token ids (n, T) or (n, T, C), and
        returns what ``predict`` (regressors) or ``predict_proba`` compute, in float32.

        That of an encoder and a decoder has a list of inputs and is told what came
        before each step, as in training. The second input has the numbers (n, H, K)
        before, of which the first step's aren't read, or the places (n, H) of the
        labels before in ``classes_``, where the first step has one more than the last
        place. The third one is the `future` (n, H, F2), if ``fit`` was given such. For
        strings in X, ids from 2 on stand for the symbols of ``fit``, sorted, and 1 for
        any other.
        """
        check_is_fitted(self)
        # A model made before a fork doesn't work in the child.
        _engine.refuse_forked_process()
        if self._model is None:
            _engine.backend()
            # Deferred: it needs Keras, which the line above has loaded.
            from skrnn._networks.keras.models import build_model  # noqa: PLC0415

            self._model = build_model(self._spec, self._weights, **self._rescaling())
        return self._model

    def __getstate__(self):
        # The spec as text and the weights are the state: a Keras model is made from
        # them again.
        state = _engine.pack(super().__getstate__())
        if "_spec" not in state:
            return state
        return mark_state(state | {"_model": None})

    def __setstate__(self, state):
        super().__setstate__(read_state(self, _engine.unpack(state)))

    def __sklearn_clone__(self):
        if _engine.is_of_keras(self.optimizer):
            # Cloning copies the optimizer, which computes with Keras' backend.
            _engine.refuse_forked_process()
        return super().__sklearn_clone__()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def refuse_no_weight(weights):
    """Refuse weights, times those of classes, that are 0 everywhere."""
    if not weights.any():
        raise ValueError(
            "sample_weight times class_weight is 0 for every sequence: nothing is "
            "left to train on."
        )
