"""Predictions in blocks, in a forked process, and of many architectures."""

import os
import pickle

import numpy as np
import pytest

from skrnn import LSTMRegressor
from skrnn._engine import choice
from skrnn._engine.prediction import batches

TINY = dict(units=4, epochs=3, random_state=0)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 5, 2)).astype(np.float32)
Y = X[:, -1, 0]
RAGGED = [x[: 2 + i % 4] for i, x in enumerate(X)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process")  # Python warns of fork itself.
def test_a_forked_process_predicts_large_inputs(monkeypatch):
    monkeypatch.setattr(choice, "ARE_COMPILED", False)
    monkeypatch.setattr(batches, "SMALL", 0)
    model = LSTMRegressor(**TINY, engine="keras").fit(X, Y)
    expected = model.predict(X)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, pickle.dumps(model.predict(X)))
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        found = pickle.loads(file.read())
    os.waitpid(child, 0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_attention_over_many_steps_is_cut_into_small_blocks():
    y = np.zeros((8, 300))
    model = LSTMRegressor(**TINY, attention="dot", return_sequences=True)
    long = RNG.normal(size=(8, 300, 1))
    model.fit(long, y)
    sequences = model._check_X(long, reset=False)
    one_by_one = batches.Size.of(model._spec).of_length(int(sequences.lengths[0]))
    assert one_by_one > 300**2
    np.testing.assert_allclose(
        model.predict(long), np.concatenate([model.predict(x[None]) for x in long])
    )


def test_many_architectures_make_no_noise(caplog, capfd):
    for units in range(2, 8):
        LSTMRegressor(units=units, epochs=1).fit(X, Y)
    assert "retracing" not in caplog.text + capfd.readouterr().err
