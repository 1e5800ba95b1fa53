"""The bases of networks that answer sequences, or each of their steps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin

from skrnn import _engine
from skrnn._data.datasets import Dataset, first_targets
from skrnn._data.frames.indexed_arrays import with_index_of
from skrnn._data.targets.weights import (
    read_weights,
    refuse_no_weight,
    weighted,
)
from skrnn._data.tokens.categories import (
    as_steps_of_table,
    check_categories,
    ids_alone,
)
from skrnn._data.typing import (
    Array,
    ArrayLike,
    SequenceData,
    Targets,
    Weights,
    Widths,
)
from skrnn._data.validation import check_sequences
from skrnn._data.validation_set import validation_set
from skrnn._estimators.advice import fit_context
from skrnn._estimators.embedding import (
    LooksUpTokens,
    ReadsWholeSequences,
    TakesVectors,
    id_columns,
    read_embedding,
    reads_tokens,
)
from skrnn._estimators.going_on import refused_change
from skrnn._estimators.names import named
from skrnn._estimators.network_base import BaseNetwork
from skrnn._estimators.one_fit import of_one_fit
from skrnn._estimators.output_bias import one_after_the_other
from skrnn._estimators.recurrent_layers import RecurrentLayers
from skrnn._estimators.streaming import StreamingPredictor
from skrnn._networks.architecture import network_spec
from skrnn._networks.layers.convolution import PADDINGS
from skrnn._sklearn import (
    Count,
    Counts,
    StrOptions,
    refuse_no_names,
    refuse_no_output,
)


@dataclass(kw_only=True, eq=False, repr=False)
class SequenceNetwork(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    TakesVectors,
    LooksUpTokens,
    BaseNetwork,
):
    """What networks have in common that answer each sequence, or each step.

    A subclass makes the network: ``_network(X, resume)``.
    """

    return_sequences: bool = False
    categorical_features: Any = None
    # Inherited from scikit-learn, which has no types.
    fit_transform: ClassVar[Callable[..., Array]]

    _network_constraints = {
        "return_sequences": ["boolean"],
        "categorical_features": ["array-like", slice, None],
        "embedding_dim": [Count(), Counts(), None],
        **TakesVectors._vector_constraints,
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
        X : array-like or list of array-likes
            Sequences: an array (n, T, F); an array or frame (n, T) of univariate ones;
            a list of (T_i, F) or (T_i,) arrays; or, with `embedding_dim`, integers.
        y : array-like or list of array-likes
            A target for each sequence, or for each step with `return_sequences`.
        sample_weight : array-like of shape (n,) or (n, T), or list of (T_i,), \
default=None
            Weight in the loss: of each sequence, or with `return_sequences` of each
            step. A zero leaves it out, and its target isn't read: it may be NaN.
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

    def _check_X(self, X, *, reset, min_samples=1, trains=False):
        """Read X as packed sequences."""
        tokens, mixed = reads_tokens(self), self.categorical_features is not None
        if not (reset or trains):
            self._refuse_another_reading(tokens, mixed)
        sequences = check_sequences(
            self,
            X,
            reset=reset,
            ensure_min_samples=min_samples,
            trains=trains,
            tokens=None if mixed else tokens,
            each_row_is_one=True,
            vocabulary_size=None if reset else self._spec.vocabulary_size,
        )
        return self._read_categories(sequences, reset, trains) if mixed else sequences

    def _read_categories(self, sequences, reset, trains):
        """Tell ids from numbers, by channel or, in a table, by column."""
        known = None if reset else self._spec.categories
        if reset or trains:
            columns = id_columns(self, self.n_features_in_)
            if known is not None and columns != self._id_columns:
                raise refused_change(self, ["categorical_features"])
            self._id_columns: tuple[int, ...] = columns
        columns = self._id_columns
        if self._form == "columns":
            sequences = as_steps_of_table(sequences, columns)
        given = sequences, self._channels_of_ids, known and known.sizes
        check_categories(type(self).__name__, *given)
        return sequences

    @property
    def _channels_of_ids(self) -> tuple[int, ...]:
        """The channels of a step that are ids beside numbers; none without such."""
        if self.categorical_features is None:
            return ()
        return (0,) if self._form == "columns" else self._id_columns

    def _refuse_another_reading(self, tokens, mixed):
        """Refuse changes after ``fit`` of parameters that decide how X is read.

        Other parameters are part of the network: changes take effect at the next
        ``fit``.
        """
        fitted, name = self._spec, type(self).__name__
        if bool(self.return_sequences) != fitted.return_sequences:
            raise ValueError(
                f"return_sequences={self.return_sequences!r}, but this {name} was "
                f"fitted with {fitted.return_sequences}: fit it again, or set it back."
            )
        if mixed != (fitted.categories is not None):
            was, now = ("without", "is set") if mixed else ("with", "is None")
            raise ValueError(
                f"This {name} was fitted {was} categorical_features, which now {now}: "
                "fit it again, or set it back."
            )
        if tokens != (fitted.embedding is not None) and not mixed:
            was, now = ("numbers", "is set") if tokens else ("token ids", "is None")
            raise ValueError(
                f"This {name} was fitted on {was}, and now embedding_dim or "
                f"embedding_matrix {now}: fit it again, or set it back."
            )

    def _dataset(self, X, y, sample_weight, known, known_target):
        """Put sequences, encoded targets and weights together."""
        weights = read_weights(self, X, sample_weight)
        refuse_no_weight(weights)
        given = X, y, weights, known or known_target, sample_weight
        targets, own = self._encode_target(*given)
        firsts = first_targets(X, self.return_sequences)
        dataset = Dataset(X, targets, own, firsts, self.return_sequences)
        return weighted(dataset, weights)

    def _common_network(self, X, resume):
        """Return the settings that all networks share, and what fills first weights."""
        columns = self._channels_of_ids
        ids = ids_alone(X, columns) if columns else X
        embedding = read_embedding(self, ids, self._spec if resume else None)
        common = dict(
            n_features=X.n_features,
            head=self._head(),
            return_sequences=bool(self.return_sequences),
            vocabulary_size=embedding.vocabulary_size,
            embedding_dim=embedding.dim,
            embedding_trainable=bool(self.embedding_trainable) or not embedding.dim,
            categories=columns,
            dense_units=self.dense_units,
            dropout=float(self.dropout),
        )
        return common, None if embedding.vectors is None else embedding.fill

    def _filled(self, spec, fill):
        """Return a spec, and one function of all that change its first weights."""
        fills = [] if fill is None else [fill]
        return spec, one_after_the_other([*fills, *self._fills_of_head(spec)])

    def _fills_of_head(self, spec):
        """Return what changes first weights of the head: ``f(weights, dataset)``."""
        return []

    @property
    def _n_features_out(self):
        """The number of columns of ``transform``, by scikit-learn's name."""
        return self._spec.state_width

    def _run(self, X, **wanted):
        """Return X as sequences, and the network's outputs for them."""
        self._require_fit()
        sequences = self._check_X(X, reset=False)
        given = self._spec, self._weights, sequences
        found = _engine.predict(*given, engine=self.engine, **wanted)
        return sequences, found

    def _attention(self, X):
        """Return what each sequence's steps attend to, and the sequences."""
        sequences = self._check_X(X, reset=False)
        return _engine.attention_of(self._spec, self._weights, sequences), sequences

    @of_one_fit
    def transform(self, X: SequenceData) -> Array:
        """Return the network's representation of each sequence, before its last layers.

        That is the last hidden state of the last recurrent layer, or the pooled steps
        of a Transformer.

        Parameters
        ----------
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.

        Returns
        -------
        states : ndarray of shape (n, units)
            (n, 2 * units), both directions side by side, if bidirectional; (n, d_model)
            for a Transformer. A frame with the index of X if `set_output` asks for one.

        Raises
        ------
        ValueError
            If pandas output is asked for, but an earlier step has lost the index.
        """
        return with_index_of(X, self._run(X, states=True)[1], self)

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what `transform` returns.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            None leaves it as it is.

        Returns
        -------
        self : estimator
        """
        refuse_no_output(transform)
        return super().set_output(transform=transform)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> Array:
        """Return the names of the columns of ``transform``.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Must be those of ``fit`` if X was a table of numbers. Ignored for sequences
            of tokens or of different lengths, which have no columns.

        Returns
        -------
        names : ndarray of str objects
            The name of the class in lower case, and a number.
        """
        self._require_fit()
        refuse_no_names(input_features)
        names = getattr(self, "feature_names_in_", None)
        no_table = self._form == "ragged" or self._spec.embedding is not None
        if input_features is not None and no_table:
            known = names is None or np.array_equal(names, input_features)
            input_features = None if known else input_features
        return super().get_feature_names_out(input_features)

    @of_one_fit
    def stream(self, method: str = "predict") -> StreamingPredictor:
        """Follow one sequence as it comes in, a step at a time.

        The stream keeps the hidden state between steps, so an update costs one step
        however long the sequence has become. For a Transformer it keeps the keys and
        values, to which the next step attends.

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
            If the network is bidirectional, has convolutions that aren't causal, or
            attends to later steps: then outputs depend on steps that are still to come.
        """
        self._require_fit()
        return StreamingPredictor(self, method)


@dataclass(kw_only=True, eq=False, repr=False)
class BaseRecurrent(RecurrentLayers, ReadsWholeSequences, SequenceNetwork):
    """Recurrent layers, a head, and how they are trained; a mixin adds the task."""

    conv_filters: Widths = ()
    conv_kernel_size: int = 8
    conv_pool_size: int = 3
    conv_padding: str = "same"

    _network_constraints = SequenceNetwork._network_constraints | {
        "conv_filters": [Count(), Counts(empty=True)],
        "conv_kernel_size": [Count()],
        "conv_pool_size": [Count()],
        "conv_padding": [StrOptions(set(PADDINGS))],
    }

    def _network(self, X, resume):
        """Return the spec of the network to build, and what fills first weights."""
        common, fill = self._common_network(X, resume)
        cell, attention, activation = named(self, "cell", "attention", "activation")
        spec = network_spec(
            cell=cell,
            units=self.units,
            bidirectional=bool(self.bidirectional),
            attention=attention,
            conv_filters=self.conv_filters,
            conv_kernel_size=int(self.conv_kernel_size),
            conv_pool_size=int(self.conv_pool_size),
            conv_padding=self.conv_padding,
            activation=activation,
            layer_norm=bool(self.layer_norm),
            recurrent_dropout=float(self.recurrent_dropout),
            timescales=self.timescales,
            memory=self.memory,
            **common,
        )
        return self._filled(spec, fill)
