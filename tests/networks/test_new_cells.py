"""A new cell is one row of a table: here three are added, and used everywhere.

Each is written down once, below, and gets all that goes over the table: estimators,
both engines, streaming, decoding, text, a Keras model, pickles.
"""

import pickle

import keras
import numpy as np
import pytest
from _tables import LONG, covering
from scipy.special import log_softmax

from skrnn import (
    Seq2SeqClassifier,
    Seq2SeqRegressor,
    SequenceClassifier,
    SequenceRegressor,
    _engine,
)
from skrnn._engine.cpu.kernels.layer import KERNEL_CELLS
from skrnn._estimators.base import BaseRecurrent
from skrnn._estimators.docs.recurrent import recurrent_estimator
from skrnn._estimators.tasks import SequenceRegressorMixin
from skrnn._networks.cells import CELLS, BaseCell, GatedCell
from skrnn._networks.weights import Weight
from skrnn.inspection import gates, gradient_flow, hidden_states
from skrnn.text import TextGenerator

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 6, 2)).astype(np.float32)
Y = X[:, -2:, 0].sum(axis=1)
CLOSE = dict(rtol=1e-3, atol=1e-4)


def minimal_gated_step(ops, activation, x, r, h):
    """Step a minimal gated unit (Zhou et al., 2016)."""
    x_f, x_n = ops.split(x, 2, axis=-1)
    r_f, r_n = ops.split(r, 2, axis=-1)
    f = ops.sigmoid(x_f + r_f)
    return (h + f * (activation(ops, x_n + f * r_n) - h),)


class FastWeights(BaseCell):
    """Fast weights (Schmidhuber, 1992): the state is a matrix of outer products."""

    def weights(self, width, units):
        return [
            Weight("kernel", (width, 4 * units), "glorot"),
            Weight("bias", (4 * units,), "zeros"),
        ]

    def state_shapes(self, units):
        return (units, units), (units,)

    def step(self, ops, activation, w, projected, states, drop):
        (x,), (memory, _) = projected, states
        query, key, value, keep = ops.split(x, 4, axis=-1)
        keep = ops.sigmoid(keep)[:, :, None]
        key, value = ops.softmax(key, axis=-1), activation(ops, value)
        written = value[:, :, None] * key[:, None]
        memory = keep * memory + written
        return memory, ops.einsum("bij,bj->bi", memory, query)

    def output(self, states):
        return states[1]


class FadingMean(BaseCell):
    """A mean of the steps so far, later ones first: a state is a single number."""

    def weights(self, width, units):
        return [
            Weight("value", (width, units), "glorot"),
            Weight("importance", (width, 1), "glorot"),
        ]

    def state_shapes(self, units):
        return (units,), ()

    def project(self, ops, w, x):
        importance = ops.sigmoid(ops.matmul(x, w["importance"]))
        return ops.matmul(x, w["value"]), importance[..., 0]

    def step(self, ops, activation, w, projected, states, drop):
        (x, importance), (mean, total) = projected, states
        total = total / 4 + importance
        share = (importance / total)[:, None]
        return mean + share * (activation(ops, x) - drop(mean)), total


class Peephole(BaseCell):
    """An LSTM whose gates read the cell state (Gers & Schmidhuber, 2000).

    The output is its second state, and a third one counts steps: it has no gradient.
    """

    def weights(self, width, units):
        return [
            Weight("kernel", (width, 4 * units), "glorot"),
            Weight("recurrent_kernel", (units, 4 * units), "orthogonal"),
            Weight("peephole", (3, units), "glorot"),
            Weight("bias", (4 * units,), "zeros"),
        ]

    def state_shapes(self, units):
        return (units,), (units,), ()

    def step(self, ops, activation, w, projected, states, drop):
        c, h, n = states
        gates = self.gate_values(ops, activation, w, projected, (c, drop(h), n))
        c = gates["forget"] * c + gates["input"] * gates["candidate"]
        return c, gates["output"] * activation(ops, c), n + 1

    def output(self, states):
        return states[1]

    def gate_values(self, ops, activation, w, projected, states):
        c, h, _ = states
        summed = projected[0] + ops.matmul(h, w["recurrent_kernel"])
        i, f, g, o = ops.split(summed, 4, axis=-1)
        of_i, of_f, of_o = (w["peephole"][k] * c for k in range(3))
        names = {"input": i + of_i, "forget": f + of_f, "output": o + of_o}
        found = {name: ops.sigmoid(gate) for name, gate in names.items()}
        return found | {"candidate": activation(ops, g)}


