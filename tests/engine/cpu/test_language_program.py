"""The engine's language models: states carried on, fresh starts, likelihoods."""

import dataclasses

import numpy as np
import pytest
from scipy.special import log_softmax

from skrnn import _engine
from skrnn._data.token_stream import TokenStream
from skrnn._engine.cpu import language, run
from skrnn._engine.cpu.kernels import threads
from skrnn._engine.cpu.language import LanguageProgram
from skrnn._engine.training.plan import TrainPlan
from skrnn._networks.architecture import language_spec
from skrnn._networks.cells import CELLS
from skrnn._networks.weights import initial_weights, weight_table

CLOSE = dict(rtol=1e-4, atol=1e-5)
LSTM = dict(cell="lstm", units=(7,), vocabulary_size=6, embedding_dim=4)
BASE = language_spec(**LSTM)
CHANGES = {
    **{cell: dict(cell=cell) for cell in CELLS},
    "stacked": dict(units=(5, 7)),
    "tied": dict(embedding_dim=7, tie_weights=True),
    "normalised": dict(layer_norm=True, units=(5, 7), cell="gru"),
    "many tokens": dict(vocabulary_size=200),
    "relu": dict(activation="relu"),
    "selu": dict(activation="selu"),
}
SPECS = {name: language_spec(**LSTM | changes) for name, changes in CHANGES.items()}
every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
STEP_INPUTS = dict(seed=0, step=0, clipnorm=np.inf, dropout=0.4, recurrent_dropout=0.4)


def weights_of(spec):
    # Larger than at the start, so that a wrong state can be seen.
    return [2 * weight for weight in initial_weights(spec, 0)]


def documents_of(spec, lengths=(9, 0, 1, 30, 4)):
    rng = np.random.default_rng(0)
    top = spec.vocabulary_size
    return [rng.integers(1, top, size=length).astype(np.int32) for length in lengths]


def stream_of(spec, n_sequences=1, lookback=5, **options):
    stream = np.concatenate([np.append(0, ids) for ids in documents_of(spec)])
    stream = stream.astype(np.int32)
    return TokenStream(stream, np.roll(stream, -1), n_sequences, lookback, **options)


def program_of(spec):
    program = LanguageProgram(spec, None, "sgd")
    program.reset(weights_of(spec))
    return program


def pieces(data):
    return data.evaluation_order()


def one_by_one(spec, ids):
    """Return the log-probabilities after each token, from the writer."""
    writer = _engine.IncrementalDecoder(
        spec, weights_of(spec), language.zero_states(spec, 1)
    )
    return [log_softmax(writer.read(np.array([i]))[0].astype(float)) for i in ids]


@every_spec
def test_likelihoods_are_those_of_reading_token_by_token(spec):
    documents = documents_of(spec)
    found = _engine.log_likelihoods(spec, weights_of(spec), documents)
    for document, total in zip(documents, found, strict=True):
        inputs, targets = np.append(0, document), np.append(document, 0)
        steps = one_by_one(spec, inputs)
        expected = sum(p[i] for p, i in zip(steps, targets, strict=True))
        np.testing.assert_allclose(total, expected, rtol=1e-4, atol=1e-4)


