"""The two wrappers: scikeras' own, with what had to be put right."""

from abc import ABCMeta
from contextlib import nullcontext
from copy import copy
from typing import Any

import keras
import numpy as np
from scikeras import wrappers
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state

from skrnn._engine import pack, refuse_forked_process, unpack
from skrnn._engine._seeding import seeded
from skrnn._state import unchanged_on_error
from skrnn.scikeras._answers import AnswersMixin, LabelsMixin
from skrnn.scikeras._docs import documented
from skrnn.scikeras._parameters import (
    CLASSIFIER_CONSTRAINTS,
    CONSTRAINTS,
    refuse_unknown,
)
from skrnn.scikeras._running import (
    RunningModel,
    copy_of_optimizer,
    unchanged_weights_on_error,
)
from skrnn.scikeras._steps import holds_sequences, without_unweighted_gaps
from skrnn.scikeras._targets import LabelsEncoder, NumbersEncoder


class MixinsFirst(ABCMeta):
    """Order a class's bases as scikit-learn needs them: mixins before the base.

    scikeras has them the other way round, so that scikit-learn never hears whether its
    wrappers are classifiers or regressors.
    """

    def mro(cls):
        """Return the usual order, with ``BaseEstimator`` and its bases at the end."""
        order = super().mro()
        base = [each for each in order if each in BaseEstimator.__mro__]
        return [each for each in order if each not in base] + base


class EngineWrapper(AnswersMixin, wrappers.BaseWrapper, metaclass=MixinsFirst):
    """What both wrappers change in scikeras' ``BaseWrapper``."""

    # scikeras would seed every global generator, and switch TensorFlow's determinism
    # and an environment variable on, wherever it finds a seed here: it finds none.
    _random_state = property(lambda self: None, lambda self, seed: None)

    model_: Any
    _routing_prefixes = wrappers.BaseWrapper._routing_prefixes | {"callbacks", "score"}

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, **kwargs):
        """Build the network and train it.

        Parameters
        ----------
        X : array-like or list of array-likes
            (n, F), (n, T, F), or a list of (T_i, F) arrays, for which the network needs
            a layer ``Masking``; a list of token ids, for one that has an ``Embedding``.
        y : array-like or list of array-likes
            (n,), (n, K), (n, T), (n, T, K), or a list of (T_i,) or (T_i, K) arrays with
            an answer for each time step of X.
        sample_weight : array-like or list of array-likes, default=None
            Weight in the loss of each row, (n,), or of each time step: (n, T), or
            ragged.
        X_val, y_val : array-like or list of array-likes, default=None
            What to validate on after each epoch, in the forms of X and y.
        **kwargs : dict
            More arguments of ``keras.Model.fit``.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            For input that can't be used; an earlier fit then stays as it was.
        """
        kwargs |= {"X_val": X_val, "y_val": y_val}
        return self._guarded(super().fit, X, y, sample_weight, **kwargs)

    def partial_fit(self, X, y, sample_weight=None, **kwargs):
        """Train for one more epoch.

        Parameters
        ----------
        X : array-like or list of array-likes
            As for ``fit``.
        y : array-like or list of array-likes
            As for ``fit``.
        sample_weight : array-like or list of array-likes, default=None
            As for ``fit``.
        **kwargs : dict
            More arguments of ``keras.Model.fit``.

        Returns
        -------
        self : object
        """
        return self._guarded(super().partial_fit, X, y, sample_weight, **kwargs)

    def _guarded(self, fit, X, y, sample_weight, **kwargs):
        """Fit; after an error all is as before, after Ctrl-C as far as it has come."""
        refuse_forked_process()
        with unchanged_on_error(self):
            self._validate_params()
            if y is None:
                raise ValueError(
                    f"{type(self).__name__} requires y to be passed, but the target y "
                    "is None."
                )
            self._lengths = self._lengths_of(X, reset=True)
            if sample_weight is None and self._needs_weights(y):
                sample_weight = 1.0
            y = without_unweighted_gaps(y, sample_weight)
            fit(X, y, sample_weight=sample_weight, **kwargs)
            del self._lengths
        interrupted = self.__dict__.pop("_interrupted", None)
        if interrupted is not None:
            raise interrupted
        return self

    def _needs_weights(self, y):
        """Whether some steps of y are to be left out, or classes weighted."""
        uneven = self._lengths is not None and np.ptp(self._lengths) > 0
        return self.class_weight is not None or (uneven and holds_sequences(y))

    def _initialize(self, X, y=None):
        refuse_forked_process()
        refuse_unknown(self, self._check_model_param(), self.get_params(deep=False))
        self._seed = None
        if self.random_state is not None:
            self._seed = check_random_state(self.random_state).randint(2**31 - 1)
        return super()._initialize(X, y)

    def _build_keras_model(self):
        with seeded(self._seed):
            model = super()._build_keras_model()
            if type(model) is keras.Sequential and not model.built:
                # scikeras asks for outputs, which it has from its first input on.
                model.build((None, *self.X_shape_[1:]))
        return model

    def _get_compile_kwargs(self):
        arguments = super()._get_compile_kwargs()
        if hasattr(arguments["optimizer"], "get_config"):
            # An optimizer belongs to one network: this one's to the user.
            arguments["optimizer"] = copy_of_optimizer(arguments["optimizer"])
        return arguments

    def _fit_keras_model(self, X, y, *args, warm_start, **kwargs):
        model, y = self.model_, self._as_outputs(y)
        given = kwargs.pop("X_val", None), kwargs.pop("y_val", None)
        kwargs |= self._validation(*given, kwargs.get("sample_weight"))
        # Else the network is new, and goes if its training fails.
        known = warm_start or self.warm_start or model is self.model
        unchanged = unchanged_weights_on_error(model) if known else nullcontext()
        self.model_ = running = RunningModel(model, self._seed)
        try:
            with unchanged:
                super()._fit_keras_model(X, y, *args, warm_start=warm_start, **kwargs)
        finally:
            self.model_ = model
        self.engine_ = running.engine
        if running.interrupted is not None:
            self._interrupted = running.interrupted

    def _predict_raw(self, X, **kwargs):
        refuse_forked_process()
        if not self.initialized_:
            raise NotFittedError(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' "
                "with appropriate arguments before using this estimator."
            )
        # A copy: two threads may predict at once.
        other = copy(self)
        other.model_ = RunningModel(self.model_)
        return super(EngineWrapper, other)._predict_raw(X, **kwargs)

    def __sklearn_is_fitted__(self):
        return self.initialized_

    def __getstate__(self):
        return pack(super().__getstate__())

    def __setstate__(self, state):
        super().__setstate__(unpack(state))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = True
        return tags


