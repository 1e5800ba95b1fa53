"""Files with random changes: refused, or an estimator that doesn't end the process."""

import contextlib
import copy
import json
import os
import warnings
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import skrnn
from skrnn._persistence import container
from skrnn._persistence.files import from_bytes, to_bytes
from skrnn._persistence.nodes import UnreadableError
from skrnn.forecasting import Forecaster
from skrnn.preprocessing import TextSequencer
from skrnn.text import TextGenerator

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4, 2))
IDS = RNG.integers(1, 5, size=(12, 4))
ROWS = X[:, 0]
TABLE = np.array([["a", "x"], ["b", "y"], ["c", "x"]] * 4, dtype=object)
WORDS = ["ab", "ba b", "a b a"] * 4
TINY = dict(units=2, epochs=1, random_state=0)

# Name -> an estimator, X and y.
MADE = {
    "network": (skrnn.LSTMRegressor(**TINY), X, X[:, 0, 0]),
    "tokens": (skrnn.GRUClassifier(**TINY, embedding_dim=2), IDS, IDS[:, 0]),
    "translator": (skrnn.Seq2SeqClassifier(**TINY), WORDS, WORDS),
    "generator": (
        TextGenerator(units=2, embedding_dim=2, epochs=1, lookback=4, batch_size=2),
        WORDS,
        None,
    ),
    "pipeline": (
        make_pipeline(
            StandardScaler(), skrnn.SlidingWindow(3), skrnn.RNNRegressor(**TINY)
        ),
        ROWS,
        ROWS[:, 0],
    ),
    "forecaster": (Forecaster(Ridge(), lookback=3, horizon=2), None, ROWS[:, 0]),
    "categories": (OneHotEncoder(drop="if_binary"), TABLE, None),
    "texts": (TfidfVectorizer(), ["one two", "two three"] * 3, None),
    "sequencer": (TextSequencer(), WORDS, None),
    "forest": (RandomForestRegressor(2, max_depth=3, random_state=0), ROWS, ROWS[:, 0]),
}
every = pytest.mark.parametrize("name", MADE)
quick = settings(
    derandomize="SKRNN_FUZZ" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
    max_examples=int(os.environ.get("SKRNN_FUZZ", "15")),
)


@cache
def whole(name):
    estimator, X, y = MADE[name]
    return to_bytes(estimator.fit(X, y))


def use(estimator, X):
    """Let an estimator compute; whatever it raises, the process goes on."""
    with warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        if isinstance(estimator, Forecaster):
            estimator.forecast(3)
        for method in ("predict", "predict_proba", "transform"):
            if hasattr(estimator, method):
                found = getattr(estimator, method)(X)
                getattr(found, "toarray", lambda: None)()
        if isinstance(estimator, TextGenerator):
            estimator.generate("a", max_new_tokens=3)


def refused_or_usable(data, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            estimator = from_bytes(data)
        except UnreadableError:
            return
        use(estimator, MADE[name][1])


@every
@quick
@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=4))
def test_changed_bytes(name, places):
    data = bytearray(whole(name))
    for place, change in places:
        data[int(place * (len(data) - 1))] ^= change
    refused_or_usable(bytes(data), name)


ODD = [
    None, True, -1, 0, 1, 3, 2**62, -(2**62), 0.5, -0.0, "", "x", "__class__", [], {},
    [1, "a"], {"type": "tuple", "items": []}, {"type": "float", "value": "nan"},
    {"type": "same", "id": 1}, {"type": "dict", "items": []},
    {"type": "class", "name": "list"},
    {"type": "function", "name": "numpy.exp"},
]  # fmt: skip


def places_in(node, path=()):
    """List the ways to all values of a JSON."""
    yield path
    if isinstance(node, dict | list):
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in pairs:
            yield from places_in(value, (*path, key))


def at(node, path):
    for key in path:
        node = node[key]
    return node


@every
@quick
@given(data=st.data())
def test_changed_json(name, data):
    described, arrays = container.from_bytes(whole(name))
    described = copy.deepcopy(described)
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(places_in(described["estimator"]))
        path = data.draw(st.sampled_from(places[1:]))
        other = data.draw(st.sampled_from(places))
        values = st.sampled_from(ODD) | st.just(at(described["estimator"], other))
        holder, value = at(described["estimator"], path[:-1]), data.draw(values)
        if data.draw(st.booleans()):
            holder[path[-1]] = copy.deepcopy(value)
        else:
            del holder[path[-1]]
        if len(json.dumps(described)) > 10**6 or len(places) < 3:
            break
    refused_or_usable(container.to_bytes(described, arrays), name)


@every
@quick
@given(data=st.data())
def test_changed_arrays(name, data):
    described, arrays = container.from_bytes(whole(name))
    arrays = {key: array.copy() for key, array in arrays.items()}
    if not arrays:
        return
    key = data.draw(st.sampled_from(sorted(arrays)))
    array = arrays[key]
    change = data.draw(st.sampled_from(["value", "dtype", "shape", "swap"]))
    if change == "value" and array.size:
        odd = data.draw(
            st.sampled_from([0, 1, -1, 7, 2**31 - 1, -(2**62), np.nan, 1e300])
        )
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            place = data.draw(st.integers(0, array.size - 1))
            array.reshape(-1)[place] = np.array(odd).astype(array.dtype)
    if change == "dtype":
        kinds = ["<f4", "<f8", "<i4", "<i8", "|u1", "|b1"]
        with np.errstate(all="ignore"):
            arrays[key] = array.astype(data.draw(st.sampled_from(kinds)))
    if change == "shape":
        flat = array.reshape(-1)
        arrays[key] = data.draw(
            st.sampled_from([flat, flat[:1], flat[:0], array[None]])
        )
    if change == "swap":
        arrays[key] = arrays[data.draw(st.sampled_from(sorted(arrays)))]
    refused_or_usable(container.to_bytes(described, arrays), name)
