"""Gated recurrent units."""

from typing import Any, NamedTuple

import numpy as np

from skrnn._data.typing import ArrayLike
from skrnn.reference._activations import activate, sigmoid
from skrnn.reference._sequences import before_the_first, each_sequence, over_time


class GRUStep(NamedTuple):
    """What a step of a GRU gives: the output, and its gates."""

    h: Any
    z: Any
    r: Any
    g: Any


def gru_step(
    x: ArrayLike,
    h: ArrayLike,
    *,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike,
    activation: str = "tanh",
    reset_after: bool = True,
) -> GRUStep:
    r"""Take one step of a GRU; :func:`gru` has the equations.

    Parameters
    ----------
    x : array-like of shape (F,)
        The step :math:`x_t`.
    h : array-like of shape (units,)
        The output of the step before, :math:`h_{t-1}`.
    kernel : array-like of shape (F, 3 * units)
        :math:`W`; its columns are those of the gates z, r, g.
    recurrent_kernel : array-like of shape (units, 3 * units)
        :math:`U`, in the same order.
    bias : array-like of shape (2, 3 * units) or (3 * units,)
        :math:`b` and :math:`d`, in the same order; b alone if not `reset_after`.
    activation : str, default="tanh"
        In the place of tanh.
    reset_after : bool, default=True
        Whether the reset gate comes after the product with :math:`U_g`.

    Returns
    -------
    step : named tuple
        ``h`` (units,), the output, the gates ``z`` and ``r``, and the candidate ``g``.

    See Also
    --------
    gru : All steps of a sequence.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import reference
    >>> w = dict(kernel=np.ones((1, 3)), recurrent_kernel=np.ones((1, 3)))
    >>> step = reference.gru_step([0.0], [1.0], **w, bias=np.zeros((2, 3)))
    >>> step.z.round(3), step.g.round(3), step.h.round(3)
    (array([0.731]), array([0.624]), array([0.899]))
    """
    x, h = np.asarray(x, dtype=float), np.asarray(h, dtype=float)
    W_z, W_r, W_g = np.split(np.asarray(kernel), 3, axis=1)
    U_z, U_r, U_g = np.split(np.asarray(recurrent_kernel), 3, axis=1)
    b, d = _two_biases(bias, reset_after)
    (b_z, b_r, b_g), (d_z, d_r, d_g) = np.split(b, 3), np.split(d, 3)
    z = sigmoid(x @ W_z + b_z + h @ U_z + d_z)
    r = sigmoid(x @ W_r + b_r + h @ U_r + d_r)
    past = r * (h @ U_g + d_g) if reset_after else (r * h) @ U_g
    g = activate(x @ W_g + b_g + past, activation)
    return GRUStep(z * h + (1 - z) * g, z, r, g)


@each_sequence
def gru(
    x: Any,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike,
    *,
    activation: str = "tanh",
    reset_after: bool = True,
    initial_state: Any = None,
    return_states: bool = False,
) -> Any:
    r"""Read a sequence with gated recurrent units.

    .. math::

        \begin{aligned}
        z_t &= \sigma(x_t W_z + b_z + h_{t-1} U_z + d_z) & &\text{update gate} \\
        r_t &= \sigma(x_t W_r + b_r + h_{t-1} U_r + d_r) & &\text{reset gate} \\
        g_t &= \tanh(x_t W_g + b_g + r_t \odot (h_{t-1} U_g + d_g)) &
        &\text{candidate} \\
        h_t &= z_t \odot h_{t-1} + (1 - z_t) \odot g_t & &\text{output}
        \end{aligned}

    The output is the memory, and one gate both keeps and writes: three quarters of the
    weights of an LSTM.

    In the paper the reset gate comes before the product,
    :math:`g_t = \tanh(x_t W_g + b_g + (r_t \odot h_{t-1}) U_g)`, and there is no
    :math:`d`: that is ``reset_after=False``. After the product, as here and in Keras,
    all products of a step are one.

    Parameters
    ----------
    x : array-like of shape (T, F) or (n, T, F), or list of (T_i, F)
        One sequence, or several.
    kernel : array-like of shape (F, 3 * units)
        :math:`W = [W_z, W_r, W_g]`, side by side.
    recurrent_kernel : array-like of shape (units, 3 * units)
        :math:`U = [U_z, U_r, U_g]`.
    bias : array-like of shape (2, 3 * units) or (3 * units,)
        :math:`b = [b_z, b_r, b_g]`, and below it :math:`d = [d_z, d_r, d_g]`; b alone
        if not `reset_after`.
    activation : str, default="tanh"
        In the place of tanh; gates stay sigmoids.
    reset_after : bool, default=True
        Whether the reset gate comes after the product with :math:`U_g`, as in the
        estimators.
    initial_state : sequence of one array (units,), default=None
        :math:`h_0`, if it isn't zero.
    return_states : bool, default=False
        Whether to return ``(outputs, states)``.

    Returns
    -------
    outputs : ndarray of shape (T, units) or (n, T, units), or list of (T_i, units)
        :math:`h_1` to :math:`h_T`.
    states : named tuple
        ``h``, ``z``, ``r`` and ``g`` at every step, each of the shape of the outputs.

    See Also
    --------
    gru_step : One step.
    lstm : Three gates, and a memory of its own.

    References
    ----------
    Cho, K., et al. (2014). Learning phrase representations using RNN encoder-decoder
    for statistical machine translation. EMNLP.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import reference
    >>> rng = np.random.default_rng(0)
    >>> w = dict(kernel=rng.normal(size=(2, 12)), bias=np.zeros((2, 12)))
    >>> w |= dict(recurrent_kernel=rng.normal(size=(4, 12)))
    >>> ragged = [rng.normal(size=(3, 2)), rng.normal(size=(7, 2))]
    >>> [outputs.shape for outputs in reference.gru(ragged, **w)]
    [(3, 4), (7, 4)]
    """
    weights: Any = dict(kernel=kernel, recurrent_kernel=recurrent_kernel, bias=bias)
    options: Any = dict(activation=activation, reset_after=reset_after)
    (h,) = before_the_first(initial_state, 1, recurrent_kernel)
    steps = []
    for x_t in x:
        step = gru_step(x_t, h, **weights, **options)
        h = step.h
        steps.append(step)
    return over_time(steps, return_states)


def _two_biases(bias, reset_after):
    """Return the bias of the input's products, and that of the state's."""
    bias = np.asarray(bias)
    ndim, form = (2, "(2, 3 * units)") if reset_after else (1, "(3 * units,)")
    if bias.ndim != ndim or (reset_after and len(bias) != 2):
        raise ValueError(
            f"bias must have shape {form} with reset_after={reset_after}. Got "
            f"{bias.shape}."
        )
    return bias if reset_after else (bias, np.zeros_like(bias))
