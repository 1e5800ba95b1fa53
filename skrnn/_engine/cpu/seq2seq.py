"""Training of an encoder and a decoder, on the kernels in C or their reference."""

import numpy as np

from skrnn._engine.cpu.autodiff import differentiate
from skrnn._engine.cpu.decoder_state import DecoderState
from skrnn._engine.cpu.kernels.layer import Workspace
from skrnn._engine.cpu.program import CpuProgram
from skrnn._engine.cpu.run import CpuRun, PredictingRun
from skrnn._networks.encoder_decoder import answer, decode, encode, memory_of
from skrnn._networks.losses import loss_at_outputs
from skrnn._networks.weights import weight_table


class Seq2SeqProgram(CpuProgram):
    """The training of one encoder and decoder; it serves one fit at a time.

    The decoder reads true outputs if `teacher_forcing` is 1. Below 1, each step's input
    is the true one with that probability, and otherwise the decoder's own last output
    (scheduled sampling, Bengio et al., 2015): the decoder first runs step by step
    without gradients to find these inputs, and then over all steps at once.
    """

    def __init__(self, spec, loss, optimizer):
        table = weight_table(spec)
        self.spec, self._names = spec, [row.name for row in table]
        trainable = [row.trainable for row in table]
        super().__init__([row.shape for row in table], optimizer, trainable)
        self._workspace_of_steps = Workspace()
        self.loss = loss or loss_at_outputs(spec.head)

    def evaluate(self, data, order):
        """Return the sum of the losses of batches `order` and their number.

        Numbers are predicted from predicted numbers, as in prediction; the likelihood
        of labels is that after the true ones.
        """
        total, count = 0.0, 0
        forced = self.spec.n_labels is not None
        w = dict(zip(self._names, self._views, strict=True))
        with np.errstate(all="ignore"):
            for rows in order:
                batch = data.gather(rows)
                keep = batch.inputs.get("known") if forced else None
                own = not forced or keep is not None
                before = batch.inputs["before"]
                fed = self._own_inputs(batch, w, keep) if own else before
                outputs = self._outputs(batch, fed, w, None)
                losses, _ = self.loss(batch.real(batch.targets), outputs)
                total += float(losses @ batch.real(batch.weights))
                count += len(losses)
        return total, count

    def _differentiate(self, data, rows, masks):
        """Set the gradients of a batch's mean loss; return the sum and the number."""
        batch = data.gather(rows)
        fed, keep = batch.inputs["before"], batch.inputs.get("known")
        if self.teacher_forcing < 1:
            coins = masks.uniform(fed.shape[:2]) < self.teacher_forcing
            keep = coins if keep is None else coins & keep
        if keep is not None:
            plain = dict(zip(self._names, self._views, strict=True))
            fed = self._own_inputs(batch, plain, keep)
        nodes = self._nodes()
        w = dict(zip(self._names, nodes, strict=True))
        outputs = self._outputs(batch, fed, w, masks)
        targets, own = batch.real(batch.targets), batch.real(batch.weights)
        losses, gradients = self.loss(targets, outputs.value)
        differentiate(outputs, gradients * (own / len(losses))[:, None])
        self._keep_gradients(nodes)
        return float(losses @ own), len(losses)

    def _outputs(self, batch, fed, w, masks):
        """Return the decoder's outputs at all real steps: (n, K)."""
        spec = self.spec
        run = CpuRun(batch.inputs["lengths"], self._workspace, masks)
        self._workspace.rewind()
        memory, states = _encode(run, spec, w, batch)
        # The outputs have lengths, and so an order, of their own.
        lengths = batch.inputs["output_lengths"]
        run = CpuRun(lengths, self._workspace, masks)
        known = fed, batch.inputs.get("future"), states, memory, lengths
        x, _ = decode(run, spec, w, *known)
        return answer(run, spec, w, x[batch.present])

    def _own_inputs(self, batch, w, coins):
        """Return the decoder's inputs: the true ones at `coins`, its own elsewhere."""
        spec = self.spec
        run = PredictingRun(batch.inputs["lengths"], self._workspace)
        self._workspace.rewind()
        memory, states = _encode(run, spec, w, batch)
        steps = DecoderState(spec, w, memory, states, self._workspace_of_steps)
        fed, future = np.array(batch.inputs["before"]), batch.inputs.get("future")
        for t in range(len(fed) - 1):
            known = None if future is None else future[t]
            own = steps.best(steps.next(fed[t], known, first=t == 0))
            keep = None if coins is None else coins[t + 1]
            if keep is not None and own.ndim == 2:
                keep = keep[:, None]
            fed[t + 1] = own if keep is None else np.where(keep, fed[t + 1], own)
        return fed


def _encode(run, spec, w, batch):
    """Return the memory and the states, in the order of the batch's outputs."""
    x, lengths, order = [batch.inputs[name] for name in ("x", "lengths", "order")]
    outputs, states = encode(run, spec, w, x, lengths)
    memory = None
    if spec.attention is not None:
        mask = run.real_steps(outputs, lengths)
        memory = memory_of(run, spec, w, outputs[:, order], mask[:, order])
    return memory, [[state[order] for state in layer] for layer in states]
