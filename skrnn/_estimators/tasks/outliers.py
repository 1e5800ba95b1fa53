"""Sequences without targets: the errors of a network that predicts their own steps."""

from dataclasses import dataclass
from numbers import Real
from typing import ClassVar, Self

import numpy as np
from sklearn.base import OutlierMixin

from skrnn import _engine
from skrnn._data.batches import row_blocks
from skrnn._data.sequences import are_windows, step_numbers
from skrnn._data.typing import Array, SequenceData, Targets
from skrnn._estimators.advice import fit_context
from skrnn._estimators.names import Names, loss_of, names_without_parameters
from skrnn._estimators.one_fit import of_one_fit
from skrnn._estimators.tasks.contracts_of_outliers import OutlierContract
from skrnn._estimators.tasks.documentation import OUTLIERS, TaskDocs
from skrnn._networks.specs import Head
from skrnn._sklearn import Count, Function, StrictInterval, StrOptions

# Robust standard deviations from the median at which contamination="auto" begins.
_FAR = 5.0
# Standard deviation of normal numbers, in units of their median absolute deviation.
_OF_NORMAL = 1.4826
# Errors beyond this would have infinite squares.
_LARGEST = 1e100
# Least usual error, in units of X: some steps may be learnt by heart.
_SMALLEST = 1e-3
# About how many numbers usual errors are medians of, and how many one step needs.
_LOOKED_AT = 2**22
_ENOUGH = 20
# What a score may differ by from one engine to another.
_ROUNDING = 1 + 1e-5
_LOSSES = {"auto", *names_without_parameters("numbers")}


