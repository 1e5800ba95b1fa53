"""The base of the wrappers: what both change in scikeras' ``BaseWrapper``."""

from abc import ABCMeta
from typing import Any, Self

from scikeras import wrappers
from sklearn.base import BaseEstimator

from skrnn._data.typing import (
    SequenceData,
    Targets,
    Weights,
)
from skrnn._engine import pack, refuse_forked_process, unpack
from skrnn._estimators.one_fit import lasting, unchanged_on_error
from skrnn.scikeras._answers import AnswersMixin


class MixinsFirst(ABCMeta):
    """Order a class's bases as scikit-learn needs them: mixins before the base.

    scikeras has the opposite order, so scikit-learn's tags don't say whether its
    wrappers are classifiers or regressors.
    """

    def mro(cls):
        """Return the usual order, with ``BaseEstimator`` and its bases at the end."""
        order = super().mro()
        base = [each for each in order if each in BaseEstimator.__mro__]
        return [each for each in order if each not in base] + base


class EngineWrapper(AnswersMixin, wrappers.BaseWrapper, metaclass=MixinsFirst):
    """What both wrappers change in scikeras' ``BaseWrapper``."""

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
            (n, F), (n, T, F), or a list of (T_i, F) arrays if the network has a layer
            ``Masking``; a list of token ids if it has an ``Embedding``.
        y : array-like or list of array-likes
            (n,), (n, K), (n, T), (n, T, K), or a list of (T_i,) or (T_i, K) arrays with
            an answer for each time step of X.
        sample_weight : array-like or list of array-likes, default=None
            Weight in the loss of each row, (n,), or of each time step: (n, T), or
            ragged.
        X_val, y_val : array-like or list of array-likes, default=None
            Validation set, evaluated after each epoch, in the forms of X and y.
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
        kwargs["goes_on"] = True
        return self._guarded(super().partial_fit, X, y, sample_weight, **kwargs)

    def initialize(self, X: SequenceData, y: Targets | None = None) -> Self:
        """Build the network without training it.

        Parameters
        ----------
        X : array-like or list of array-likes
            As for ``fit``.
        y : array-like or list of array-likes, default=None
            As for ``fit``.

        Returns
        -------
        self : object
        """
        refuse_forked_process()
        with unchanged_on_error(self):
            self._validate_params()
            return super().initialize(X, y)

    def __sklearn_is_fitted__(self):
        return self.initialized_

    def __getstate__(self):
        return pack(lasting(super().__getstate__()))

    def __setstate__(self, state):
        super().__setstate__(unpack(state))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = True
        return tags
