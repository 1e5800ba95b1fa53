"""States of fitted estimators that were changed, cut off, or are another version's."""

import copy
import json
import pickle
import re
from functools import cache

import numpy as np
import pytest
from _instances import (
    DETECTORS,
    FAST,
    LEARNERS,
    OF_SERIES,
    OF_TEXT,
    SERIES,
    sequences,
    target,
    with_params,
)
from _tables import LONG
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone

import skrnn
from skrnn.preprocessing import SequencePadder, TextSequencer
from skrnn.text import TextGenerator

TINY = {**FAST, "units": 2, "epochs": 1}
X = sequences("3-D")
WORDS = ["ab", "ba b", "a b a"] * 4


IDS = np.random.default_rng(0).integers(1, 5, size=(12, 4))
RAGGED = sequences("ragged")
TAGS = [(x[:, 0] > 0).astype(int) for x in RAGGED]
NAMES = ["up", "down"] * 6
BOTH = dict(bidirectional=True, attention="dot", layer_norm=True)


def target_of(model):
    if isinstance(model, skrnn.Seq2SeqRegressor):
        return X[:, :2, 0]
    y = target(model, X)
    pairs = isinstance(model, skrnn.Seq2SeqClassifier)
    return ["ab" if label == "up" else "b" for label in y] if pairs else y


# Kind -> an estimator that isn't fitted, its X and its y.
KINDS = (
    {
        type(each).__name__: (with_params(each, **TINY), X, target_of(each))
        for each in LEARNERS
    }
    | {each.method: (clone(each).set_params(**TINY), X, None) for each in DETECTORS}
    | {
        "ids": (skrnn.GRUClassifier(**TINY, embedding_dim=2), IDS, IDS[:, 0]),
        "tagger": (skrnn.LSTMClassifier(**TINY, return_sequences=True), RAGGED, TAGS),
        "steps": (
            skrnn.RNNRegressor(**TINY, return_sequences=True, dense_units=2),
            X,
            X[:, :, :1],
        ),
        "several": (skrnn.GRURegressor(**TINY, **BOTH), X, X[:, 0]),
        "multilabel": (skrnn.GRUClassifier(**TINY), X, (X[:, 0] > 0).astype(int)),
        "translator": (skrnn.Seq2SeqClassifier(**TINY), WORDS, NAMES),
        "TextGenerator": (
            clone(OF_TEXT[0]).set_params(units=2, embedding_dim=2, epochs=1),
            WORDS,
            None,
        ),
    }
)


@cache
def fitted(name):
    model, X, y = KINDS[name]
    return model.fit(X, y), X


every = pytest.mark.parametrize("name", KINDS)


def learnt(state):
    return [key for key in state if key.startswith("_") or key.endswith("_")]


def restored(model, state):
    new = type(model).__new__(type(model))
    new.__setstate__(state)
    return new


def use(model, X):
    if isinstance(model, TextGenerator):
        model.generate("a", max_new_tokens=3, random_state=0)
        return model.predict_proba(X)
    return model.predict(X)


@every
def test_a_state_that_nobody_touched_is_taken(name):
    model, X = fitted(name)
    expected = list(use(model, X))
    for other in (copy.copy(model), copy.deepcopy(model)):
        np.testing.assert_equal(list(use(other, X)), expected)
    data = pickle.dumps(model)
    np.testing.assert_equal(list(use(pickle.loads(data), X)), expected)
    # Training goes on from there, and the next pickle is the same again.
    state = pickle.loads(data).__getstate__()
    assert state.keys() == model.__getstate__().keys()


@every
def test_what_is_missing_is_named(name):
    model, _ = fitted(name)
    state = model.__getstate__()
    kind = type(model).__name__
    for key in learnt(state):
        if key == "_saved":
            continue
        less = {k: v for k, v in state.items() if k != key}
        with pytest.raises(ValueError, match=rf"fitted {kind}: it lacks \['{key}'\]"):
            restored(model, less)


@every
@pytest.mark.parametrize("mark", [None, (0, []), (99, []), "1", ()])
def test_states_of_other_versions_are_told_so(name, mark):
    model, _ = fitted(name)
    state = model.__getstate__() | {"_saved": mark}
    states = [state] if mark is not None else [state, without(state, "_saved")]
    for each in states:
        with pytest.raises(ValueError, match="saved by another version of skrnn"):
            restored(model, each)


def without(state, key):
    return {k: v for k, v in state.items() if k != key}


