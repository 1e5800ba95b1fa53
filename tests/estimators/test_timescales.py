"""`timescales` of every estimator: the same numbers in every way, and its errors."""

import pickle

import numpy as np
import pytest

from skrnn import (
    Seq2SeqClassifier,
    Seq2SeqRegressor,
    SequenceClassifier,
    SequenceOutlierDetector,
    SequenceRegressor,
    _engine,
)
from skrnn.text import TextGenerator

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 9, 2)).astype(np.float32)
Y = X[:, -5, 0]
RAGGED = [x[: 1 + i % 9] for i, x in enumerate(X)]
STEPS = [x[:, 0] for x in RAGGED]
SMALL = dict(units=(4, 3), timescales=(1, 4), epochs=2, random_state=0, shuffle=False)
CLOSE = dict(rtol=1e-3, atol=1e-5)
NETWORKS = {
    "lstm": dict(cell="lstm"),
    "gru of both directions": dict(cell="gru", bidirectional=True),
    "mingru": dict(cell="mingru", attention="dot"),
    "each step": dict(cell="gru", return_sequences=True, recurrent_dropout=0.3),
}


@pytest.mark.parametrize("network", NETWORKS)
def test_every_way_to_predict_gives_the_same(network):
    options = SMALL | NETWORKS[network]
    y = STEPS if options.get("return_sequences") else Y
    model = SequenceRegressor(**options).fit(RAGGED, y)
    among = model.predict(RAGGED)
    for i in range(9):
        np.testing.assert_allclose(
            model.predict(RAGGED[i : i + 1])[0], among[i], **CLOSE
        )
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    if not model.bidirectional:
        return
    found = model.model_(X).numpy()[..., 0]
    np.testing.assert_allclose(found, model.predict(X), **CLOSE)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("network", ["gru of both directions"])
def test_both_engines_train_alike(network):
    options = SMALL | NETWORKS[network] | dict(optimizer="sgd", recurrent_dropout=0.0)
    y = STEPS if options.get("return_sequences") else Y
    cpu, on_keras = (
        SequenceRegressor(engine=engine, **options).fit(RAGGED, y)
        for engine in ("cpu", "keras")
    )
    for a, b in zip(cpu._weights, on_keras._weights, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize("network", ["lstm", "mingru", "each step"])
def test_a_stream_follows(network):
    options = SMALL | NETWORKS[network]
    steps = options.get("return_sequences", False)
    model = SequenceRegressor(**options).fit(RAGGED, STEPS if steps else Y)
    stream = model.stream()
    for t in range(9):
        expected = model.predict(X[:1, : t + 1])[0]
        found = stream.update(X[0, t])
        np.testing.assert_allclose(found, expected[-1] if steps else expected, **CLOSE)


def test_a_step_reads_only_those_of_its_own_chain():
    model = SequenceRegressor(
        units=4, timescales=(3,), epochs=1, random_state=0, return_sequences=True
    ).fit(X, X[..., 0])
    moved = X.copy()
    moved[:, 2] += 1
    change = np.abs(model.predict(moved) - model.predict(X)).max(axis=0)
    assert (np.flatnonzero(change > 1e-6) == [2, 5, 8]).all()


def test_it_writes_words_numbers_and_texts():
    words = ["ab", "ba", "abb", "bab"] * 4
    options = SMALL | dict(bidirectional=True, attention="dot")
    model = Seq2SeqClassifier(max_length=3, n_beams=2, **options).fit(words, words)
    assert len(model.predict(words[:3])) == 3
    numbers = Seq2SeqRegressor(teacher_forcing=0.5, **SMALL).fit(X, X[:, :3, 0])
    predicted, before = numbers.predict(X[:4]), np.full((4, 3, 1), np.nan)
    before[:, 1:, 0] = predicted[:, :-1]
    # A model of Keras goes on from all of the encoder's last states.
    found = numbers.model_([X[:4], before]).numpy()[..., 0]
    np.testing.assert_allclose(found, predicted, **CLOSE)


def test_a_text_is_read_in_pieces_as_it_is_whole():
    options = SMALL | dict(embedding_dim=3, lookback=5)
    model = TextGenerator(**options).fit(["abc abe", "acd abc"] * 4)
    network, ids = (model._spec, model._weights), model._vocabulary.encode("abc ab")
    expected, _ = _engine.next_token(*network, [ids])
    _, states = _engine.next_token(*network, [ids[:1]])
    decoder = _engine.IncrementalDecoder(*network, states)
    found = [decoder.read(ids[i : i + 1]) for i in range(1, 6)][-1]
    found = found - np.log(np.exp(found).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(found, expected, **CLOSE)


@pytest.mark.parametrize("method", ["prediction", "reconstruction"])
def test_outliers_are_found(method):
    model = SequenceOutlierDetector(method=method, **SMALL).fit(X)
    assert np.isfinite(model.score_samples(X)).all()


@pytest.mark.parametrize("timescales", [(1, 2, 3), (1,)])
def test_one_entry_for_each_layer(timescales):
    model = SequenceClassifier(units=(4, 3), timescales=timescales)
    message = rf"timescales=\({', '.join(map(str, timescales))},?\) must have one entry"
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y > 0)


def test_what_is_learnt_on_other_timescales_is_not_gone_on_with():
    model = SequenceRegressor(warm_start=True, **SMALL).fit(X, Y)
    with pytest.raises(ValueError, match="timescales"):
        model.set_params(timescales=(1, 2)).fit(X, Y)
