"""What scores refuse, and what they say of it."""

import datetime

import numpy as np
import pandas as pd
import pytest
from _metrics_cases import EVERY, HALVES, NAN, TOKEN_WISE, P, T, assert_refused

from skrnn.metrics import perplexity, span_f1_score

BAD_PAIRS = {
    "nothing": ([], [], ValueError, "y_true is empty; at least one sample is"),
    "nothing predicted": (T, [], ValueError, "y_pred is empty"),
    "None": (None, P, TypeError, "y_true must hold label sequences. Got None."),
    "a number": (T, 3, TypeError, "y_pred must hold label sequences. Got 3."),
    "a string": ("ab", "ab", TypeError, "y_true must hold label sequences. Got 'ab'."),
    "other numbers of sequences": (
        T,
        [*P, ["a"]],
        ValueError,
        "Found input variables with inconsistent numbers of samples: [2, 3]",
    ),
    "labels in labels": (
        [[["a"], ["a"]]],
        [["a", "a"]],
        TypeError,
        "y_true[0] is [['a'], ['a']], but every label sequence must be",
    ),
    "ragged in ragged": (
        [[["a", "b"], ["a"]]],
        [["a", "a"]],
        TypeError,
        "y_true[0] is [['a', 'b'], ['a']], but every label sequence must be",
    ),
    "a label without a list": (
        [["a"], 3],
        [["a"], [3]],
        TypeError,
        "y_true[1] is 3, but every label sequence must be a list or an array",
    ),
    "text among numbers": (
        [["a"], ["b", 1]],
        P,
        TypeError,
        "y_true[1] must hold strings or numbers throughout; it holds 'b' and 1.",
    ),
    "text beside numbers": (
        T,
        [[1, 1, 1], ["a"]],
        TypeError,
        "y_pred must hold strings or numbers throughout; it holds 'a' and 1.",
    ),
    "text against numbers": (
        [[1, 2, 3], [1]],
        P,
        TypeError,
        "Mix of label input types (string and number): y_true holds 1, y_pred holds "
        "'a'.",
    ),
    "NaN": ([[1.0, NAN]], [[1, 1]], ValueError, "Input y_true contains NaN"),
    "NaN predicted": ([[1, 1]], [[NAN, 1]], ValueError, "Input y_pred contains NaN"),
    "None among labels": (
        [["a", None]],
        [["a", "a"]],
        ValueError,
        "Input y_true contains NaN or None: every label must be known.",
    ),
    "masked": (
        [np.ma.masked_array([1, 2], [0, 1])],
        [[1, 2]],
        TypeError,
        "y_true[0] is a masked array with masked values",
    ),
}
BAD_STEPS = {
    "other lengths": (
        T,
        [["a", "b"], ["a"]],
        ValueError,
        "y_true[0] has 3 labels, but y_pred[0] has 2; every step needs both.",
    ),
    "an empty sequence": (
        [["a"], []],
        [["a"], []],
        ValueError,
        "y_true[1] is empty; every sequence needs at least one label.",
    ),
    "flat labels": (
        ["B-x", "O"],
        ["B-x", "O"],
        TypeError,
        "y_true[0] is 'B-x', but every label sequence must be a list or an array of "
        "labels. sequence_accuracy_score takes strings as well.",
    ),
    "strings": (
        ["colour", "labour"],
        ["color", "labour"],
        TypeError,
        "y_true[0] is 'colour', but every label sequence must be a list or an array of "
        "labels. sequence_accuracy_score takes strings as well.",
    ),
    "a flat array": (
        np.array([1, 2]),
        np.array([1, 2]),
        TypeError,
        "y_true[0] is np.int64(1), but every label sequence must be a list",
    ),
}
BAD_WEIGHTS = {
    "one weight for two": ([1.0], "sample_weight.shape == (1,), expected (2,)!"),
    "negative": ([1, -1], "Negative values in data passed to `sample_weight`"),
    "NaN": ([1, NAN], "Input sample_weight contains NaN."),
    "all zero": ([0, 0], "Sample weights must contain at least one non-zero number."),
}


@pytest.mark.parametrize("score", EVERY)
@pytest.mark.parametrize("key", BAD_PAIRS)
def test_bad_labels(score, key):
    y_true, y_pred, error, message = BAD_PAIRS[key]
    assert_refused(error, message, score, y_true, y_pred)


@pytest.mark.parametrize("score", TOKEN_WISE)
@pytest.mark.parametrize("key", BAD_STEPS)
def test_bad_steps(score, key):
    y_true, y_pred, error, message = BAD_STEPS[key]
    assert_refused(error, message, score, y_true, y_pred)


