"""Transformers for `performance.py`: our `fit`, Keras' own of the same, and PyTorch.

Keras trains the estimator's `model_`, PyTorch its own `TransformerEncoder` of the same
sizes, which normalises before each part as ours does, under the loop that its users
write. Nothing is dropped, or each would draw other numbers in its own way.
"""

from dataclasses import dataclass

import numpy as np

RATE = 1e-3
N_HEADS, N_LAYERS = 4, 2


@dataclass(frozen=True)
class Encoding:
    """A Transformer of two blocks and four heads, and what it learns."""

    d_model: int = 32
    steps: int = 50
    batch: int = 32
    batches: int = 20
    features: int = 8

    def data(self):
        """Return X (n, T, F) and y (n,)."""
        rng, n = np.random.default_rng(0), self.batch * self.batches
        X = rng.standard_normal((n, self.steps, self.features), np.float32)
        return X, X.sum(axis=(1, 2))


class OurTransformers:
    """Our `fit`, which clips the gradients too."""

    def encoder(self, encoding):
        model, X, y = made(encoding)
        return lambda epochs: model.set_params(epochs=epochs).fit(X, y)


class TransformersOfKeras:
    """Keras' `fit` of `model_`."""

    def encoder(self, encoding):
        model, X, y = made(encoding)
        network = model.set_params(epochs=1).fit(X, y).model_
        network.compile(self.keras.optimizers.Adam(RATE), "mean_squared_error")
        options = {"batch_size": encoding.batch, "verbose": 0}
        return lambda epochs: network.fit(X, y, epochs=epochs, **options)


class TorchTransformers:
    """The loop that PyTorch's users write."""

    def encoder(self, encoding):
        torch, nn, (X, y) = self.torch, self.torch.nn, encoding.data()
        X, y, d = torch.from_numpy(X), torch.from_numpy(y), encoding.d_model
        options = {"batch_first": True, "norm_first": True, "dropout": 0.0}
        layer = nn.TransformerEncoderLayer(d, N_HEADS, 2 * d, **options)
        blocks = nn.TransformerEncoder(
            layer, N_LAYERS, norm=nn.LayerNorm(d), enable_nested_tensor=False
        )
        first, head = nn.Linear(encoding.features, d), nn.Linear(d, 1)
        parts = nn.ModuleList([first, blocks, head])
        optimizer = torch.optim.Adam(parts.parameters(), RATE)

        def train(epochs):
            for _ in range(epochs):
                for rows in torch.randperm(len(X)).split(encoding.batch):
                    optimizer.zero_grad()
                    found = head(blocks(first(X[rows])).mean(1))[:, 0]
                    nn.functional.mse_loss(found, y[rows]).backward()
                    optimizer.step()

        return train


def made(encoding):
    """Return an estimator, and the data for its `fit`."""
    from skrnn import TransformerRegressor

    model = TransformerRegressor(
        d_model=encoding.d_model,
        n_heads=N_HEADS,
        n_layers=N_LAYERS,
        dim_feedforward=2 * encoding.d_model,
        dropout=0.0,
        warmup_steps=0,
        learning_rate=RATE,
        batch_size=encoding.batch,
        early_stopping=False,
        random_state=0,
    )
    return model, *encoding.data()
