"""A Neural Turing Machine."""

from typing import Any, NamedTuple

import numpy as np

from skrnn._data.typing import ArrayLike
from skrnn.reference._activations import activate, sigmoid, softmax
from skrnn.reference._lstm import lstm_step
from skrnn.reference._sequences import before_the_first, each_sequence, over_time


class NTMStep(NamedTuple):
    """What a step of a Neural Turing Machine gives."""

    controller: Any
    c: Any
    read: Any
    read_weights: Any
    write_weights: Any
    memory: Any
    h: Any


def ntm_step(
    x: ArrayLike,
    controller: ArrayLike,
    c: ArrayLike,
    read: ArrayLike,
    read_weights: ArrayLike,
    write_weights: ArrayLike,
    memory: ArrayLike,
    *,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    read_kernel: ArrayLike,
    bias: ArrayLike,
    head_kernel: ArrayLike,
    head_bias: ArrayLike,
    output_kernel: ArrayLike,
    first_addresses: ArrayLike = (),
    activation: str = "tanh",
) -> NTMStep:
    r"""Take one step of a Neural Turing Machine.

    The equations are those of :func:`ntm`.

    Parameters
    ----------
    x : array-like of shape (F,)
        The step :math:`x_t`.
    controller, c : array-like of shape (units,)
        The states :math:`k_{t-1}` and :math:`c_{t-1}` of the controller.
    read : array-like of shape (width,)
        What was read at the step before, :math:`r_{t-1}`.
    read_weights, write_weights : array-like of shape (slots,)
        The addresses before, :math:`w^r_{t-1}` and :math:`w^w_{t-1}`.
    memory : array-like of shape (slots, width)
        :math:`M_{t-1}`.
    kernel, recurrent_kernel, read_kernel, bias : array-like
        Those of the controller: :math:`W`, :math:`U`, :math:`R` and :math:`b`.
    head_kernel, head_bias, output_kernel : array-like
        :math:`W_a`, :math:`b_a` and :math:`V`.
    first_addresses : array-like of shape (2, slots)
        Not read here: the addresses before are given.
    activation : str, default="tanh"
        Of the controller.

    Returns
    -------
    step : named tuple
        ``controller``, ``c``, ``read``, ``read_weights``, ``write_weights`` and
        ``memory`` after the step, in the order in which the next step takes them, and
        the output ``h``.

    See Also
    --------
    ntm : All steps of a sequence.

    References
    ----------
    Graves, A., Wayne, G., Danihelka, I. (2014). Neural Turing machines.
    arXiv:1410.5401.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import reference
    >>> w = dict(kernel=np.ones((1, 4)), recurrent_kernel=np.zeros((1, 4)), bias=0)
    >>> w |= dict(read_kernel=np.zeros((2, 4)), output_kernel=np.ones((2, 1)))
    >>> w |= dict(head_kernel=np.zeros((1, 20)), head_bias=np.zeros(20))
    >>> slots = [0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    >>> step = reference.ntm_step([1.0], [0.0], [0.0], [0.0, 0.0], *slots, **w)
    >>> step.read_weights.round(3)  # told nothing, it looks everywhere
    array([0.333, 0.333, 0.333])
    """
    M = np.asarray(memory, dtype=float)
    own = np.dot(read, read_kernel) + bias
    weights: Any = dict(kernel=kernel, recurrent_kernel=recurrent_kernel, bias=own)
    lstm = lstm_step(x, controller, c, **weights, activation=activation)
    a, n = np.dot(lstm.h, head_kernel) + head_bias, M.shape[1]
    of_read, of_write, erase, add = np.split(a, [n + 6, 2 * (n + 6), 3 * n + 12])
    reading = _address(of_read, M, np.asarray(read_weights, dtype=float))
    writing = _address(of_write, M, np.asarray(write_weights, dtype=float))
    r = reading @ M
    M = M * (1 - np.outer(writing, sigmoid(erase))) + np.outer(writing, np.tanh(add))
    h = lstm.h + r @ np.asarray(output_kernel)
    return NTMStep(lstm.h, lstm.c, r, reading, writing, M, h)


def _address(a, M, before):
    """Return a head's share of each slot."""
    n = M.shape[1]
    key, strength, gate = np.tanh(a[:n]), activate(a[n], "softplus"), sigmoid(a[n + 1])
    shift, sharpness = softmax(a[n + 2 : n + 5]), 1 + activate(a[n + 5], "softplus")
    lengths = np.sqrt((M**2).sum(axis=1) + 1e-16) * np.sqrt((key**2).sum() + 1e-16)
    content = softmax(strength * (M @ key) / lengths)
    mixed = gate * content + (1 - gate) * before
    moved = (
        shift[0] * np.roll(mixed, -1) + shift[1] * mixed + shift[2] * np.roll(mixed, 1)
    )
    sharp = np.maximum(moved, 1e-12) ** sharpness
    return sharp / sharp.sum()


