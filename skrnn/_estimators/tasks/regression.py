"""Targets that are numbers."""

import math
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.callback import with_callbacks

from skrnn._data.sequences import unpack_steps
from skrnn._data.targets.reading import check_numbers, put_back, read_numbers
from skrnn._data.targets.scores import beside_truth, mean_r2
from skrnn._data.targets.units import (
    ScaledTargets,
    float_dtype,
    in_units_of_y,
    learn_scale,
    refuse_far_apart,
    scale_of_varying,
)
from skrnn._data.typing import (
    Array,
    SequenceData,
    Targets,
    Weights,
)
from skrnn._estimators.advice import advised_arguments
from skrnn._estimators.names import NAMES, Names, loss_of
from skrnn._estimators.one_fit import of_one_fit
from skrnn._estimators.tasks.contracts import SequenceContract
from skrnn._estimators.tasks.documentation import NUMBERS, TaskDocs
from skrnn._estimators.watching import watch_fit
from skrnn._networks.specs import Head
from skrnn._sklearn import Function, Share


@dataclass(kw_only=True, eq=False, repr=False)
class SequenceRegressorMixin(RegressorMixin, SequenceContract):
    """Targets are numbers; they are trained on in units of their own spread."""

    quantile: float = 0.5
    normalize_y: bool = True

    _task_docs: ClassVar[TaskDocs] = NUMBERS
    _task_constraints = {
        "loss": [
            Names("loss of numbers", {"auto", *NAMES["loss of numbers"]}),
            Function(),
        ],
        "quantile": [Share(zero=False)],
        "normalize_y": ["boolean"],
    }

    def _encode_target(self, X, y, weights, known, _sample_weight):
        """Return targets (n, K) and their weights; learn y's shape, offset, scale."""
        y, there = read_numbers(self, X, y, weights)
        flat = y.reshape(len(y), -1)
        if not known:
            self._y_shape, self._y_dtype = y.shape[1:], float_dtype(y)
            self._y_offset, self._y_scale = learn_scale(flat, there, self.normalize_y)
        else:
            self._check_width(flat)
            refuse_far_apart(flat, self._y_offset)
            self._y_scale = scale_of_varying(self._y_scale, flat, self._y_offset, there)
        scaled = ScaledTargets(flat, self._y_offset, self._y_scale)
        return put_back(scaled, weights), weights

    def _check_width(self, flat):
        if flat.shape[1] != len(self._y_scale):
            raise ValueError(
                f"y has {flat.shape[1]} targets, but {type(self).__name__} was fitted "
                f"with {len(self._y_scale)}."
            )

    @advised_arguments
    def partial_fit(
        self, X: SequenceData, y: Targets, sample_weight: Weights | None = None
    ) -> Self:
        """Train for one more epoch on a batch of data.

        The first call learns the features of X, the shape of y and, with
        `normalize_y`, the units in which y is trained on.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.
        y : array-like or list of array-likes
            Their targets.
        sample_weight : array-like of shape (n,) or (n, T), or list of (T_i,), \
default=None
            Weight of each sequence or step in the loss, as in ``fit``.

        Returns
        -------
        self : object
        """
        return self._partial_fit(X, y, sample_weight, None)

    @with_callbacks
    def _fit_source(self, source, shape, loss=None):
        """Train on a source of batches whose targets are in units of its own.

        Parameters
        ----------
        source : RowSource with ``n_features``, ``examples``, ``identity``, ``name``
        shape : tuple of int
            Of the targets of a sequence, or of a step with `return_sequences`.
        loss : tuple or None
            The name of a row of ``LOSSES`` and its values, in place of `loss`.

        Returns
        -------
        trained : Trained
        """
        examples = cache(source.examples)
        X, y = (lambda: examples()[0]), (lambda: examples()[1])
        watch = watch_fit(self, X, y, self.epochs)
        self._validate_params()
        self.n_features_in_, self._form = source.n_features, "dense"
        self._longest = int(source.lengths.max())
        self._y_shape, self._y_dtype = shape, np.dtype(np.float64)
        self._y_offset, self._y_scale = (
            f(math.prod(shape)) for f in (np.zeros, np.ones)
        )
        self._given_loss = loss
        with watch:
            return self._train_on(source, watch)

    def _begin_partial_fit(self, y, classes):
        """Do nothing: numbers have no classes to learn beforehand."""

    def _head(self):
        # That of a Forecaster may be one that has no name for users.
        loss = getattr(self, "_given_loss", None)
        if loss is not None:
            return Head.for_targets(len(self._y_scale), loss)
        return Head(len(self._y_scale), "linear", loss_of(self))

    def _rescaling(self):
        return {"scale": self._y_scale.tolist(), "offset": self._y_offset.tolist()}

    def _validation_strata(self, dataset):
        """No strata: hold out the last rows, which in a series are the latest."""
        return None

    @of_one_fit
    def predict(self, X: SequenceData) -> Array:
        """Predict the targets of X.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.

        Returns
        -------
        y : ndarray
            Of the shape that y had in ``fit``, in y's units; with
            ``return_sequences=True`` (n, T), (n, T, K), or ragged where X is ragged.
        """
        sequences, y = self._predicted(X)
        return unpack_steps(y, sequences, 0) if self.return_sequences else y

    def _predicted(self, X):
        """Return X as sequences, and what is predicted, steps one after the other."""
        self._require_fit()
        sequences, outputs = self._run(X, dtype=self._y_dtype)
        return sequences, self._decode(outputs)

    def _decode(self, outputs):
        """Turn the network's outputs (n, K), which are used up, into targets."""
        if self._spec.head.outputs_per_target > 1:
            # Quantiles or parameters, in the units of a Forecaster's windows.
            return outputs
        in_units_of_y(outputs, self._y_scale, self._y_offset)
        shape = len(outputs), *self._y_shape
        return outputs.reshape(shape).astype(self._y_dtype, copy=False)

    @of_one_fit
    def score(
        self, X: SequenceData, y: Targets, sample_weight: Weights | None = None
    ) -> float:
        """Return R², averaged over targets; the steps of all sequences are its rows.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.
        y : array-like or list of array-likes
            True targets.
        sample_weight : array-like of shape (n,) or (n, T), or list of (T_i,), \
default=None
            Weight of each sequence, or with `return_sequences` of each step, in the
            score. A zero leaves it out, and its target may be NaN.

        Returns
        -------
        score : float
            That of :func:`sklearn.metrics.r2_score` for all real steps, or sequences.
        """
        sequences, predicted = self._predicted(X)
        given = sequences, y, predicted, sample_weight
        truth, predicted, weights = beside_truth(self, *given)
        truth = check_numbers(self, truth)
        # A single target may be a column or not.
        if truth.size == predicted.size:
            truth = truth.reshape(predicted.shape)
        self._check_width(truth.reshape(len(truth), -1))
        return mean_r2(truth, predicted, weights)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
