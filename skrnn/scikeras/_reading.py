"""Reading X and y: sequences of several features, of any length, in any form."""

import keras
import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import (
    check_array,
    validate_data,
)

from skrnn._data.frames.as_arrays import names_of, read_table
from skrnn._data.frames.columns import frames_in, is_frame
from skrnn._data.frames.numbers import warn_of_lost_numbers
from skrnn._data.validation import check_sequences, is_ragged
from skrnn._sklearn import check_feature_names

# Up to this many values (half a gigabyte) a sparse X is made dense. A larger one is
# left to Keras, which is slower and takes fewer formats.
_DENSE_UP_TO = 2**27


def read_X(estimator, X, *, reset):
    """Return X as an array; set or check the attributes that `estimator` has of it.

    Sequences of different lengths are padded at their ends, numbers with NaN, which X
    itself can't hold, and token ids with 0; `engine.masks.fill_padding` then puts
    in what the network takes for padding.
    """
    names = names_of(X) if reset else None
    if is_ragged(X) or _was_ragged(estimator, X, reset) or frames_in(X):
        sequences = check_sequences(estimator, X, reset=reset, dtype=None)
        if reset:
            _warn_of_lost_numbers(sequences.values, names, starts=sequences.starts)
        X = _padded(sequences, estimator)
    elif _ndim(X) > 2:
        X = _read_blocks(estimator, X, reset=reset)
    else:
        X = _read_table(estimator, X, reset=reset)
    if reset:
        _warn_of_lost_numbers(X, names)
        estimator.X_dtype_, estimator.X_shape_ = X.dtype, X.shape
    else:
        _check_same_form(estimator, X)
    return X


def _warn_of_lost_numbers(X, names, **steps):
    """Warn of features whose values float32, Keras' type, can't tell apart."""
    if keras.config.floatx() != "float32" or issparse(X) or X.ndim not in (2, 3):
        return
    if X.ndim == 2 and not steps:
        # Neither the rows nor the columns of a table need be time steps.
        steps = {"apart": len(X)}
    warn_of_lost_numbers(X, names=names, **steps)


def read_y(estimator, y, *, reset, numeric):
    """Return y as an array of one, two or three dimensions."""
    kind = getattr(getattr(y, "dtype", None), "kind", "O")
    y = check_array(
        y,
        ensure_2d=False,
        allow_nd=True,
        dtype="numeric" if numeric and kind in "OUS" else None,
        input_name="y",
    )
    if reset:
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
    block[real] = values[sequences.positions()]
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
        X = validate_data(
            estimator, X, reset=reset, accept_sparse=["csr", "csc"], dtype="numeric"
        )
    if reset:
        estimator._form = "columns"
    if issparse(X) and np.prod(X.shape) <= _DENSE_UP_TO:
        return X.toarray()
    return X


def _read_blocks(estimator, X, *, reset):
    X = check_array(
        X, allow_nd=True, dtype="numeric", estimator=estimator, input_name="X"
    )
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
