"""Activations: what a layer does to each of its numbers."""

from collections.abc import Callable

import numpy as np

from skrnn._data.typing import Array, ArrayLike


def sigmoid(x: ArrayLike) -> Array:
    r"""Squeeze numbers between 0 and 1: how far a gate is open.

    .. math:: \sigma(x) = \frac{1}{1 + e^{-x}}

    Parameters
    ----------
    x : array-like
        Numbers.

    Returns
    -------
    y : ndarray
        Of the same shape.

    See Also
    --------
    softmax : Probabilities of several classes.
    activate : Any activation by its name.

    Examples
    --------
    >>> from skrnn import reference
    >>> reference.sigmoid([-2, 0, 2]).round(2)
    array([0.12, 0.5 , 0.88])
    """
    x = np.asarray(x, dtype=float)
    # The same as the formula; e^x can't overflow where x is far below 0.
    return np.exp(-np.logaddexp(0, -x))


def softmax(x: ArrayLike) -> Array:
    r"""Turn scores into shares of one, along the last axis.

    .. math:: \mathrm{softmax}(x)_k = \frac{e^{x_k}}{\sum_j e^{x_j}}

    Parameters
    ----------
    x : array-like of shape (..., K)
        Scores.

    Returns
    -------
    shares : ndarray of shape (..., K)
        They sum to one.

    See Also
    --------
    sigmoid : The probability of one of two classes.

    Examples
    --------
    >>> from skrnn import reference
    >>> reference.softmax([1, 1, 2]).round(2)
    array([0.21, 0.21, 0.58])
    """
    x = np.asarray(x, dtype=float)
    # The largest score may be taken from all: the shares stay, and nothing overflows.
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def activate(x: ArrayLike, activation: str = "tanh") -> Array:
    r"""Apply an activation, by the name that the estimators and Keras give it.

    .. math::

        \begin{aligned}
        \mathrm{linear}(x) &= x &
        \mathrm{relu}(x) &= \max(x, 0) \\
        \mathrm{softplus}(x) &= \log(1 + e^x) &
        \mathrm{softsign}(x) &= x / (1 + |x|) \\
        \mathrm{silu}(x) &= x \, \sigma(x) &
        \mathrm{elu}(x) &= x \text{ if } x > 0, \text{ else } e^x - 1 \\
        \mathrm{selu}(x) &= 1.0507 \, (x \text{ if } x > 0, \text{ else }
        1.6733 \, (e^x - 1))
        \end{aligned}

    "tanh", "sigmoid" and "softmax" are what their names say.

    Parameters
    ----------
    x : array-like
        Numbers.
    activation : str, default="tanh"
        One of those above.

    Returns
    -------
    y : ndarray
        Of the same shape.

    Raises
    ------
    ValueError
        If there is no such activation.

    See Also
    --------
    sigmoid : That of gates and of two classes.
    softmax : That of several classes.

    Examples
    --------
    >>> from skrnn import reference
    >>> reference.activate([-1, 0, 2], "relu")
    array([0., 0., 2.])
    """
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"activation={activation!r} must be one of {sorted(ACTIVATIONS)}."
        )
    return ACTIVATIONS[activation](np.asarray(x, dtype=float))


# The constants of Klambauer et al. (2017), "Self-normalizing neural networks".
_ALPHA, _SCALE = 1.6732632423543772, 1.0507009873554805

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "selu": lambda x: _SCALE * np.where(x > 0, x, _ALPHA * np.expm1(np.minimum(x, 0))),
    "sigmoid": sigmoid,
    "silu": lambda x: x * sigmoid(x),
    "softmax": softmax,
    "softplus": lambda x: np.logaddexp(0, x),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "tanh": np.tanh,
}