@every_spec
def test_the_next_token_and_the_states_are_those_of_reading_on(spec):
    documents = documents_of(spec)
    found, states = _engine.next_token(spec, weights_of(spec), documents)
    for i, document in enumerate(documents):
        expected = one_by_one(spec, np.append(0, document))[-1]
        np.testing.assert_allclose(found[i], expected, rtol=1e-4, atol=1e-4)
        # Going on from the states is reading one token more.
        own = [tuple(s[i : i + 1] for s in layer) for layer in states]
        writer = _engine.IncrementalDecoder(spec, weights_of(spec), own)
        more = log_softmax(writer.read(np.array([3]))[0].astype(float))
        expected = one_by_one(spec, np.append(np.append(0, document), 3))[-1]
        np.testing.assert_allclose(more, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("steps", [8, 11])
def test_pieces_do_not_change_likelihoods(steps, monkeypatch):
    from skrnn._engine.prediction import language as module

    documents = documents_of(BASE, (40, 3, 8, 7, 16, 0, 25))
    whole = _engine.log_likelihoods(BASE, weights_of(BASE), documents)
    monkeypatch.setattr(module, "_STEPS", steps)
    monkeypatch.setattr(module, "_DOCUMENTS", 3)
    parts = _engine.log_likelihoods(BASE, weights_of(BASE), documents)
    np.testing.assert_allclose(parts, whole, rtol=1e-5)
    expected = _engine.next_token(BASE, weights_of(BASE), documents[4:5])
    found = _engine.next_token(BASE, weights_of(BASE), documents)
    np.testing.assert_allclose(found[0][4:5], expected[0], **CLOSE)
    np.testing.assert_allclose(found[1][0][0][4:5], expected[1][0][0], **CLOSE)


@every_spec
@pytest.mark.parametrize("lookback", [5, 100])
def test_the_loss_of_a_lane_is_the_likelihood_of_its_documents(spec, lookback):
    # Every document starts from zeros although others stand before it in the sequence.
    data = stream_of(spec, lookback=lookback)
    total, count = program_of(spec).evaluate(data, pieces(data))
    likelihoods = _engine.log_likelihoods(spec, weights_of(spec), documents_of(spec))
    assert count == len(data.inputs)
    np.testing.assert_allclose(total, -likelihoods.sum(), rtol=1e-5)


@every_spec
def test_training_sees_what_evaluation_sees(spec):
    data = stream_of(spec, n_sequences=3)
    program = program_of(spec)
    program.optimizer.learning_rate = 0.0
    trained = program.train(data, pieces(data), STEP_INPUTS)
    np.testing.assert_allclose(trained[:2], program.evaluate(data, pieces(data)))


def gradient_of(spec, data, number=1, **options):
    program = program_of(spec)
    program.optimizer.learning_rate = 0.0
    step_inputs = STEP_INPUTS | options
    program.train(data, pieces(data)[: number + 1], step_inputs)
    return program._gradient.copy()


RATES = dict(dropout=1.0, recurrent_dropout=1.0)


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("rates", [{}, RATES], ids=["", "dropout"])
def test_gradients_are_those_of_the_plain_formula(changes, rates, monkeypatch):
    spec = language_spec(**LSTM | changes | rates)
    data = stream_of(spec, n_sequences=3)
    found = gradient_of(spec, data)
    monkeypatch.setattr(run, "IN_C", set())
    np.testing.assert_allclose(found, gradient_of(spec, data), rtol=1e-3, atol=1e-5)


@every_spec
def test_gradients_are_slopes(spec):
    data = stream_of(spec, n_sequences=2, lookback=100)
    program, gradient = program_of(spec), gradient_of(spec, data, 0)
    # Along the gradient itself: the slope is large beside what float32 rounds.
    direction = gradient / np.linalg.norm(gradient)
    losses = []
    for step in (-3e-4, 3e-4):
        program.reset(weights_of(spec))
        program._flat += np.float32(step) * direction
        total, count = program.evaluate(data, pieces(data))
        losses.append(total / count)
    slope = (losses[1] - losses[0]) / 6e-4
    np.testing.assert_allclose(gradient @ direction, slope, rtol=1e-2)


@pytest.mark.parametrize("lookback", [5, 100])
@pytest.mark.parametrize("size", [6, 30])
def test_a_table_of_projections_changes_nothing(size, lookback):
    # It is made where there are more tokens than kinds of them.
    spec = language_spec(**LSTM | dict(vocabulary_size=size))
    embedding, *others = spec.layers
    assert embedding.late
    layers = dataclasses.replace(embedding, late=False), *others
    data = stream_of(spec, n_sequences=3, lookback=lookback)
    found = gradient_of(spec, data, 0)
    expected = gradient_of(dataclasses.replace(spec, layers=layers), data, 0)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


def test_the_plain_twins_train_alike(monkeypatch):
    data = stream_of(BASE, n_sequences=3)
    found = gradient_of(BASE, data)
    from skrnn._engine.cpu.kernels import matmul, reference_kernels

    monkeypatch.setattr(matmul, "kernels", reference_kernels)
    monkeypatch.setattr(run, "IN_C", set())
    np.testing.assert_allclose(found, gradient_of(BASE, data), rtol=1e-3, atol=1e-6)


def test_results_do_not_depend_on_the_number_of_threads(monkeypatch):
    spec = language_spec(
        **LSTM | dict(units=(20, 20), tie_weights=True, embedding_dim=20)
    )
    found = []
    for n in (1, 2, 5):
        monkeypatch.setattr(threads, "n_threads", lambda n=n: n)
        monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
        threads._pool.cache_clear()
        program, data = (
            program_of(spec),
            stream_of(spec, n_sequences=20, lookback=2),
        )
        program.optimizer.learning_rate = 0.1
        program.train(data, pieces(data), STEP_INPUTS)
        found.append(program._flat.copy())
    threads._pool.cache_clear()
    np.testing.assert_array_equal(found[1], found[0])
    np.testing.assert_array_equal(found[2], found[0])


# Streams


@pytest.mark.parametrize("start", [0, 17])
@pytest.mark.parametrize("n_sequences", [1, 3, 7])
@pytest.mark.parametrize("lookback", [1, 4, 100])
def test_an_epoch_reads_every_token_once(n_sequences, lookback, start):
    stream = np.arange(49, dtype=np.int32)
    data = TokenStream(stream, stream + 1, n_sequences, lookback)
    read = [data.gather(np.array([n, start])) for n in range(len(data))]
    inputs = np.concatenate([batch.inputs["x"] for batch in read])
    targets = np.concatenate([batch.targets[:, :, 0] for batch in read])
    real = np.concatenate([batch.present for batch in read])
    assert max(len(batch.targets) for batch in read) <= lookback
    # In order in each sequence, sequence by sequence.
    in_order = inputs.T[real.T]
    np.testing.assert_array_equal(in_order, np.roll(stream, -start))
    np.testing.assert_array_equal(targets[real], inputs[real] + 1)


def test_pieces_are_about_equally_long():
    stream = np.arange(101, dtype=np.int32)
    data = TokenStream(stream, stream, 1, 50)
    lengths = [len(data.gather(rows).present) for rows in pieces(data)]
    assert sorted(lengths) == [33, 34, 34]


def test_epochs_begin_elsewhere_with_shuffle_only():
    data = stream_of(BASE, seed=0)
    starts = {data.start(epoch) for epoch in range(50)}
    assert len(starts) > 20
    assert stream_of(BASE, seed=3).start(4) == stream_of(BASE, seed=3).start(4)
    assert {stream_of(BASE).start(epoch) for epoch in range(50)} == {0}


def test_a_state_that_is_not_carried_would_be_seen():
    # The second piece depends on the first.
    data = stream_of(BASE, n_sequences=2)
    program = program_of(BASE)
    whole = program.evaluate(data, pieces(data))[0]
    alone = sum(program.evaluate(data, one[None])[0] for one in pieces(data))
    assert abs(whole - alone) > 1e-3


# Training


def plan_of(**options):
    defaults = dict(
        loss=None, optimizer="adam", learning_rate=0.05, clipnorm=1.0, epochs=5,
        batch_size=32, shuffle=True, early_stopping=False, patience=2, callbacks=(),
        verbose=0, seed=0,
    )  # fmt: skip
    return TrainPlan(**defaults | options)


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_training_lowers_the_loss(changes):
    spec = language_spec(**LSTM | changes | dict(dropout=0.1))
    data = stream_of(spec, n_sequences=2, seed=0)
    weights = initial_weights(spec, 0)
    trained = _engine.train(spec, plan_of(epochs=30), data, None, weights)
    assert trained.history["loss"][-1] < 0.9 * trained.history["loss"][0]
    shapes = [row.shape for row in weight_table(spec)]
    assert [weight.shape for weight in trained.weights] == shapes


def test_early_stopping_keeps_the_best_epoch():
    data = stream_of(BASE, n_sequences=2)
    other = TokenStream(*np.ones((2, 9), np.int32), 1, 4)
    plan = plan_of(epochs=200, early_stopping=True)
    start = initial_weights(BASE, 0)
    trained = _engine.train(BASE, plan, data, other, start)
    assert len(trained.history["val_loss"]) == trained.best_epoch + 2
    program = LanguageProgram(BASE, None, "adam")
    program.reset(trained.weights)
    total, count = program.evaluate(other, pieces(other))
    np.testing.assert_allclose(total / count, min(trained.history["val_loss"]))
