"""Targets that are labels."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import compute_sample_weight
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
    type_of_target,
    unique_labels,
)
from sklearn.utils.validation import _check_y, column_or_1d

from skrnn._constraints import StrOptions
from skrnn._out_of_fold import OutOfFoldMixin
from skrnn._sequences import ragged_array, unpack_steps
from skrnn._spec import Head
from skrnn._targets._class_weights import balanced, check_class_weight
from skrnn._targets._reading import (
    check_labels,
    flat_steps,
    read_steps,
    read_targets,
    weights_like,
)
from skrnn._validation import is_ragged

LOSSES = ("binary_crossentropy", "categorical_crossentropy")


@dataclass(kw_only=True, eq=False, repr=False)
class SequenceClassifierMixin(OutOfFoldMixin, ClassifierMixin):
    """Targets are labels: one of several, or several at once (indicator matrix)."""

    class_weight: dict | str | None = None

    _task_constraints = {
        "loss": [StrOptions({"auto", *LOSSES}), callable],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    def _encode_target(self, X, y, weights, known):
        """Return targets and their weights; learn the classes."""
        y, pad_label = self._check_labels(X, y)
        if not known:
            self._learn_classes(y, pad_label)
        elif self._multilabel != (y.ndim == 2):
            before = "an indicator matrix" if self._multilabel else "labels"
            raise ValueError(
                f"{type(self).__name__} was fitted on {before}; y has shape {y.shape}."
            )
        weights = weights_like(self, X, weights)
        return self._encode_labels(y), weights * self._class_weights(y, weights)

    def _check_labels(self, X, y):
        if self.return_sequences:
            labels = _one_label_a_step(read_steps(self, X, y))
            return labels, _label_at_padding(X, y)
        return _one_dimension_or_indicator(self, read_targets(self, X, y)), None

    def _learn_classes(self, y, pad_label):
        self._multilabel = y.ndim == 2
        self.classes_ = np.arange(y.shape[1]) if self._multilabel else _unique(y)
        self._pad_label = self.classes_[0] if pad_label is None else pad_label
        self._check_number_of_classes()

    def _check_number_of_classes(self):
        if not self._multilabel and len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes, but there "
                f"is only one class: {self.classes_.tolist()[0]!r}."
            )

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one more epoch on a batch of data.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.
        y : array-like or list of array-likes
            Their labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; required by the first call.
        sample_weight : array-like of shape (n,), default=None
            Weight of each sequence in the loss.

        Returns
        -------
        self : object
        """
        return self._partial_fit(X, y, sample_weight, classes)

    def _begin_partial_fit(self, y, classes):
        """Learn the classes of the first call of ``partial_fit``."""
        first = _check_partial_fit_first_call(self, classes)
        if first:
            multilabel = not self.return_sequences and np.ndim(y) == 2
            self._multilabel = multilabel and np.shape(y)[1] > 1
            self._pad_label = self.classes_[0]
            self._check_number_of_classes()

    def _encode_labels(self, y):
        if self._multilabel:
            if y.shape[1] != len(self.classes_):
                raise ValueError(
                    f"y has {y.shape[1]} labels, but {type(self).__name__} was fitted "
                    f"with {len(self.classes_)}."
                )
            return np.asarray(y, np.float32)
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y contains the unknown label {unknown.tolist()[0]!r}; the classes "
                f"are {self.classes_.tolist()}."
            )
        codes = np.searchsorted(self.classes_, y)[:, None]
        return codes.astype(np.float32 if len(self.classes_) == 2 else np.int32)

    def _class_weights(self, y, weights):
        if self.class_weight is None:
            return np.ones(len(y))
        if isinstance(self.class_weight, str):
            return balanced(y, weights)
        if isinstance(self.class_weight, dict):
            check_class_weight(self.class_weight, self.classes_)
        elif isinstance(self.class_weight, list) and not self._multilabel:
            raise ValueError(
                "class_weight is a list, which is for an indicator matrix y: one dict "
                f"for each label. {type(self).__name__} expects a dict of the classes "
                f"{self.classes_.tolist()} here."
            )
        return compute_sample_weight(self.class_weight, y)

    def _head(self):
        n_classes = len(self.classes_)
        _check_loss(self.loss, n_classes, self._multilabel)
        if self._multilabel:
            return Head(n_classes, "sigmoid")
        return Head(1, "sigmoid") if n_classes == 2 else Head(n_classes, "softmax")

    def _rescaling(self):
        return {}

    def _validation_strata(self, dataset):
        """Hold out the same share of every class, or just any rows."""
        if self._multilabel or self.return_sequences:
            return np.zeros(len(dataset))
        return dataset.targets[dataset.target_starts, 0]

    def predict_proba(self, X):
        """Predict the probability of every class.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes)
            Columns in the order of ``classes_``; for an indicator matrix, the
            probability of each label by itself. With ``return_sequences=True``
            (n, T, n_classes), zero at padding, or ragged where X is ragged.
        """
        sequences, outputs = self._run(X)
        probabilities = self._decode_proba(outputs)
        if self.return_sequences:
            return unpack_steps(probabilities, sequences, 0)
        return probabilities

    def predict_log_proba(self, X):
        """Predict the logarithm of the probability of every class.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.

        Returns
        -------
        log_probabilities : ndarray
            Of the shape of ``predict_proba``.
        """
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            if probabilities.dtype == object:
                return ragged_array([np.log(p) for p in probabilities])
            return np.log(probabilities)

    def predict(self, X):
        """Predict the labels of X.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.

        Returns
        -------
        y : ndarray of shape (n,) or (n, n_labels)
            With ``return_sequences=True`` (n, T), or ragged where X is ragged.
        """
        sequences, outputs = self._run(X)
        labels = self._decode(outputs)
        if self.return_sequences:
            return unpack_steps(labels, sequences, self._pad_label)
        return labels

    def _decode(self, outputs):
        """Turn the network's outputs (n, K) into labels."""
        probabilities = self._decode_proba(outputs)
        if self._multilabel:
            return (probabilities > 0.5).astype(int)
        return self.classes_[probabilities.argmax(axis=1)]

    def _decode_proba(self, outputs):
        """Turn the network's outputs into the probabilities of all classes."""
        if outputs.shape[1] == 1:
            return np.hstack([1 - outputs, outputs])
        return outputs

    def score(self, X, y, sample_weight=None):
        """Return the accuracy, over real steps where every step has a label.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.
        y : array-like or list of array-likes
            True labels.
        sample_weight : array-like of shape (n,), default=None
            Weight of each sequence in the score.

        Returns
        -------
        score : float
        """
        if not self.return_sequences:
            return super().score(X, y, sample_weight)
        truth, predicted, sample_weight = flat_steps(self, X, y, sample_weight)
        return accuracy_score(truth, predicted, sample_weight=sample_weight)

    def _may_be_numbered(self, X, y):
        return not self.return_sequences

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _unique(labels):
    # unique_labels makes text of objects that are text.
    return unique_labels(labels).astype(labels.dtype)


