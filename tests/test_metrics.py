"""Scores of label sequences: what they count, what they refuse, and their scorers."""

import warnings
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from skrnn import GRUClassifier, Seq2SeqClassifier
from skrnn._data.sequences import ragged_array
from skrnn.metrics import (
    get_scorer,
    get_scorer_names,
    perplexity,
    sequence_accuracy_score,
    span_f1_score,
    token_accuracy_score,
)
from skrnn.preprocessing import WordFeaturizer
from skrnn.text import TextGenerator

T, P = [["a", "b", "c"], ["a"]], [["a", "b", "b"], ["a"]]
TOKEN_WISE = (token_accuracy_score, span_f1_score)
EVERY = (*TOKEN_WISE, sequence_accuracy_score)

FORMS = {
    "lists": list,
    "tuples": lambda y: tuple(map(tuple, y)),
    "arrays": lambda y: [np.array(labels) for labels in y],
    "object array": lambda y: ragged_array([np.array(labels) for labels in y]),
    "series": lambda y: pd.Series(y),
}


# What they count


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_labels_is_read(form):
    tags = [["B-x", "I-x", "O"], ["O"], ["B-x"]]
    found = [["B-x", "O", "O"], ["O"], ["B-x"]]
    pair = FORMS[form](tags), FORMS[form](found)
    assert token_accuracy_score(*pair) == 4 / 5
    assert sequence_accuracy_score(*pair) == 2 / 3
    assert span_f1_score(*pair) == 1 / 2


@pytest.mark.parametrize("as_frame", [np.asarray, pd.DataFrame])
def test_arrays_are_sequences_of_one_length(as_frame):
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 2, (2, 6, 4))
    expected = np.mean(truth == predicted)
    assert token_accuracy_score(as_frame(truth), as_frame(predicted)) == expected
    expected = np.mean((truth == predicted).all(axis=1))
    assert sequence_accuracy_score(as_frame(truth), as_frame(predicted)) == expected


def test_token_accuracy_is_that_of_all_labels():
    weights = [1, 3]
    flat = [label for labels in T for label in labels]
    other = [label for labels in P for label in labels]
    assert token_accuracy_score(T, P) == accuracy_score(flat, other)
    found = token_accuracy_score(T, P, sample_weight=weights)
    assert found == accuracy_score(flat, other, sample_weight=[1, 1, 1, 3])


NULS = {
    "at an end": ([["a\0", "b"]], [["a", "b"]], 0.5),
    "nothing but one": ([["\0"], ["b"]], [[""], ["b"]], 0.5),
    "in one of the sequences": ([["a"], ["b\0"]], [["a"], ["b\0"]], 1.0),
    "as a tuple": ([("a\0",)], [("a\0\0",)], 0.0),
}


@pytest.mark.parametrize("key", NULS)
def test_labels_are_compared_to_their_last_character(key):
    y_true, y_pred, score = NULS[key]
    assert token_accuracy_score(y_true, y_pred) == score
    assert token_accuracy_score(y_pred, y_true) == score
    assert sequence_accuracy_score(y_true, y_pred) == (score if len(y_true) > 1 else 0)


def test_ignored_labels_do_not_count():
    truth, predicted = [[1, 2, 0], [3, 0, 0]], [[1, 1, 0], [3, 0, 1]]
    assert token_accuracy_score(truth, predicted, ignore_label=0) == 2 / 3
    assert token_accuracy_score(truth, predicted) == 4 / 6
    with pytest.raises(ValueError, match="ignore_label=0 or has weight 0"):
        token_accuracy_score([[0, 0]], [[0, 0]], ignore_label=0)
    # Of the same type it needn't be there.
    assert token_accuracy_score([["a", "b"]], [["a", "a"]], ignore_label="PAD") == 0.5
    assert token_accuracy_score([[True, False]], [[True] * 2], ignore_label=-1.0) == 0.5


