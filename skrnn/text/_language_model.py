"""The language model under the text generator: training and likelihoods."""

import math
from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skrnn import _engine
from skrnn._cells import CELLS
from skrnn._constraints import Count, StrOptions, fit_context
from skrnn._saved import mark_state, read_state
from skrnn._seed import draw_seed
from skrnn._spec import DIRECT_OPTIMIZERS, LanguageSpec, TrainPlan, as_tuple
from skrnn._state import unchanged_on_error
from skrnn._trained import TrainedNetwork
from skrnn._weights import initial_language_weights, language_weight_table
from skrnn.text._reading import check_texts, refuse_unknown, stream_of
from skrnn.text._vocabulary import ANALYZERS, Vocabulary

# With fewer tokens than this, early_stopping="auto" trains for all epochs on all.
EARLY_STOPPING_FROM = 10_000


@dataclass(kw_only=True, eq=False, repr=False)
class LanguageModel(TrainedNetwork):
    """A recurrent language model: what it is, how it is trained, what it says of texts.

    A subclass has ``_sample(spec, weights, seed)``, a text for progress to show.
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

    _parameter_constraints = TrainedNetwork._training_constraints | {
        "analyzer": [StrOptions(set(ANALYZERS))],
        "max_features": [Count(), None],
        "min_count": [Count()],
        "handle_unknown": [StrOptions({"error", "map"})],
        "lookback": [Count()],
        "cell": [StrOptions(set(CELLS))],
        "embedding_dim": [Count()],
        "tie_weights": ["boolean"],
        "optimizer": [StrOptions(set(DIRECT_OPTIMIZERS))],
    }
    _spec_class = LanguageSpec
    _weight_table = staticmethod(language_weight_table)
    _initial_weights = staticmethod(initial_language_weights)
    _advice = "Try"

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, texts, y=None):
        """Learn the vocabulary, and train the network.

        Parameters
        ----------
        texts : str or iterable of str
            One text or many.
        y : None
            Ignored; it is there because scikit-learn's tools pass it.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError
            If a text isn't a str.
        ValueError
            If there are fewer tokens than `lookback` or none at all, or `min_count`
            leaves none in the vocabulary; an earlier fit then stays as it was.
        """
        resume = self.warm_start and self._is_fitted
        with unchanged_on_error(self):
            trained = self._train(texts, resume, self.epochs, least=self.lookback)
        return self._report(trained)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, texts, y=None):
        """Train for one more epoch, on these texts alone: fine-tuning.

        The first call, if there was no ``fit``, learns the vocabulary, which later ones
        keep.

        Parameters
        ----------
        texts : str or iterable of str
            One text or many; they may be shorter than `lookback`.
        y : None
            Ignored.

        Returns
        -------
        self : object
        """
        with unchanged_on_error(self):
            trained = self._train(texts, self._is_fitted, None, least=1)
        return self._report(trained)

    def _train(self, texts, resume, epochs, least):
        texts = check_texts(texts)
        if not resume:
            self._learn_vocabulary(texts)
        # Before the texts are read: by another analyzer their tokens are unknown.
        spec = self._network(resume)
        documents = self._encode(texts, "texts", known=resume)
        inputs, targets = stream_of(documents, least, self._vocabulary.unit)
        plan = self._plan(len(inputs), epochs, resume)
        lanes = self._lanes(inputs, targets, plan)
        start = self._start(spec, plan.seed, resume)
        trained = _engine.train_language(
            spec,
            plan,
            *lanes,
            *start,
            unit=self._vocabulary.unit,
            sample=lambda weights: self._sample(spec, weights, plan.seed),
        )
        self._keep(spec, trained, resume)
        return trained

    def _learn_vocabulary(self, texts):
        limits = self.max_features, self.min_count
        self._vocabulary = Vocabulary.of(texts, self.analyzer, *limits)
        self.tokens_ = np.array(self._vocabulary.names, dtype=object)

    def _network(self, resume):
        spec = LanguageSpec(
            cell=self.cell,
            units=as_tuple(self.units),
            vocabulary_size=len(self._vocabulary),
            embedding_dim=int(self.embedding_dim),
            tie_weights=bool(self.tie_weights),
            activation=self.activation,
            layer_norm=bool(self.layer_norm),
            dropout=float(self.dropout),
            recurrent_dropout=float(self.recurrent_dropout),
        )
        if spec.tie_weights and spec.embedding_dim != spec.units[-1]:
            raise ValueError(
                "tie_weights=True needs an embedding_dim as large as the last of "
                f"units. Got embedding_dim={self.embedding_dim} and units={self.units}."
            )
        if resume:
            self._refuse_changes(spec)
        return spec

    def _plan(self, n_tokens, epochs, resume):
        """Decide how to train; without `epochs`, for one on everything."""
        early_stopping = self.early_stopping
        if early_stopping == "auto":
            early_stopping = n_tokens >= EARLY_STOPPING_FROM
        return TrainPlan(
            loss="auto",
            optimizer=self.optimizer,
            learning_rate=float(self.learning_rate),
            clipnorm=self.clipnorm,
            epochs=epochs or 1,
            batch_size=self.batch_size,
            shuffle=self.shuffle,
            early_stopping=bool(early_stopping) and epochs is not None,
            patience=self.patience,
            callbacks=(),
            verbose=int(self.verbose),
            seed=draw_seed(self.random_state, self.n_iter_ if resume else 0),
            name=type(self).__name__,
        )

    def _lanes(self, inputs, targets, plan):
        """Cut the stream into lanes to train on and, from its end, to validate on."""
        n = len(inputs)
        n_held = math.ceil(n * self.validation_split) if plan.early_stopping else 0
        if n_held >= n:
            raise ValueError(
                f"validation_split={self.validation_split} leaves none of {n} tokens "
                "to train on; make it smaller or set early_stopping=False."
            )

        def cut(rows, shuffle):
            found = inputs[rows], targets[rows]
            n_lanes = max(1, min(self.batch_size, len(found[0]) // self.lookback))
            return _engine.Lanes(*found, n_lanes, self.lookback, shuffle)

        training = cut(slice(n - n_held), self.shuffle)
        return training, cut(slice(n - n_held, n), False) if n_held else None

    def _encode(self, texts, what, known=True):
        """Return texts as token ids; those it learns from may hold unknown tokens."""
        if known and self.handle_unknown == "error":
            refuse_unknown(self._vocabulary, texts, what)
        return [self._vocabulary.encode(text) for text in texts]

    def predict_proba(self, texts):
        """Return the probabilities of the token that follows each text.

        Parameters
        ----------
        texts : str or iterable of str
            One text or many.

        Returns
        -------
        probabilities : ndarray of shape (n_texts, n_tokens)
            The columns are in the order of `tokens_`: the end of the text, an unknown
            token, and those of the vocabulary.
        """
        check_is_fitted(self)
        documents = self._encode(check_texts(texts), "texts")
        return np.exp(_engine.next_token(self._spec, self._weights, documents)[0])

    def score(self, texts, y=None):
        """Return the mean log-likelihood of a token, in nats: the higher, the better.

        The end of a text counts as a token. One that isn't in the vocabulary counts as
        the unknown one, whatever `handle_unknown` is: that one has a probability, and
        parts of a set seldom share all of their tokens.

        Parameters
        ----------
        texts : str or iterable of str
            One text or many.
        y : None
            Ignored.

        Returns
        -------
        score : float
        """
        check_is_fitted(self)
        documents = [self._vocabulary.encode(text) for text in check_texts(texts)]
        found = _engine.log_likelihoods(self._spec, self._weights, documents)
        return float(found.sum() / sum(len(ids) + 1 for ids in documents))

    def perplexity(self, texts):
        """Return the perplexity of a token, ``exp(-score(texts))``.

        Parameters
        ----------
        texts : str or iterable of str
            One text or many.

        Returns
        -------
        perplexity : float
            The lower, the better: as good as a guess among so many tokens, all equally
            likely.
        """
        with np.errstate(over="ignore"):
            return float(np.exp(-self.score(texts)))

    def _refuse_changes(self, spec):
        changed = self._spec.changes_to(spec)
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
