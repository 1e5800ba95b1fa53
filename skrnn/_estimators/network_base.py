"""The bases of all estimators that train a network: parameters, plan, state, report."""

import inspect
import os
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from sklearn.callback import with_callbacks
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from skrnn import _engine
from skrnn._data.holdout import hold_out
from skrnn._data.typing import Widths
from skrnn._data.units import warn_of_large_numbers
from skrnn._data.warn import warn
from skrnn._engine import ENGINES, TrainPlan
from skrnn._estimators.description.network import DescribedNetwork
from skrnn._estimators.going_on import GoesOn, finite_or_none, going_on, kind_of
from skrnn._estimators.names import NAMES, Names, named
from skrnn._estimators.one_fit import as_before_fit, unchanged_on_error
from skrnn._estimators.saved import mark_state, read_state
from skrnn._estimators.tasks.documentation import Row
from skrnn._estimators.watching import WatchedFit, watch_fit
from skrnn._networks.activations import HIDDEN_ACTIVATIONS
from skrnn._networks.cells import CELLS
from skrnn._networks.optimizers import OPTIMIZERS
from skrnn._networks.specs import NetworkSpec, Spec
from skrnn._sklearn import (
    Count,
    Counts,
    Instance,
    Instances,
    Schedule,
    Share,
    StrOptions,
    positive,
)

# With fewer sequences than this, early_stopping="auto" trains for all epochs on all of
# them: holding some out costs sets of 40 to 270 sequences more than stopping gains.
# Series of 2,000 rows gain.
EARLY_STOPPING_FROM = 500
# Share of the data held out for early stopping if validation_split is None.
DEFAULT_SHARE = 0.1


