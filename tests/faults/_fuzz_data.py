"""Data of every kind for fuzzing: recipes, which print what makes them again."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from hypothesis import strategies as st
from scipy import sparse


@dataclass(frozen=True)
class Data:
    """How to make one array-like.

    `lengths` says whether sequences of a list are cut: to 1, 2, ... steps.
    """

    shape: tuple
    fill: str = "normal"
    dtype: str = "f8"
    spoil: object = None
    at: int = 0
    form: str = "array"
    index: str | None = None
    seed: int = 0

    def make(self):
        array = self.array()
        try:
            return FORMS[self.form](array, self)
        except Exception:
            # NumPy, pandas or another library can't have such values in such a form.
            return array

    def array(self):
        rng = np.random.default_rng(self.seed)
        array = _cast(FILLS[self.fill](rng, self.shape), self.dtype)
        if self.spoil is not None and array.size:
            array = _put(array, SPOILS[self.spoil], self.at)
        return array


WORDS = np.array(["a", "cat", "", "Über", "b\0c", "\ud83d\ude00", "1", "nan"], object)
FILLS = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "zeros": lambda _, shape: np.zeros(shape),
    "constant": lambda _, shape: np.full(shape, 0.1),
    "ids": lambda rng, shape: rng.integers(0, 4, shape),
    "two": lambda rng, shape: rng.integers(0, 2, shape),
    "series": lambda _, shape: 5 + np.sin(np.arange(np.prod(shape)).reshape(shape)),
    "large": lambda rng, shape: rng.normal(size=shape) * 1e30,
    "huge": lambda rng, shape: rng.normal(size=shape) * 1e307,
    "tiny": lambda rng, shape: rng.normal(size=shape) * 1e-310,
    "far": lambda rng, shape: 1e12 + rng.normal(size=shape),
    "integers": lambda rng, shape: rng.integers(-(2**40), 2**40, shape),
    "words": lambda rng, shape: rng.choice(WORDS, shape),
}
DTYPES = ["f8", "f4", "f2", ">f4", ">f8", "g", "i1", "u1", "i4", "i8", "u8", ">i2", "?"]
ODD_DTYPES = ["O", "c8", "c16", "M8[s]", "m8[s]", "S2", "U2", "V4", "i4,f4"]
# Name -> what is put into an array somewhere.
SPOILS = {
    "NaN": np.nan,
    "inf": np.inf,
    "-inf": -np.inf,
    "1e300": 1e300,
    "-1": -1,
    "2**24+1": 2**24 + 1,
    "2**63": 2**63,
    "10**400": 10**400,
    "None": None,
    "a word": "x",
    "an empty word": "",
    "a surrogate": "\ud800",
    "bytes": b"y",
    "pd.NA": pd.NA,
    "pd.NaT": pd.NaT,
    "a list": [1.0, 2.0],
    "an empty list": [],
    "a dict": {},
    "an object": object,
    "1j": 1j,
    "True": True,
    "a time": np.datetime64("2020-01-01"),
    "a masked value": np.ma.masked,
    "an array": np.arange(3),
}


def _cast(array, dtype):
    with np.errstate(all="ignore"):
        try:
            return array.astype(dtype)
        except (ValueError, TypeError):
            return array


def _put(array, value, at):
    """Put a value into a copy; one of objects if it can't hold the value."""
    array = np.array(array)
    held = isinstance(value, int | float) and not isinstance(value, bool)
    if not held or (array.dtype.kind != "f" and not _holds(array, value)):
        array = array.astype(object)
    try:
        with np.errstate(all="ignore"):
            array.flat[at % array.size] = value
    except (OverflowError, ValueError, TypeError):
        array = array.astype(object)
        array.reshape(-1)[at % array.size] = value
    return array


def _holds(array, value):
    try:
        with np.errstate(over="ignore"):
            return array.dtype.type(value) == value
    except (OverflowError, ValueError, TypeError):
        return False