ODD = [
    None, -1, 0, 2, 1000, 0.5, np.nan, "", "x", "{}", [], (), [1], {}, {"a": 1}, True,
    b"", np.array(np.nan), np.zeros(0), np.zeros((2, 2)), np.array(["a", "b"]),
    np.array([0, 1]), object(), [np.zeros(1)], {"loss": [None]}, {"loss": 1},
]  # fmt: skip


def refused_or_works(model, state, X):
    """Hold that a state is refused by name, or that everything works."""
    try:
        other = restored(model, state)
    except ValueError as error:
        if type(model).__name__ not in str(error):
            raise
        return
    pickle.dumps(other)
    try:
        use(other, X)
    except (ValueError, TypeError) as error:
        # Another X or another parameter would be right, and the error says so.
        if not re.search("^X (has|holds) |fit it again, or set it back", str(error)):
            raise


@every
def test_no_odd_value_reaches_what_computes(name):
    model, X = fitted(name)
    state = model.__getstate__()
    for key in learnt(state):
        for odd in ODD:
            refused_or_works(model, state | {key: odd}, X)
    with pytest.raises(ValueError, match="_weights must be a list"):
        restored(model, state | {"_weights": state["_weights"][:-1]})


@every
def test_wrong_weights_are_named(name):
    model, _ = fitted(name)
    state = model.__getstate__()
    for i, weight in enumerate(state["_weights"]):
        for wrong, said in [
            (weight.astype(np.float64), "float64"),
            (weight.astype(np.int32), "int32"),
            (weight[:-1], "of shape"),
            (weight[None], "of shape"),
            (np.full_like(weight, np.nan), "NaN"),
            (weight.tolist(), "None"),
            (weight.astype(">f4"), "float32"),
        ]:
            weights = [*state["_weights"][:i], wrong, *state["_weights"][i + 1 :]]
            with pytest.raises(ValueError, match=rf"_weights\[{i}\] .*{said}"):
                restored(model, state | {"_weights": weights})


@every
def test_weights_in_another_order_of_memory_are_taken(name):
    model, X = fitted(name)
    state = model.__getstate__()
    weights = [np.asfortranarray(weight) for weight in state["_weights"]]
    other = restored(model, state | {"_weights": weights})
    np.testing.assert_equal(list(use(other, X)), list(use(model, X)))


@every
def test_a_changed_network_is_refused(name):
    model, X = fitted(name)
    state = model.__getstate__()
    fields = json.loads(state["_spec"])
    for field in fields:
        for odd in (None, -1, 0, 7, 1e300, 0.5, "x", [], [0], [-2], [3, 3], {}, True):
            if odd != fields[field] or type(odd) is not type(fields[field]):
                changed = json.dumps(fields | {field: odd})
                refused_or_works(model, state | {"_spec": changed}, X)
    for text in ("", "{", "[]", "null", "{}", json.dumps(fields | {"more": 1})):
        with pytest.raises(ValueError, match=re.escape("_spec can't be read")):
            restored(model, state | {"_spec": text})


@every
def test_a_changed_layer_is_refused(name):
    model, X = fitted(name)
    state = model.__getstate__()
    fields = json.loads(state["_spec"])
    for stack in [key for key in fields if isinstance(fields[key], list)]:
        for i, layer in enumerate(fields[stack]):
            for field in layer:
                for odd in (None, -1, 7, 0.5, "x", [], [3, 3], True):
                    if odd == layer[field] and type(odd) is type(layer[field]):
                        continue
                    layers = [*fields[stack]]
                    layers[i] = layer | {field: odd}
                    changed = json.dumps(fields | {stack: layers})
                    refused_or_works(model, state | {"_spec": changed}, X)


@every
@settings(
    # Always the same ones: more of them each time would find nothing new.
    max_examples=100 if LONG else 10,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_any_change_is_refused_or_does_no_harm(name, data):
    model, X = fitted(name)
    state = model.__getstate__()
    keys = st.sampled_from([k for k in learnt(state) if k != "_model"])
    # As `st.text()` has them, all but surrogates; to list those takes 200 MB.
    characters = st.characters(exclude_categories=["Cs"])
    texts = st.text(characters, max_size=4)
    plain = st.none() | st.booleans() | st.integers() | st.floats() | texts
    values = st.recursive(
        plain,
        lambda v: (
            st.lists(v, max_size=3)
            | st.dictionaries(st.text(characters), v, max_size=3)
        ),
        max_leaves=5,
    )
    changes = data.draw(st.dictionaries(keys, values, min_size=1, max_size=2))
    refused_or_works(model, state | changes, X)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"classes_": np.array(["a", "b", "c"])},
            "classes_ must be an array of labels",
        ),
        ({"_optimizer_state": [np.nan]}, "_optimizer_state must be None or finite"),
        ({"n_iter_": -1}, "n_iter_ must be a number of epochs, got -1"),
    ],
)
def test_errors_say_what_is_wrong(changes, said):
    model, _ = fitted("GRUClassifier")
    with pytest.raises(ValueError, match=f"state of a fitted GRUClassifier: {said}"):
        restored(model, model.__getstate__() | changes)


