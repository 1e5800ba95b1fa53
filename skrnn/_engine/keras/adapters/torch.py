"""What is specific to PyTorch: functions with the same names as `tensorflow`'s.

Nothing is compiled.
"""

import keras
import numpy as np
import torch

FIXED_SHAPES = False


def scalars(values):
    """Return named numbers as plain ones."""
    return {name: value.item() for name, value in values.items()}


def tensor(array):
    """Hand an array over, to the device that Keras uses."""
    # A copy, where PyTorch would warn of memory that may only be read.
    return keras.ops.convert_to_tensor(np.require(array, requirements="W"))


def value(variable):
    """Return a variable of Keras as a tensor."""
    return variable.value


def to_numpy(tensor):
    """Return a tensor, on any device, as an array, which may share its memory."""
    return tensor.numpy(force=True) if torch.is_tensor(tensor) else np.asarray(tensor)


def compiled(function, changed, _args):
    """Return what calls `function`, with gradients if it changes variables."""

    def call(*args):
        with torch.set_grad_enabled(bool(changed)):
            return function(*args)

    return call


def differentiate(loss, variables):
    """Return what ``loss(values) -> value, others`` gives, and the gradients."""
    values = [variable.value for variable in variables]
    result, others = loss(values)
    found = torch.autograd.grad(result, values, materialize_grads=True)
    return result.detach(), _detached(others), list(found)


def _detached(found):
    if isinstance(found, list | tuple):
        return type(found)(map(_detached, found))
    return found.detach() if torch.is_tensor(found) else found


def update_if(condition, update, _changed):
    """Call `update`, which changes variables, where a condition holds."""
    if condition:
        with torch.no_grad():
            update()


def each_batch(body, n, _size, states, go_on, _changed):
    """Call ``body(i, states) -> total, count, states, go_on`` as long as that is true.

    It is called for the first `n` batches. Returns the sums of totals and counts, the
    states, and the last `go_on`.
    """
    total = count = 0.0
    for i in range(int(n)):
        if not go_on:
            break
        sum_, number, states, go_on = body(i, states)
        total, count, go_on = total + float(sum_), count + float(number), bool(go_on)
    return total, count, tuple(states), go_on


def entry(array, i, n_steps=None):
    """Return batch `i` of an array of batches, or its first steps."""
    return array[i] if n_steps is None else array[i, :n_steps]


def scan(step, states, entries):
    """Call ``step(t, entries[t], states) -> output, states`` for all steps t.

    Returns all outputs, (T, ...), and the last states.
    """
    outputs = []
    for t, each in enumerate(zip(*entries, strict=True)):
        output, states = step(t, each, states)
        outputs.append(output)
    return torch.stack(outputs), states


def uniform(shape, seed, counter, number):
    """Draw numbers from 0 to below 1, those of one stream of a step's."""
    # Its own: PyTorch's global one is the user's.
    device = keras.ops.zeros(0).device
    generator = torch.Generator(device)
    # Mixed, since neighbouring seeds of the generator may start alike.
    mixed = (seed * 0x9E3779B1 + counter) * 0x9E3779B97F4A7C15
    generator.manual_seed((mixed + number) % 2**63)
    return torch.rand(tuple(shape), generator=generator, device=device)


def take_rows(table, ids):
    """Return the rows of `table` at `ids`."""
    return table[ids]


def at_steps(x, steps):
    """Return step ``steps[b]`` of each sequence b of x (T, B, ...)."""
    return x[steps, torch.arange(x.shape[1], device=x.device)]


def reverse(x, lengths):
    """Reverse each sequence of x (T, B, ...) within its own length."""
    steps = torch.arange(len(x), dtype=lengths.dtype, device=x.device)[:, None]
    return at_steps(x, torch.where(steps < lengths, lengths - 1 - steps, steps))


def fused(_cell, _x, _states):
    """Return None: its own layers don't keep the weights in this order."""
