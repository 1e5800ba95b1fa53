"""The meta-transformer that applies a transformer of rows to every time step."""

from copy import copy
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import TransformerMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skrnn._data.frames.as_arrays import check_names, names_of
from skrnn._data.tokens.ids import token_ids, vocabulary_of
from skrnn._data.typing import (
    Array,
    ArrayLike,
    SequenceData,
)
from skrnn._data.validation import check_sequences
from skrnn._estimators.advice import AdvisedEstimator, fit_context
from skrnn._estimators.one_fit import of_one_fit, unchanged_on_error
from skrnn._estimators.watching import told
from skrnn._sklearn import (
    HasMethods,
    available_if,
    check_feature_names_in,
    naming,
    refuse_no_names,
)
from skrnn.preprocessing._fitting import (
    NUMBERS,
    SequenceOutputMixin,
    lacks_feature_axis,
    names_of_steps,
    unpack,
)


def _has_inverse_transform(sequence_wise):
    # The AttributeError of the inner transformer names it.
    return bool(sequence_wise._inner.inverse_transform)


class SequenceWise(
    SequenceOutputMixin,
    TransformerMixin,
    AdvisedEstimator,
    auto_wrap_output_keys=None,
):
    """Apply a scikit-learn transformer to every time step of sequences.

    The steps of all sequences become the rows of one table, the transformer sees this
    table, and its rows become sequences again, in the form that they had.

    Parameters
    ----------
    transformer : transformer
        Any transformer of scikit-learn's that treats rows one by one, such as
        ``StandardScaler()``, or ``SimpleImputer()`` for missing values. It is cloned.
        No `y` is passed to it: there is none for a step.

    Attributes
    ----------
    transformer_ : transformer
        The fitted clone.
    n_features_out_ : int
        Number of features of a step after `transform`.
    n_features_in_ : int
        Number of features of a step; for a 2-D X its number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of a 2-D X, or of each frame of a list, if they all are
        strings.

    See Also
    --------
    SlidingWindow : The windows of a series, which stay a view here.

    Notes
    -----
    Every real step counts once in `fit`. Of overlapping windows that are a view, as
    :class:`SlidingWindow` makes them, these are the rows of the padded series: a row
    counts once and not once for every window that it is in, and a padding row of the
    first windows counts too. A copy of such windows has no series any more, and there
    all steps of all windows count.

    Examples
    --------
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> from skrnn.preprocessing import SequenceWise
    >>> scaler = SequenceWise(MinMaxScaler())
    >>> for sequence in scaler.fit_transform([[[0.0], [5.0]], [[10.0]]]):
    ...     print(sequence.ravel())
    [0.  0.5]
    [1.]
    """

    _parameter_constraints = {"transformer": [HasMethods(["fit", "transform"])]}

    def __init__(self, transformer: Any) -> None:
        self.transformer = transformer

    @fit_context(prefer_skip_nested_validation=False)
    @told
    def fit(self, X: SequenceData, y: Any = None) -> Self:
        """Fit the transformer on the steps of all sequences.

        Parameters
        ----------
        X : array-like of shape (n, T, F) or (n, T), or list of (T_i, F) or (T_i,)
            Sequences. Inf is refused, and NaN where the transformer refuses it.
        y : None
            Ignored.

        Returns
        -------
        self : SequenceWise
        """
        with unchanged_on_error(self):
            rows = check_sequences(self, X, reset=True, dtype=NUMBERS).values
            self.transformer_ = clone(self.transformer).fit(rows)
            first = self._rows(self.transformer_.transform(rows[:1]), 1)
            self.n_features_out_ = first.shape[1]
        return self

    @of_one_fit
    def transform(self, X: SequenceData) -> Array:
        """Transform every step.

        Parameters
        ----------
        X : array-like of shape (n, T, F) or (n, T), or list of (T_i, F) or (T_i,)
            Sequences. Inf is refused, and NaN where the transformer refuses it.

        Returns
        -------
        Xt : ndarray of shape (n, T, `n_features_out_`) or (n, T), or object array
            In the form of X. Sequences without an axis for the features get one if
            `n_features_out_` is not 1. An array (n, T) is what `set_output` says.

        Raises
        ------
        ValueError
            If the transformer returns more or fewer rows than it got.
        """
        check_is_fitted(self)
        sequences = check_sequences(self, X, reset=False, dtype=NUMBERS)
        rows = self.transformer_.transform(sequences.values)
        univariate = lacks_feature_axis(X, sequences)
        result = self._unpacked(rows, sequences, univariate)
        vocabulary = vocabulary_of(X)
        if vocabulary is not None and _is_same(rows, sequences.values):
            result = token_ids(result, vocabulary)
        return self._as_output(result, X, self.get_feature_names_out)

    @available_if(_has_inverse_transform)
    @of_one_fit
    def inverse_transform(self, X: SequenceData) -> Array:
        """Undo the transformation of every step.

        Parameters
        ----------
        X : array-like of shape (n, T, F) or (n, T), or list of (T_i, F) or (T_i,)
            Sequences with `n_features_out_` features.

        Returns
        -------
        X_original : ndarray of shape (n, T, F) or (n, T), or object array
            In the form of X.

        Raises
        ------
        ValueError
            If X has another number of features than `transform` gives, or if it is a
            frame, or a list of them, with other names or another order of columns than
            `get_feature_names_out` says.
        """
        check_is_fitted(self)
        self._check_names_out(X)
        # A copy: reading X sets attributes, and its features aren't those of fit.
        sequences = check_sequences(copy(self), X, reset=True, dtype=NUMBERS)
        self._check_n_features_out(sequences.n_features)
        with naming("X"):
            rows = self.transformer_.inverse_transform(sequences.values)
        gained_axis = self._form == "columns" and self.n_features_out_ > 1
        univariate = gained_axis or lacks_feature_axis(X, sequences)
        return self._unpacked(rows, sequences, univariate)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> Array:
        """Return the names of the columns of the result.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names to start from.

        Returns
        -------
        names : ndarray of str objects
            After a 2-D X its own names, one for each time step. Otherwise the names
            of the features of a step, those of a list of frames among them, as the
            transformer gives them.
        """
        check_is_fitted(self)
        refuse_no_names(input_features)
        if self._form == "columns" and self.n_features_out_ == 1:
            return check_feature_names_in(self, input_features)
        names = names_of_steps(self, input_features)
        if self._form != "columns":
            names = check_feature_names_in(self, names)
        return self.transformer_.get_feature_names_out(names)

    @property
    def _takes_nan(self):
        return _reads_nan(self._inner)

    @property
    def _inner(self):
        return getattr(self, "transformer_", self.transformer)

    def _rows(self, rows, n_rows):
        """Return the result of the inner transformer as an array of `n_rows` rows."""
        rows = rows.toarray() if issparse(rows) else np.asarray(rows)
        if rows.ndim != 2 or len(rows) != n_rows:
            raise ValueError(
                f"{type(self._inner).__name__} returned an array of shape {rows.shape} "
                f"for {n_rows} time steps; SequenceWise expects one row for each."
            )
        return rows

    def _unpacked(self, rows, sequences, univariate):
        rows = self._rows(rows, len(sequences.values))
        return unpack(rows, sequences, univariate=univariate)

    def _check_names_out(self, X):
        """Compare the names of frames with those of `transform`, if fit had names."""
        given, reader = names_of(X), copy(self)
        try:
            known = self.get_feature_names_out()
        except AttributeError:
            # A FunctionTransformer has no names.
            return
        # Without names in fit they were made up; their order still counts.
        is_held = hasattr(self, "feature_names_in_") or set(known) == set(given or ())
        if given is not None and is_held:
            reader.feature_names_in_ = known
            check_names(reader, X, reset=False)

    def _check_n_features_out(self, n_features):
        if n_features != self.n_features_out_:
            raise ValueError(
                f"X has {n_features} features, but SequenceWise is expecting "
                f"{self.n_features_out_} features as input."
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = self._takes_nan
        return tags


def _reads_nan(transformer):
    # scikit-learn's own tags of a Pipeline don't tell: its first step does.
    while isinstance(transformer, Pipeline) and transformer.steps:
        transformer = transformer.steps[0][1]
    try:
        tags = get_tags(transformer)
        return tags.input_tags.allow_nan or tags.no_validation
    except (AttributeError, TypeError):
        # A transformer with two methods alone has no tags; `fit` refuses a class.
        return False


def _is_same(rows, values):
    return getattr(rows, "dtype", None) == values.dtype and np.array_equal(rows, values)
