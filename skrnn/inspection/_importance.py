"""How much a score depends on each lag of each feature."""

from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.metrics import check_scoring
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_is_fitted

from skrnn._data.finite import refuse_masked
from skrnn._data.frames.columns import column_labels, is_frame
from skrnn._data.tokens.symbols import column_of_texts
from skrnn._data.typing import SequenceData, Targets, Weights
from skrnn._sklearn import Count, RealNotInt, StrictInterval, check_arguments
from skrnn.inspection._found import Found
from skrnn.inspection._parts import check_count, refuse_no_windows
from skrnn.inspection._sequences import feature_names
from skrnn.inspection._windows import at_windows, scorer_within

_CONSTRAINTS = {
    "n_repeats": [Count()],
    "group_size": [Count()],
    "max_samples": [
        StrictInterval(Integral, 1, None, closed="left"),
        StrictInterval(RealNotInt, 0, 1, closed="right"),
    ],
}


def sequence_importance(
    estimator: Any,
    X: SequenceData,
    y: Targets,
    *,
    scoring: Any = None,
    n_repeats: int = 5,
    group_size: int = 1,
    max_samples: float | int = 1.0,
    sample_weight: Weights | None = None,
    random_state: Any = None,
) -> Bunch:
    """Measure how much the score falls when a lag of a feature is shuffled.

    The values of one feature at one step are shuffled between the sequences, and the
    score is computed again. The loss of score is the importance of the feature at that
    lag (Breiman, 2001; Fisher et al., 2019). This is
    :func:`sklearn.inspection.permutation_importance` for sequences.

    Parameters
    ----------
    estimator : estimator
        Fitted: one that reads sequences, a Pipeline or a search, or a
        ``TransformedTargetRegressor`` around them. In a Pipeline with
        :class:`~skrnn.preprocessing.SlidingWindow` the windows are shuffled, so X has
        the rows of the series, and later steps see the shuffled values.
    X : array-like of shape (n, T, F) or (n, T), list of (T_i, F) or of str, or rows
        In a form that ``fit`` takes; preferably not the training data. If sequences
        differ in length, those that are long enough for a lag are shuffled.
    y : array-like
        Their targets.
    scoring : str, callable or None, default=None
        As in scikit-learn; None is the estimator's ``score``, which is the `scoring` of
        a search.
    n_repeats : int, default=5
        How often each is shuffled.
    group_size : int, default=1
        How many neighbouring steps are shuffled together. Neighbours in a series hold
        nearly the same information, so each of them alone seems unimportant.
    max_samples : int or float, default=1.0
        How many sequences, or which share of them, are drawn once and used.
    sample_weight : array-like of shape (n,), default=None
        Weights in the score.
    random_state : int, RandomState or None, default=None
        Seed of the shuffling; an int makes results repeatable.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        With these entries:

        importances_mean, importances_std : ndarray of shape (T, F)
            Mean and standard deviation over the repeats, in units of the score. The
            steps of a group share theirs.
        importances : ndarray of shape (T, F, n_repeats)
            Of each repeat.
        lags : ndarray of int of shape (T,)
            Steps before the last one: T - 1 for the first step, 0 for the last.
        feature_names : list of str
            Of the frame's columns, as far as the Pipeline knows them.
        score : float
            Of what wasn't shuffled.

    Raises
    ------
    TypeError
        If X has no steps: it is neither windows nor sequences. If a SlidingWindow makes
        them inside of an ensemble, where they can't be seen.
    ValueError
        For parameters out of range, if y or `sample_weight` hasn't the length of X, and
        for X and y that ``score`` wouldn't take.

    See Also
    --------
    SequenceImportanceDisplay : Its heat map.
    sklearn.inspection.permutation_importance : The same for columns of a table.

    Notes
    -----
    T * F / `group_size` * `n_repeats` scores are computed. A feature may seem
    unimportant because another feature, or another lag, holds the same information.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import GRURegressor
    >>> from skrnn.inspection import sequence_importance
    >>> X = np.random.default_rng(0).normal(size=(300, 4, 2))
    >>> y = X[:, 1, 0]  # two steps before the last one
    >>> model = GRURegressor(units=8, epochs=40, learning_rate=0.02, random_state=0)
    >>> result = sequence_importance(model.fit(X, y), X, y, random_state=0)
    >>> best = np.argwhere(result.importances_mean == result.importances_mean.max())
    >>> step, feature = best[0]
    >>> int(result.lags[step]), result.feature_names[feature]
    (2, 'x0')
    """
    given = {"n_repeats": n_repeats, "group_size": group_size}
    check_arguments(
        _CONSTRAINTS, given | {"max_samples": max_samples}, "sequence_importance"
    )
    if isinstance(estimator, BaseEstimator):
        check_is_fitted(estimator)
    refuse_no_windows(estimator, "sequence_importance")
    found = at_windows(estimator, X, "sequence_importance")
    block = _Block(found.X)
    y = _as_rows(y, "y", block)
    weights = _as_rows(sample_weight, "sample_weight", block)
    scoring = scorer_within(estimator) if scoring is None else scoring
    rng = check_random_state(random_state)
    rows = _drawn(len(block), max_samples, rng)
    score = _Score(found.model, scoring, block, rows, y, weights)
    lost = _losses(score, n_repeats, group_size, rng)
    return Found(
        importances_mean=lost.mean(axis=-1),
        importances_std=lost.std(axis=-1),
        importances=lost,
        lags=np.arange(block.n_steps)[::-1],
        feature_names=feature_names(found.before, X, block.n_features),
        score=score.of_all(),
    )


