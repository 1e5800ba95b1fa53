"""Reading X and y: sequences of several features, of any length, in any form."""

import keras
import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_consistent_length

from skrnn._data.finite import check_array, validate_data
from skrnn._data.frames.as_arrays import names_of, read_table
from skrnn._data.frames.columns import frames_in, is_frame
from skrnn._data.frames.numbers import warn_of_lost_numbers
from skrnn._data.validation import check_sequences, is_ragged
from skrnn._sklearn import check_feature_names, naming
from skrnn.scikeras._steps import lengths_of, read_answers

# Up to this many values (half a gigabyte) a sparse X is made dense. A larger one is
# left to Keras, which is slower and takes fewer formats.
_DENSE_UP_TO = 2**27


class ReadingMixin:
    """Reading X and y, and what is known of their form."""

    # Whether y has as many answers a row as X has time steps.
    _has_steps = False
    # Whether y must be numbers.
    _numeric = True

    def _lengths_of(self, X, reset=False):
        if _is_block(X):
            return None
        known = not reset and getattr(self, "_form", None) == "ragged"
        return lengths_of(X, was_ragged=known)

    def _validate_data(self, X=None, y=None, reset=False, y_numeric=False):
        if X is not None:
            with naming("X"):
                lengths = self._lengths_of(X, reset)
            X = read_X(self, X, reset=reset)
        if X is not None and y is not None:
            n_steps = X.shape[1] if X.ndim > 1 else 1
            with naming("y"):
                y = y if _is_block(y) else read_answers(y, lengths, n_steps)
                y = self._as_labels(y, reset)
                array = np.asarray(y)
            if reset:
                self._has_steps = array.ndim > 1 and array.shape[1] == n_steps
                self._begin_reading(X, array)
        elif y is not None:
            with naming("y"):
                y = self._as_labels(y)
        if y is not None:
            y = read_y(self, y, reset=reset, numeric=y_numeric or self._numeric)
        check_consistent_length(X, y)
        return X, y

    def _begin_reading(self, X, y):
        """Do nothing; classifiers learn here whether y has a label for each step."""

    def _as_labels(self, y, reset=False):
        """Return y; classifiers drop its last axis if that has length 1."""
        return y

    def _type_of_target(self, y):
        y = y[:, 0] if y.ndim == 3 else y
        return super()._type_of_target(y)  # type: ignore[misc]


def read_X(estimator, X, *, reset):
    """Return X as an array; set or check the attributes that `estimator` has of it.

    Sequences of different lengths are padded at their ends: numbers with NaN, which X
    itself can't hold, and token ids with 0. `fill_padding` then puts in the network's
    own padding value.
    """
    is_block = _is_block(X)
    names = names_of(X) if reset and not is_block else None
    if is_block:
        read = _read_blocks if X.ndim > 2 else _read_table
        X = read(estimator, X, reset=reset)
    elif is_ragged(X) or _was_ragged(estimator, X, reset) or frames_in(X):
        sequences = check_sequences(estimator, X, reset=reset, dtype=None)
        with naming("X"):
            if reset:
                _warn_of_lost_numbers(sequences.values, names, starts=sequences.starts)
            X = _padded(sequences, estimator)
    elif _ndim(X) > 2:
        X = _read_blocks(estimator, X, reset=reset)
    else:
        X = _read_table(estimator, X, reset=reset)
    if reset:
        with naming("X"):
            _warn_of_lost_numbers(X, names)
        estimator.X_dtype_, estimator.X_shape_ = X.dtype, X.shape
    else:
        _check_same_form(estimator, X)
    return X


def _is_block(X):
    """Whether X is one plain array, without names, of anything but objects."""
    return type(X) is np.ndarray and X.dtype.kind != "O"


def _warn_of_lost_numbers(X, names, **steps):
    """Warn of features whose values float32, Keras' type, can't tell apart."""
    if keras.config.floatx() != "float32" or issparse(X) or X.ndim not in (2, 3):
        return
    if X.dtype == np.float32:
        return
    if X.ndim == 2 and not steps:
        # Neither the rows nor the columns of a table need be time steps.
        steps = {"apart": len(X)}
    warn_of_lost_numbers(X, names=names, **steps)


def read_y(estimator, y, *, reset, numeric):
    """Return y as an array of one, two or three dimensions."""
    kind = getattr(getattr(y, "dtype", None), "kind", "O")
    with naming("y"):
        y = check_array(
            y,
            ensure_2d=False,
            allow_nd=True,
            dtype="numeric" if numeric and kind in "OUS" else None,
            input_name="y",
        )
    if reset:
        with naming("y"):
            estimator.target_type_ = estimator._type_of_target(y)
        estimator.y_dtype_, estimator.y_ndim_ = y.dtype, y.ndim
        return y
    _check_kind(estimator, y, estimator.y_dtype_, "y")
    if y.ndim != estimator.y_ndim_:
        raise ValueError(
            f"y has {y.ndim} dimensions, but {_name(estimator)} is expecting "
            f"{estimator.y_ndim_} dimensions in y."
        )
    return y


