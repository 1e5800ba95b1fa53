"""Targets that are labels."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import (
    unique_labels,
)
from sklearn.utils.validation import check_is_fitted

from skrnn._data.sequences import Multiples, ragged_array, unpack_steps
from skrnn._data.targets.class_weights import (
    balanced_table,
    factors_in_training,
    factors_of_rows,
    table_of_classes,
    weighted_by_class,
    weighted_by_columns,
)
from skrnn._data.targets.codes import Codes, different, encode, few_like
from skrnn._data.targets.multilabel import (
    check_columns,
    labels_of_sequences,
    labels_of_steps,
    several_a_sequence,
    several_a_step,
)
from skrnn._data.targets.padding import given_label, unpack_labels
from skrnn._data.targets.reading import (
    advice_of_one_hot,
    check_labels,
    counted,
    put_back,
    read_steps,
    read_targets,
    warn_of_one_hot,
)
from skrnn._data.targets.scores import beside_truth, share_right
from skrnn._data.targets.weights import (
    are_of_steps,
    constant,
    left_out,
    steps_of_padding,
)
from skrnn._data.typing import Array, ArrayLike, SequenceData, Targets, Weights
from skrnn._estimators.advice import advised_arguments
from skrnn._estimators.names import (
    NAMES,
    Names,
    check_loss_of_labels,
    loss_of,
)
from skrnn._estimators.one_fit import of_one_fit
from skrnn._estimators.tasks.chains import ChainMixin
from skrnn._estimators.tasks.contracts import LabelContract
from skrnn._estimators.tasks.documentation import LABELS, TaskDocs
from skrnn._estimators.tasks.out_of_fold import OutOfFoldMixin
from skrnn._networks.specs import Head
from skrnn._sklearn import (
    Function,
    StrOptions,
    check_partial_fit_first_call,
)


@dataclass(kw_only=True, eq=False, repr=False)
class SequenceClassifierMixin(
    ChainMixin, OutOfFoldMixin, ClassifierMixin, LabelContract
):
    """Targets are labels: one of several, or several at once (indicator matrix)."""

    class_weight: dict | str | None = None

    _kind_of_loss: ClassVar[str] = "loss of labels"
    _advice = "Scale X, or try"
    _task_docs: ClassVar[TaskDocs] = LABELS
    _task_constraints = {
        "loss": [
            Names("loss of labels", {"auto", *NAMES["loss of labels"]}),
            Function(),
        ],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
        "crf": ["boolean"],
        "illegal_transitions": [list, tuple, StrOptions({"bio"}), None],
    }

    def _encode_target(self, X, y, weights, known, sample_weight):
        """Return targets and their weights; learn the classes.

        The class of a sequence of weight 0 still counts as a class, as in scikit-learn;
        a step that is masked by a `sample_weight` of its own may have any label.
        """
        read = read_steps if self.return_sequences else read_targets
        found = read(self, X, y)
        labels = self._check_labels(X, counted(found, weights))
        steps = self.return_sequences and labels.ndim == 1
        pad_label = given_label(X, y) if steps else None
        # Not for a validation set, whose network exists already.
        if labels.ndim == 2 and not (known and hasattr(self, "_spec")):
            check_loss_of_labels(self.loss, labels.shape[1], multilabel=True)
            warn_of_one_hot(labels, self, y)
        if not known:
            padding = np.full(len(weights), are_of_steps(sample_weight))
            if self.return_sequences:
                padding |= steps_of_padding(X)
            self._learn_classes(labels, left_out(found, weights, padding))
            self._pad_label = pad_label
        elif self._multilabel != (labels.ndim == 2):
            before = "an indicator matrix" if self._multilabel else "labels"
            raise ValueError(
                f"{type(self).__name__} was fitted on {before}; y has shape "
                f"{labels.shape}.{advice_of_one_hot(labels, y)}"
            )
        elif pad_label is not None:
            self._pad_label = pad_label
        encode = self._encode_indicators if self._multilabel else self._encode_labels
        targets, there = encode(labels, counted(weights, weights))
        targets, there = put_back(targets, weights), put_back(there, weights)
        if self._multilabel:
            return targets, there
        if self.crf and self.return_sequences:
            return self._encode_chain(targets, there, X.lengths)
        dtype = np.float32 if len(self.classes_) == 2 else np.int32
        return Codes(targets[:, None], dtype), there

    def _check_labels(self, X, labels):
        """Check labels, one or several for each target."""
        if self.return_sequences:
            return labels_of_steps(labels)
        return labels_of_sequences(self, X, labels)

    def _learn_classes(self, y, others):
        self._multilabel = y.ndim == 2
        if len(others):
            y = check_labels(np.concatenate([y, check_labels(others)]))
        self.classes_ = np.arange(y.shape[1]) if self._multilabel else _unique(y)
        self._check_number_of_classes()

    def _check_number_of_classes(self):
        if not self._multilabel and len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes, but there "
                f"is only one class: {self.classes_.tolist()[0]!r}."
            )

    @advised_arguments
    def partial_fit(
        self,
        X: SequenceData,
        y: Targets,
        classes: ArrayLike | None = None,
        sample_weight: Weights | None = None,
    ) -> Self:
        """Train for one more epoch on a batch of data.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.
        y : array-like or list of array-likes
            Their labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever occur; required by the first call. For an
            indicator matrix they are its column numbers, 0 to K - 1, and needn't be
            given.
        sample_weight : array-like of shape (n,) or (n, T), or list of (T_i,), \
