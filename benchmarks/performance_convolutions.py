"""Convolutions before a recurrent layer, for `performance.py`, and PyTorch's loop.

PyTorch's network is what its users would write of the same layers: `Conv1d`,
`BatchNorm1d`, `MaxPool1d` and `LSTM`, with the mean of the last convolution beside the
last state.
"""

import itertools

import numpy as np
from performance_networks import Network

RATE = 3e-3
# (T, batch) of networks with two convolutions of 64 filters.
SIZES = (30, 16), (100, 16), (100, 32), (427, 16), (427, 32)
NETWORKS = [
    Network(
        f"T={steps}, batch {batch}",
        "binary",
        params={"conv_filters": (64, 64)},
        steps=steps,
        batch=batch,
        features=1,
    )
    for steps, batch in SIZES
]
# As the estimators have them by default.
KERNEL_SIZE, POOL_SIZE = 8, 3


class TorchConvolutions:
    """The loop that PyTorch's users write."""

    def network_trainer(self, network):
        torch, (X, _, y) = self.torch, network.data()
        X, y = torch.from_numpy(X), torch.from_numpy(np.float32(y))[:, None]
        model = self._convolved(network)
        optimizer = torch.optim.Adam(model.parameters(), RATE)
        losses = {"binary": torch.nn.BCEWithLogitsLoss, "numbers": torch.nn.MSELoss}
        criterion = losses[network.task]()

        def train(epochs):
            for _ in range(epochs):
                for rows in torch.randperm(len(X)).split(network.batch):
                    optimizer.zero_grad()
                    criterion(model(X[rows]), y[rows]).backward()
                    optimizer.step()

        return train

    def _convolved(self, network):
        torch, nn = self.torch, self.torch.nn
        widths = [network.features, *network.params["conv_filters"]]

        class Convolved(nn.Module):
            def __init__(self):
                super().__init__()
                layers = []
                for before, after in itertools.pairwise(widths):
                    # An even number of steps can't stand around one in the middle.
                    layers.append(nn.ConstantPad1d((3, 4), 0.0))
                    layers.append(nn.Conv1d(before, after, KERNEL_SIZE))
                    layers += [nn.BatchNorm1d(after), nn.ReLU()]
                    layers.append(nn.MaxPool1d(POOL_SIZE, ceil_mode=True))
                self.convolutions = nn.Sequential(*layers)
                units = network.units[-1]
                self.recurrent = nn.LSTM(widths[-1], units, batch_first=True)
                self.head = nn.Linear(units + widths[-1], 1)

            def forward(self, X):
                steps = self.convolutions(X.transpose(1, 2))
                last = self.recurrent(steps.transpose(1, 2))[0][:, -1]
                return self.head(torch.cat([last, steps.mean(2)], 1))

        return Convolved()
