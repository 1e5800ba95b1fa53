"""The two wrappers: scikeras' own with corrections."""

from typing import Any, Self

import numpy as np
from scikeras import wrappers

from skrnn._data.typing import (
    Array,
    ArrayLike,
    SequenceData,
    Targets,
    Weights,
)
from skrnn._estimators.one_fit import of_one_fit
from skrnn._sklearn import naming
from skrnn.scikeras._answers import LabelsMixin
from skrnn.scikeras._base import EngineWrapper
from skrnn.scikeras._docs import documented
from skrnn.scikeras._parameters import CLASSIFIER_CONSTRAINTS, CONSTRAINTS
from skrnn.scikeras._targets import LabelsEncoder, NumbersEncoder


@documented
class KerasRegressor(EngineWrapper, wrappers.KerasRegressor):
    """A Keras network of your own as a regressor.

    It derives from scikeras' ``KerasRegressor`` and has the same parameters.

    See :doc:`/user_guide/scikeras` for the differences.

    {parameters}

    {attributes}

    See Also
    --------
    KerasClassifier : The same for labels.
    recurrent_network : A function that builds recurrent networks.
    skrnn.LSTMRegressor : A network that needs no function.

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
    def target_encoder(self) -> Any:
        """Encoder of y; override it for one of your own."""
        return NumbersEncoder()

    @staticmethod
    def scorer(y_true: Array, y_pred: Array, **kwargs: Any) -> float:
        """Return R2; for sequences, over all their steps.

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
        with naming("y_true"):
            y_true = np.asarray(y_true)
        with naming("y_pred"):
            y_pred = np.asarray(y_pred)
        if y_true.ndim == y_pred.ndim == 3:
            weights = kwargs.get("sample_weight")
            if weights is not None:
                kwargs["sample_weight"] = np.repeat(weights, y_true.shape[1])
            y_true, y_pred = (y.reshape(-1, y.shape[-1]) for y in (y_true, y_pred))
        with naming("y_true", "y_pred"):
            return wrappers.KerasRegressor.scorer(y_true, y_pred, **kwargs)


@documented
class KerasClassifier(LabelsMixin, EngineWrapper, wrappers.KerasClassifier):
    """A Keras network of your own as a classifier.

    It derives from scikeras' ``KerasClassifier`` and has the same parameters.

    See :doc:`/user_guide/scikeras` for the differences.

    {parameters}

    {attributes}

    See Also
    --------
    KerasRegressor : The same for numbers.
    recurrent_network : A function that builds recurrent networks.
    skrnn.LSTMClassifier : A network that needs no function.

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
    def target_encoder(self) -> Any:
        """Encoder of y; override it for one of your own."""
        categories = "auto" if self.classes_ is None else [self.classes_]
        return LabelsEncoder(self.loss, categories, steps=self._labels_steps)

    @staticmethod
    def scorer(y_true: Targets, y_pred: Targets, **kwargs: Any) -> float:
        """Return the accuracy.

        Parameters
        ----------
        y_true, y_pred : array-like
            Labels (n,), or an indicator matrix (n, K).
        **kwargs : dict
            More arguments of :func:`sklearn.metrics.accuracy_score`.

        Returns
        -------
        score : float
        """
        with naming("y_true", "y_pred"):
            return wrappers.KerasClassifier.scorer(y_true, y_pred, **kwargs)

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
            Labels (n,), one-hot (n, K), or for each time step: (n, T), (n, T, 1),
            one-hot (n, T, K), or a list as ragged as X.
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
        return self._guarded(self._fit_anew, X, y, sample_weight, **kwargs)

    def _fit_anew(self, X, y, sample_weight, **kwargs):
        self.classes_ = None
        # Not scikeras' own method for classifiers, which weights only classes of rows.
        wrappers.BaseWrapper.fit(self, X, y, sample_weight, **kwargs)

    # The order of scikit-learn's classifiers.
    def partial_fit(  # type: ignore[override]
        self,
        X: SequenceData,
        y: Targets,
        classes: ArrayLike | None = None,
        sample_weight: Weights | None = None,
        **kwargs: Any,
    ) -> Self:
        """Train for one more epoch.

        Parameters
        ----------
        X : array-like or list of array-likes
            As for ``fit``.
        y : array-like or list of array-likes
            Labels.
        classes : array-like, default=None
            All labels that will ever occur; needed if the first y lacks some.
        sample_weight : array-like or list of array-likes, default=None
            As for ``fit``.
        **kwargs : dict
            More arguments of ``keras.Model.fit``.

        Returns
        -------
        self : object
        """
        kwargs |= {"classes": classes, "goes_on": True}
        return self._guarded(self._fit_on, X, y, sample_weight, **kwargs)

    def _fit_on(self, X, y, sample_weight, classes, **kwargs):
        if classes is None:
            classes = getattr(self, "classes_", None)
        self.classes_ = classes
        wrappers.BaseWrapper.partial_fit(self, X, y, sample_weight, **kwargs)

    @of_one_fit
    def predict_proba(self, X: SequenceData, **kwargs: Any) -> Array:
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
            (n, n_classes). If each time step has a label, (n, T, n_classes), or for a
            list an object array with an array for each sequence.
        """
        return self._cut(X, super().predict_proba(X, **kwargs))
