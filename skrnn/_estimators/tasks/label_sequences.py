"""Targets that are sequences of labels of any lengths."""

from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils.multiclass import check_classification_targets

from skrnn._data.sequences import ragged_array
from skrnn._data.targets.blocks import refuse_too_long
from skrnn._data.targets.class_weights import factors_of_steps
from skrnn._data.targets.masked_labels import share_of_right, with_ends, without_masked
from skrnn._data.targets.reading import check_count, require
from skrnn._data.targets.weights import scaled_down, weights_of_outputs
from skrnn._data.tokens.symbols import (
    Symbols,
    column_of_texts,
    pack_labels,
    read_classes,
    read_symbols,
    refuse_other_type,
    restore,
)
from skrnn._data.typing import Array, ArrayLike, SequenceData, Targets, Weights
from skrnn._data.validation_set import validation_set
from skrnn._estimators.advice import advised_arguments, fit_context
from skrnn._estimators.names import Names, loss_of, names_of_losses, refuse_one_hot
from skrnn._estimators.one_fit import of_one_fit
from skrnn._estimators.tasks.beams import BeamsMixin
from skrnn._estimators.tasks.contracts import Seq2SeqContract
from skrnn._estimators.tasks.documentation import LABEL_SEQUENCES, TaskDocs
from skrnn._estimators.tasks.out_of_fold import OutOfFoldMixin, one_number_each
from skrnn._networks.specs import Head
from skrnn._sklearn import (
    Count,
    Function,
    StrictInterval,
    StrOptions,
    check_arguments,
)


