"""The F1 score of spans that are written as tags of single steps."""

import warnings
from dataclasses import dataclass
from numbers import Real
from typing import overload

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from skrnn._data.typing import (
    Array,
    Targets,
    Weights,
)
from skrnn.metrics._reading import read_pair

# Name of the scheme -> prefixes of its tags; the tag "O" has none. The second names
# are those of seqeval.
SCHEMES = {"BIO": "BI", "IOB2": "BI", "BIOES": "BIES", "IOBES": "BIES"}
MODES = ("lenient", "strict")
AVERAGES = ("micro", "macro", "weighted", None)


@overload
def span_f1_score(
    y_true: Targets,
    y_pred: Targets,
    *,
    scheme: str = ...,
    mode: str = ...,
    average: str = ...,
    sample_weight: Weights | None = ...,
    zero_division: str | float = ...,
) -> float: ...


@overload
def span_f1_score(
    y_true: Targets,
    y_pred: Targets,
    *,
    scheme: str = ...,
    mode: str = ...,
    average: None,
    sample_weight: Weights | None = ...,
    zero_division: str | float = ...,
) -> Array: ...


def span_f1_score(
    y_true: Targets,
    y_pred: Targets,
    *,
    scheme: str = "BIO",
    mode: str = "lenient",
    average: str | None = "micro",
    sample_weight: Weights | None = None,
    zero_division: str | float = "warn",
) -> float | Array:
    """Return the F1 score of whole spans: chunks, entities, slots.

    A predicted span is right if a true one begins and ends at the same steps and has
    the same type. Tags are "O", outside of any span, or a prefix, a hyphen and the type
    of the span: "B-date". A prefix alone has an empty type.

    Parameters
    ----------
    y_true : array-like of shape (n, T), or list of (T_i,)
        True tags.
    y_pred : array-like of shape (n, T), or list of (T_i,)
        Predicted tags of the same sequences. Empty strings at the ends of an array are
        padding, which doesn't count.
    scheme : {"BIO", "BIOES", "IOB2", "IOBES"}, default="BIO"
        What the prefixes are. "BIO": "B" begins a span and "I" continues it. "BIOES":
        "E" ends one as well, and "S" is one of a single step. "IOB2" and "IOBES" are
        other names for the two.
    mode : {"lenient", "strict"}, default="lenient"
        What counts as a span if the predicted tags break the scheme. "lenient" counts
        as the shared tasks of CoNLL did: an "I" after "O" or after another type also
        begins a span. "strict" ignores spans that break the scheme.
    average : {"micro", "macro", "weighted"} or None, default="micro"
        "micro" counts the spans of all types together, "macro" is the mean of the
        types' scores and "weighted" the mean weighted by the number of true spans. None
        returns the score of each type, sorted by name.
    sample_weight : array-like of shape (n,) or (n, T), or list of (T_i,), default=None
        Weight of each sequence's spans, or of each tag: a span has the mean weight of
        its tags. Tags of weight 0 are left out; the tags before and after them then
        count as neighbours.
    zero_division : {"warn", 0, 1, np.nan}, default="warn"
        What to return if there is neither a true nor a predicted span. "warn" returns 0
        and warns.

    Returns
    -------
    score : float, or ndarray of shape (n_types,) without `average`
        From 0 to 1, the best.

    Raises
    ------
    ValueError, TypeError
        If the sequences differ in length, are empty or contain a tag that isn't in the
        scheme, or if a parameter is unknown.

    Warns
    -----
    UndefinedMetricWarning
        If there is no span, and `zero_division` is "warn".

    See Also
    --------
    token_accuracy_score : The share of single labels that are right.

    Notes
    -----
    The names and the results are those of seqeval's ``f1_score``, whose mode None is
    "lenient" here. But with "macro" and no span at all it returns NaN, whatever
    `zero_division` is. The rules are those of the script ``conlleval`` (Tjong Kim Sang
    & Buchholz, 2000, Introduction to the CoNLL-2000 shared task: chunking).

    Examples
    --------
    >>> from skrnn.metrics import span_f1_score
    >>> y_true = [["B-name", "O", "B-place", "I-place"], ["O", "B-place"]]
    >>> y_pred = [["B-name", "O", "B-place", "O"], ["O", "B-place"]]
    >>> span_f1_score(y_true, y_pred)
    0.6666666666666666
    >>> span_f1_score(y_true, y_pred, average=None)
    array([1. , 0.5])
    """
    _check_parameters(scheme, mode, average, zero_division)
    pair = read_pair(y_true, y_pred, sample_weight)
    truth, predicted = pair.truth, pair.predicted
    tags = np.concatenate([truth.flat, predicted.flat])
    prefixes, types, n_types = _parse(tags, scheme, len(truth.flat))
    halves = zip(np.split(prefixes, 2), np.split(types, 2), strict=True)
    firsts = np.zeros(len(truth.flat), bool)
    firsts[truth.firsts()[truth.lengths > 0]] = True
    true, found = (_find_spans(*half, firsts, mode, SCHEMES[scheme]) for half in halves)
    counts = _count(true, found, pair.weights, n_types)
    return _average(counts, average, zero_division)


