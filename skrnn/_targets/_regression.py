"""Targets that are numbers."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from skrnn._constraints import StrOptions
from skrnn._sequences import unpack_steps
from skrnn._spec import Head
from skrnn._targets._reading import check_values, flat_steps, read_steps, weights_like

LOSSES = ("mean_squared_error", "mean_absolute_error", "huber", "log_cosh")


@dataclass
class SequenceRegressorMixin(RegressorMixin):
    """Targets are numbers; they are trained on in units of their own spread."""

    normalize_y: bool = True

    _task_constraints = {
        "loss": [StrOptions({"auto", *LOSSES}), callable],
        "normalize_y": ["boolean"],
    }

    def _encode_target(self, X, y, weights, known):
        """Return targets (n, K) and their weights; learn y's shape, offset, scale."""
        y = self._check_target(X, y)
        weights = weights_like(self, X, weights)
        flat = y.reshape(len(y), -1).astype(np.float64)
        if known:
            self._check_width(flat)
        else:
            self._y_shape, self._y_dtype = y.shape[1:], _float_dtype(y)
            self._learn_scale(flat, weights)
        scaled = (flat - self._y_offset) / self._y_scale
        return scaled.astype(np.float32), weights

    def _check_target(self, X, y):
        if not self.return_sequences:
            return check_values(self, y)
        return check_values(self, read_steps(self, X, y), steps=True)

    def _check_width(self, flat):
        if flat.shape[1] != len(self._y_scale):
            raise ValueError(
                f"y has {flat.shape[1]} targets, but {type(self).__name__} was fitted "
                f"with {len(self._y_scale)}."
            )

    def _learn_scale(self, flat, weights):
        n_targets = flat.shape[1]
        self._y_offset, self._y_scale = np.zeros(n_targets), np.ones(n_targets)
        if self.normalize_y:
            self._y_offset = np.average(flat, axis=0, weights=weights)
            spread = np.average((flat - self._y_offset) ** 2, axis=0, weights=weights)
            spread = np.sqrt(spread)
            # A constant target: its spread is rounding error, or zero.
            constant = spread <= 1e-9 * np.abs(self._y_offset)
            self._y_scale = np.where(constant, 1.0, spread)

    def partial_fit(self, X, y, sample_weight=None):
        """Train for one more epoch on a batch of data.

        The first call learns the features of X, the shape of y and, with
        `normalize_y`, the units in which y is trained on.

        Parameters
        ----------
        X : array-like or list of array-likes
        y : array-like or list of array-likes
        sample_weight : array-like of shape (n,), default=None

        Returns
        -------
        self : object
        """
        return self._partial_fit(X, y, sample_weight, None)

    def _begin_partial_fit(self, y, classes):
        """Nothing but the data itself has to be known beforehand."""

    def _head(self):
        return Head(len(self._y_scale), "linear")

    def _rescaling(self):
        return {"scale": self._y_scale.tolist(), "offset": self._y_offset.tolist()}

    def _validation_strata(self, dataset):
        """No strata: the last rows are held out, which in a series come last."""
        return None

    def predict(self, X):
        """Predict the targets of X.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.

        Returns
        -------
        y : ndarray
            Of the shape that y had in ``fit``, in y's units; with
            ``return_sequences=True`` (n, T), (n, T, K), or ragged where X is ragged.
        """
        sequences, outputs, _ = self._outputs(X)
        y = outputs * self._y_scale + self._y_offset
        y = y.reshape(len(y), *self._y_shape).astype(self._y_dtype)
        return unpack_steps(y, sequences, 0) if self.return_sequences else y

    def score(self, X, y, sample_weight=None):
        """Return R², over all values at once where y has several a sequence.

        Parameters
        ----------
        X : array-like or list of array-likes
        y : array-like or list of array-likes
            True targets.
        sample_weight : array-like of shape (n,), default=None

        Returns
        -------
        score : float
        """
        if not self.return_sequences:
            return super().score(X, y, sample_weight)
        truth, predicted, sample_weight = flat_steps(self, X, y, sample_weight)
        truth, predicted = (a.reshape(len(truth), -1) for a in (truth, predicted))
        repeats = truth.shape[1]
        if sample_weight is not None:
            sample_weight = np.repeat(sample_weight, repeats)
        return r2_score(truth.ravel(), predicted.ravel(), sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _float_dtype(y):
    return np.float32 if y.dtype == np.float32 else np.float64
