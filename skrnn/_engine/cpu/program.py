"""What all programs on the kernels in C share: flat weights and their optimizer."""

import math
from itertools import compress

import numpy as np

from skrnn._engine.cpu.autodiff import leaves
from skrnn._engine.cpu.kernels.layer import Workspace, kernels
from skrnn._engine.cpu.optimizers import make_optimizer
from skrnn._engine.cpu.run import DropoutMasks


class CpuProgram:
    """Weights in one flat array, with their gradients and an optimizer.

    A subclass defines the loss: its ``_differentiate(data, rows, masks)`` calls
    `_keep_gradients` and returns the sum of a batch's losses and their number. Its
    ``evaluate(data, order)`` returns the same for batches `order`.

    Attributes
    ----------
    teacher_forcing : float
        Probability that a decoder reads the true previous output, not its own.
    optimizer : object with ``learning_rate``
        Read before each step, so that callbacks may change it.
    """

    def __init__(self, shapes, optimizer, trainable=None):
        self.teacher_forcing = 1.0
        self._trainable = trainable or [True] * len(shapes)
        trained = list(compress(shapes, self._trainable))
        self._ends = np.cumsum([math.prod(shape) for shape in trained], dtype=np.int64)
        self._flat = np.zeros(self._ends[-1], np.float32)
        self._gradient = np.zeros_like(self._flat)
        parts = np.split(self._flat, self._ends[:-1])
        views = [
            part.reshape(shape) for part, shape in zip(parts, trained, strict=True)
        ]
        # Weights that aren't trained are separate, without gradients and optimizer's
        # state.
        rest = iter(views)
        self._views = [
            next(rest) if learnt else np.zeros(shape, np.float32)
            for shape, learnt in zip(shapes, self._trainable, strict=True)
        ]
        self.optimizer = make_optimizer(optimizer, views)
        self._workspace = Workspace()
        # Number of a weight that follows the batches -> its value after this one.
        self._statistics: dict[int, np.ndarray] = {}

    @staticmethod
    def load(dataset):
        return dataset

    def reset(self, weights, optimizer_state=None, learning_rate=None):
        """Start from `weights` and, if given, an optimizer's state and a rate."""
        self.set_weights(weights)
        self.optimizer.reset(optimizer_state, learning_rate)

    def set_weights(self, weights):
        for view, value in zip(self._views, weights, strict=True):
            view[...] = value

    def get_weights(self):
        return [view.copy() for view in self._views]

    def is_finite(self):
        return all(np.isfinite(view).all() for view in self._views)

    def final_weights(self):
        """Return the weights to keep: averages of them, if the optimizer takes such."""
        weights, averages = self.get_weights(), self.optimizer.averages
        if averages is None:
            return weights
        averages = iter(averages)
        return [
            next(averages) if learnt else weight
            for weight, learnt in zip(weights, self._trainable, strict=True)
        ]

    def get_optimizer_state(self):
        return self.optimizer.state()

    def keras_optimizer(self, make):
        """Return what callbacks see as the model's optimizer."""
        return self.optimizer.in_keras(make)

    def train(self, data, order, step_inputs):
        """Train on batches `order` (n_batches, B) of row numbers, -1 for none.

        Returns the sum of the losses, their number, and whether all was finite. The
        first step that isn't finite, and all after it, change nothing.
        """

        def differentiate(i):
            masks = DropoutMasks(step_inputs, int(step_inputs["step"]) + i)
            sum_, n = self._differentiate(data, order[i], masks)
            return sum_, n, self._clip(step_inputs) and math.isfinite(sum_)

        return self.take_steps(differentiate, len(order), step_inputs)

    def take_steps(self, differentiate, n_steps, step_inputs):
        """Let the optimizer make `n_steps` steps.

        ``differentiate(i)`` sets the gradients of step i, clipped, and returns the sum
        of its losses, their number and whether all is finite.
        """
        total, count, rates = 0.0, 0, step_inputs.get("rates")
        with np.errstate(all="ignore"):
            for i in range(n_steps):
                sum_, n, is_finite = differentiate(i)
                total, count = total + sum_, count + n
                if not is_finite:
                    return total, count, False
                if rates is not None:
                    self.optimizer.learning_rate = float(rates[i])
                self.optimizer.apply(self._flat, self._gradient)
                for number, value in self._statistics.items():
                    self._views[number][...] = value
        return total, count, True

    def _clip(self, step_inputs):
        """Shrink all gradients as one, then each alone; return if all are finite."""
        limit = float(step_inputs.get("global_clipnorm", math.inf))
        if limit < math.inf:
            kernels.clip(self._gradient, self._ends[-1:], limit)
        return kernels.clip(self._gradient, self._ends, float(step_inputs["clipnorm"]))

    def _differentiate(self, data, rows, masks):
        raise NotImplementedError

    def _nodes(self):
        """Return the weights, those that are learnt as nodes of a new tape."""
        return leaves(self._views, self._trainable)

    def _keep_gradients(self, nodes):
        """Copy the gradients of the weights' nodes to where the optimizer reads."""
        nodes = compress(nodes, self._trainable)
        np.concatenate([_flat_gradient(node) for node in nodes], out=self._gradient)


def _flat_gradient(weight):
    if weight.gradient is None:
        return np.zeros(weight.value.size, np.float32)
    return weight.gradient.ravel()
