"""The PyTorch backend of the network's formula: same methods as `reference`."""

from types import SimpleNamespace

import torch

from skrnn._networks.activations import ACTIVATIONS
from skrnn._networks.cells import CELLS, hold


def _split(x, sections, axis):
    return torch.chunk(x, sections, dim=axis)


def _number_or_tensor(of_tensors, of_number):
    """Return a function of two tensors, or of a tensor and a number."""
    return lambda x, y: (of_tensors if torch.is_tensor(y) else of_number)(x, y)


ops = SimpleNamespace(
    abs=torch.abs,
    concatenate=torch.concatenate,
    einsum=torch.einsum,
    exp=torch.exp,
    logaddexp=torch.logaddexp,
    matmul=torch.matmul,
    maximum=_number_or_tensor(torch.maximum, torch.clamp_min),
    mean=lambda x, axis, keepdims: torch.mean(x, axis, keepdims),
    minimum=_number_or_tensor(torch.minimum, torch.clamp_max),
    sigmoid=torch.sigmoid,
    softmax=lambda x, axis: torch.softmax(x, axis),
    split=_split,
    sqrt=torch.sqrt,
    stack=lambda tensors, axis: torch.stack(tensors, axis),
    tanh=torch.tanh,
    where=torch.where,
)


class Kit:
    """One run of the network; `noise` is None for prediction."""

    ops = ops

    def __init__(self, noise=None):
        self.noise = noise

    def take_rows(self, table, ids):
        return table[ids]

    def dropout(self, x, enabled):
        if self.noise is None or not enabled:
            return x
        return x * self.noise.mask(x, x.shape, "dropout")

    def reverse(self, x, lengths):
        steps = count_steps(len(x), lengths)
        steps = torch.where(steps < lengths, lengths - 1 - steps, steps)
        return x[steps, torch.arange(x.shape[1], device=x.device)]

    def last(self, x, lengths):
        return x[lengths - 1, torch.arange(x.shape[1], device=x.device)]

    def attendable(self, x, lengths):
        return x, count_steps(len(x), lengths) < lengths

    def run_cell(
        self, cell, activation, x, kernel, recurrent_kernel, biases, held, dropout
    ):
        """Run a cell over x (T, B, F) from a zero state: (T, B, U)."""
        formula, activate = CELLS[cell].step, ACTIVATIONS[activation]
        bias, recurrent_bias = biases
        zeros = x.new_zeros(x.shape[1], len(recurrent_kernel))
        mask = None
        if self.noise is not None and dropout:
            mask = self.noise.mask(zeros, zeros.shape, "recurrent_dropout")
        # All inputs in one product: only the recurrent one must wait for its turn.
        x = torch.matmul(x, kernel) + bias
        states, outputs = (zeros,) * CELLS[cell].n_states, []
        for t, projected in enumerate(x):
            h = states[0] if mask is None else states[0] * mask
            recurrent = torch.matmul(h, recurrent_kernel)
            if recurrent_bias is not None:
                recurrent = recurrent + recurrent_bias
            after = formula(ops, activate, projected, recurrent, *states)
            states = after if held is None else hold(ops, t < held, after, states)
            outputs.append(states[0])
        return torch.stack(outputs)


class Noise:
    """Dropout masks from one seed: the same numbers wherever a step is computed.

    Every mask asked for gets its own stream; `counter` is the number of the training
    step.
    """

    def __init__(self, seed, counter, rates):
        # Mixed, since neighbouring seeds of the generator may start alike.
        self.seed = (int(seed) * 0x9E3779B1 + int(counter)) * 0x9E3779B97F4A7C15
        self.rates = rates
        self.n_masks = 0

    def mask(self, like, shape, kind):
        """Return zeros with the probability of `kind`, and 1 / (1 - it) elsewhere."""
        self.n_masks += 1
        rate = float(self.rates[kind])
        # Its own: PyTorch's global one is the user's.
        generator = torch.Generator(like.device)
        generator.manual_seed((self.seed + self.n_masks) % 2**63)
        drawn = torch.rand(shape, generator=generator, device=like.device)
        return (drawn >= rate) / (1.0 - rate)


def count_steps(n_steps, lengths):
    """Count the steps of sequences with `lengths`: (T, 1)."""
    steps = torch.arange(n_steps, dtype=lengths.dtype, device=lengths.device)
    return steps[:, None]