default=None
            Weight of each sequence or step in the loss, as in ``fit``.

        Returns
        -------
        self : object
        """
        return self._partial_fit(X, y, sample_weight, classes)

    def _begin_partial_fit(self, y, classes):
        """Learn the classes of the first call of ``partial_fit``."""
        several = several_a_step if self.return_sequences else several_a_sequence
        if several(y) and not self._is_fitted:
            if classes is None:
                # They are learnt from y.
                return
            check_columns(classes, y)
        first = check_partial_fit_first_call(self, classes)
        if first:
            self._multilabel, self._pad_label = several(y), None
            self._check_number_of_classes()

    def _encode_indicators(self, y, weights):
        """Return labels (n, n_labels) as numbers, and the weights of the rows."""
        if self.class_weight is not None:
            weights, self._class_factors = weighted_by_columns(self, y, weights)
        if y.shape[1] != len(self.classes_):
            raise ValueError(
                f"y has {y.shape[1]} labels, but {type(self).__name__} was fitted "
                f"with {len(self.classes_)}."
            )
        return np.asarray(y, np.float32), weights

    def _encode_labels(self, y, weights):
        """Return labels (n,) as numbers of classes, and the weights of the rows."""
        of_each = labels = None
        if isinstance(self.class_weight, dict | list):
            labels = different(y)
            of_each = factors_of_rows(self, labels, weights)
        numbers = encode(y, self.classes_)
        if self.class_weight is None:
            return numbers, weights
        if labels is None:
            table = balanced_table(numbers, len(self.classes_), weights)
        else:
            table = table_of_classes(of_each, labels, self.classes_)
        found = weighted_by_class(weights, numbers, table)
        self._class_factors = factors_in_training(table, weights, found)
        return numbers, found

    def _head(self):
        if self.crf:
            return self._head_of_chain()
        n_classes = len(self.classes_)
        check_loss_of_labels(self.loss, n_classes, self._multilabel)
        n_outputs = 1 if n_classes == 2 and not self._multilabel else n_classes
        activation = "sigmoid" if self._multilabel or n_classes == 2 else "softmax"
        return Head(n_outputs, activation, loss_of(self))

    def _rescaling(self):
        return {}

    def _validation_strata(self, dataset):
        """Hold out the same share of every class; of several labels, any rows."""
        if self._multilabel or self.return_sequences:
            return constant(np.int8(0), len(dataset))
        numbers, starts = dataset.targets.numbers[:, 0], dataset.target_starts
        return starts.of(numbers) if isinstance(starts, Multiples) else numbers[starts]

    @of_one_fit
    def predict_proba(self, X: SequenceData) -> Array:
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
            (n, T, n_classes), zero at padding, or ragged where X is ragged: an array
            (T_i, n_classes) for each sequence.
        """
        sequences, probabilities = self._decoded(X, self._decode_proba)
        if self.return_sequences:
            return unpack_steps(probabilities, sequences, 0)
        return probabilities

    def predict_log_proba(self, X: SequenceData) -> Array:
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

    @of_one_fit
    def predict(self, X: SequenceData) -> Array:
        """Predict the labels of X.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.

        Returns
        -------
        y : ndarray of shape (n,) or (n, n_labels)
            With ``return_sequences=True`` (n, T) or (n, T, n_labels), or ragged where X
            is ragged. A y of shape (n, T, 1), with one label a step, gives (n, T) too.
            Padding gets the label that y had there in ``fit``. If it had none, padding
            gets one that is no class: an empty string ("<padding>" if that is a class),
            or -1 (or less if that is a class); the largest free number for unsigned
            integers, False for booleans, and 0 for each of several labels.
        """
        sequences, labels = self._predicted(X)
        if not self.return_sequences:
            return labels
        if self._multilabel:
            return unpack_steps(labels, sequences, 0)
        return unpack_labels(labels, sequences, self._pad_label, self.classes_)

    def _predicted(self, X):
        """Return X as sequences, and the labels, steps one after the other."""
        return self._decoded(X, self._decode, labels=True)

    def _decoded(self, X, decode, *, labels=False):
        """Return X as sequences, and what `decode` makes of each block of outputs."""
        if not self._is_fitted:
            check_is_fitted(self)
        if labels and not self._multilabel:
            wanted = {"decode": (decode, ()), "dtype": self.classes_.dtype}
        else:
            shape = (len(self.classes_),)
            wanted = {"decode": (decode, shape), "dtype": int if labels else float}
        return self._run(X, best_path=labels, **wanted)

    def _decode(self, outputs):
        """Turn the network's outputs (n, K) into labels."""
        if not self._multilabel and outputs.shape[1] == 1:
            likely = outputs[:, 0] > 1 - outputs[:, 0]
            return self.classes_[likely.astype(np.intp)]
        probabilities = self._decode_proba(outputs)
        if self._multilabel:
            return (probabilities > 0.5).astype(int)
        return self.classes_[probabilities.argmax(axis=1)]

    def _decode_proba(self, outputs):
        """Turn the network's outputs into the probabilities of all classes."""
        if outputs.shape[1] == 1:
            return np.hstack([1 - outputs, outputs])
        return outputs

    @of_one_fit
    def score(
        self, X: SequenceData, y: Targets, sample_weight: Weights | None = None
    ) -> float:
        """Return the accuracy, over real steps where every step has a label.

        Of several labels at once, all must be right.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.
        y : array-like or list of array-likes
            True labels.
        sample_weight : array-like of shape (n,) or (n, T), or list of (T_i,), \
default=None
            Weight of each sequence, or with `return_sequences` of each step, in the
            score. A zero leaves it out, whatever its label is.

        Returns
        -------
        score : float
            That of :func:`sklearn.metrics.accuracy_score` for all real steps, or
            sequences.
        """
        check_is_fitted(self)
        sequences, predicted = self._predicted(X)
        given = sequences, y, predicted, sample_weight
        truth, predicted, weights = beside_truth(self, *given)
        if self.return_sequences:
            truth = labels_of_steps(truth)
        elif not issparse(truth):
            truth = check_labels(truth)
        return share_right(truth, predicted, weights)

    def _may_be_numbered(self, X, y):
        return not self.return_sequences

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


@np.errstate(invalid="ignore")  # Large floats are asked whether they are integers.
def _unique(labels):
    # unique_labels turns objects that are strings into an array of strings.
    return unique_labels(few_like(labels)).astype(labels.dtype)
