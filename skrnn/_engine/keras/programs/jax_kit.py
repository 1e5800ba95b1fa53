"""The JAX backend of the network's formula: same methods as `reference`."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp

from skrnn._networks.activations import ACTIVATIONS
from skrnn._networks.cells import CELLS, hold

ops = SimpleNamespace(
    abs=jnp.abs,
    concatenate=jnp.concatenate,
    einsum=jnp.einsum,
    exp=jnp.exp,
    logaddexp=jnp.logaddexp,
    matmul=jnp.matmul,
    maximum=jnp.maximum,
    mean=jnp.mean,
    minimum=jnp.minimum,
    sigmoid=jax.nn.sigmoid,
    softmax=jax.nn.softmax,
    split=jnp.split,
    sqrt=jnp.sqrt,
    stack=jnp.stack,
    tanh=jnp.tanh,
    where=jnp.where,
)


class Kit:
    """One trace of the network; `noise` is None for prediction."""

    ops = ops

    def __init__(self, noise=None):
        self.noise = noise

    def take_rows(self, table, ids):
        return table[ids]

    def dropout(self, x, enabled):
        if self.noise is None or not enabled:
            return x
        return x * self.noise.mask(x.shape, "dropout")

    def reverse(self, x, lengths):
        steps = _steps(x)
        return _permute(x, jnp.where(steps < lengths, lengths - 1 - steps, steps))

    def last(self, x, lengths):
        return x[lengths - 1, jnp.arange(x.shape[1])]

    def attendable(self, x, lengths):
        return x, _steps(x) < lengths

    def run_cell(
        self, cell, activation, x, kernel, recurrent_kernel, biases, held, dropout
    ):
        """Run a cell over x (T, B, F) from a zero state: (T, B, U)."""
        mask = None
        if self.noise is not None and dropout:
            shape = x.shape[1], recurrent_kernel.shape[0]
            mask = self.noise.mask(shape, "recurrent_dropout")
        kernels = kernel, recurrent_kernel
        return _loop(CELLS[cell], activation, x, *kernels, biases, mask, held)


class Noise:
    """Dropout masks from one seed: the same numbers wherever a step is computed.

    Every mask asked for in a trace gets its own stream; `counter` is the number of the
    training step.
    """

    def __init__(self, seed, counter, rates):
        # Named: the default one is a setting of the user's.
        key = jax.random.key(seed, impl="threefry2x32")
        self.key, self.rates = jax.random.fold_in(key, counter), rates
        self.n_masks = 0

    def mask(self, shape, kind):
        """Return zeros with the probability of `kind`, and 1 / (1 - it) elsewhere."""
        self.n_masks += 1
        rate = self.rates[kind]
        key = jax.random.fold_in(self.key, self.n_masks)
        drawn = jax.random.uniform(key, shape, jnp.float32)
        return jnp.where(drawn >= rate, 1.0 / (1.0 - rate), 0.0)


def _steps(x):
    return jnp.arange(x.shape[0], dtype=jnp.int32)[:, None]


@jax.custom_vjp
def _permute(x, steps):
    """Put step ``steps[t, b]`` of x (T, B, ...) at t; done twice, it is undone."""
    return x[steps, jnp.arange(x.shape[1])]


# Without it the gradient of a gather is a scatter, one row after the other on a CPU.
_permute.defvjp(
    lambda x, steps: (_permute(x, steps), steps),
    lambda steps, gradient: (_permute(gradient, steps), None),
)


def _loop(cell, activation, x, kernel, recurrent_kernel, biases, mask, held):
    bias, recurrent_bias = biases
    activate = ACTIVATIONS[activation]
    # All inputs in one product: only the recurrent one must wait for its turn.
    x = jnp.matmul(x, kernel) + bias

    def step(states, t_and_input):
        t, projected = t_and_input
        h = states[0] if mask is None else states[0] * mask
        recurrent = jnp.matmul(h, recurrent_kernel)
        if recurrent_bias is not None:
            recurrent = recurrent + recurrent_bias
        after = cell.step(ops, activate, projected, recurrent, *states)
        if held is not None:
            after = hold(ops, t < held, after, states)
        return after, after[0]

    zeros = jnp.zeros((x.shape[1], recurrent_kernel.shape[0]), x.dtype)
    times = jnp.arange(x.shape[0], dtype=jnp.int32)
    return jax.lax.scan(step, (zeros,) * cell.n_states, (times, x))[1]
