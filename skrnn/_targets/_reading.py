"""Reading y: what both tasks share."""

import numpy as np
from sklearn.utils.validation import _check_y, column_or_1d

from skrnn._sequences import Sequences, pack_steps
from skrnn._validation import check_equal_lengths, is_ragged


def read_steps(estimator, X: Sequences, y):
    """Return the values of all real steps, one sequence after the other."""
    require(estimator, y)
    if is_ragged(y):
        _check_count(X, y)
        arrays = [np.asarray(steps) for steps in y]
        check_equal_lengths(X, arrays, "y")
        return np.concatenate(arrays)
    y = np.asarray(y)
    _check_count(X, y)
    if y.ndim < 2 or y.shape[1] != X.n_timesteps:
        raise ValueError(
            f"With return_sequences=True y needs a value for each of the "
            f"{X.n_timesteps} time steps of X: shape (n_samples, n_timesteps) or "
            f"(n_samples, n_timesteps, n_targets), or ragged like X. "
            f"Got shape {y.shape}."
        )
    return pack_steps(y, X)


def require(estimator, y):
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but "
            "the target y is None."
        )


def _check_count(X, y):
    if len(X) != len(y):
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"{[len(X), len(y)]}"
        )


def check_values(estimator, y, *, steps=False):
    """Return finite numbers (n,) or (n, K)."""
    require(estimator, y)
    if np.ndim(y) > 2:
        raise ValueError(
            f"y has shape {np.shape(y)}; {type(estimator).__name__} expects "
            "(n_samples,) or (n_samples, n_targets). For a value at each time step set "
            "return_sequences=True."
        )
    if getattr(np.asarray(y).dtype, "kind", "O") in "USmM":
        raise ValueError(
            f"y has dtype {np.asarray(y).dtype}, but {type(estimator).__name__} "
            "expects numbers."
        )
    y = _check_y(y, multi_output=True, y_numeric=True, estimator=estimator)
    if y.ndim == 2 and y.shape[1] == 1 and not steps:
        y = column_or_1d(y, warn=True)
    return y


def weights_like(estimator, X, weights):
    """Give every step its sequence's weight where there is a target for each."""
    return np.repeat(weights, X.lengths) if estimator.return_sequences else weights


def flat_steps(estimator, X, y, sample_weight):
    """Return truth, prediction and weight of all real steps."""
    sequences, predicted = estimator._check_X(X, reset=False), estimator.predict(X)
    truth = read_steps(estimator, sequences, y)
    predicted = read_steps(estimator, sequences, predicted)
    if sample_weight is not None:
        sample_weight = np.repeat(np.asarray(sample_weight), sequences.lengths)
    return truth, predicted, sample_weight
