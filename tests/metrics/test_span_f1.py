"""The F1 score of spans."""

import warnings
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import UndefinedMetricWarning

from skrnn.metrics import span_f1_score

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
@settings(max_examples=150)
@given(data=st.data(), mode=modes, average=st.sampled_from(AVERAGES))
def test_span_f1_counts_as_its_plain_twin(scheme, data, mode, average):
    y_true, y_pred = drawn(data, scheme)
    found = span_f1_score(
        y_true, y_pred, scheme=scheme, mode=mode, average=average, zero_division=0
    )
    expected = naive_f1(y_true, y_pred, average, mode, scheme)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
@settings(max_examples=150)
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
