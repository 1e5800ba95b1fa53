"""Training without a framework: the kernels in C, driven batch by batch.

A small network's step takes less time than a framework needs to start its operations,
and nothing has to be traced or compiled first. A loss or an optimizer of the user's own
comes from the modules that know Keras.
"""

import threading
from typing import Any

import numpy as np

from skrnn._engine.cpu.autodiff import differentiate
from skrnn._engine.cpu.fused_step import fused_step
from skrnn._engine.cpu.kernels.layer import Workspace
from skrnn._engine.cpu.program import CpuProgram
from skrnn._engine.cpu.run import CpuRun, PredictingRun
from skrnn._networks.forward import forward
from skrnn._networks.losses import loss_at_outputs
from skrnn._networks.weights import weight_table


class NetworkProgram(CpuProgram):
    """The training of one network; it serves one fit at a time.

    Parameters
    ----------
    spec : NetworkSpec
    loss : callable or None
        ``f(y, z) -> losses (n,), gradients (n, K)``; None for the loss of the head.
    optimizer : str or object
        As `make_optimizer` takes it.

    Attributes
    ----------
    fused : FusedStep or None
        Whole steps in C, if the network is a plain one.
    logits : list or None
        Gets the outputs of each batch, before the head's activation, if it is a list.
    """

    def __init__(self, spec, loss, optimizer):
        table = weight_table(spec)
        trainable = [row.trainable for row in table]
        super().__init__([row.shape for row in table], optimizer, trainable)
        self.spec, self.fused = spec, None if loss else fused_step(spec)
        self.loss = loss or loss_at_outputs(spec.head)
        self.logits: list | None = None
        self._numbers = {row.name: i for i, row in enumerate(table)}

    def train(self, data, order, step_inputs):
        """Train on batches `order`, in one call if the network is a plain one."""
        given = data, order, step_inputs
        found = self.fused.train(self, *given) if self.fused is not None else None
        return found or super().train(*given)

    def evaluate(self, data, order):
        """Return the sum of the losses of batches `order` and their number."""
        total, count = 0.0, 0
        with np.errstate(all="ignore"):
            for rows in order:
                batch = data.gather(rows)
                outputs = self._keep_logits(
                    batch.real(self._forward(batch, self._views, None))
                )
                losses, _ = self.loss(batch.real(batch.targets), outputs)
                total += float(losses @ batch.real(batch.weights))
                count += len(losses)
        return total, count

    def _keep_logits(self, outputs):
        if self.logits is not None:
            # The next batch is computed in the same place.
            self.logits.append(outputs.copy())
        return outputs

    def _forward(self, batch, weights, masks):
        x, lengths = batch.inputs["x"], batch.inputs["lengths"]
        run = CpuRun(lengths, self._workspace, masks)
        self._workspace.rewind()
        if masks is not None:
            masks.present = batch.rows_present
        outputs = forward(run, self.spec, weights, x, lengths)[0]
        if masks is not None:
            found = masks.statistics.items()
            self._statistics = {self._numbers[name]: value for name, value in found}
        return outputs

    def _differentiate(self, data, rows, masks):
        """Set the gradients of a batch's mean loss; return the sum and the number."""
        batch = data.gather(rows)
        weights = self._nodes()
        outputs = self._forward(batch, weights, masks)
        real = self._keep_logits(batch.real(outputs.value))
        targets, own = batch.real(batch.targets), batch.real(batch.weights)
        losses, gradients = self.loss(targets, real)
        gradients = gradients * (own / len(losses))[:, None]
        differentiate(outputs, batch.spread(gradients, outputs.shape))
        self._keep_gradients(weights)
        return float(losses @ own), len(losses)


class Predictor:
    """The network with its weights; any number of threads may call it."""

    def __init__(self, spec, weights):
        self._spec, self._of_thread = spec, threading.local()
        self._weights = [np.ascontiguousarray(w, np.float32) for w in weights]

    def __call__(self, sequences):
        """Return the outputs, (B, K) or (T, B, K), and the states (B, units)."""
        workspace = getattr(self._of_thread, "workspace", None)
        if workspace is None:
            workspace = self._of_thread.workspace = Workspace()
        else:
            workspace.rewind()
        back: Any = slice(None)
        if not sequences.is_uniform:
            longest_first = np.argsort(-sequences.lengths, kind="stable")
            sequences, back = sequences.take(longest_first), np.argsort(longest_first)
        x = sequences.padded()
        run = PredictingRun(sequences.lengths, workspace)
        given = self._spec, self._weights, x, sequences.lengths
        with np.errstate(all="ignore"):
            outputs, flow = forward(run, *given)
        return outputs[..., back, :], flow.state[back]
