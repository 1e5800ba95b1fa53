"""The language model under the text generator: training and likelihoods."""

import math
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
from scipy.special import softmax

from skrnn import _engine
from skrnn._data.typing import Array, Documents
from skrnn._data.validation_set import errors_of_validation
from skrnn._engine import TrainPlan
from skrnn._estimators.advice import fit_context
from skrnn._estimators.going_on import going_on
from skrnn._estimators.language.growth import grown_state, grown_weights
from skrnn._estimators.language.reading import (
    check_texts,
    has_ends,
    refuse_unknown,
    stream_of,
)
from skrnn._estimators.language.vocabulary import ANALYZERS, END, Vocabulary
from skrnn._estimators.names import Names, named
from skrnn._estimators.network_base import TrainedNetwork
from skrnn._estimators.one_fit import as_before_fit, of_one_fit, unchanged_on_error
from skrnn._estimators.recurrent_layers import RecurrentLayers
from skrnn._estimators.saved import mark_state, read_state
from skrnn._estimators.watching import watch_fit
from skrnn._networks.architecture import as_tuple, language_spec
from skrnn._networks.cells import CELLS
from skrnn._networks.optimizers import OPTIMIZERS
from skrnn._networks.specs import LanguageSpec
from skrnn._sklearn import Count, StrOptions

# With fewer tokens than this, early_stopping="auto" trains for all epochs on all.
EARLY_STOPPING_FROM = 10_000