@documented
class KerasRegressor(EngineWrapper, wrappers.KerasRegressor):
    """A Keras network of your own as a regressor.

    scikeras' ``KerasRegressor``, from which it derives and whose parameters it has.

    See :doc:`/user_guide/scikeras` for what is different.

    {parameters}

    {attributes}

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> from skrnn.scikeras import KerasRegressor
    >>> def build(units, meta):
    ...     shape = (None, meta["n_features_in_"])
    ...     layers = [keras.layers.LSTM(units), keras.layers.Dense(1)]
    ...     return keras.Sequential([keras.Input(shape), *layers])
    >>> X = np.random.default_rng(0).normal(size=(40, 6, 2))
    >>> y = X[:, -1, 0]
    >>> model = KerasRegressor(build, model__units=4, loss="mse", verbose=0)
    >>> model.fit(X, y).predict(X).shape
    (40,)
    >>> model.engine_
    'skrnn'
    """

    _parameter_constraints = CONSTRAINTS

    @property
    def target_encoder(self):
        """Encoder of y; override it for one of your own."""
        return NumbersEncoder()

    @staticmethod
    def scorer(y_true, y_pred, **kwargs):
        """Return R2, of sequences over all their steps.

        Parameters
        ----------
        y_true, y_pred : ndarray
            Of shape (n,), (n, K) or (n, T, K).
        **kwargs : dict
            More arguments of :func:`sklearn.metrics.r2_score`.

        Returns
        -------
        score : float
        """
        if y_true.ndim == 3:
            weights = kwargs.get("sample_weight")
            if weights is not None:
                kwargs["sample_weight"] = np.repeat(weights, y_true.shape[1])
            y_true, y_pred = (y.reshape(-1, y.shape[-1]) for y in (y_true, y_pred))
        return wrappers.KerasRegressor.scorer(y_true, y_pred, **kwargs)

    def _type_of_target(self, y):
        return super()._type_of_target(y[:, 0] if y.ndim == 3 else y)


