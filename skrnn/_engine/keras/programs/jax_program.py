"""Training and prediction on JAX: whole runs of batches in compiled functions.

JAX compiles for one shape of each argument, so what has another size in every fit is
padded to one of few sizes, and nothing is read from the padding: the rows of a data
set, the rows of a batch, and the list of batches, whose real number is an argument. A
batch of ragged sequences is as long as the longest one of the data set, or half of it,
or a quarter and so on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import jax
import jax.numpy as jnp
import numpy as np

from skrnn._engine.keras.losses import one_a_target
from skrnn._engine.keras.programs.jax_kit import Kit, Noise
from skrnn._engine.keras.variables import Variables, assign
from skrnn._networks.forward import forward

# Up to here all sizes are one: of a table of rows, and of a list of batches.
_MIN_ROWS = 4096
_MIN_ORDER = 32768
# Where nothing is trained, a batch has at least this many rows.
_MIN_BATCH = 64


@dataclass(frozen=True)
class DeviceData:
    """Arrays on the device, and what has to be known of them before a call.

    Attributes
    ----------
    arrays : dict of jax.Array
    lengths : ndarray of shape (n,)
        Lengths of the sequences, without padding.
    n_steps : int
        The greatest length that a batch is padded to.
    """

    arrays: dict
    lengths: np.ndarray
    n_steps: int

    def padded_steps(self, rows):
        """Return the steps of a batch of `rows` (..., B), -1 for none: (...)."""
        longest = np.where(rows >= 0, self.lengths[rows], 1).max(axis=-1)
        halvings = np.log2(self.n_steps / longest).astype(int)
        return -(-self.n_steps // 2**halvings)


def device_sequences(sequences):
    """Hand `Sequences` to JAX."""
    lengths = sequences.lengths
    longest, shortest = int(lengths.max()), int(lengths.min())
    arrays = {
        "values": _padded(sequences.values),
        "starts": _padded(np.asarray(sequences.starts, np.int32)),
        "lengths": _padded(lengths.astype(np.int32)),
        "step": np.int32(sequences.step),
    }
    # Sequences of one length keep it: that is what most series are cut into.
    n_steps = longest if longest == shortest else size_class(longest)
    return DeviceData(arrays, lengths, n_steps)


class Program(Variables):
    """The compiled training functions of one network, loss and optimizer.

    What varies from fit to fit is an argument: `knobs` are the seed, the number of the
    step, learning rates, the limits of gradients and the dropout rates.
    """

    def __init__(self, spec, loss, optimizer):
        super().__init__(spec, loss, optimizer)
        compiled = partial(jax.jit, static_argnames="n_steps")
        self._compiled_train = compiled(self._train_run)
        self._compiled_evaluate = compiled(self._evaluate_run)

    @staticmethod
    def load(dataset):
        """Hand a `Dataset` to JAX: the rows once, without windows or padding."""
        data = device_sequences(dataset.sequences)
        arrays = data.arrays | {
            "targets": _padded(np.asarray(dataset.targets)),
            "weights": _padded(dataset.weights),
            "target_starts": _padded(np.asarray(dataset.target_starts, np.int32)),
        }
        return DeviceData(arrays, data.lengths, data.n_steps)

    def train(self, data, order, knobs):
        """Train on batches `order` (n_batches, B) of row numbers, -1 for none.

        Returns the sum of the losses, their number, and whether all was finite; from
        the first step on where it wasn't, nothing is changed any more.
        """
        variables = self.trained, self.optimizer.variables
        state = [[variable.value for variable in part] for part in variables]
        rates = self.rates(knobs, len(order))
        knobs = {"global_clipnorm": np.inf} | knobs
        knobs = {name: make(knobs[name]) for name, make in _KNOBS.items()}
        frozen = [each.value for each in self.weights if not each.trainable]
        found, finite = [], np.True_
        for first, run, n_steps in _runs(data, order):
            at = knobs | {"step": _wrapped(int(knobs["step"]) + first)}
            padded, n_batches = _padded_order(run, 1)
            at["rates"] = np.resize(rates[first : first + len(run)], len(padded))
            run = frozen, data.arrays, padded, n_batches, at
            *state, sums, counts, finite = self._compiled_train(
                *state, finite, *run, n_steps=n_steps
            )
            found.append((sums, counts))
        for part, values in zip(variables, state, strict=True):
            assign(part, values)
        return *_totals(found), finite

    def evaluate(self, data, order):
        """Return the sum of the losses of batches `order`, and their number."""
        weights = [variable.value for variable in self.weights]
        return _totals(
            [
                self._compiled_evaluate(
                    weights,
                    data.arrays,
                    *_padded_order(run, _MIN_BATCH),
                    n_steps=n_steps,
                )
                for _, run, n_steps in _runs(data, order)
            ]
        )

    def _train_run(
        self, weights, state, finite, frozen, data, order, n_batches, knobs, *, n_steps
    ):
        def step(carry):
            i, weights, state, sums, counts, _ = carry
            noise = Noise(knobs["seed"], knobs["step"] + i, knobs)
            loss = partial(self._mean_loss, data, order[i], n_steps, noise, frozen)
            losses, gradients = jax.value_and_grad(loss, has_aux=True)(weights)
            mean, (sum_, count) = losses
            norms = [jnp.sqrt(jnp.sum(g * g)) for g in gradients]
            finite = jnp.isfinite(mean + sum(norms))
            after = weights, state = jax.lax.cond(
                finite,
                partial(self._update, gradients, norms, knobs, knobs["rates"][i]),
                lambda *unchanged: unchanged,
                weights,
                state,
            )
            return i + 1, *after, sums.at[i].set(sum_), counts.at[i].set(count), finite

        # A sum for each batch: where a run is cut, by time, must not show in the loss,
        # and JAX has no double precision to add them up.
        zeros = jnp.zeros(len(order), jnp.float32)
        start = jnp.int32(0), weights, state, zeros, zeros, finite
        return jax.lax.while_loop(
            lambda carry: carry[-1] & (carry[0] < n_batches), step, start
        )[1:]

    def _update(self, gradients, norms, knobs, rate, weights, state):
        places = [v is self.rate for v in self.optimizer.variables]
        state = [rate if at else v for v, at in zip(state, places, strict=True)]
        # Infinite limits of infinite norms are none.
        norms = jnp.stack(norms)
        norm = jnp.clip(jnp.linalg.norm(norms), 1e-30, jnp.finfo(jnp.float32).max)
        as_one = jnp.minimum(1.0, knobs["global_clipnorm"] / norm)
        norms = jnp.maximum(norms * as_one, 1e-30)
        scales = as_one * jnp.minimum(1.0, knobs["clipnorm"] / norms)
        clipped = [g * scale for g, scale in zip(gradients, scales, strict=True)]
        return self.optimizer.stateless_apply(state, clipped, weights)

    def _evaluate_run(self, weights, data, order, n_batches, *, n_steps):
        def step(i, found):
            sum_, count = self._batch_loss(data, order[i], n_steps, None, weights)
            return found[0].at[i].set(sum_), found[1].at[i].set(count)

        zeros = jnp.zeros(len(order), jnp.float32)
        return jax.lax.fori_loop(0, n_batches, step, (zeros, zeros))

    def _mean_loss(self, data, rows, n_steps, noise, frozen, trained):
        weights = self._all_weights(trained, frozen)
        total, count = self._batch_loss(data, rows, n_steps, noise, weights)
        return total / jnp.maximum(count, 1.0), (total, count)

    def _all_weights(self, trained, frozen):
        """Put what is learnt and what isn't into the order of the weights."""
        trained, frozen = iter(trained), iter(frozen)
        return [next(trained if each.trainable else frozen) for each in self.weights]

    def _batch_loss(self, data, rows, n_steps, noise, weights):
        """Return the weighted sum of a batch's losses and the number of its terms."""
        present = rows >= 0
        rows = jnp.maximum(rows, 0)
        x, lengths, steps = gather(data, rows, n_steps)
        outputs, _ = forward(Kit(noise), self.spec, weights, x, lengths)
        at = data["target_starts"][rows]
        if self.spec.return_sequences:
            at = at + steps
            present &= jnp.arange(n_steps, dtype=jnp.int32)[:, None] < lengths
        losses = self.loss(data["targets"][at], outputs)
        losses = one_a_target(losses, present.ndim)
        # Absent ones may hold anything, a NaN too: `where` keeps it out.
        weighted = jnp.where(present, losses * data["weights"][at], 0.0)
        return jnp.sum(weighted), jnp.sum(present, dtype=jnp.float32)