@dataclass(kw_only=True, eq=False, repr=False)
class SequenceOutlierMixin(OutlierMixin, OutlierContract):
    """A sequence is the more normal, the better the network predicts its steps."""

    scored_steps: int | str = "auto"
    contamination: float | str | None = 0.01

    _task_docs: ClassVar[TaskDocs] = OUTLIERS
    _task_constraints = {
        "loss": [Names("loss of numbers", _LOSSES), Function()],
        "scored_steps": [Count(), StrOptions({"auto", "all"})],
        "contamination": [
            StrictInterval(Real, 0, 0.5, closed="right"),
            StrOptions({"auto"}),
            None,
        ],
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: SequenceData, y: Targets | None = None) -> Self:
        """Train the network, and learn which errors are usual.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences: an array (n, T, F), such as the windows of
            :class:`~skrnn.preprocessing.SlidingWindow`; an array or frame (n, T) of
            univariate ones; a list of (T_i, F) or (T_i,) arrays.
        y : None
            Ignored; it is there because scikit-learn's pipelines and callbacks pass it.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            For input that can't be used; an earlier fit then stays as it was.
        """
        return self._report(self._fit(X, y, None))

    @of_one_fit
    def score_samples(self, X: SequenceData) -> Array:
        """Return how normal each sequence is: the higher, the more normal.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.

        Returns
        -------
        scores : ndarray of shape (n,)
            Minus the size of its errors, in units of usual errors.
        """
        self._require_fit()
        return -self._sizes(self._check_X(X, reset=False))

    @of_one_fit
    def decision_function(self, X: SequenceData) -> Array:
        """Return the scores less `offset_`: negative for outliers.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.

        Returns
        -------
        scores : ndarray of shape (n,)
        """
        return self.score_samples(X) - self.offset_

    @of_one_fit
    def predict(self, X: SequenceData) -> Array:
        """Tell outliers from the other sequences.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.

        Returns
        -------
        labels : ndarray of int of shape (n,)
            -1 for outliers, 1 for the others.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def _learn_input(self, sequences):
        """Learn the units of X, and which steps are scored."""
        rows, steps = sequences.values, self.scored_steps
        of_series = are_windows(sequences)
        if of_series:
            # Each row of the series once, and none that fills up its first windows.
            last = (sequences.lengths - 1) * sequences.step
            rows = rows[np.asarray(sequences.starts) + last]
        self.center_, self.scale_ = robust_units(rows)
        if steps == "auto":
            steps = 1 if of_series else "all"
        self.scored_steps_ = steps

    def _learn_errors(self, sequences):
        """Learn the usual error of each step, and `offset_`."""
        n, width = len(sequences), sequences.n_timesteps * sequences.n_features
        some = sequences.take(slice(None, None, -(-n * width // _LOOKED_AT)))
        self.error_scale_ = usual_errors(*self._errors(some, self._in_units(some))[:2])
        sizes = self._sizes(sequences)
        if self.contamination is None:
            self.offset_ = -float(sizes.max()) * _ROUNDING
        elif self.contamination == "auto":
            self.offset_ = -usual_at_most(sizes)
        else:
            share = float(self.contamination)
            self.offset_ = float(np.percentile(-sizes, 100 * share))

    def _sizes(self, sequences):
        """Return the root mean square of each sequence's scaled errors, (n,)."""
        n, width = len(sequences), sequences.n_timesteps * sequences.n_features
        read, found = self._in_units(sequences), np.empty(n)
        # As many steps at once as fill some blocks of the engine.
        for rows in row_blocks(n, max(1, width // 8)):
            given = sequences.take(rows), read.take(rows)
            errors, steps, counts = self._errors(*given)
            steps = np.minimum(steps, len(self.error_scale_) - 1)
            with np.errstate(over="ignore"):
                scaled = np.minimum(errors / self.error_scale_[steps], _LARGEST)
            squares = (scaled**2).mean(axis=1)
            sums = np.add.reduceat(squares, np.cumsum(counts) - counts)
            found[rows] = np.sqrt(sums / counts)
        return found

    def _errors(self, sequences, read):
        """Return the absolute errors of the scored steps of all sequences.

        Parameters
        ----------
        sequences, read : Sequences
            As they are, and as the network reads them.

        Returns
        -------
        errors : ndarray of shape (n_scored_steps, F)
            In units of `scale_`.
        steps : ndarray of shape (n_scored_steps,)
            The place of each in its sequence.
        counts : ndarray of shape (n,)
            Number of scored steps of each sequence.
        """
        given = self._spec, self._weights, read
        told = _engine.predict(*given, engine=self.engine)
        lengths = sequences.lengths
        counts, steps = self._n_scored(lengths), step_numbers(lengths)
        scored = np.repeat(lengths - counts, lengths) <= steps
        rows = sequences.positions()[scored]
        with np.errstate(over="ignore"):
            real = (sequences.values[rows] - self.center_) / self.scale_
            errors = np.minimum(np.abs(real - told[scored]), _LARGEST)
        return errors, steps[scored], counts

    def _n_scored(self, lengths):
        """Return the number of last steps of each sequence that are scored."""
        if self.scored_steps_ != "all":
            # A number of steps may be any int, but no more than these are there.
            return np.minimum(lengths, min(self.scored_steps_, 2**31))
        return np.maximum(lengths - self._n_untold, 1)

    def _head(self):
        name = "mean_absolute_error" if self.loss == "auto" else loss_of(self)
        return Head(len(self.scale_), "linear", name)

    def _rescaling(self):
        return {}

    def _validation_strata(self, dataset):
        """No strata: hold out the last rows, which in a series are the latest."""
        return None


def robust_units(values):
    """Return the median of each column, and its spread as outliers don't move it.

    Where most numbers are equal the spread is their standard deviation, and 1 where
    all are.

    Raises
    ------
    ValueError
        If differences of the numbers are infinite.
    """
    values = values.astype(np.float64, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        center = np.median(values, axis=0)
        scale = _OF_NORMAL * np.median(np.abs(values - center), axis=0)
        scale = np.where(scale > 0, scale, values.std(axis=0))
    if not (np.isfinite(center).all() and np.isfinite(scale).all()):
        raise ValueError(
            f"X has values from {values.min():.3g} to {values.max():.3g}, whose "
            "differences are infinite in float64; divide X by a large number."
        )
    return center, np.where(scale > 0, scale, 1.0)


def usual_errors(errors, steps):
    """Return the robust standard deviation of the errors at each step, (T, F).

    Parameters
    ----------
    errors : ndarray of shape (n, F)
    steps : ndarray of shape (n,)
        Steps with fewer than `_ENOUGH` errors get that of all errors.
    """
    order = np.argsort(steps, kind="stable")
    counts = np.bincount(steps)
    usual = np.tile(np.median(errors, axis=0), (len(counts), 1))
    parts = np.split(errors[order], np.cumsum(counts)[:-1])
    for step in np.flatnonzero(counts >= _ENOUGH):
        usual[step] = np.median(parts[step], axis=0)
    return np.maximum(_OF_NORMAL * usual, _SMALLEST)


def usual_at_most(sizes):
    """Return the largest usual size of errors, whatever outliers there are.

    A mean square to the power of a third is nearly normal (Wilson & Hilferty, 1931). On
    that scale the limit is `_FAR` standard deviations above the median. The median
    absolute deviation gives the standard deviation.
    """
    roots = np.cbrt(sizes**2)
    middle = np.median(roots)
    spread = _OF_NORMAL * np.median(np.abs(roots - middle))
    # Of equal sizes none is an outlier.
    limit = middle + _FAR * max(spread, 0.01 * middle)
    return float(limit**1.5)
