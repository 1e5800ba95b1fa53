"""What stands around the cells: directions, stacks, tables, dense layers, units."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from skrnn._data.typing import Array, ArrayLike
from skrnn.reference._activations import activate
from skrnn.reference._sequences import each_sequence


def dense(
    x: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike = 0.0,
    *,
    activation: str = "linear",
) -> Array:
    r"""Apply a dense layer: to a state, or to each step of a sequence.

    .. math:: y = \phi(x W + b)

    Parameters
    ----------
    x : array-like of shape (..., F)
        What comes in.
    kernel : array-like of shape (F, K)
        :math:`W`.
    bias : array-like of shape (K,), default=0.0
        :math:`b`.
    activation : str, default="linear"
        :math:`\phi`, by a name that :func:`activate` knows.

    Returns
    -------
    y : ndarray of shape (..., K)

    See Also
    --------
    activate : The activations by their names.
    rescaling : What follows in a regressor.

    Examples
    --------
    >>> from skrnn import reference
    >>> reference.dense([1.0, 2.0], kernel=[[1.0], [3.0]], bias=[-1.0])
    array([6.])
    """
    x = np.asarray(x, dtype=float)
    return activate(x @ np.asarray(kernel, float) + np.asarray(bias, float), activation)


def embedding(ids: ArrayLike, embeddings: ArrayLike) -> Array:
    r"""Look up the vectors of token ids.

    .. math:: x_t = E_{k_t}

    It is the product of a one-hot vector with a matrix, without the zeros.

    Parameters
    ----------
    ids : array-like of int of shape (T,) or (n, T)
        :math:`k`.
    embeddings : array-like of shape (n_ids, D)
        :math:`E`, a row for each id.

    Returns
    -------
    vectors : ndarray of shape (T, D) or (n, T, D)

    See Also
    --------
    skrnn.preprocessing.TextSequencer : Ids of the tokens of texts.

    References
    ----------
    Bengio, Y., et al. (2003). A neural probabilistic language model. JMLR 3.

    Examples
    --------
    >>> from skrnn import reference
    >>> reference.embedding([2, 0], [[0.0, 0.0], [1.0, 1.0], [2.0, 5.0]])
    array([[2., 5.],
           [0., 0.]])
    """
    return np.asarray(embeddings, dtype=float)[np.asarray(ids)]


def layer_normalization(
    x: ArrayLike, gamma: ArrayLike, beta: ArrayLike, *, epsilon: float = 1e-3
) -> Array:
    r"""Normalise over the units of each step.

    .. math::

        \begin{aligned}
        \mu &= \mathrm{mean}(x), \qquad
        \sigma^2 = \mathrm{mean}((x - \mu)^2) \\
        y &= \gamma \odot \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta
        \end{aligned}

    Parameters
    ----------
    x : array-like of shape (..., units)
        A state, or states.
    gamma, beta : array-like of shape (units,)
        The scale and the offset of each unit, which are learnt.
    epsilon : float, default=1e-3
        As in Keras and in the estimators.

    Returns
    -------
    y : ndarray of shape (..., units)

    See Also
    --------
    convolution : It is normalised over batches instead.

    Notes
    -----
    States that are nearly equal are divided by little more than
    :math:`\sqrt{\epsilon} = 0.03`, which makes their errors 30 times as large. The cpu
    engine computes in float32, with a tanh and a sigmoid within 4e-7 of the value, and
    these formulas in float64. With minGRU and minLSTM, whose states stay close to each
    other in a short training, its ``predict`` was up to 2e-6 of the deviation of y away
    from the formulas, Keras' up to 1.7e-6; without the layer 2e-7.

    References
    ----------
    Ba, J. L., Kiros, J. R., Hinton, G. E. (2016). Layer normalization.
    arXiv:1607.06450.

    Examples
    --------
    >>> from skrnn import reference
    >>> reference.layer_normalization([1.0, 2.0, 3.0], gamma=1.0, beta=0.0).round(2)
    array([-1.22,  0.  ,  1.22])
    """
    x = np.asarray(x, dtype=float)
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    normalised = (x - mean) / np.sqrt(variance + epsilon)
    return np.asarray(gamma, float) * normalised + np.asarray(beta, float)


def rescaling(x: ArrayLike, scale: ArrayLike, offset: ArrayLike) -> Array:
    r"""Turn outputs into other units.

    .. math:: y = s \odot x + o

    Regressors train in units of the spread of y; this is the way back, and the last
    entry of their ``weights_``, "units_of_y".

    Parameters
    ----------
    x : array-like of shape (..., K)
        Outputs of the head.
    scale : array-like of shape (K,)
        :math:`s`.
    offset : array-like of shape (K,)
        :math:`o`.

    Returns
    -------
    y : ndarray of shape (..., K)

    See Also
    --------
    dense : What comes before it.

    Examples
    --------
    >>> from skrnn import reference
    >>> reference.rescaling([0.0, 1.0], scale=10.0, offset=50.0)
    array([50., 60.])
    """
    return np.asarray(x, float) * np.asarray(scale, float) + np.asarray(offset, float)


def bidirectional(
    cell: Callable[..., Any],
    x: Any,
    forward: Mapping[str, ArrayLike],
    backward: Mapping[str, ArrayLike],
    *,
    return_state: bool = False,
    **options: Any,
) -> Any:
    r"""Read a sequence in both directions.

    .. math::

        y_t = [\overrightarrow{h}_t, \overleftarrow{h}_t], \qquad
        \text{last state} = [\overrightarrow{h}_T, \overleftarrow{h}_1]

    Each direction ends at another end of the sequence, so the last states aren't the
    outputs at the last step.

    Parameters
    ----------
    cell : callable
        :func:`rnn`, :func:`lstm` or :func:`gru`.
    x : array-like of shape (T, F) or (n, T, F), or list of (T_i, F)
        One sequence, or several.
    forward, backward : mapping of str to array-like
        The weights of each direction.
    return_state : bool, default=False
        Whether to return ``(outputs, state)``.
    **options : dict
        Further arguments of `cell`, such as ``activation``.

    Returns
    -------
    outputs : ndarray of shape (T, 2 * units) or (n, T, 2 * units), or list
        Of both directions side by side.
    state : ndarray of shape (2 * units,) or (n, 2 * units), or list
        The last output of each direction.

    See Also
    --------
    stacked : Layers above each other.

    References
    ----------
    Schuster, M., Paliwal, K. K. (1997). Bidirectional recurrent neural networks. IEEE
    Transactions on Signal Processing 45.

    Examples
    --------
    >>> from skrnn import reference
    >>> w = dict(kernel=[[1.0]], recurrent_kernel=[[1.0]], bias=[0.0])
    >>> x = [[1.0], [2.0], [4.0]]
    >>> reference.bidirectional(reference.rnn, x, w, w, activation="linear")
    array([[1., 7.],
           [3., 6.],
           [7., 4.]])
    """
    outputs, state = _both_ways(x, cell, forward, backward, options)
    return (outputs, state) if return_state else outputs


@each_sequence
def _both_ways(x, cell, forward, backward, options):
    there = cell(x, **forward, **options)
    back = cell(x[::-1], **backward, **options)
    outputs = np.concatenate([there, back[::-1]], axis=-1)
    return outputs, np.concatenate([there[-1], back[-1]])


def stacked(
    cell: Callable[..., Any],
    x: Any,
    layers: Iterable[Mapping[str, ArrayLike]],
    **options: Any,
) -> Any:
    r"""Put recurrent layers on top of each other: each reads the outputs of the last.

    .. math:: h^{(0)} = x, \qquad h^{(l)} = \mathrm{cell}_l(h^{(l-1)})

    Parameters
    ----------
    cell : callable
        :func:`rnn`, :func:`lstm` or :func:`gru`.
    x : array-like of shape (T, F) or (n, T, F), or list of (T_i, F)
        One sequence, or several.
    layers : iterable of mappings of str to array-like
        The weights of each layer, from the input on.
    **options : dict
        Further arguments of `cell`, such as ``activation``.

    Returns
    -------
    outputs : ndarray of shape (T, units) or (n, T, units), or list of (T_i, units)
        Of the last layer.

    See Also
    --------
    bidirectional : Both directions of a layer.

    References
    ----------
    Graves, A., Mohamed, A., Hinton, G. (2013). Speech recognition with deep recurrent
    neural networks. ICASSP.

    Examples
    --------
    >>> from skrnn import reference
    >>> w = dict(kernel=[[1.0]], recurrent_kernel=[[1.0]], bias=[0.0])
    >>> reference.stacked(reference.rnn, [[1.0], [1.0]], [w, w], activation="linear")
    array([[1.],
           [3.]])
    """
    for weights in layers:
        x = cell(x, **weights, **options)
    return x
