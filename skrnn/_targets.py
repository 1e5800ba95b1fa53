"""From the user's y to arrays with a head, and from outputs back; one mixin a task."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import compute_sample_weight
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
    type_of_target,
    unique_labels,
)
from sklearn.utils.validation import _check_y, column_or_1d

from skrnn._constraints import StrOptions
from skrnn._sequences import (
    Sequences,
    pack_steps,
    ragged_array,
    unpack_steps,
)
from skrnn._spec import Head
from skrnn._validation import check_equal_lengths, is_ragged

REGRESSION_LOSSES = ("mean_squared_error", "mean_absolute_error", "huber", "log_cosh")
CLASSIFICATION_LOSSES = ("binary_crossentropy", "categorical_crossentropy")


@dataclass
class SequenceRegressorMixin(RegressorMixin):
    """Targets are numbers; they are trained on in units of their own spread."""

    normalize_y: bool = True

    _task_constraints = {
        "loss": [StrOptions({"auto", *REGRESSION_LOSSES}), callable],
        "normalize_y": ["boolean"],
    }

    def _encode_target(self, X, y, weights, known):
        """Return targets (n, K) and their weights; learn y's shape, offset, scale."""
        y = self._check_target(X, y)
        weights = _weights_like(self, X, weights)
        flat = y.reshape(len(y), -1).astype(np.float64)
        if known:
            self._check_width(flat)
        else:
            self._y_shape, self._y_dtype = y.shape[1:], _float_dtype(y)
            self._learn_scale(flat, weights)
        scaled = (flat - self._y_offset) / self._y_scale
        return scaled.astype(np.float32), weights

    def _check_target(self, X, y):
        if not self.return_sequences:
            return _check_values(self, y)
        return _check_values(self, read_steps(self, X, y), steps=True)

    def _check_width(self, flat):
        if flat.shape[1] != len(self._y_scale):
            raise ValueError(
                f"y has {flat.shape[1]} targets, but {type(self).__name__} was fitted "
                f"with {len(self._y_scale)}."
            )

    def _learn_scale(self, flat, weights):
        n_targets = flat.shape[1]
        self._y_offset, self._y_scale = np.zeros(n_targets), np.ones(n_targets)
        if self.normalize_y:
            self._y_offset = np.average(flat, axis=0, weights=weights)
            spread = np.average((flat - self._y_offset) ** 2, axis=0, weights=weights)
            spread = np.sqrt(spread)
            # A constant target: its spread is rounding error, or zero.
            constant = spread <= 1e-9 * np.abs(self._y_offset)
            self._y_scale = np.where(constant, 1.0, spread)

    def partial_fit(self, X, y, sample_weight=None):
        """Train for one more epoch on a batch of data.

        The first call learns the features of X, the shape of y and, with
        `normalize_y`, the units in which y is trained on.

        Parameters
        ----------
        X : array-like or list of array-likes
        y : array-like or list of array-likes
        sample_weight : array-like of shape (n,), default=None

        Returns
        -------
        self : object
        """
        return self._partial_fit(X, y, sample_weight, None)

    def _begin_partial_fit(self, y, classes):
        """Nothing but the data itself has to be known beforehand."""

    def _head(self):
        return Head(len(self._y_scale), "linear")

    def _rescaling(self):
        return {"scale": self._y_scale.tolist(), "offset": self._y_offset.tolist()}

    def _validation_strata(self, dataset):
        """No strata: the last rows are held out, which in a series come last."""
        return None

    def predict(self, X):
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
        sequences, outputs, _ = self._outputs(X)
        y = outputs * self._y_scale + self._y_offset
        y = y.reshape(len(y), *self._y_shape).astype(self._y_dtype)
        return unpack_steps(y, sequences, 0) if self.return_sequences else y

    def score(self, X, y, sample_weight=None):
        """Return R², over all values at once where y has several a sequence.

        Parameters
        ----------
        X : array-like or list of array-likes
        y : array-like or list of array-likes
            True targets.
        sample_weight : array-like of shape (n,), default=None

        Returns
        -------
        score : float
        """
        if not self.return_sequences:
            return super().score(X, y, sample_weight)
        truth, predicted, sample_weight = _flat_steps(self, X, y, sample_weight)
        truth, predicted = (a.reshape(len(truth), -1) for a in (truth, predicted))
        repeats = truth.shape[1]
        if sample_weight is not None:
            sample_weight = np.repeat(sample_weight, repeats)
        return r2_score(truth.ravel(), predicted.ravel(), sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


@dataclass
class SequenceClassifierMixin(ClassifierMixin):
    """Targets are labels: one of several, or several at once (indicator matrix)."""

    class_weight: dict | str | None = None

    _task_constraints = {
        "loss": [StrOptions({"auto", *CLASSIFICATION_LOSSES}), callable],
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
        weights = _weights_like(self, X, weights) * self._class_weights(y)
        return self._encode_labels(y), weights

    def _check_labels(self, X, y):
        if self.return_sequences:
            labels = read_steps(self, X, y)
            check_labels_type(labels)
            return labels, _label_at_padding(X, y)
        y = _check_one_dimension_or_indicator(self, y)
        return y, None

    def _learn_classes(self, y, pad_label):
        self._multilabel = y.ndim == 2
        self.classes_ = np.arange(y.shape[1]) if self._multilabel else unique_labels(y)
        self._pad_label = self.classes_[0] if pad_label is None else pad_label
        self._check_number_of_classes()

    def _check_number_of_classes(self):
        if not self._multilabel and len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 classes in y; it contains one "
                f"class: {self.classes_[0]!r}."
            )

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one more epoch on a batch of data.

        Parameters
        ----------
        X : array-like or list of array-likes
        y : array-like or list of array-likes
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; required by the first call.
        sample_weight : array-like of shape (n,), default=None

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
                f"y contains the unknown label {unknown[0]!r}; the classes are "
                f"{self.classes_.tolist()}."
            )
        codes = np.searchsorted(self.classes_, y)[:, None]
        return codes.astype(np.float32 if len(self.classes_) == 2 else np.int32)

    def _class_weights(self, y):
        if self.class_weight is None:
            return np.ones(len(y))
        if isinstance(self.class_weight, dict):
            _check_class_weight(self.class_weight, self.classes_)
        return compute_sample_weight(self.class_weight, y)

    def _head(self):
        if self._multilabel:
            return Head(len(self.classes_), "sigmoid")
        binary = len(self.classes_) == 2
        return Head(1, "sigmoid") if binary else Head(len(self.classes_), "softmax")

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
        sequences, probabilities = self._probabilities(X)
        if self.return_sequences:
            return unpack_steps(probabilities, sequences, 0)
        return probabilities

    def predict_log_proba(self, X):
        """Predict the logarithm of the probability of every class.

        Parameters
        ----------
        X : array-like or list of array-likes

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
        sequences, probabilities = self._probabilities(X)
        if self._multilabel:
            return (probabilities > 0.5).astype(int)
        labels = self.classes_[probabilities.argmax(axis=1)]
        if self.return_sequences:
            return unpack_steps(labels, sequences, self._pad_label)
        return labels

    def _probabilities(self, X):
        sequences, outputs, _ = self._outputs(X)
        if outputs.shape[1] == 1:
            outputs = np.hstack([1 - outputs, outputs])
        return sequences, outputs

    def score(self, X, y, sample_weight=None):
        """Return the accuracy, over real steps where every step has a label.

        Parameters
        ----------
        X : array-like or list of array-likes
        y : array-like or list of array-likes
            True labels.
        sample_weight : array-like of shape (n,), default=None

        Returns
        -------
        score : float
        """
        if not self.return_sequences:
            return super().score(X, y, sample_weight)
        truth, predicted, sample_weight = _flat_steps(self, X, y, sample_weight)
        return accuracy_score(truth, predicted, sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def read_steps(estimator, X: Sequences, y):
    """Return the values of all real steps, one sequence after the other."""
    _require(estimator, y)
    if is_ragged(y):
        _check_count(X, y)
        arrays = [np.asarray(steps) for steps in y]
        check_equal_lengths(X, arrays, "y")
        return np.concatenate(arrays)
    y = np.asarray(y)
    _check_count(X, y)
    if y.ndim < 2 or y.shape[1] != X.n_timesteps:
        raise ValueError(
            f"With return_sequences=True y needs a value for each of the "
            f"{X.n_timesteps} time steps of X: shape (n_samples, n_timesteps) or "
            f"(n_samples, n_timesteps, n_targets), or ragged like X. "
            f"Got shape {y.shape}."
        )
    return pack_steps(y, X)


def check_labels_type(labels):
    """Refuse labels of steps that aren't one label each."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(
            f"With return_sequences=True every step needs one label; y has steps of "
            f"shape {labels.shape[1:]}."
        )
    check_classification_targets(labels)