@documented
class KerasClassifier(LabelsMixin, EngineWrapper, wrappers.KerasClassifier):
    """A Keras network of your own as a classifier.

    scikeras' ``KerasClassifier``, from which it derives and whose parameters it has.

    See :doc:`/user_guide/scikeras` for what is different.

    {parameters}

    {attributes}

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> from skrnn.scikeras import KerasClassifier
    >>> def build(units, meta):
    ...     shape = (None, meta["n_features_in_"])
    ...     layers = [keras.layers.GRU(units), keras.layers.Dense(1, "sigmoid")]
    ...     return keras.Sequential([keras.Input(shape), *layers])
    >>> X = np.random.default_rng(0).normal(size=(40, 6, 2))
    >>> y = np.where(X[:, -1, 0] > 0, "up", "down")
    >>> model = KerasClassifier(
    ...     build, model__units=4, loss="binary_crossentropy", verbose=0
    ... )
    >>> model.fit(X, y).predict_proba(X).shape
    (40, 2)
    """

    _numeric = False
    _parameter_constraints = CLASSIFIER_CONSTRAINTS

    @property
    def target_encoder(self):
        """Encoder of y; override it for one of your own."""
        categories = "auto" if self.classes_ is None else [self.classes_]
        return LabelsEncoder(self.loss, categories, steps=self._labels_steps)

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, **kwargs):
        """Build the network and train it.

        Parameters
        ----------
        X : array-like or list of array-likes
            (n, F), (n, T, F), or a list of (T_i, F) arrays, for which the network needs
            a layer ``Masking``; a list of token ids, for one that has an ``Embedding``.
        y : array-like or list of array-likes
            Labels (n,), one-hot (n, K), or for each time step: (n, T), (n, T, K), or a
            list as ragged as X.
        sample_weight : array-like or list of array-likes, default=None
            Weight in the loss of each row, (n,), or of each time step: (n, T), or
            ragged.
        X_val, y_val : array-like or list of array-likes, default=None
            What to validate on after each epoch, in the forms of X and y.
        **kwargs : dict
            More arguments of ``keras.Model.fit``.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            For input that can't be used; an earlier fit then stays as it was.
        """
        kwargs |= {"X_val": X_val, "y_val": y_val}
        return self._guarded(self._fit_anew, X, y, sample_weight, **kwargs)

    def _fit_anew(self, X, y, sample_weight, **kwargs):
        self.classes_ = None
        # Not scikeras' own for classifiers, which weighs classes of rows alone.
        wrappers.BaseWrapper.fit(self, X, y, sample_weight, **kwargs)

    # The order of scikit-learn's classifiers.
    def partial_fit(  # type: ignore[override]
        self, X, y, classes=None, sample_weight=None, **kwargs
    ):
        """Train for one more epoch.

        Parameters
        ----------
        X : array-like or list of array-likes
            As for ``fit``.
        y : array-like or list of array-likes
            Labels.
        classes : array-like, default=None
            All labels that there will be; needed if the first y lacks some.
        sample_weight : array-like or list of array-likes, default=None
            As for ``fit``.
        **kwargs : dict
            More arguments of ``keras.Model.fit``.

        Returns
        -------
        self : object
        """
        kwargs["classes"] = classes
        return self._guarded(self._fit_on, X, y, sample_weight, **kwargs)

    def _fit_on(self, X, y, sample_weight, classes, **kwargs):
        if classes is None:
            classes = getattr(self, "classes_", None)
        self.classes_ = classes
        wrappers.BaseWrapper.partial_fit(self, X, y, sample_weight, **kwargs)

    def predict_proba(self, X, **kwargs):
        """Predict the probability of every class.

        Parameters
        ----------
        X : array-like or list of array-likes
            As for ``fit``.
        **kwargs : dict
            More arguments of ``keras.Model.predict``.

        Returns
        -------
        probabilities : ndarray
            (n, n_classes); where each time step has a label (n, T, n_classes), or for a
            list an object array of arrays as long as the sequences.
        """
        return self._cut(X, super().predict_proba(X, **kwargs))