@pytest.mark.parametrize("score", EVERY)
@pytest.mark.parametrize("key", BAD_WEIGHTS)
def test_bad_weights(score, key):
    weights, message = BAD_WEIGHTS[key]
    y = [["O", "O"], ["O"]]
    assert_refused(ValueError, message, score, y, y, sample_weight=weights)


BAD_TAGS = {
    "no prefix": ({}, "per", "y_true holds 'per', which is no tag of scheme='BIO'"),
    "a prefix of another scheme": (
        {},
        "E-x",
        "y_true holds 'E-x', which is no tag of scheme='BIO': expected 'O', or B or I, "
        "a hyphen and a type.",
    ),
    "a prefix of none": (
        {"scheme": "BIOES"},
        "L-x",
        "'L-x', which is no tag of scheme='BIOES': expected 'O', or B or I or E or S, ",
    ),
    "a longer prefix": ({}, "BI-x", "y_true holds 'BI-x', which is no tag"),
    "O with a type": ({}, "O-x", "y_true holds 'O-x', which is no tag"),
    "an empty tag": ({}, "", "y_true holds '', which is no tag"),
    "no hyphen": ({}, "B_x", "y_true holds 'B_x', which is no tag"),
    "a number": ({}, 3, "y_true holds 3, which is no tag"),
}


@pytest.mark.parametrize("key", BAD_TAGS)
def test_bad_tags(key):
    options, tag, message = BAD_TAGS[key]
    y = [[tag, tag]]
    assert_refused(ValueError, message, span_f1_score, y, y, **options)
    if isinstance(tag, str):
        message = message.replace("y_true", "y_pred")
        assert_refused(ValueError, message, span_f1_score, [["O", "O"]], y, **options)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("scheme", "BILOU", "must be one of 'BIO', 'IOB2', 'BIOES', 'IOBES'. Got "),
        ("scheme", None, "The 'scheme' parameter of span_f1_score must be one of"),
        ("scheme", ["BIO"], "Got ['BIO'] instead."),
        ("mode", "exact", "must be one of 'lenient', 'strict'. Got 'exact' instead."),
        ("average", "samples", "'micro', 'macro', 'weighted', None. Got 'samples'"),
        ("zero_division", 0.5, "must be 'warn', 0, 1 or nan. Got 0.5 instead."),
        ("zero_division", "ignore", "Got 'ignore' instead."),
        ("zero_division", None, "Got None instead."),
    ],
)
def test_bad_parameters_of_span_f1(name, value, message):
    y = [["O"]]
    assert_refused(ValueError, message, span_f1_score, y, y, **{name: value})


