"""Dense layers."""

from dataclasses import dataclass

from skrnn._networks.activations import ACTIVATIONS
from skrnn._networks.layers.base import BaseLayer
from skrnn._networks.weights import Weight


@dataclass(frozen=True)
class Dense(BaseLayer):
    """``activation(x @ kernel + bias)``."""

    units: int
    activation: str = "linear"

    parameter = "dense_units"
    parameters = {"units": "dense_units"}

    @property
    def title(self):
        return f"Dense, {self.activation}"

    def weights(self, width):
        return dense_weights(self.name, width, self.units), self.units

    def forward(self, run, w, flow, lengths):
        activate = ACTIVATIONS[self.activation]
        return flow.map(lambda x: activate(run.ops, dense(run, w, self.name, x)))

    def keras(self, flow, seeds):
        from skrnn._networks.keras.parts import dense  # noqa: PLC0415

        return flow.map(dense(self.units, self.activation, self.name, seeds))


def dense_weights(name, width, units, trains_bias=True):
    """List the weights of a dense layer."""
    return [
        Weight(f"{name}/kernel", (width, units), "glorot"),
        Weight(f"{name}/bias", (units,), "zeros", trains_bias),
    ]


def dense(run, w, name, x):
    """Return ``x @ kernel + bias``."""
    return run.ops.matmul(x, w[f"{name}/kernel"]) + w[f"{name}/bias"]
