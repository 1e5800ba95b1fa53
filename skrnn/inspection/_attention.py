"""Where a trained network looks: the weights of its attention."""

import inspect
from typing import Any

import numpy as np

from skrnn._data.typing import Array, SequenceData
from skrnn.inspection._parts import reach_network


def attention_weights(
    estimator: Any, X: SequenceData, *, future: SequenceData | None = None
) -> Array:
    """Return what the steps of a network attend to.

    Parameters
    ----------
    estimator : estimator
        A fitted recurrent estimator, `Seq2SeqRegressor` or `Seq2SeqClassifier`, with
        `attention`, or a Pipeline or search that ends in one.
    X : array-like or list of array-likes
        Sequences of any length, in one of the forms that its ``fit`` takes.
    future : array-like of shape (n, H, F2) or (n, H), default=None
        What is known about the steps to predict, for a `Seq2SeqRegressor` that was
        fitted with it.

    Returns
    -------
    weights : ndarray
        Shares of attention that sum to one in each row. The shape is (n, T_out, T_in),
        with a row for each predicted step, the end of a sequence included. With
        ``return_sequences=True``, and for a Transformer (its last block), there is a
        row for each step of X. Other recurrent estimators attend only from the last
        state: (n, T_in). Shorter sequences are padded with zeros. Several heads are
        averaged. With ``attention="location"`` a row may sum to less than one, because
        part of the attention lies beyond the ends. With `n_beams` above 1 the weights
        are those of the greedy path, whose labels may differ from those of ``predict``.

    Raises
    ------
    ValueError
        If the network has no attention. Transformers always have.
    TypeError
        If the estimator isn't recurrent, or if `future` is given and it takes none.

    See Also
    --------
    AttentionDisplay : Draw them for one sequence.

    Examples
    --------
    >>> from skrnn import Seq2SeqClassifier
    >>> from skrnn.inspection import attention_weights
    >>> words = ["ab", "ba", "abb", "bab"] * 10
    >>> model = Seq2SeqClassifier(units=8, epochs=2, random_state=0)
    >>> model = model.set_params(max_length=3).fit(words, words)
    >>> weights = attention_weights(model, ["ab", "abb"])
    >>> weights.shape[0], weights.shape[2]
    (2, 3)
    >>> bool(weights[0, :, 2].any())  # "ab" has no third character
    False
    """
    reached = reach_network(estimator, X, "attention_weights")
    estimator, X = reached.network, reached.X
    if not hasattr(estimator, "_attention"):
        raise TypeError(
            "attention_weights takes a recurrent estimator of skrnn. "
            f"Got {type(estimator).__name__}, which has no attention."
        )
    if estimator._spec.attention is None:
        raise ValueError(
            f"This {type(estimator).__name__} has no attention: fit it with attention="
            "'additive', 'dot' or 'multihead'."
        )
    options = {} if future is None else {"future": future}
    if options and "future" not in inspect.signature(estimator.predict).parameters:
        raise TypeError(
            f"A {type(estimator).__name__} takes no future: expected None. Only a "
            "Seq2SeqRegressor can be fitted with one."
        )
    rows, sequences = estimator._attention(X, **options)
    return _filled_up(rows, sequences, estimator._spec.attends_from_steps)


def _filled_up(rows, sequences, of_own_steps):
    """Put arrays (T_i,) or (H_i, T_i) into one array, at the positions of X's steps."""
    n_steps, offsets = sequences.n_timesteps, sequences.offsets
    shape: tuple = (n_steps,)
    if rows[0].ndim == 2:
        longest = n_steps if of_own_steps else max(map(len, rows))
        shape = longest, n_steps
    whole = np.zeros((len(rows), *shape))
    for i, row in enumerate(rows):
        first = 0 if offsets is None else offsets[i]
        # In a padded array the steps stand where the user put them.
        top = first if of_own_steps else 0
        at = slice(first, first + row.shape[-1])
        whole[i][(at,) if row.ndim == 1 else (slice(top, top + len(row)), at)] = row
    return whole
