"""The estimators' common part: parameters, `fit` as a table of contents, state."""

import inspect
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from skrnn import _engine
from skrnn._attention import ATTENTIONS
from skrnn._cells import CELLS, HIDDEN_ACTIVATIONS
from skrnn._constraints import (
    Count,
    Counts,
    Instance,
    Instances,
    Share,
    StrOptions,
    Vectors,
    fit_context,
    positive,
)
from skrnn._embedding import SharedVectorsMixin, read_embedding, reads_tokens
from skrnn._holdout import hold_out
from skrnn._seed import draw_seed
from skrnn._spec import OPTIMIZERS, Dataset, NetworkSpec, TrainPlan, as_tuple
from skrnn._state import unchanged_on_error
from skrnn._streaming import StreamingPredictor
from skrnn._validation import check_sequences, refuse_non_numbers
from skrnn._weights import initial_weights

# With fewer sequences than this, early_stopping="auto" trains for all epochs on all:
# sets of 40 to 270 sequences lose more by what is held out, series of 2,000 rows gain.
EARLY_STOPPING_FROM = 500


@dataclass(kw_only=True, eq=False, repr=False)
class BaseRecurrent(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, SharedVectorsMixin, BaseEstimator
):
    """Recurrent layers, a head, and how they are trained; a mixin adds the task."""

    units: int | tuple[int, ...] = 32
    bidirectional: bool = False
    return_sequences: bool = False
    attention: str | None = None
    embedding_dim: int | None = None
    embedding_matrix: Any = None
    embedding_trainable: bool = True
    dense_units: int | tuple[int, ...] = ()
    activation: str = "tanh"
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    layer_norm: bool = False
    loss: Any = "auto"
    optimizer: Any = "adam"
    learning_rate: float = 3e-3
    clipnorm: float | None = 1.0
    epochs: int = 200
    batch_size: int = 32
    shuffle: bool = True
    early_stopping: bool | str = "auto"
    validation_split: float = 0.1
    patience: int = 10
    callbacks: Any = None
    warm_start: bool = False
    verbose: int = 0
    random_state: Any = None

    _network_constraints = {
        "units": [Count(), Counts()],
        "bidirectional": ["boolean"],
        "return_sequences": ["boolean"],
        "attention": [StrOptions(set(ATTENTIONS)), None],
        "embedding_dim": [Count(), None],
        "embedding_matrix": [Vectors(), None],
        "embedding_trainable": ["boolean"],
        "dense_units": [Count(), Counts(empty=True)],
        "activation": [StrOptions(set(HIDDEN_ACTIVATIONS))],
        "dropout": [Share()],
        "recurrent_dropout": [Share()],
        "layer_norm": ["boolean"],
        "optimizer": [
            StrOptions(set(OPTIMIZERS)),
            Instance("keras.optimizers.Optimizer", "apply"),
        ],
        "learning_rate": [positive()],
        "clipnorm": [positive(), None],
        "epochs": [Count()],
        "batch_size": [Count()],
        "shuffle": ["boolean"],
        "early_stopping": ["boolean", StrOptions({"auto"})],
        "validation_split": [Share(zero=False)],
        "patience": [Count()],
        "callbacks": [Instances("keras.callbacks.Callback", "on_epoch_end"), None],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        task = getattr(cls, "_task_constraints", {})
        cls._parameter_constraints = cls._network_constraints | task
        if "cell" in inspect.get_annotations(cls):
            cls._parameter_constraints |= {"cell": [StrOptions(set(CELLS))]}

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
        resume = self.warm_start and self._is_fitted
        with unchanged_on_error(self):
            trained = self._train(X, y, sample_weight, resume=resume)
        return self._report(trained)

    def _partial_fit(self, X, y, sample_weight, classes):
        options = {"resume": self._is_fitted, "epochs": 1, "min_samples": 1}
        # What a first call is told about y must not be learnt again from it.
        options["known_target"] = classes is not None
        with unchanged_on_error(self):
            self._validate_params()
            self._begin_partial_fit(y, classes)
            trained = self._train(X, y, sample_weight, **options)
        return self._report(trained)

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
        start = self._start(spec, plan.seed, embedding, resume)
        trained = _engine.train(spec, plan, training, validation, *start)
        self._keep(spec, trained, resume)
        return trained

    @property
    def _is_fitted(self):
        return hasattr(self, "_weights")

    def __sklearn_is_fitted__(self):
        return self._is_fitted

    def _check_X(self, X, *, reset, min_samples=1):
        """Read X as packed sequences."""
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
        if sample_weight is not None:
            refuse_non_numbers(self, np.asanyarray(sample_weight), "sample_weight")
        # With array_api_dispatch it takes arrays alone: any with a row a sequence.
        weights = _check_sample_weight(
            sample_weight, X.lengths, dtype=np.float64, ensure_non_negative=True
        )
        targets, target_weights = self._encode_target(X, y, weights, known_target)
        if not target_weights.any():
            raise ValueError(
                "sample_weight times class_weight is 0 for every sequence: nothing is "
                "left to train on."
            )
        rows = np.flatnonzero(weights)
        n_targets = X.lengths[rows].sum() if self.return_sequences else len(rows)
        starts = np.cumsum(X.lengths) - X.lengths
        return Dataset(
            sequences=X,
            targets=targets,
            weights=(target_weights * n_targets / target_weights.sum()).astype("f4"),
            target_starts=starts if self.return_sequences else np.arange(len(X)),
        ).take(rows)

    def _plan(self, n_sequences, epochs, resume):
        """Decide how to train."""
        early_stopping = self.early_stopping
        if early_stopping == "auto":
            early_stopping = n_sequences >= EARLY_STOPPING_FROM
        return TrainPlan(
            loss=self.loss,
            optimizer=self.optimizer,
            learning_rate=float(self.learning_rate),
            clipnorm=self.clipnorm,
            epochs=self.epochs if epochs is None else epochs,
            batch_size=self.batch_size,
            shuffle=self.shuffle,
            # One epoch of partial_fit is trained on everything it is given.
            early_stopping=bool(early_stopping) and epochs is None,
            patience=self.patience,
            callbacks=tuple(self.callbacks or ()),
            verbose=int(self.verbose),
            seed=draw_seed(self.random_state, self.n_iter_ if resume else 0),
            name=type(self).__name__,
        )

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
        changed = self._spec.changes_to(spec) if resume else []
        if changed:
            # Training can only go on with the same weights.
            raise ValueError(
                f"{type(self).__name__} cannot go on training: {', '.join(changed)} "
                "changed since the network was built. Fit with warm_start=False."
            )
        return spec

    def _split(self, dataset, plan):
        """Hold out some sequences to validate on, if training may stop early."""
        if not plan.early_stopping:
            return dataset, None
        strata = self._validation_strata(dataset)
        rows = hold_out(len(dataset), self.validation_split, strata, plan.seed)
        return dataset.take(rows[0]), dataset.take(rows[1])

    def _start(self, spec, seed, embedding, resume):
        """Return the weights and the optimizer's state to start from."""
        if resume:
            same = self._optimizer_kind == _kind(self.optimizer)
            return self._weights, self._optimizer_state if same else None
        return embedding.fill(initial_weights(spec, seed)), None

    def _keep(self, spec, trained, resume):
        """Set the fitted attributes."""
        before = getattr(self, "history_", {}) if resume else {}
        n_before = getattr(self, "n_iter_", 0) if resume else 0
        self._spec, self._weights = spec, trained.weights
        self._optimizer_state = trained.optimizer_state
        self._optimizer_kind = _kind(self.optimizer)
        self._model = None
        self.history_ = trained.history_after(before, n_before)
        n_finished = len(trained.history["loss"])
        self.n_iter_ = n_before + n_finished
        self.best_epoch_ = n_before + min(trained.best_epoch, n_finished)
        self._n_features_out = spec.units[-1] * len(spec.directions)

    def _report(self, trained):
        """Return self, having told how training ended if it didn't by itself."""
        if trained.diverged:
            kept = f"of epoch {self.best_epoch_}" if self.best_epoch_ else "before it"
            warnings.warn(
                f"Training of {type(self).__name__} stopped in epoch "
                f"{self.n_iter_ + 1}: the loss is not finite. The finite weights "
                f"{kept} are kept. Scale X, or try a lower learning_rate (now "
                f"{self.learning_rate}) or clipnorm (now {self.clipnorm}).",
                ConvergenceWarning,
                stacklevel=4,
            )
        if trained.interrupted:
            raise KeyboardInterrupt
        return self

    def _run(self, X, **wanted):
        """Return X as sequences, and what the network makes of them."""
        check_is_fitted(self)
        sequences = self._check_X(X, reset=False)
        found = _engine.predict(self._spec, self._weights, sequences, **wanted)
        return sequences, found

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

    @property
    def model_(self):
        """The trained network as a ``keras.Model``, made at first access.

        It reads unpadded sequences (n, T, F), or token ids (n, T), and returns what
        ``predict`` (regressors) or ``predict_proba`` compute, in float32.
        """
        check_is_fitted(self)
        if self._model is None:
            _engine.backend()
            # Deferred: it needs Keras, which the line above has loaded.
            from skrnn._networks import build_model  # noqa: PLC0415

            self._model = build_model(self._spec, self._weights, **self._rescaling())
        return self._model

    def __getstate__(self):
        # The spec as text and the weights are the state: a Keras model is made from
        # them again.
        state = super().__getstate__()
        if "_spec" not in state:
            return state
        return state | {"_model": None, "_spec": self._spec.to_json()}

    def __setstate__(self, state):
        if "_spec" in state:
            state = state | {"_spec": NetworkSpec.from_json(state["_spec"])}
        super().__setstate__(state)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _kind(optimizer):
    return optimizer if isinstance(optimizer, str) else type(optimizer).__name__
