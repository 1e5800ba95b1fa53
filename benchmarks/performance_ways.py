"""The libraries that `performance.py` compares, each by what its users would write.

A way has ``trainer(problem, X, y)``, which returns ``train(epochs)``, and most have
``predictor(problem)``, which returns ``predict(X)``. What a way imports, it imports
when it is made: each has a process of its own.
"""

import os
from dataclasses import dataclass

import numpy as np
from performance_convolutions import TorchConvolutions
from performance_crf import OurTaggers, TorchTaggers
from performance_long import TorchRecurrences
from performance_networks import OurNetworks, TheirNetworks
from performance_text import OurText, TextbookText
from performance_transformers import (
    OurTransformers,
    TorchTransformers,
    TransformersOfKeras,
)

GATES = {"lstm": 4, "gru": 3, "rnn": 1}
RATE = 3e-3


@dataclass(frozen=True)
class Problem:
    """One network and the data that it is trained on."""

    cell: str = "lstm"
    steps: int = 30
    units: int = 50
    batch: int = 32
    batches: int = 100
    features: int = 8
    windows: bool = False
    """Whether X is a view of the windows of one series, which nobody should copy."""

    @property
    def rows(self):
        return self.batch * self.batches

    def data(self):
        rng = np.random.default_rng(0)
        if self.windows:
            shape = self.rows + self.steps - 1, self.features
            series = rng.standard_normal(shape, np.float32)
            X = np.lib.stride_tricks.sliding_window_view(series, self.steps, axis=0)
            X = X.transpose(0, 2, 1)
        else:
            shape = self.rows, self.steps, self.features
            X = rng.standard_normal(shape, np.float32)
        return X, np.ascontiguousarray(X[:, -1, 0])


class Skrnn(OurText, OurNetworks, OurTaggers, OurTransformers):
    """The package itself, with its defaults: it clips the gradients too."""

    def __init__(self):
        from skrnn import SequenceRegressor

        self.regressor = SequenceRegressor

    def estimator(self, problem, **params):
        return self.regressor(
            cell=problem.cell,
            units=problem.units,
            batch_size=problem.batch,
            learning_rate=RATE,
            early_stopping=False,
            random_state=0,
            **params,
        )

    def trainer(self, problem, X, y):
        model = self.estimator(problem)
        return lambda epochs: model.set_params(epochs=epochs).fit(X, y)

    def predictor(self, problem):
        X, y = problem.data()
        return self.estimator(problem, epochs=1).fit(X, y).predict

    def search(self, problem, epochs):
        return self.estimator(problem, epochs=epochs), "learning_rate"


class Keras(TextbookText, TheirNetworks, TransformersOfKeras):
    """Keras' own `fit` and `predict`, on the backend that KERAS_BACKEND names."""

    def __init__(self):
        import keras

        self.keras = keras

    def network(self, problem):
        layers = self.keras.layers
        cells = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}
        return self.keras.Sequential(
            [
                self.keras.Input((problem.steps, problem.features)),
                cells[problem.cell](problem.units),
                layers.Dense(1),
            ]
        )

    def trainer(self, problem, X, y):
        model = self.network(problem)
        model.compile(self.keras.optimizers.Adam(RATE), "mean_squared_error")
        options = {"batch_size": problem.batch, "verbose": 0}
        return lambda epochs: model.fit(X, y, epochs=epochs, **options)

    def predictor(self, problem):
        model = self.network(problem)
        return lambda X: model.predict(X, verbose=0)


class Scikeras(Keras):
    """Keras' network in scikeras' wrapper."""

    def __init__(self):
        super().__init__()
        self.wrapper = self.wrappers().KerasRegressor

    def wrappers(self):
        import scikeras.wrappers

        return scikeras.wrappers

    def estimator(self, problem, **params):
        return self.wrapper(
            network_of_scikeras,
            model__problem=problem,
            loss="mean_squared_error",
            optimizer="adam",
            optimizer__learning_rate=RATE,
            batch_size=problem.batch,
            random_state=None,
            verbose=0,
            **params,
        )

    def trainer(self, problem, X, y):
        # It builds and compiles its network anew in each `fit` without `warm_start`.
        model = self.estimator(problem, warm_start=True)
        return lambda epochs: model.set_params(epochs=epochs).fit(X, y)

    def predictor(self, problem):
        X, y = problem.data()
        return self.estimator(problem, epochs=1).fit(X, y).predict

    def search(self, problem, epochs):
        return self.estimator(problem, epochs=epochs), "optimizer__learning_rate"


class SkrnnScikeras(Scikeras):
    """The same script with another import."""

    def wrappers(self):
        import skrnn.scikeras

        return skrnn.scikeras


def network_of_scikeras(problem):
    """Stand where a process that unpickles the wrapper finds it."""
    return Keras().network(problem)