def _losses(score, n_repeats, group_size, rng):
    """Return what each lag of each feature loses: (T, F, n_repeats)."""
    n_steps, n_features = score.block.n_steps, score.block.n_features
    found = np.empty((n_steps, n_features, n_repeats))
    for first in range(0, n_steps, group_size):
        lags = range(first, min(first + group_size, n_steps))
        # Lags count from the last step, rows from the first one.
        rows = [n_steps - 1 - lag for lag in lags]
        for feature in range(n_features):
            found[rows, feature] = [
                score.lost(lags, feature, rng) for _ in range(n_repeats)
            ]
    return found


class _Block:
    """Sequences of numbers or symbols, whose steps count from the last one."""

    def __init__(self, X):
        given, X = X, column_of_texts(X)
        is_column = is_frame(given) and not is_frame(X)
        self._label = column_labels(given)[0] if is_column else None
        self.X: Any
        refuse_masked(X, "X")
        if len(getattr(X, "shape", (0,))) == 1:
            self.X = list(X)
            for i, sequence in enumerate(self.X):
                refuse_masked(sequence, f"X[{i}]")
            lengths, widths = zip(*map(_shape_of, self.X), strict=True)
            if len({*widths}) > 1:
                raise TypeError(_NO_STEPS.format("a list of different arrays"))
            self.n_steps, self.n_features = max(lengths), widths[0]
            return
        # A frame stays one: its columns, which are steps, have names.
        self.X = _of_pandas(X) if is_frame(X) else np.asarray(X)
        if self.X.ndim not in (2, 3):
            raise TypeError(_NO_STEPS.format(f"an array of shape {self.X.shape}"))
        self.n_steps = self.X.shape[1]
        self.n_features = self.X.shape[2] if self.X.ndim == 3 else 1

    def __len__(self):
        return len(self.X)

    def take(self, rows):
        return _rows(self.X, rows)

    def as_given(self, X):
        """Return what estimators read: a column of texts has its name again."""
        return X if self._label is None else pd.DataFrame({self._label: X})

    @staticmethod
    def shuffled(X, lags, feature, rng):
        """Return X with some lags of a feature exchanged between sequences."""
        if isinstance(X, list):
            return _shuffled_list(X, lags, feature, rng)
        order, X = rng.permutation(len(X)), X.copy()
        if hasattr(X, "iloc"):
            for name in X.columns[[X.shape[1] - 1 - lag for lag in lags]]:
                X[name] = X[name].to_numpy()[order]
            return X
        for lag in lags:
            at: tuple[Any, ...] = (slice(None), X.shape[1] - 1 - lag)
            at += (feature,) if X.ndim == 3 else ()
            X[at] = X[at][order]
        return X