def _pieces(array, data):
    """Cut sequences to 1, 2, ... steps."""
    if array.ndim < 2:
        return list(array)
    longest = max(array.shape[1], 1)
    return [x[: 1 + i % longest] for i, x in enumerate(array)]


def _objects(items):
    made = np.empty(len(items), object)
    for i, item in enumerate(items):
        made[i] = item
    return made


def _table(array):
    """Return an array of any shape as one of two dimensions."""
    if not array.ndim:
        return array.reshape(1, 1)
    return array.reshape(len(array), int(np.prod(array.shape[1:])))


def _frame(array, data):
    table = _table(array)
    table = _objects_of(table) if table.dtype.names else table
    names = [f"c{i}" for i in range(table.shape[1])]
    return pd.DataFrame(table, columns=names, index=_index(data, len(table)))


def _series(array, data):
    flat = array.reshape(-1)
    if array.ndim > 1:
        flat = flat[: len(array)]
    flat = _objects_of(flat) if flat.dtype.kind in "VUS" else flat
    return pd.Series(flat, index=_index(data, len(flat)))


def _objects_of(array):
    """Return records, which pandas doesn't take, as objects."""
    made = np.empty(array.shape, object)
    made.reshape(-1)[:] = [each.item() for each in array.reshape(-1)]
    return made


def _library(make):
    """Return a form of another library; where it refuses the values, a frame."""

    def form(array, data):
        try:
            return make(_frame(array, data))
        except Exception:
            return _frame(array, data)

    return form


def _reversed(array, _):
    where = (slice(None, None, -1),) * array.ndim
    return array[where].copy()[where]


def _read_only(array, _):
    array = array.copy()
    array.setflags(write=False)
    return array


def _sparse(kind):
    def form(array, _):
        try:
            return kind(_table(array))
        except (ValueError, TypeError):
            return _table(array)

    return form


class ArrayLike:
    """What another library's array may look like."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


class Subclass(np.ndarray):
    """An array of somebody's own class."""


FORMS = {
    "array": lambda array, _: array,
    "list": lambda array, _: array.tolist(),
    "tuple": lambda array, _: tuple(array) if array.ndim else (array.item(),),
    "list of arrays": lambda array, _: list(array) if array.ndim else [array],
    "ragged": _pieces,
    "ragged lists": lambda array, data: [
        getattr(x, "tolist", lambda x=x: x)() for x in _pieces(array, data)
    ],
    "ragged with an empty one": lambda array, data: (
        [*_pieces(array, data)[:-1], *[x[:0] for x in _pieces(array, data)[-1:]]]
        if array.ndim > 1
        else array
    ),
    "ragged in an array": lambda array, data: _objects(_pieces(array, data)),
    "frame": _frame,
    "list of frames": lambda array, data: (
        [pd.DataFrame(x) for x in _pieces(array, data)]
        if array.ndim > 1
        else _frame(array, data)
    ),
    "frame with columns twice": lambda array, data: pd.concat(
        [_frame(array, data)] * 2, axis=1
    ),
    "frame of nullable types": _library(lambda frame: frame.convert_dtypes()),
    "frame of categories": _library(lambda frame: frame.astype("category")),
    "polars": _library(pl.from_pandas),
    "pyarrow": _library(lambda frame: pa.Table.from_pandas(frame)),
    "Series": _series,
    "Categorical": lambda array, data: _categories(array, data),
    "Index": lambda array, data: pd.Index(list(_series(array, data))),
    "masked": lambda array, _: np.ma.array(
        array, mask=np.arange(array.size).reshape(array.shape) % 5 == 4
    ),
    "masked, nothing of it": lambda array, _: np.ma.array(array, mask=False),
    "read-only": _read_only,
    "Fortran order": lambda array, _: np.asfortranarray(array),
    "negative strides": _reversed,
    "broadcast": lambda array, _: (
        np.broadcast_to(array[:1], array.shape) if array.ndim else array
    ),
    "matrix": lambda array, _: (
        np.ndarray.__new__(np.matrix, (1, 1))
        if array.ndim != 2
        else array.view(np.matrix)
    ),
    "subclass": lambda array, _: array.view(Subclass),
    "sparse matrix": _sparse(sparse.csr_matrix),
    "sparse array": _sparse(sparse.coo_array),
    "another library's": lambda array, _: ArrayLike(array),
    "iterator": lambda array, _: iter(array) if array.ndim else iter([]),
    "dict": lambda array, _: {"a": array},
    "set": lambda array, _: set(map(str, array.reshape(-1)[:5])),
    "memoryview": lambda array, _: (
        memoryview(np.ascontiguousarray(array, "f8"))
        if array.dtype.kind in "fiu"
        else array
    ),
    "None": lambda *_: None,
    "a number": lambda *_: 3.5,
    "a string": lambda *_: "the cat",
    "a class": lambda *_: Subclass,
    "deeper": lambda array, _: array[None],
    "nested": lambda array, _: [array.tolist()],
}


