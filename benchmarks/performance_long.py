"""Long sequences and memories for `performance.py`, and PyTorch's formulas of the same.

A minGRU is beside a GRU of ours, and beside what PyTorch's users write: the scan over
time in the space of logarithms, as the authors of minGRU publish it. It needs positive
candidates, so they are sigmoids there. A Neural Turing Machine is the same formula,
step by step. Keras trains the estimator's `model_`, whose layer is a loop over the
steps.
"""

from dataclasses import dataclass

from performance_networks import Network

RATE = 1e-3
SIZE = {"batch": 16, "features": 2}


@dataclass(frozen=True)
class Recurrence(Network):
    """One recurrent layer, with few batches: each takes long."""

    @property
    def batches(self):
        return min(8, max(2, 8_000 // self.steps))


LONG = {
    steps: {
        cell: Recurrence(f"{cell}, T={steps:,}", cell=cell, steps=steps, **SIZE)
        for cell in ("mingru", "gru")
    }
    for steps in (1_000, 10_000)
}
SLOTS, WIDTH = 128, 20
MACHINE = Recurrence(
    "NTM, T=40",
    "numbers",
    cell="ntm",
    units=(32,),
    params={"memory": (SLOTS, WIDTH)},
    steps=40,
    batch=16,
    features=9,
)


class TorchRecurrences:
    """The loop that PyTorch's users write."""

    def recurrence(self, network):
        torch, (X, _, y) = self.torch, network.data()
        X, y = torch.from_numpy(X), torch.from_numpy(y)[:, None]
        layers = {"mingru": self._min_gru, "ntm": self._machine}
        layer, units = layers[network.cell](network), network.units[-1]
        head = torch.nn.Linear(units, 1)
        weights = [*layer.parameters(), *head.parameters()]
        optimizer = torch.optim.Adam(weights, RATE)

        def train(epochs):
            for _ in range(epochs):
                for rows in torch.randperm(len(X)).split(network.batch):
                    optimizer.zero_grad()
                    torch.nn.functional.mse_loss(
                        head(layer(X[rows])), y[rows]
                    ).backward()
                    optimizer.step()

        return train

    def _min_gru(self, network):
        torch, nn, units = self.torch, self.torch.nn, network.units[-1]
        softplus = nn.functional.softplus

        class MinGRU(nn.Module):
            def __init__(self):
                super().__init__()
                self.gates = nn.Linear(network.features, 2 * units)

            def forward(self, X):
                z, g = self.gates(X).chunk(2, 2)
                # The sum of z g over the steps before, times all (1 - z) after each.
                kept = torch.cumsum(-softplus(z), 1)
                added = -softplus(-z) - softplus(-g)
                return torch.exp(kept + torch.logcumsumexp(added - kept, 1))[:, -1]

        return MinGRU()

    def _machine(self, network):
        torch, nn, units = self.torch, self.torch.nn, network.units[-1]
        told = WIDTH + 6

        class Machine(nn.Module):
            def __init__(self):
                super().__init__()
                self.controller = nn.LSTMCell(network.features + WIDTH, units)
                self.heads = nn.Linear(units, 2 * told + 2 * WIDTH)
                self.output = nn.Linear(WIDTH, units, bias=False)
                self.first = nn.Parameter(torch.zeros(2, SLOTS))

            def forward(self, X):
                n = len(X)
                h = c = X.new_zeros(n, units)
                read, memory = (
                    X.new_zeros(n, WIDTH),
                    X.new_full((n, SLOTS, WIDTH), 1e-6),
                )
                shares = list(torch.softmax(self.first, 1)[:, None].expand(2, n, SLOTS))
                for t in range(X.shape[1]):
                    h, c = self.controller(torch.cat([X[:, t], read], 1), (h, c))
                    asked = self.heads(h).split([told, told, WIDTH, WIDTH], 1)
                    for i in range(2):
                        shares[i] = address(torch, asked[i], memory, shares[i])
                    read = (shares[0][:, None] @ memory)[:, 0]
                    at, erase = shares[1][:, :, None], torch.sigmoid(asked[2])
                    memory = memory * (1 - at * erase[:, None])
                    memory = memory + at * torch.tanh(asked[3])[:, None]
                return h + self.output(read)

        return Machine()


def address(torch, asked, memory, before):
    """Return a head's share of each slot, (B, slots), from those `before`."""
    softplus = torch.nn.functional.softplus
    key, strength, gate, shifts, sharpness = asked.split([WIDTH, 1, 1, 3, 1], 1)
    alike = torch.cosine_similarity(memory, torch.tanh(key)[:, None], 2)
    gate, content = torch.sigmoid(gate), torch.softmax(softplus(strength) * alike, 1)
    mixed, s = gate * content + (1 - gate) * before, torch.softmax(shifts, 1)
    moved = (
        s[:, :1] * mixed.roll(-1, 1) + s[:, 1:2] * mixed + s[:, 2:] * mixed.roll(1, 1)
    )
    logs = torch.log(moved.clamp_min(1e-12))
    return torch.softmax((1 + softplus(sharpness)) * logs, 1)
