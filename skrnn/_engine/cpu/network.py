"""Training without a framework: the kernels in C, driven batch by batch.

A small network's step takes less time than a framework needs to start its operations,
and nothing has to be traced or compiled first. Only named cells, losses and optimizers
run here.
"""

import threading
from typing import Any

import numpy as np

from skrnn._engine.cpu.autodiff import differentiate
from skrnn._engine.cpu.fused_step import can_step, take_steps
from skrnn._engine.cpu.kernels.layer import Workspace
from skrnn._engine.cpu.losses import loss_formula, loss_name
from skrnn._engine.cpu.program import NativeProgram
from skrnn._engine.cpu.run import CpuRun
from skrnn._networks.forward import forward
from skrnn._networks.weights import weight_table


class Program(NativeProgram):
    """The training of one network; it serves one fit at a time.

    Attributes
    ----------
    logits : list or None
        Gets the outputs of each batch, before the head's activation, if it is a list.
    """

    def __init__(self, spec, loss, optimizer):
        table = weight_table(spec)
        trainable = [row.trainable for row in table]
        super().__init__([row.shape for row in table], optimizer, trainable)
        self.spec, self.loss_name = spec, loss_name(loss, spec.head.activation)
        self.loss = loss_formula(loss, spec.head.activation)
        self.logits: list | None = None

    def train(self, data, order, step_inputs):
        """Train on batches `order`, in one call where the network is a plain one."""
        if can_step(self, data, order):
            return take_steps(self, data, order, step_inputs)
        return super().train(data, order, step_inputs)

    def evaluate(self, data, order):
        """Return the sum of the losses of batches `order` and their number."""
        total, count = 0.0, 0
        with np.errstate(all="ignore"):
            for rows in order:
                batch = Batch(data, rows, self.spec.return_sequences)
                outputs = self._keep_logits(
                    batch.real(self._forward(batch, self._views, None))
                )
                losses, _ = self.loss(batch.targets, outputs)
                total += float(losses @ batch.weights)
                count += len(losses)
        return total, count

    def _keep_logits(self, outputs):
        if self.logits is not None:
            # The next batch is computed in the same place.
            self.logits.append(outputs.copy())
        return outputs

    def _forward(self, batch, weights, masks):
        self._workspace.rewind()
        run = CpuRun(batch.lengths, self._workspace, masks)
        return forward(run, self.spec, weights, batch.x, batch.lengths)[0]

    def _differentiate(self, data, rows, masks):
        """Set the gradients of a batch's mean loss; return the sum and the number."""
        batch = Batch(data, rows, self.spec.return_sequences)
        weights = self._nodes()
        outputs = self._forward(batch, weights, masks)
        real = self._keep_logits(batch.real(outputs.value))
        losses, gradients = self.loss(batch.targets, real)
        gradients = gradients * (batch.weights / len(losses))[:, None]
        differentiate(outputs, batch.spread(gradients, outputs.shape))
        self._keep_gradients(weights)
        return float(losses @ batch.weights), len(losses)


class Predictor:
    """The network with its weights; any number of threads may call it."""

    def __init__(self, spec, weights):
        self._spec, self._of_thread = spec, threading.local()
        self._weights = [np.ascontiguousarray(w, np.float32) for w in weights]

    def __call__(self, sequences):
        """Return the outputs, (B, K) or (T, B, K), and the states (B, units)."""
        workspace = vars(self._of_thread).setdefault("workspace", Workspace())
        workspace.rewind()
        back: Any = slice(None)
        if not sequences.is_uniform:
            longest_first = np.argsort(-sequences.lengths, kind="stable")
            sequences, back = sequences.take(longest_first), np.argsort(longest_first)
        x = sequences.padded()
        run = CpuRun(sequences.lengths, workspace)
        given = self._spec, self._weights, x, sequences.lengths
        with np.errstate(all="ignore"):
            outputs, flow = forward(run, *given)
        return outputs[..., back, :], flow.state[back]


class Batch:
    """The sequences of some rows of a dataset, the longest first, time-major.

    Attributes
    ----------
    x : ndarray of shape (T, B, F), or (T, B) token ids
    lengths : ndarray of shape (B,)
    targets, weights : ndarray of shape (n, K) and (n,)
        One for each sequence, or for each real step with targets for steps.
    """

    def __init__(self, data, rows, of_steps):
        rows = rows[rows >= 0]
        sequences = data.sequences
        lengths = sequences.lengths[rows]
        if not sequences.is_uniform:
            longest_first = np.argsort(-lengths, kind="stable")
            rows, lengths = rows[longest_first], lengths[longest_first]
        steps, self._real = np.arange(lengths[0])[:, None], None
        if lengths[-1] < lengths[0]:
            self._real = steps < lengths
            steps = np.minimum(steps, lengths - 1)
        at = sequences.starts[rows] + steps * sequences.step
        self.x, self.lengths = sequences.values.take(at, axis=0), lengths
        at = data.target_starts[rows]
        self._of_steps = of_steps
        if of_steps:
            at = at + steps
            at = at.ravel() if self._real is None else at[self._real]
        self.targets, self.weights = data.targets.take(at, axis=0), data.weights[at]

    def real(self, outputs):
        """Return outputs (B, K), or those of real steps of (T, B, K): (n, K)."""
        if not self._of_steps:
            return outputs
        if self._real is None:
            return outputs.reshape(-1, outputs.shape[-1])
        return outputs[self._real]

    def spread(self, gradients, shape):
        """Undo `real`: zeros stand at the padding."""
        if self._real is None or not self._of_steps:
            return gradients.reshape(shape)
        whole = np.zeros(shape, np.float32)
        whole[self._real] = gradients
        return whole
