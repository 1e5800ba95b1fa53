"""Training and prediction on PyTorch: plain steps, with the optimizer of Keras."""

import math
from functools import partial

import keras
import numpy as np
import torch

from skrnn._engine.keras.losses import one_a_target
from skrnn._engine.keras.programs.torch_kit import Kit, Noise, count_steps
from skrnn._engine.keras.variables import Variables
from skrnn._networks.forward import forward


def device_sequences(sequences):
    """Hand `Sequences` to PyTorch, on the device that Keras uses."""
    return {
        "values": _tensor(sequences.values),
        "starts": _tensor(np.asarray(sequences.starts)),
        "lengths": _tensor(sequences.lengths),
        "step": int(sequences.step),
    }


class Program(Variables):
    """The training of one network with a loss and an optimizer; nothing is compiled.

    What varies from fit to fit is an argument: `knobs` are the seed, the number of the
    step, learning rates, the limits of gradients and the dropout rates.
    """

    # From any device.
    _as_array = staticmethod(partial(torch.Tensor.numpy, force=True))

    @staticmethod
    def load(dataset):
        """Hand a `Dataset` to PyTorch: the rows once, without windows or padding."""
        return device_sequences(dataset.sequences) | {
            "targets": _tensor(np.asarray(dataset.targets)),
            "weights": _tensor(dataset.weights),
            "target_starts": _tensor(np.asarray(dataset.target_starts)),
        }

    def train(self, data, order, knobs):
        """Train on batches `order` (n_batches, B) of row numbers, -1 for none.

        Returns the sum of the losses, their number, and whether all was finite; from
        the first step on where it wasn't, nothing is changed any more.
        """
        total = count = 0.0
        rates = self.rates(knobs, len(order))
        for i, rows in enumerate(order):
            noise = Noise(knobs["seed"], knobs["step"] + i, knobs)
            sum_, n = self._batch_loss(data, rows, noise, self._values())
            loss = sum_ / max(n, 1)
            trained = [variable.value for variable in self.trained]
            gradients = torch.autograd.grad(loss, trained)
            norms = torch.stack([torch.linalg.vector_norm(g) for g in gradients])
            total, count = total + sum_.item(), count + n
            if not torch.isfinite(loss + norms.sum()):
                return total, count, False
            scales = _scales(norms, knobs)
            with torch.no_grad():
                if self.rate is not None:
                    self.rate.assign(float(rates[i]))
                clipped = [g * s for g, s in zip(gradients, scales, strict=True)]
                self.optimizer.apply(clipped, self.trained)
        return total, count, True

    def evaluate(self, data, order):
        """Return the sum of the losses of batches `order`, and their number."""
        with torch.no_grad():
            found = [
                self._batch_loss(data, rows, None, self._values()) for rows in order
            ]
        return sum(float(total) for total, _ in found), sum(n for _, n in found)

    def _values(self):
        return [variable.value for variable in self.weights]

    def _batch_loss(self, data, rows, noise, weights):
        """Return the weighted sum of a batch's losses and the number of its terms."""
        rows = _tensor(rows[rows >= 0])
        x, lengths, steps = gather(data, rows)
        outputs, _ = forward(Kit(noise), self.spec, weights, x, lengths)
        at = data["target_starts"][rows]
        if self.spec.return_sequences:
            # Real steps alone: nothing is compiled that would ask for one shape.
            real = count_steps(len(x), lengths) < lengths
            at, outputs = (at + steps)[real], outputs[real]
        losses = one_a_target(self.loss(data["targets"][at], outputs), 1)
        return torch.sum(losses * data["weights"][at]), len(at)


def _scales(norms, knobs):
    """Return what gradients are multiplied with: all as one, then each by itself."""
    limit = float(knobs.get("global_clipnorm", math.inf))
    # Infinite limits of infinite norms are none.
    norm = torch.linalg.vector_norm(norms).clamp(1e-30, torch.finfo(norms.dtype).max)
    as_one = (limit / norm).clamp_max(1)
    norms = (norms * as_one).clamp_min(1e-30)
    return as_one * (float(knobs["clipnorm"]) / norms).clamp_max(1)


def gather(data, rows):
    """Return a time-major batch of sequences `rows`: x, lengths, steps (T, B)."""
    lengths = data["lengths"][rows]
    # The last step stands for the padding: it is always there to be read.
    steps = torch.minimum(count_steps(int(lengths.max()), lengths), lengths - 1)
    at = data["starts"][rows] + steps * data["step"]
    return data["values"][at], lengths, steps


def predictor(spec):
    """Return ``f(weights, data, rows) -> outputs, state`` for `spec`."""

    def predict(weights, data, rows):
        weights = [_tensor(weight) for weight in weights]
        with torch.no_grad():
            x, lengths, _ = gather(data, _tensor(rows))
            found = forward(Kit(), spec, weights, x, lengths)
        return [array.numpy(force=True) for array in found]

    return predict


def _tensor(array):
    # A copy, where PyTorch would warn of memory that may only be read.
    return keras.ops.convert_to_tensor(np.require(array, requirements="W"))