def _shuffled_list(X, lags, feature, rng):
    found = [_steps(x) for x in X]
    # One type for all: a number or a word would be cut where another array has less.
    kinds = [each.dtype for each in found]
    is_text = any(kind.kind in "OUS" for kind in kinds)
    kind = np.dtype(object) if is_text else np.result_type(*kinds)
    found = [each.astype(kind) for each in found]
    for lag in lags:
        long = [each for each in found if len(each) > lag]
        column = [each.reshape(len(each), -1)[-1 - lag, feature] for each in long]
        order = rng.permutation(len(long))
        for each, i in zip(long, order, strict=True):
            each.reshape(len(each), -1)[-1 - lag, feature] = column[i]
    return [_like(x, steps) for x, steps in zip(X, found, strict=True)]


def _shape_of(x):
    """Return the number of steps of a sequence, and that of their features."""
    steps = _steps(x)
    if steps.ndim not in (1, 2):
        raise TypeError(_NO_STEPS.format(f"a list of {type(x).__name__}"))
    return len(steps), steps.shape[1] if steps.ndim == 2 else 1


def _steps(x):
    """Return the steps of a sequence as an array; of a string its characters."""
    return np.array(list(x), dtype=object) if isinstance(x, str) else np.asarray(x)


def _like(x, steps):
    """Return the steps in the form of the sequence that they came from."""
    if isinstance(x, str):
        return "".join(steps)
    if is_frame(x):
        return pd.DataFrame(steps, columns=column_labels(x))
    return steps.tolist() if isinstance(x, list | tuple) else steps


def _of_pandas(frame):
    """Return a frame of pandas; others are copied, with the names of their columns."""
    if hasattr(frame, "iloc"):
        return frame
    return pd.DataFrame(
        {name: np.asarray(frame[name]) for name in column_labels(frame)}
    )


_NO_STEPS = (
    "sequence_importance needs sequences: an array (n, T, F) or (n, T), a list of "
    "(T_i, F) arrays, or rows that a Pipeline makes windows of. Got {}."
)


class _Score:
    """The score of some of the sequences, and what it loses."""

    def __init__(self, model, scoring, block, rows, y, sample_weight):
        self.model, self.block = model, block
        self.scorer = check_scoring(model, scoring=scoring)
        self.X = block.take(rows)
        self.y = _rows(y, rows)
        self.weights = _rows(sample_weight, rows)
        self._of_all: float | None = None

    def of(self, X):
        X = self.block.as_given(X)
        if self.weights is None:
            return float(self.scorer(self.model, X, self.y))
        return float(self.scorer(self.model, X, self.y, sample_weight=self.weights))

    def of_all(self):
        if self._of_all is None:
            self._of_all = self.of(self.X)
        return self._of_all

    def lost(self, lags, feature, rng):
        return self.of_all() - self.of(self.block.shuffled(self.X, lags, feature, rng))


def _as_rows(values, name, block):
    """Return y or weights, if there is one for each sequence; a tuple as a list."""
    check_count(block.X, values, name)
    refuse_masked(values, name)
    return list(values) if isinstance(values, tuple) else values


def _rows(values, rows):
    if values is None:
        return None
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    if isinstance(values, list):
        return [values[i] for i in rows]
    return np.asarray(values)[rows]


def _drawn(n, max_samples, rng):
    """Return rows to use, in their order."""
    if isinstance(max_samples, Integral):
        wanted = int(max_samples)
    else:
        wanted = max(1, round(max_samples * n))
    if wanted >= n:
        return np.arange(n)
    return np.sort(rng.choice(n, wanted, replace=False))
