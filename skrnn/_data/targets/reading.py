"""Reading y: what both tasks share."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import is_classifier
from sklearn.utils.validation import column_or_1d

from skrnn._data.finite import assert_all_finite, refuse_masked
from skrnn._data.frames.columns import as_plain
from skrnn._data.frames.numbers import refuse_non_numbers
from skrnn._data.rows.series import check_order_within
from skrnn._data.sequences import (
    Sequences,
    pack_ragged_steps,
    pack_steps,
    ragged_array,
)
from skrnn._data.validation import check_same_width, is_ragged
from skrnn._data.warn import warn
from skrnn._sklearn import check_y, is_pandas_na, is_scalar_nan, naming


def read_steps(estimator, X: Sequences, y, name="y"):
    """Return the values of all real steps, one sequence after the other.

    For classifiers, strings and numbers may be mixed until the weights decide which of
    them count.
    """
    mixed = is_classifier(estimator)
    if name == "y":
        require(estimator, y)
    check_order_within(y, name)
    y = as_plain(y)
    if is_ragged(y):
        check_count(X, y)
        arrays = [as_array(steps, name, mixed=mixed) for steps in y]
        _check_equal_lengths(X, arrays, name)
        check_same_width(arrays, name, "targets")
        if not mixed:
            _refuse_mixture((array[0] for array in arrays), name)
        return pack_ragged_steps(_of_one_kind(arrays), X)
    y = as_array(y, name, mixed=mixed)
    if y.ndim:
        check_count(X, y)
    if y.ndim < 2 or y.shape[1] != X.n_timesteps:
        raise ValueError(
            f"With return_sequences=True {name} needs a value for each of the "
            f"{X.n_timesteps} time steps of X: shape (n_samples, n_timesteps)"
            f"{_OR_TARGETS[name]}, or ragged like X. Got shape {y.shape}."
            f"{_advice_for_horizon(estimator, y) if name == 'y' else ''}"
        )
    return pack_steps(y, X)


def _check_equal_lengths(X: Sequences, arrays, name):
    """Refuse sequences `name` whose lengths aren't those of X, naming the first."""
    pairs = zip(X.lengths_as_given, arrays, strict=True)
    for i, (length, array) in enumerate(pairs):
        if array.ndim == 0:
            raise ValueError(
                f"{name}[{i}] is {array.item()!r}, but X[{i}] has {length} time steps; "
                "with return_sequences=True every step needs a value."
            )
        if len(array) != length:
            raise ValueError(
                f"{name}[{i}] has {len(array)} time steps, but X[{i}] has {length}; "
                "with return_sequences=True every step needs a value."
            )


_OR_TARGETS = {
    "y": " or (n_samples, n_timesteps, n_targets)",
    "sample_weight": "",
}


def _of_one_kind(arrays):
    # NumPy would make strings of the numbers.
    kinds = {array.dtype.kind in "US" for array in arrays}
    return [array.astype(object) for array in arrays] if len(kinds) > 1 else arrays


def read_targets(estimator, X: Sequences, y):
    """Return y of shape (n,) or (n, K), one target or K of them for each sequence."""
    require(estimator, y)
    if not hasattr(y, "shape"):
        y = _one_array(estimator, y)
    _refuse_sequences(estimator, X, y)
    if len(y.shape) not in (1, 2) or 0 in y.shape[1:]:
        raise ValueError(
            f"y has shape {y.shape}; {type(estimator).__name__} expects (n_samples,) "
            f"or (n_samples, n_targets).{advice(estimator, X, y)}"
        )
    check_count(X, y)
    return y


def advice(estimator, X, y):
    """Advise what to use for this y, since one target per sequence is expected."""
    empty = len(y.shape) < 2 or 0 in y.shape
    of_steps = " For a value at each time step set return_sequences=True."
    of_steps *= empty or y.shape[1] == X.n_timesteps
    return of_steps + _advice_for_horizon(estimator, y)