OTHER_TYPES = {
    "text": ([[1, 2]], "1", "ignore_label='1' is of another type than the labels of"),
    "bytes": ([[1, 2]], b"1", "such as 1: expected a number."),
    "a number": ([["a", "b"]], 0, "y_true, such as 'a': expected text."),
    "a list": ([["a", "b"]], ["a"], "such as 'a': expected text."),
    "a number beside objects": ([["a\0", "b"]], 0, "expected text."),
}


@pytest.mark.parametrize("key", OTHER_TYPES)
def test_a_label_of_another_type_is_not_ignored(key):
    y, label, message = OTHER_TYPES[key]
    assert_refused(TypeError, message, token_accuracy_score, y, y, ignore_label=label)


def test_sequences_of_another_length_are_wrong():
    assert sequence_accuracy_score([[1, 2], [3], []], [[1], [3], []]) == 2 / 3
    assert sequence_accuracy_score(["ab", "", "c"], ["ab", "", "cd"]) == 2 / 3
    assert sequence_accuracy_score(["ab", "c"], [["a", "b"], ["d"]]) == 1 / 2
    weights = [3, 1]
    assert sequence_accuracy_score(["a", "b"], ["a", ""], sample_weight=weights) == 0.75


# Spans


# Tags -> their spans, first and last step and type: by "lenient", and by "strict".
BIO = {
    "O": ([], []),
    "B-x I-x O B-y": ([(0, 1, "x"), (3, 3, "y")],) * 2,
    "B-x B-x": ([(0, 0, "x"), (1, 1, "x")],) * 2,
    "I-x I-x O": ([(0, 1, "x")], []),
    "B-x I-y": ([(0, 0, "x"), (1, 1, "y")], [(0, 0, "x")]),
    "B-x-1 I-x-1": ([(0, 1, "x-1")],) * 2,
    "B I O B": ([(0, 1, ""), (3, 3, "")],) * 2,
}
BIOES = {
    "S-x O B-x I-x E-x": ([(0, 0, "x"), (2, 4, "x")],) * 2,
    "B-x E-x S-x": ([(0, 1, "x"), (2, 2, "x")],) * 2,
    "B-x O": ([(0, 0, "x")], []),
    "B-x I-x": ([(0, 1, "x")], []),
    "I-x E-x": ([(0, 1, "x")], []),
    "S-x I-x E-x": ([(0, 0, "x"), (1, 2, "x")], [(0, 0, "x")]),
    "B-x E-y": ([(0, 0, "x"), (1, 1, "y")], []),
    "E-x E-x": ([(0, 0, "x"), (1, 1, "x")], []),
}


def written(spans, n):
    """Write spans as tags of BIO that mean just them."""
    tags = ["O"] * n
    for first, last, type_ in spans:
        tags[first : last + 1] = [f"B-{type_}"] + [f"I-{type_}"] * (last - first)
    return tags


@pytest.mark.parametrize(
    ("scheme", "tags", "mode", "spans"),
    [
        (scheme, tags, mode, spans)
        for scheme, table in {"BIO": BIO, "BIOES": BIOES}.items()
        for tags, found in table.items()
        for mode, spans in zip(("lenient", "strict"), found, strict=True)
    ],
)
def test_spans_of_tags(scheme, tags, mode, spans):
    options = {"scheme": scheme, "mode": mode, "zero_division": 1}
    tags = tags.split()
    same = written(spans, len(tags))
    assert span_f1_score([tags], [same], **options | {"scheme": "BIOES"}) == 1 or (
        # Unless the scheme has another way to write them.
        mode == "strict" and spans
    )
    n = len(naive_spans(tags, mode, scheme))
    assert naive_spans(tags, mode, scheme) == set(spans)
    # One span more, in a sequence of its own, shows how many there are.
    one = "S-z" if scheme == "BIOES" else "B-z"
    found = span_f1_score([tags, [one]], [["O"] * len(tags), [one]], **options)
    assert found == 2 / (n + 2)


