"""Sequences of symbols: strings, lists of tokens or labels, and their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skrnn._data.frames.columns import (
    as_plain,
    first_row,
    holds_integer_columns,
    is_column,
    is_frame,
    only_column,
)
from skrnn._data.frames.numbers import as_integers
from skrnn._data.row_lists import RowList
from skrnn._data.rows.series import check_order_within
from skrnn._data.sequences import Sequences, ragged_array
from skrnn._data.tokens.ids import UNKNOWN
from skrnn._sklearn import is_pandas_na, is_scalar_nan


@dataclass(frozen=True)
class Symbols:
    """Sequences of symbols, one after the other.

    Attributes
    ----------
    flat : list
        All symbols; a string's are its characters.
    lengths : ndarray of shape (n,)
        At least 1.
    form : {"strings", "sequences", "table", "labels"}
        Strings, sequences of symbols, an array (n, H), or one symbol for each.
    container, element : type
        Type of the whole, a list or an array; and type of each sequence in it: a list,
        a tuple or an array.
    dtype : dtype or None
        Of an array of symbols.
    """

    flat: list
    lengths: np.ndarray
    form: str
    container: type = list
    element: type = list
    dtype: Any = None

    def __len__(self):
        return len(self.lengths)

    def lists(self) -> list:
        """Return each sequence as a list of symbols."""
        ends = np.cumsum(self.lengths)
        pairs = zip(ends - self.lengths, ends, strict=True)
        return [self.flat[first:last] for first, last in pairs]

    def classes(self) -> np.ndarray:
        """Return the different symbols, sorted."""
        symbols = sorted(set(self.flat))
        found = np.array(symbols, dtype=self.dtype)
        # An array of strings loses NULs at the end.
        return found if found.tolist() == symbols else np.array(symbols, dtype=object)


def holds_symbols(X) -> bool:
    """Whether X holds strings, or sequences of them, and not numbers."""
    if isinstance(X, type) or begins_with_text(X):
        return not isinstance(X, type)
    if getattr(getattr(X, "dtype", None), "kind", "") in ("U", "S"):
        return True
    if is_frame(X):
        return len(X) > 0 and _begins_with_string(first_row(X))
    if len(getattr(X, "shape", ())) == 2 and X.shape[0] and not _is_numeric(X):
        # A table of tokens.
        return _begins_with_string(np.asarray(X[:1])[0])
    return _has_one_axis(X) and any(map(_holds_string, X))


def begins_with_text(X) -> bool:
    """Whether X is a list of strings, as far as its first one tells."""
    return isinstance(X, list | tuple) and len(X) > 0 and isinstance(X[0], str)


def holds_integers(X) -> bool:
    """Whether X holds only integers, which may be token ids."""
    try:
        return all(map(_is_of_integers, X if _has_one_axis(X) else [X]))
    except (TypeError, ValueError):
        return False


def _is_of_integers(x):
    if is_frame(x) or is_column(x):
        return holds_integer_columns(x)
    return as_integers(np.asarray(x)).dtype.kind in "iu"


def column_of_texts(X, *, texts=True):
    """Return the column of a table (n, 1) of texts, and a Series as an array.

    Parameters
    ----------
    X : any
        A frame whose one column holds strings or lists of them, or an array (n, 1).
    texts : bool, default=True
        Whether a string in it is a text. In ``fit`` it must be: sequences of one symbol
        would be useless. False reads it as a symbol.
    """
    if isinstance(X, list | tuple):
        return X
    X = as_plain(X)
    column = only_column(X)
    if isinstance(X, np.ndarray) and X.ndim == 2 and X.shape[1] == 1:
        column = X[:, 0]
    if column is X or not len(column) or not holds_symbols(column):
        return X
    return column if texts or not isinstance(column[0], str) else X


def _has_one_axis(X):
    return isinstance(X, list | tuple) or len(getattr(X, "shape", ())) == 1


def _is_numeric(X):
    return getattr(getattr(X, "dtype", None), "kind", "O") in "biufc"


def _holds_string(x):
    """Whether x is a string, or a sequence of symbols with one among them.

    Tuples of strings count as well, so that they are refused with a message about
    symbols, not about numbers.
    """
    is_list = isinstance(x, list | tuple) or getattr(x, "ndim", 0) == 1
    x = as_plain(x)
    if is_list and not _is_numeric(x):
        if any(isinstance(symbol, str | bytes) for symbol in x):
            return True
        x = next(iter(x), None)
    return _begins_with_string(x)


def _begins_with_string(x):
    """Whether x is a string, or a sequence whose first known symbol is one."""
    if isinstance(x, str | bytes):
        return True
    if not _is_sequence(x) or _is_numeric(x):
        return False
    if not isinstance(x, Sequence):
        # Indexing a Series looks up labels, not positions.
        x = np.asarray(x).ravel()
    known = (symbol for symbol in x if symbol is not None)
    return isinstance(next(known, None), str | bytes)


def _is_sequence(x):
    if isinstance(x, str | bytes):
        return False
    return isinstance(x, Sequence) or getattr(x, "ndim", 0) > 0 or is_column(x)


def refuse_no_list(X, name, estimator):
    """Refuse anything that isn't a list of sequences."""
    if not (_is_sequence(X) or (hasattr(X, "__array__") and np.ndim(X) > 0)):
        raise TypeError(
            f"{name} is {_described(X)}; expected a list of strings or of sequences."
        )
    if hasattr(X, "tocsr"):
        raise TypeError(f"Sparse data was passed for {name}: use '.toarray()'.")
    if not len(X):
        least = "a minimum of 1 is required by"
        raise ValueError(f"Found array with 0 sample(s) while {least} {estimator}.")