def _advice_for_horizon(estimator, y):
    """Name the estimator that predicts several steps ahead, if y may hold those."""
    if len(y.shape) < 2 or 0 in y.shape:
        return ""
    if is_classifier(estimator):
        one_hot = " and, of a one-hot y, y.argmax(axis=2)" if len(y.shape) == 3 else ""
        return (
            f" For several labels one after the other take Seq2SeqClassifier{one_hot}."
        )
    flat = ", or flatten y to (n_samples, H * K)" if len(y.shape) == 3 else ""
    return f" For H steps ahead take Seq2SeqRegressor{flat}."


def read_numbers(estimator, X: Sequences, y, weights):
    """Return the numbers whose weight isn't 0, (n,) or (n, K), and these weights."""
    name = type(estimator).__name__
    if estimator.return_sequences:
        y = read_steps(estimator, X, y)
        if y.ndim > 2:
            raise ValueError(
                f"y has steps of shape {y.shape[1:]}; {name} expects a number or "
                "n_targets numbers at each time step."
            )
    else:
        y = read_targets(estimator, X, y)
    y, weights = counted(y, weights), counted(weights, weights)
    y = check_numbers(estimator, y)
    if not estimator.return_sequences and y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    return y, weights


def counted(values, weights):
    """Return the values whose weight isn't 0: the others are never read."""
    if weights.all():
        return values
    values = values if hasattr(values, "tocsr") else np.asarray(values)
    return values[weights > 0]


def put_back(values, weights):
    """Undo `counted`, with zeros at weights of 0."""
    if weights.all():
        return values
    whole = np.zeros((len(weights), *values.shape[1:]), values.dtype)
    whole[weights > 0] = values
    return whole


def is_several(value) -> bool:
    """Whether an object in an array is a sequence of others, and not one label."""
    return isinstance(value, list | tuple) or bool(getattr(value, "ndim", 0))


def require(estimator, y):
    """Refuse a y that is None or has masked values."""
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but "
            "the target y is None."
        )
    if isinstance(y, type):
        raise TypeError(f"y is the class {y.__name__}; expected an array of targets.")
    refuse_masked(y, "y")


def _one_array(estimator, y):
    try:
        return as_array(y, mixed=is_classifier(estimator))
    except ValueError:
        # An object array of the sequences: the caller refuses it with a message.
        return ragged_array(list(y))


def _refuse_sequences(estimator, X, y):
    kind = getattr(getattr(y, "dtype", None), "kind", None)
    if kind == "O" and any(map(is_several, np.ravel(y))):
        lengths = [len(each) if is_several(each) else 0 for each in np.ravel(y)]
        of_steps = lengths == X.lengths_as_given.tolist()
        other = (
            " For label sequences of other lengths than X take Seq2SeqClassifier."
            if is_classifier(estimator) and not of_steps
            else ""
        )
        raise ValueError(
            f"y holds sequences of different lengths, but {type(estimator).__name__} "
            "predicts one target for each sequence of X. For a value at each time step "
            f"set return_sequences=True.{other}"
        )


def as_array(y, name="y", *, mixed=False):
    """Return y as an array, in which numbers among strings stay numbers.

    A mixture is refused, or with `mixed` returned as objects.
    """
    refuse_masked(y, name)
    with naming(name):
        array = np.asarray(y)
    _refuse_records(array, name)
    if array.dtype.kind not in "US" or not isinstance(y, list | tuple):
        return array
    objects = np.array(y, dtype=object)
    if mixed:
        are_text = {isinstance(label, str | bytes) for label in objects.flat}
        return objects if len(are_text) > 1 else array
    _refuse_mixture(objects.flat, name)
    return array


def _refuse_records(array, name):
    if array.dtype.kind == "V":
        raise TypeError(
            f"{name} holds records of dtype {array.dtype}; expected numbers or text."
        )


def _refuse_mixture(labels, name="y"):
    kinds = {isinstance(label, str | bytes): label for label in labels}
    if len(kinds) == 2:
        string, number = (np.asarray(kinds[kind]).tolist() for kind in (True, False))
        raise TypeError(
            f"{name} must hold strings or numbers throughout; it holds "
            f"{string!r} and {number!r}."
        )


