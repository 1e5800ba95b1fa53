"""From steps to answers: for each step, or from each sequence's last state."""

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
        return flow.answered(flow.state)

    def keras(self, flow, seeds):
        return flow.answered(flow.state)


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
        return flow.answered(flow.steps)

    def keras(self, flow, seeds):
        return flow.answered(flow.steps)


# How a sequence's steps become one vector.
POOLINGS = ("mean", "max", "last")


@dataclass(frozen=True)
class StepPooling(BaseLayer):
    """Pool the steps of a sequence into one vector, its state.

    Attributes
    ----------
    kind : str
        One of `POOLINGS`: over the real steps, or the last one of them.
    """

    kind: str

    parameter = "pooling"
    parameters = {"kind": "pooling"}

    @property
    def title(self):
        return f"Pooling, {self.kind}"

    def has_steps(self, before):
        return before

    def forward(self, run, w, flow, lengths):
        x, ops = flow.steps, run.ops
        if self.kind == "last":
            return replace(flow, state=run.last(x, lengths))
        real = run.real_steps(x, lengths)[..., None]
        if self.kind == "max":
            return replace(flow, state=ops.max(ops.where(real, x, -1e9), axis=0))
        total = ops.sum(ops.where(real, x, 0.0), axis=0)
        count = ops.sum(ops.where(real, 1.0, 0.0), axis=0)
        return replace(flow, state=total / count)

    def step(self, run, w, flow, state):
        x = flow.steps
        if self.kind == "last":
            return replace(flow, state=x), None
        if self.kind == "max":
            x = x if state is None else run.ops.maximum(state, x)
            return replace(flow, state=x), x
        total, n = (x, 1) if state is None else (state[0] + x, state[1] + 1)
        return replace(flow, state=total / n), (total, n)

    def keras(self, flow, seeds):
        from keras import ops  # noqa: PLC0415

        x = flow.steps
        if self.kind == "last":
            return replace(flow, state=x[:, -1])
        return replace(flow, state=getattr(ops, self.kind)(x, axis=1))
