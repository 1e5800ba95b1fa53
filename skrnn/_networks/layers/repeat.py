"""A sequence's last state as a few numbers, and again at each of its steps."""

from dataclasses import dataclass

from skrnn._networks.layers.base import BaseLayer, Flow
from skrnn._networks.layers.dense import Dense


@dataclass(frozen=True)
class Code(Dense):
    """Compress the last state into the few numbers that the decoder may read."""

    parameter = "method"
    parameters = {"units": "latent_dim", "activation": None}

    @property
    def streams(self):
        return False

    def has_steps(self, before):
        return False


@dataclass(frozen=True)
class Repeat(BaseLayer):
    """Let each step read the last state and nothing else: a decoder begins here."""

    parameter = "method"

    @property
    def streams(self):
        return False

    def has_steps(self, before):
        return True

    def forward(self, run, w, flow, lengths):
        # It has as many steps as the input.
        return Flow(flow.state[None] + flow.steps * 0)

    def keras(self, flow, seeds):
        from keras import ops  # noqa: PLC0415

        return Flow(ops.expand_dims(flow.state, 1) + flow.steps * 0)