class WithoutCount(Peephole):
    """The same without the number of steps."""

    def state_shapes(self, units):
        return super().state_shapes(units)[:2]

    def step(self, ops, activation, w, projected, states, drop):
        return super().step(ops, activation, w, projected, (*states, 0), drop)[:2]

    def gate_values(self, ops, activation, w, projected, states):
        given = ops, activation, w, projected, (*states, 0)[:3]
        return super().gate_values(*given)


NEW_CELLS = {
    "mgu": GatedCell(n_gates=2, n_states=1, formula=minimal_gated_step),
    # Those of the table whose kind has few tests of its own.
    "mingru": CELLS["mingru"],
    "indrnn": CELLS["indrnn"],
    "fast weights": FastWeights(),
    "fading mean": FadingMean(),
}


@pytest.fixture(params=NEW_CELLS)
def cell(request, monkeypatch):
    """Add a cell to the table."""
    monkeypatch.setitem(CELLS, request.param, NEW_CELLS[request.param])
    return request.param


SMALL = dict(units=4, epochs=3, random_state=0)


@pytest.mark.parametrize(
    ("cell", "bidirectional"), covering(NEW_CELLS, [False, True]), indirect=["cell"]
)
def test_it_learns_and_callbacks_see_it(cell, bidirectional):
    seen = []
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append(1))
    model = SequenceRegressor(
        cell=cell, units=8, epochs=40, learning_rate=0.02, callbacks=[callback],
        bidirectional=bidirectional, random_state=0,
    ).fit(X, Y)  # fmt: skip
    assert model.score(X, Y) > 0.7
    assert len(seen) == model.n_iter_
    found = model.model_(X).numpy().ravel()
    np.testing.assert_allclose(found, model.predict(X), **CLOSE)


