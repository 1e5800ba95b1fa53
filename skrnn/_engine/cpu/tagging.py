"""Training of chains of labels: the likelihood of whole sequences as the loss."""

import numpy as np

from skrnn._engine.cpu.autodiff import apply, differentiate, value_of
from skrnn._engine.cpu.kernels.crf import likelihood
from skrnn._engine.cpu.network import NetworkProgram
from skrnn._networks.crf import Chain
from skrnn._networks.forward import named_weights


class CrfProgram(NetworkProgram):
    """The training of a network whose head is a chain of labels.

    A sequence's loss is the negative log-likelihood of its labels, times the weight of
    its known steps. A step of weight 0 may have any label. Losses count by steps, like
    those of other networks with an answer for each step.
    """

    def evaluate(self, data, order):
        total, count = 0.0, 0
        with np.errstate(all="ignore"):
            for rows in order:
                batch = data.gather(rows)
                x = self._forward(batch, self._views, None)
                self._keep_logits(batch.real(x))
                chain = Chain.of(named_weights(self.spec, self._views))
                total += float(loss_of_chains(batch, x, chain)[0].sum())
                count += int(batch.present.sum())
        return total, count

    def _differentiate(self, data, rows, masks):
        batch = data.gather(rows)
        weights = self._nodes()
        x = self._forward(batch, weights, masks)
        self._keep_logits(batch.real(value_of(x)))
        chain, count = Chain.of(named_weights(self.spec, weights)), batch.present.sum()
        total = []

        def rule(x, transitions, start, end):
            losses, dx, d_chain = loss_of_chains(
                batch, x, Chain(transitions, start, end)
            )
            total.append(float(losses.sum()))
            parts = [part.astype(np.float32) for part in (dx, *d_chain)]
            return losses.astype(np.float32), lambda g: [g[0] * part for part in parts]

        losses = apply(rule, x, chain.transitions, chain.start, chain.end)
        # The same for all of them: the rule takes the first one.
        share = np.full(len(losses.value), 1 / count, np.float32)
        differentiate(losses, share)
        self._keep_gradients(weights)
        return total[0], int(count)


def loss_of_chains(batch, x, chain, factors=1):
    """Return losses (B,) of a batch's sequences, times factors (B,), and gradients."""
    weights, lengths = batch.weights, batch.inputs["lengths"]
    labels = np.where(weights > 0, batch.targets[..., 0], -1)
    of_each = weights.max(axis=0, where=batch.present, initial=0)
    return likelihood(x, labels, lengths, chain, of_each * factors)