def _require(estimator, y):
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but "
            "the target y is None."
        )


def _check_count(X, y):
    if len(X) != len(y):
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"{[len(X), len(y)]}"
        )


def _check_values(estimator, y, *, steps=False):
    """Return finite numbers (n,) or (n, K)."""
    _require(estimator, y)
    if np.ndim(y) > 2:
        raise ValueError(
            f"y has shape {np.shape(y)}; {type(estimator).__name__} expects (n_samples,)"
            " or (n_samples, n_targets). For a value at every time step set "
            "return_sequences=True."
        )
    if getattr(np.asarray(y).dtype, "kind", "O") in "USmM":
        raise ValueError(
            f"y has dtype {np.asarray(y).dtype}, but {type(estimator).__name__} "
            "expects numbers."
        )
    y = _check_y(y, multi_output=True, y_numeric=True, estimator=estimator)
    if y.ndim == 2 and y.shape[1] == 1 and not steps:
        y = column_or_1d(y, warn=True)
    return y


def _check_one_dimension_or_indicator(estimator, y):
    _require(estimator, y)
    y = _check_y(y, multi_output=True, estimator=estimator)
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    if kind == "multilabel-indicator":
        return y.toarray() if hasattr(y, "toarray") else y
    if kind.endswith("multioutput"):
        raise ValueError(
            f"y has shape {y.shape} and is no indicator matrix of 0 and 1; "
            f"{type(estimator).__name__} predicts one label for each sequence. For a "
            "label at every time step set return_sequences=True."
        )
    return column_or_1d(y, warn=True)


