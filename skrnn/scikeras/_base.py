"""The base of the wrappers: what both change in scikeras' ``BaseWrapper``."""

from abc import ABCMeta
from contextlib import nullcontext
from copy import copy
from typing import Any, Self

import keras
import numpy as np
from scikeras import wrappers
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state

from skrnn._data.typing import (
    SequenceData,
    Targets,
    Weights,
)
from skrnn._engine import pack, refuse_forked_process, unpack
from skrnn._sklearn import unchanged_on_error
from skrnn.scikeras._answers import AnswersMixin
from skrnn.scikeras._parameters import refuse_unknown
from skrnn.scikeras._running import RunningModel, unchanged_weights_on_error
from skrnn.scikeras._steps import holds_sequences
from skrnn.scikeras.engine.models import own_optimizer
from skrnn.scikeras.engine.seeding import seeded


class MixinsFirst(ABCMeta):
    """Order a class's bases as scikit-learn needs them: mixins before the base.

    scikeras has the opposite order, so that scikit-learn's tags don't say whether its
    wrappers are classifiers or regressors.
    """

    def mro(cls):
        """Return the usual order, with ``BaseEstimator`` and its bases at the end."""
        order = super().mro()
        base = [each for each in order if each in BaseEstimator.__mro__]
        return [each for each in order if each not in base] + base


class EngineWrapper(AnswersMixin, wrappers.BaseWrapper, metaclass=MixinsFirst):
    """What both wrappers change in scikeras' ``BaseWrapper``."""

    # If scikeras found a seed here, it would seed all global generators, and switch on
    # TensorFlow's determinism and an environment variable.
    _random_state = property(lambda self: None, lambda self, seed: None)

    model_: Any
    _routing_prefixes = wrappers.BaseWrapper._routing_prefixes | {"callbacks", "score"}

    def fit(
        self,
        X: SequenceData,
        y: Targets,
        sample_weight: Weights | None = None,
        *,
        X_val: SequenceData | None = None,
        y_val: Targets | None = None,
        **kwargs: Any,
    ) -> Self:
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

    def partial_fit(
        self,
        X: SequenceData,
        y: Targets,
        sample_weight: Weights | None = None,
        **kwargs: Any,
    ) -> Self:
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
        """Fit; after an error nothing has changed, after Ctrl-C the training stays."""
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
            y = self._without_gaps(y, sample_weight)
            fit(X, y, sample_weight=sample_weight, **kwargs)
            del self._lengths
        interrupted = self.__dict__.pop("_interrupted", None)
        if interrupted is not None:
            raise interrupted
        return self

    def _needs_weights(self, y):
        """Whether training needs weights: for padded steps, or for classes."""
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
                # scikeras reads its outputs, which exist once the inputs are known.
                model.build((None, *self.X_shape_[1:]))
        return model

    def _get_compile_kwargs(self):
        arguments = super()._get_compile_kwargs()
        if hasattr(arguments["optimizer"], "get_config"):
            # An optimizer belongs to one network, so the user's own isn't used up.
            arguments["optimizer"] = own_optimizer(arguments["optimizer"])
        return arguments

    def _fit_keras_model(self, X, y, *args, warm_start, **kwargs):
        model, y = self.model_, self._as_outputs(y)
        given = kwargs.pop("X_val", None), kwargs.pop("y_val", None)
        kwargs |= self._validation(*given, kwargs.get("sample_weight"))
        # Otherwise the network is new, and is dropped if training fails.
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
