"""Attention: what a query makes of the steps of a sequence, and where it looks.

Queries are one vector (U,) or several (Q, U), keys the steps (S, U). Each function
gives the context of each query, a weighted mean of the steps, and the weights, which
sum to one over them, but for attention by location. Kernels are named as
``weights_["attention"]`` names them.
"""

import numpy as np

from skrnn._data.typing import Array, ArrayLike
from skrnn.reference._activations import sigmoid, softmax


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

    See Also
    --------
    dot_attention : Products of queries and keys instead.
    skrnn.inspection.attention_weights : Those of a trained network.

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

    See Also
    --------
    additive_attention : A small network scores the keys instead.
    multi_head_attention : Several of them side by side.
    skrnn.inspection.attention_weights : Those of a trained network.

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

    See Also
    --------
    dot_attention : One head of it.
    transformer_block : The block that it is part of.

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


def location_attention(
    query: ArrayLike,
    keys: ArrayLike,
    location_kernel: ArrayLike,
    location_bias: ArrayLike,
    query_kernel: ArrayLike | None = None,
    *,
    before: ArrayLike | None = None,
    return_places: bool = False,
) -> tuple[Array, ...]:
    r"""Attend to a place that moves on from query to query, and by content.

    Queries that follow each other, as those of a decoder's steps, each tell by how much
    two places move on: one is counted from the start of the sequence, and one from its
    end. So what was learnt on short sequences, such as to copy or to reverse, holds for
    longer ones.

    .. math::

        \begin{aligned}
        \left[p, r, z^{(1)}, z^{(2)}\right]_t &= a_t W_l + b_l
        & &\text{what a query tells, 3 + 2 + 3 + 3 numbers} \\
        g_t &= \mathrm{softmax}(p_t) & &\text{shares of content and of places} \\
        \beta^{(i)}_t &= \log\left(1 + e^{r^{(i)}_t + 6}\right)
        & &\text{how sharp a place is} \\
        \kappa^{(i)}_t &= \kappa^{(i)}_{t-1} + (0, 1, 2) \cdot
        \mathrm{softmax}\left(z^{(i)}_t + (0, 3, 0)\right) & &\text{places} \\
        d^{(1)}_s &= s, \quad d^{(2)}_s = S + 1 - s & &\text{numbers of the steps} \\
        x^{(i)}_{ts} &= d^{(i)}_s - \kappa^{(i)}_t & &\text{how far away they are} \\
        \lambda^{(i)}_{ts} &=
        \sigma\left(\beta^{(i)}_t \left(x^{(i)}_{ts} + \tfrac12\right)\right)
        - \sigma\left(\beta^{(i)}_t \left(x^{(i)}_{ts} - \tfrac12\right)\right)
        & &\text{weights by place} \\
        \alpha_{ts} &= g^{(0)}_t \, \mathrm{softmax}(a_t \cdot k / \sqrt{U})_s
        + g^{(1)}_t \lambda^{(1)}_{ts} + g^{(2)}_t \lambda^{(2)}_{ts}
        & &\text{weights} \\
        c_t &= \textstyle\sum_s \alpha_{ts} \, k_s & &\text{context}
        \end{aligned}

    A place is a logistic distribution over the numbers of the steps. What of it lies
    before the first step or behind the last one is no step's: the weights then sum to
    less than one, and a context near zero tells that the sequence is over. At first a
    place moves by about one step, and where it does so surely, it is where it should be
    after any number of them.

    Parameters
    ----------
    query : array-like of shape (Uq,) or (Q, Uq)
        :math:`a`, in the order in which they follow each other.
    keys : array-like of shape (S, U)
        The steps to look at, :math:`k`.
    location_kernel : array-like of shape (Uq, 11)
        :math:`W_l`.
    location_bias : array-like of shape (11,)
        :math:`b_l`.
    query_kernel : array-like of shape (Uq, U), default=None
        Queries are multiplied by it first where they are compared with keys, if these
        have another width.
    before : array-like of shape (2,), default=None
        The places before the first query, :math:`\kappa_0`. None is zeros.
    return_places : bool, default=False
        Whether to return the places after each query too.

    Returns
    -------
    context : ndarray of shape (U,) or (Q, U)
    weights : ndarray of shape (S,) or (Q, S)
    places : ndarray of shape (2,) or (Q, 2)
        :math:`\kappa`; only if `return_places`.

    See Also
    --------
    dot_attention : By content alone.
    skrnn.inspection.attention_weights : Those of a trained network.

    References
    ----------
    Graves, A. (2013). Generating sequences with recurrent neural networks.
    arXiv:1308.0850. A window that moves over a text.

    Graves, A., Wayne, G., Danihelka, I. (2014). Neural Turing machines.
    arXiv:1410.5401. Shares of content and of location, and of shifts.

    Battenberg, E., et al. (2020). Location-relative attention mechanisms for robust
    long-form speech synthesis. ICASSP.

    Dubois, Y., Dagan, G., Hupkes, D., Bruni, E. (2020). Location attention for
    extrapolation to longer sequences. ACL.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import reference
    >>> bias = np.zeros(11)
    >>> bias[1] = 9  # the place from the start
    >>> bias[6] = bias[9] = 9  # one step each
    >>> queries, keys = np.zeros((3, 1)), [[1.0], [5.0]]
    >>> context, weights = reference.location_attention(
    ...     queries, keys, np.zeros((1, 11)), bias
    ... )
    >>> weights.round(1)  # the third one is behind the end
    array([[0.9, 0. ],
           [0. , 0.9],
           [0. , 0. ]])
    """
    is_one = np.ndim(query) == 1
    query, keys = np.atleast_2d(np.asarray(query, float)), np.asarray(keys, float)
    told = query @ np.asarray(location_kernel) + location_bias
    p, r, z_1, z_2 = np.split(told, [3, 5, 8], axis=-1)
    g, beta = softmax(p), np.logaddexp(r + 6, 0)
    shifts = [softmax(z + np.array([0, 3, 0])) @ [0, 1, 2] for z in (z_1, z_2)]
    places = np.cumsum(np.stack(shifts, axis=-1), axis=0)
    places = places if before is None else places + np.asarray(before)
    _, by_content = dot_attention(query, keys, query_kernel)
    weights = g[:, :1] * by_content
    numbers = np.arange(1, len(keys) + 1)
    for i, d in enumerate((numbers, numbers[::-1])):
        away = d - places[:, i, None]
        b = beta[:, i, None]
        near = sigmoid(b * (away + 0.5)) - sigmoid(b * (away - 0.5))
        weights = weights + g[:, i + 1, None] * near
    found = weights @ keys, weights, places
    if is_one:
        found = tuple(each[0] for each in found)
    return found if return_places else found[:2]
