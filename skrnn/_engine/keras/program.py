"""Training on Keras' backend: one program for every topology.

Where the backend compiles, one compiled function runs many batches. Whatever varies
from fit to fit is an argument: the seed, the number of the step, learning rates, clip
norms and dropout shares.
"""

from typing import Any

import numpy as np
from keras import ops as k

from skrnn._engine.keras.run import DropoutMasks, KerasRun, adapter
from skrnn._engine.keras.runs import Runs
from skrnn._engine.keras.topologies import topology_of
from skrnn._engine.keras.variables import Variables, assign
from skrnn._networks.crf import Chain, losses
from skrnn._networks.forward import named_weights
from skrnn._networks.weights import weight_table

# Least rows of a batch in evaluation, where few shapes are compiled.
_MIN_BATCH = 64
_SMALLEST, _GREATEST = 1e-30, float(np.finfo(np.float32).max)


class Program(Variables):
    """The training of one network with a loss and an optimizer; for one fit at a time.

    Parameters
    ----------
    spec : Spec
    loss : callable, keras.losses.Loss or None
        A user-defined loss; None for the loss of the head.
    optimizer : str or keras.optimizers.Optimizer
    samples : bool
        Whether `teacher_forcing` may be below 1; for decoders.

    Attributes
    ----------
    teacher_forcing : float
        Share of steps at which a decoder reads the true output before, not its own.
    n_traces : int
        How often one of its functions was traced.
    """

    def __init__(self, spec, loss, optimizer, samples=False):
        super().__init__(spec, loss, optimizer)
        self.topology = topology_of(spec, samples=samples)
        self.teacher_forcing = 1.0
        self.n_traces = 0
        # Weights that follow the batches, by their names.
        rows = zip(weight_table(spec), self.weights, strict=True)
        self._followed = {row.name: each for row, each in rows if row.follows}
        changed = *self.trained, *self.optimizer.variables
        self._changed = [*changed, *self._followed.values()]
        self._functions: dict = {}
        self._states: tuple = ()

    @staticmethod
    def load(dataset):
        """Return a source of batches as `train` and `evaluate` take it."""
        return Runs(dataset, adapter.FIXED_SHAPES)

    def train(self, data, order, step_inputs):
        """Train on batches `order`, rows of an order of the source.

        Returns the sum of the losses, their number, and whether all was finite. The
        first step that isn't finite, and all after it, leave the weights as they are.
        """
        rates = self.rates(step_inputs, len(order))
        numbers = {name: step_inputs.get(name, x) for name, x in _STEP_INPUTS.items()}
        numbers["teacher_forcing"] = self.teacher_forcing
        finite, found = adapter.tensor(np.True_), []
        for run in data.cut(order):
            inputs = _scalars(numbers | {"step": numbers["step"] + run.first})
            own = np.zeros(len(run.arrays["steps"]), np.float32)
            own[: run.n_batches] = rates[run.first : run.first + run.n_batches]
            given = run.arrays | {"rates": own}, run.n_batches, self._states
            *sums, self._states, finite = self._call(
                self._train, *given, finite, inputs
            )
            found.append(sums)
        return *_totals(found), bool(finite)

    def evaluate(self, data, order):
        """Return the sum of the losses of batches `order`, and their number."""
        found, finite = [], adapter.tensor(np.True_)
        states: Any = ()
        for run in data.cut(order, _MIN_BATCH):
            given = run.arrays, run.n_batches, states
            *sums, states, finite = self._call(self._evaluate, *given, finite)
            found.append(sums)
        return _totals(found)

    def _call(self, function, arrays, n, states, *given):
        """Call a function on the arrays of a run; compile it before its first call."""
        arrays = {name: adapter.tensor(array) for name, array in arrays.items()}
        wanted = self.topology.zero_states(arrays)
        if [state.shape for state in states] != [state.shape for state in wanted]:
            states = wanted
        states = tuple(states)
        args = arrays, adapter.tensor(np.int32(n)), states, *given
        key = function.__name__, *sorted(arrays)
        if key not in self._functions:
            changed = self._changed if function == self._train else []
            self._functions[key] = adapter.compiled(function, changed, args)
        return self._functions[key](*args)

    def _train(self, arrays, n, states, finite, inputs):
        self.n_traces += 1

        def body(i, states):
            batch, rate = self._batch(arrays, i), arrays["rates"][i]
            present = batch["present"]
            present = present if len(present.shape) == 1 else k.any(present, axis=0)
            given = inputs, inputs["step"] + i, present

            def loss(trained):
                # Its own: a backend may trace the loss more than once.
                masks, weights = DropoutMasks(*given), self._all_weights(trained)
                sum_, count, after = self._batch_loss(batch, weights, states, masks)
                return sum_ / k.maximum(count, 1.0), (
                    sum_,
                    count,
                    after,
                    [masks.statistics[name] for name in self._followed],
                )

            mean, (sum_, count, after, now), gradients = adapter.differentiate(
                loss, self.trained
            )
            norms = k.stack([k.sqrt(k.sum(g * g)) for g in gradients])
            finite = k.isfinite(mean + k.sum(norms))

            def update():
                if self.rate is not None:
                    self.rate.assign(rate)
                clipped = _clipped(gradients, norms, inputs)
                self.optimizer.apply(clipped, self.trained)
                assign(list(self._followed.values()), now)

            adapter.update_if(finite, update, self._changed)
            return sum_, count, after, finite

        size = arrays["steps"].shape[0]
        return adapter.each_batch(body, n, size, states, finite, self._changed)

    def _evaluate(self, arrays, n, states, finite):
        self.n_traces += 1
        weights = [adapter.value(variable) for variable in self.weights]

        def body(i, states):
            batch = self._batch(arrays, i)
            return *self._batch_loss(batch, weights, states, None), finite

        size = arrays["steps"].shape[0]
        return adapter.each_batch(body, n, size, states, finite, [])

    def _batch(self, arrays, i):
        """Return batch `i`, no longer than it needs where sizes may differ."""
        steps, own = self.topology.steps, arrays["steps"][i]
        return {
            name: adapter.entry(array, i, own[steps[name]] if name in steps else None)
            for name, array in arrays.items()
        }

    def _all_weights(self, trained):
        """Merge trainable and fixed weights in the order of the table."""
        rest = iter(trained)
        return [
            next(rest) if each.trainable else adapter.value(each)
            for each in self.weights
        ]

    def _batch_loss(self, batch, weights, states, masks):
        """Return the weighted sum of a batch's losses, their number and the states."""
        outputs, states = self.topology.outputs(weights, batch, states, masks)
        present = batch["present"]
        if self.spec.head.crf:
            chain = Chain.of(named_weights(self.spec, weights))
            return *_loss_of_chains(batch, outputs, chain), states
        losses = self.loss(batch["targets"], outputs)
        # `where`, not a product: rows of padding may hold NaN, and 0 * NaN is NaN.
        weighted = k.where(present, losses * batch["weights"], 0.0)
        return k.sum(weighted), k.sum(k.cast(present, "float32")), states


