"""From steps to what is answered: each step, or each sequence's last state."""

from dataclasses import dataclass, replace

from skrnn._networks.layers.base import BaseLayer


@dataclass(frozen=True)
class LastState(BaseLayer):
    """Answer a sequence with its last state."""

    parameter = "return_sequences"
    # Users see no layer in it.
    title = ""

    def has_steps(self, before):
        return False

    def described(self):
        return {"return_sequences": False}

    def forward(self, run, w, flow, lengths):
        return replace(flow, answer=flow.state)

    def keras(self, flow, seeds):
        return replace(flow, answer=flow.state)


@dataclass(frozen=True)
class EveryStep(BaseLayer):
    """Answer each step."""

    parameter = "return_sequences"
    # Users see no layer in it.
    title = ""

    def has_steps(self, before):
        return True

    def described(self):
        return {"return_sequences": True}

    def forward(self, run, w, flow, lengths):
        return replace(flow, answer=flow.steps)

    def keras(self, flow, seeds):
        return replace(flow, answer=flow.steps)
