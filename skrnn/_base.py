"""The estimators' common part: parameters, `fit` as a table of contents, state."""

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import (
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from skrnn import _engine
from skrnn._attention import ATTENTIONS
from skrnn._cells import CELLS
from skrnn._constraints import (
    Count,
    Counts,
    Instances,
    StrOptions,
    fit_context,
)
from skrnn._holdout import hold_out
from skrnn._seed import draw_seed
from skrnn._spec import Dataset, NetworkSpec, TrainPlan
from skrnn._state import unchanged_on_error
from skrnn._streaming import StreamingPredictor
from skrnn._trained import TrainedNetwork, as_tuple
from skrnn._validation import check_sequences, refuse_non_numbers

# With fewer sequences than this, early_stopping="auto" trains for all epochs on all:
# sets of 40 to 270 sequences lose more by what is held out, series of 2,000 rows gain.
EARLY_STOPPING_FROM = 500


@dataclass(kw_only=True, eq=False, repr=False)
class BaseRecurrent(ClassNamePrefixFeaturesOutMixin, TransformerMixin, TrainedNetwork):
    """Recurrent layers, a head, and how they are trained; a mixin adds the task."""

    bidirectional: bool = False
    return_sequences: bool = False
    attention: str | None = None
    embedding_dim: int | None = None
    dense_units: int | tuple[int, ...] = ()
    loss: Any = "auto"
    callbacks: Any = None

    _network_constraints = {
        "bidirectional": ["boolean"],
        "return_sequences": ["boolean"],
        "attention": [StrOptions(set(ATTENTIONS)), None],
        "embedding_dim": [Count(), None],
        "dense_units": [Count(), Counts(empty=True)],
        "callbacks": [Instances("keras.callbacks.Callback", "on_epoch_end"), None],
    }

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        task = getattr(cls, "_task_constraints", {})
        shared = cls._training_constraints
        cls._parameter_constraints = cls._network_constraints | shared | task
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
        spec = self._network(X, resume)
        training, validation = self._split(dataset, plan)
        start = self._start(spec, plan.seed, resume)
        trained = _engine.train(spec, plan, training, validation, *start)
        self._keep(spec, trained, resume)
        return trained

    def _check_X(self, X, *, reset, min_samples=1):
        """Read X as packed sequences."""
        known = None if reset or self.embedding_dim is None else self._spec
        return check_sequences(
            self,
            X,
            reset=reset,
            ensure_min_samples=min_samples,
            tokens=self.embedding_dim is not None,
            vocabulary_size=known and known.vocabulary_size,
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

    def _network(self, X, resume):
        """Decide what to build."""
        known = self._spec.vocabulary_size if resume else None
        tokens = self.embedding_dim is not None
        spec = NetworkSpec(
            cell=self.cell,
            units=as_tuple(self.units),
            n_features=X.n_features,
            head=self._head(),
            bidirectional=bool(self.bidirectional),
            return_sequences=bool(self.return_sequences),
            attention=self.attention,
            vocabulary_size=known or (int(X.values.max()) + 1 if tokens else None),
            embedding_dim=self.embedding_dim,
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

    def _keep(self, spec, trained, resume):
        super()._keep(spec, trained, resume)
        self._model = None
        self._n_features_out = spec.units[-1] * len(spec.directions)

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
