"""The recurrent estimators' common part: `fit` as a table of contents."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skrnn import _engine
from skrnn._base_network import BaseNetwork, refuse_no_weight
from skrnn._constraints import Count, Counts, Vectors, fit_context
from skrnn._embedding import SharedVectorsMixin, read_embedding, reads_tokens
from skrnn._frames import warn_of_time_index
from skrnn._spec import Dataset, NetworkSpec, as_tuple
from skrnn._streaming import StreamingPredictor
from skrnn._validation import check_sequences


@dataclass(kw_only=True, eq=False, repr=False)
class BaseRecurrent(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, SharedVectorsMixin, BaseNetwork
):
    """Recurrent layers, a head, and how they are trained; a mixin adds the task."""

    return_sequences: bool = False
    embedding_matrix: Any = None
    embedding_trainable: bool = True

    _network_constraints = {
        "return_sequences": ["boolean"],
        "embedding_dim": [Count(), Counts(), None],
        "embedding_matrix": [Vectors(), None],
        "embedding_trainable": ["boolean"],
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Train the network.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences: an array (n, T, F); an array or frame (n, T) of univariate ones;
            a list of (T_i, F) or (T_i,) arrays; or, with `embedding_dim`, integers.
        y : array-like or list of array-likes
            A target for each sequence, or for each step with `return_sequences`.
        sample_weight : array-like of shape (n,), default=None
            Weight of each sequence in the loss; a zero leaves it out.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            For input that can't be used; an earlier fit then stays as it was.
        """
        return self._report(self._fit(X, y, sample_weight))

    def _train(
        self,
        X,
        y,
        sample_weight,
        *,
        resume,
        known_target=False,
        epochs=None,
        min_samples=2,
    ):
        X = self._check_X(X, reset=not resume, min_samples=min_samples)
        dataset = self._dataset(X, y, sample_weight, known_target or resume)
        plan = self._plan(len(dataset), epochs, resume)
        embedding = read_embedding(self, X, self._spec if resume else None)
        spec = self._network(X, embedding, resume)
        training, validation = self._split(dataset, plan)
        start = self._start(spec, plan.seed, resume, embedding.fill)
        trained = _engine.train(spec, plan, training, validation, *start)
        self._keep(spec, trained, resume)
        self._n_features_out = spec.units[-1] * len(spec.directions)
        return trained

    def _check_X(self, X, *, reset, min_samples=1):
        """Read X as packed sequences."""
        if reset and not reads_tokens(self):
            warn_of_time_index(self, X)
        return check_sequences(
            self,
            X,
            reset=reset,
            ensure_min_samples=min_samples,
            tokens=reads_tokens(self),
            vocabulary_size=None if reset else self._spec.vocabulary_size,
        )

    def _dataset(self, X, y, sample_weight, known_target):
        """Put sequences, encoded targets and weights together; leave out zero weights.

        Weights are scaled to a mean of 1, so that the loss and the step size don't
        depend on their unit.
        """
        weights = self._read_weights(X, sample_weight)
        targets, target_weights = self._encode_target(X, y, weights, known_target)
        refuse_no_weight(target_weights)
        rows = np.flatnonzero(weights)
        n_targets = X.lengths[rows].sum() if self.return_sequences else len(rows)
        starts = np.cumsum(X.lengths) - X.lengths
        return Dataset(
            sequences=X,
            targets=targets,
            weights=(target_weights * n_targets / target_weights.sum()).astype("f4"),
            target_starts=starts if self.return_sequences else np.arange(len(X)),
        ).take(rows)

    def _network(self, X, embedding, resume):
        """Decide what to build."""
        spec = NetworkSpec(
            cell=self.cell,
            units=as_tuple(self.units),
            n_features=X.n_features,
            head=self._head(),
            bidirectional=bool(self.bidirectional),
            return_sequences=bool(self.return_sequences),
            attention=self.attention,
            vocabulary_size=embedding.vocabulary_size,
            embedding_dim=embedding.dim,
            embedding_trainable=bool(self.embedding_trainable) or not embedding.dim,
            dense_units=as_tuple(self.dense_units),
            activation=self.activation,
            layer_norm=bool(self.layer_norm),
            dropout=float(self.dropout),
            recurrent_dropout=float(self.recurrent_dropout),
        )
        if resume:
            self._refuse_changes(spec)
        return spec

    def _run(self, X, **wanted):
        """Return X as sequences, and what the network makes of them."""
        check_is_fitted(self)
        sequences = self._check_X(X, reset=False)
        found = _engine.predict(self._spec, self._weights, sequences, **wanted)
        return sequences, found

    def _attention(self, X):
        """Return what the states of each sequence attend to, and the sequences."""
        sequences = self._check_X(X, reset=False)
        return _engine.attention_of(self._spec, self._weights, sequences), sequences

    def transform(self, X):
        """Return the last hidden state of the last layer.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.

        Returns
        -------
        states : ndarray of shape (n, units)
            Of both directions side by side, (n, 2 * units), if bidirectional.
        """
        return self._run(X, states=True)[1]

    def stream(self, method="predict"):
        """Follow one sequence as it comes in, a step at a time.

        The hidden state is kept between the steps, so an update costs one step however
        long the sequence has become.

        Parameters
        ----------
        method : {"predict", "predict_proba"}, default="predict"
            What an update returns.

        Returns
        -------
        stream : StreamingPredictor
            It keeps its own copy of the network: fitting again doesn't change it.

        Raises
        ------
        ValueError
            If the network is bidirectional: then every output depends on all steps.
        """
        check_is_fitted(self)
        return StreamingPredictor(self, method)
