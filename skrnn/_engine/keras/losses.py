"""Losses of one prediction each, before weighting: the names are Keras' own."""

from functools import partial

import keras
from keras import ops

from skrnn._networks.losses import Pinball

# What "auto" means for each activation of the head.
DEFAULTS = {
    "linear": "mean_squared_error",
    "sigmoid": "binary_crossentropy",
    "softmax": "categorical_crossentropy",
}


def loss_function(loss, activation):
    """Return ``f(targets, outputs) -> losses`` for a head with `activation`.

    Outputs come before the activation: crossentropies are exact from there. A function
    of the user's own, or a ``keras.losses.Loss``, gets activated predictions.
    """
    if isinstance(loss, Pinball):
        return partial(pinball, loss.quantile)
    if isinstance(loss, str):
        return _NAMED[_by_name(loss, activation)]
    call = loss.call if isinstance(loss, keras.losses.Loss) else loss
    activate = keras.activations.get(activation)
    return lambda y, z: call(y, activate(z))


def loss_in_keras(loss, activation):
    """Return what a Keras model is compiled with, which puts out predictions.

    Categories are class numbers.
    """
    if isinstance(loss, Pinball):
        return lambda y_true, y_pred: pinball(loss.quantile, y_true, y_pred)
    if not is_saved_with_a_model(loss):
        # As a function: Keras gives y of one column the shape of the predictions then.
        call = loss.call if isinstance(loss, keras.losses.Loss) else loss
        return lambda y_true, y_pred: call(y_true, y_pred)
    if not isinstance(loss, str):
        return loss
    name = _by_name(loss, activation)
    sparse = name == "categorical_crossentropy"
    return "sparse_categorical_crossentropy" if sparse else name


def is_saved_with_a_model(loss):
    """Whether a model compiled with a loss can be loaded without being told of it."""
    if isinstance(loss, str):
        return True
    named = loss if hasattr(loss, "__name__") else type(loss)
    ours = keras.saving.get_registered_name(named) != named.__name__
    return ours or str(named.__module__).split(".")[0] == "keras"


def pinball(quantile, y, z):
    """Return the mean pinball loss of each row, whose gradient is 0 where y is z."""
    d = ops.convert_to_tensor(y) - z
    losses = quantile * ops.relu(d) + (1 - quantile) * ops.relu(-d)
    return ops.mean(losses, axis=-1)


def one_a_target(losses, rank):
    """Return losses without an axis for the columns of y, whatever made them.

    Otherwise they would broadcast against the weights, to something else entirely.
    """
    found = len(losses.shape)
    if found == rank + 1:
        return keras.ops.mean(losses, axis=-1)
    if found == rank:
        return losses
    raise ValueError(
        f"loss must return a loss for each row of y_true, an array of {rank} or "
        f"{rank + 1} dimensions here; it returned one of {found}."
    )


def _by_name(loss, activation):
    # A crossentropy is that of the head: two categories are one sigmoid.
    by_head = loss == "auto" or loss.endswith("crossentropy")
    return DEFAULTS[activation] if by_head else loss


def _sparse_crossentropy(y, z):
    return keras.losses.sparse_categorical_crossentropy(y[..., 0], z, from_logits=True)


def _binary_crossentropy(y, z):
    return keras.losses.binary_crossentropy(y, z, from_logits=True)


_NAMED = {
    "mean_squared_error": keras.losses.mean_squared_error,
    "mean_absolute_error": keras.losses.mean_absolute_error,
    "huber": keras.losses.huber,
    "log_cosh": keras.losses.log_cosh,
    "binary_crossentropy": _binary_crossentropy,
    "categorical_crossentropy": _sparse_crossentropy,
}
