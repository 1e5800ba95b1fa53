"""Training of an encoder and a decoder, on the kernels in C or their plain twins."""

from dataclasses import replace

import numpy as np

from skrnn._engine.cpu.autodiff import differentiate
from skrnn._engine.cpu.decoder_state import DecoderState
from skrnn._engine.cpu.kernels.layer import Workspace
from skrnn._engine.cpu.losses import loss_formula
from skrnn._engine.cpu.program import NativeProgram
from skrnn._engine.cpu.run import CpuRun
from skrnn._networks.encoder_decoder import answer, decode, encode, memory_of
from skrnn._networks.weights import weight_table


class PairProgram(NativeProgram):
    """The training of one encoder and decoder; it serves one fit at a time.

    The decoder reads true outputs as long as `teacher_forcing` is 1. Below, each step's
    input is the true one with that probability only, and else what the decoder itself
    has just put out (scheduled sampling, Bengio et al., 2015): it is first run step by
    step without gradients to find these inputs, then over all steps at once with them.
    """

    def __init__(self, spec, loss, optimizer, teacher_forcing):
        table = weight_table(spec)
        super().__init__([row.shape for row in table], optimizer)
        self._names = [row.name for row in table]
        self.spec, self.teacher_forcing = spec, teacher_forcing
        self.loss = loss_formula(loss, spec.head.activation)
        self._workspace_of_steps = Workspace()

    def evaluate(self, data, order):
        """Return the sum of the losses of batches `order` and their number.

        Numbers are predicted from numbers predicted before, as they will be; the
        likelihood of labels is that after the true ones.
        """
        total, count = 0.0, 0
        forced = self.spec.n_labels is not None
        w = dict(zip(self._names, self._views, strict=True))
        with np.errstate(all="ignore"):
            for rows in order:
                batch = PairBatch(self.spec, data, rows)
                keep = batch.known if forced else None
                own = not forced or keep is not None
                fed = self._own_inputs(batch, w, keep) if own else batch.truth
                outputs = self._outputs(batch, fed, w, None)
                losses, _ = self.loss(batch.targets, outputs)
                total += float(losses @ batch.weights)
                count += len(losses)
        return total, count

    def _differentiate(self, data, rows, masks):
        """Set the gradients of a batch's mean loss; return the sum and the number."""
        batch = PairBatch(self.spec, data, rows)
        fed, keep = None, batch.known
        if self.teacher_forcing < 1:
            coins = masks.uniform(batch.truth.shape[:2]) < self.teacher_forcing
            keep = coins if keep is None else coins & keep
        if keep is not None:
            plain = dict(zip(self._names, self._views, strict=True))
            fed = self._own_inputs(batch, plain, keep)
        nodes = self._nodes()
        w = dict(zip(self._names, nodes, strict=True))
        fed = batch.truth if fed is None else fed
        outputs = self._outputs(batch, fed, w, masks)
        losses, gradients = self.loss(batch.targets, outputs.value)
        differentiate(outputs, gradients * (batch.weights / len(losses))[:, None])
        self._keep_gradients(nodes)
        return float(losses @ batch.weights), len(losses)

    def _outputs(self, batch, fed, w, masks):
        """Return what the decoder puts out at all real steps: (n, K)."""
        spec = self.spec
        self._workspace.rewind()
        run = CpuRun(batch.lengths, self._workspace, masks)
        memory, states = _encode(run, spec, w, batch)
        # The outputs have lengths, and so an order, of their own.
        run = CpuRun(batch.output_lengths, self._workspace, masks)
        known = fed, batch.future, states, memory, batch.output_lengths
        x = decode(run, spec, w, *known)
        return answer(run, spec, w, x[batch.real])

    def _own_inputs(self, batch, w, coins):
        """Return the decoder's inputs: the true ones at `coins`, its own elsewhere."""
        spec = self.spec
        self._workspace.rewind()
        run = CpuRun(batch.lengths, self._workspace)
        memory, states = _encode(run, spec, w, batch)
        steps = DecoderState(spec, w, memory, states, self._workspace_of_steps)
        fed = np.array(batch.truth)
        for t in range(len(fed) - 1):
            future = None if batch.future is None else batch.future[t]
            own = steps.best(steps.next(fed[t], future, first=t == 0))
            keep = None if coins is None else coins[t + 1]
            if keep is not None and own.ndim == 2:
                keep = keep[:, None]
            fed[t + 1] = own if keep is None else np.where(keep, fed[t + 1], own)
        return fed


def _encode(run, spec, w, batch):
    """Return the memory and the states, in the order of the batch's outputs."""
    outputs, states = encode(run, spec, w, batch.x, batch.lengths)
    memory, order = None, batch.order
    if spec.attention is not None:
        mask = run.real_steps(outputs, batch.lengths)
        memory = memory_of(run, spec, w, outputs[:, order], mask[:, order])
    return memory, [tuple(state[order] for state in layer) for layer in states]


class PairBatch:
    """The pairs of some rows, time-major: inputs and outputs, each the longest first.

    Attributes
    ----------
    x : ndarray of shape (T, B, F), or (T, B) token ids
    lengths : ndarray of shape (B,)
    order : ndarray of shape (B,)
        Where the output's sequences stand among the inputs'.
    output_lengths : ndarray of shape (B,)
    truth : ndarray of shape (H, B) or (H, B, K)
        The output before each step.
    future : ndarray of shape (H, B, F) or None
    known : ndarray of bool of shape (H, B), or None
        Where the output before a step may be read; None where that makes no difference.
    real : ndarray of bool of shape (H, B)
        Steps that aren't padding.
    targets, weights : ndarray of shape (n, K) and (n,)
        Of the n real steps.
    """

    def __init__(self, spec, data, rows):
        rows = rows[rows >= 0]
        rows = rows[np.argsort(-data.inputs.lengths[rows], kind="stable")]
        self.lengths = data.inputs.lengths[rows]
        self.x = data.inputs.take(rows).padded()
        lengths = data.outputs.lengths[rows]
        self.order = np.argsort(-lengths, kind="stable")
        rows, self.output_lengths = rows[self.order], lengths[self.order]
        outputs = data.outputs.take(rows).padded()
        self.truth = np.empty_like(outputs)
        self.truth[1:] = outputs[:-1]
        self.truth[0] = 0 if spec.n_labels is None else spec.start
        self.future = None
        if data.future is not None:
            self.future = np.moveaxis(data.future[rows], 1, 0)
        self.real = np.arange(len(outputs))[:, None] < self.output_lengths
        self.targets = outputs[self.real].reshape(self.real.sum(), -1)
        weights = np.broadcast_to(data.weights[rows], self.real.shape)
        self.weights = weights[self.real]
        if data.step_weights is not None:
            factors = replace(data.outputs.take(rows), values=data.step_weights)
            self.weights = self.weights * factors.padded()[self.real]
        self.known = None
        if data.known is not None:
            known = replace(data.outputs.take(rows), values=data.known).padded()
            self.known = _before(known, known & self.real)


def _before(known, counted):
    """Return whether the output before each step is known, (H, B).

    It is None if nothing that counts comes after what isn't: masks at the ends cost no
    second pass.
    """
    before = np.ones_like(known)
    before[1:] = known[:-1]
    rest = np.maximum.accumulate(counted[::-1])[::-1]
    return None if (before | ~rest).all() else before
