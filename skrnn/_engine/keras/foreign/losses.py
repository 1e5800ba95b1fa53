"""Losses on Keras: the formulas of ``LOSSES``, or the user's own."""

from functools import partial

import keras
import numpy as np
from keras import ops

from skrnn._networks.losses import row_of

# Activation -> function from predictions back to outputs before the activation.
OUTPUTS_OF = {
    "linear": lambda p: p,
    "sigmoid": lambda p: ops.log(p) - ops.log1p(-p),
    "softmax": ops.log,
}


def loss_function(loss, head):
    """Return ``f(targets, outputs) -> losses`` for a head: (..., K) to (...).

    Outputs come before the activation: crossentropies are exact from there. A `loss` of
    the user's own, a function or a ``keras.losses.Loss``, gets activated predictions,
    and rows (n, K) of sequences and of steps alike; None is the loss of the head.
    """
    if loss is None:
        row, values = row_of(head.loss)
        return lambda y, z: row.formula(ops, ops.convert_to_tensor(y), z, *values)
    call = loss.call if isinstance(loss, keras.losses.Loss) else loss
    activate = keras.activations.get(head.activation)

    def of_rows(y, z):
        y, rows = (ops.reshape(each, (-1, each.shape[-1])) for each in (y, z))
        losses = _one_a_row(call(y, activate(rows)), y)
        return ops.reshape(losses, ops.shape(z)[:-1])

    return of_rows


def loss_in_keras(loss, head):
    """Return what a Keras model is compiled with, which puts out predictions.

    Categories are class numbers.
    """
    if loss is None:
        row, values = row_of(head.loss)
        if row.keras is not None:
            return row.keras
        if row.of_predictions is not None:
            of_predictions = partial(row.of_predictions, ops)
            return lambda y_true, y_pred: of_predictions(y_true, y_pred, *values)
        formula, outputs_of = loss_function(None, head), OUTPUTS_OF[head.activation]
        return lambda y_true, y_pred: formula(y_true, outputs_of(y_pred))
    if not is_saved_with_a_model(loss):
        # As a function: Keras gives y of one column the shape of the predictions then.
        call = loss.call if isinstance(loss, keras.losses.Loss) else loss
        return lambda y_true, y_pred: call(y_true, y_pred)
    return loss


def is_saved_with_a_model(loss):
    """Whether a model compiled with a loss can be loaded without being told of it."""
    if isinstance(loss, str):
        return True
    named = loss if hasattr(loss, "__name__") else type(loss)
    ours = keras.saving.get_registered_name(named) != named.__name__
    return ours or str(named.__module__).split(".")[0] == "keras"


def _one_a_row(losses, y):
    """Return losses (n,) for y (n, K), whatever made them.

    Other shapes would broadcast against the weights, to something else entirely.
    """
    shape = tuple(losses.shape)
    # A size that isn't known yet is None; one that is can't be that of any batch.
    of_rows = shape[:1] == tuple(y.shape[:1]) or shape[:1] == (None,)
    if len(shape) not in (1, 2) or not of_rows:
        _refuse_shape(shape)
    return ops.mean(losses, axis=-1) if len(shape) == 2 else losses


def _refuse_shape(shape):
    raise ValueError(
        "loss must return a loss for each row of y_true, an array of shape (n,) or "
        f"(n, n_targets); it returned one of shape {shape}."
    )


class LossOfArrays:
    """A loss of the user's own, called as one of the cpu engine: for arrays.

    The backend computes the losses and their gradients at the outputs, and nothing
    else. Any number of threads may call it.
    """

    def __init__(self, loss, head):
        self._dtype = "int32" if head.activation == "softmax" else "float32"
        make = _GRADIENTS[keras.backend.backend()]
        targets = head.target_width, self._dtype
        self._run = make(loss_function(loss, head), targets, head.units)

    def __call__(self, y, z):
        """Return the losses (n,) of outputs z (n, K), and their gradients (n, K)."""
        y, z = np.array(y, self._dtype), np.array(z, np.float32)
        losses, gradients = self._run(y, z)
        if losses.shape != z.shape[:1]:
            _refuse_shape(losses.shape)
        if gradients is None:
            raise ValueError("loss has no gradient: it must depend on y_pred.")
        return losses, gradients


def _on_tensorflow(losses_of, targets, n_outputs):
    import tensorflow as tf  # noqa: PLC0415

    n_targets, dtype = targets

    def run(y, z):
        with tf.GradientTape() as tape:
            tape.watch(z)
            losses = losses_of(y, z)
        return losses, tape.gradient(losses, z)

    # Traced once, for any number of rows.
    signature = [
        tf.TensorSpec([None, n_targets], dtype),
        tf.TensorSpec([None, n_outputs], tf.float32),
    ]
    # TensorFlow would warn of a function that is made often; a partial doesn't show it.
    compiled = tf.function(partial(run), input_signature=signature, autograph=False)
    # To look for the trace takes several times as long as to run it.
    compiled = compiled.get_concrete_function()

    def call(y, z):
        losses, gradients = compiled(tf.constant(y), tf.constant(z))
        return losses.numpy(), None if gradients is None else gradients.numpy()

    return call


def _on_jax(losses_of, _targets, _n_outputs):
    import jax  # noqa: PLC0415
    import jax.numpy as jnp  # noqa: PLC0415

    @jax.jit
    def run(y, z, n):
        def total(z):
            losses = losses_of(y, z)
            there = jnp.arange(len(losses)) < n
            return jnp.sum(jnp.where(there, losses, 0.0)), losses

        (_, losses), gradients = jax.value_and_grad(total, has_aux=True)(z)
        return losses, gradients

    def call(y, z):
        n = len(z)
        # One function for each power of two; the rows that are there, again.
        rows = np.resize(np.arange(n), max(8, 1 << (n - 1).bit_length()))
        found = run(y[rows], z[rows], np.int32(n))
        return [np.asarray(array)[:n] for array in found]

    return call


def _on_torch(losses_of, _targets, _n_outputs):
    import torch  # noqa: PLC0415

    def call(y, z):
        y, z = map(ops.convert_to_tensor, (y, z))
        z.requires_grad_()
        losses = losses_of(y, z)
        gradients = None
        if losses.requires_grad:
            (gradients,) = torch.autograd.grad(losses.sum(), z, allow_unused=True)
        return [
            None if each is None else each.numpy(force=True)
            for each in (losses, gradients)
        ]

    return call


# Backend -> f(losses of rows, columns and dtype of targets, columns of outputs) -> what
# computes losses and gradients.
_GRADIENTS = {"tensorflow": _on_tensorflow, "jax": _on_jax, "torch": _on_torch}
