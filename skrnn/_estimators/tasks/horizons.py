"""Targets that are sequences of numbers, all of one length: the horizon."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin

from skrnn._data.frames.as_arrays import check_names
from skrnn._data.frames.columns import as_plain
from skrnn._data.rows.series import check_order_within
from skrnn._data.sequences import pack_dense
from skrnn._data.targets.blocks import (
    as_numbers,
    holds_sequences,
    one_array,
    refuse_too_long,
)
from skrnn._data.targets.reading import (
    check_count,
    check_numbers,
    counted,
    put_back,
    refuse_sparse,
    require,
)
from skrnn._data.targets.scores import mean_r2
from skrnn._data.targets.units import (
    ScaledTargets,
    float_dtype,
    in_units_of_y,
    learn_scale,
    refuse_far_apart,
    scale_of_varying,
)
from skrnn._data.targets.weights import weights_of_outputs
from skrnn._data.typing import (
    Array,
    SequenceData,
    Targets,
    Weights,
)
from skrnn._data.validation_set import validation_set
from skrnn._estimators.advice import advised_arguments, fit_context
from skrnn._estimators.names import NAMES, Names, loss_of
from skrnn._estimators.one_fit import of_one_fit
from skrnn._estimators.tasks.contracts import Seq2SeqContract
from skrnn._estimators.tasks.documentation import HORIZONS, TaskDocs
from skrnn._networks.specs import Head
from skrnn._sklearn import Function, Share


@dataclass(kw_only=True, eq=False, repr=False)
class Seq2SeqRegressorMixin(RegressorMixin, Seq2SeqContract):
    """Targets are H numbers, or H times K of them, for each sequence."""

    quantile: float = 0.5
    normalize_y: bool = True

    _task_docs: ClassVar[TaskDocs] = HORIZONS
    _task_constraints = {
        "loss": [
            Names("loss of numbers", {"auto", *NAMES["loss of numbers"]}),
            Function(),
        ],
        "quantile": [Share(zero=False)],
        "normalize_y": ["boolean"],
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: SequenceData,
        y: Targets,
        sample_weight: Weights | None = None,
        *,
        future: SequenceData | None = None,
        X_val: SequenceData | None = None,
        y_val: Targets | None = None,
        sample_weight_val: Weights | None = None,
        future_val: SequenceData | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences: an array (n, T, F); an array or frame (n, T) of univariate ones;
            a list of (T_i, F) or (T_i,) arrays; or, with `embedding_dim`, integers.
        y : array-like of shape (n, H), (n, H, K) or (n,)
            Numbers at H steps; (n,) is a single step.
        sample_weight : array-like of shape (n,) or (n, H), default=None
            Weight of each sequence, or of each of its H steps, in the loss. A zero
            leaves it out, and its target isn't read: it may be NaN.
        future : array-like of shape (n, H, F2) or (n, H), default=None
            What is known beforehand about the steps of y: dates, prices, plans. The
            decoder reads it together with the previous value, and ``predict`` needs it
            too.
        X_val, y_val : array-like or list of array-likes, default=None
            Validation set, in the form of X and y: it is evaluated after each epoch,
            and not trained on. Early stopping then holds nothing out. A ``Pipeline``
            prepares X_val as X with ``transform_input=["X_val"]``.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weight of each validation sequence in its loss.
        future_val : array-like of shape (n_val, H, F2) or (n_val, H), default=None
            What is known about the steps of y_val, if `future` is given.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            For input that can't be used; an earlier fit then stays as it was.
        """
        given = validation_set(X_val, y_val, sample_weight_val, future_val)
        known = {"future": future, "validation": given}
        return self._report(self._fit(X, y, sample_weight, **known))

    @advised_arguments
    def partial_fit(
        self,
        X: SequenceData,
        y: Targets,
        sample_weight: Weights | None = None,
        *,
        future: SequenceData | None = None,
    ) -> Self:
        """Train for one more epoch on a batch of data.

        The first call learns the features of X, its symbols if it is made of strings,
        the shape of y and, with `normalize_y`, the units in which y is trained on.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.
        y : array-like of shape (n, H), (n, H, K) or (n,)
            Their targets, of as many steps in each call.
        sample_weight : array-like of shape (n,) or (n, H), default=None
            Weight of each sequence, or of each of its H steps, in the loss. A zero
            leaves it out, and its target isn't read: it may be NaN.
        future : array-like of shape (n, H, F2) or (n, H), default=None
            What is known about the steps of y, if the first call had it.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            For input that can't be used; the estimator then stays as it was.
        """
        return self._partial_fit(X, y, sample_weight, future=future)

    def _begin_partial_fit(self, y, classes):
        """Do nothing: numbers have no classes to learn beforehand."""

    def _encode_outputs(self, X, y, sample_weight, known, _known_target):
        """Return y in units of its spread, and weights; learn its form and units."""
        y = self._read_array(X, y)
        shape = _shape_of_steps(y)
        weights = weights_of_outputs(self, np.full(len(y), shape[1]), sample_weight)
        flat = self._read_numbers(y, weights)
        there = counted(weights, weights)
        if not known:
            self._y_shape, self._y_dtype = y.shape[1:], float_dtype(flat)
            self._y_offset, self._y_scale = learn_scale(flat, there, self.normalize_y)
        else:
            self._check_shape(y)
            refuse_far_apart(flat, self._y_offset)
            self._y_scale = scale_of_varying(self._y_scale, flat, self._y_offset, there)
        scaled = np.asarray(ScaledTargets(flat, self._y_offset, self._y_scale))
        return pack_dense(put_back(scaled, weights).reshape(shape), "dense"), weights

    def _read_array(self, X, y):
        """Read y as an array (n,), (n, H) or (n, H, K)."""
        require(self, y)
        refuse_sparse(self, y)
        check_order_within(y, "y")
        y = one_array(as_plain(y))
        if holds_sequences(y):
            raise ValueError(
                f"y holds sequences of different lengths, but {type(self).__name__} "
                "predicts the same number of steps for each sequence of X: y of shape "
                "(n, H) or (n, H, K)."
            )
        if len(y.shape) not in (1, 2, 3) or 0 in y.shape[1:]:
            raise ValueError(
                f"y has shape {y.shape}; {type(self).__name__} expects (n, H), "
                "(n, H, K) or (n,), and at least one number for each sequence."
            )
        refuse_too_long(_shape_of_steps(y)[1])
        check_count(X, y)
        return y

    def _read_numbers(self, y, weights):
        """Return the numbers (n_steps, K) of the steps whose weight isn't 0."""
        n_targets = _shape_of_steps(y)[2]
        if weights.all() and len(y.shape) < 3:
            # Not as an array yet: scikit-learn's errors depend on the type.
            return check_numbers(self, y).reshape(-1, n_targets)
        refuse_sparse(self, y)
        steps = np.asarray(y).reshape(-1, n_targets)
        return check_numbers(self, counted(steps, weights))

    def _check_shape(self, y):
        if y.shape[1:] != self._y_shape:
            raise ValueError(
                f"y has shape {y.shape}, but {type(self).__name__} was fitted with "
                f"{('n', *self._y_shape)}."
            )

    @property
    def _horizon(self):
        return self._y_shape[0] if self._y_shape else 1

    def _read_future(self, X, future, known):
        """Return what is known about the steps of y, (n, H, F), or None."""
        if known:
            self._check_presence(future)
        if future is None:
            self._n_future, self._future_names = 0, None
            return None
        names = {"what": "future", "attribute": "_future_names"}
        check_names(self, future, reset=not known, **names)
        future = as_numbers(self, future, "future", reset=not known)
        future = future[:, :, None] if future.ndim == 2 else future
        expected = len(X), self._horizon
        if future.ndim != 3 or future.shape[:2] != expected or not future.shape[2]:
            raise ValueError(
                f"future has shape {future.shape}, but X has {expected[0]} sequences "
                f"and y {expected[1]} steps: expected ({expected[0]}, {expected[1]}, "
                "n_features)."
            )
        if known and future.shape[2] != self._n_future:
            raise ValueError(
                f"future has {future.shape[2]} features, but {type(self).__name__} was "
                f"fitted with {self._n_future}."
            )
        self._n_future = future.shape[2]
        return future

    def _check_presence(self, future):
        name = type(self).__name__
        if future is None and self._n_future:
            raise ValueError(
                f"{name} was fitted with future, of {self._n_future} features; pass "
                "future=... here as well."
            )
        if future is not None and not self._n_future:
            raise ValueError(
                f"{name} was fitted without future, but here it is given; fit with "
                "future=... as well."
            )

    def _head(self):
        return Head(len(self._y_scale), "linear", loss_of(self))

    def _rescaling(self):
        return {"scale": self._y_scale.tolist(), "offset": self._y_offset.tolist()}

    def _decoder(self):
        return {"n_future": self._n_future}

    def _validation_strata(self, dataset):
        """No strata: hold out the last rows, which in a series are the latest."""
        return None

    @of_one_fit
    def predict(self, X: SequenceData, *, future: SequenceData | None = None) -> Array:
        """Predict the targets of X, each step from the one before.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.
        future : array-like of shape (n, H, F2) or (n, H), default=None
            What is known about the steps to predict, if ``fit`` had it.

        Returns
        -------
        y : ndarray
            Of the shape that y had in ``fit``, in y's units.
        """
        sequences = self._sequences(X)
        future = self._read_future(sequences, future, True)
        outputs = self._predictor().values(sequences, self._horizon, future)
        y = in_units_of_y(outputs.astype("f8"), self._y_scale, self._y_offset)
        return y.reshape(len(y), *self._y_shape).astype(self._y_dtype, copy=False)

    def _attention(self, X, future=None):
        """Return what every step attends to, and the sequences."""
        sequences = self._sequences(X)
        future = self._read_future(sequences, future, True)
        steps = self._horizon, future
        return self._predictor().values(sequences, *steps, attention=True), sequences

    @of_one_fit
    def score(
        self,
        X: SequenceData,
        y: Targets,
        sample_weight: Weights | None = None,
        *,
        future: SequenceData | None = None,
    ) -> float:
        """Return R², averaged over the steps of y and their targets.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.
        y : array-like of shape (n, H), (n, H, K) or (n,)
            True targets.
        sample_weight : array-like of shape (n,) or (n, H), default=None
            Weight of each sequence, or of each of its H steps, in the score. A zero
            leaves it out, and its target may be NaN. A step with fewer than two
            targets left has no R², and isn't averaged over.
        future : array-like of shape (n, H, F2) or (n, H), default=None
            What is known about the steps of y, if ``fit`` had it.

        Returns
        -------
        score : float
            That of :func:`sklearn.metrics.r2_score` for y of shape (n, H * K).
        """
        predicted = self.predict(X, future=future)
        truth = self._read_array(predicted, y)
        shape = _shape_of_steps(truth)
        weights = weights_of_outputs(self, np.full(len(truth), shape[1]), sample_weight)
        flat = put_back(self._read_numbers(truth, weights), weights)
        self._check_shape(truth)
        of_steps = None
        if sample_weight is not None:
            of_steps = np.repeat(weights, shape[2]).reshape(len(truth), -1)
        return mean_r2(flat.reshape(len(truth), -1), predicted, of_steps)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _shape_of_steps(y):
    """Return the shape of y as (n, H, K)."""
    return (*y.shape, 1, 1)[:3]
