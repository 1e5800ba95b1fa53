"""How much a score depends on each lag of each feature."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import check_scoring
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_is_fitted

from skrnn._data.frames.numbers import is_object
from skrnn._data.typing import SequenceData, Targets, Weights
from skrnn._sklearn import Count, RealNotInt, StrictInterval, check_arguments
from skrnn.inspection._parts import Reached, refuse_no_windows
from skrnn.inspection._sequences import feature_names

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

    The values of one feature at one step are exchanged between the sequences, and the
    score is computed again: what it loses is the importance of that feature so many
    steps back (Breiman, 2001; Fisher et al., 2019). It is
    :func:`sklearn.inspection.permutation_importance` for sequences.

    Parameters
    ----------
    estimator : estimator
        Fitted: one that reads sequences, a Pipeline or a search. In a Pipeline with
        :class:`~skrnn.preprocessing.SlidingWindow` it is the windows that are shuffled,
        so that X has the rows of the series, and later steps read what was shuffled.
    X : array-like of shape (n, T, F) or (n, T), list of (T_i, F), or rows of a series
        In a form that ``fit`` takes; best not the training data. Of sequences of
        different lengths those that have a lag are shuffled.
    y : array-like
        Their targets.
    scoring : str, callable or None, default=None
        As in scikit-learn; None is the estimator's ``score``.
    n_repeats : int, default=5
        How often each is shuffled.
    group_size : int, default=1
        How many neighbouring steps are shuffled together. Neighbours in a series tell
        nearly the same, so that each alone seems to be worth little.
    max_samples : int or float, default=1.0
        How many sequences, or which share of them, are drawn once and used.
    sample_weight : array-like of shape (n,), default=None
        Weights in the score.
    random_state : int, RandomState or None, default=None
        Of the shuffling; an int makes results repeatable.

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
        If X has no steps: it is neither windows nor sequences.
    ValueError
        For parameters out of range, and for X and y that ``score`` wouldn't take.

    See Also
    --------
    SequenceImportanceDisplay : Its heat map.
    sklearn.inspection.permutation_importance : The same for columns of a table.

    Notes
    -----
    T * F / `group_size` * `n_repeats` scores are computed. Shuffling breaks what
    correlates with a value: a feature may seem unimportant because another one, or
    another lag, tells the same.

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
    model, windows, before = _at_windows(estimator, X)
    block = _Block(windows)
    reached = Reached(model, windows, y, before)
    rng = check_random_state(random_state)
    rows = _drawn(len(block), max_samples, rng)
    score = _Score(model, scoring, block, rows, y, sample_weight)
    found = _losses(score, n_repeats, group_size, rng)
    return Bunch(
        importances_mean=found.mean(axis=-1),
        importances_std=found.std(axis=-1),
        importances=found,
        lags=np.arange(block.n_steps)[::-1],
        feature_names=feature_names(reached, X, block.n_features),
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


def _at_windows(estimator, X):
    """Return what reads sequences, the sequences, and the steps before.

    In a Pipeline it is what comes after the last step that makes windows.
    """
    inside = getattr(estimator, "best_estimator_", None)
    if inside is not None:
        return _at_windows(inside, X)
    if not isinstance(estimator, Pipeline) or np.ndim(_first(X)) == 2:
        return estimator, X, ()
    before = list[Any]()
    for place, (_, step) in enumerate(estimator.steps[:-1]):
        if step is None or isinstance(step, str):
            continue
        X = step.transform(X)
        before.append(step)
        if getattr(X, "ndim", 0) == 3:
            return Pipeline(estimator.steps[place + 1 :]), X, tuple(before)
    return estimator.steps[-1][1], X, tuple(before)


def _first(X):
    if hasattr(X, "iloc") or not len(X):
        return None
    return X[0]


class _Block:
    """Sequences of numbers, whose steps count from the last one."""

    def __init__(self, X):
        self.is_list = not hasattr(X, "shape") or is_object(X)
        self.X: Any
        if self.is_list:
            self.X = [np.asarray(each) for each in X]
            shapes = {each.shape[1:] for each in self.X}
            if len(shapes) > 1 or len(next(iter(shapes))) > 1:
                raise TypeError(_NO_STEPS.format("a list of different arrays"))
            self.n_steps = max(map(len, self.X))
            self.n_features = int(np.prod(next(iter(shapes)), dtype=int))
            return
        # A frame stays one: its columns, which are steps, have names.
        self.X = X if hasattr(X, "iloc") else np.asarray(X)
        if self.X.ndim not in (2, 3):
            raise TypeError(_NO_STEPS.format(f"an array of shape {self.X.shape}"))
        self.n_steps = self.X.shape[1]
        self.n_features = self.X.shape[2] if self.X.ndim == 3 else 1

    def __len__(self):
        return len(self.X)

    def take(self, rows):
        return _rows(self.X, rows)

    @staticmethod
    def shuffled(X, lags, feature, rng):
        """Return X with some lags of a feature exchanged between sequences."""
        if not isinstance(X, list):
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
        X = [each.copy() for each in X]
        for lag in lags:
            long = [each for each in X if len(each) > lag]
            column = [each.reshape(len(each), -1)[-1 - lag, feature] for each in long]
            order = rng.permutation(len(long))
            for each, i in zip(long, order, strict=True):
                each.reshape(len(each), -1)[-1 - lag, feature] = column[i]
        return X


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
        self.weights = None if sample_weight is None else _rows(sample_weight, rows)
        self._of_all: float | None = None

    def of(self, X):
        if self.weights is None:
            return float(self.scorer(self.model, X, self.y))
        return float(self.scorer(self.model, X, self.y, sample_weight=self.weights))

    def of_all(self):
        if self._of_all is None:
            self._of_all = self.of(self.X)
        return self._of_all

    def lost(self, lags, feature, rng):
        return self.of_all() - self.of(self.block.shuffled(self.X, lags, feature, rng))


def _rows(values, rows):
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
