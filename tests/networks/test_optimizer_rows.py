"""Optimizers as formulas: each takes Keras' steps and keeps Keras' state."""

import keras
import numpy as np
import pytest

from skrnn import GRURegressor
from skrnn._engine.cpu import optimizers
from skrnn._engine.cpu.optimizers import Optimizer
from skrnn._networks.optimizers import OPTIMIZERS
from skrnn.text import TextGenerator

# A kernel, a bias, GRU's bias of two rows, a weight of one number, one of three axes.
SHAPES = [(5, 12), (12,), (2, 12), (1,), (2, 3, 4)]
every_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)
# Large enough for every formula to move the weights by more than rounding.
RATES = {"adadelta": 1.0, "sgd": 0.1}


def draw(rng, scale=1.0):
    return [(scale * rng.normal(size=shape)).astype(np.float32) for shape in SHAPES]


def flat_and_views(weights):
    """Return weights in one array, and views of each."""
    flat = np.concatenate([weight.ravel() for weight in weights])
    parts = np.split(flat, np.cumsum([weight.size for weight in weights])[:-1])
    return flat, [part.reshape(w.shape) for part, w in zip(parts, weights, strict=True)]


class Both:
    """An optimizer of ours and the one of Keras, on the same weights."""

    def __init__(self, name, rate, seed=0):
        self.rng = np.random.default_rng(seed)
        weights = draw(self.rng)
        self.flat, self.views = flat_and_views(weights)
        self.ours = Optimizer(name, self.views)
        self.ours.learning_rate = rate
        self.variables = [keras.Variable(weight) for weight in weights]
        self.keras = getattr(keras.optimizers, OPTIMIZERS[name].keras)(rate)
        self.keras.build(self.variables)

    def step(self, n_steps):
        for gradients in self.gradients(n_steps):
            self.keras.apply([keras.ops.convert_to_tensor(g) for g in gradients])
            self.ours.apply(self.flat, flat_and_views(gradients)[0])

    def step_ours(self, n_steps):
        for gradients in self.gradients(n_steps):
            self.ours.apply(self.flat, flat_and_views(gradients)[0])

    def gradients(self, n_steps):
        for _ in range(n_steps):
            # Some tiny, and some of zero.
            gradients = draw(self.rng, scale=10.0 ** self.rng.integers(-4, 1))
            gradients[0][self.rng.random(SHAPES[0]) < 0.2] = 0
            yield gradients

    def state_of_keras(self):
        return [np.array(variable.numpy()) for variable in self.keras.variables]

    def assert_alike(self):
        for view, variable in zip(self.views, self.variables, strict=True):
            np.testing.assert_allclose(view, variable.numpy(), rtol=1e-4, atol=1e-5)
        found, expected = self.ours.state(), self.state_of_keras()
        assert [a.shape for a in found] == [a.shape for a in expected]
        for one, other in zip(found, expected, strict=True):
            # Where large numbers cancel, what they round is left.
            close = dict(rtol=1e-4, atol=1e-5 * np.abs(other).max() + 1e-30)
            np.testing.assert_allclose(one, other, **close)


@every_optimizer
def test_many_steps_are_those_of_keras(name):
    both = Both(name, RATES.get(name, 0.01))
    before = both.flat.copy()
    # A step of Keras takes many times as long as ours.
    both.step(10)
    both.assert_alike()
    assert np.abs(both.flat - before).max() > 1e-2


@every_optimizer
def test_small_pieces_and_plain_formulas_give_the_same(name, monkeypatch):
    expected = Both(name, 0.01)
    expected.step_ours(5)
    monkeypatch.setattr(optimizers, "_PIECE", 7)
    monkeypatch.setattr(optimizers, "KERNELS", {})
    found = Both(name, 0.01)
    found.step_ours(5)
    np.testing.assert_allclose(found.flat, expected.flat, rtol=1e-5, atol=1e-6)


@every_optimizer
def test_training_goes_on_from_a_state_of_keras(name):
    both = Both(name, RATES.get(name, 0.01))
    both.step(3)
    state = both.state_of_keras()
    both.ours.reset(state)
    assert both.ours.n_steps == 3
    both.step(2)
    both.assert_alike()
    # Of another network: it starts anew.
    both.ours.reset(state[:-1] if len(state) > 2 else [*state, state[0]])
    assert both.ours.n_steps == 0


@every_optimizer
def test_weights_of_zero_stay_finite(name):
    flat, views = flat_and_views([np.zeros(shape, np.float32) for shape in SHAPES])
    made = Optimizer(name, views)
    made.learning_rate = 0.01
    for _ in range(3):
        made.apply(flat, np.zeros_like(flat))
    assert np.isfinite(flat).all()
    assert all(np.isfinite(array).all() for array in made.state())


@every_optimizer
def test_each_learns(name):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 4, 1))
    rate = {"adadelta": 1.0, "ftrl": 0.2, "adafactor": 0.5}.get(name, 0.02)
    options = dict(units=6, epochs=40, learning_rate=rate, random_state=0)
    made = GRURegressor(optimizer=name, **options).fit(x, x[:, -1, 0])
    losses = made.history_["loss"]
    assert losses[-1] < 0.8 * losses[0]
    options |= dict(units=3, epochs=2, embedding_dim=3, lookback=8)
    losses = TextGenerator(optimizer=name, **options).fit("abcab" * 20).history_["loss"]
    assert np.isfinite(losses).all()


@every_optimizer
def test_a_step_leaves_the_gradients_as_they_were(name):
    both = Both(name, 0.01)
    gradients = flat_and_views(draw(both.rng))[0]
    before = gradients.copy()
    both.ours.apply(both.flat, gradients)
    np.testing.assert_array_equal(gradients, before)
