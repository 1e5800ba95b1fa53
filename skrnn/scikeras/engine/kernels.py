"""Training a user's Keras model with the kernels, if it is a network they support.

`KernelProgram` has the methods of `KerasProgram`, its reference, which trains any
model. Both agree up to the rounding of float32.
"""

import math
from dataclasses import dataclass, replace

import keras
import numpy as np

from skrnn._data.datasets import Dataset
from skrnn._data.sequences import Multiples, pack_dense, pack_windows
from skrnn._engine import choice
from skrnn._engine.cpu import network, reference
from skrnn._engine.keras.private import compiled_metrics_of
from skrnn._networks.activations import ACTIVATIONS
from skrnn.scikeras.engine.program import logs_of
from skrnn.scikeras.engine.specs import (
    counts_rows,
    loss_of,
    optimizer_of,
    spec_of,
    targets_of,
)


def kernel_program(model, *data):
    """Return what trains `model` on the arrays of `data`; None for Keras."""
    spec = spec_of(model)
    if spec is None:
        return None
    loss, optimizer = loss_of(model, spec), optimizer_of(model)
    if loss is None or optimizer is None or not counts_rows(model):
        return None
    if choice.choose() != "cpu":
        return None
    program = KernelProgram(model, spec, loss, optimizer)
    alike = _shapes(program.state()) == _shapes(_variables(model))
    return program if alike and all(map(program.can_load, data)) else None


def _variables(model):
    return [*model.weights, *model.optimizer.variables]


def _shapes(arrays):
    return [tuple(array.shape) for array in arrays]


@dataclass(frozen=True)
class Loaded:
    """Data in the form of the kernels, and as given, for the metrics."""

    dataset: Dataset
    arrays: dict


class KernelProgram:
    """One fit of one model."""

    # The last batch is padded with row number -1.
    padded = True

    def __init__(self, model, spec, loss, optimizer):
        self.model, self.spec, self.loss = model, spec, loss
        head = replace(spec.head, loss=loss.name)
        self._native = network.NetworkProgram(replace(spec, head=head), None, optimizer)
        self.has_metrics = compiled_metrics_of(model) is not None
        if self.has_metrics:
            self._native.logits = []
        clipnorm = model.optimizer.clipnorm
        # Keras reads a norm of 0 or less as no limit.
        clipped = clipnorm is not None and clipnorm > 0
        self._step_inputs = {
            "seed": 0,
            "step": 0,
            "clipnorm": np.float32(clipnorm if clipped else math.inf),
        }

    def can_load(self, data):
        """Whether `load` will take the arrays."""
        x, weights = data["x"], data.get("weights")
        of_rows = weights is None or weights.ndim == 1
        alike = x.ndim == 3 and x.shape[1] and x.shape[2] == self.spec.n_features
        known = targets_of(data["y"], self.spec, self.loss) is not None
        return bool(of_rows and alike and known)

    def load(self, data):
        """Return the arrays as a dataset for the kernels."""
        x, n = data["x"].astype(np.float32, copy=False), len(data["x"])
        targets = targets_of(data["y"], self.spec, self.loss)
        assert targets is not None
        weights = data.get("weights", np.broadcast_to(np.float32(1), n))
        dataset = Dataset(
            sequences=pack_windows(x) or pack_dense(x, "dense"),
            targets=targets,
            weights=weights.astype(np.float32, copy=False),
            target_starts=Multiples(1, n),
        )
        return Loaded(dataset, data)

    def state(self):
        """Return the weights and the optimizer's state, as Keras lists them."""
        return [*self._native.get_weights(), *self._native.get_optimizer_state()]

    def copy_from(self, model):
        """Take over weights, the optimizer's state and its learning rate."""
        weights, state = (
            [np.asarray(variable.value) for variable in variables]
            for variables in (model.weights, model.optimizer.variables)
        )
        self._native.reset(weights, state)

    def copy_to(self, model):
        """Hand back weights and the optimizer's state."""
        for variable, value in zip(_variables(model), self.state(), strict=True):
            variable.assign(value)

    def train(self, data, order):
        """Train on batches of row numbers; return the summed losses and the rows."""
        total, count, finite = self._native.train(
            data.dataset, order, self._step_inputs
        )
        self._count(data.arrays, order)
        if not finite:
            # The kernels stop here; Keras would go on, and all weights would be NaN.
            nothing = [np.full_like(w, np.nan) for w in self._native.get_weights()]
            self._native.set_weights(nothing)
            total, count = math.nan, (order >= 0).sum()
        return total, count

    def evaluate(self, data, order):
        """Return the summed losses of batches and the rows."""
        found = self._native.evaluate(data.dataset, order)
        self._count(data.arrays, order)
        return found

    def _count(self, arrays, order):
        """Update the metrics of the model with the outputs for the rows of `order`."""
        logits = self._native.logits
        if logits is None:
            return
        outputs = np.concatenate(logits).astype(np.float64)
        outputs = ACTIVATIONS[self.spec.head.activation](reference.ops, outputs)
        # There are fewer outputs than rows if training has stopped.
        rows = order[order >= 0][: len(outputs)]
        logits.clear()
        given = {name: array[rows] for name, array in arrays.items() if name != "x"}
        y, y_pred = map(
            keras.ops.convert_to_tensor, (given["y"], outputs.astype(np.float32))
        )
        metrics = compiled_metrics_of(self.model)
        metrics.update_state(y, y_pred, given.get("weights"))

    def start_metrics(self):
        """Reset the metrics."""
        if self.has_metrics:
            self.model.reset_metrics()

    def logs(self, total, count):
        """Return the loss and the metrics since `start_metrics`."""
        return logs_of(self.model, total, count)

    def finish(self):
        """No optimizer that the kernels know has anything left to do."""
