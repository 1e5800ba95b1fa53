"""Digests are equal for equal values, in any process, and for no others."""

import threading
from functools import partial

import numpy as np
import pandas as pd
from _instances import in_new_process
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from skrnn._data.digests import described, digest_of
from skrnn._data.sequences import Multiples, pack_dense
from skrnn._data.targets.units import ScaledTargets

NUMBERS = np.arange(12.0).reshape(4, 3)
Y = ScaledTargets(NUMBERS, np.zeros(3), np.ones(3))


def double(x):
    return 2 * x


def of_constant(c):
    return lambda x: c * x


# No two of these are the same.
DIFFERENT = [
    None,
    True,
    1,
    1.0,
    "1",
    b"1",
    [1],
    (1,),
    {1},
    {"a": 1},
    {"a": 2},
    ["ab", "c"],
    ["a", "bc"],
    NUMBERS,
    NUMBERS.T,
    NUMBERS.astype(np.float32),
    NUMBERS.reshape(3, 4),
    NUMBERS[:0],
    NUMBERS[:0, :2],
    np.broadcast_to(np.float32(1), 5),
    np.broadcast_to(np.float32(1), 6),
    np.array(["a", None], object),
    np.array(["a", "b"], object),
    np.float32(1),
    pd.DataFrame({"a": [1.0, 2.0]}),
    pd.DataFrame({"b": [1.0, 2.0]}),
    pd.Series([1.0, 2.0]),
    double,
    of_constant(2),
    of_constant(3),
    partial(double),
    partial(double, 2),
    partial(len),
    len,
    dict,
    Multiples(2, 5),
    Multiples(3, 5),
    Y,
    # The same in units of their spread.
    ScaledTargets(NUMBERS + 1, np.ones(3), np.ones(3)),
    pack_dense(NUMBERS[:, :, None], "dense"),
    pack_dense(NUMBERS[:, :, None], "columns"),
]


def test_different_values_have_different_digests():
    digests = [digest_of(value) for value in DIFFERENT]
    assert len(set(digests)) == len(DIFFERENT)
    assert digests == [digest_of(value) for value in DIFFERENT]


def test_what_is_no_data_makes_no_difference():
    one, other = (
        {"a": 1, "stop": threading.Event(), "random": np.random.RandomState(seed)}
        for seed in range(2)
    )
    assert digest_of(one) == digest_of(other)
    cycle = [1]
    cycle.append(cycle)
    assert digest_of(cycle) == digest_of(cycle)


@settings(max_examples=30)
@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, min_side=0)), st.data())
def test_every_number_counts(array, data):
    assert digest_of(array) == digest_of(np.asfortranarray(array.copy()))
    if array.size:
        place = data.draw(st.integers(0, array.size - 1))
        other = array.copy()
        other.flat[place] = 1.0 if array.flat[place] != 1.0 else 2.0
        assert digest_of(array) != digest_of(other)


def test_large_arrays_are_read_piece_by_piece(monkeypatch):
    whole = digest_of(NUMBERS)
    monkeypatch.setattr("skrnn._data.digests._TOGETHER", 4)
    assert digest_of(NUMBERS) == whole


def test_other_processes_agree():
    code = """
import numpy as np
from skrnn._data.digests import digest_of
def double(x):
    return 2 * x
print(digest_of(np.arange(5), {"b": {"x", "y", "z"}, "a": "é"}, double.__code__))
"""
    assert len({in_new_process(code, PYTHONHASHSEED=str(i)) for i in range(2)}) == 1


def test_descriptions_are_short_and_tell_apart():
    assert described(3) == described(np.int64(3)) == "3"
    assert described(("a", 1)) == "('a', 1)"
    assert described(NUMBERS) != described(NUMBERS + 1)
    texts = [described(value) for value in (NUMBERS, "x" * 500, double, {"a": NUMBERS})]
    assert max(map(len, texts)) < 80