def _check_loss(loss, n_classes, multilabel):
    if loss == "categorical_crossentropy" and multilabel:
        raise ValueError(
            "loss='categorical_crossentropy' is for one label a sequence, but y is an "
            "indicator matrix; use 'auto' or 'binary_crossentropy'."
        )
    if loss == "binary_crossentropy" and n_classes > 2 and not multilabel:
        raise ValueError(
            "loss='binary_crossentropy' is for two classes or an indicator matrix, but "
            f"y has {n_classes} classes; use 'auto' or 'categorical_crossentropy'."
        )


def _one_label_a_step(labels):
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(
            f"With return_sequences=True every step needs one label; y has steps of "
            f"shape {labels.shape[1:]}."
        )
    labels = check_labels(labels)
    check_classification_targets(labels)
    return labels


def _one_dimension_or_indicator(estimator, y):
    y = y if issparse(y) else check_labels(y)
    y = _check_y(y, multi_output=True, estimator=estimator)
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    if kind == "multilabel-indicator":
        y = y.toarray() if issparse(y) else y
    if y.ndim == 2 and y.shape[1] > 1 and not np.isin(y, (0, 1)).all():
        raise ValueError(
            f"y has shape {y.shape} and is no indicator matrix of 0 and 1; "
            f"{type(estimator).__name__} predicts one label for each sequence. For a "
            "label at every time step set return_sequences=True."
        )
    return y if kind == "multilabel-indicator" else column_or_1d(y, warn=True)


def _label_at_padding(X, y):
    """Return the label that the user put at padding, if there is any padding."""
    if is_ragged(y) or X.lengths.min() == X.n_timesteps:
        return None
    padding = np.ones((len(X), X.n_timesteps), dtype=bool)
    padding &= ~unpack_steps(np.ones(X.lengths.sum(), bool), X, False)
    return np.asarray(y)[padding][0] if X.form != "ragged" else None