@each_sequence
def ntm(
    x: Any,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    read_kernel: ArrayLike,
    bias: ArrayLike,
    head_kernel: ArrayLike,
    head_bias: ArrayLike,
    output_kernel: ArrayLike,
    first_addresses: ArrayLike,
    *,
    activation: str = "tanh",
    initial_state: Any = None,
    return_states: bool = False,
) -> Any:
    r"""Read a sequence with a Neural Turing Machine.

    An LSTM, the controller, reads the step and what was read from the memory at the
    step before:

    .. math:: k_t, c_t = \mathrm{LSTM}(x_t W + k_{t-1} U + r_{t-1} R + b)

    It tells both heads, the one that reads and the one that writes, where to look:
    :math:`a_t = k_t W_a + b_a` has of each a key :math:`q = \tanh`, a strength
    :math:`\beta = \mathrm{softplus}`, a gate :math:`g = \sigma`, shares of three shifts
    :math:`s = \mathrm{softmax}`, and a sharpness :math:`\gamma = 1 +
    \mathrm{softplus}`; and of the one that writes what is erased,
    :math:`e = \sigma`, and what is added, :math:`d = \tanh`. With them

    .. math::

        \begin{aligned}
        w^c(i) &= \mathrm{softmax}_i\bigl(\beta \cos(q, M_{t-1}(i))\bigr)
            & &\text{by content} \\
        w^g &= g\, w^c + (1 - g)\, w_{t-1} & &\text{or where it was} \\
        w^s(i) &= s_{-1} w^g(i + 1) + s_0 w^g(i) + s_1 w^g(i - 1)
            & &\text{moved by a slot} \\
        w_t(i) &= w^s(i)^\gamma / \textstyle\sum_j w^s(j)^\gamma & &\text{sharpened} \\
        r_t &= \textstyle\sum_i w^r_t(i) M_{t-1}(i) & &\text{what is read} \\
        M_t(i) &= M_{t-1}(i) \odot (1 - w^w_t(i)\, e) + w^w_t(i)\, d
            & &\text{what is written} \\
        h_t &= k_t + r_t V & &\text{output}
        \end{aligned}

    where slots follow each other in a circle. The memory begins as
    :math:`M_0 = 10^{-6}`, and the addresses as a softmax of what is learnt.

    Parameters
    ----------
    x : array-like of shape (T, F) or (n, T, F), or list of (T_i, F)
        One sequence, or several.
    kernel : array-like of shape (F, 4 * units)
        :math:`W`.
    recurrent_kernel : array-like of shape (units, 4 * units)
        :math:`U`.
    read_kernel : array-like of shape (width, 4 * units)
        :math:`R`.
    bias : array-like of shape (4 * units,)
        :math:`b`.
    head_kernel : array-like of shape (units, 4 * width + 12)
        :math:`W_a`.
    head_bias : array-like of shape (4 * width + 12,)
        :math:`b_a`.
    output_kernel : array-like of shape (width, units)
        :math:`V`.
    first_addresses : array-like of shape (2, slots)
        Before their softmax, those of the head that reads and of the one that writes.
    activation : str, default="tanh"
        Of the controller.
    initial_state : sequence of six arrays, default=None
        Where it goes on from, as `ntm_step` takes it.
    return_states : bool, default=False
        Whether to return ``(outputs, states)``.

    Returns
    -------
    outputs : ndarray of shape (T, units) or (n, T, units), or list of (T_i, units)
        :math:`h_1` to :math:`h_T`.
    states : named tuple
        What :func:`ntm_step` gives, at every step.

    See Also
    --------
    ntm_step : One step.
    lstm : Its controller.
    skrnn.inspection.MemoryDisplay : Where a trained one reads and writes.

    References
    ----------
    Graves, A., Wayne, G., Danihelka, I. (2014). Neural Turing machines.
    arXiv:1410.5401.

    Collier, M., Beel, J. (2018). Implementing neural Turing machines. ICANN. (The
    memory's first value, and that addresses begin as what is learnt.)

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import SequenceRegressor, reference
    >>> X = np.random.default_rng(0).normal(size=(40, 5, 1))
    >>> model = SequenceRegressor(cell="ntm", units=3, memory=(6, 4), epochs=2)
    >>> model = model.set_params(random_state=0).fit(X, X[:, 0, 0])
    >>> _, states = reference.ntm(X[0], **model.weights_["ntm"], return_states=True)
    >>> states.read_weights.shape, states.memory.shape
    ((5, 6), (5, 6, 4))
    """
    weights: Any = dict(
        kernel=kernel,
        recurrent_kernel=recurrent_kernel,
        read_kernel=read_kernel,
        bias=bias,
        head_kernel=head_kernel,
        head_bias=head_bias,
        output_kernel=output_kernel,
    )
    if initial_state is None:
        first = [softmax(row) for row in np.asarray(first_addresses, dtype=float)]
        k, r = (np.zeros(np.shape(w)[0]) for w in (recurrent_kernel, read_kernel))
        initial_state = k, k, r, *first, np.full((len(first[0]), len(r)), 1e-6)
    states, steps = before_the_first(initial_state, 6, recurrent_kernel), []
    for x_t in x:
        step = ntm_step(x_t, *states, **weights, activation=activation)
        states = [*step[:6]]
        steps.append(step)
    return over_time(steps, return_states)