def naive_spans(tags, mode, scheme):
    """Follow the tags one by one: the plain twin of `span_f1_score`."""
    spans, now = [], None
    for t, tag in enumerate([*tags, "O"]):
        prefix, _, type_ = tag.partition("-")
        goes_on = now is not None and prefix in ("I", "E") and type_ == now["type"]
        if goes_on and now["prefixes"][-1] in ("B", "I"):
            now["prefixes"].append(prefix)
            continue
        if now is not None:
            spans.append(now)
        now = None
        if prefix != "O":
            now = {"first": t, "type": type_, "prefixes": [prefix]}
    if mode == "strict":
        spans = [span for span in spans if is_well_written(span["prefixes"], scheme)]
    return {(s["first"], s["first"] + len(s["prefixes"]) - 1, s["type"]) for s in spans}


def is_well_written(prefixes, scheme):
    if scheme == "BIO":
        return prefixes[0] == "B"
    return prefixes == ["S"] or (prefixes[0] == "B" and prefixes[-1] == "E")


def naive_f1(y_true, y_pred, average, mode, scheme):
    """Count spans one by one."""
    counts = {"true": Counter(), "predicted": Counter(), "right": Counter()}
    for tags, others in zip(y_true, y_pred, strict=True):
        true, predicted = (naive_spans(each, mode, scheme) for each in (tags, others))
        found = {"true": true, "predicted": predicted, "right": true & predicted}
        for name, spans in found.items():
            counts[name].update(type_ for *_, type_ in spans)
    types = sorted(counts["true"] | counts["predicted"])
    if average == "micro":
        n = {name: sum(count.values()) for name, count in counts.items()}
        total = n["true"] + n["predicted"]
        return 2 * n["right"] / total if total else 0.0
    both = counts["true"] + counts["predicted"]
    scores = [2 * counts["right"][type_] / both[type_] for type_ in types]
    if average is None or not types:
        return np.array(scores) if average is None else 0.0
    weights = [counts["true"][type_] for type_ in types]
    weights = weights if average == "weighted" and any(weights) else None
    return np.average(scores, weights=weights)


def pairs_of_tags(prefixes):
    """Draw true and predicted tags of a few sequences."""
    tags = ["O", *(f"{p}-{t}" for p in prefixes for t in "xy"), *prefixes]
    step = st.tuples(*[st.sampled_from(tags)] * 2)
    return st.lists(st.lists(step, min_size=1, max_size=9), min_size=1, max_size=5)


AVERAGES = ("micro", "macro", "weighted", None)
modes = st.sampled_from(["lenient", "strict"])


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
@settings(max_examples=150, deadline=None)
@given(data=st.data(), mode=modes, average=st.sampled_from(AVERAGES))
def test_span_f1_counts_as_its_plain_twin(scheme, data, mode, average):
    y_true, y_pred = drawn(data, scheme)
    found = span_f1_score(
        y_true, y_pred, scheme=scheme, mode=mode, average=average, zero_division=0
    )
    expected = naive_f1(y_true, y_pred, average, mode, scheme)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
@settings(max_examples=150, deadline=None)
@given(data=st.data(), mode=modes, average=st.sampled_from(AVERAGES))
def test_span_f1_agrees_with_seqeval(scheme, data, mode, average):
    metrics = pytest.importorskip("seqeval.metrics")
    from seqeval.scheme import IOB2, IOBES

    y_true, y_pred = drawn(data, scheme)
    found = span_f1_score(
        y_true, y_pred, scheme=scheme, mode=mode, average=average, zero_division=0
    )
    options = {"mode": None, "scheme": None}
    if mode == "strict":
        options = {"mode": "strict", "scheme": {"BIO": IOB2, "BIOES": IOBES}[scheme]}
    with warnings.catch_warnings():
        # It takes means of nothing where there is no span.
        warnings.simplefilter("ignore")
        expected = metrics.f1_score(
            y_true, y_pred, average=average, zero_division=0, **options
        )
    np.testing.assert_allclose(found, np.nan_to_num(expected), rtol=1e-12)


