"""The plain recurrent network."""

from typing import Any, NamedTuple

import numpy as np

from skrnn._data.typing import ArrayLike
from skrnn.reference._activations import activate
from skrnn.reference._sequences import before_the_first, each_sequence, over_time


class RNNStep(NamedTuple):
    """What a step of a plain recurrent network gives."""

    h: Any


def rnn_step(
    x: ArrayLike,
    h: ArrayLike,
    *,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike,
    activation: str = "tanh",
) -> RNNStep:
    r"""Take one step of a plain recurrent network.

    .. math:: h_t = \tanh(x_t W + h_{t-1} U + b)

    Parameters
    ----------
    x : array-like of shape (F,)
        The step :math:`x_t`.
    h : array-like of shape (units,)
        The output of the step before, :math:`h_{t-1}`.
    kernel : array-like of shape (F, units)
        :math:`W`.
    recurrent_kernel : array-like of shape (units, units)
        :math:`U`.
    bias : array-like of shape (units,)
        :math:`b`.
    activation : str, default="tanh"
        In the place of tanh.

    Returns
    -------
    step : named tuple
        ``h`` (units,), the output.

    See Also
    --------
    rnn : All steps of a sequence.

    References
    ----------
    Elman, J. L. (1990). Finding structure in time. Cognitive Science 14.

    Examples
    --------
    >>> from skrnn import reference
    >>> w = dict(kernel=[[1.0]], recurrent_kernel=[[0.5]], bias=[0.0])
    >>> reference.rnn_step([0.2], [0.4], **w).h.round(3)
    array([0.38])
    """
    summed = np.dot(x, kernel) + np.dot(h, recurrent_kernel) + bias
    return RNNStep(activate(summed, activation))


@each_sequence
def rnn(
    x: Any,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike,
    *,
    activation: str = "tanh",
    initial_state: Any = None,
    return_states: bool = False,
) -> Any:
    r"""Read a sequence with a plain recurrent network.

    .. math:: h_t = \tanh(x_t W + h_{t-1} U + b), \qquad h_0 = 0

    Each step reads its input and what the step before has put out. Gradients go back
    through as many factors :math:`U` as there are steps: they vanish or explode (Bengio
    et al., 1994).

    Parameters
    ----------
    x : array-like of shape (T, F) or (n, T, F), or list of (T_i, F)
        One sequence, or several.
    kernel : array-like of shape (F, units)
        :math:`W`.
    recurrent_kernel : array-like of shape (units, units)
        :math:`U`.
    bias : array-like of shape (units,)
        :math:`b`.
    activation : str, default="tanh"
        In the place of tanh.
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
    rnn_step : One step.
    lstm : A cell with gates and a memory.

    References
    ----------
    Elman, J. L. (1990). Finding structure in time. Cognitive Science 14.

    Bengio, Y., Simard, P., Frasconi, P. (1994). Learning long-term dependencies with
    gradient descent is difficult. IEEE Transactions on Neural Networks 5.

    Examples
    --------
    >>> from skrnn import reference
    >>> w = dict(kernel=[[1.0]], recurrent_kernel=[[0.5]], bias=[0.0])
    >>> reference.rnn([[1.0], [0.0], [0.0]], **w).round(3)
    array([[0.762],
           [0.363],
           [0.18 ]])
    """
    weights: Any = dict(kernel=kernel, recurrent_kernel=recurrent_kernel, bias=bias)
    (h,) = before_the_first(initial_state, 1, recurrent_kernel)
    steps = []
    for x_t in x:
        step = rnn_step(x_t, h, **weights, activation=activation)
        h = step.h
        steps.append(step)
    return over_time(steps, return_states)