def gather(data, rows, n_steps):
    """Return a time-major batch of sequences `rows`: x, lengths, steps (T, B)."""
    # An absent row may be longer than the batch.
    lengths = jnp.minimum(data["lengths"][rows], n_steps)
    steps = jnp.arange(n_steps, dtype=jnp.int32)[:, None]
    # The last step stands for the padding: it is always there to be read.
    steps = jnp.minimum(steps, lengths - 1)
    at = data["starts"][rows] + steps * data["step"]
    return data["values"][at], lengths, steps


def predictor(spec):
    """Compile ``f(weights, data, rows) -> outputs, state`` for `spec`."""

    @partial(jax.jit, static_argnames="n_steps")
    def run(weights, data, rows, *, n_steps):
        x, lengths, _ = gather(data, rows, n_steps)
        return forward(Kit(), spec, weights, x, lengths)

    def predict(weights, data, rows):
        n = len(rows)
        n_steps = int(data.padded_steps(rows))
        padded = np.resize(rows, batch_class(max(n, _MIN_BATCH))).astype(np.int32)
        outputs, states = run(weights, data.arrays, padded, n_steps=n_steps)
        return np.asarray(outputs)[..., :n, :], np.asarray(states)[:n]

    return predict


# What varies from fit to fit of the same network.
_KNOBS: dict[str, Callable] = {
    "seed": np.int32,
    # Wrapped when it is read.
    "step": np.int64,
    "clipnorm": np.float32,
    "global_clipnorm": np.float32,
    "dropout": np.float32,
    "recurrent_dropout": np.float32,
}


