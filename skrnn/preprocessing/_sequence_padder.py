"""The transformer that brings sequences to one length."""

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skrnn._data.tokens.ids import PADDING, token_ids, vocabulary_of
from skrnn._data.typing import (
    Array,
    ArrayLike,
    SequenceData,
)
from skrnn._data.validation import check_sequences
from skrnn._data.windows import pad_sequences
from skrnn._estimators.advice import fit_context
from skrnn._estimators.one_fit import of_one_fit, unchanged_on_error
from skrnn._estimators.watching import told
from skrnn._sklearn import (
    StrictInterval,
    StrOptions,
    check_feature_names_in,
)
from skrnn.preprocessing._fitting import (
    NUMBERS,
    SequenceOutputMixin,
    lacks_feature_axis,
    names_of_steps,
    unpack,
)
from skrnn.preprocessing._saved_state import SavedStateMixin


class SequencePadder(
    SequenceOutputMixin,
    TransformerMixin,
    SavedStateMixin,
    auto_wrap_output_keys=None,
):
    """Bring sequences to one length, by filling short ones and cutting long ones.

    The recurrent estimators take ragged sequences as they are and know how long each
    of them is. This is for everything else that needs one rectangular array. The
    parameters are those of Keras' ``pad_sequences``.

    Parameters
    ----------
    maxlen : int or None, default=None
        The length of every sequence in the result; None is the longest one in `fit`.
    padding : {"pre", "post"}, default="post"
        Where a short sequence is filled: before its first step or after its last.
    truncating : {"pre", "post"}, default="pre"
        Where a long sequence is cut: "pre" drops its first steps.
    value : float, default=0.0
        What short sequences are filled with. For integers it must be one of theirs,
        and for token ids that know their vocabulary 0, which is no word.

    Attributes
    ----------
    maxlen_ : int
        The length of every sequence in the result.
    n_features_in_ : int
        Number of features of a step; for a 2-D X its number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of a 2-D X, or of each frame of a list, if they all are
        strings.

    See Also
    --------
    SequenceWise : Scale ragged sequences before they are padded.

    Examples
    --------
    >>> from skrnn.preprocessing import SequencePadder
    >>> padder = SequencePadder().fit([[1, 2, 3], [4]])
    >>> padder.transform([[5, 6], [7, 8, 9, 10]])
    array([[ 5,  6,  0],
           [ 8,  9, 10]])
    """

    _parameter_constraints = {
        "maxlen": [StrictInterval(Integral, 1, None, closed="left"), None],
        "padding": [StrOptions({"pre", "post"})],
        "truncating": [StrOptions({"pre", "post"})],
        "value": [StrictInterval(Real, None, None, closed="neither")],
    }

    def __init__(
        self,
        maxlen: int | None = None,
        *,
        padding: str = "post",
        truncating: str = "pre",
        value: float = 0.0,
    ) -> None:
        self.maxlen = maxlen
        self.padding = padding
        self.truncating = truncating
        self.value = value

    @fit_context(prefer_skip_nested_validation=True)
    @told
    def fit(self, X: SequenceData, y: Any = None) -> Self:
        """Learn the length of the longest sequence.

        Parameters
        ----------
        X : array-like of shape (n, T, F) or (n, T), or list of (T_i, F) or (T_i,)
            Sequences. NaN and inf are refused.
        y : None
            Ignored.

        Returns
        -------
        self : SequencePadder

        Raises
        ------
        ValueError
            If X holds integers and `value` is not one of them.
        """
        with unchanged_on_error(self):
            sequences = check_sequences(self, X, reset=True, dtype=NUMBERS)
            self._fill(sequences.values.dtype, vocabulary_of(X))
            self._has_features = not lacks_feature_axis(X, sequences)
            self.maxlen_ = int(self.maxlen or sequences.n_timesteps)
        return self

    @of_one_fit
    def transform(self, X: SequenceData) -> Array:
        """Return the sequences as one array.

        Parameters
        ----------
        X : array-like of shape (n, T, F) or (n, T), or list of (T_i, F) or (T_i,)
            Sequences. NaN and inf are refused.

        Returns
        -------
        dense : ndarray of shape (n, `maxlen_`, F), or (n, `maxlen_`)
            Without the last axis if X has none for the features; then it is what
            `set_output` says. Integers, float32 and float64 stay. It shares the memory
            of an array X that needs no filling: windows of a series stay a view. Token
            ids of a :class:`TextSequencer` or :class:`WordFeaturizer` keep their
            vocabulary, in arrays and in frames of pandas.

        Raises
        ------
        ValueError
            If X holds integers and `value` is not one of them.
        """
        check_is_fitted(self)
        sequences = check_sequences(self, X, reset=False, dtype=NUMBERS)
        vocabulary = vocabulary_of(X)
        value = self._fill(sequences.values.dtype, vocabulary)
        univariate = lacks_feature_axis(X, sequences)
        unpacked = unpack(sequences.values, sequences, univariate=univariate)
        ragged = sequences.form == "ragged"
        unpacked = list(unpacked) if ragged else np.asarray(unpacked)
        how = self.padding, self.truncating, value
        try:
            padded = pad_sequences(unpacked, self.maxlen_, *how)
        except ValueError as error:
            raise self._without_room() from error
        if vocabulary is not None:
            padded = token_ids(padded, vocabulary)
        names = self._steps if self._has_features else self.get_feature_names_out
        return self._as_output(padded, X, names)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> Array:
        """Return the names of the columns of the result, or of the features of a step.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names to start from.

        Returns
        -------
        names : ndarray of str objects
            After an X without an axis for the features "step0" and so on, `maxlen_` of
            them, or the names of its columns if there are as many. Otherwise the names
            of the features.
        """
        check_is_fitted(self)
        if self._has_features:
            return check_feature_names_in(self, names_of_steps(self, input_features))
        if self._form != "columns":
            # One column of sequences, if any, however it is called.
            return self._steps()
        names = check_feature_names_in(self, input_features)
        return names if len(names) == self.maxlen_ else self._steps()

    def _steps(self):
        try:
            # Before the names: they would be made for hours.
            names = np.empty(self.maxlen_, dtype=object)
        except (ValueError, OverflowError) as error:
            raise self._without_room() from error
        names[:] = [f"step{i}" for i in range(self.maxlen_)]
        return names

    def _without_room(self):
        return ValueError(f"maxlen={self.maxlen_} is more than an array has room for.")

    def _fill(self, dtype, vocabulary):
        """Return `value` as a number that an array of this dtype can hold."""
        if vocabulary is not None and self.value != PADDING:
            raise ValueError(
                f"value={self.value!r} can't fill X, which holds the ids of words; "
                f"expected {PADDING}, which stands for none."
            )
        if dtype.kind == "f":
            return self.value
        limits = np.iinfo(dtype)
        if self.value != int(self.value) or not limits.min <= self.value <= limits.max:
            raise ValueError(
                f"value={self.value!r} can't fill X, which holds integers ({dtype}); "
                f"expected an integer from {limits.min} to {limits.max}."
            )
        return int(self.value)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32", "int64", "int32"]
        return tags