def _categories(array, data):
    try:
        return pd.Categorical(_series(array, data))
    except (TypeError, ValueError):
        return _series(array, data)


def _dates(freq, start="2020-01-01"):
    return lambda n: pd.date_range(start, periods=n, freq=freq)


def _gap(n):
    dates = pd.date_range("2020-01-01", periods=n + 3, freq="D")
    return dates.delete([n // 2, n // 2 + 1, n // 2 + 2])


# Name -> the index of n rows.
INDEXES = {
    "days": _dates("D"),
    "hours": _dates("h"),
    "months": _dates("MS"),
    "seconds of a zone": lambda n: pd.date_range(
        "2020-01-01", periods=n, freq="s", tz="Europe/Paris"
    ),
    "periods": lambda n: pd.period_range("2020-01", periods=n, freq="M"),
    "a gap": _gap,
    "days from late to early": lambda n: _dates("D")(n)[::-1],
    "a day twice": lambda n: _dates("D")(n)[np.maximum(np.arange(n) - 1, 0)],
    "a day missing": lambda n: pd.DatetimeIndex(
        [*_dates("D")(max(n - 1, 0)), pd.NaT][:n]
    ),
    "strings": lambda n: pd.Index([f"r{i}" for i in range(n)], dtype=object),
    "from 7": lambda n: pd.RangeIndex(7, 7 + n),
    "downwards": lambda n: pd.Index(np.arange(n)[::-1]),
    "floats": lambda n: pd.Index(np.arange(n) / 3),
    "lengths of time": lambda n: pd.to_timedelta(np.arange(n), unit="h"),
    "series and days": lambda n: pd.MultiIndex.from_arrays(
        [
            np.where(np.arange(n) < n // 2, "a", "b"),
            np.concatenate([_dates("D")(n // 2), _dates("D")(n - n // 2)]),
        ]
    ),
    "series and numbers": lambda n: pd.MultiIndex.from_arrays(
        [np.arange(n) % 2, np.arange(n) // 2]
    ),
    "three levels": lambda n: pd.MultiIndex.from_arrays([range(n)] * 3),
    "objects": lambda n: pd.Index([None, "a", 1, 2.5] * n, dtype=object)[:n],
}


def _index(data, n):
    return None if data.index is None else INDEXES[data.index](n)


PLAIN_FORMS = ["array", "list", "ragged", "list of arrays", "frame", "read-only"]
sizes = st.sampled_from([0, 1, 2, 3, 5])


@st.composite
def data(draw, shape, fills=("normal",), forms=PLAIN_FORMS, indexes=(None,), odd=3):
    """Draw a recipe: of `odd` in ten at most one or two things are odd."""
    made = Data(
        shape=shape,
        fill=draw(st.sampled_from(fills)),
        form=draw(st.sampled_from(forms)),
        index=draw(st.sampled_from(indexes)),
        seed=draw(st.integers(0, 3)),
    )
    if made.fill in ("ids", "two"):
        made = replace(made, dtype="i8")
    if made.fill == "words":
        made = replace(made, dtype="O")
    for _ in range(draw(st.sampled_from([0] * (10 - odd) + [1] * odd + [2]))):
        made = draw(one_oddity(made))
    return made


def one_oddity(made):
    """Return a strategy that changes one thing of a recipe."""
    changes = [
        st.builds(lambda v: replace(made, dtype=v), st.sampled_from(DTYPES)),
        st.builds(lambda v: replace(made, dtype=v), st.sampled_from(ODD_DTYPES)),
        st.builds(lambda v: replace(made, fill=v), st.sampled_from(list(FILLS))),
        st.builds(lambda v: replace(made, form=v), st.sampled_from(list(FORMS))),
        st.builds(lambda v: replace(made, form=v), st.sampled_from(list(FORMS))),
        st.builds(
            lambda v, at: replace(made, spoil=v, at=at),
            st.sampled_from(list(SPOILS)),
            st.sampled_from([0, 1, 5, -1]),
        ),
        st.builds(
            lambda v, form: replace(made, index=v, form=form),
            st.sampled_from(list(INDEXES)),
            st.sampled_from(["frame", "Series"]),
        ),
        st.builds(lambda v: replace(made, shape=tuple(v)), st.lists(sizes, max_size=4)),
        st.builds(
            lambda v, at: replace(made, shape=_with(made.shape, at, v)),
            sizes,
            st.integers(0, 3),
        ),
    ]
    return st.one_of(changes)


def _with(shape, at, size):
    if not shape:
        return shape
    at %= len(shape)
    return (*shape[:at], size, *shape[at + 1 :])


# Texts

_letters = st.text(
    st.one_of(
        st.sampled_from("abc  .\n"),
        st.characters(exclude_categories=[]),
        st.sampled_from("\0\ud800\u0301\u200f\U0001f600ßI"),
    ),
    max_size=12,
)
_documents = st.one_of(
    _letters, st.sampled_from(["the cat sat. " * 5, "", " ", "ab" * 40])
)
_not_texts = st.sampled_from(
    [None, 3, 2.5, np.nan, b"ab", True, pd.NA, [], ["a"], ("a", "b"), object, {"a": 1}]
)


def _as_array(items):
    try:
        return np.array(items)
    except ValueError:
        return _objects(items)


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "array": _as_array,
    "objects": _objects,
    "Series": lambda items: pd.Series(items, dtype=object),
    "frame": lambda items: pd.DataFrame({"text": items}),
    "polars": lambda items: pl.Series(
        [
            str(item.encode("utf8", "replace")) if isinstance(item, str) else "x"
            for item in items
        ]
    ),
    "iterator": iter,
    "set": lambda items: set(map(str, items)),
    "dict": lambda items: dict(enumerate(items)),
    "a string": lambda items: "".join(map(str, items)),
    "None": lambda _: None,
    "StringArray": lambda items: pd.array(
        [x if isinstance(x, str) else None for x in items], dtype="string"
    ),
}


@dataclass(frozen=True)
class Texts:
    """How to make documents, or sequences of words."""

    items: tuple
    form: str = "list"

    def make(self):
        try:
            return CONTAINERS[self.form](list(self.items))
        except Exception:
            return list(self.items)


@st.composite
def texts(draw, words=False, n=None):
    """Draw documents, or with `words` sequences of them; some are neither."""
    item = _documents
    if words:
        word = st.one_of(_letters, st.sampled_from(["The", "cat", "U.S."]))
        tuples = st.tuples(word, st.sampled_from(["NN", "", "VB"]))
        item = st.lists(st.one_of(word, word, tuples), max_size=4)
    items = draw(st.lists(item, min_size=n or 0, max_size=n or 5))
    if items and draw(st.sampled_from([False] * 4 + [True])):
        items[draw(st.integers(0, len(items) - 1))] = draw(_not_texts)
    forms = ["list"] * 8 + list(CONTAINERS)
    return Texts(tuple(items), draw(st.sampled_from(forms)))