def check_count(X, y):
    """Refuse a y whose length isn't that of X."""
    # `len` of a sparse matrix raises.
    n_targets = y.shape[0] if hasattr(y, "shape") else len(y)
    if len(X) != n_targets:
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"{[len(X), n_targets]}"
        )


def check_numbers(estimator, y):
    """Return finite numbers (n,) or (n, K)."""
    refuse_sparse(estimator, y)
    refuse_non_numbers(estimator, np.asarray(y), "y")
    # scikit-learn's check sums first: sums of very large numbers may overflow.
    with naming("y"), np.errstate(over="ignore", invalid="ignore"):
        y = check_y(y, multi_output=True, y_numeric=True, estimator=estimator)
        # None has become NaN in `check_y`.
        assert_all_finite(y, estimator_name=type(estimator).__name__, input_name="y")
    return y


def refuse_sparse(estimator, y):
    """Refuse a sparse matrix."""
    if issparse(y):
        raise TypeError(
            f"Sparse data was passed for y, but {type(estimator).__name__} requires "
            "dense data. Use '.toarray()' to convert to a dense numpy array."
        )


def _is_no_label(value):
    is_text = isinstance(value, str | bytes)
    return not is_text and (hasattr(value, "__len__") or isinstance(value, type))


def is_missing(label):
    """Whether a label is None or NaN."""
    return label is None or is_scalar_nan(label) or is_pandas_na(label)


def warn_of_one_hot(labels, estimator, y):
    """Warn of an indicator matrix (n, K) whose rows all have exactly one label.

    It is read as several labels at once, but such a matrix is usually one-hot. A single
    row, as in ``partial_fit``, proves nothing.

    Parameters
    ----------
    labels : array of zeros and ones of shape (n, K)
        Of the sequences, or of all steps with `return_sequences`.
    estimator : estimator
        Named in the warning.
    y : array-like
        As it was given.
    """
    if not _is_one_hot(labels):
        return
    n = labels.shape[1]
    what = "Every step" if estimator.return_sequences else "Every row"
    warn(
        f"{what} of y has exactly one 1 in {n} columns: it looks one-hot, but "
        f"{type(estimator).__name__} reads {n} labels that may be there at once. For "
        f"one label of {n} pass {_labels_of_one_hot(y)}.",
    )


def advice_of_one_hot(labels, y):
    """Say how to make labels of a one-hot matrix, if y is one."""
    if labels.ndim != 2 or not _is_one_hot(labels):
        return ""
    return f" If it is one-hot pass {_labels_of_one_hot(y)}."


def _is_one_hot(labels):
    several = labels.shape[1] > 1 and len(labels) > 1
    return several and bool((labels.sum(axis=1) == 1).all())


def _labels_of_one_hot(y):
    """Write the code that makes labels of y, which depends on its type."""
    if issparse(y):
        return "np.asarray(y.argmax(axis=1)).ravel()"
    if hasattr(y, "columns"):
        return "y.to_numpy().argmax(axis=1)"
    if isinstance(y, np.ndarray) and y.dtype.kind != "O":
        return f"y.argmax(axis={y.ndim - 1})"
    # A memoryview of several axes has no rows to ask.
    steps = not isinstance(y, memoryview) and any(np.ndim(each) > 1 for each in y[:1])
    of_steps = "[np.argmax(each, axis=1) for each in y]"
    return of_steps if steps else "np.argmax(y, axis=1)"


def check_labels(y, name="y"):
    """Return labels as an array: none missing, and strings or numbers throughout."""
    array = np.asarray(y)
    _refuse_records(array, name)
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {array.dtype}.")
    if array.dtype.kind == "f":
        assert_all_finite(array, input_name=name)
    if array.dtype.kind != "O":
        return array
    if any(map(is_missing, array.flat)):
        raise ValueError(
            f"Input {name} contains NaN or None: every label must be known."
        )
    for label in filter(_is_no_label, array.flat):
        raise TypeError(
            f"{name} holds {label!r:.60}, of type {type(label).__name__}; every label "
            "must be a string or a number."
        )
    _refuse_mixture(array.flat, name)
    # Numbers that came as objects get a dtype of numbers.
    return array if isinstance(array.flat[0], str | bytes) else np.array(array.tolist())
