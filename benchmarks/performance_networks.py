"""Networks of many kinds, for `performance.py`: our `fit` and Keras' own `fit`.

Keras trains the estimator's `model_`: the same layers, data, batch size, optimizer,
loss and epochs, compiled with Keras' own defaults.
"""

from dataclasses import dataclass, field

import numpy as np

# Steps that are written, and numbers of each, by encoders and decoders.
HORIZON, N_TARGETS = 12, 2
N_LABELS = 10
# Multiplications of an epoch: long enough to measure.
WORK = 48 * 30 * 32 * 50 * 50


@dataclass(frozen=True)
class Network:
    """One network, what it learns, and on how much.

    Attributes
    ----------
    name : str
        What is special about it; the rest is an LSTM of 50 units.
    task : str
        "numbers", "binary", "labels", "numbers a step", "pairs of numbers" or "pairs
        of labels".
    params : dict
        Parameters of the estimator.
    ragged : bool
        Whether sequences end after a quarter of the steps at the earliest.
    n_tokens : int or None
        If given, sequences are token ids below it.
    """

    name: str
    task: str = "numbers"
    cell: str = "lstm"
    units: tuple = (50,)
    params: dict = field(default_factory=dict)
    steps: int = 30
    batch: int = 32
    features: int = 8
    ragged: bool = False
    n_tokens: int | None = None

    @property
    def batches(self):
        """Return how many an epoch has."""
        size = self.steps * self.batch * max(self.units) ** 2
        return int(np.clip(WORK / size, 8, 100))

    def data(self):
        """Return X (n, T, F), or ids (n, T), the lengths (n,), and y."""
        rng, n = np.random.default_rng(0), self.batch * self.batches
        lengths = np.full(n, self.steps)
        if self.ragged:
            lengths = rng.integers(self.steps // 4, self.steps, n, endpoint=True)
        if self.n_tokens is None:
            shape = n, self.steps, self.features
            X = rng.standard_normal(shape, np.float32)
        else:
            X = rng.integers(2, self.n_tokens, (n, self.steps), np.int32)
        return X, lengths, self._targets(rng, n)

    def _targets(self, rng, n):
        many = {"numbers a step": (n, self.steps)}
        many["pairs of numbers"] = n, HORIZON, N_TARGETS
        many["pairs of labels"] = n, HORIZON
        shape = many.get(self.task, (n,))
        if "numbers" in self.task:
            return rng.standard_normal(shape, np.float32)
        # All labels are there: Keras gets their places.
        labels = np.arange(np.prod(shape)) % (2 if self.task == "binary" else N_LABELS)
        return rng.permutation(labels).reshape(shape)


def activations():
    """Return networks of every activation, the simple ones with other optimizers."""
    with_others = {
        "relu": ("rnn", "sgd"),
        "sigmoid": ("lstm", "rmsprop"),
        "linear": ("rnn", "adagrad"),
        "elu": ("lstm", "adam"),
        "selu": ("gru", "adam"),
        "softplus": ("lstm", "adamax"),
        "softsign": ("gru", "adadelta"),
        "silu": ("lstm", "lion"),
    }
    return [
        Network(f"{cell.upper()}, {name}, {optimizer}", cell=cell, params=params)
        for name, (cell, optimizer) in with_others.items()
        for params in [{"activation": name, "optimizer": optimizer}]
    ]


def losses():
    """Return networks of every loss, most with other optimizers."""
    of_numbers = {
        "mean_absolute_error": "adamw",
        "log_cosh": "ftrl",
        "pinball": "lamb",
        "huber": "nadam",
    }
    yield from (
        Network(f"{loss}, {name}", params={"loss": loss, "optimizer": name})
        for loss, name in of_numbers.items()
    )
    yield Network(
        "binary labels, adafactor", "binary", params={"optimizer": "adafactor"}
    )
    yield Network("ragged, 10 labels", "labels", ragged=True)


def sizes():
    """Return networks and batches that are small or large."""
    of_names = {
        "LSTM 50, batch 1": ("lstm", 50, 1),
        "LSTM 8": ("lstm", 8, 32),
        "LSTM 256, batch 128": ("lstm", 256, 128),
        "GRU 512, batch 64": ("gru", 512, 64),
        "RNN 128, batch 1,024": ("rnn", 128, 1024),
    }
    for name, (cell, units, batch) in of_names.items():
        yield Network(name, cell=cell, units=(units,), batch=batch)


_BOTH = {"bidirectional": True}
NETWORKS = [
    Network("LSTM"),
    Network("GRU", cell="gru"),
    Network("RNN", cell="rnn"),
    Network("two layers", units=(50, 50)),
    Network("both directions", params=_BOTH),
    Network("a target each step", "numbers a step"),
    Network(
        "GRU, two layers, both directions, a target each step",
        "numbers a step",
        cell="gru",
        units=(32, 32),
        params=_BOTH,
    ),
    Network("dropout", params={"dropout": 0.2}),
    Network("recurrent dropout", params={"recurrent_dropout": 0.2}),
    Network("convolutions", params={"conv_filters": (32, 32)}),
    Network(
        "convolutions, 400 steps",
        "binary",
        params={"conv_filters": (32, 32)},
        steps=400,
    ),
    Network("layer normalisation", params={"layer_norm": True}),
    *(
        Network(f"{kind} attention", params={"attention": kind})
        for kind in ("dot", "additive", "multihead")
    ),
    Network(
        "tokens, 10 labels", "labels", params={"embedding_dim": 32}, n_tokens=5_000
    ),
    *activations(),
    *losses(),
    *sizes(),
    Network("Seq2SeqRegressor", "pairs of numbers"),
    Network("Seq2SeqClassifier", "pairs of labels", n_tokens=30),
]


class OurNetworks:
    """Our `fit`, with the defaults: it clips the gradients too."""

    def network_trainer(self, network):
        model, X, y = made(network)
        return lambda epochs: model.set_params(epochs=epochs).fit(X, y)

    recurrence = network_trainer


class TheirNetworks:
    """Keras' `fit` of `model_`, on arrays that are padded where sequences end early.

    They aren't masked: Keras would take longer with a mask.
    """

    def network_trainer(self, network):
        model, X, y = made(network)
        network_of_keras = model.set_params(epochs=1).fit(X, y).model_
        X, _, y = network.data()
        # Beside what is written stands what was written before.
        X = [X, y] if network.task.startswith("pairs") else X
        network_of_keras.compile(self._optimizer(model), self._loss(network))
        options = {"batch_size": network.batch, "verbose": 0}
        return lambda epochs: network_of_keras.fit(X, y, epochs=epochs, **options)

    recurrence = network_trainer

    def _optimizer(self, model):
        # Keras doesn't find all of them by name.
        classes = {
            name.lower(): kind for name, kind in vars(self.keras.optimizers).items()
        }
        return classes[model.optimizer](model.learning_rate)

    def _loss(self, network):
        if network.task == "binary":
            return "binary_crossentropy"
        if "labels" in network.task:
            return "sparse_categorical_crossentropy"
        loss = network.params.get("loss", "mean_squared_error")
        return self._pinball if loss == "pinball" else loss

    def _pinball(self, y, found):
        """Keras has none."""
        error = y - found
        return self.keras.ops.maximum(error / 2, -error / 2)


def made(network):
    """Return an estimator of a network, and the data for its `fit`."""
    import skrnn

    names = {
        "pairs of numbers": "Seq2SeqRegressor",
        "pairs of labels": "Seq2SeqClassifier",
    }
    kind = "Regressor" if "numbers" in network.task else "Classifier"
    of_steps = {"return_sequences": True} if network.task == "numbers a step" else {}
    estimator = getattr(skrnn, names.get(network.task, f"Sequence{kind}"))
    model = estimator(
        cell=network.cell,
        units=tuple(network.units),
        batch_size=network.batch,
        early_stopping=False,
        random_state=0,
        **of_steps,
        **network.params,
    )
    X, lengths, y = network.data()
    if network.ragged:
        X = [x[:length] for x, length in zip(X, lengths, strict=True)]
    return model, X, y