def _name(estimator):
    return type(estimator).__name__


def _ndim(X):
    # numpy.ndim would dispatch to other libraries, by __array_function__.
    if isinstance(X, type):
        raise TypeError(f"X is the class {X.__name__}; expected an array or a list.")
    return X.ndim if hasattr(X, "ndim") else np.asarray(X).ndim


def _was_ragged(estimator, X, reset):
    """Whether X is a list of equally long sequences, but ``fit`` saw ragged ones."""
    before = not reset and getattr(estimator, "_form", None) == "ragged"
    return before and isinstance(X, list | tuple)


def _padded(sequences, estimator):
    """Return one padded block, at least as long as the network's fixed length."""
    tokens = sequences.values.dtype.kind in "iu"
    values = sequences.values
    if tokens and values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    longest = max(int(sequences.lengths.max()), _fixed_length(estimator) or 0)
    block = np.full(
        (len(sequences), longest, *values.shape[1:]),
        0 if tokens else np.nan,
        dtype=values.dtype if tokens else np.float32,
    )
    real = np.arange(longest) < sequences.lengths[:, None]
    with np.errstate(over="ignore"):
        block[real] = values[sequences.positions()]
    if not tokens and not np.isfinite(block[real]).all():
        raise ValueError(
            "Input X contains infinity or a value too large for dtype('float32')."
        )
    return block


def _fixed_length(estimator):
    return dict(enumerate(_network_shape(estimator))).get(1)


def _network_shape(estimator):
    """Return the input shape of the network; () if it has several inputs or none."""
    inputs = getattr(getattr(estimator, "model_", None), "inputs", None) or []
    return tuple(inputs[0].shape) if len(inputs) == 1 else ()


def _read_table(estimator, X, *, reset):
    if is_frame(X) and not hasattr(X, "iloc"):
        # scikit-learn reads pandas' frames itself.
        X = read_table(estimator, X, reset=reset, dtype="numeric")
    else:
        how = {"accept_sparse": ["csr", "csc"], "dtype": "numeric"}
        with naming("X"):
            X = validate_data(estimator, X, reset=reset, **how)
    if reset:
        estimator._form = "columns"
    if issparse(X) and np.prod(X.shape) <= _DENSE_UP_TO:
        return X.toarray()
    return X


def _read_blocks(estimator, X, *, reset):
    how = {"allow_nd": True, "dtype": "numeric"}
    with naming("X"):
        X = check_array(X, estimator=estimator, input_name="X", **how)
    if 0 in X.shape:
        raise ValueError(
            f"Found array with an empty axis (shape={X.shape}) while a minimum of 1 is "
            f"required by {_name(estimator)}."
        )
    check_feature_names(estimator, X, reset=reset)
    if reset:
        estimator.n_features_in_ = X.shape[-1]
        estimator._form = "dense"
    elif X.shape[-1] != estimator.n_features_in_ and X.ndim == len(estimator.X_shape_):
        raise ValueError(
            f"X has {X.shape[-1]} features, but {_name(estimator)} is expecting "
            f"{estimator.n_features_in_} features as input."
        )
    return X


def _check_same_form(estimator, X):
    """Refuse an X of another form than in `fit`; lengths of sequences may differ."""
    _check_kind(estimator, X, estimator.X_dtype_, "X")
    if X.ndim != len(estimator.X_shape_):
        raise ValueError(
            f"X has {X.ndim} dimensions, but {_name(estimator)} is expecting "
            f"{len(estimator.X_shape_)} dimensions in X."
        )
    shape = _network_shape(estimator)
    fixed = [n is None or n == m for n, m in zip(shape[1:], X.shape[1:], strict=False)]
    if len(shape) == X.ndim and not all(fixed):
        raise ValueError(
            f"X has shape {X.shape}, but the network of this {_name(estimator)} takes "
            f"{shape}. For sequences of any length build it with "
            f"keras.Input({(None, *shape[2:])})."
        )


def _check_kind(estimator, array, dtype, name):
    if array.dtype.kind in "OUS" or dtype.kind in "OUS":
        return
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise ValueError(
            f"Got {name} with dtype {array.dtype}, but {_name(estimator)} was fitted "
            f"with {dtype}, to which it can't be cast safely."
        )
