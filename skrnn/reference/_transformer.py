"""A Transformer's parts: positions, and a block of self-attention."""

import numpy as np

from skrnn._data.typing import Array, ArrayLike
from skrnn.reference._activations import activate, softmax
from skrnn.reference._layers import layer_normalization


def sinusoidal_positions(n_steps: int, width: int) -> Array:
    r"""Return the waves that tell a step's place.

    .. math::

        p_t = [\sin(t \omega_1), \ldots, \sin(t \omega_m),
        \cos(t \omega_1), \ldots, \cos(t \omega_m)], \quad
        \omega_i = 10000^{-(i - 1) / m}

    where :math:`m` is half of the width, and t counts from 0.

    Parameters
    ----------
    n_steps : int
        How many places there are.
    width : int
        An odd one leaves the last cosine out.

    Returns
    -------
    positions : ndarray of shape (n_steps, width)

    See Also
    --------
    rotary_positions : Positions by rotation instead.

    References
    ----------
    Vaswani, A., et al. (2017). Attention is all you need. NeurIPS. Sines and cosines
    alternate there; the order of columns makes no difference.

    Examples
    --------
    >>> from skrnn import reference
    >>> reference.sinusoidal_positions(2, 4).round(2)
    array([[0.  , 0.  , 1.  , 1.  ],
           [0.84, 0.01, 0.54, 1.  ]])
    """
    half = (width + 1) // 2
    angles = np.arange(n_steps)[:, None] * 10_000.0 ** -(np.arange(half) / half)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)[:, :width]


def rotary_positions(x: ArrayLike) -> Array:
    r"""Turn each pair of columns of queries or keys by the angle of its step.

    .. math::

        \begin{pmatrix} x'_{t,i} \\ x'_{t,i+m} \end{pmatrix} =
        \begin{pmatrix} \cos t \omega_i & -\sin t \omega_i \\
        \sin t \omega_i & \cos t \omega_i \end{pmatrix}
        \begin{pmatrix} x_{t,i} \\ x_{t,i+m} \end{pmatrix}

    where :math:`m` is half of the width and the frequencies are those of
    :func:`sinusoidal_positions`. Products of two turned vectors depend on how many
    steps they are apart, not on where they stand.

    Parameters
    ----------
    x : array-like of shape (T, d)
        Of one head; d is even.

    Returns
    -------
    turned : ndarray of shape (T, d)

    See Also
    --------
    sinusoidal_positions : Positions that are added instead.

    References
    ----------
    Su, J., et al. (2021). RoFormer: enhanced transformer with rotary position
    embedding. arXiv:2104.09864.

    Examples
    --------
    >>> from skrnn import reference
    >>> reference.rotary_positions([[1.0, 0.0], [1.0, 0.0]]).round(2)
    array([[1.  , 0.  ],
           [0.54, 0.84]])
    """
    x = np.asarray(x, float)
    half = x.shape[1] // 2
    sin, cos = np.split(sinusoidal_positions(len(x), 2 * half), 2, axis=1)
    first, second = x[:, :half], x[:, half:]
    turned = [first * cos - second * sin, first * sin + second * cos]
    return np.concatenate(turned, axis=1)


def transformer_block(
    x: ArrayLike,
    *,
    n_heads: int,
    causal: bool = False,
    rotary: bool = False,
    activation: str = "relu",
    **weights: ArrayLike,
) -> tuple[Array, Array]:
    r"""Let steps attend to each other, and add what two dense layers make of it.

    .. math::

        \begin{aligned}
        q, k, v &= N(x) W_q + b_q, \; N(x) W_k + b_k, \; N(x) W_v + b_v \\
        \alpha^{(i)}_{ts} &\propto \exp(q^{(i)}_t \cdot k^{(i)}_s / \sqrt{d})
        & &\text{weights of head } i \\
        a &= x + [\alpha^{(1)} v^{(1)}, \ldots, \alpha^{(m)} v^{(m)}] W_o + b_o \\
        y &= a + f(N'(a) W_1 + b_1) W_2 + b_2
        \end{aligned}

    where N and N' are layer normalisations: before what they normalise for, not after
    the sum.

    Parameters
    ----------
    x : array-like of shape (T, D)
        The steps.
    n_heads : int
        Number of heads, which divides D.
    causal : bool, default=False
        Whether a step attends to none that come after it.
    rotary : bool, default=False
        Whether queries and keys are turned by :func:`rotary_positions`.
    activation : str, default="relu"
        :math:`f`.
    **weights : array-like
        As ``weights_["transformer_block"]`` names them: query, key, value, output,
        dense and dense_output, each with ``_kernel`` and ``_bias``, and attention_norm
        and dense_norm with ``_gamma`` and ``_beta``.

    Returns
    -------
    y : ndarray of shape (T, D)
    weights : ndarray of shape (n_heads, T, T)

    See Also
    --------
    multi_head_attention : The attention in it.
    sinusoidal_positions : The positions that its input has.
    layer_normalization : What stands before each part.

    References
    ----------
    Vaswani, A., et al. (2017). Attention is all you need. NeurIPS.
    Xiong, R., et al. (2020). On layer normalization in the Transformer architecture.
    ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import TransformerRegressor, reference
    >>> X = np.random.default_rng(0).normal(size=(20, 5, 8))
    >>> model = TransformerRegressor(d_model=8, n_heads=2, n_layers=1, epochs=1)
    >>> block = model.fit(X, X[:, 0, 0]).weights_["transformer_block"]
    >>> y, weights = reference.transformer_block(X[0], n_heads=2, **block)
    >>> y.shape, weights.shape, np.allclose(weights.sum(axis=-1), 1)
    ((5, 8), (2, 5, 5), True)
    """
    w = {name: np.asarray(array, float) for name, array in weights.items()}

    def dense(name, x):
        return x @ w[f"{name}_kernel"] + w[f"{name}_bias"]

    def norm(name, x):
        return layer_normalization(x, w[f"{name}_gamma"], w[f"{name}_beta"])

    x = np.asarray(x, float)
    read, steps = norm("attention_norm", x), np.arange(len(x))
    names = "query", "key", "value"
    q, k, v = (np.split(dense(name, read), n_heads, axis=1) for name in names)
    hidden = causal & (steps[:, None] < steps)
    shares, found = [], []
    for q_i, k_i, v_i in zip(q, k, v, strict=True):
        if rotary:
            q_i, k_i = rotary_positions(q_i), rotary_positions(k_i)
        scores = q_i @ k_i.T / np.sqrt(q_i.shape[1])
        shares.append(softmax(np.where(hidden, -np.inf, scores)))
        found.append(shares[-1] @ v_i)
    x = x + dense("output", np.concatenate(found, axis=1))
    inner = activate(dense("dense", norm("dense_norm", x)), activation)
    return x + dense("dense_output", inner), np.stack(shares)
