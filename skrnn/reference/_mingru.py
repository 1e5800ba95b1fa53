"""The minimal gated recurrent unit."""

from typing import Any, NamedTuple

import numpy as np

from skrnn._data.typing import ArrayLike
from skrnn.reference._activations import activate, sigmoid
from skrnn.reference._sequences import before_the_first, each_sequence, over_time


class MinGRUStep(NamedTuple):
    """What a step of a minimal gated recurrent unit gives."""

    h: Any
    z: Any
    g: Any


def mingru_step(
    x: ArrayLike,
    h: ArrayLike,
    *,
    kernel: ArrayLike,
    bias: ArrayLike,
    activation: str = "tanh",
) -> MinGRUStep:
    r"""Take one step of a minimal gated recurrent unit.

    The equations are those of :func:`~skrnn.reference.mingru`.

    Parameters
    ----------
    x : array-like of shape (F,)
        The step :math:`x_t`.
    h : array-like of shape (units,)
        The output of the step before, :math:`h_{t-1}`.
    kernel : array-like of shape (F, 2 * units)
        :math:`W_z` and :math:`W_g`, side by side.
    bias : array-like of shape (2 * units,)
        :math:`b_z` and :math:`b_g`.
    activation : str, default="tanh"
        :math:`\phi`, that of the candidate; ``"linear"`` in the paper.

    Returns
    -------
    step : named tuple
        ``h`` (units,), the output; the gate ``z`` and the candidate ``g``.

    See Also
    --------
    mingru : All steps of a sequence.

    References
    ----------
    Feng, L., Tung, F., Ahmed, M. O., Bengio, Y., Hajimirsadeghi, H. (2024). Were RNNs
    all we needed? arXiv:2410.01201.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import reference
    >>> w = dict(kernel=np.ones((1, 2)), bias=np.zeros(2), activation="linear")
    >>> step = reference.mingru_step([0.0], [0.4], **w)
    >>> step.h.round(3), step.z.round(3)
    (array([0.2]), array([0.5]))
    """
    of_gate, of_candidate = np.split(np.dot(x, kernel) + bias, 2)
    z, g = sigmoid(of_gate), activate(of_candidate, activation)
    return MinGRUStep((1 - z) * np.asarray(h) + z * g, z, g)


@each_sequence
def mingru(
    x: Any,
    kernel: ArrayLike,
    bias: ArrayLike,
    *,
    activation: str = "tanh",
    initial_state: Any = None,
    return_states: bool = False,
) -> Any:
    r"""Read a sequence with a minimal gated recurrent unit.

    .. math::

        z_t &= \sigma(x_t W_z + b_z) \\
        g_t &= \phi(x_t W_g + b_g) \\
        h_t &= (1 - z_t) \odot h_{t-1} + z_t \odot g_t, \qquad h_0 = 0

    Neither the gate nor the candidate reads the state before. So every product is one
    of all steps at once, and what is left is :math:`h_t = a_t h_{t-1} + b_t`, unit by
    unit.

    Parameters
    ----------
    x : array-like of shape (T, F) or (n, T, F), or list of (T_i, F)
        One sequence, or several.
    kernel : array-like of shape (F, 2 * units)
        :math:`W_z` and :math:`W_g`, side by side.
    bias : array-like of shape (2 * units,)
        :math:`b_z` and :math:`b_g`.
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
        ``h``, ``z`` and ``g`` of all steps.

    See Also
    --------
    mingru_step : One step.
    gru : Gates that read the state too.

    References
    ----------
    Feng, L., Tung, F., Ahmed, M. O., Bengio, Y., Hajimirsadeghi, H. (2024). Were RNNs
    all we needed? arXiv:2410.01201.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import reference
    >>> w = dict(kernel=np.ones((1, 2)), bias=np.zeros(2), activation="linear")
    >>> reference.mingru([[1.0], [0.0], [0.0]], **w).round(3)
    array([[0.731],
           [0.366],
           [0.183]])
    """
    weights: Any = dict(kernel=kernel, bias=bias)
    (h,) = before_the_first(initial_state, 1, np.split(np.asarray(bias), 2)[0])
    steps = []
    for x_t in x:
        step = mingru_step(x_t, h, **weights, activation=activation)
        h = step.h
        steps.append(step)
    return over_time(steps, return_states)