def _check_parameters(scheme, mode, average, zero_division):
    allowed = {
        "scheme": (scheme, tuple(SCHEMES)),
        "mode": (mode, MODES),
        "average": (average, AVERAGES),
    }
    for name, (value, choices) in allowed.items():
        if not (value is None or isinstance(value, str)) or value not in choices:
            raise ValueError(
                f"The {name!r} parameter of span_f1_score must be one of "
                f"{', '.join(map(repr, choices))}. Got {value!r} instead."
            )
    number = isinstance(zero_division, Real) and not isinstance(zero_division, bool)
    known = number and (zero_division in (0, 1) or zero_division != zero_division)
    if not known and not (isinstance(zero_division, str) and zero_division == "warn"):
        raise ValueError(
            "The 'zero_division' parameter of span_f1_score must be 'warn', 0, 1 or "
            f"nan. Got {zero_division!r} instead."
        )


def _parse(tags, scheme, n_true):
    """Return each tag's prefix and the number of its type, and the number of types.

    Types are numbered in sorted order; those of "O" have the number -1.
    """
    known, places = np.unique(tags, return_inverse=True)
    parts = []
    for place, tag in enumerate(known.tolist()):
        prefix, hyphen, type_ = tag.partition("-") if isinstance(tag, str) else [""] * 3
        outside = prefix == "O" and not hyphen
        if not outside and (len(prefix) != 1 or prefix not in SCHEMES[scheme]):
            name = "y_true" if place in places[:n_true] else "y_pred"
            raise ValueError(
                f"{name} holds {tag!r}, which is no tag of scheme={scheme!r}: expected "
                f"'O', or {' or '.join(SCHEMES[scheme])}, a hyphen and a type."
            )
        parts.append((prefix, type_))
    types = sorted({type_ for prefix, type_ in parts if prefix != "O"})
    numbers = {type_: i for i, type_ in enumerate(types)}
    prefixes = np.array([prefix for prefix, _ in parts])
    codes = np.array([-1 if p == "O" else numbers[type_] for p, type_ in parts])
    return prefixes[places], codes[places], len(types)


@dataclass(frozen=True)
class _Spans:
    """Spans by the step where they begin: the last step and the type; -1 elsewhere."""

    ends: np.ndarray
    types: np.ndarray


def _find_spans(prefixes, types, firsts, mode, known):
    inside = prefixes != "O"
    # Prefixes that continue a span; any other begins one, as in conlleval.
    continues = np.isin(prefixes, ["I", "E"])
    continues[1:] &= np.isin(prefixes[:-1], ["B", "I"]) & (types[1:] == types[:-1])
    continues &= ~firsts
    begins = np.flatnonzero(inside & ~continues)
    ends = np.flatnonzero(inside & ~np.append(continues[1:], False))
    if mode == "strict":
        well = prefixes[begins] == "B"
        if "S" in known:
            well &= prefixes[ends] == "E"
            well |= prefixes[begins] == "S"
        begins, ends = begins[well], ends[well]
    found = np.full((2, len(prefixes)), -1)
    found[:, begins] = ends, types[begins]
    return _Spans(*found)


def _count(true, predicted, weights, n_types):
    """Return the weights of the true, predicted and right spans of each type."""
    same = (true.ends == predicted.ends) & (true.types == predicted.types)
    right = _Spans(true.ends, np.where(same, true.types, -1))

    def total(spans):
        firsts = np.flatnonzero(spans.types >= 0)
        of_spans = _mean_weights(weights, firsts, spans.ends[firsts])
        return np.bincount(spans.types[firsts], of_spans, minlength=n_types)

    return [total(spans) for spans in (true, predicted, right)]


def _mean_weights(weights, firsts, lasts):
    """Return the mean weight of the tags of each span."""
    sums = np.concatenate([[0.0], np.cumsum(weights)])
    means = (sums[lasts + 1] - sums[firsts]) / (lasts + 1 - firsts)
    # Cumulative sums would round equal weights.
    changes = np.concatenate([[0], np.cumsum(weights[1:] != weights[:-1])])
    return np.where(changes[lasts] == changes[firsts], weights[firsts], means)


def _average(counts, average, zero_division):
    true, predicted, right = counts
    if average == "micro":
        true, predicted, right = (np.array([count.sum()]) for count in counts)
    if not (true + predicted).any():
        return _undefined(average, zero_division)
    # Types that occur only in sequences of weight 0 don't count.
    there = true + predicted > 0
    scores = 2 * right[there] / (true + predicted)[there]
    if average is None:
        return scores
    if average == "weighted" and true.any():
        return float(np.average(scores, weights=true[there]))
    return float(scores.mean())


def _undefined(average, zero_division):
    if isinstance(zero_division, str):
        warnings.warn(
            "The F1 score of spans is ill-defined and set to 0.0, since neither y_true "
            "nor y_pred holds a span. Use the `zero_division` parameter to control "
            "this behavior.",
            UndefinedMetricWarning,
            stacklevel=4,
        )
        zero_division = 0
    return float(zero_division) if average else np.empty(0)