NETWORKS = {
    "plain": {},
    "stacked, both directions": dict(units=(4, 3), bidirectional=True),
    "attention": dict(attention="additive", layer_norm=True),
    "each step": dict(return_sequences=True, dropout=0.1, recurrent_dropout=0.1),
    "unbounded": dict(activation="softplus", dense_units=3),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_network_predicts_the_same_in_every_way(cell, kind):
    options = SMALL | NETWORKS[kind]
    ragged = [x[: 1 + i % 6] for i, x in enumerate(X)]
    y = [x[:, 0] for x in ragged] if options.get("return_sequences") else Y
    model = SequenceRegressor(cell=cell, **options).fit(ragged, y)
    alone = [model.predict([x])[0] for x in ragged[:6]]
    for one, among in zip(alone, model.predict(ragged)[:6], strict=True):
        np.testing.assert_allclose(one, among, **CLOSE)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    found = model.model_(X).numpy()[..., 0]
    np.testing.assert_allclose(found, model.predict(X), **CLOSE)


@pytest.mark.parametrize("kind", ["plain", "attention", "each step"])
def test_a_stream_follows_it(cell, kind):
    options = SMALL | NETWORKS[kind]
    y = X[..., 0] if options.get("return_sequences") else Y
    model = SequenceRegressor(cell=cell, **options).fit(X, y)
    stream = model.stream()
    found = [stream.update(x) for x in X[0]]
    expected = [model.predict(X[:1, : t + 1])[0] for t in range(6)]
    if options.get("return_sequences"):
        expected = [each[-1] for each in expected]
    np.testing.assert_allclose(found, expected, **CLOSE)


# `test_kernels.py` compares those in C, with every activation.
@pytest.mark.parametrize(
    "cell",
    [name for name in NEW_CELLS if LONG or name not in KERNEL_CELLS],
    indirect=True,
)
def test_both_engines_train_it_alike(cell):
    # In one network of one layer: Keras' engine compiles each direction for seconds. It
    # turns what goes in and what comes out, whatever the cell.
    options = SMALL | NETWORKS["unbounded"] | dict(optimizer="sgd", shuffle=False)
    options |= dict(bidirectional=LONG or cell == "fast weights")
    cpu, on_keras = (
        SequenceClassifier(cell=cell, engine=engine, **options).fit(X, Y > 0)
        for engine in ("cpu", "keras")
    )
    for a, b in zip(cpu._weights, on_keras._weights, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


WORDS = ["ab", "ba", "abb", "bab"] * 8


@pytest.mark.parametrize(
    ("cell", "bidirectional", "attention"),
    covering(NEW_CELLS, [False, True], [None, "dot"]),
    indirect=["cell"],
)
def test_it_encodes_and_decodes(cell, bidirectional, attention):
    options = SMALL | dict(cell=cell, bidirectional=bidirectional, attention=attention)
    words = Seq2SeqClassifier(max_length=3, n_beams=2, **options).fit(WORDS, WORDS)
    assert len(words.predict(WORDS[:3])) == 3
    numbers = Seq2SeqRegressor(teacher_forcing=0.5, **options).fit(X, X[:, :3, 0])
    before = np.full((4, 3, 1), np.nan)
    predicted = numbers.predict(X[:4])
    before[:, 1:, 0] = predicted[:, :-1]
    found = numbers.model_([X[:4], before]).numpy()[..., 0]
    np.testing.assert_allclose(found, predicted, **CLOSE)


def test_both_engines_train_decoders_alike(cell):
    # `test_seq2seq_engine.py` and the table of networks have the attention.
    options = SMALL | dict(cell=cell, optimizer="sgd", shuffle=False, attention=None)
    cpu, on_keras = (
        Seq2SeqRegressor(engine=engine, **options).fit(X, X[:, :3, 0])
        for engine in ("cpu", "keras")
    )
    for a, b in zip(cpu._weights, on_keras._weights, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize(
    ("cell", "engine"), covering(NEW_CELLS, ["keras", "cpu"]), indirect=["cell"]
)
def test_it_writes_text(cell, engine):
    texts = ["abc abe", "acd abc"] * 10
    model = TextGenerator(cell=cell, embedding_dim=3, engine=engine, **SMALL).fit(texts)
    assert len(model.generate(max_new_tokens=5, random_state=0)) <= 5
    assert np.isfinite(model.score(["abc", "ab"]))
    # What is read token by token is followed by what follows all read at once.
    network, ids = (model._spec, model._weights), model._vocabulary.encode("abc")
    expected, _ = _engine.next_token(*network, [ids])
    _, states = _engine.next_token(*network, [ids[:1]])
    decoder = _engine.IncrementalDecoder(*network, states)
    found = [decoder.read(ids[i : i + 1]) for i in (1, 2)][-1]
    np.testing.assert_allclose(log_softmax(found, axis=1), expected, **CLOSE)


def test_a_leaf_of_its_own_is_a_cell_and_a_docstring(cell):
    @recurrent_estimator
    class NewRegressor(SequenceRegressorMixin, BaseRecurrent):
        """New units."""

    NewRegressor.cell = cell
    assert "Parameters" in NewRegressor.__doc__
    assert NewRegressor(**SMALL).fit(X, Y).predict(X).shape == (60,)


def test_a_state_without_a_gradient_is_carried_from_text_to_text(monkeypatch):
    monkeypatch.setitem(CELLS, "peephole", Peephole())
    options = SMALL | dict(cell="peephole", embedding_dim=3, lookback=4)
    model = TextGenerator(**options).fit(["abc abe", "acd abc"] * 10)
    assert np.isfinite(model.history_["loss"]).all()


@pytest.mark.parametrize("timescale", [1, 2])
def test_the_output_may_be_any_of_the_states(monkeypatch, timescale):
    monkeypatch.setitem(CELLS, "peephole", WithoutCount())
    options = SMALL | dict(cell="peephole", timescales=(timescale,), normalize_y=False)
    model = SequenceRegressor(**options).fit(X, Y)
    found, hidden = gates(model, X), hidden_states(model, X)
    assert found.cell_state.shape == hidden.shape == (60, 6, 4)
    np.testing.assert_allclose(
        found.output * np.tanh(found.cell_state), hidden, **CLOSE
    )
    # The head reads the last output alone.
    flow, of_head = gradient_flow(model, X, Y).hidden[0], model._weights[-2]
    expected = np.abs(2 * (model.predict(X) - Y)).mean() * np.linalg.norm(of_head)
    np.testing.assert_allclose(flow[-1], expected, **CLOSE)
    assert (flow[::-1] > 0).tolist() == [i % timescale == 0 for i in range(6)]
