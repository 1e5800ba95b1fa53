"""The minimal long short-term memory."""

from typing import Any, NamedTuple

import numpy as np

from skrnn._data.typing import ArrayLike
from skrnn.reference._activations import activate, sigmoid
from skrnn.reference._sequences import before_the_first, each_sequence, over_time


class MinLSTMStep(NamedTuple):
    """What a step of a minimal long short-term memory gives."""

    h: Any
    f: Any
    i: Any
    g: Any


def minlstm_step(
    x: ArrayLike,
    h: ArrayLike,
    *,
    kernel: ArrayLike,
    bias: ArrayLike,
    activation: str = "tanh",
) -> MinLSTMStep:
    r"""Take one step of a minimal long short-term memory.

    The equations are those of :func:`~skrnn.reference.minlstm`.

    Parameters
    ----------
    x : array-like of shape (F,)
        The step :math:`x_t`.
    h : array-like of shape (units,)
        The output of the step before, :math:`h_{t-1}`.
    kernel : array-like of shape (F, 3 * units)
        :math:`W_f`, :math:`W_i` and :math:`W_g`, side by side.
    bias : array-like of shape (3 * units,)
        :math:`b_f`, :math:`b_i` and :math:`b_g`.
    activation : str, default="tanh"
        :math:`\phi`, that of the candidate; ``"linear"`` in the paper.

    Returns
    -------
    step : named tuple
        ``h`` (units,), the output; the shares ``f`` and ``i`` of both gates, and the
        candidate ``g``.

    See Also
    --------
    minlstm : All steps of a sequence.

    References
    ----------
    Feng, L., Tung, F., Ahmed, M. O., Bengio, Y., Hajimirsadeghi, H. (2024). Were RNNs
    all we needed? arXiv:2410.01201.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import reference
    >>> w = dict(kernel=np.ones((1, 3)), bias=np.zeros(3), activation="linear")
    >>> step = reference.minlstm_step([1.0], [0.4], **w)
    >>> step.h.round(3), step.f.round(3)
    (array([0.7]), array([0.5]))
    """
    of_forget, of_input, of_candidate = np.split(np.dot(x, kernel) + bias, 3)
    # The logarithms of both gates: where both gates are next to zero, their shares
    # aren't.
    log_f, log_i = -np.logaddexp(0, -of_forget), -np.logaddexp(0, -of_input)
    f, i = sigmoid(log_f - log_i), sigmoid(log_i - log_f)
    g = activate(of_candidate, activation)
    return MinLSTMStep(f * np.asarray(h) + i * g, f, i, g)


@each_sequence
def minlstm(
    x: Any,
    kernel: ArrayLike,
    bias: ArrayLike,
    *,
    activation: str = "tanh",
    initial_state: Any = None,
    return_states: bool = False,
) -> Any:
    r"""Read a sequence with a minimal long short-term memory.

    .. math::

        \tilde f_t &= \sigma(x_t W_f + b_f), \qquad
        \tilde i_t = \sigma(x_t W_i + b_i) \\
        f_t &= \tilde f_t / (\tilde f_t + \tilde i_t), \qquad
        i_t = \tilde i_t / (\tilde f_t + \tilde i_t) \\
        g_t &= \phi(x_t W_g + b_g) \\
        h_t &= f_t \odot h_{t-1} + i_t \odot g_t, \qquad h_0 = 0

    It has no memory beside its output, and no output gate. Neither a gate nor the
    candidate reads the state before: see :func:`~skrnn.reference.mingru`.

    Parameters
    ----------
    x : array-like of shape (T, F) or (n, T, F), or list of (T_i, F)
        One sequence, or several.
    kernel : array-like of shape (F, 3 * units)
        :math:`W_f`, :math:`W_i` and :math:`W_g`, side by side.
    bias : array-like of shape (3 * units,)
        :math:`b_f`, :math:`b_i` and :math:`b_g`.
    activation : str, default="tanh"
        :math:`\phi`, that of the candidate; ``"linear"`` in the paper.
    initial_state : sequence of one array (units,), default=None
        :math:`h_0`, if it isn't zero.
    return_states : bool, default=False
        Whether to return ``(outputs, states)``.

    Returns
    -------
    outputs : ndarray of shape (T, units) or (n, T, units), or list of (T_i, units)
        :math:`h_1` to :math:`h_T`.
    states : named tuple
        ``h``, ``f``, ``i`` and ``g`` of all steps.

    See Also
    --------
    minlstm_step : One step.
    lstm : Gates that read the state too.

    References
    ----------
    Feng, L., Tung, F., Ahmed, M. O., Bengio, Y., Hajimirsadeghi, H. (2024). Were RNNs
    all we needed? arXiv:2410.01201.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import reference
    >>> w = dict(kernel=np.ones((1, 3)), bias=np.zeros(3), activation="linear")
    >>> reference.minlstm([[1.0], [0.0], [0.0]], **w).round(3)
    array([[0.5  ],
           [0.25 ],
           [0.125]])
    """
    weights: Any = dict(kernel=kernel, bias=bias)
    (h,) = before_the_first(initial_state, 1, np.split(np.asarray(bias), 3)[0])
    steps = []
    for x_t in x:
        step = minlstm_step(x_t, h, **weights, activation=activation)
        h = step.h
        steps.append(step)
    return over_time(steps, return_states)