@dataclass(kw_only=True, eq=False, repr=False)
class LanguageModel(RecurrentLayers, TrainedNetwork):
    """A recurrent language model: its parameters, training, and likelihoods of texts.

    A subclass has ``_sample(spec, weights, seed)``, a text that progress shows.
    """

    analyzer: str = "char"
    max_features: int | None = None
    min_count: int = 1
    handle_unknown: str = "error"
    lookback: int = 64
    cell: str = "lstm"
    units: int | tuple[int, ...] = 256
    embedding_dim: int = 128
    tie_weights: bool = False
    optimizer: str = "adam"
    epochs: int = 50
    patience: int = 5

    _parameter_constraints = {
        **TrainedNetwork._training_constraints,
        **RecurrentLayers._layer_constraints,
        "analyzer": [StrOptions(set(ANALYZERS))],
        "max_features": [Count(), None],
        "min_count": [Count()],
        "handle_unknown": [StrOptions({"error", "map", "grow"})],
        "lookback": [Count()],
        "cell": [Names("cell", CELLS.keys())],
        "embedding_dim": [Count()],
        "tie_weights": ["boolean"],
        "optimizer": [Names("optimizer", set(OPTIMIZERS))],
    }
    _spec_class = LanguageSpec
    _tells_X = True
    _advice = "Try"

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        texts: Documents,
        y: Any = None,
        *,
        X_val: Documents | None = None,
    ) -> Self:
        """Learn the vocabulary, and train the network.

        Parameters
        ----------
        texts : str or iterable of str
            A str is one text that goes on: no end is learnt. Texts in a list have ends,
            even if there is only one.
        y : object, default=None
            Ignored; it is there because scikit-learn's tools pass it.
        X_val : str or iterable of str, default=None
            Validation texts, evaluated after each epoch and not trained on. Early
            stopping then holds nothing out.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError
            If a text isn't a str.
        ValueError
            If there are no tokens, or `min_count` leaves none in the vocabulary; an
            earlier fit then stays as it was.
        """
        resume = self.warm_start and self._is_fitted
        # An iterator can be read once, and callbacks read the texts too.
        texts = list(texts) if isinstance(texts, Iterator) else texts
        watch = watch_fit(self, texts, y, self.epochs)
        with unchanged_on_error(self), watch:
            trained = self._train(texts, resume, self.epochs, X_val, watch)
        return self._report(trained)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, texts: Documents, y: Any = None) -> Self:
        """Train for one more epoch, on these texts alone: fine-tuning.

        The first call, if there was no ``fit``, learns the vocabulary. Later ones keep
        it, or with ``handle_unknown="grow"`` add the new tokens of these texts to it.

        Parameters
        ----------
        texts : str or iterable of str
            As for ``fit``. Once it has read texts in a list, the model knows ends.
        y : None
            Ignored.

        Returns
        -------
        self : object
        """
        texts = list(texts) if isinstance(texts, Iterator) else texts
        watch = watch_fit(self, texts, y, 1)
        with unchanged_on_error(self), watch:
            trained = self._train(texts, self._is_fitted, None, watch=watch)
        return self._report(trained)

    def _train(self, texts, resume, epochs, X_val=None, watch=None):
        ends, texts = has_ends(texts), check_texts(texts)
        if not resume:
            self._learn_vocabulary(texts)
        elif self.handle_unknown == "grow":
            self._grow(texts)
        self._has_ends: bool = ends or (resume and self._has_ends)
        # Before the texts are read: another analyzer would find unknown tokens only.
        spec = self._network(resume)
        is_fixed = resume and self.handle_unknown != "grow"
        documents = self._encode(texts, "texts", known=is_fixed)
        inputs, targets = stream_of(documents, self._targets(texts, ends))
        held = self._held_stream(X_val)
        own = None
        if epochs is not None:
            data = inputs, targets, held, self.tokens_
            own = self._checkpoint(resume, *data)
        plan, share = self._plan(len(inputs), epochs, resume, X_val, own)
        seed = plan.seed if self.shuffle else None
        streams = self._streams(inputs, targets, share, seed, held)
        start = self._start(spec, plan, resume)
        # A copy has the new vocabulary while it trains.
        progress = partial(copy(self)._progress, spec, plan)
        told = watch and watch.epochs(spec, plan, resume)
        options: Any = {"engine": self.engine, "progress": progress, "watch": told}
        options["checkpoint"] = going_on(own, spec, plan)
        with as_before_fit(self):
            trained = _engine.train(spec, plan, *streams, *start, **options)
        self._keep(spec, plan, trained, resume)
        return trained

    def _progress(self, spec, plan, program):
        """Return what shows how training goes: bits, and with it a sample of text."""

        def sample():
            return self._sample(spec, program.get_weights(), plan.seed)

        shown = self._vocabulary.unit, sample
        return _engine.TextProgress(plan.name, plan.epochs, plan.verbose, *shown)

    def _learn_vocabulary(self, texts):
        limits = self.max_features, self.min_count
        self._vocabulary = Vocabulary.of(texts, self.analyzer, *limits)
        self.tokens_ = np.array(self._vocabulary.names, dtype=object)

    def _grow(self, texts):
        """Add the new tokens of texts to the vocabulary, and to the network."""
        limits = self.max_features, self.min_count
        self._vocabulary = self._vocabulary.grown(texts, *limits)
        self.tokens_ = np.array(self._vocabulary.names, dtype=object)
        spec = self._spec.with_vocabulary(len(self._vocabulary))
        self._weights = grown_weights(self._spec, spec, self._weights)
        known = self._optimizer_kind, self._optimizer_state
        self._spec, self._optimizer_state = spec, grown_state(spec, *known)

    def _network(self, resume):
        if self.tie_weights and self.embedding_dim != as_tuple(self.units)[-1]:
            raise ValueError(
                "tie_weights=True needs an embedding_dim as large as the last of "
                f"units. Got embedding_dim={self.embedding_dim} and units={self.units}."
            )
        cell, activation = named(self, "cell", "activation")
        spec = language_spec(
            cell=cell,
            units=self.units,
            vocabulary_size=len(self._vocabulary),
            embedding_dim=int(self.embedding_dim),
            tie_weights=bool(self.tie_weights),
            activation=activation,
            layer_norm=bool(self.layer_norm),
            dropout=float(self.dropout),
            recurrent_dropout=float(self.recurrent_dropout),
            timescales=self.timescales,
            memory=self.memory,
        )
        if resume:
            self._refuse_changes(spec)
        return spec

    def _plan(self, n_tokens, epochs, resume, X_val, checkpoint=None):
        """Return how to train, and which share of the stream is held out or None.

        Without `epochs` it is one epoch on all texts.
        """
        known = n_tokens >= EARLY_STOPPING_FROM, X_val, None if epochs else 1
        early_stopping, share = self._how_to_validate(*known)
        plan = TrainPlan(
            loss=None,
            epochs=int(epochs or 1),
            batch_size=int(self.batch_size),
            shuffle=self.shuffle,
            early_stopping=early_stopping,
            patience=int(self.patience),
            callbacks=(),
            verbose=int(self.verbose),
            seed=self._seed(resume, checkpoint),
            name=type(self).__name__,
            **self._plan_of_steps(one_epoch=epochs is None),
        )
        return plan, share

    def _held_stream(self, X_val):
        """Read texts to validate on; the vocabulary stays as it is."""
        if X_val is None:
            return None
        with errors_of_validation("texts"):
            ends, texts = has_ends(X_val), check_texts(X_val)
            documents = self._encode(texts, "texts")
            # As in `score`: ends count only if the model was trained on some.
            targets = self._targets(texts, ends and self._has_ends)
            return stream_of(documents, targets)

    def _streams(self, inputs, targets, share, seed, held):
        """Cut the stream into sequences to train on and, from its end, to validate on.

        Where another stream is `held`, that one is validated on.
        """
        n = len(inputs)
        n_held = math.ceil(n * (share or 0))
        if n_held >= n:
            raise ValueError(
                f"validation_split={share} leaves none of {n} tokens "
                "to train on; make it smaller, or set early_stopping=False and "
                "validation_split=None."
            )
        if n_held:
            held = inputs[n - n_held :], targets[n - n_held :]
        training = self._cut(inputs[: n - n_held], targets[: n - n_held], seed)
        validation = None if held is None else self._cut(held[0], held[1], None)
        return training, validation

    def _cut(self, inputs, targets, seed):
        batch_size, lookback = int(self.batch_size), int(self.lookback)
        n_sequences = max(1, min(batch_size, len(inputs) // lookback))
        return _engine.TokenStream(inputs, targets, n_sequences, lookback, seed)

    def _encode(self, texts, what, known=True):
        """Return texts as token ids; those it learns from may hold unknown tokens."""
        if known and self.handle_unknown != "map":
            refuse_unknown(self._vocabulary, texts, what)
        return self._vocabulary.encode_all(texts)

    def _targets(self, texts, ends):
        """Return the ids to predict for each text, its end included if it has one."""
        end = np.array([END] if ends else [], np.int32)
        return [np.append(ids, end) for ids in self._vocabulary.expect_all(texts)]

    @of_one_fit
    def predict_proba(self, texts: Documents) -> Array:
        """Return the probabilities of the token that follows each text.

        Parameters
        ----------
        texts : str or iterable of str
            One text or many. A space at the end belongs to the next word: only tokens
            that begin with a space then have a probability.

        Returns
        -------
        probabilities : ndarray of shape (n_texts, n_tokens)
            The columns are in the order of `tokens_`: the end of the text, an unknown
            token, and those of the vocabulary.
        """
        self._require_fit()
        openings = map(self._vocabulary.opening, check_texts(texts))
        read, spaces = zip(*openings, strict=True)
        documents = self._encode(read, "texts")
        found = _engine.next_token(self._spec, self._weights, documents)[0]
        impossible = np.array(spaces)[:, None] > ""
        impossible = impossible & ~self._vocabulary.begins_with_space
        return softmax(np.where(impossible, -np.inf, found), axis=1)

    @of_one_fit
    def score(self, texts: Documents, y: Any = None) -> float:
        """Return the mean log-likelihood of a token, in nats: the higher, the better.

        The end of each text in a list counts as a token, if the model has learnt ends.
        A token outside the vocabulary counts as the unknown one, whatever
        `handle_unknown` is: held-out texts nearly always have new tokens.

        Parameters
        ----------
        texts : str or iterable of str
            One text, without an end, or many.
        y : None
            Ignored.

        Returns
        -------
        score : float

        Raises
        ------
        ValueError
            If there is no token to predict.
        """
        self._require_fit()
        ends, texts = has_ends(texts), check_texts(texts)
        targets = self._targets(texts, ends and self._has_ends)
        n_tokens = sum(map(len, targets))
        if n_tokens == 0:
            raise ValueError("texts are empty: there is no token to predict.")
        documents = self._vocabulary.encode_all(texts)
        network = self._spec, self._weights
        found = _engine.log_likelihoods(*network, documents, targets)
        return float(found.sum() / n_tokens)

    @of_one_fit
    def perplexity(self, texts: Documents) -> float:
        """Return the perplexity of a token, ``exp(-score(texts))``.

        Parameters
        ----------
        texts : str or iterable of str
            One text, without an end, or many.

        Returns
        -------
        perplexity : float
            The lower, the better: the model is as unsure as a guess among this many
            equally likely tokens.
        """
        with np.errstate(over="ignore"):
            return float(np.exp(-self.score(texts)))

    def _refuse_changes(self, spec):
        changed = self._changes(spec)
        if self._vocabulary.analyzer != self.analyzer:
            changed = ["analyzer", *changed]
        if changed:
            raise ValueError(
                f"{type(self).__name__} cannot go on training: {', '.join(changed)} "
                "changed since the network was built. Fit with warm_start=False."
            )

    def __getstate__(self):
        # The spec as text and the weights are the state.
        state = super().__getstate__()
        return mark_state(state) if "_spec" in state else state

    def __setstate__(self, state):
        super().__setstate__(read_state(self, state))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags
