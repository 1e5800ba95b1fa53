"""Counts of NumPy's small types do what Python's integers do: nothing overflows."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

import skrnn
from skrnn.forecasting import Forecaster, WindowSplit, backtest
from skrnn.metrics import mean_absolute_scaled_error
from skrnn.preprocessing import SequencePadder, TextSequencer, make_supervised
from skrnn.text import TextGenerator

RNG = np.random.default_rng(0)
SERIES = np.sin(np.arange(600.0))
X = RNG.normal(size=(12, 3, 2))
TINY = {"units": 2, "epochs": 1, "random_state": 0}
TEXT = TextGenerator(**TINY, lookback=5, embedding_dim=2).fit(["the cat sat."] * 4)
WORDS = skrnn.Seq2SeqClassifier(**TINY).fit(X, ["ab", "b", "ba"] * 4)
RIDGE = Forecaster(Ridge(), lookback=3).fit(None, SERIES)


def beams(n):
    return WORDS.set_params(n_beams=n).predict_beams(X, n_best=n)


def splits(n):
    split = WindowSplit(3, test_size=n, step=n, purge=n, max_train_size=n)
    return [np.concatenate(rows) for rows in split.split(SERIES)]


# What is called with a count -> the count.
CALLS = {
    "beams": (beams, 2),
    "top_k": (lambda n: TEXT.generate("the", 20, top_k=n, random_state=0), 2),
    "samples": (lambda n: TEXT.generate("the", n, n_samples=n, random_state=0), 2),
    "steps": (lambda n: RIDGE.forecast(n), 127),
    "horizon": (lambda n: make_supervised(SERIES, horizon=n, gap=n)[1], 127),
    "padder": (lambda n: SequencePadder(maxlen=n).fit_transform([SERIES, X[0, 0]]), 3),
    "words": (
        lambda n: list(TextSequencer(maxlen=n).fit_transform(["the cat sat on it"])),
        2,
    ),
    "splits": (splits, 100),
    "backtest": (
        lambda n: (
            backtest(
                Ridge(), SERIES[:, None], SERIES, initial=n, step=n, horizon=n
            ).y_pred
        ),
        100,
    ),
    "season": (
        lambda n: mean_absolute_scaled_error(
            SERIES, SERIES + 1, y_train=SERIES, seasonal_period=n
        ),
        100,
    ),
    "differences": (
        lambda n: (
            Forecaster(Ridge(), lookback=n, difference=(n, n), gap=n)
            .set_params(strategy="recursive")
            .fit(None, SERIES)
            .forecast(3)
        ),
        100,
    ),
}


@pytest.mark.parametrize("kind", [np.uint8, np.int8])
@pytest.mark.parametrize("name", CALLS)
def test_a_count_of_a_small_type_is_that_of_python(name, kind):
    call, n = CALLS[name]
    found, expected = call(kind(n)), call(n)
    np.testing.assert_equal(np.asarray(found, object), np.asarray(expected, object))
