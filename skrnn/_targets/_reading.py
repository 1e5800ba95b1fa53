"""Reading y: what both tasks share."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils._missing import is_pandas_na, is_scalar_nan
from sklearn.utils.validation import (
    _check_sample_weight,
    _check_y,
    assert_all_finite,
)

from skrnn._columns import as_plain
from skrnn._numbers import refuse_masked, refuse_non_numbers
from skrnn._sequences import Sequences, pack_steps
from skrnn._validation import check_equal_lengths, check_same_width, is_ragged


def read_steps(estimator, X: Sequences, y):
    """Return the values of all real steps, one sequence after the other."""
    require(estimator, y)
    y = as_plain(y)
    if is_ragged(y):
        check_count(X, y)
        arrays = [as_array(steps) for steps in y]
        check_equal_lengths(X, arrays, "y")
        check_same_width(arrays, "y", "targets")
        _refuse_mixture(array[0] for array in arrays)
        return np.concatenate(arrays)
    y = as_array(y)
    if y.ndim:
        check_count(X, y)
    if y.ndim < 2 or y.shape[1] != X.n_timesteps:
        raise ValueError(
            f"With return_sequences=True y needs a value for each of the "
            f"{X.n_timesteps} time steps of X: shape (n_samples, n_timesteps) or "
            f"(n_samples, n_timesteps, n_targets), or ragged like X. "
            f"Got shape {y.shape}."
        )
    return pack_steps(y, X)


def read_targets(estimator, X: Sequences, y):
    """Return y of shape (n,) or (n, K), one target or K of them for each sequence."""
    require(estimator, y)
    if not hasattr(y, "shape"):
        y = _one_array(estimator, y)
    _refuse_sequences(estimator, y)
    if len(y.shape) not in (1, 2) or 0 in y.shape[1:]:
        raise ValueError(
            f"y has shape {y.shape}; {type(estimator).__name__} expects (n_samples,) "
            "or (n_samples, n_targets). For a value at each time step set "
            "return_sequences=True."
        )
    check_count(X, y)
    return y


def require(estimator, y):
    """Refuse a y that isn't there, or isn't all there."""
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but "
            "the target y is None."
        )
    refuse_masked(y, "y")


def _one_array(estimator, y):
    try:
        return as_array(y)
    except ValueError:
        # An array of sequences, to be refused by name.
        return np.array([*y, None], dtype=object)[:-1]


def _refuse_sequences(estimator, y):
    kind = getattr(getattr(y, "dtype", None), "kind", None)
    if kind == "O" and any(map(np.ndim, np.ravel(y))):
        raise ValueError(
            f"y holds sequences of different lengths, but {type(estimator).__name__} "
            "predicts one target for each sequence of X. For a value at each time step "
            "set return_sequences=True."
        )


def as_array(y, name="y"):
    """Return an array, in which numbers among strings didn't become strings."""
    refuse_masked(y, name)
    array = np.asarray(y)
    if array.dtype.kind in "US" and isinstance(y, list | tuple):
        _refuse_mixture(np.array(y, dtype=object).flat, name)
    return array


def _refuse_mixture(labels, name="y"):
    kinds = {isinstance(label, str | bytes): label for label in labels}
    if len(kinds) == 2:
        string, number = (np.asarray(kinds[kind]).tolist() for kind in (True, False))
        raise TypeError(
            f"{name} must hold strings or numbers throughout; it holds "
            f"{string!r} and {number!r}."
        )


def check_count(X, y):
    """Refuse a y that isn't as long as X."""
    # A sparse matrix has no length.
    n_targets = y.shape[0] if hasattr(y, "shape") else len(y)
    if len(X) != n_targets:
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"{[len(X), n_targets]}"
        )


def check_numbers(estimator, y):
    """Return finite numbers (n,) or (n, K)."""
    if issparse(y):
        raise TypeError(
            f"Sparse data was passed for y, but {type(estimator).__name__} requires "
            "dense data. Use '.toarray()' to convert to a dense numpy array."
        )
    refuse_non_numbers(estimator, np.asarray(y), "y")
    y = _check_y(y, multi_output=True, y_numeric=True, estimator=estimator)
    # None became NaN only now.
    assert_all_finite(y, estimator_name=type(estimator).__name__, input_name="y")
    return y


def check_labels(y, name="y"):
    """Return labels as an array: none missing, and strings or numbers throughout."""
    array = np.asarray(y)
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {array.dtype}.")
    if array.dtype.kind == "f":
        assert_all_finite(array, input_name=name)
    if array.dtype.kind != "O":
        return array
    if any(
        label is None or is_scalar_nan(label) or is_pandas_na(label)
        for label in array.flat
    ):
        raise ValueError(
            f"Input {name} contains NaN or None: every label must be known."
        )
    _refuse_mixture(array.flat, name)
    # Numbers get a dtype that says so.
    return array if isinstance(array.flat[0], str | bytes) else np.array(array.tolist())


def weights_like(estimator, X, weights):
    """Give every step its sequence's weight where there is a target for each."""
    return np.repeat(weights, X.lengths) if estimator.return_sequences else weights


def flat_steps(estimator, X, y, sample_weight):
    """Return truth, prediction and weight of all real steps."""
    sequences, predicted = estimator._check_X(X, reset=False), estimator.predict(X)
    truth = read_steps(estimator, sequences, y)
    predicted = read_steps(estimator, sequences, predicted)
    if sample_weight is not None:
        sample_weight = _check_sample_weight(sample_weight, sequences)
        sample_weight = np.repeat(sample_weight, sequences.lengths)
    return truth, predicted, sample_weight
