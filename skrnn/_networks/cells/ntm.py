"""A Neural Turing Machine: a controller that reads and writes a memory."""

from dataclasses import dataclass

from skrnn._networks.activations import ACTIVATIONS
from skrnn._networks.cells.base import BaseCell
from skrnn._networks.cells.lstm import CELL as LSTM
from skrnn._networks.cells.lstm import lstm_gates, lstm_step
from skrnn._networks.weights import Weight

# Slots of a memory and their width, if nothing else is asked for.
MEMORY = 128, 20
# First value of every entry of the memory (Collier & Beel, 2018).
BLANK = 1e-6
# Added to squares before their root, which has no slope at 0.
TINY = 1e-16
# No slot's share is less than this before it is sharpened: it has a logarithm.
LEAST = 1e-12


@dataclass(frozen=True)
class MemoryCell(BaseCell):
    """An LSTM with a memory, one head that reads it and one that writes to it.

    Graves et al. (2014), with what Collier & Beel (2018) found to learn best: a memory
    that begins as a small constant, and learnt addresses before the first step. These
    addresses begin at the first slot.

    States are zeros before the first step, like those of every cell: they are the
    differences of the memory and of both addresses from their first values.

    Attributes
    ----------
    slots, width : int
        Of the memory.
    """

    slots: int = MEMORY[0]
    width: int = MEMORY[1]

    gate_order = LSTM.gate_order

    @property
    def memory(self):
        """Slots of the memory, and their width."""
        return self.slots, self.width

    @property
    def n_of_heads(self):
        """Numbers that the controller gives both heads at a step.

        For each head a key, a strength, a gate, three shares of shifts and a sharpness;
        for the writing head also what to erase and what to add.
        """
        return 2 * (self.width + 6) + 2 * self.width

    def weights(self, width, units):
        gates, n, slot = 4 * units, self.n_of_heads, self.width
        return [
            Weight("kernel", (width, gates), "glorot"),
            Weight("recurrent_kernel", (units, gates), "orthogonal"),
            Weight("read_kernel", (slot, gates), "glorot"),
            Weight("bias", (gates,), "zeros", ones=(units, 2 * units)),
            Weight("head_kernel", (units, n), "glorot"),
            Weight("head_bias", (n,), "zeros"),
            Weight("output_kernel", (slot, units), "glorot"),
            Weight("first_addresses", (2, self.slots), "first"),
        ]

    def state_shapes(self, units):
        slots, width = self.memory
        return (units,), (units,), (width,), (slots,), (slots,), self.memory

    def step(self, ops, activation, w, projected, states, drop):
        found = self._look(ops, activation, w, projected, states, drop)
        h, c, (reading, writing), (erase, add), memory, first = found
        read = ops.einsum("bn,bnm->bm", reading, memory)
        at = writing[:, :, None]
        memory = memory * (1 - at * erase[:, None]) + at * add[:, None]
        away = reading - first[:1], writing - first[1:]
        output = h + ops.matmul(read, w["output_kernel"])
        return output, c, read, *away, memory - BLANK

    def gate_values(self, ops, activation, w, projected, states):
        r = self._recurrent(ops, w, self._controller(ops, w, states), states[2])
        found = self._look(ops, activation, w, projected, states, lambda h: h)
        _, _, (reading, writing), (erase, add), *_ = found
        own = {"read_weights": reading, "write_weights": writing}
        own |= {"erase": erase, "add": add}
        return lstm_gates(ops, activation, projected[0], r) | own

    def _controller(self, ops, w, states):
        """Return the controller's own state: the output without what was read."""
        return states[0] - ops.matmul(states[2], w["output_kernel"])

    def _recurrent(self, ops, w, h, read):
        of_read = ops.matmul(read, w["read_kernel"])
        return ops.matmul(h, w["recurrent_kernel"]) + of_read

    def _look(self, ops, activation, w, projected, states, drop):
        """Return h, c, both addresses, what is erased and added, and what was there.

        The latter are the memory before the step, and the addresses before the first
        step.
        """
        _, c, read, *away, written = states
        h = self._controller(ops, w, states)
        r = self._recurrent(ops, w, drop(h), read)
        h, c = lstm_step(ops, activation, projected[0], r, h, c)
        asked = ops.matmul(h, w["head_kernel"]) + w["head_bias"]
        memory, first = written + BLANK, ops.softmax(w["first_addresses"], axis=-1)
        lengths = ops.sqrt(ops.sum(memory * memory, axis=-1) + TINY)
        n = self.width + 6
        addresses = [
            self._address(ops, own, memory, lengths, first[i : i + 1] + away[i])
            for i, own in enumerate([asked[:, :n], asked[:, n : 2 * n]])
        ]
        erase = ops.sigmoid(asked[:, 2 * n : 2 * n + self.width])
        add = ops.tanh(asked[:, 2 * n + self.width :])
        return h, c, addresses, (erase, add), memory, first

    def _address(self, ops, asked, memory, lengths, before):
        """Return a head's share of each slot, (B, slots), from those `before`."""
        softplus, n = ACTIVATIONS["softplus"], self.width
        key, strength = ops.tanh(asked[:, :n]), softplus(ops, asked[:, n : n + 1])
        of_key = ops.sqrt(ops.sum(key * key, axis=-1, keepdims=True) + TINY)
        alike = ops.einsum("bnm,bm->bn", memory, key) / (lengths * of_key)
        by_content = ops.softmax(strength * alike, axis=-1)
        gate = ops.sigmoid(asked[:, n + 1 : n + 2])
        mixed = gate * by_content + (1 - gate) * before
        shifts = ops.softmax(asked[:, n + 2 : n + 5], axis=-1)
        following = ops.concatenate([mixed[:, 1:], mixed[:, :1]], axis=-1)
        preceding = ops.concatenate([mixed[:, -1:], mixed[:, :-1]], axis=-1)
        moved = shifts[:, :1] * following + shifts[:, 1:2] * mixed
        moved = moved + shifts[:, 2:] * preceding
        sharpness = 1 + softplus(ops, asked[:, n + 5 :])
        return ops.softmax(sharpness * ops.log(ops.maximum(moved, LEAST)), axis=-1)


CELL = MemoryCell()