# Forecasters


@pytest.mark.parametrize("kind", OF_SERIES)
def test_a_forecaster_whose_members_were_changed_is_refused(kind):
    model = clone(OF_SERIES[kind]).fit(None, SERIES)
    data = pickle.dumps(model)
    assert pickle.loads(data).forecast(4).equals(model.forecast(4))
    model.estimators_[-1]._weights[1][0] = np.nan
    with pytest.raises(
        ValueError, match=r"fitted SequenceRegressor: _weights\[1\] .*NaN"
    ):
        pickle.loads(pickle.dumps(model))


# Transformers

SERIES_OF_TWO = np.random.default_rng(0).normal(size=(12, 2))
TRANSFORMERS = {
    "window": (skrnn.SlidingWindow(3), SERIES_OF_TWO, {}),
    "panel": (skrnn.SlidingWindow(3), SERIES_OF_TWO, {"groups": np.arange(12) // 6}),
    "padder": (SequencePadder(), RAGGED, {}),
    "texts": (TextSequencer(), WORDS, {}),
    "filled texts": (TextSequencer(padding="post"), WORDS, {}),
}


def fitted_state(key):
    made, X, more = TRANSFORMERS[key]
    return clone(made).fit(X, **more).__getstate__()


@pytest.mark.parametrize("key", TRANSFORMERS)
def test_a_transformer_that_was_saved_is_the_same(key):
    made, X, more = TRANSFORMERS[key]
    fitted = clone(made).fit(X, **more)
    for again in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        one, other = again.transform(X, **more), fitted.transform(X, **more)
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
        assert again.__getstate__().keys() == fitted.__getstate__().keys()
        assert vars(again).keys() == vars(fitted).keys()
    # One that isn't fitted has no such state.
    assert vars(copy.copy(clone(made))) == vars(made)


@pytest.mark.parametrize(
    ("key", "name", "value"),
    [
        ("window", "tail_", None),
        ("window", "tail_", SERIES_OF_TWO[-1:]),
        ("window", "tail_", np.full((2, 2), np.nan)),
        ("window", "tail_", np.zeros((2, 3))),
        ("window", "_history", None),
        ("panel", "tail_", {0: SERIES_OF_TWO[:2], 1: None}),
        ("padder", "maxlen_", None),
        ("padder", "maxlen_", -1),
        ("padder", "maxlen_", "9"),
        ("padder", "_has_features", None),
        ("texts", "vocabulary_", None),
        ("texts", "vocabulary_", {"a": "b", "b": 3}),
        ("texts", "vocabulary_", {}),
        ("filled texts", "maxlen_", None),
        ("filled texts", "maxlen_", 0),
    ],
)
def test_a_transformer_whose_state_was_changed_is_refused(key, name, value):
    made, state = TRANSFORMERS[key][0], fitted_state(key)
    expected = f"^This isn't the state of a fitted {type(made).__name__}: {name} must"
    with pytest.raises(ValueError, match=expected):
        clone(made).__setstate__(state | {name: value})
    del state[name]
    with pytest.raises(ValueError, match=expected):
        clone(made).__setstate__(state)


def test_labels_that_do_not_fit_the_network_are_refused():
    model, X, y = KINDS["GRUClassifier"]
    y = np.arange(len(X)) % 3
    state = clone(model).fit(X, y).__getstate__() | {"_multilabel": True}
    with pytest.raises(ValueError, match=r"_multilabel must be a bool that fits"):
        clone(model).__setstate__(state)
    model, X, y = KINDS["translator"]
    state = clone(model).fit(X, y).__getstate__() | {"_longest_output": 10**30}
    with pytest.raises(ValueError, match=r"_longest_output must be a length"):
        clone(model).__setstate__(state)
