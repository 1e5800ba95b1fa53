"""Independently recurrent units."""

from typing import Any, NamedTuple

import numpy as np

from skrnn._data.typing import ArrayLike
from skrnn.reference._activations import activate
from skrnn.reference._sequences import before_the_first, each_sequence, over_time


class IndRNNStep(NamedTuple):
    """What a step of independently recurrent units gives."""

    h: Any


def indrnn_step(
    x: ArrayLike,
    h: ArrayLike,
    *,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike,
    activation: str = "tanh",
) -> IndRNNStep:
    r"""Take one step of independently recurrent units.

    .. math:: h_t = \phi(x_t W + u \odot h_{t-1} + b)

    Parameters
    ----------
    x : array-like of shape (F,)
        The step :math:`x_t`.
    h : array-like of shape (units,)
        The output of the step before, :math:`h_{t-1}`.
    kernel : array-like of shape (F, units)
        :math:`W`.
    recurrent_kernel : array-like of shape (units,)
        :math:`u`, a weight for each unit's own state.
    bias : array-like of shape (units,)
        :math:`b`.
    activation : str, default="tanh"
        :math:`\phi`; ``"relu"`` in the paper.

    Returns
    -------
    step : named tuple
        ``h`` (units,), the output.

    See Also
    --------
    indrnn : All steps of a sequence.

    References
    ----------
    Li, S., Li, W., Cook, C., Zhu, C., Gao, Y. (2018). Independently recurrent neural
    network (IndRNN): Building a longer and deeper RNN. CVPR.

    Examples
    --------
    >>> from skrnn import reference
    >>> w = dict(kernel=[[1.0, 1.0]], recurrent_kernel=[0.5, 1.0], bias=[0.0, 0.0])
    >>> reference.indrnn_step([1.0], [2.0, 2.0], **w, activation="relu").h
    array([2., 3.])
    """
    summed = np.dot(x, kernel) + np.multiply(recurrent_kernel, h) + bias
    return IndRNNStep(activate(summed, activation))


@each_sequence
def indrnn(
    x: Any,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike,
    *,
    activation: str = "tanh",
    initial_state: Any = None,
    return_states: bool = False,
) -> Any:
    r"""Read a sequence with independently recurrent units.

    .. math:: h_t = \phi(x_t W + u \odot h_{t-1} + b), \qquad h_0 = 0

    A unit reads no state but its own. Its gradient over n steps is :math:`u^n` times
    slopes: a number, of which one sees whether it vanishes or explodes. Units meet in
    the next layer.

    Parameters
    ----------
    x : array-like of shape (T, F) or (n, T, F), or list of (T_i, F)
        One sequence, or several.
    kernel : array-like of shape (F, units)
        :math:`W`.
    recurrent_kernel : array-like of shape (units,)
        :math:`u`, a weight for each unit's own state.
    bias : array-like of shape (units,)
        :math:`b`.
    activation : str, default="tanh"
        :math:`\phi`; ``"relu"`` in the paper.
    initial_state : sequence of one array (units,), default=None
        :math:`h_0`, if it isn't zero.
    return_states : bool, default=False
        Whether to return ``(outputs, states)``.

    Returns
    -------
    outputs : ndarray of shape (T, units) or (n, T, units), or list of (T_i, units)
        :math:`h_1` to :math:`h_T`.
    states : named tuple
        ``h``, the outputs again.

    See Also
    --------
    indrnn_step : One step.
    rnn : Units that read all units.

    References
    ----------
    Li, S., Li, W., Cook, C., Zhu, C., Gao, Y. (2018). Independently recurrent neural
    network (IndRNN): Building a longer and deeper RNN. CVPR.

    Examples
    --------
    >>> from skrnn import reference
    >>> w = dict(kernel=[[1.0, 1.0]], recurrent_kernel=[0.5, 1.0], bias=[0.0, 0.0])
    >>> reference.indrnn([[1.0], [0.0], [0.0]], **w, activation="relu")
    array([[1.  , 1.  ],
           [0.5 , 1.  ],
           [0.25, 1.  ]])
    """
    weights: Any = dict(kernel=kernel, recurrent_kernel=recurrent_kernel, bias=bias)
    (h,) = before_the_first(initial_state, 1, recurrent_kernel)
    steps = []
    for x_t in x:
        step = indrnn_step(x_t, h, **weights, activation=activation)
        h = step.h
        steps.append(step)
    return over_time(steps, return_states)
