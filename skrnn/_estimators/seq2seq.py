"""The public estimators that predict a sequence from a sequence."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from skrnn import _engine
from skrnn._data.datasets import Seq2SeqData
from skrnn._data.frames.as_arrays import check_names
from skrnn._data.targets.weights import are_of_steps, refuse_no_weight
from skrnn._data.tokens.ids import FIRST_WORD, vocabulary_of, vocabulary_size
from skrnn._data.tokens.symbols import (
    column_of_texts,
    encode_tokens,
    holds_integers,
    holds_symbols,
    read_symbols,
    refuse_missing,
    refuse_no_list,
)
from skrnn._data.validation import check_sequences
from skrnn._estimators.docs.recurrent import recurrent_estimator
from skrnn._estimators.docs.seq2seq import ENCODER_AND_DECODER
from skrnn._estimators.embedding import (
    Embedding,
    ReadsWholeSequences,
    TakesVectors,
    read_embedding,
)
from skrnn._estimators.names import Names, named
from skrnn._estimators.network_base import BaseNetwork
from skrnn._estimators.output_bias import at_frequencies, one_after_the_other
from skrnn._estimators.recurrent_layers import RecurrentLayers
from skrnn._estimators.tasks import Seq2SeqClassifierMixin, Seq2SeqRegressorMixin
from skrnn._networks.architecture import as_tuple, seq2seq_spec
from skrnn._networks.attention import ATTENTIONS
from skrnn._networks.cells import CELLS
from skrnn._networks.specs import Seq2SeqSpec, Spec
from skrnn._sklearn import StrictInterval


@dataclass(kw_only=True, eq=False, repr=False)
class BaseSeq2Seq(RecurrentLayers, TakesVectors, ReadsWholeSequences, BaseNetwork):
    """An encoder, a decoder, and how they are trained; a mixin adds the task."""

    cell: str = "lstm"
    attention: str | None = "dot"
    teacher_forcing: float = 1.0

    _network_docs: ClassVar[Mapping] = ENCODER_AND_DECODER
    _network_constraints = {
        "cell": [Names("cell", CELLS.keys())],
        **TakesVectors._vector_constraints,
        "attention": [Names("attention", ATTENTIONS.keys()), None],
        "teacher_forcing": [StrictInterval(Real, 0, 1, closed="both")],
    }
    _spec_class: ClassVar[type[Spec]] = Seq2SeqSpec

    def _fit(self, X, y, sample_weight, **known):
        trained = super()._fit(X, y, sample_weight, **known)
        if not self.warm_start:
            # It is twice as large as the weights, and no later fit needs it.
            self._optimizer_state = None
        return trained

    def _options(self):
        return {"teacher_forcing": float(self.teacher_forcing)}

    def _check_X(self, X, *, reset, min_samples=1, trains=False):
        """Read X as packed sequences of numbers, or of token ids."""
        given, X = X, column_of_texts(X, texts=reset or self._of_texts)
        text = holds_symbols(X)
        if reset:
            self._vocabulary, self._tokens = None, text or self._holds_ids(X)
            self._of_texts: bool = False
        elif text != (self._vocabulary is not None):
            refuse_no_list(X, "X", type(self).__name__)
            if not text:
                refuse_missing(X, "X")
            kinds = "numbers", "strings"
            raise TypeError(
                f"X holds {kinds[text]}, but {type(self).__name__} was fitted on "
                f"{kinds[not text]}."
            )
        if text:
            check_names(self, given, reset=reset)
            return self._read_text(X, reset, min_samples)
        known = None if reset or not self._tokens else self._spec
        return check_sequences(
            self,
            X,
            reset=reset,
            ensure_min_samples=min_samples,
            trains=trains,
            tokens=self._tokens,
            each_row_is_one=True,
            vocabulary_size=known and known.vocabulary_size,
        )

    def _holds_ids(self, X):
        # Ids from a TextSequencer carry a vocabulary: they can't be numbers. Given
        # vectors are for ids alone; a length of vectors may be for labels.
        by_dim = self.embedding_dim is not None and holds_integers(X)
        given = self.embedding_matrix is not None
        return by_dim or given or vocabulary_of(X) is not None

    def _read_text(self, X, reset, min_samples):
        """Read strings, or sequences of strings, as token ids of our own vocabulary."""
        symbols = read_symbols(X, "X")
        if len(symbols) < min_samples:
            raise ValueError(
                f"Found {len(symbols)} sequence(s) while a minimum of {min_samples} is "
                f"required by {type(self).__name__}: n_samples = {len(symbols)}."
            )
        if reset:
            known = enumerate(sorted(set(symbols.flat)), start=FIRST_WORD)
            self._vocabulary = {symbol: i for i, symbol in known}
            self._of_texts = symbols.form == "strings"
            self.n_features_in_ = 1
        sequences = encode_tokens(symbols, self._vocabulary)
        return replace(sequences, vocabulary=self._vocabulary)

    def _dataset(self, X, y, sample_weight, known, known_target, future=None):
        """Put sequences and encoded targets together; leave out zero weights."""
        given = X, y, sample_weight, known, known or known_target
        outputs, of_steps = self._encode_outputs(*given)
        refuse_no_weight(of_steps)
        future = self._read_future(X, future, known)
        factors = self._step_weights(outputs, of_steps)
        total = of_steps if factors is None else of_steps * factors
        refuse_no_weight(total)
        starts = np.asarray(outputs.starts)
        weights = np.maximum.reduceat(of_steps, starts)
        readable = None
        if are_of_steps(sample_weight):
            readable = of_steps > 0
            factors = total / np.repeat(
                np.where(weights > 0, weights, 1), outputs.lengths
            )
            factors = factors.astype(np.float32)
        rows = np.flatnonzero(weights)
        # Of mean 1 over all output steps.
        weights = weights * (outputs.lengths[rows].sum() / total.sum())
        return Seq2SeqData(
            X,
            outputs,
            weights.astype(np.float32),
            future,
            step_weights=factors,
            known=readable,
            start=self._decoder().get("n_labels", 0),
        ).take(rows)

    def _read_future(self, X, future, known):
        """Return None: only tasks of numbers have a `future`."""

    def _step_weights(self, outputs, weights):
        """Return None: only tasks of labels weight single steps."""

    def _network(self, X, resume):
        """Return the spec of the network to build, and what fills first weights."""
        embedding = self._embedding(X, resume)
        decoder = self._decoder()
        of_labels: Any = None
        if "n_labels" in decoder:
            of_labels = self.embedding_dim or as_tuple(self.units)[0]
        cell, attention, activation = named(self, "cell", "attention", "activation")
        spec = seq2seq_spec(
            cell=cell,
            units=self.units,
            n_features=X.n_features,
            head=self._head(),
            bidirectional=bool(self.bidirectional),
            attention=attention,
            vocabulary_size=embedding.vocabulary_size,
            embedding_dim=embedding.dim,
            embedding_trainable=bool(self.embedding_trainable),
            label_dim=of_labels,
            dense_units=self.dense_units,
            activation=activation,
            layer_norm=bool(self.layer_norm),
            dropout=float(self.dropout),
            recurrent_dropout=float(self.recurrent_dropout),
            timescales=self.timescales,
            memory=self.memory,
            **decoder,
        )
        given = [] if embedding.vectors is None else [embedding.fill]
        return spec, one_after_the_other([*given, at_frequencies])

    def _embedding(self, X, resume):
        """Return the size of the table of token ids, and the vectors given for it."""
        if not self._tokens:
            return Embedding()
        size = self._vocabulary_size(X, resume)
        if self.embedding_matrix is not None:
            return read_embedding(self, X, self._spec if resume else None)
        return Embedding(size, self.embedding_dim or as_tuple(self.units)[0])

    def _vocabulary_size(self, X, resume):
        if resume:
            return self._spec.vocabulary_size
        if self._vocabulary is not None:
            return vocabulary_size(self._vocabulary)
        if X.n_features > 1:
            raise ValueError(
                f"{type(self).__name__} reads one token id a step, but X has "
                f"{X.n_features} channels of them."
            )
        if X.vocabulary is not None:
            return vocabulary_size(X.vocabulary)
        return int(X.values.max()) + 1

    def _sequences(self, X):
        self._require_fit()
        return self._check_X(X, reset=False)

    def _predictor(self):
        return _engine.Seq2SeqPredictor(self._spec, self._weights)


@recurrent_estimator
class Seq2SeqRegressor(Seq2SeqRegressorMixin, BaseSeq2Seq):
    """Encoder and decoder that predict a sequence of numbers from a sequence.

    One recurrent network reads a sequence, another one starts from its state and
    predicts step by step, each value from the one before (Sutskever et al., 2014).
    """


@recurrent_estimator
class Seq2SeqClassifier(Seq2SeqClassifierMixin, BaseSeq2Seq):
    """Encoder and decoder that predict a sequence of labels from a sequence.

    Translation, spelling, transcription, normalisation: one recurrent network reads a
    sequence, another one starts from its state and writes labels until it writes the
    end (Sutskever et al., 2014), attending to what was read (Bahdanau et al., 2015;
    Luong et al., 2015).

    Searches and cross-validation need ``cv=KFold(5)`` or another splitter that doesn't
    look at y: with a number scikit-learn takes y for labels, one for each sequence,
    which lists of strings or of lists aren't.
    """
