"""Long short-term memory."""

from typing import Any, NamedTuple

import numpy as np

from skrnn._data.typing import ArrayLike
from skrnn.reference._activations import activate, sigmoid
from skrnn.reference._sequences import before_the_first, each_sequence, over_time


class LSTMStep(NamedTuple):
    """What a step of an LSTM gives: the output, the memory, and the four gates."""

    h: Any
    c: Any
    i: Any
    f: Any
    g: Any
    o: Any


def lstm_step(
    x: ArrayLike,
    h: ArrayLike,
    c: ArrayLike,
    *,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike,
    activation: str = "tanh",
) -> LSTMStep:
    r"""Take one step of an LSTM; :func:`lstm` has the equations.

    Parameters
    ----------
    x : array-like of shape (F,)
        The step :math:`x_t`.
    h : array-like of shape (units,)
        The output of the step before, :math:`h_{t-1}`.
    c : array-like of shape (units,)
        The memory after the step before, :math:`c_{t-1}`.
    kernel : array-like of shape (F, 4 * units)
        :math:`W`; its columns are those of the gates i, f, g, o.
    recurrent_kernel : array-like of shape (units, 4 * units)
        :math:`U`, in the same order.
    bias : array-like of shape (4 * units,)
        :math:`b`, in the same order.
    activation : str, default="tanh"
        In the place of tanh.

    Returns
    -------
    step : named tuple
        ``h`` and ``c`` (units,), the output and the memory, and the gates ``i``, ``f``,
        ``g``, ``o``.

    See Also
    --------
    lstm : All steps of a sequence.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import reference
    >>> w = dict(kernel=np.ones((1, 4)), recurrent_kernel=np.zeros((1, 4)), bias=0)
    >>> step = reference.lstm_step([1.0], [0.0], [0.5], **w)
    >>> step.f.round(3), step.c.round(3), step.h.round(3)
    (array([0.731]), array([0.922]), array([0.531]))
    """
    all_gates = np.dot(x, kernel) + np.dot(h, recurrent_kernel) + bias
    i, f, g, o = np.split(all_gates, 4)
    i, f, o = sigmoid(i), sigmoid(f), sigmoid(o)
    g = activate(g, activation)
    c = f * c + i * g
    h = o * activate(c, activation)
    return LSTMStep(h, c, i, f, g, o)


@each_sequence
def lstm(
    x: Any,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike,
    *,
    activation: str = "tanh",
    initial_state: Any = None,
    return_states: bool = False,
) -> Any:
    r"""Read a sequence with long short-term memory.

    .. math::

        \begin{aligned}
        i_t &= \sigma(x_t W_i + h_{t-1} U_i + b_i) & &\text{input gate} \\
        f_t &= \sigma(x_t W_f + h_{t-1} U_f + b_f) & &\text{forget gate} \\
        g_t &= \tanh(x_t W_g + h_{t-1} U_g + b_g) & &\text{candidate} \\
        o_t &= \sigma(x_t W_o + h_{t-1} U_o + b_o) & &\text{output gate} \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t & &\text{memory} \\
        h_t &= o_t \odot \tanh(c_t) & &\text{output}
        \end{aligned}

    The memory goes from step to step by a sum, not by a product with a matrix: where
    the forget gate is open, so is the way back for the gradient.

    Parameters
    ----------
    x : array-like of shape (T, F) or (n, T, F), or list of (T_i, F)
        One sequence, or several.
    kernel : array-like of shape (F, 4 * units)
        :math:`W = [W_i, W_f, W_g, W_o]`, side by side. Keras has the same order, and
        calls g "c".
    recurrent_kernel : array-like of shape (units, 4 * units)
        :math:`U = [U_i, U_f, U_g, U_o]`.
    bias : array-like of shape (4 * units,)
        :math:`b = [b_i, b_f, b_g, b_o]`.
    activation : str, default="tanh"
        In the place of tanh; gates stay sigmoids.
    initial_state : sequence of two arrays (units,), default=None
        :math:`h_0` and :math:`c_0`, if they aren't zero.
    return_states : bool, default=False
        Whether to return ``(outputs, states)``.

    Returns
    -------
    outputs : ndarray of shape (T, units) or (n, T, units), or list of (T_i, units)
        :math:`h_1` to :math:`h_T`.
    states : named tuple
        ``h``, ``c``, ``i``, ``f``, ``g`` and ``o`` at every step, each of the shape of
        the outputs.

    See Also
    --------
    lstm_step : One step.
    gru : Two gates instead of three.

    References
    ----------
    Hochreiter, S., Schmidhuber, J. (1997). Long short-term memory. Neural Computation
    9.

    Gers, F. A., Schmidhuber, J., Cummins, F. (2000). Learning to forget: continual
    prediction with LSTM. Neural Computation 12. (The forget gate.)

    Examples
    --------
    A fitted network's own weights:

    >>> import numpy as np
    >>> from skrnn import LSTMRegressor, reference
    >>> X = np.random.default_rng(0).normal(size=(40, 5, 1))
    >>> model = LSTMRegressor(units=3, epochs=2, random_state=0).fit(X, X[:, 0, 0])
    >>> outputs, states = reference.lstm(
    ...     X[0], **model.weights_["lstm"], return_states=True
    ... )
    >>> outputs.shape
    (5, 3)
    >>> bool((states.f > 0.5).all())  # its forget gates began open, at sigmoid(1)
    True
    """
    weights: Any = dict(kernel=kernel, recurrent_kernel=recurrent_kernel, bias=bias)
    h, c = before_the_first(initial_state, 2, recurrent_kernel)
    steps = []
    for x_t in x:
        step = lstm_step(x_t, h, c, **weights, activation=activation)
        h, c = step.h, step.c
        steps.append(step)
    return over_time(steps, return_states)