def _label_at_padding(X, y):
    """Return the label that the user put at padding, if there is any padding."""
    if is_ragged(y) or X.lengths.min() == X.n_timesteps:
        return None
    padding = np.ones((len(X), X.n_timesteps), dtype=bool)
    padding &= ~unpack_steps(np.ones(X.lengths.sum(), bool), X, False)
    return np.asarray(y)[padding][0] if X.form != "ragged" else None


def _check_class_weight(class_weight, classes):
    for label, weight in class_weight.items():
        if label not in classes:
            raise ValueError(
                f"class_weight has the key {label!r}, which is none of the classes "
                f"{classes.tolist()}."
            )
        if not weight >= 0 or not np.isfinite(weight):
            raise ValueError(
                f"class_weight[{label!r}] must be a finite number of at least 0. "
                f"Got {weight!r}."
            )


def _weights_like(estimator, X, weights):
    """Give every step its sequence's weight where there is a target for each."""
    return np.repeat(weights, X.lengths) if estimator.return_sequences else weights


def _float_dtype(y):
    return np.float32 if y.dtype == np.float32 else np.float64


def _flat_steps(estimator, X, y, sample_weight):
    """Return truth, prediction and weight of all real steps."""
    sequences, predicted = estimator._check_X(X, reset=False), estimator.predict(X)
    truth = read_steps(estimator, sequences, y)
    predicted = read_steps(estimator, sequences, predicted)
    if sample_weight is not None:
        sample_weight = np.repeat(np.asarray(sample_weight), sequences.lengths)
    return truth, predicted, sample_weight
