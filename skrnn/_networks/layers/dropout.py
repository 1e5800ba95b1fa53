"""Dropout: a share of the entries is zero in training."""

from dataclasses import dataclass, replace

from skrnn._networks.layers.base import BaseLayer


@dataclass(frozen=True)
class Dropout(BaseLayer):
    """Drop a share of what comes in (Srivastava et al., 2014)."""

    rate: float

    parameter = "dropout"

    @property
    def title(self):
        return f"Dropout, {self.rate:g}"

    @property
    def rates(self):
        return {"dropout": self.rate}

    def with_any_rate(self):
        return replace(self, rate=1.0)

    def without_rates(self):
        return None

    def described(self):
        return None

    def forward(self, run, w, flow, lengths):
        return flow.map(lambda x: run.dropout(x, "dropout"))

    def keras(self, flow, seeds):
        from keras import layers  # noqa: PLC0415

        return flow.map(layers.Dropout(self.rate, seed=next(seeds)))
