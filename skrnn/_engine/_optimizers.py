"""Keras optimizers for compiled training: by name, or a copy of the user's own."""

import keras

from skrnn._spec import OPTIMIZERS


def optimizer_key(optimizer):
    """Return what two optimizers share if one compiled function can serve both."""
    if isinstance(optimizer, str):
        return optimizer
    config = dict(optimizer.get_config())
    # Keras numbers the names: they tell nothing.
    config.pop("name", None)
    if _has_fixed_rate(optimizer):
        config.pop("learning_rate", None)
    return f"{type(optimizer).__module__}.{type(optimizer).__name__} {config!r}"


def make_optimizer(optimizer, variables):
    """Return an optimizer that belongs to `variables`, its own object in any case."""
    if isinstance(optimizer, str):
        made = getattr(keras.optimizers, OPTIMIZERS[optimizer])()
    else:
        made = type(optimizer).from_config(optimizer.get_config())
    _keep_gradients_local(made)
    made.build(variables)
    return made


def learning_rate(optimizer, default):
    """Return the rate to start with, or None where a schedule decides."""
    if isinstance(optimizer, str):
        return default
    return float(optimizer.learning_rate) if _has_fixed_rate(optimizer) else None


def _has_fixed_rate(optimizer):
    schedule = keras.optimizers.schedules.LearningRateSchedule
    return not isinstance(optimizer._learning_rate, schedule)


def _keep_gradients_local(optimizer):
    """Skip Keras' sum over replicas, of which there is one.

    That sum is wrapped in a custom gradient, whose global registry would keep the graph
    of every compiled function for ever: about 12 MB for each (tensorflow#97697).
    """
    if hasattr(optimizer, "_all_reduce_sum_gradients"):
        optimizer._all_reduce_sum_gradients = lambda grads_and_vars: grads_and_vars
