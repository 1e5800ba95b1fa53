"""Attention: what a query makes of the steps of a sequence, and where it looks.

Queries are one vector (U,) or several (Q, U), keys the steps (S, U). Each function
gives the context of each query, a weighted mean of the steps, and the weights, which
sum to one over them. Kernels are named as ``weights_["attention"]`` names them.
"""

import numpy as np

from skrnn._data.typing import Array, ArrayLike
from skrnn.reference._activations import softmax


def additive_attention(
    query: ArrayLike,
    keys: ArrayLike,
    query_kernel: ArrayLike,
    key_kernel: ArrayLike,
    score_kernel: ArrayLike,
) -> tuple[Array, Array]:
    r"""Attend by the additive score of Bahdanau.

    .. math::

        \begin{aligned}
        e_{qs} &= \tanh(a_q W_q + k_s W_k) \, v & &\text{score} \\
        \alpha_{q} &= \mathrm{softmax}(e_q) & &\text{weights, over the steps } s \\
        c_q &= \textstyle\sum_s \alpha_{qs} \, k_s & &\text{context}
        \end{aligned}

    Parameters
    ----------
    query : array-like of shape (Uq,) or (Q, Uq)
        :math:`a`.
    keys : array-like of shape (S, U)
        The steps to look at, :math:`k`.
    query_kernel : array-like of shape (Uq, U)
        :math:`W_q`.
    key_kernel : array-like of shape (U, U)
        :math:`W_k`.
    score_kernel : array-like of shape (U, 1)
        :math:`v`.

    Returns
    -------
    context : ndarray of shape (U,) or (Q, U)
    weights : ndarray of shape (S,) or (Q, S)

    References
    ----------
    Bahdanau, D., Cho, K., Bengio, Y. (2015). Neural machine translation by jointly
    learning to align and translate. ICLR.

    Examples
    --------
    >>> from skrnn import reference
    >>> keys, one = [[0.0], [3.0]], [[1.0]]
    >>> context, weights = reference.additive_attention([0.0], keys, one, one, one)
    >>> weights.round(2), context.round(2)
    (array([0.27, 0.73]), array([2.19]))
    """
    query, keys = np.asarray(query, float), np.asarray(keys, float)
    projected = (query @ query_kernel)[..., None, :] + keys @ np.asarray(key_kernel)
    scores = (np.tanh(projected) @ score_kernel)[..., 0]
    weights = softmax(scores)
    return weights @ keys, weights


def dot_attention(
    query: ArrayLike,
    keys: ArrayLike,
    query_kernel: ArrayLike | None = None,
    *,
    scaled: bool = True,
) -> tuple[Array, Array]:
    r"""Attend by the dot product of Luong.

    .. math::

        \begin{aligned}
        e_{qs} &= a_q \cdot k_s \, / \sqrt{U} & &\text{score} \\
        \alpha_{q} &= \mathrm{softmax}(e_q) & &\text{weights, over the steps } s \\
        c_q &= \textstyle\sum_s \alpha_{qs} \, k_s & &\text{context}
        \end{aligned}

    The root keeps scores small where vectors are long (Vaswani et al., 2017); Luong's
    have none. Queries of another width are projected first, :math:`a_q W_q`: Luong's
    score "general".

    Parameters
    ----------
    query : array-like of shape (Uq,) or (Q, Uq)
        :math:`a`.
    keys : array-like of shape (S, U)
        The steps to look at, :math:`k`.
    query_kernel : array-like of shape (Uq, U), default=None
        :math:`W_q`, if queries are projected.
    scaled : bool, default=True
        Whether to divide by the root.

    Returns
    -------
    context : ndarray of shape (U,) or (Q, U)
    weights : ndarray of shape (S,) or (Q, S)

    References
    ----------
    Luong, M.-T., Pham, H., Manning, C. D. (2015). Effective approaches to
    attention-based neural machine translation. EMNLP.

    Examples
    --------
    >>> from skrnn import reference
    >>> context, weights = reference.dot_attention([2.0], [[0.0], [1.0]])
    >>> weights.round(2), context.round(2)
    (array([0.12, 0.88]), array([0.88]))
    """
    query, keys = np.asarray(query, float), np.asarray(keys, float)
    query = query if query_kernel is None else query @ np.asarray(query_kernel)
    scores = query @ keys.T
    if scaled:
        scores = scores / np.sqrt(keys.shape[1])
    weights = softmax(scores)
    return weights @ keys, weights


def multi_head_attention(
    query: ArrayLike,
    keys: ArrayLike,
    query_kernel: ArrayLike,
    key_kernel: ArrayLike,
    value_kernel: ArrayLike,
    output_kernel: ArrayLike,
    *,
    n_heads: int | None = None,
) -> tuple[Array, Array]:
    r"""Attend with several heads, each of which looks at the steps in its own way.

    .. math::

        \begin{aligned}
        \alpha^{(i)}_{q} &= \mathrm{softmax}\left(
        \frac{(a_q W_q^{(i)}) (K W_k^{(i)})^\top}{\sqrt{d}}\right)
        & &\text{weights of head } i \\
        c_q &= \left[\alpha^{(1)}_{q} K W_v^{(1)}, \ldots,
        \alpha^{(m)}_{q} K W_v^{(m)}\right] W_o & &\text{context}
        \end{aligned}

    where :math:`d` is the width of a head, and head :math:`i` has the :math:`i`-th
    :math:`d` columns of each kernel.

    Parameters
    ----------
    query : array-like of shape (Uq,) or (Q, Uq)
        :math:`a`.
    keys : array-like of shape (S, U)
        The steps to look at, :math:`K`.
    query_kernel : array-like of shape (Uq, U)
        :math:`W_q`.
    key_kernel, value_kernel, output_kernel : array-like of shape (U, U)
        :math:`W_k`, :math:`W_v` and :math:`W_o`.
    n_heads : int, default=None
        Number of heads, :math:`m`. None takes 4, or 2 or 1 where 4 don't divide U, as
        the estimators do.

    Returns
    -------
    context : ndarray of shape (U,) or (Q, U)
    weights : ndarray of shape (n_heads, S) or (n_heads, Q, S)

    References
    ----------
    Vaswani, A., et al. (2017). Attention is all you need. NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import reference
    >>> same, keys = np.eye(2), [[0.0, 0.0], [1.0, 4.0]]
    >>> context, weights = reference.multi_head_attention(
    ...     [1.0, 1.0], keys, same, same, same, same, n_heads=2
    ... )
    >>> weights.round(2)  # a row a head
    array([[0.27, 0.73],
           [0.02, 0.98]])
    >>> context.round(2)
    array([0.73, 3.93])
    """
    keys = np.asarray(keys, float)
    width = keys.shape[1]
    m = n_heads or next(m for m in (4, 2, 1) if width % m == 0)
    if width % m:
        raise ValueError(f"n_heads={m} must divide {width}, the width of the keys.")
    # Each as a list of the columns of the heads.
    a = np.split(np.asarray(query, float) @ np.asarray(query_kernel), m, axis=-1)
    k = np.split(keys @ np.asarray(key_kernel), m, axis=-1)
    v = np.split(keys @ np.asarray(value_kernel), m, axis=-1)
    weights, contexts = [], []
    for a_i, k_i, v_i in zip(a, k, v, strict=True):
        weights.append(softmax(a_i @ k_i.T / np.sqrt(width // m)))
        contexts.append(weights[-1] @ v_i)
    context = np.concatenate(contexts, axis=-1) @ np.asarray(output_kernel)
    return context, np.stack(weights)