def _wrapped(step):
    """Return the number of a step in 32 bits, all that JAX has for it."""
    return np.array(step, np.int64).astype(np.int32)


def size_class(n):
    """Round up to one of the four sizes of an octave: 8, 10, 12, 14, 16, 20..."""
    step = 2 ** max(int(n).bit_length() - 3, 0)
    return -(-int(n) // step) * step


def batch_class(n):
    """Round a batch up: to a power of two, or beyond 32 to a size class."""
    return size_class(n) if n > 32 else 2 ** (int(n) - 1).bit_length()


def _padded(array):
    """Put an array on the device, with zeros behind its rows up to a size class."""
    n = len(array)
    padded = np.zeros((size_class(max(n, _MIN_ROWS)), *array.shape[1:]), array.dtype)
    padded[:n] = array
    return jnp.asarray(padded)


def _padded_order(order, min_batch):
    """Fill a list of batches up to a size class; return it and its number of batches.

    Each of them is filled up as well, with -1 for no row.
    """
    n_batches, n_rows = order.shape
    batch_size = batch_class(max(n_rows, min_batch))
    size = size_class(max(n_batches, _MIN_ORDER // batch_size))
    padded = np.full((size, batch_size), -1, np.int32)
    padded[:n_batches, :n_rows] = order
    return padded, np.int32(n_batches)


def _runs(data, order):
    """Cut batches into runs of one padded length: first, batches, steps of each."""
    first = 0
    for n_steps, run in groupby(data.padded_steps(order).tolist()):
        n = len(list(run))
        yield first, order[first : first + n], n_steps
        first += n


def _totals(found):
    """Add up the sums and the counts of the runs."""
    columns = zip(*found, strict=True)
    return [sum(np.asarray(run, float).sum() for run in column) for column in columns]
