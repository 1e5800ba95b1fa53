"""Padding is no label: what isn't there is never predicted, scored or learnt."""

import pickle
from itertools import product

import numpy as np
import pandas as pd
import pytest
from _instances import FAST, NETWORKS, assert_same_network
from sklearn.base import clone, is_classifier
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrnn import GRUClassifier, GRURegressor, Seq2SeqClassifier
from skrnn.inspection import attention_weights
from skrnn.metrics import (
    get_scorer,
    perplexity,
    sequence_accuracy_score,
    span_f1_score,
    token_accuracy_score,
)

WIDTH = 7
RAGGED = [np.arange(i, i + 2 + i % 4) % 5 + 1 for i in range(24)]
PADDED = np.zeros((24, WIDTH), int)
for _row, _ids in zip(PADDED, RAGGED, strict=True):
    _row[1 : 1 + len(_ids)] = _ids
REAL = PADDED > 0
# As PADDED, with rows of several lengths.
WITH_ZEROS = [row[: 1 + len(ids) + i % 2] for i, (row, ids) in enumerate(
    zip(PADDED, RAGGED, strict=True)
)]  # fmt: skip
TAGGER = GRUClassifier(embedding_dim=3, return_sequences=True, **FAST)
KINDS = {
    "strings": np.array(["B-a", "I-a", "O"]),
    "objects": np.array(["B-a", "I-a", "O"], dtype=object),
    "integers": np.array([0, 1, 2]),
    "integers from -1": np.array([-1, 0, 1]),
    "small integers": np.array([1, 2, 3], np.int8),
    "unsigned": np.array([0, 1, 2], np.uint8),
    "floats": np.array([0.0, 1.0, 2.0]),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def name(estimator):
    return type(estimator).__name__


def tags(kind="strings"):
    return [KINDS[kind][ids % 3] for ids in RAGGED]


def padded(rows, fill):
    dtype = np.result_type(rows[0].dtype, np.asarray(fill).dtype)
    dense = np.full((24, WIDTH), fill, dtype=dtype)
    dense[REAL] = np.concatenate(rows)
    return dense


def as_object_array(rows):
    array = np.empty(len(rows), object)
    array[:] = rows
    return array


# What stands at padding

FULL = np.array([ids for ids in RAGGED if len(ids) == 5])
WAYS = {
    "ragged": lambda m, y: m.fit(RAGGED, y),
    "dense, without padding": lambda m, y: m.fit(
        FULL, np.array([t for t in y if len(t) == 5])
    ),
    "partial_fit": lambda m, y: m.partial_fit(
        RAGGED, y, classes=np.unique(np.concatenate(y))
    ),
    "warm_start": lambda m, y: (
        m.set_params(warm_start=True).fit(RAGGED, y).fit(RAGGED, y)
    ),
    "a list with zeros, tagged without": lambda m, y: pickle.loads(
        pickle.dumps(m.fit(RAGGED, y))
    ),
}


@each_kind
@pytest.mark.parametrize("way", WAYS)
def test_what_stands_at_padding_is_no_class(way, kind):
    model = WAYS[way](clone(TAGGER), tags(kind))
    found = model.predict(PADDED)
    assert not np.isin(found[~REAL].astype(object), model.classes_.astype(object)).any()
    assert found.dtype == model.classes_.dtype
    assert len(np.unique(found)) == len(np.unique(found[REAL])) + 1
    np.testing.assert_array_equal(found[REAL], np.concatenate(model.predict(RAGGED)))


def test_strings_have_the_empty_one_and_numbers_a_smaller_one():
    found = {
        kind: clone(TAGGER).fit(RAGGED, tags(kind)).predict(PADDED)[0, 0]
        for kind in KINDS
    }
    assert found == {
        "strings": "",
        "objects": "",
        "integers": -1,
        "integers from -1": -2,
        "small integers": -1,
        "unsigned": 255,
        "floats": -1,
    }


BYTES = np.arange(256)
# Classes -> what is none of them, and its type.
FREE = {
    "the end of int8": (np.array([-128, -1], np.int8), -2, np.int8),
    "all negative int8": ((BYTES[:128] - 128).astype(np.int8), -129, np.int64),
    "the end of int64": (np.array([-(2**63), -1]), -2, np.int64),
    "the largest uint8": (np.array([0, 255], np.uint8), 254, np.uint8),
    "all uint8": (BYTES.astype(np.uint8), -1, np.int64),
    "large floats": (np.array([-(2.0**53), -1.0]), -2, np.float64),
    "small floats": (np.array([-1.0, 0.0], np.float32), -2, np.float32),
    "an empty string": (np.array(["", "a"]), "<padding>", np.dtype("U9")),
    "booleans": (np.array([False, True]), False, np.bool_),
}


@pytest.mark.parametrize("key", FREE)
def test_what_stands_at_padding_is_free_at_the_ends_of_types_too(key):
    classes, expected, dtype = FREE[key]
    y = [classes[(ids + np.arange(len(ids))) % len(classes)] for ids in RAGGED]
    known = clone(TAGGER).partial_fit(RAGGED, y, classes=classes)
    found = known.predict(PADDED)
    assert set(found[~REAL].tolist()) == {expected}
    assert found.dtype == dtype
    assert set(found[REAL].tolist()) <= set(classes.tolist())


PADS = {
    "a class": ("strings", "O"),
    "a longer string": ("strings", "PADDING"),
    "an empty string": ("strings", ""),
    "-100": ("integers", -100),
    "of a wider type": ("small integers", -1000),
}


@pytest.mark.parametrize("key", PADS)
def test_a_label_of_the_users_own_at_padding_stays(key):
    kind, label = PADS[key]
    y, classes = padded(tags(kind), label), np.unique(np.concatenate(tags(kind)))
    fitted = clone(TAGGER).fit(PADDED, y)
    later = clone(TAGGER).partial_fit(RAGGED, tags(kind), classes=classes)
    again = clone(TAGGER).set_params(warm_start=True).fit(RAGGED, tags(kind))
    listed = clone(TAGGER).fit(list(PADDED), list(y))
    models = fitted, later.partial_fit(PADDED, y), again.fit(PADDED, y), listed
    for model in models:
        found = model.predict(PADDED)
        assert set(found[~REAL].tolist()) == {label}
        assert set(found[REAL].tolist()) <= set(classes.tolist())


def test_nothing_at_padding_is_no_label():
    y = padded(tags("objects"), None)
    model = clone(TAGGER).fit(PADDED, y)
    assert model.classes_.tolist() == ["B-a", "I-a", "O"]
    assert set(model.predict(PADDED)[~REAL]) == {""}
    assert model.score(PADDED, y) == model.score(RAGGED, tags("objects"))


# Rows of a list with zeros at their ends

LISTS = {
    "list": list,
    "tuple": tuple,
    "object array": as_object_array,
    "Series": lambda rows: pd.Series(rows, index=range(5, 29)),
    "lists": lambda rows: [row.tolist() for row in rows],
}


@pytest.mark.parametrize("form", LISTS)
@pytest.mark.parametrize("network", NETWORKS, ids=name)
def test_rows_of_a_list_keep_their_places(network, form):
    model = clone(network).set_params(return_sequences=True, embedding_dim=3, epochs=1)
    y = tags() if is_classifier(model) else [ids * 1.0 for ids in RAGGED]
    model.fit(RAGGED, y)
    for method in ("predict", "predict_proba", "predict_log_proba"):
        if hasattr(model, method):
            found = getattr(model, method)(LISTS[form](WITH_ZEROS))
            dense = getattr(model, method)(PADDED)
            assert found.shape == (24,)
            for steps, row, other in zip(found, WITH_ZEROS, dense, strict=True):
                assert len(steps) == len(row)
                np.testing.assert_allclose(
                    steps if steps.dtype.kind == "f" else steps == other[: len(row)],
                    other[: len(row)] if steps.dtype.kind == "f" else True,
                    rtol=1e-4,
                )


def test_the_right_places_of_one_row():
    model = clone(TAGGER).fit(RAGGED, tags())
    one, dense = model.predict([np.array([0, 0, 1, 2])]), [[0, 0, 1, 2]]
    assert one[0].tolist() == model.predict(np.array(dense))[0].tolist()
    assert one[0][:2].tolist() == ["", ""]
    assert model.predict_proba([[0, 1, 0], [2, 3]])[0].any(axis=1).tolist() == [0, 1, 0]


def test_channels_of_a_list_keep_their_places():
    def in_channels(ids):
        return np.stack([ids, (ids > 0) * 1], axis=1)

    model = clone(TAGGER).fit([*map(in_channels, RAGGED)], tags())
    found = model.predict([*map(in_channels, WITH_ZEROS)])
    dense = model.predict(np.stack([*map(in_channels, PADDED)]))
    for steps, row in zip(found, dense, strict=True):
        assert steps.tolist() == row[: len(steps)].tolist()


@pytest.mark.parametrize("network", NETWORKS, ids=name)
def test_training_on_a_list_with_zeros_is_training_without_them(network):
    model = clone(network).set_params(return_sequences=True, embedding_dim=3, epochs=1)
    y = tags() if is_classifier(model) else [ids * 1.0 for ids in RAGGED]
    fill = "PAD" if is_classifier(model) else np.nan
    dense = padded(y, fill)
    cut = [row[: len(ids)] for row, ids in zip(dense, WITH_ZEROS, strict=True)]
    plain = clone(model).fit(RAGGED, y)
    for X, t in ((WITH_ZEROS, cut), (PADDED, dense), (list(PADDED), dense)):
        same = clone(model).fit(X, t)
        assert_same_network(same, plain)
        assert same.score(X, t) == pytest.approx(plain.score(RAGGED, y))


def test_labels_of_another_length_than_the_row_are_refused():
    with pytest.raises(ValueError, match=r"y\[0\] has 2 time steps, but X\[0\] has 3"):
        clone(TAGGER).fit(WITH_ZEROS, tags())


def test_attention_looks_at_the_places_of_the_list():
    model = clone(TAGGER).set_params(attention="dot").fit(RAGGED, tags())
    weights = attention_weights(model, [np.array([0, 0, 1, 2]), np.array([3, 4, 5])])
    assert weights.shape == (2, 4, 4)
    assert weights[0].sum(axis=1).round(5).tolist() == [0, 0, 1, 1]
    assert not weights[0, :, :2].any()


# Rows of padding alone


@pytest.mark.parametrize("form", ["dense", "list"])
def test_a_row_of_padding_alone_is_not_there(form):
    X, y = np.vstack([PADDED, [[0] * WIDTH]]), padded(tags(), "PAD")
    y = np.vstack([y, ["PAD"] * WIDTH])
    if form == "list":
        X = [*WITH_ZEROS, np.zeros(3, int)]
        y = [row[: len(x)] for row, x in zip(y, X, strict=True)]
    model = clone(TAGGER).fit(X, y)
    assert_same_network(model, clone(TAGGER).fit(RAGGED, tags()))
    assert model.classes_.tolist() == ["B-a", "I-a", "O"]
    assert set(model.predict(X)[-1].tolist()) == {"PAD"}
    assert not model.predict_proba(X)[-1].any()
    assert model.score(X, y) == model.score(RAGGED, tags())
    with pytest.raises(ValueError, match="padding alone"):
        model.score(X[-1:], y[-1:])


# Scores

SCORING = ["neg_perplexity", "sequence_accuracy", "span_f1", "token_accuracy"]


@pytest.mark.parametrize("fill", ["O", "B-a", "", "PAD", None])
def test_scorers_count_real_steps_alone(fill):
    y = padded([each.astype(object) for each in tags()], fill)
    weights = np.arange(24) % 3
    models = clone(TAGGER).fit(RAGGED, tags()), clone(TAGGER).fit(PADDED, y)
    for score, model in product(map(get_scorer, SCORING), models):
        expected = score(model, RAGGED, tags())
        assert score(model, PADDED, y) == pytest.approx(expected)
        cut = [row[: len(ids)] for row, ids in zip(y, WITH_ZEROS, strict=True)]
        assert score(model, WITH_ZEROS, cut) == pytest.approx(expected)
        expected = score(model, RAGGED, tags(), sample_weight=weights)
        found = score(model, PADDED, y, sample_weight=weights)
        assert found == pytest.approx(expected)


@pytest.mark.parametrize("fill", ["O", "B-a"])
def test_a_perfect_tagger_has_a_perfect_score_in_every_fold(fill):
    # In one fold nothing is padded.
    X = np.where(np.arange(24)[:, None] < 12, np.arange(168).reshape(24, 7) % 5 + 1, 0)
    X[12:] = PADDED[12:]
    y = np.where(X > 0, np.array(["O", "B-a", "B-b"])[X % 3], fill)
    tagger = clone(TAGGER).set_params(units=16, epochs=60)
    scoring = {name: get_scorer(name) for name in SCORING[1:]}
    for model in (tagger, make_pipeline(FunctionTransformer(), tagger)):
        scores = cross_validate(model, X, y, cv=KFold(2), scoring=scoring)
        for name in scoring:
            assert scores[f"test_{name}"].tolist() == [1, 1]


def test_scorers_find_the_padding_inside_of_a_search():
    y = padded(tags(), "B-a")
    score = get_scorer("token_accuracy")
    pipeline = make_pipeline(FunctionTransformer(), clone(TAGGER))
    search = GridSearchCV(
        pipeline, {"gruclassifier__epochs": [1]}, scoring=score, cv=KFold(2)
    ).fit(PADDED, y)
    expected = score(search.best_estimator_[-1], RAGGED, tags())
    assert score(search, PADDED, y) == search.score(PADDED, y) == expected


# A score, and what it is of the labels at REAL steps.
FUNCTIONS = [token_accuracy_score, sequence_accuracy_score, span_f1_score]


@pytest.mark.parametrize("fill", ["O", "B-a", "PAD", None])
@pytest.mark.parametrize("score", FUNCTIONS)
def test_functions_leave_out_what_has_no_label(score, fill):
    model = clone(TAGGER).fit(RAGGED, tags())
    y = padded([each.astype(object) for each in tags()], fill)
    expected = score(tags(), model.predict(RAGGED))
    options = [{"sample_weight": REAL}, {"sample_weight": REAL * 1.0}]
    # Strings tell padding by themselves.
    options += [{}] if fill is not None else []
    for each in options:
        assert score(y, model.predict(PADDED), **each) == pytest.approx(expected)
    cut = [row[: len(ids)] for row, ids in zip(y, WITH_ZEROS, strict=True)]
    if fill is not None:
        assert score(cut, model.predict(WITH_ZEROS)) == pytest.approx(expected)


def test_perplexity_leaves_out_the_padding_of_a_list():
    model = clone(TAGGER).fit(RAGGED, tags())
    expected = perplexity(tags(), model.predict_proba(RAGGED))
    cut = [row[: len(ids)] for row, ids in
           zip(padded(tags(), "PAD"), WITH_ZEROS, strict=True)]  # fmt: skip
    found = perplexity(cut, model.predict_proba(WITH_ZEROS), labels=model.classes_)
    assert found == pytest.approx(expected)


def test_an_empty_string_that_is_a_label_counts():
    y_true = np.array([["a", ""], ["", "a"]])
    assert token_accuracy_score(y_true, np.array([["a", ""], ["", ""]])) == 0.75
    assert token_accuracy_score(y_true, np.array([["a", "b"], ["", "a"]])) == 0.75
    assert token_accuracy_score(y_true.tolist(), y_true.tolist()) == 1
    with pytest.raises(ValueError, match="padding alone"):
        token_accuracy_score([["a"]], np.array([[""]]))


def test_other_estimators_have_scorers_as_before():
    words = np.array([["a", "b"], ["b", "a"], ["a", "a"]] * 4)
    ids = np.array([[2, 3], [3, 2], [2, 2]] * 4)
    pair = Seq2SeqClassifier(units=4, epochs=1, random_state=0).fit(ids, words)
    expected = make_scorer(token_accuracy_score)(pair, ids, words)
    assert get_scorer("token_accuracy")(pair, ids, words) == expected
    X = np.random.default_rng(0).normal(size=(12, 3, 2))
    model = GRUClassifier(return_sequences=True, **FAST).fit(X, X[:, :, 0] > 0)
    expected = model.score(X, X[:, :, 0] > 0)
    assert get_scorer("token_accuracy")(model, X, X[:, :, 0] > 0) == expected


def test_regressors_have_zeros_at_padding_which_do_not_count():
    model = GRURegressor(embedding_dim=3, return_sequences=True, **FAST)
    y = [ids * 1.0 for ids in RAGGED]
    model.fit(RAGGED, y)
    assert not model.predict(PADDED)[~REAL].any()
    expected = model.score(RAGGED, y)
    for fill in (0.0, 1e9, np.nan):
        assert model.score(PADDED, padded(y, fill)) == pytest.approx(expected)


def test_padding_alone_is_named():
    model = GRUClassifier(embedding_dim=3, return_sequences=True, **FAST)
    ids, y = np.zeros((6, 4), int), np.arange(24).reshape(6, 4) % 2
    for weights in (None, np.ones(6), np.ones((6, 4))):
        with pytest.raises(ValueError, match="Every sequence of X is padding alone"):
            model.fit(ids, y, sample_weight=weights)
