"""Steps that come one later, so that an answer doesn't see its own step."""

from dataclasses import dataclass, replace

from skrnn._networks.layers.base import BaseLayer


@dataclass(frozen=True)
class Delay(BaseLayer):
    """Put zeros before the first step and leave the last one out.

    The answer of a layer of one direction at a step then depends only on the steps
    before it.
    """

    parameter = "method"

    def forward(self, run, w, flow, lengths):
        x = flow.steps
        return replace(flow, steps=run.ops.concatenate([x[:1] * 0, x[:-1]], axis=0))

    def step(self, run, w, flow, state):
        x = flow.steps
        return replace(flow, steps=x * 0 if state is None else state), x

    def keras(self, flow, seeds):
        from keras import layers  # noqa: PLC0415

        later = layers.ZeroPadding1D((1, 0), name=self.name)(flow.steps)
        return replace(flow, steps=layers.Cropping1D((0, 1))(later))
