"""Fitting and predicting in wrappers, on our engine or on Keras."""

from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import keras
import numpy as np
from scikeras.utils import metric_name
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils import check_random_state, compute_sample_weight

from skrnn._data.typing import Array, SequenceData
from skrnn._data.validation_set import errors_of_validation
from skrnn._data.warn import warn
from skrnn._engine import refuse_forked_process
from skrnn._estimators.one_fit import of_one_fit, unchanged_on_error, undisturbed
from skrnn._sklearn import check_parameters, naming
from skrnn.scikeras._parameters import (
    COMPILED,
    naming_parameters,
    noting_parameters,
    refuse_unknown,
)
from skrnn.scikeras._reading import ReadingMixin
from skrnn.scikeras._running_model import RunningModel, unchanged_weights_on_error
from skrnn.scikeras._steps import (
    answers_steps,
    cut,
    holds_sequences,
    in_keras_type,
    read_row_weights,
    read_weights,
    without_unweighted_gaps,
)
from skrnn.scikeras._turns import turns_of
from skrnn.scikeras.engine.masks import fill_padding
from skrnn.scikeras.engine.models import own_optimizer
from skrnn.scikeras.engine.seeding import seeded

# Attributes of a network and of its training.
_OF_NETWORK = "model_", "history_", "engine_"


def _name_in_history(name):
    """Return scikeras' name for what Keras calls `name` in its logs."""
    if name == "loss" or name.startswith("val_"):
        return name
    try:
        return metric_name(name)
    except ValueError:
        return name