def test_span_f1_of_no_span_is_a_number_where_seqeval_has_none():
    metrics = pytest.importorskip("seqeval.metrics")
    nothing, options = ([["O"]], [["O"]]), dict(average="macro", zero_division=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.isnan(metrics.f1_score(*nothing, **options))
    assert span_f1_score(*nothing, **options) == 0


def drawn(data, scheme):
    pairs = data.draw(pairs_of_tags({"BIO": "BI", "BIOES": "BIES"}[scheme]))
    return [[[pair[i] for pair in steps] for steps in pairs] for i in (0, 1)]


def test_span_f1_knows_the_other_names_of_schemes():
    y = [["B-x", "E-x", "S-x"]], [["B-x", "E-x", "O"]]
    found = [span_f1_score(*y, scheme=name) for name in ("BIOES", "IOBES")]
    assert found == [2 / 3, 2 / 3]
    assert span_f1_score([["B", "I"]], [["B", "O"]], scheme="IOB2") == 0


def test_span_f1_weighs_sequences():
    y_true, y_pred = [["B-x"], ["B-x"]], [["B-x"], ["O"]]
    doubled = span_f1_score([*y_true, ["B-x"]], [*y_pred, ["B-x"]])
    assert span_f1_score(y_true, y_pred, sample_weight=[2, 1]) == doubled
    only = span_f1_score(y_true, y_pred, average=None, sample_weight=[1, 0])
    np.testing.assert_array_equal(only, [1.0])


@pytest.mark.parametrize("average", AVERAGES)
def test_no_span_at_all_warns(average):
    nothing = [["O"]], [["O"]]
    with pytest.warns(UndefinedMetricWarning, match="neither y_true nor y_pred"):
        found = span_f1_score(*nothing, average=average)
    assert np.shape(found) == (() if average else (0,))
    assert average is None or found == 0
    if average:
        given = [
            span_f1_score(*nothing, average=average, zero_division=value)
            for value in (0, 1, np.nan)
        ]
        np.testing.assert_array_equal(given, [0, 1, np.nan])


# Perplexity


def probabilities(*shape, seed=0):
    drawn = np.random.default_rng(seed).random(shape)
    return drawn / drawn.sum(axis=-1, keepdims=True)


def test_perplexity_is_the_exponential_of_the_log_loss():
    proba = probabilities(20, 3)
    y = np.random.default_rng(1).integers(0, 3, 20)
    weights = np.arange(20.0)
    expected = np.exp(log_loss(y, proba, labels=[0, 1, 2], sample_weight=weights))
    found = perplexity(y, proba, labels=[0, 1, 2], sample_weight=weights)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    words = np.array(["a", "b", "c"])[y]
    np.testing.assert_allclose(perplexity(words, proba), perplexity(y, proba))


def test_perplexity_of_steps_in_every_form():
    proba = probabilities(4, 5, 3)
    y = np.random.default_rng(1).integers(0, 3, (4, 5))
    y[0, :3] = 0, 1, 2
    expected = perplexity(y.ravel(), proba.reshape(-1, 3))
    assert perplexity(y, proba) == expected
    assert perplexity(list(y), list(proba)) == expected
    lengths = (5, 2, 1, 3)
    ragged = ragged_array([each[:n] for each, n in zip(proba, lengths, strict=True)])
    labels = [each[:n].tolist() for each, n in zip(y, lengths, strict=True)]
    expected = perplexity(np.concatenate(labels), np.concatenate(list(ragged)))
    assert perplexity(labels, ragged) == expected
    # The padding of an array, as predict_proba has it.
    for each, n in zip(proba, lengths, strict=True):
        each[n:] = 0
    np.testing.assert_allclose(perplexity(y, proba, labels=[0, 1, 2]), expected)


def test_perplexity_of_frames():
    proba = probabilities(4, 5, 3)
    proba[0, 3:] = 0
    y = np.random.default_rng(1).integers(0, 3, (4, 5))
    options = {"labels": [0, 1, 2]}
    expected = perplexity(y, proba, **options)
    assert perplexity(pd.DataFrame(y), proba, **options) == expected
    flat = pd.Series(y[1]), pd.DataFrame(proba[1])
    assert perplexity(*flat, **options) == perplexity(y[1], proba[1], **options)


@pytest.mark.parametrize("shape", [(4, 5), (5, 4), (4, 4), (6, 1), (1, 3)])
@pytest.mark.parametrize("form", [np.asarray, pd.DataFrame])
def test_perplexity_of_an_array_for_each_output(shape, form):
    proba = probabilities(*shape, 3)
    y = np.random.default_rng(1).integers(0, 3, shape)
    weights = np.arange(1.0, 1 + len(y))
    options = {"labels": [0, 1, 2], "sample_weight": weights}
    by_output = list(np.swapaxes(proba, 0, 1))
    expected = perplexity(y, proba, **options)
    for listed in (by_output, tuple(by_output), list(map(pd.DataFrame, by_output))):
        assert perplexity(form(y), listed, **options) == expected
    # Nested lists are an array, and lists of labels have a list with each sample's.
    assert perplexity(form(y), proba.tolist(), **options) == expected
    assert perplexity(y.tolist(), list(proba), **options) == expected


PADDING_LABELS = {
    "a number": (-1, [0, 1, 2]),
    "a number, without labels": (-1, None),
    "text": ("PAD", ["a", "b", "c"]),
    "nothing": ("", None),
}


@pytest.mark.parametrize("key", PADDING_LABELS)
@pytest.mark.parametrize("nested", [False, True])
def test_the_labels_of_padding_are_never_looked_up(key, nested):
    padding, labels = PADDING_LABELS[key]
    proba, real = probabilities(4, 5, 3), np.arange(5) < np.array([[5], [2], [1], [3]])
    names = np.array([0, 1, 2] if isinstance(padding, int) else ["a", "b", "c"])
    y = names[np.random.default_rng(1).integers(0, 3, (4, 5))]
    y[0, :3] = names
    expected = perplexity(y[real], proba[real], labels=labels)
    padded = np.where(real, y, padding)
    proba[~real] = 0
    padded = padded.tolist() if nested else padded
    found = perplexity(padded, proba, labels=labels)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_perplexity_of_certainty_and_of_error():
    assert perplexity([0, 1], np.eye(2)) == 1
    assert perplexity([1, 0], np.eye(2)) == np.inf
    assert perplexity([1, 0, 1], np.eye(2)[[0, 0, 1]], sample_weight=[0, 1, 1]) == 1


# What they refuse


NAN = float("nan")
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


def assert_refused(error, message, function, *args, **options):
    with pytest.raises(error) as caught:
        function(*args, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


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


HALVES = np.full((1, 2, 2), 0.5)
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


# Scorers


SENTENCES = [["See", "Ann", "Lee", "run"], ["Tom", "ran"], ["We", "saw", "Tom"]] * 8
TAGS = ragged_array(
    [np.array(tags) for tags in [["O", "B", "I", "O"], ["B", "O"], ["O", "O", "B"]] * 8]
)
TAGGER = make_pipeline(
    WordFeaturizer(("lower", "shape")),
    GRUClassifier(
        units=4,
        embedding_dim=4,
        return_sequences=True,
        epochs=30,
        learning_rate=0.05,
        random_state=0,
    ),
)
SCORING = {name: get_scorer(name) for name in get_scorer_names()}


def test_scorers_serve_searches_in_workers():
    grid = {"gruclassifier__epochs": [1, 30]}
    found = [
        GridSearchCV(
            TAGGER, grid, scoring=SCORING, refit="span_f1", cv=2, n_jobs=n_jobs
        ).fit(SENTENCES, TAGS)
        for n_jobs in (1, 2)
    ]
    for search in found:
        assert search.best_params_ == {"gruclassifier__epochs": 30}
        assert search.best_score_ > 0.95
    for name in SCORING:
        scores = [search.cv_results_[f"mean_test_{name}"] for search in found]
        np.testing.assert_array_equal(*scores)
        assert scores[0][1] > scores[0][0]


def test_scorers_are_the_scores():
    tagger = TAGGER.fit(SENTENCES[:12], TAGS[:12])
    X, y = SENTENCES[12:], TAGS[12:]
    predicted, proba = tagger.predict(X), tagger.predict_proba(X)
    expected = {
        "neg_perplexity": -perplexity(y, proba, labels=tagger.classes_),
        "sequence_accuracy": sequence_accuracy_score(y, predicted),
        "span_f1": span_f1_score(y, predicted),
        "token_accuracy": token_accuracy_score(y, predicted),
    }
    found = {name: score(tagger, X, y) for name, score in SCORING.items()}
    assert found == expected
    assert expected["token_accuracy"] == tagger.score(X, y)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("dense", [False, True])
def test_perplexity_scores_any_number_of_classes(classes, dense):
    rng = np.random.default_rng(0)
    X = rng.integers(1, 7, (40, 5))
    y = X % classes
    if not dense:
        X, y = list(X), ragged_array(y)
    model = GRUClassifier(
        embedding_dim=4, units=4, return_sequences=True, epochs=2, random_state=0
    )
    options = {"scoring": get_scorer("neg_perplexity"), "cv": 2}
    scores = cross_validate(model, X, y, **options)["test_score"]
    assert (scores > -classes - 0.5).all()
    assert (scores < -1).all()


LABELLED = {
    "one label": lambda X: X[:, -1],
    "rows": lambda X: X[:, ::-1],
    "as many rows as columns": lambda X: X[:, ::-1],
    "text": lambda X: X[:, :3].astype(str),
}


@pytest.mark.parametrize("key", LABELLED)
@pytest.mark.parametrize("piped", [False, True])
def test_perplexity_scores_arrays_of_labels_that_answer_sequences(key, piped):
    n = 5 if key.startswith("as many") else 40
    X = np.random.default_rng(0).integers(1, 4, (n, 5))
    y = LABELLED[key](X)
    model = Seq2SeqClassifier(embedding_dim=4, units=4, epochs=5, random_state=0)
    model = (make_pipeline("passthrough", model) if piped else model).fit(X, y)
    steps = model.predict_proba(X)
    steps = steps if y.ndim > 1 else [steps]
    # One after the other, label by label.
    places = np.searchsorted(model.classes_, y).reshape(n, -1)
    chosen = [steps[h][i, place] for (i, h), place in np.ndenumerate(places)]
    expected = np.exp(-np.log(chosen).mean())
    score = get_scorer("neg_perplexity")
    np.testing.assert_allclose(score(model, X, y), -expected, rtol=1e-6)
    np.testing.assert_allclose(score(model, X, y.tolist()), -expected, rtol=1e-6)
    np.testing.assert_allclose(
        perplexity(y, model.predict_proba(X), labels=model.classes_), expected
    )


PREDICTED = {
    "a frame": ([0, 1, 1], pd.DataFrame(np.full((3, 2), 0.5))),
    "a list for each sample": ([[0], [1, 1, 0]], [HALVES[0][:1], HALVES[0][[0, 0, 1]]]),
    "an array for each output": ([[0, 1, 0], [1, 1, 0]], [HALVES[0]] * 3),
}


@pytest.mark.parametrize("key", PREDICTED)
def test_perplexity_scores_what_other_estimators_predict(key):
    y, proba = PREDICTED[key]
    other = SimpleNamespace(classes_=np.array([0, 1]), predict_proba=lambda _: proba)
    assert get_scorer("neg_perplexity")(other, y, y) == -2


@pytest.mark.parametrize("as_lists", [False, True])
@pytest.mark.parametrize("piped", [False, True])
def test_what_is_written_to_its_end_has_no_perplexity_of_true_labels(as_lists, piped):
    words = ["ab", "ba", "aab", "bb"] * 3
    y = [list(word) for word in words] if as_lists else words
    model = Seq2SeqClassifier(units=2, epochs=1, random_state=0)
    model = (make_pipeline("passthrough", model) if piped else model).fit(words, y)
    message = (
        "neg_perplexity can't score strings or lists of labels that a "
        f"{type(model).__name__} writes: its predict_proba is about the labels"
    )
    assert_refused(ValueError, message, get_scorer("neg_perplexity"), model, words, y)
    assert 0 <= get_scorer("sequence_accuracy")(model, words, y) <= 1


def test_perplexity_scores_a_padded_tagger_whatever_stands_at_padding():
    X = np.array([[1, 2, 0], [2, 1, 2], [2, 0, 0], [1, 1, 0]] * 4)
    model = GRUClassifier(
        embedding_dim=4, units=4, return_sequences=True, epochs=2, random_state=0
    )
    tagger, score = model.fit(X, X), get_scorer("neg_perplexity")
    expected = score(tagger, X, X)
    assert tagger.classes_.tolist() == [1, 2]
    assert score(tagger, X, np.where(X, X, -100)) == expected


def test_scorers_of_sequences_with_one_label():
    X = np.random.default_rng(0).integers(1, 7, (40, 5))
    model = GRUClassifier(embedding_dim=4, units=4, epochs=2, random_state=0)
    model.fit(X, X[:, -1])
    found = get_scorer("neg_perplexity")(model, X, X[:, -1])
    expected = log_loss(X[:, -1], model.predict_proba(X))
    np.testing.assert_allclose(found, -np.exp(expected))


def test_names_of_scorers():
    assert get_scorer_names() == sorted(SCORING)
    with pytest.raises(ValueError, match="'f1' is not a valid scoring value") as caught:
        get_scorer("f1")
    assert "span_f1" in str(caught.value)
    assert get_scorer("span_f1") is not get_scorer("span_f1")
    assert repr(get_scorer("neg_perplexity")) == "get_scorer('neg_perplexity')"


@pytest.mark.parametrize("scoring", [["a"], None, len, 3], ids=str)
def test_a_name_is_a_str(scoring):
    with pytest.raises(ValueError, match="is not a valid scoring value"):
        get_scorer(scoring)


@pytest.mark.parametrize("name", SCORING)
def test_every_scorer_can_ask_for_weights(name):
    y = TAGS.copy()
    for i in range(8):
        y[i] = np.full(len(y[i]), "O")
    model, weights = clone(TAGGER).set_params(gruclassifier__epochs=10), np.arange(24.0)
    tagger, score = clone(model).fit(SENTENCES, y), get_scorer(name)
    expected = score(tagger, SENTENCES, y, sample_weight=weights)
    assert expected != score(tagger, SENTENCES, y, sample_weight=weights[::-1])
    options = dict(params={"sample_weight": weights}, cv=[(range(24), range(24))])
    with config_context(enable_metadata_routing=True):
        model[-1].set_fit_request(sample_weight=False)
        asks, other = (
            each.set_score_request(sample_weight=True)
            for each in (score, get_scorer("token_accuracy"))
        )
        alone = cross_validate(model, SENTENCES, y, scoring=asks, **options)
        both = {"one": asks, "two": other}
        together = cross_validate(model, SENTENCES, y, scoring=both, **options)
    assert alone["test_score"] == together["test_one"] == expected


def test_perplexity_of_a_language_model_is_its_own():
    texts = ["abab", "baba"] * 4
    options = dict(units=2, lookback=4, epochs=1, random_state=0)
    model = TextGenerator(**options).fit(texts)
    score = get_scorer("neg_perplexity")
    assert score(model, texts) == score(model, texts, None) == -model.perplexity(texts)
    scoring = {"ppl": score, "again": get_scorer("neg_perplexity")}
    found = cross_validate(TextGenerator(**options), texts, scoring=scoring, cv=2)
    np.testing.assert_array_equal(found["test_ppl"], found["test_again"])
    assert np.isfinite(found["test_ppl"]).all()


def test_perplexity_of_a_language_model_knows_no_weights():
    texts = ["abab", "baba"] * 4
    model = TextGenerator(units=2, lookback=4, epochs=1, random_state=0).fit(texts)
    message = "neg_perplexity takes no sample_weight for a TextGenerator, whose own"
    score, weights = get_scorer("neg_perplexity"), np.ones(8)
    assert_refused(TypeError, message, score, model, texts, sample_weight=weights)


def test_perplexity_of_a_tagger_needs_labels():
    tagger = clone(TAGGER).fit(SENTENCES, TAGS)
    with pytest.raises(ValueError, match="needs y_true to score a Pipeline, but y_tr"):
        get_scorer("neg_perplexity")(tagger, SENTENCES)