def refuse_missing(X, name):
    """Refuse None in a list without strings, which would be read as numbers."""
    for i, x in enumerate(X if _has_one_axis(X) and not _is_numeric(X) else []):
        if x is None:
            raise TypeError(
                f"{name}[{i}] is None; expected a string or a sequence of symbols."
            )
        for j, symbol in enumerate(x if isinstance(x, list | tuple) else []):
            if symbol is None:
                _check_symbol(symbol, f"{name}[{i}][{j}]")


def read_symbols(data, name, *, strings_are_sequences=True) -> Symbols:
    """Read sequences of symbols.

    Parameters
    ----------
    data : list, tuple, array or Series
        Strings, sequences of symbols, an array (n, H), or one symbol for each.
    name : str
        What to call it in errors.
    strings_are_sequences : bool, default=True
        Whether the strings of an array are sequences of characters, as those of a list
        always are, or one label each.

    Raises
    ------
    ValueError, TypeError
        That names the first element which can't be read.
    """
    if not begins_with_text(data):
        check_order_within(data, name)
    if not isinstance(data, list | tuple):
        data = _as_array(data, name)
    if not len(data):
        return Symbols([], np.array([], int), "labels")
    if isinstance(data, np.ndarray):
        return _read_array(data, name, strings_are_sequences)
    if not any(isinstance(x, str | bytes) or _is_sequence(x) for x in data):
        return _read_array(_array_of_labels(data, name), name, strings_are_sequences)
    return _read_list(data, name, list)


def read_classes(classes, name) -> np.ndarray:
    """Return the classes, sorted and without repeats."""
    given = hasattr(classes, "dtype")
    array = np.asarray(classes) if given else np.array([*classes, None], object)[:-1]
    if array.ndim != 1 or not len(array):
        raise ValueError(f"{name} has shape {array.shape}; expected (n_classes,).")
    read = read_symbols(array, name, strings_are_sequences=False)
    return (read if given else replace(read, dtype=None)).classes()


def _as_array(data, name):
    array = np.asarray(as_plain(data))
    if array.ndim not in (1, 2):
        raise ValueError(
            f"{name} has shape {array.shape}; expected a list of strings or of "
            "sequences, or an array of shape (n,) or (n, H)."
        )
    return array


def _array_of_labels(labels, name):
    for i, label in enumerate(labels):
        _check_symbol(label, f"{name}[{i}]")
    return np.asarray(labels)


def _read_array(array, name, strings_are_sequences):
    if array.ndim == 1 and array.dtype.kind in "OUST":
        elements = array.tolist()
        is_text = any(isinstance(x, str | bytes) for x in elements)
        if (is_text and strings_are_sequences) or any(map(_is_sequence, elements)):
            return _read_list(elements, name, np.ndarray)
    if array.ndim == 2 and not array.shape[1]:
        raise ValueError(f"{name} has shape {array.shape}: its sequences are empty.")
    flat = array.ravel().tolist()
    for i, symbol in enumerate(flat):
        at = i if array.ndim == 1 else f"{i // array.shape[1]}][{i % array.shape[1]}"
        _check_symbol(symbol, f"{name}[{at}]")
    refuse_mixture(flat, name)
    length = 1 if array.ndim == 1 else array.shape[1]
    return Symbols(
        flat,
        np.full(len(array), length),
        "labels" if array.ndim == 1 else "table",
        container=np.ndarray,
        # Numbers that came as objects get a dtype of numbers.
        dtype=None if _are_numbers_as_objects(array, flat) else array.dtype,
    )


def _are_numbers_as_objects(array, flat):
    return array.dtype.kind == "O" and not isinstance(flat[0], str)