class RunningMixin(ReadingMixin):
    """Fitting and predicting on our engine, where it can run the network."""

    # If scikeras found a seed here, it would seed all global generators, and switch on
    # TensorFlow's determinism and an environment variable.
    _random_state = property(lambda self: None, lambda self, seed: None)
    class_weight: Any = None
    # Attributes of the wrapper beside this mixin.
    _parameter_constraints: dict
    model: Any
    model_: Any
    warm_start: bool
    random_state: Any
    initialized_: bool
    history_: dict[str, list]
    feature_encoder_: Any
    target_encoder_: Any
    get_params: Callable
    _check_model_param: Callable
    X_shape_: tuple[int, ...]

    @of_one_fit
    def predict(self, X: SequenceData, **kwargs: Any) -> Array:
        """Predict the targets of X.

        Parameters
        ----------
        X : array-like or list of array-likes
            As for ``fit``.
        **kwargs : dict
            More arguments of ``keras.Model.predict``.

        Returns
        -------
        y : ndarray
            (n,), (n, K), (n, T) or (n, T, K). If X is a list and the network answers
            each time step, an object array with an array for each sequence.
        """
        return self._cut(X, super().predict(X, **kwargs))  # type: ignore[misc]

    def _guarded(self, fit, X, y, sample_weight, *, goes_on=False, **kwargs):
        """Fit; an error changes nothing, and Ctrl-C keeps the training so far."""
        refuse_forked_process()
        with self._own_turn(goes_on), unchanged_on_error(self):
            self._validate_params()
            if y is None:
                raise ValueError(
                    f"{type(self).__name__} requires y to be passed, but the target y "
                    "is None."
                )
            with naming("X"):
                self._lengths = self._lengths_of(X, reset=True)
            with naming("y"):
                needs_weights = self._needs_weights(y)
            if sample_weight is None and needs_weights:
                sample_weight = 1.0
            if sample_weight is not None:
                y = self._without_gaps(y, sample_weight)
            fit(X, y, sample_weight=sample_weight, **kwargs)
        self._warn_of_divergence()
        interrupted = self.__dict__.pop("_interrupted", None)
        if interrupted is not None:
            raise interrupted
        return self

    def _own_turn(self, goes_on):
        """Wait for other threads that train the same network or predict with it."""
        model = vars(self).get("model_")
        known = goes_on and model is not None
        return turns_of(model).changing() if known else nullcontext()

    def _warn_of_divergence(self):
        """Warn where Keras is silent."""
        losses = self.history_.get("loss") or [0.0]
        if not np.isfinite(losses[-1]):
            warn(
                f"Training of {type(self).__name__} ended with a loss of {losses[-1]}, "
                "and what it predicts may be NaN. Scale X and y, or try a lower "
                "learning_rate or clipnorm of the optimizer.",
                ConvergenceWarning,
            )

    def _validate_params(self):
        check_parameters(self)

    def _needs_weights(self, y):
        """Whether training needs weights: for padded steps, or for classes."""
        uneven = self._lengths is not None and np.ptp(self._lengths) > 0
        return self.class_weight is not None or (uneven and holds_sequences(y))

    def _without_gaps(self, y, sample_weight):
        """Return y with valid values in place of those of weight 0."""
        with naming("y", "sample_weight"):
            return without_unweighted_gaps(y, sample_weight)

    def _initialize(self, X, y=None):
        # Nobody may take those of an earlier fit for this one's.
        for name in _OF_NETWORK:
            vars(self).pop(name, None)
        refuse_unknown(self, self._check_model_param(), self.get_params(deep=False))
        self._seed = None
        if self.random_state is not None:
            self._seed = check_random_state(self.random_state).randint(2**31 - 1)
        return super()._initialize(X, y)  # type: ignore[misc]

    def _naming(self, *names):
        return naming_parameters(type(self).__name__, self._given(names))

    def _noting(self, *names):
        return noting_parameters(type(self).__name__, self._given(names))

    def _given(self, names):
        """Return parameters, and for ``model`` all that is handed to it."""
        known = self.get_params(deep=False)
        routed = [name for name in known if name.partition("__")[0] in names]
        return {name: known[name] for name in dict.fromkeys((*names, *routed))}

    def _build_keras_model(self):
        with seeded(self._seed), self._noting("model"):
            model = super()._build_keras_model()  # type: ignore[misc]
            if type(model) is keras.Sequential and not model.built:
                # scikeras reads its outputs, which exist once the inputs are known.
                model.build((None, *self.X_shape_[1:]))
        return model

    def _get_compile_kwargs(self):
        with self._naming(*COMPILED):
            arguments = super()._get_compile_kwargs()  # type: ignore[misc]
            if hasattr(arguments["optimizer"], "get_config"):
                # An optimizer belongs to one network: the user's own isn't used up.
                arguments["optimizer"] = own_optimizer(arguments["optimizer"])
        return arguments

    def _ensure_compiled_model(self):
        with self._naming(*COMPILED):
            super()._ensure_compiled_model()  # type: ignore[misc]

    def _initialize_callbacks(self):
        with self._naming("callbacks"):
            super()._initialize_callbacks()  # type: ignore[misc]

    def _fit_keras_model(self, X, y, *args, warm_start, **kwargs):
        model, y = self.model_, self._as_outputs(y)
        # Nothing that a copy or a file should have.
        vars(self).pop("_lengths", None)
        given = kwargs.pop("X_val", None), kwargs.pop("y_val", None)
        if any(each is not None for each in given):
            kwargs |= self._validation(*given, kwargs.get("sample_weight"))
        # A new network is dropped if training fails.
        known = warm_start or self.warm_start or model is self.model
        unchanged = unchanged_weights_on_error(model) if known else nullcontext()
        # Other threads may be predicting with a network that is known already.
        turn = turns_of(model).changing() if known else nullcontext()
        goes_on = warm_start and kwargs.get("initial_epoch")
        tell = partial(self._keep_history, self.history_ if goes_on else {})
        running = RunningModel(model, self._seed, tell)
        tell({})
        # A copy: a callback may ask of this estimator what is being trained.
        other = self._copy_with(running)
        # Its lists are its own: scikeras adds to them.
        tell({})
        fit = super(RunningMixin, other)._fit_keras_model  # type: ignore[misc]
        with undisturbed(self), turn, unchanged, self._noting(*COMPILED):
            fit(X, y, *args, warm_start=warm_start, **kwargs)
        self.history_, self.engine_ = other.history_, running.engine
        if running.interrupted is not None:
            self._interrupted = running.interrupted

    def _keep_history(self, before, found):
        """Set the history: of the epochs before, and those trained so far."""
        history = defaultdict(
            list, {name: [*values] for name, values in before.items()}
        )
        for name, values in found.items():
            history[_name_in_history(name)] += values
        self.history_ = history

    def _copy_with(self, model):
        """Return a copy with another network, which nobody else has."""
        other = object.__new__(type(self))
        vars(other).update(vars(self), model_=model)
        return other

    def _predict_raw(self, X, **kwargs):
        refuse_forked_process()
        if not self.initialized_:
            raise NotFittedError(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' "
                "with appropriate arguments before using this estimator."
            )
        # A copy: two threads may predict at once.
        model = self.model_
        other = self._copy_with(RunningModel(model))
        with turns_of(model).reading():
            return super(RunningMixin, other)._predict_raw(X, **kwargs)  # type: ignore[misc]

    @property
    def _answers_steps(self):
        """Whether the network has an answer for each time step, as y has."""
        return self._has_steps and answers_steps(self.model_)

    def _cut(self, X, found):
        """Cut off the padding of predictions if X was given as a list."""
        lengths = self._lengths_of(X) if self._answers_steps else None
        return found if lengths is None else cut(found, lengths)

    def _validate_sample_weight(self, X, y, sample_weight):
        """Return the rows whose weight isn't 0, and weights of rows or steps."""
        with naming("sample_weight"):
            if self._answers_steps:
                shape, lengths = (len(y), y.shape[1]), self.__dict__.get("_lengths")
                weights = read_weights(sample_weight, shape, lengths)
            else:
                weights = read_row_weights(sample_weight, len(y), type(self).__name__)
        if self.class_weight is not None:
            weights = weights * self._weights_of_classes(y, weights)
        kept = weights.any(axis=1) if weights.ndim > 1 else weights != 0
        if not kept.any():
            raise ValueError(
                "sample_weight, times class_weight, is 0 everywhere: nothing is left "
                "to train on."
            )
        return X[kept], y[kept], in_keras_type(weights[kept])

    def _as_outputs(self, y):
        """Return encoded y in the form of the network's outputs."""
        # Without a last axis of length 1, Keras' losses would take steps for outputs.
        return y[:, :, None] if self._answers_steps and y.ndim == 2 else y

    def _validation(self, X, y, sample_weight):
        """Return Keras' validation set; with weights if the training set has some."""
        if X is None or y is None:
            missing = "X_val" if X is None else "y_val"
            raise ValueError(f"{missing} is None; expected both X_val and y_val.")
        with errors_of_validation():
            lengths = self._lengths_of(X)
            X, y = self._validate_data(X, y)
            X = fill_padding(self.model_, self.feature_encoder_.transform(X))
            y = self._as_outputs(self.target_encoder_.transform(y))
        if sample_weight is None:
            return {"validation_data": (X, y)}
        weights = np.ones(len(y))
        if self._answers_steps:
            weights = read_weights(None, y.shape[:2], lengths)
        weights = weights.astype(sample_weight.dtype)
        return {"validation_data": (X, y, weights)}

    def _weights_of_classes(self, y, weights):
        """Return the factor of `class_weight` for each row or step."""
        if weights.ndim == 1:
            return compute_sample_weight(self.class_weight, y)
        factors, real = np.ones(weights.shape), weights != 0
        factors[real] = compute_sample_weight(self.class_weight, y[real])
        return factors