@dataclass(kw_only=True, eq=False, repr=False)
class TrainedNetwork(GoesOn, WatchedFit, DescribedNetwork):
    """An estimator whose ``fit`` trains a network; a subclass chooses network and data.

    It keeps `_spec`, `_weights` and the optimizer's state.
    """

    activation: str = "tanh"
    dropout: float = 0.0
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
    checkpoint_path: Any = None
    warm_start: bool = False
    engine: str = "auto"
    verbose: int = 0
    random_state: Any = None

    _training_constraints = {
        "activation": [Names("activation", set(HIDDEN_ACTIVATIONS))],
        "dropout": [Share()],
        "optimizer": [
            Names("optimizer", set(OPTIMIZERS)),
            Instance("keras.optimizers.Optimizer", "apply_gradients"),
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
        "checkpoint_path": [str, os.PathLike, None],
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

    def _require_fit(self):
        """Raise NotFittedError before ``fit``."""
        # Only asked if need be: looking at scikit-learn's tags takes a while.
        if not self._is_fitted:
            check_is_fitted(self)

    def _plan_of_steps(self, *, one_epoch):
        """Decide how the optimizer steps; `one_epoch` means the next of all epochs."""
        optimizer, schedule = named(self, "optimizer", "learning_rate_schedule")
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
            "planned_epochs": int(self.epochs),
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
        }

    def _how_to_validate(self, is_large, validation, epochs):
        """Return whether training may stop early, and which share is held out or None.

        ``partial_fit`` trains its one epoch on all of its data.
        """
        if epochs is not None:
            return False, None
        is_asked_for = validation is not None or self.validation_split is not None
        stops = self.early_stopping
        if stops == "auto":
            stops = is_large or is_asked_for
        share = None
        if validation is None and (stops or is_asked_for):
            share = self.validation_split or DEFAULT_SHARE
        return bool(stops), share

    def _keep(self, spec, plan, trained, resume):
        """Set the fitted attributes."""
        before = getattr(self, "history_", {}) if resume else {}
        n_before = getattr(self, "n_iter_", 0) if resume else 0
        self._spec, self._weights = spec, trained.weights
        self._optimizer_state = finite_or_none(trained.optimizer_state)
        self._optimizer_kind = kind_of(plan.optimizer)
        self.history_ = trained.history_after(before, n_before)
        n_finished = len(trained.history["loss"])
        self.n_iter_ = n_before + n_finished
        self.best_epoch_ = n_before + min(trained.best_epoch, n_finished)

    def _report(self, trained):
        """Return self; warn if training diverged, raise if it was interrupted."""
        if trained.diverged:
            kept = f"of epoch {self.best_epoch_}" if self.best_epoch_ else "before it"
            warn(
                f"Training of {type(self).__name__} stopped in epoch "
                f"{self.n_iter_ + 1}: the loss is not finite. The finite weights "
                f"{kept} are kept. {self._advice} a lower learning_rate (now "
                f"{self.learning_rate}) or clipnorm (now {self.clipnorm}).",
                ConvergenceWarning,
            )
        if trained.interrupted:
            raise KeyboardInterrupt
        return self


@dataclass(kw_only=True, eq=False, repr=False)
class BaseNetwork(TrainedNetwork):
    """The parameters of a network that reads sequences, and how it is trained."""

    dense_units: Widths = ()
    loss: Any = "auto"
    callbacks: Any = None

    _common_constraints = TrainedNetwork._training_constraints | {
        "dense_units": [Count(), Counts(empty=True)],
        "callbacks": [Instances("keras.callbacks.Callback", "on_epoch_end"), None],
    }
    # Name -> type and description of parameters that mean something of their own here.
    _network_docs: ClassVar[Mapping[str, Row]] = {}
    # The parameter that examples set to make a small network.
    _width: ClassVar[str] = "units"
    # Whether numbers of any size are read: the network gets them in units of its own.
    _rescales_X: ClassVar[bool] = False
    # How the names of losses are looked up.
    _kind_of_loss: ClassVar[str] = "loss of numbers"

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        network = getattr(cls, "_network_constraints", {})
        network = getattr(cls, "_reading_constraints", {}) | network
        network = getattr(cls, "_layer_constraints", {}) | network
        task = getattr(cls, "_task_constraints", {})
        cls._parameter_constraints = cls._common_constraints | network | task
        if "cell" in inspect.get_annotations(cls):
            cls._parameter_constraints |= {"cell": [Names("cell", CELLS.keys())]}

    def _fit(self, X, y, sample_weight, **known):
        """Train; with `warm_start` go on. `known` are further arguments of ``fit``."""
        resume = self.warm_start and self._is_fitted
        watch = watch_fit(self, X, y, self.epochs, sample_weight=sample_weight, **known)
        known |= {"resume": resume, "watch": watch}
        with unchanged_on_error(self), watch:
            return self._train(X, y, sample_weight, **known)

    @with_callbacks
    def _partial_fit(self, X, y, sample_weight, classes=None, **known):
        options = {"resume": self._is_fitted, "epochs": 1, "min_samples": 1}
        # Classes that the first call was told must not be learnt from y again.
        options["known_target"] = classes is not None
        self._validate_params()
        watch = watch_fit(self, X, y, 1, sample_weight=sample_weight, **known)
        with unchanged_on_error(self), watch:
            self._begin_partial_fit(y, classes)
            known |= options | {"watch": watch}
            trained = self._train(X, y, sample_weight, **known)
        return self._report(trained)

    def _train(
        self,
        X,
        y,
        sample_weight,
        *,
        resume,
        known_target=False,
        epochs=None,
        min_samples=2,
        validation=None,
        watch=None,
        **known,
    ):
        """Read the data, make the network, train it and keep it."""
        self.__dict__.pop("_class_factors", None)
        reading = {"min_samples": min_samples, "trains": True}
        X = self._check_X(X, reset=not resume, **reading)
        data = self._dataset(X, y, sample_weight, resume, known_target, **known)
        own = None
        if epochs is None:
            own = self._checkpoint(resume, data, validation)
        plan, share = self._plan(len(data), epochs, resume, validation, own)
        spec, fill = self._network(X, resume)
        if resume:
            self._refuse_changes(spec)
        elif not (spec.embedding or self._rescales_X):
            warn_of_large_numbers(self, X, spec.categories)
        parts = self._split(data, share, plan.seed, validation, spec)
        weights, state = self._start(spec, plan, resume)
        if fill is not None and not resume:
            weights = fill(weights, parts[0])
        given = spec, plan, *parts, weights, state
        told = watch and watch.epochs(spec, plan, resume)
        options = self._options() | {"engine": self.engine, "watch": told}
        options["checkpoint"] = going_on(own, spec, plan)
        with as_before_fit(self):
            trained = _engine.train(*given, **options)
        self._keep(spec, plan, trained, resume)
        return trained

    def _train_on(self, source, watch):
        """Train on a source of batches that needs no reading, and keep the network."""
        own = self._checkpoint(False, source.identity)
        plan, _ = self._plan(len(source), None, False, checkpoint=own)
        # Whoever made the source is whom the user knows.
        plan = replace(plan, name=source.name)
        spec, _ = self._network(source, False)
        given = source, None, *self._start(spec, plan, False)
        options = {"engine": self.engine, "watch": watch.epochs(spec, plan, False)}
        options["checkpoint"] = going_on(own, spec, plan)
        trained = _engine.train(spec, plan, *given, **options)
        self._keep(spec, plan, trained, False)
        return trained

    def _known_dataset(self, given):
        """Read a validation set: no attribute of the estimator changes."""
        X = self._check_X(given.X, reset=False, trains=True)
        known = {} if given.future is None else {"future": given.future}
        # Weights of its classes are learnt for it alone.
        return copy(self)._dataset(X, given.y, given.sample_weight, True, True, **known)

    def _options(self):
        """Return further options of training for this kind of network."""
        return {}

    def _plan(self, n_sequences, epochs, resume, validation=None, checkpoint=None):
        """Return how to train, and which share of the data is held out or None."""
        known = n_sequences >= EARLY_STOPPING_FROM, validation, epochs
        early_stopping, share = self._how_to_validate(*known)
        steps = self._plan_of_steps(one_epoch=epochs is not None)
        # What callbacks see is in the user's units.
        units = self._rescaling() if self.callbacks else {}
        plan = TrainPlan(
            loss=None if isinstance(self.loss, str) else self.loss,
            # Ints of Python: small ones of NumPy may overflow.
            epochs=int(self.epochs if epochs is None else epochs),
            batch_size=int(self.batch_size),
            shuffle=self.shuffle,
            early_stopping=early_stopping,
            patience=int(self.patience),
            callbacks=tuple(self.callbacks or ()),
            verbose=int(self.verbose),
            seed=self._seed(resume, checkpoint),
            name=type(self).__name__,
            **steps,
            **units,
        )
        return plan, share

    def _split(self, dataset, share, seed, validation, spec):
        """Return what to train on and what to validate on.

        The validation set is the given one, or else what is held out if training may
        stop early or a share is asked for.
        """
        if validation is not None:
            return dataset, validation.read(self, spec)
        if share is None:
            return dataset, None
        strata = self._validation_strata(dataset)
        rows = hold_out(len(dataset), share, strata, seed)
        return dataset.take(rows[0]), dataset.take(rows[1])

    def _keep(self, spec, plan, trained, resume):
        super()._keep(spec, plan, trained, resume)
        self._model = None

    @property
    def model_(self) -> Any:
        """The trained network as a ``keras.Model``, made at first access.

        It reads unpadded sequences (n, T, F), or token ids (n, T) or (n, T, C), and
        returns what ``predict`` (regressors) or ``predict_proba`` compute, in float32.

        The model of an encoder and a decoder has a list of inputs. The second one is
        the output before each step, as in training: numbers (n, H, K), of which the
        first step's aren't read, or class indices (n, H), starting with the start token
        ``len(classes_)``. The third one is the `future` (n, H, F2), if ``fit`` was
        given one. For strings in X, ids from 2 on stand for the sorted symbols of
        ``fit``, and 1 for any other.
        """
        self._require_fit()
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
