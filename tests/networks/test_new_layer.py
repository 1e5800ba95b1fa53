"""A new kind of layer is one file: here one is written, and used everywhere."""

import pickle
from dataclasses import dataclass, replace

import numpy as np
import pytest

from skrnn._engine.cpu.fused import FUSED
from skrnn._estimators.base import BaseRecurrent
from skrnn._estimators.docs.recurrent import recurrent_estimator
from skrnn._estimators.tasks import SequenceClassifierMixin, SequenceRegressorMixin
from skrnn._networks.layers import LAYERS, BaseLayer, Flow
from skrnn._networks.weights import Weight
from skrnn._sklearn import Count

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 6, 2)).astype(np.float32)
Y = X[:, -2:, 0].sum(axis=1)
CLOSE = dict(rtol=1e-3, atol=1e-4)

# The file of the layer


@dataclass(frozen=True)
class PairOfSteps(BaseLayer):
    """A causal convolution over two steps: ``x_before @ k_0 + x @ k_1 + b``."""

    filters: int

    parameter = "filters"
    documentation = {"filters": ("int", "Width of the layer over two steps.")}

    def weights(self, width):
        rows = [
            Weight(f"{self.name}/kernel", (2, width, self.filters), "glorot"),
            Weight(f"{self.name}/bias", (self.filters,), "zeros"),
        ]
        return rows, self.filters

    def forward(self, run, w, flow, lengths):
        x = flow.steps
        before = run.ops.concatenate([x[:1] * 0, x[:-1]], axis=0)
        return Flow(run.fused(mix, before, x, *self._of(w)))

    def step(self, run, w, flow, state):
        x = flow.steps
        before = x * 0 if state is None else state
        return Flow(mix(run, before, x, *self._of(w))), x

    def _of(self, w):
        return w[f"{self.name}/kernel"], w[f"{self.name}/bias"]

    def keras(self, flow, seeds):
        from keras import initializers, layers

        initializer = initializers.GlorotUniform(seed=next(seeds))
        options = dict(padding="causal", kernel_initializer=initializer)
        return Flow(
            layers.Conv1D(self.filters, 2, name=self.name, **options)(flow.steps)
        )


def mix(run, before, x, kernel, bias):
    """Return the products of two steps, each by its kernel, and a bias, summed."""
    multiply = run.ops.matmul
    return multiply(before, kernel[0]) + multiply(x, kernel[1]) + bias


# The estimators that have it


@dataclass(kw_only=True, eq=False, repr=False)
class BaseMixed(BaseRecurrent):
    """Recurrent layers over pairs of steps."""

    filters: int = 3

    _network_constraints = BaseRecurrent._network_constraints | {"filters": [Count()]}

    def _network(self, X, resume):
        spec, fill = super()._network(X, resume)
        layers = PairOfSteps("pair", self.filters), *spec.layers
        return replace(spec, layers=layers), fill


@recurrent_estimator
class MixedRegressor(SequenceRegressorMixin, BaseMixed):
    """A regressor over pairs of steps."""

    cell = "gru"


@recurrent_estimator
class MixedClassifier(SequenceClassifierMixin, BaseMixed):
    """A classifier over pairs of steps."""

    cell = "lstm"


DOCUMENTATION = MixedRegressor.__doc__
# Their examples would be run from here, as if they were public.
MixedRegressor.__doc__ = MixedClassifier.__doc__ = None


@pytest.fixture(autouse=True, scope="module")
def gone_afterwards():
    yield
    LAYERS.pop("PairOfSteps")


SMALL = dict(units=4, epochs=4, random_state=0)
NETWORKS = {
    "plain": {},
    "both directions": dict(bidirectional=True, layer_norm=True),
    "each step": dict(return_sequences=True, dropout=0.1),
    "attention": dict(attention="dot"),
}


def fitted(**options):
    y = X[..., 0] if options.get("return_sequences") else Y
    return MixedRegressor(**SMALL | options).fit(X, y)


@pytest.mark.parametrize("kind", NETWORKS)
def test_it_fits_and_predicts_alike_in_every_way(kind):
    model = fitted(**NETWORKS[kind])
    found = model.model_(X).numpy()[..., 0]
    np.testing.assert_allclose(found, model.predict(X), **CLOSE)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    ragged = [x[: 1 + i % 6] for i, x in enumerate(X)]
    alone = [model.predict([x])[0] for x in ragged[:6]]
    for one, among in zip(alone, model.predict(ragged)[:6], strict=True):
        np.testing.assert_allclose(one, among, **CLOSE)


@pytest.mark.parametrize("kind", ["plain", "each step", "attention"])
def test_a_stream_follows_it(kind):
    model = fitted(**NETWORKS[kind])
    stream = model.stream()
    found = [stream.update(x) for x in X[0]]
    expected = [model.predict(X[:1, : t + 1])[0] for t in range(6)]
    if kind == "each step":
        expected = [each[-1] for each in expected]
    np.testing.assert_allclose(found, expected, **CLOSE)


def test_it_learns():
    model = MixedRegressor(units=8, epochs=60, learning_rate=0.02, random_state=0)
    assert model.fit(X, Y).score(X, Y) > 0.8


@pytest.mark.parametrize("kind", ["plain", "both directions"])
def test_both_engines_train_it_alike(kind):
    options = SMALL | NETWORKS[kind] | dict(optimizer="sgd", shuffle=False)
    cpu, on_keras = (
        MixedClassifier(engine=engine, **options).fit(X, Y > 0)
        for engine in ("cpu", "keras")
    )
    for a, b in zip(cpu._weights, on_keras._weights, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


def test_a_kernel_for_its_formula_is_one_row(monkeypatch):
    shapes = []

    def kernel_of_mix(run, before, x, kernel, bias):
        shapes.append(x.shape)
        read = run.ops.concatenate([before, x], axis=-1)
        joined = run.ops.reshape(kernel, (4, 3))
        return run.dense(read, joined, bias)

    options = dict(shuffle=False, optimizer="sgd", engine="cpu")
    by_formula = fitted(**options)
    monkeypatch.setitem(FUSED, mix, kernel_of_mix)
    by_kernel = fitted(**options)
    assert shapes.count((6, 32, 2)) >= 4  # A batch of each epoch.
    for a, b in zip(by_formula._weights, by_kernel._weights, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)
    np.testing.assert_allclose(by_kernel.predict(X), by_formula.predict(X), **CLOSE)


def test_its_parameter_is_documented_and_checked():
    assert "filters : int, default=3\n    Width of the layer" in DOCUMENTATION
    with pytest.raises(ValueError, match="'filters' parameter of MixedRegressor"):
        fitted(filters=0)
