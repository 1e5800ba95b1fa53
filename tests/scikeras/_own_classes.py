"""A user's script with classes and functions of its own, to be run as ``__main__``.

It prints, for each kind of them, what has trained the network with our wrappers, and
how far away the predictions are from those of scikeras' own.
"""

import json
import sys
import types
import warnings

import keras
import numpy as np
import tensorflow as tf
from scikeras import wrappers as plain

from skrnn import GRURegressor
from skrnn import scikeras as ours

L, ops = keras.layers, keras.ops
RNG = np.random.default_rng(0)
X = RNG.normal(size=(16, 4, 2)).astype("float32")
Y = X[:, -1, 0] + X[:, 0, 1]
FIRST = {"kernel_initializer": "ones", "recurrent_initializer": "ones"}


class MyDense(L.Layer):
    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer="ones")

    def call(self, x):
        return 0.5 * ops.matmul(x, self.kernel)

    def compute_output_shape(self, shape):
        return (*shape[:-1], self.units)

    def get_config(self):
        return super().get_config() | {"units": self.units}


class Untold(L.Layer):
    """It has no configuration."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, x):
        return self.factor * x


class Dense(L.Dense):
    """It is called as one of Keras'."""

    def call(self, x):
        return -0.5 * super().call(x)


class Outer:
    class Inner(MyDense):
        pass


class MyCell(L.Layer):
    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = self.state_size = self.output_size = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer="ones")

    def call(self, x, states):
        state = ops.tanh(ops.matmul(x, self.kernel) + 0.1 * states[0])
        return state, [state]

    def get_config(self):
        return super().get_config() | {"units": self.units}


class SimpleRNNCell(L.SimpleRNNCell):
    """It is called as one of Keras', too."""

    def call(self, *arguments, **options):
        output, state = super().call(*arguments, **options)
        return 0.5 * output, state


@keras.saving.register_keras_serializable(package="mine")
class Registered(MyDense):
    pass


def relu(x):
    """Be called as one of Keras'."""
    return 0.5 * ops.tanh(x)


def swing(x):
    return ops.sin(x)


class Swing:
    def __call__(self, x):
        return ops.sin(x)


class Fill(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None, **_):
        return ops.full(shape, 0.25, dtype or "float32")


class Pull(keras.regularizers.Regularizer):
    def __call__(self, x):
        return 0.1 * ops.sum(ops.square(x))


class L2(keras.regularizers.L2):
    """It is called as one of Keras'."""

    def __call__(self, x):
        return 30.0 * super().__call__(x)


class NonNeg(keras.constraints.NonNeg):
    """It is called as one of Keras'."""

    def __call__(self, w):
        return ops.clip(w, -0.1, 0.1)


class Twice(keras.Operation):
    def call(self, x):
        return 2 * x

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, x.dtype)


class Loss(keras.losses.Loss):
    def call(self, y, z):
        return ops.mean(ops.abs(y - z), axis=-1)


class MeanSquaredError(keras.losses.Loss):
    """It is called as one of Keras'."""

    def call(self, y, z):
        return 3 * ops.mean(ops.abs(y - z), axis=-1)


def quantile(y, z):
    return ops.mean(ops.maximum(0.9 * (y - z), -0.1 * (y - z)), axis=-1)


class Away(keras.metrics.MeanAbsoluteError):
    pass


class Slow(keras.optimizers.SGD):
    def update_step(self, gradient, variable, rate):
        super().update_step(0.1 * gradient, variable, rate)


class SGD(keras.optimizers.SGD):
    """It is called as one of Keras'."""

    def update_step(self, gradient, variable, rate):
        super().update_step(-0.1 * gradient, variable, rate)


