"""Chains of labels: which may follow each other, and which weights they may have."""

import numpy as np

_LAST = "the end of the sequence"
_FIRST = "the start of the sequence"


def excluded_transitions(illegal, classes):
    """Return which labels may not follow each other.

    Parameters
    ----------
    illegal : "bio", list of pairs, or None
        Pairs of a label and one that may not follow it; None as the first stands for
        the start of a sequence, as the second for its end. "bio": ``I-x`` follows only
        ``B-x`` and ``I-x``.
    classes : ndarray of shape (K,)

    Returns
    -------
    excluded : ndarray of bool of shape (K + 1, K + 1)
        The last row is for the start, the last column for the end.

    Raises
    ------
    ValueError
        If something isn't a pair, or if no sequence of labels is left.
    """
    n = len(classes)
    excluded = np.zeros((n + 1, n + 1), bool)
    if illegal is None:
        return excluded
    if isinstance(illegal, str):
        excluded[:, :n] = _against_bio(classes)
    else:
        places = {label: i for i, label in enumerate(classes.tolist())}
        for pair in illegal:
            excluded[_places(pair, places, n)] = True
    excluded[n, n] = False
    _refuse_dead_ends(excluded, classes)
    return excluded


def _against_bio(classes):
    """Return which labels may not follow those of the rows, the last one the start."""
    names = [str(label) for label in classes.tolist()]
    excluded = np.zeros((len(names) + 1, len(names)), bool)
    for j, name in enumerate(names):
        if name.startswith("I-"):
            may_precede = f"B-{name[2:]}", name
            excluded[:-1, j] = [other not in may_precede for other in names]
            excluded[-1, j] = True
    return excluded


def _places(pair, places, n):
    if isinstance(pair, str | bytes) or np.shape(pair) != (2,):
        raise ValueError(
            "illegal_transitions must be 'bio' or a list of pairs of labels, the "
            f"second of which may not follow the first. Got the entry {pair!r}."
        )
    for label in pair:
        if label is not None and label not in places:
            raise ValueError(
                f"illegal_transitions has the label {label!r}, which is none of the "
                f"classes {[*places]}."
            )
    return tuple(n if label is None else places[label] for label in pair)


def _refuse_dead_ends(excluded, classes):
    """Refuse rules that leave no way to go on after a label that may occur."""
    n = len(classes)
    named = [*classes.tolist(), None]
    for i in range(n + 1):
        if excluded[i, : n if i == n else n + 1].all():
            raise ValueError(
                "illegal_transitions lets nothing follow "
                f"{_FIRST if named[i] is None else repr(named[i])}."
            )


def refuse_excluded(numbers, known, lengths, excluded, classes):
    """Refuse labels that may not follow each other.

    Parameters
    ----------
    numbers : ndarray of int of shape (n_real_steps,)
    known : ndarray of bool of shape (n_real_steps,)
        Whether the label counts.
    lengths : ndarray of shape (n,)
    excluded : ndarray of bool
        Of `excluded_transitions`.
    """
    n, ends = len(classes), np.cumsum(lengths)
    numbers = numbers.astype(np.intp)
    before, after = np.full(len(numbers), n), np.full(len(numbers), n)
    before[1:], after[:-1] = numbers[:-1], numbers[1:]
    before[ends - lengths] = after[ends - 1] = n
    known_before, known_after = np.ones((2, len(numbers)), bool)
    known_before[1:], known_after[:-1] = known[:-1], known[1:]
    known_before[ends - lengths] = known_after[ends - 1] = True
    wrong = excluded[before, numbers] & known & known_before
    wrong_ends = excluded[numbers, after] & known & known_after & (after == n)
    found = np.flatnonzero(wrong | wrong_ends)
    if not len(found):
        return
    at, names = found[0], [*classes.tolist(), None]
    row = int(np.searchsorted(ends, at, side="right"))
    pair = (before[at], numbers[at]) if wrong[at] else (numbers[at], n)
    first, second = (names[place] for place in pair)
    step = at - (ends - lengths)[row]
    raise ValueError(
        f"y[{row}] has {_LAST if second is None else repr(second)} after "
        f"{_FIRST if first is None else repr(first)} at step {step}, which "
        "illegal_transitions excludes; correct y, or leave that pair out. "
        f"{len(found)} of its {len(numbers)} steps are such."
    )


def refuse_uneven(weights, lengths):
    """Refuse weights of steps that are neither 0 nor that of their sequence."""
    if weights.strides == (0,) or not len(weights):
        return
    starts = np.cumsum(lengths) - lengths
    of_each = np.repeat(np.maximum.reduceat(weights, starts), lengths)
    uneven = np.flatnonzero((weights > 0) & (weights < of_each))
    if len(uneven):
        row = int(np.searchsorted(starts, uneven[0], side="right")) - 1
        raise ValueError(
            "sample_weight must be the same for all steps of a sequence with crf=True, "
            "or 0 where a label isn't known: the likelihood is that of a whole "
            f"sequence. It has several values above 0 for X[{row}]."
        )
