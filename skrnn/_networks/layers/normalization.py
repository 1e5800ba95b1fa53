"""Layer normalisation."""

from dataclasses import dataclass

from skrnn._networks.layers.base import BaseLayer
from skrnn._networks.outline import numbered
from skrnn._networks.weights import Weight

# Added to variances; Keras' default.
EPSILON = 1e-3


@dataclass(frozen=True)
class LayerNorm(BaseLayer):
    """Ba et al. (2016), over the units of each step."""

    parameter = "layer_norm"

    @property
    def label(self):
        return numbered(self.name, "layer_normalization")

    @property
    def title(self):
        return "LayerNormalization"

    def weights(self, width):
        table = [
            Weight(f"{self.name}/gamma", (width,), "ones"),
            Weight(f"{self.name}/beta", (width,), "zeros"),
        ]
        return table, width

    def forward(self, run, w, flow, lengths):
        gamma, beta = w[f"{self.name}/gamma"], w[f"{self.name}/beta"]
        return flow.map(lambda x: run.normalise(x, gamma, beta))

    def keras(self, flow, seeds):
        from keras import layers  # noqa: PLC0415

        name = self.name.replace("/", "_")
        return flow.map(layers.LayerNormalization(epsilon=EPSILON, name=name))


def normalise(ops, x, gamma, beta):
    """Return x with mean 0 and variance 1 on its last axis, times gamma plus beta."""
    centred = x - ops.mean(x, axis=-1, keepdims=True)
    variance = ops.mean(centred * centred, axis=-1, keepdims=True)
    return centred / ops.sqrt(variance + EPSILON) * gamma + beta
