"""Sequences without targets: what the network can't tell of their own steps."""

from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import OutlierMixin

from skrnn import _engine
from skrnn._data.batches import row_blocks
from skrnn._data.sequences import are_windows, step_numbers
from skrnn._data.typing import Array, SequenceData, Targets
from skrnn._estimators.advice import fit_context
from skrnn._estimators.names import Names, loss_of, names_without_parameters
from skrnn._estimators.tasks.documentation import OUTLIERS, TaskDocs
from skrnn._networks.specs import Head
from skrnn._sklearn import Count, Function, StrictInterval, StrOptions

# Robust standard deviations from the median at which contamination="auto" begins.
_FAR = 5.0
# Standard deviation of normal numbers, in units of their median absolute deviation.
_OF_NORMAL = 1.4826
# Errors beyond this would have infinite squares.
_LARGEST = 1e100
# What a score may differ by from one engine to another.
_ROUNDING = 1 + 1e-5
_LOSSES = {"auto", *names_without_parameters("numbers")}


@dataclass(kw_only=True, eq=False, repr=False)
class SequenceOutlierMixin(OutlierMixin):
    """A sequence is the more normal, the better the network tells its steps."""

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
            Ignored: there for scikit-learn's pipelines.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            For input that can't be used; an earlier fit then stays as it was.
        """
        return self._report(self._fit(X, None, None))

    def score_samples(self, X: SequenceData) -> Array:
        """Return how normal each sequence is, the higher the more.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.

        Returns
        -------
        scores : ndarray of shape (n,)
            Minus the size of its errors: -1 is about that of a usual sequence.
        """
        self._require_fit()
        errors = self._errors(self._check_X(X, reset=False))
        return -np.sqrt(((errors / self.error_scale_) ** 2).mean(axis=1))

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
        self.center_, self.scale_ = robust_units(sequences.values)
        steps: Any = self.scored_steps
        if steps == "auto":
            steps = 1 if are_windows(sequences) else "all"
        self.scored_steps_ = steps

    def _learn_errors(self, sequences):
        """Learn the usual error of each feature, and from where on it is too large."""
        errors = self._errors(sequences)
        scale, mean = np.median(errors, axis=0), errors.mean(axis=0)
        scale = np.where(scale > 0, scale, mean)
        self.error_scale_ = np.where(scale > 0, scale, 1.0)
        sizes = np.sqrt(((errors / self.error_scale_) ** 2).mean(axis=1))
        if self.contamination is None:
            self.offset_ = -float(sizes.max()) * _ROUNDING
        elif self.contamination == "auto":
            self.offset_ = -usual_at_most(sizes)
        else:
            share = float(self.contamination)
            self.offset_ = float(np.percentile(-sizes, 100 * share))

    def _errors(self, sequences):
        """Return the root mean square error of each sequence's scored steps, (n, F)."""
        n, width = len(sequences), sequences.n_features
        read, found = self._in_units(sequences), np.empty((n, width))
        # As many steps at once as fill some blocks of the engine.
        for rows in row_blocks(n, max(1, sequences.n_timesteps * width // 8)):
            found[rows] = self._errors_of(sequences.take(rows), read.take(rows))
        return found

    def _errors_of(self, block, read):
        """Return the errors of some sequences; `read` are they in units."""
        given = self._spec, self._weights, read
        told = _engine.predict(*given, engine=self.engine)
        with np.errstate(over="ignore"):
            real = (block.values[block.positions()] - self.center_) / self.scale_
            errors = np.clip(real - told, -_LARGEST, _LARGEST) ** 2
        counts = block.lengths
        if self.scored_steps_ != "all":
            left = np.repeat(counts, counts) - step_numbers(counts)
            errors = errors[left <= self.scored_steps_]
            counts = np.minimum(counts, self.scored_steps_)
        sums = np.add.reduceat(errors, np.cumsum(counts) - counts, axis=0)
        return np.sqrt(sums / counts[:, None])

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


def usual_at_most(sizes):
    """Return up to where the sizes of errors are usual, whatever outliers there are.

    A mean square to the power of a third is nearly normal (Wilson & Hilferty, 1931).
    The limit stands `_FAR` standard deviations above the median there, which the median
    absolute deviation gives.
    """
    roots = np.cbrt(sizes**2)
    middle = np.median(roots)
    spread = _OF_NORMAL * np.median(np.abs(roots - middle))
    # Of equal sizes none is an outlier.
    limit = middle + _FAR * max(spread, 0.01 * middle)
    return float(limit**1.5)