class Torch(TorchTaggers, TorchConvolutions, TorchTransformers, TorchRecurrences):
    """The loop that PyTorch's users write."""

    def __init__(self):
        import torch

        self.torch = torch

    def use_threads(self, n):
        self.torch.set_num_threads(n)

    def network(self, problem):
        nn = self.torch.nn
        cells = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}

        class Network(nn.Module):
            def __init__(self):
                super().__init__()
                options = {"batch_first": True}
                layer = cells[problem.cell]
                self.recurrent = layer(problem.features, problem.units, **options)
                self.head = nn.Linear(problem.units, 1)

            def forward(self, X):
                return self.head(self.recurrent(X)[0][:, -1])

        return Network

    def trainer(self, problem, X, y):
        torch, model = self.torch, self.network(problem)()
        X, y = torch.from_numpy(np.array(X)), torch.from_numpy(y)[:, None]
        optimizer = torch.optim.Adam(model.parameters(), RATE)
        criterion = torch.nn.MSELoss()

        def train(epochs):
            for _ in range(epochs):
                for rows in torch.randperm(len(X)).split(problem.batch):
                    optimizer.zero_grad()
                    criterion(model(X[rows]), y[rows]).backward()
                    optimizer.step()

        return train

    def predictor(self, problem):
        torch, model = self.torch, self.network(problem)().eval()

        def predict(X):
            with torch.inference_mode():
                return model(torch.from_numpy(X)).numpy()

        return predict


class Skorch(Torch):
    """PyTorch's network in skorch's wrapper."""

    def __init__(self):
        super().__init__()
        import skorch

        self.skorch = skorch

    def estimator(self, problem, epochs):
        return self.skorch.NeuralNetRegressor(
            self.network(problem),
            optimizer=self.torch.optim.Adam,
            lr=RATE,
            max_epochs=epochs,
            batch_size=problem.batch,
            iterator_train__shuffle=True,
            train_split=None,
            verbose=0,
        )

    def trainer(self, problem, X, y):
        return lambda epochs: self.estimator(problem, epochs).fit(X, y[:, None])

    def predictor(self, problem):
        X, y = problem.data()
        return self.estimator(problem, 1).fit(X, y[:, None]).predict


class Products:
    """The matrix products of training and nothing else, in NumPy.

    What isn't recurrent is one product over all steps. The gradient of X isn't needed.
    """

    def use_threads(self, n):
        from threadpoolctl import threadpool_limits

        self.limits = threadpool_limits(n, "blas")

    def trainer(self, problem, X, _y):
        def array(*shape):
            return np.full(shape, 0.01, np.float32)

        steps, batch, units = problem.steps, problem.batch, problem.units
        rows, columns = steps * batch, GATES[problem.cell] * units
        x, z = array(rows, problem.features), array(rows, columns)
        h, z_of_step = array(rows, units), array(batch, columns)
        kernel, recurrent = array(problem.features, columns), array(units, columns)
        d_h, h_steps = array(batch, units), h.reshape(steps, batch, units)
        z_steps = z.reshape(steps, batch, columns)
        d_kernel, d_recurrent = np.empty_like(kernel), np.empty_like(recurrent)

        def one():
            np.matmul(x, kernel, out=z)
            for t in range(steps):
                np.matmul(h_steps[t], recurrent, out=z_of_step)
            for t in range(steps):
                np.matmul(z_steps[t], recurrent.T, out=d_h)
            np.matmul(x.T, z, out=d_kernel)
            np.matmul(h.T, z, out=d_recurrent)

        def train(epochs):
            for _ in range(epochs * problem.batches):
                one()

        return train


@dataclass(frozen=True)
class Way:
    """How a contender is started: its class, environment, and choices of threads."""

    make: type
    environment: tuple = ()
    threads: tuple = (None,)

    @property
    def variables(self):
        return os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | dict(self.environment)


ON_TENSORFLOW = (("KERAS_BACKEND", "tensorflow"),)
WAYS = {
    "skrnn": Way(Skrnn, ON_TENSORFLOW),
    "Keras on TensorFlow": Way(Keras, ON_TENSORFLOW),
    "Keras on JAX": Way(Keras, (("KERAS_BACKEND", "jax"),)),
    "scikeras": Way(Scikeras, ON_TENSORFLOW),
    "skrnn.scikeras": Way(SkrnnScikeras, ON_TENSORFLOW),
    "PyTorch": Way(Torch, threads=(1, 2)),
    "skorch": Way(Skorch, threads=(1, 2)),
    "matrix products": Way(Products, threads=(1, 2)),
}
# Those who train and predict each in a manner of its own.
LIBRARIES = [way for way in WAYS if way != "skrnn.scikeras"]