def _loss_of_chains(batch, x, chain):
    """Return the weighted sum of the losses of sequences of labels, and of steps."""
    weights, present = batch["weights"], batch["present"]
    numbers = k.arange(x.shape[-1], dtype=batch["targets"].dtype)
    # A label of weight 0 isn't known.
    unknown = k.logical_or(k.logical_not(present), weights <= 0)
    allowed = k.logical_or(k.equal(batch["targets"], numbers), unknown[..., None])
    found = losses(KerasRun(), chain, x, allowed, batch["lengths"])
    # All known labels of a sequence have the same weight.
    of_each = k.max(k.where(present, weights, 0.0), axis=0)
    weighted = k.where(of_each > 0, found * of_each, 0.0)
    return k.sum(weighted), k.sum(k.cast(present, "float32"))


# Inputs of a step, and their defaults.
_STEP_INPUTS = {
    "seed": 0,
    "step": 0,
    "clipnorm": np.inf,
    "global_clipnorm": np.inf,
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
}
_WHOLE = "seed", "step"


def _scalars(numbers):
    """Convert numbers to arrays of 32 bits; the number of a step wraps around."""
    return adapter.scalars(
        {
            name: np.int64(x).astype(np.int32) if name in _WHOLE else np.float32(x)
            for name, x in numbers.items()
        }
    )


def _clipped(gradients, norms, inputs):
    """Shrink all gradients as one, then each by itself."""
    # Without a limit: infinity / infinity would be NaN.
    norm = k.clip(k.sqrt(k.sum(norms * norms)), _SMALLEST, _GREATEST)
    as_one = k.minimum(1.0, inputs["global_clipnorm"] / norm)
    norms = k.maximum(norms * as_one, _SMALLEST)
    scales = as_one * k.minimum(1.0, inputs["clipnorm"] / norms)
    scales = k.unstack(scales, len(gradients))
    return [g * scale for g, scale in zip(gradients, scales, strict=True)]


def _totals(found):
    """Add up the sums and the counts of runs."""
    columns = zip(*found, strict=True)
    return [
        sum(float(adapter.to_numpy(run).sum(dtype=float)) for run in column)
        for column in columns
    ]
