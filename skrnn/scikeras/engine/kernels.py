"""Training a user's Keras model with the kernels, if it is a network they support.

`KernelProgram` has the methods of `KerasProgram`, its reference, which trains any
model. Both agree up to the rounding of float32.
"""

import math
from dataclasses import dataclass

import keras
import numpy as np

from skrnn._data.datasets import Dataset
from skrnn._data.sequences import Multiples, pack_block
from skrnn._engine import choice
from skrnn._engine.cpu import network, reference
from skrnn._engine.keras.private import compiled_metrics_of
from skrnn.scikeras.engine.program import logs_of
from skrnn.scikeras.engine.specs import task_of


def kernel_program(model, training, validation=None):
    """Return what trains `model` on dicts of arrays; None for Keras."""
    task = task_of(model)
    if task is None or choice.choose() != "cpu":
        return None
    program = KernelProgram(model, task)
    data = [training] if validation is None else [training, validation]
    # Those of the weights are part of the spec.
    alike = _shapes(program.optimizer_state()) == _shapes(model.optimizer.variables)
    return program if alike and all(map(program.can_load, data)) else None


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

    def __init__(self, model, task):
        self.model, self.spec, self.loss = model, task.spec, task.loss
        self._native = network.NetworkProgram(task.spec, None, task.optimizer)
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
        known = _targets_of(data["y"], self.spec, self.loss) is not None
        return bool(of_rows and alike and known)

    def load(self, data):
        """Return the arrays as a dataset for the kernels."""
        x, n = data["x"].astype(np.float32, copy=False), len(data["x"])
        targets = _targets_of(data["y"], self.spec, self.loss)
        assert targets is not None
        weights = data.get("weights", np.broadcast_to(np.float32(1), n))
        dataset = Dataset(
            sequences=pack_block(x),
            targets=targets,
            weights=weights.astype(np.float32, copy=False),
            target_starts=Multiples(1, n),
        )
        return Loaded(dataset, data)

    def optimizer_state(self):
        """Return the optimizer's state, as Keras lists it."""
        return self._native.optimizer.state()

    def copy_from(self, model):
        """Take over weights, the optimizer's state and its learning rate."""
        parts = model.weights, model.optimizer.variables
        weights, state = [[np.asarray(v.value) for v in part] for part in parts]
        self._native.reset(weights, state)

    def copy_to(self, model, *, ended=False):
        """Hand back weights and the optimizer's state, which need no last step."""
        variables = [*model.weights, *model.optimizer.variables]
        values = [*self._native.get_weights(), *self.optimizer_state()]
        for variable, value in zip(variables, values, strict=True):
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
        outputs = self.spec.head.predictions(reference.ops, outputs)
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
        self.model.reset_metrics()

    def logs(self, total, count):
        """Return the loss and the metrics since `start_metrics`."""
        return logs_of(self.model, total, count)


def _targets_of(y, spec, loss):
    """Return y in the form of the kernels, (n, K), or None if it has another form."""
    y = y[:, None] if y.ndim == 1 else y
    has_outputs = y.shape[1:] == (spec.head.units,)
    if loss.name != "categorical_crossentropy":
        return y.astype(np.float32, copy=False) if has_outputs else None
    if not loss.sparse:
        if not has_outputs or spec.head.units == 1:
            return None
        one_hot = (y.max(axis=1) == 1) & (np.count_nonzero(y, axis=1) == 1)
        return y.argmax(axis=1)[:, None].astype(np.int32) if one_hot.all() else None
    labels = y.astype(np.int32)
    known = y.shape[1:] == (1,) and (labels >= 0).all()
    known = known and (labels < spec.head.units).all() and (labels == y).all()
    return labels if known else None