@dataclass(kw_only=True, eq=False, repr=False)
class Seq2SeqClassifierMixin(OutOfFoldMixin, BeamsMixin, Seq2SeqContract):
    """Targets are sequences of labels: lists, strings, or rows of an array."""

    # With one direction twice to three times as many words are spelt wrongly.
    bidirectional: bool = True
    max_length: int | None = None
    n_beams: int = 1
    length_penalty: float = 0.0
    class_weight: dict | str | None = None

    _kind_of_loss: ClassVar[str] = "loss of labels"
    _advice = "Scale X, or try"
    _may_be_numbered = staticmethod(one_number_each)
    _task_docs: ClassVar[TaskDocs] = LABEL_SEQUENCES
    _task_constraints = {
        "loss": [
            Names("loss of labels", {"auto", *names_of_losses("labels", "softmax")}),
            Function(),
        ],
        "max_length": [Count(), None],
        "n_beams": [Count()],
        "length_penalty": [StrictInterval(Real, 0, np.inf, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: SequenceData,
        y: Targets,
        sample_weight: Weights | None = None,
        *,
        X_val: SequenceData | None = None,
        y_val: Targets | None = None,
        sample_weight_val: Weights | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : list of str, array-like or list of array-likes
            Strings, or sequences of tokens, of token ids or of numbers.
        y : list of str, list of sequences, or array-like of shape (n,) or (n, H)
            Labels: the characters of strings, or sequences of strings or of numbers.
            An array has one label, or H of them, for each sequence of X.
        sample_weight : array-like of shape (n,) or (n, H), or list of (H_i,), \
default=None
            Weight of each sequence, or of each of its labels, in the loss. A zero
            leaves it out, whatever the label is. The end weighs as the last label does.
        X_val, y_val : array-like or list of array-likes, default=None
            Validation set, in the form of X and y: it is evaluated after each epoch,
            and not trained on. Early stopping then holds nothing out. A ``Pipeline``
            prepares X_val as X with ``transform_input=["X_val"]``.
        sample_weight_val : array-like, default=None
            Weights of the validation set in its loss, in any form of `sample_weight`.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            For input that can't be used; an earlier fit then stays as it was.
        """
        validation = validation_set(X_val, y_val, sample_weight_val)
        return self._report(self._fit(X, y, sample_weight, validation=validation))

    @advised_arguments
    def partial_fit(
        self,
        X: SequenceData,
        y: Targets,
        classes: ArrayLike | None = None,
        sample_weight: Weights | None = None,
    ) -> Self:
        """Train for one more epoch on a batch of data.

        The first call learns the features of X, its symbols if it is made of strings,
        and the form of y. Lengths may grow from call to call, except those of an array
        (n, H).

        Parameters
        ----------
        X : list of str, array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.
        y : list of str, list of sequences, or array-like of shape (n,) or (n, H)
            Their labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever occur, such as the characters of strings; required
            by the first call.
        sample_weight : array-like of shape (n,) or (n, H), or list of (H_i,), \
default=None
            Weight of each sequence, or of each of its labels, in the loss. A zero
            leaves it out, whatever the label is. The end weighs as the last label does.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            For input that can't be used; the estimator then stays as it was.
        """
        return self._partial_fit(X, y, sample_weight, classes)

    def _begin_partial_fit(self, y, classes):
        """Learn the classes of the first call of ``partial_fit``."""
        if classes is None:
            if not self._is_fitted:
                raise ValueError(
                    "classes must be passed on the first call to partial_fit."
                )
            return
        read = read_classes(classes, "classes")
        if not self._is_fitted:
            self.classes_ = read
        elif read.tolist() != self.classes_.tolist():
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to "
                f"partial_fit, was: {self.classes_!r}"
            )

    def _read_labels(self, X, y, known):
        """Read y; strings in an array are labels unless X holds strings too.

        After ``fit`` they are read as they were there, in lists too.
        """
        require(self, y)
        text = self._vocabulary is not None
        if known:
            text = self._labels_like.form == "strings"
            if self._labels_like.form == "labels" and isinstance(y, list | tuple):
                y = np.array([*y, None], dtype=object)[:-1]
        y = column_of_texts(y) if text else y
        symbols = read_symbols(y, "y", strings_are_sequences=text)
        check_count(X, symbols)
        if known:
            refuse_other_type(symbols, self.classes_, type(self).__name__)
        if not isinstance(symbols.flat[0], str):
            check_classification_targets(np.array(symbols.flat))
        return symbols

    def _encode_outputs(self, X, y, sample_weight, known, known_classes):
        """Return label numbers with their ends, and weights; learn classes, lengths."""
        symbols = self._read_labels(X, without_masked(y, sample_weight), known)
        weights = weights_of_outputs(self, symbols.lengths, sample_weight)
        if not known_classes:
            self.classes_ = symbols.classes()
        if not known:
            self._learn_form(symbols)
        elif symbols.form != self._labels_like.form:
            raise ValueError(
                f"{type(self).__name__} was fitted on y as {self._labels_like.form}; "
                f"now it is {symbols.form}."
            )
        self._learn_lengths(X, symbols, known)
        numbers = {label: i for i, label in enumerate(self.classes_.tolist())}
        unknown = set(symbols.flat) - numbers.keys()
        if unknown:
            raise ValueError(
                f"y contains the unknown label {sorted(unknown)[0]!r}; the classes are "
                f"{self.classes_.tolist()}."
            )
        codes = np.array([numbers[label] for label in symbols.flat], np.int32)
        end = len(numbers) if self._has_end else None
        if self._has_end:
            weights = with_ends(weights, symbols.lengths)
        return pack_labels(codes, symbols.lengths, end), weights

    def _step_weights(self, outputs, weights):
        """Return the factors that `class_weight` gives to the weights of steps.

        The end of a sequence isn't a class: its weight stays.
        """
        if self.class_weight is None:
            return None
        given = self.class_weight, self.classes_, outputs.values, weights
        factors, self._class_factors = factors_of_steps(*given)
        return scaled_down(factors).astype(np.float32)

    def _learn_form(self, symbols):
        form = symbols.form, symbols.container, symbols.element
        self._labels_like = Symbols([], np.array([]), *form)
        self._has_end = symbols.form in ("strings", "sequences")
        self._longest_output = self._longest_input = 0

    def _learn_lengths(self, X, symbols, known):
        longest = int(symbols.lengths.max()), int(X.lengths.max())
        refuse_too_long(longest[0])
        if known and not self._has_end and longest[0] != self._longest_output:
            raise ValueError(
                f"y has {longest[0]} labels a sequence, but {type(self).__name__} was "
                f"fitted with {self._longest_output}."
            )
        self._longest_output = max(longest[0], self._longest_output)
        self._longest_input = max(longest[1], self._longest_input)
        longest_output, given = self._longest_output, self.max_length
        self.max_length_ = longest_output if given is None else given

    def _sequences(self, X):
        """Read X; check the parameters of decoding, which may be set after `fit`."""
        names = "max_length", "n_beams", "length_penalty"
        constraints = {name: self._task_constraints[name] for name in names}
        given = {name: getattr(self, name) for name in names}
        check_arguments(constraints, given, type(self).__name__)
        return super()._sequences(X)

    def _limits(self, X):
        """Return how many labels each sequence may get."""
        if not self._has_end:
            return np.full(len(X), self._longest_output)
        if self.max_length is not None:
            return np.full(len(X), self.max_length)
        # Longer inputs than any in fit may have longer outputs, in proportion.
        lengths = np.maximum(X.lengths.astype(int), self._longest_input)
        return -(-self._longest_output * lengths // self._longest_input)

    def _head(self):
        n_outputs = len(self.classes_) + self._has_end
        refuse_one_hot(self.loss, len(self.classes_))
        return Head(n_outputs, "softmax", loss_of(self))

    def _rescaling(self):
        return {}

    def _decoder(self):
        return {"n_labels": len(self.classes_), "has_end": self._has_end}

    def _validation_strata(self, dataset):
        """Hold out sequences at random."""
        return np.zeros(len(dataset))

    @of_one_fit
    def predict(self, X: SequenceData) -> Array | list[Any]:
        """Predict the labels of X.

        Parameters
        ----------
        X : list of str, array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.

        Returns
        -------
        y : list of str, list of sequences, or ndarray of shape (n,) or (n, H)
            In the form of the y of ``fit``: the greedy path, or with `n_beams` above 1
            the best that a beam search finds.
        """
        return self._restored(self._codes(self._sequences(X)))

    def _codes(self, sequences):
        """Return the class numbers that are predicted for each sequence."""
        if self.n_beams > 1:
            return [best.labels for best, *_ in self._search(sequences, 1)]
        paths = self._predictor().greedy(sequences, self._limits(sequences))
        return [path.labels for path in paths]

    @of_one_fit
    def predict_proba(self, X: SequenceData) -> Array | list[Array]:
        """Predict the probability of every label at every step of the greedy path.

        Parameters
        ----------
        X : list of str, array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.

        Returns
        -------
        probabilities : ndarray, or list of ndarrays
            An object array with an array (H + 1, n_classes + 1) for each sequence. The
            last column is the end of the sequence, the last row the step that chose it;
            a sequence cut off at `max_length` has no such row. For y of shape (n,) an
            array (n, n_classes), for (n, H) a list of H such arrays, as scikit-learn
            returns for several outputs.
        """
        sequences = self._sequences(X)
        paths = self._predictor().greedy(
            sequences, self._limits(sequences), probabilities=True
        )
        found = [path.probabilities for path in paths]
        if self._has_end:
            return ragged_array(found)
        steps = list(np.stack(found, axis=1))
        return steps[0] if self._labels_like.form == "labels" else steps

    def predict_log_proba(self, X: SequenceData) -> Array | list[Array]:
        """Predict the logarithm of ``predict_proba``.

        Parameters
        ----------
        X : list of str, array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.

        Returns
        -------
        log_probabilities : ndarray, or list of ndarrays
            In the form of ``predict_proba``.
        """
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            if isinstance(probabilities, np.ndarray) and probabilities.dtype != object:
                return np.log(probabilities)
            logs = [np.log(each) for each in probabilities]
        return logs if isinstance(probabilities, list) else ragged_array(logs)

    def _restored(self, codes):
        return restore(codes, self.classes_, self._labels_like)

    def _attention(self, X):
        """Return what every step of the greedy paths attends to, and the sequences."""
        sequences = self._sequences(X)
        paths = self._predictor().greedy(
            sequences, self._limits(sequences), attention=True
        )
        return [path.attended for path in paths], sequences

    @of_one_fit
    def score(
        self, X: SequenceData, y: Targets, sample_weight: Weights | None = None
    ) -> float:
        """Return the share of sequences that are predicted exactly.

        Parameters
        ----------
        X : list of str, array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.
        y : list of str, list of sequences, or array-like of shape (n,) or (n, H)
            True labels.
        sample_weight : array-like of shape (n,) or (n, H), or list of (H_i,), \
default=None
            Weight of each sequence in the score, or of each of its labels: those of
            weight 0 may be anything.

        Returns
        -------
        score : float
            From 0 to 1, the best. Labels that ``fit`` never saw are wrong.
        """
        sequences = self._sequences(X)
        y = without_masked(y, sample_weight)
        truth = self._read_labels(sequences, y, True).lists()
        symbols, codes = self.classes_.tolist(), self._codes(sequences)
        predicted = [[symbols[code] for code in each] for each in codes]
        return share_of_right(self, truth, predicted, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