class Falling(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.1 / (1 + ops.cast(step, "float32"))

    def get_config(self):
        return {}


class ExponentialDecay(keras.optimizers.schedules.ExponentialDecay):
    """It is called as one of Keras'."""

    def __call__(self, step):
        return 0.1 * super().__call__(step)


class Count(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            self.model.stop_training = True


class MyFunctional(keras.Model):
    def train_step(self, data):
        return super().train_step(data)


class Sequential(keras.Sequential):
    """It is called as one of Keras'."""

    def call(self, x, **options):
        return 0.5 * super().call(x, **options)


def layer_of_a_module_that_is_gone():
    module = types.ModuleType("gone")
    sys.modules["gone"] = module
    exec(
        "import keras\nclass Half(keras.layers.Layer):\n"
        "    def call(self, x):\n        return 0.5 * x",
        vars(module),
    )
    del sys.modules["gone"]
    return module.Half()


def rnn(**options):
    return L.SimpleRNN(3, **FIRST | options)


def end(**options):
    return L.Dense(1, **{"kernel_initializer": "ones"} | options)


def chain(*layers):
    return lambda: keras.Sequential([keras.Input((4, 2)), *(make() for make in layers)])


def with_operation():
    inputs = keras.Input((4, 2))
    return keras.Model(inputs, end()(Twice()(rnn()(inputs))))


def with_subclass():
    inputs = keras.Input((4, 2))
    return MyFunctional(inputs, end()(rnn()(inputs)))


def of(**compiled):
    """Return a network of Keras' own layers, and what else it is told."""
    return chain(rnn, end), compiled


rate = keras.optimizers.SGD
# Name -> function that makes a network, and arguments of the wrapper.
CASES = {
    "layer": (chain(lambda: MyDense(3), rnn, end), {}),
    "layer without a configuration": (chain(lambda: Untold(0.5), rnn, end), {}),
    "layer called Dense": (chain(rnn, lambda: Dense(1, kernel_initializer="ones")), {}),
    "layer of a class in a class": (chain(lambda: Outer.Inner(3), rnn, end), {}),
    "layer of a function": (chain(layer_of_a_module_that_is_gone, rnn, end), {}),
    "registered layer": (chain(lambda: Registered(3), rnn, end), {}),
    "cell": (chain(lambda: L.RNN(MyCell(3)), end), {}),
    "stacked cells": (chain(lambda: L.RNN([MyCell(3), MyCell(2)]), end), {}),
    "cell called SimpleRNNCell": (
        chain(lambda: L.RNN(SimpleRNNCell(3, **FIRST)), end),
        {},
    ),
    "each step": (chain(lambda: L.TimeDistributed(MyDense(2)), rnn, end), {}),
    "activation": (chain(lambda: rnn(activation=swing), end), {}),
    "activation called relu": (chain(lambda: rnn(activation=relu), end), {}),
    "activation that is an object": (chain(lambda: rnn(activation=Swing()), end), {}),
    "lambda": (chain(lambda: rnn(activation=lambda x: ops.sin(x)), end), {}),
    "initializer": (chain(rnn, lambda: end(kernel_initializer=Fill())), {}),
    "regularizer": (chain(rnn, lambda: end(kernel_regularizer=Pull())), {}),
    "regularizer called L2": (chain(rnn, lambda: end(kernel_regularizer=L2(0.1))), {}),
    "constraint called NonNeg": (
        chain(rnn, lambda: end(kernel_constraint=NonNeg())),
        {},
    ),
    "operation": (with_operation, {}),
    "loss": of(loss=Loss()),
    "loss called MeanSquaredError": of(loss=MeanSquaredError()),
    "loss of a function": of(loss=quantile),
    "metric": of(metrics=[Away()]),
    "metric of a function": of(metrics=[quantile]),
    "optimizer": of(optimizer=Slow(0.1)),
    "optimizer called SGD": of(optimizer=SGD(0.1)),
    "schedule": of(optimizer=rate(Falling())),
    "schedule called ExponentialDecay": of(
        optimizer=rate(ExponentialDecay(0.1, 1, 0.9))
    ),
    "callback": of(callbacks=[Count()]),
    "model of layers": (with_subclass, {}),
    "model called Sequential": (
        lambda: Sequential([keras.Input((4, 2)), rnn(), end()]),
        {},
    ),
}


# Trained by the engine: it is handed the object itself.
TAKEN = {"loss", "loss called MeanSquaredError", "loss of a function", "callback"}
TAKEN |= {"metric of a function"}


def trained(wrappers, name):
    make, options = CASES[name]
    options = dict(loss="mse", optimizer="sgd") | options
    options |= dict(epochs=2, shuffle=False, verbose=0, batch_size=8)
    # XLA takes a second for each network.
    options |= dict(compile__jit_compile=False)
    # So does TensorFlow. What Keras trains needn't be compiled: only its numbers are
    # asked for. The wrappers aren't told, as they would leave everything to Keras then.
    tf.config.run_functions_eagerly(wrappers is plain or name not in TAKEN)
    # scikeras hands them on as they are.
    return wrappers.KerasRegressor(make, **options).fit(X, Y)


def compare(name):
    found = trained(ours, name)
    expected = trained(plain, name)
    away = np.abs(found.predict(X) - expected.predict(X)).max()
    epochs = len(found.history_["loss"]), len(expected.history_["loss"])
    return found.engine_, float(away), epochs


def moved_by_a_layer():
    """Return how far predictions move if a class is defined again."""
    predictions = []
    for factor in (0.5, -0.5):

        class Half(L.Layer):
            def call(self, x, factor=factor):
                return factor * x

        make = chain(Half, rnn, end)
        options = dict(loss="mse", epochs=1, verbose=0, compile__jit_compile=False)
        model = ours.KerasRegressor(make, **options)
        predictions.append(model.fit(X, Y).predict(X))
    return float(np.abs(predictions[0] - predictions[1]).max())


def moved_by_a_schedule():
    """Return the same for one of our estimators."""
    predictions = []
    for factor in (0.1, 0.5):

        class Constant(keras.optimizers.schedules.LearningRateSchedule):
            def __call__(self, step, factor=factor):
                return ops.cast(factor, "float32")

            def get_config(self):
                return {}

        optimizer = keras.optimizers.SGD(Constant())
        model = GRURegressor(units=2, optimizer=optimizer, epochs=2, random_state=0)
        predictions.append(model.fit(X, Y).predict(X))
    return float(np.abs(predictions[0] - predictions[1]).max())


if __name__ == "__main__":
    # Keras warns of lambdas; scikeras of tags that scikit-learn has changed.
    warnings.simplefilter("ignore")
    found = {name: compare(name) for name in sys.argv[1:] or CASES}
    moved = moved_by_a_layer(), moved_by_a_schedule()
    print(json.dumps({"found": found, "moved": moved}))
