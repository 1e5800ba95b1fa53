"""Convolutions over time as their textbook formula."""

import numpy as np

from skrnn._data.typing import Array, ArrayLike


def convolution(
    x: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike,
    gamma: ArrayLike,
    beta: ArrayLike,
    moving_mean: ArrayLike,
    moving_variance: ArrayLike,
    *,
    dilation: int = 1,
    causal: bool = False,
    pool: int = 1,
    epsilon: float = 1e-3,
) -> Array:
    r"""Convolve a sequence over time, normalise, rectify, and pool its steps.

    .. math::

        \begin{aligned}
        z_t &= b + \sum_{i=0}^{k-1} W_i^\top x_{t + d i - p} \\
        a_t &= \max\left(0,\; \gamma \odot
        \frac{z_t - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta\right) \\
        y_s &= \max(a_{s q}, \dots, a_{s q + q - 1})
        \end{aligned}

    A window begins :math:`p = \lfloor d (k - 1) / 2 \rfloor` steps before its own; a
    causal one ends with its own, :math:`p = d (k - 1)`. Outside of the sequence x is
    zero.

    Parameters
    ----------
    x : array-like of shape (T, F)
        A sequence.
    kernel : array-like of shape (k, F, C)
        :math:`W`, a matrix for each step of a window.
    bias, gamma, beta : array-like of shape (C,)
        Offset of the products; scale and offset after the normalisation.
    moving_mean, moving_variance : array-like of shape (C,)
        :math:`\mu` and :math:`\sigma^2`, which followed the batches of training.
    dilation : int, default=1
        :math:`d`: how far apart the steps of a window are.
    causal : bool, default=False
        Whether a window ends with its own step.
    pool : int, default=1
        :math:`q`: steps of which the greatest values go on.
    epsilon : float, default=1e-3
        As in Keras and in the estimators.

    Returns
    -------
    y : ndarray of shape (ceil(T / pool), C)

    See Also
    --------
    layer_normalization : Normalised over the units of a step instead.

    References
    ----------
    Ioffe, S., Szegedy, C. (2015). Batch normalization: Accelerating deep network
    training by reducing internal covariate shift. ICML.

    Karim, F., Majumdar, S., Darabi, H., Chen, S. (2018). LSTM fully convolutional
    networks for time series classification. IEEE Access 6.

    van den Oord, A., Dieleman, S., Zen, H., Simonyan, K., Vinyals, O., Graves, A.,
    Kalchbrenner, N., Senior, A., Kavukcuoglu, K. (2016). WaveNet: A generative model
    for raw audio. arXiv:1609.03499.

    Examples
    --------
    >>> from skrnn import reference
    >>> normal = dict(bias=[0], gamma=[1], beta=[0], moving_mean=[0])
    >>> of_pairs = reference.convolution(
    ...     [[1], [2], [4]], [[[-1]], [[1]]], moving_variance=[0.999], **normal
    ... )
    >>> of_pairs.tolist()
    [[1.0], [2.0], [0.0]]
    """
    x, kernel = np.asarray(x, float), np.asarray(kernel, float)
    n_steps, size = len(x), len(kernel)
    reach = dilation * (size - 1)
    before = reach if causal else reach // 2
    z = np.tile(np.asarray(bias, float), (n_steps, 1))
    for t in range(n_steps):
        for i in range(size):
            at = t + dilation * i - before
            if 0 <= at < n_steps:
                z[t] += x[at] @ kernel[i]
    spread = np.sqrt(np.asarray(moving_variance, float) + epsilon)
    normalised = (z - np.asarray(moving_mean, float)) / spread
    a = np.maximum(0, np.asarray(gamma, float) * normalised + np.asarray(beta, float))
    return np.stack([a[s : s + pool].max(axis=0) for s in range(0, n_steps, pool)])
