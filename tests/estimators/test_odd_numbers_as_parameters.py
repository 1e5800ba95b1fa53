"""Numbers of other types than int and float as parameters, and far too large ones."""

from fractions import Fraction

import numpy as np
import pytest

from skrnn import GRURegressor, Seq2SeqRegressor, SlidingWindow
from skrnn.forecasting import Forecaster
from skrnn.text import TextGenerator

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3, 1)).astype(np.float32)
Y = X[:, -1, 0]
SERIES = np.arange(400.0)[:, None]
TINY = {"units": 2, "epochs": 1, "random_state": 0}
# What is made of each number, in its own type, would be too large for it.
FITS = {
    "batches": lambda t: GRURegressor(**TINY, batch_size=t(200)).fit(X, Y).predict(X),
    "pairs": lambda t: (
        Seq2SeqRegressor(**TINY, batch_size=t(200)).fit(X, X[:, :2, 0]).predict(X)
    ),
    "text": lambda t: (
        TextGenerator(**TINY, embedding_dim=2, lookback=t(100), batch_size=t(4))
        .fit("the cat sat. " * 50)
        .perplexity("the cat")
    ),
    "windows": lambda t: (
        SlidingWindow(t(100), sampling_rate=t(3)).fit_transform(SERIES)
    ),
    "forecasts": lambda t: (
        Forecaster(
            GRURegressor(**TINY), horizon=t(100), gap=t(100), lookback=t(100),
            n_members=t(1), n_windows=t(200), random_state=0,
        ).fit(None, np.sin(np.arange(600))).forecast(t(90))
    ),
}  # fmt: skip


@pytest.mark.parametrize("key", FITS)
def test_integers_of_8_bits_are_read_as_others_are(key):
    np.testing.assert_array_equal(FITS[key](np.uint8), FITS[key](int))


def test_a_fraction_is_refused_by_name():
    with pytest.raises(ValueError, match="The 'dropout' parameter of GRU"):
        GRURegressor(dropout=Fraction(1, 2)).fit(X, Y)


@pytest.mark.parametrize("units", [2**40, 10**20, (2, 2**40)])
def test_a_network_larger_than_memory_is_refused(units):
    with pytest.raises(ValueError, match="weights, more than the memory here can hold"):
        GRURegressor(units=units).fit(X, Y)
