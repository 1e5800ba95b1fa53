"""Losses of one prediction each, before weighting: the names are Keras' own."""

import keras

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
    if isinstance(loss, str):
        # A crossentropy is that of the head: two categories are one sigmoid.
        by_head = loss == "auto" or loss.endswith("crossentropy")
        return _NAMED[DEFAULTS[activation] if by_head else loss]
    call = loss.call if isinstance(loss, keras.losses.Loss) else loss
    activate = keras.activations.get(activation)
    return lambda y, z: call(y, activate(z))


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
