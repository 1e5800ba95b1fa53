"""A Neural Turing Machine in the estimators: what it learns, and what it shows."""

import pickle

import matplotlib.pyplot as plt
import numpy as np
import pytest

import skrnn
from skrnn import LSTMRegressor, SequenceClassifier, SequenceRegressor, reference
from skrnn.inspection import MemoryDisplay, gates, gradient_flow, hidden_states
from skrnn.persistence import export, load_network

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6, 2)).astype(np.float32)
Y = X[:, -2:, 0].sum(axis=1)
RAGGED = [x[: 1 + i % 6] for i, x in enumerate(X)]
CLOSE = dict(rtol=1e-3, atol=1e-4)
SMALL = dict(cell="ntm", units=4, memory=(5, 3), epochs=2, random_state=0)


@pytest.fixture(scope="module")
def tagger():
    """Return a small machine that answers each step."""
    model = SequenceRegressor(return_sequences=True, **SMALL)
    return model.fit(RAGGED, [x[:, 0] for x in RAGGED])


def make_copies(n, longest, seed):
    """Return patterns of 3 bits with a mark behind them, and what to answer when."""
    rng, rows = np.random.default_rng(seed), []
    for length in rng.integers(1, longest + 1, size=n):
        bits = rng.integers(0, 2, size=(length, 3))
        x, y = np.zeros((2 * length + 1, 4)), np.zeros((2 * length + 1, 3), int)
        x[:length, :3], x[length, 3], y[length + 1 :] = bits, 1, bits
        rows.append((x, y, np.arange(len(x)) > length))
    return [list(part) for part in zip(*rows, strict=True)]


def test_it_learns_to_copy_and_copies_more_than_in_training():
    model = SequenceClassifier(
        cell="ntm", units=24, memory=(16, 6), return_sequences=True, batch_size=16,
        learning_rate=0.01, learning_rate_schedule="cosine", global_clipnorm=1.0,
        epochs=6, early_stopping=False, random_state=0,
    )  # fmt: skip
    X, y, answers = make_copies(2_000, 5, 0)
    model.fit(X, y, sample_weight=[a.astype(float) for a in answers])
    X, y, answers = make_copies(100, 6, 1)
    found = zip(model.predict(X), y, answers, strict=True)
    right = [(a[there] == b[there]).all() for a, b, there in found]
    assert np.mean(right) > 0.9


def test_every_way_predicts_the_same(tagger, tmp_path):
    among = tagger.predict(RAGGED)
    for x, steps in zip(RAGGED[:6], among, strict=False):
        np.testing.assert_allclose(tagger.predict([x])[0], steps, **CLOSE)
        stream = tagger.stream()
        np.testing.assert_allclose([stream.update(row) for row in x], steps, **CLOSE)
    found = tagger.model_(X).numpy()[..., 0]
    np.testing.assert_allclose(found, tagger.predict(X), **CLOSE)
    path = tmp_path / "machine.skrnn"
    skrnn.save(tagger, path)
    for again in (pickle.loads(pickle.dumps(tagger)), skrnn.load(path)):
        np.testing.assert_array_equal(again.predict(X), tagger.predict(X))
    export(tagger, tmp_path / "machine.npz", "numpy")
    alone = load_network(tmp_path / "machine.npz").predict(X)
    np.testing.assert_allclose(alone, tagger.predict(X), **CLOSE)


def test_both_engines_train_it_alike():
    options = SMALL | dict(optimizer="sgd", shuffle=False, learning_rate=0.1)
    cpu, on_keras = (
        SequenceRegressor(engine=engine, **options).fit(RAGGED, Y)
        for engine in ("cpu", "keras")
    )
    for a, b in zip(cpu._weights, on_keras._weights, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


def test_it_goes_on_training():
    model = SequenceRegressor(bidirectional=True, dropout=0.1, **SMALL).fit(X, Y)
    before = model.n_iter_
    model.partial_fit(X[:10], Y[:10])
    assert model.n_iter_ == before + 1
    with pytest.raises(ValueError, match="memory"):
        model.set_params(memory=(6, 3), warm_start=True).fit(X, Y)


def test_hidden_states_show_the_addresses(tagger):
    w = tagger.weights_["ntm"]
    outputs, states = reference.ntm(RAGGED, **w, return_states=True)
    for name in ("read_weights", "write_weights"):
        found = hidden_states(tagger, RAGGED, state=name)
        assert found.shape == (40, 6, 5)
        for i, x in enumerate(RAGGED[:6]):
            expected = getattr(states, name)[i]
            np.testing.assert_allclose(found[i, : len(x)], expected, atol=1e-6)
            np.testing.assert_allclose(expected.sum(axis=1), 1)
            assert not found[i, len(x) :].any()
    shown = hidden_states(tagger, RAGGED)[5]
    np.testing.assert_allclose(shown, outputs[5], atol=1e-6)
    assert {"erase", "add", "forget"} < set(gates(tagger, RAGGED))


def test_other_states_are_shown_by_their_names(tagger):
    model = LSTMRegressor(units=3, epochs=1, random_state=0).fit(X, Y)
    found = hidden_states(model, X, state="cell_state")
    np.testing.assert_array_equal(found, gates(model, X).cell_state)
    with pytest.raises(ValueError, match=r"state must be None or one of \['candidate'"):
        hidden_states(model, X, state="read_weights")


def test_gradients_flow_through_its_controller(tagger):
    flow = gradient_flow(tagger, RAGGED, [x[:, 0] for x in RAGGED])
    assert np.isfinite(flow.hidden).all()
    assert set(flow.saturated) == {"input", "forget", "candidate", "output"}


def test_reads_and_writes_are_drawn(tagger):
    display = MemoryDisplay.from_estimator(tagger, RAGGED, sequence=5)
    for image, weights in zip(
        display.images_, (display.write_weights, display.read_weights), strict=True
    ):
        np.testing.assert_array_equal(image.get_array(), weights.T)
        assert weights.shape == (6, 5)
    short = MemoryDisplay.from_estimator(
        SequenceRegressor(**SMALL).fit(X, Y), [X[0, :3]], im_kw={"cmap": "Greys"}
    )
    assert short.read_weights.shape == (3, 5)
    plt.close("all")
    with pytest.raises(ValueError, match="state must be None or one of"):
        MemoryDisplay.from_estimator(LSTMRegressor(units=2, epochs=1).fit(X, Y), X)
    with pytest.raises(ValueError, match=r"must both have shape \(T, slots\)"):
        MemoryDisplay(np.ones((3, 2)), np.ones((4, 2))).plot()
    with pytest.raises(ValueError, match="inputs must have 3 labels"):
        MemoryDisplay(np.ones((3, 2)), np.ones((3, 2)), inputs=["a"]).plot()


@pytest.mark.parametrize("memory", [(5,), (0, 3), (5, 3, 2), 5, None, (5.5, 3)])
def test_what_is_no_memory_is_refused(memory):
    with pytest.raises(ValueError, match="'memory' parameter of SequenceRegressor"):
        SequenceRegressor(**SMALL | {"memory": memory}).fit(X, Y)


def test_other_cells_have_no_memory():
    few = LSTMRegressor(units=3, epochs=1, memory=(2, 2), random_state=0).fit(X, Y)
    many = LSTMRegressor(units=3, epochs=1, random_state=0).fit(X, Y)
    assert few._spec == many._spec