def _read_list(sequences, name, container):
    is_text = any(isinstance(x, str | bytes) for x in sequences)
    read = _read_string if is_text else _read_sequence
    parts = [read(x, f"{name}[{i}]") for i, x in enumerate(sequences)]
    flat = [symbol for part in parts for symbol in part]
    refuse_mixture(flat, name)
    form = "strings" if is_text else "sequences"
    lengths, first = np.array([len(part) for part in parts]), sequences[0]
    # A subclass, such as a named tuple, may not take a list of any length.
    known = (kind for kind in (tuple, np.ndarray) if isinstance(first, kind))
    element = next(known, list)
    return Symbols(flat, lengths, form, container, element, _common_dtype(sequences))


def _common_dtype(sequences):
    dtypes = {getattr(x, "dtype", None) for x in sequences}
    if not all(isinstance(dtype, np.dtype) for dtype in dtypes):
        return None
    dtype = np.result_type(*dtypes)
    return None if dtype.kind == "O" else dtype


def _read_string(x, name):
    if not isinstance(x, str):
        raise TypeError(
            f"{name} is {_described(x)}; expected a string: all must be strings, or "
            "all sequences of symbols."
        )
    _refuse_empty(x, name)
    return x


def _read_sequence(x, name):
    if not _is_sequence(x) or getattr(x, "ndim", 1) != 1:
        raise TypeError(f"{name} is {_described(x)}; expected a sequence of symbols.")
    _refuse_empty(x, name)
    x = as_plain(x)
    symbols = x.tolist() if isinstance(x, np.ndarray) else list(x)
    for j, symbol in enumerate(symbols):
        _check_symbol(symbol, f"{name}[{j}]")
    return [s.item() if isinstance(s, np.generic) else s for s in symbols]


def _refuse_empty(x, name):
    if not len(x):
        raise ValueError(f"{name} is empty; every sequence needs at least one symbol.")


def _check_symbol(symbol, name):
    if symbol is None or is_scalar_nan(symbol) or is_pandas_na(symbol):
        raise ValueError(f"{name} is {symbol!r}: every symbol must be known.")
    if isinstance(symbol, bytes | complex | dict) or _is_sequence(symbol):
        raise TypeError(
            f"{name} is {_described(symbol)}; expected a string or a number."
        )
    if isinstance(symbol, float) and np.isinf(symbol):
        raise ValueError(f"{name} is infinity; expected a finite number or a string.")


def refuse_mixture(symbols, name):
    """Refuse strings beside numbers."""
    kinds = {isinstance(symbol, str): symbol for symbol in symbols}
    if len(kinds) == 2:
        raise TypeError(
            f"{name} must hold strings or numbers throughout; it holds "
            f"{kinds[True]!r} and {kinds[False]!r}."
        )


def refuse_other_type(symbols: Symbols, classes, estimator):
    """Refuse strings if the classes are numbers, and numbers if they are strings."""
    label, known = symbols.flat[0], classes.tolist()[0]
    if isinstance(label, str) != isinstance(known, str):
        kind = "strings" if isinstance(known, str) else "numbers"
        raise TypeError(
            f"y holds {label!r}, but {estimator} was fitted on such labels as "
            f"{known!r}: expected {kind}."
        )


def _described(x):
    if x is None:
        return "None"
    return f"of type {type(x).__name__}"


def encode_tokens(symbols: Symbols, vocabulary) -> Sequences:
    """Return token ids; all unknown symbols have the same one."""
    ids = [vocabulary.get(symbol, UNKNOWN) for symbol in symbols.flat]
    ends = np.cumsum(symbols.lengths)
    return Sequences(
        values=np.array(ids, np.int32),
        starts=ends - symbols.lengths,
        lengths=symbols.lengths,
        form="ragged",
        n_timesteps=int(symbols.lengths.max()),
    )


def pack_labels(codes, lengths, end):
    """Pack label numbers, with `end` after every sequence if it isn't None."""
    ends = np.cumsum(lengths)
    if end is not None:
        codes = np.insert(codes, ends, end).astype(np.int32)
        lengths = lengths + 1
        ends = np.cumsum(lengths)
    return Sequences(
        codes, ends - lengths, lengths, form="ragged", n_timesteps=int(lengths.max())
    )


def restore(codes: list, classes: np.ndarray, like: Symbols):
    """Return sequences of class numbers as labels, in the form of `like`."""
    if like.form == "labels":
        return classes[np.concatenate(codes)]
    if like.form == "table":
        return classes[np.stack(codes)]
    if like.element is np.ndarray:
        # The classes' dtype: that of the first batch may be narrower.
        made = [classes[each] for each in codes]
    else:
        make = "".join if like.form == "strings" else like.element
        symbols = classes.tolist()
        made = [make([symbols[code] for code in each]) for each in codes]
    return ragged_array(made) if like.container is np.ndarray else RowList(made)
