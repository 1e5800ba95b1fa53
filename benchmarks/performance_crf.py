"""Taggers with a CRF for `performance.py`: our `fit`, and the loop in PyTorch.

PyTorch's users take the forward algorithm step by step over the batch, as the packages
for it do: the same formula, with its gradient by backpropagation.
"""

from dataclasses import dataclass

import numpy as np

RATE = 3e-3


@dataclass(frozen=True)
class Tagging:
    """A tagger that reads in both directions, and what it learns."""

    labels: int = 23
    steps: int = 30
    units: int = 50
    batch: int = 32
    batches: int = 30
    features: int = 16
    crf: bool = True

    def data(self):
        """Return X (n, T, F) and y (n, T)."""
        rng, n = np.random.default_rng(0), self.batch * self.batches
        X = rng.standard_normal((n, self.steps, self.features), np.float32)
        labels = np.arange(n * self.steps) % self.labels
        return X, rng.permutation(labels).reshape(n, self.steps)


class OurTaggers:
    """Our `fit`."""

    def tagger(self, tagging):
        from skrnn import LSTMClassifier

        model = LSTMClassifier(
            units=tagging.units,
            bidirectional=True,
            return_sequences=True,
            crf=tagging.crf,
            batch_size=tagging.batch,
            learning_rate=RATE,
            early_stopping=False,
            random_state=0,
        )
        X, y = tagging.data()
        return lambda epochs: model.set_params(epochs=epochs).fit(X, y)


class TorchTaggers:
    """The loop that PyTorch's users write."""

    def tagger(self, tagging):
        torch, (X, y) = self.torch, tagging.data()
        X, y = torch.from_numpy(X), torch.from_numpy(y)
        size = tagging.features, tagging.units
        lstm = torch.nn.LSTM(*size, batch_first=True, bidirectional=True)
        head = torch.nn.Linear(2 * tagging.units, tagging.labels)
        chain = [torch.zeros(tagging.labels, requires_grad=True) for _ in range(2)]
        chain.append(torch.zeros((tagging.labels,) * 2, requires_grad=True))
        weights = [*lstm.parameters(), *head.parameters(), *chain]
        optimizer = torch.optim.Adam(weights, RATE)

        def loss(rows):
            x, tags = head(lstm(X[rows])[0]), y[rows]
            if tagging.crf:
                return loss_of_chains(torch, x, tags, *chain) / tags.numel()
            return torch.nn.functional.cross_entropy(x.flatten(0, 1), tags.flatten())

        def train(epochs):
            for _ in range(epochs):
                for rows in torch.randperm(len(X)).split(tagging.batch):
                    optimizer.zero_grad()
                    loss(rows).backward()
                    optimizer.step()

        return train


def loss_of_chains(torch, x, tags, start, end, transitions):
    """Return the sum of the negative log-likelihoods of tags (B, T)."""
    score = x.gather(2, tags[..., None]).sum() + start[tags[:, 0]].sum()
    score = (
        score + transitions[tags[:, :-1], tags[:, 1:]].sum() + end[tags[:, -1]].sum()
    )
    sums = start + x[:, 0]
    for t in range(1, x.shape[1]):
        sums = torch.logsumexp(sums[:, :, None] + transitions, 1) + x[:, t]
    return torch.logsumexp(sums + end, 1).sum() - score
