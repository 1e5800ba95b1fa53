"""What is specific to JAX: functions with the same names as `tensorflow`'s."""

import jax
import jax.numpy as jnp
import numpy as np
from keras import StatelessScope

# A function is compiled for one size of each array.
FIXED_SHAPES = True


def scalars(values):
    """Return named numbers as what compiled functions take."""
    return values


def tensor(array):
    """Hand an array over."""
    return jnp.asarray(array)


def value(variable):
    """Return a variable of Keras as a tensor."""
    return variable.value


def to_numpy(tensor):
    """Return a tensor as an array, which may share its memory."""
    return np.asarray(tensor)


def compiled(function, changed, _args):
    """Compile `function` for each size of its arguments that comes.

    Parameters
    ----------
    function : callable
    changed : list of keras.Variable
        All that it may change.
    """

    @jax.jit
    def pure(values, *args):
        with StatelessScope(zip(changed, values, strict=True)) as scope:
            found = function(*args)
        return found, [scope.get_current_value(variable) for variable in changed]

    def call(*args):
        found, values = pure([variable.value for variable in changed], *args)
        _assign(changed, values)
        return found

    return call


def differentiate(loss, variables):
    """Return what ``loss(values) -> value, others`` gives, and the gradients."""
    values = [variable.value for variable in variables]
    found, gradients = jax.value_and_grad(loss, has_aux=True)(values)
    return *found, gradients


def update_if(condition, update, changed):
    """Call `update`, which changes variables, where a condition holds."""

    def updated(values):
        with StatelessScope(zip(changed, values, strict=True)) as scope:
            update()
        return [scope.get_current_value(variable) for variable in changed]

    values = [variable.value for variable in changed]
    _assign(changed, jax.lax.cond(condition, updated, lambda same: same, values))


def each_batch(body, n, size, states, go_on, changed):
    """Call ``body(i, states) -> total, count, states, go_on`` as long as that is true.

    It is called for the first `n` of `size` batches. Returns the totals and the counts,
    the states, and the last `go_on`. It doesn't return sums: the loss must not depend
    on where a run is cut, by time, and JAX has no double precision to add them up.
    """

    def step(carry):
        i, totals, counts, states, _, values = carry
        with StatelessScope(zip(changed, values, strict=True)) as scope:
            total, count, states, go_on = body(i, states)
            values = [scope.get_current_value(variable) for variable in changed]
        totals, counts = totals.at[i].set(total), counts.at[i].set(count)
        return i + 1, totals, counts, tuple(states), go_on, values

    zeros = jnp.zeros(size, jnp.float32)
    values = [variable.value for variable in changed]
    start = jnp.int32(0), zeros, zeros, tuple(states), jnp.asarray(go_on), values
    _, *found, values = jax.lax.while_loop(
        lambda carry: carry[4] & (carry[0] < n), step, start
    )
    _assign(changed, values)
    return found


def entry(array, i, _n_steps=None):
    """Return batch `i` of an array of batches."""
    return array[i]


def scan(step, states, entries):
    """Call ``step(t, entries[t], states) -> output, states`` for all steps t.

    Returns all outputs, (T, ...), and the last states.
    """

    def body(states, numbered):
        t, entries = numbered
        output, after = step(t, entries, states)
        return tuple(after), output

    times = jnp.arange(entries[0].shape[0], dtype=jnp.int32)
    states, outputs = jax.lax.scan(body, tuple(states), (times, list(entries)))
    return outputs, states


def uniform(shape, seed, counter, number):
    """Draw numbers from 0 to below 1, those of one stream of a step's."""
    # Named: the default one is a setting of the user's.
    key = jax.random.key(seed, impl="threefry2x32")
    key = jax.random.fold_in(jax.random.fold_in(key, counter), number)
    return jax.random.uniform(key, shape, jnp.float32)


def take_rows(table, ids):
    """Return the rows of `table` at `ids`."""
    return table[ids]


def at_steps(x, steps):
    """Return step ``steps[b]`` of each sequence b of x (T, B, ...)."""
    return x[steps, jnp.arange(x.shape[1])]


def reverse(x, lengths):
    """Reverse each sequence of x (T, B, ...) within its own length."""
    steps = jnp.arange(x.shape[0], dtype=jnp.int32)[:, None]
    return _permute(x, jnp.where(steps < lengths, lengths - 1 - steps, steps))


@jax.custom_vjp
def _permute(x, steps):
    """Put step ``steps[t, b]`` of x (T, B, ...) at t; done twice, it is undone."""
    return x[steps, jnp.arange(x.shape[1])]


# Otherwise the gradient of a gather is a scatter, one row after the other on a CPU.
_permute.defvjp(
    lambda x, steps: (_permute(x, steps), steps),
    lambda steps, gradient: (_permute(gradient, steps), None),
)


def fused(_cell, _x, _states):
    """Return None: XLA has no kernel for a whole layer."""


def _assign(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
