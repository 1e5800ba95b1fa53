"""Answers of wrappers, one for each row or each time step: scores, and labels."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scikeras._utils import route_params
from sklearn.utils.validation import check_consistent_length

from skrnn._data.sequences import ragged_array
from skrnn._data.targets.masked_labels import without_masked
from skrnn._data.typing import (
    Array,
    SequenceData,
    Targets,
    Weights,
)
from skrnn._estimators.one_fit import of_one_fit
from skrnn._estimators.tasks.out_of_fold import OutOfFoldMixin
from skrnn._sklearn import naming
from skrnn.scikeras._reading import read_X
from skrnn.scikeras._running import RunningMixin
from skrnn.scikeras._steps import (
    answers_steps,
    cut,
    holds_sequences,
    is_indicator,
    lengths_of,
    looks_like_labels_of_steps,
    read_answers,
    read_row_weights,
    read_weights,
    real_steps,
)
from skrnn.scikeras._targets import LabelsEncoder
from skrnn.scikeras.engine.masks import fill_padding, unmasked_steps


class AnswersMixin(RunningMixin):
    """Scoring of rows, or of time steps."""

    # Attributes of the wrapper beside this mixin.
    scorer: Callable
    target_encoder: Any
    y_ndim_: int

    @of_one_fit
    def score(
        self, X: SequenceData, y: Targets, sample_weight: Weights | None = None
    ) -> float:
        """Score predictions with ``scorer``: of rows, or of all real steps.

        As in Keras' own metrics, steps that the network masks don't count.

        Parameters
        ----------
        X : array-like or list of array-likes
            As for ``fit``.
        y : array-like or list of array-likes
            True targets.
        sample_weight : array-like or list of array-likes, default=None
            Weight of each row, (n,), or of each time step: (n, T), or ragged.

        Returns
        -------
        score : float
        """
        predicted, lengths = self.predict(X), self._lengths_of(X)
        shape = (*np.shape(predicted)[1:], 1) if hasattr(predicted, "shape") else (1,)
        longest = shape[0] if lengths is None else int(lengths.max())
        if sample_weight is not None:
            y = self._without_gaps(y, sample_weight)
        with naming("y"):
            y = read_answers(y, lengths, longest)
        _, truth = self._validate_data(y=y)
        if hasattr(predicted, "shape"):
            # The user's encoder may return several arrays.
            check_consistent_length(predicted, truth)
        if self._answers_steps:
            kept = self._steps_that_count(X, lengths, truth.shape[:2])
            parts = self._flat(truth, predicted, lengths, sample_weight, kept)
            truth, predicted, sample_weight = parts
        elif sample_weight is not None:
            name = type(self).__name__
            with naming("sample_weight"):
                sample_weight = read_row_weights(sample_weight, len(truth), name)
        options = route_params(self.get_params(), destination="score", pass_filter=())
        return self.scorer(truth, predicted, sample_weight=sample_weight, **options)

    def _flat(self, truth, predicted, lengths, sample_weight, kept):
        """Return truth, prediction and weight of the steps that are kept."""
        shape = truth.shape[:2]
        if lengths is not None:
            real = real_steps(lengths, shape[1])
            predicted = np.concatenate(list(predicted))[kept[real]]
        elif predicted.shape[:2] != shape:
            raise ValueError(
                f"y has shape {truth.shape}, but the predictions of X have "
                f"{predicted.shape}."
            )
        else:
            predicted = predicted[kept]
        if sample_weight is not None:
            with naming("sample_weight"):
                sample_weight = read_weights(sample_weight, shape, lengths)[kept]
        truth = truth[kept]
        if predicted.size == truth.size:
            # Labels may be a column.
            predicted = predicted.reshape(truth.shape)
        return truth, predicted, sample_weight

    def _steps_that_count(self, X, lengths, shape):
        """Return which steps are neither padding nor masked by the network."""
        kept = np.ones(shape, bool)
        if lengths is not None:
            kept = real_steps(lengths, shape[1])
        read = self.feature_encoder_.transform(read_X(self, X, reset=False))
        seen = unmasked_steps(self.model_, fill_padding(self.model_, read))
        if seen is None or seen.shape[1] < shape[1]:
            return kept
        return kept & seen[:, : shape[1]]

    def _real_steps(self, X):
        """Return which steps count, in the form of predictions; None if all do."""
        if not self._answers_steps:
            return None
        lengths = self._lengths_of(X)
        n_steps = np.shape(X)[1] if lengths is None else int(lengths.max())
        kept = self._steps_that_count(X, lengths, (len(X), n_steps))
        return kept if lengths is None else cut(kept, lengths)


class LabelsMixin(OutOfFoldMixin, AnswersMixin):
    """Labels of rows, and of time steps."""

    # Whether y (n, T) has a label for each time step, and whether it may have.
    _labels_steps = False
    _may_label_steps = True

    # Whether y has an axis of length 1 behind its steps, as Keras wants it.
    _is_column = False

    @of_one_fit
    def predict(self, X: SequenceData, **kwargs: Any) -> Array:
        """Predict the labels of X.

        Parameters
        ----------
        X : array-like or list of array-likes
            As for ``fit``.
        **kwargs : dict
            More arguments of ``keras.Model.predict``.

        Returns
        -------
        y : ndarray
            In the form of y. If X is a list and the network answers each time step, an
            object array with an array for each sequence.
        """
        found = super().predict(X, **kwargs)
        if not self._is_column or not self._answers_steps:
            return found
        if found.dtype == object and self._lengths_of(X) is not None:
            return ragged_array([row[:, None] for row in found])
        return found[..., None]

    def _as_labels(self, y, reset=False):
        array = y if hasattr(y, "ndim") else np.asarray(y)
        is_column = array.ndim == 3 and array.shape[2] == 1
        if reset:
            self._is_column = is_column
        return array[..., 0] if is_column else y

    def _without_gaps(self, y, sample_weight):
        with naming("y", "sample_weight"):
            y = without_masked(y, sample_weight)
        return super()._without_gaps(y, sample_weight)

    def _begin_reading(self, X, y):
        self._labels_steps = self._may_label_steps and looks_like_labels_of_steps(X, y)

    def _initialize(self, X, y=None):
        self._may_label_steps = True
        read = super()._initialize(X, y)
        known = isinstance(self.target_encoder_, LabelsEncoder)
        if known and self._labels_steps and not answers_steps(self.model_):
            if lengths_of(X) is not None and holds_sequences(y):
                raise ValueError(
                    "y holds a label for each time step, but the network of this "
                    f"{type(self).__name__} has one answer for each sequence. Expected "
                    "one whose last recurrent layer has return_sequences=True."
                )
            # y is an indicator matrix with as many columns as X has steps.
            self._may_label_steps = False
            read = super()._initialize(X, y)
        elif known and not self._labels_steps and self._reads_tags():
            self._labels_steps = True
            self.target_encoder_ = self.target_encoder.fit(read[1])
            vars(self).update(self.target_encoder_.get_metadata())
        return read

    def _reads_tags(self):
        """Whether a table y of 0 and 1 turns out to hold a label for each step."""
        return self._answers_steps and self.y_ndim_ == 2

    def _may_be_numbered(self, X, y):
        y = None if holds_sequences(y) else np.asarray(y)
        if y is None or y.ndim < 2:
            return y is not None
        one_array = lengths_of(X) is None
        steps = one_array and np.ndim(X) > 2 and np.shape(X)[1] == y.shape[1]
        return is_indicator(y) and not steps

    def _type_of_target(self, y):
        if y.ndim == 3:
            return "multiclass"
        y = y.ravel() if self._labels_steps else y
        return super()._type_of_target(y)