BAD_PROBABILITIES = {
    "do not add up": (
        [[0, 1]],
        HALVES * 0.8,
        {},
        "The probabilities of every step must add up to 1. Those of a step of y_proba "
        "add up to 0.8.",
    ),
    "negative": ([0], [[1.5, -0.5]], {"labels": [0, 1]}, "from 0 to 1. Got -0.5; of "),
    "logarithms": ([[0, 1]], np.log(HALVES), {}, "of logarithms take the exponential"),
    "above 1": ([[0, 1]], HALVES * 4, {}, "y_proba must hold probabilities, from 0 "),
    "NaN": ([[0, 1]], HALVES * NAN, {}, "Input y_proba contains NaN."),
    "inf": ([[0, 1]], HALVES * np.inf, {}, "from 0 to 1. Got inf; "),
    "NaN among labels": ([0.0, NAN], HALVES[0], {}, "Input y_true contains NaN."),
    "fewer labels than columns": (
        [[0, 0]],
        HALVES,
        {},
        "y_proba has 2 columns, but there are 1 labels; give the label of each column "
        "as `labels`: `classes_` of a classifier.",
    ),
    "more labels than columns": ([[0, 1]], HALVES, {"labels": [0, 1, 2]}, "are 3 labe"),
    "an unknown label": (
        [[0, 3]],
        HALVES,
        {"labels": [0, 1]},
        "y_true holds 3, which is none of the labels.",
    ),
    "a label twice": ([[0, 0]], HALVES, {"labels": [0, 0]}, "labels must differ. Got"),
    "other numbers of samples": (
        [[0, 1], [0, 1]],
        HALVES,
        {},
        "Found input variables with inconsistent numbers of samples: [2, 1]",
    ),
    "other lengths": (
        [[0, 1, 0]],
        HALVES,
        {},
        "y_true[0] has 3 labels, but y_proba[0] has 2; every step needs both.",
    ),
    "other lengths in lists": (
        [[0], [0, 1]],
        [HALVES[0], HALVES[0]],
        {},
        "y_true[0] has 1 labels, but y_proba[0] has 2; every step needs both.",
    ),
    "other widths in lists": (
        [[0, 1], [0]],
        [HALVES[0], np.ones((1, 1))],
        {},
        "y_proba[1] has 1 columns, but y_proba[0] has 2; every step needs one for ",
    ),
    "no axis of steps": (
        [[0, 1]],
        HALVES[0],
        {},
        "y_proba has shape (2, 2); expected 3 dimensions: (n_samples, n_timesteps, "
        "n_classes), or a list, for one label a step.",
    ),
    "an axis of steps": ([0], HALVES, {}, "y_proba has shape (1, 2, 2); expected 2 "),
    "one column": ([0, 1], [0.5, 0.5], {}, "y_proba has shape (2,); expected 2 dimens"),
    "text": ([[0, 1]], [[["a", "b"]] * 2], {}, "y_proba[0] must hold numbers of shape"),
    "an array for each sample beside an array": (
        np.array([[0, 1, 0]] * 2),
        list(np.full((2, 3, 2), 0.5)),
        {},
        "y_proba is a list beside a y_true of shape (2, 3); expected 3 arrays of shape "
        "(2, n_classes), one for each column. Got 2, one of shape (3, 2). For taggers "
        "give an array (n_samples, n_timesteps, n_classes).",
    ),
    "too few outputs": (
        np.array([[0, 1, 0]] * 2),
        [HALVES[0]] * 2,
        {},
        "expected 3 arrays of shape (2, n_classes), one for each column. Got 2, one of",
    ),
    "one sample less": (
        np.array([[0, 1, 0]] * 2),
        [HALVES[0], HALVES[0], HALVES[0][:1]],
        {},
        "Got 3, one of shape (1, 2).",
    ),
    "outputs of other widths": (
        np.array([[0, 1]] * 2),
        [HALVES[0], np.ones((2, 1))],
        {},
        "Got 2, one of shape (2, 1).",
    ),
    "outputs without columns": (
        np.array([[0, 1]] * 2),
        [np.ones(2), np.ones(2)],
        {},
        "Got 2, one of shape (2,).",
    ),
    "zeros of an output": (
        np.array([[0, 1]] * 2),
        [HALVES[0], HALVES[0] * 0],
        {},
        "must add up to 1. Those of a step of y_proba add up to 0.",
    ),
    "a list of lists": (
        [[0, 1], [0]],
        [[0.5, 0.5], [0.5]],
        {},
        "y_proba[0] must hold numbers of shape (n_timesteps, n_classes).",
    ),
    "nothing": ([], HALVES, {}, "y_true is empty; at least one sample is required."),
    "nothing predicted": ([[0, 1]], [], {}, "y_proba is empty"),
    "padding alone": ([[0, 1]], HALVES * 0, {}, "y_proba is 0 or has weight 0 everyw"),
    "zeros in a list": (
        [[0, 1], [0]],
        [HALVES[0] * 0, HALVES[0][:1]],
        {},
        "must add up to 1. Those of a step of y_proba add up to 0.",
    ),
}


@pytest.mark.parametrize("key", BAD_PROBABILITIES)
def test_bad_probabilities(key):
    y_true, y_proba, options, message = BAD_PROBABILITIES[key]
    assert_refused(ValueError, message, perplexity, y_true, y_proba, **options)


BAD_KINDS = {
    "labels of another kind": (
        [[0, 1]],
        HALVES,
        {"labels": ["a", "b"]},
        "Mix of label",
    ),
    "no probabilities": (
        [[0, 1]],
        None,
        {},
        "y_proba must hold probabilities. Got Non",
    ),
    "mixed labels": ([["a", 1]], HALVES, {}, "y_true[0] must hold strings or numbers "),
}


@pytest.mark.parametrize("key", BAD_KINDS)
def test_probabilities_of_the_wrong_kind(key):
    y_true, y_proba, options, message = BAD_KINDS[key]
    assert_refused(TypeError, message, perplexity, y_true, y_proba, **options)


def test_labels_without_an_order_are_told():
    mixed = pd.Series([datetime.timedelta(1), datetime.date(2020, 1, 1)])
    with pytest.raises(TypeError, match="y_true holds labels that can't be put in o"):
        perplexity(mixed, np.full((2, 2), 0.5))
