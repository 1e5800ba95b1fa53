"""Write the files that every later version must read, with what they predict.

Run for each version that is released, and for what is new in one that isn't yet::

    python tests/persistence/make_files.py

A file that is there stays as it is: remove none, and write none anew. Each stands
beside an archive of arrays with X and the answers.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import skrnn
from skrnn.forecasting import Forecaster
from skrnn.preprocessing import SequenceWise, SlidingWindow, TextSequencer
from skrnn.text import TextGenerator

FOLDER = Path(__file__).parent / "files"
RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 5, 2)).astype(np.float32)
Y = X[:, -1, 0].astype(np.float64)
TINY = dict(units=3, epochs=2, random_state=0)
TEXTS = ["the cat sat", "a dog ran", "the dog sat"] * 4
TABLE = np.array([["a", "x"], ["b", "y"], ["c", "x"]] * 8)
DAYS = pd.date_range("2024-03-20", periods=40, tz="Europe/Oslo")
SERIES = pd.Series(5 + np.sin(np.arange(40)), DAYS)
SIZED = dict(n_members=1, n_windows=50, random_state=0)


def cases():
    """Return, by name, a fitted estimator, the method to call and its X."""
    one_hot = make_pipeline(OneHotEncoder(), Ridge())
    return _newer_networks() | {
        "regressor": (skrnn.LSTMRegressor(**TINY).fit(X, Y), "predict", X),
        "classifier": (
            skrnn.GRUClassifier(**TINY, bidirectional=True, attention="additive").fit(
                X, np.where(Y > 0, "up", "down")
            ),
            "predict_proba",
            X,
        ),
        "tagger": (
            skrnn.RNNClassifier(**TINY, return_sequences=True, layer_norm=True).fit(
                X, (X[:, :, 0] > 0).astype(int)
            ),
            "predict_proba",
            X,
        ),
        "seq2seq": (
            skrnn.Seq2SeqRegressor(**TINY, attention="dot").fit(X, X[:, :3, 0]),
            "predict",
            X,
        ),
        "translator": (
            skrnn.Seq2SeqClassifier(**TINY).fit(TEXTS, [t[:3] for t in TEXTS]),
            "predict",
            np.array(TEXTS),
        ),
        "outliers": (skrnn.SequenceOutlierDetector(**TINY).fit(X), "score_samples", X),
        "tokens": (
            make_pipeline(
                TextSequencer(), skrnn.GRUClassifier(**TINY, embedding_dim=2)
            ).fit(TEXTS, ["a", "b", "b"] * 4),
            "predict_proba",
            np.array(TEXTS),
        ),
        "generator": (
            TextGenerator(
                units=3, embedding_dim=2, epochs=1, lookback=4, random_state=0
            ).fit(TEXTS),
            "predict_proba",
            np.array(TEXTS),
        ),
        "search": (
            GridSearchCV(
                make_pipeline(
                    SlidingWindow(3),
                    SequenceWise(StandardScaler()),
                    skrnn.GRURegressor(**TINY),
                ),
                {"gruregressor__units": [2]},
                cv=TimeSeriesSplit(2),
            ).fit(X[:, 0], Y),
            "predict",
            X[:, 0],
        ),
        "columns": (
            ColumnTransformer(
                [("scaled", StandardScaler(), [0]), ("rest", "passthrough", [1])]
            ).fit(X[:, 0]),
            "transform",
            X[:, 0],
        ),
        "categories": (one_hot.fit(TABLE, Y), "predict", TABLE),
        "words": (
            make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(
                TEXTS, ["a", "b", "b"] * 4
            ),
            "predict_proba",
            np.array(TEXTS),
        ),
        "forest": (
            RandomForestRegressor(2, max_depth=3, random_state=0).fit(X[:, 0], Y),
            "predict",
            X[:, 0],
        ),
        "forecaster": (
            Forecaster(
                skrnn.SequenceRegressor(**TINY), horizon=4, lookback=7, **SIZED
            ).fit(None, SERIES),
            "forecast",
            np.array(6),
        ),
        "ridge": (
            Forecaster(Ridge(), horizon=2, lookback=7, difference=1).fit(None, SERIES),
            "forecast",
            np.array(6),
        ),
    }


def _newer_networks():
    up = np.where(Y > 0, "up", "down")
    tags = (X[:, :, 0] > 0).astype(int)
    blocks = dict(d_model=4, n_heads=2, n_layers=1, dim_feedforward=4)
    of = {name: value for name, value in TINY.items() if name != "units"}
    slow = dict(units=(3, 2), timescales=(1, 2))
    return {
        "transformer": (
            skrnn.TransformerClassifier(**blocks, **of).fit(X, up),
            "predict_proba",
            X,
        ),
        "convolutions": (
            skrnn.GRURegressor(**TINY, conv_filters=(3, 2), conv_kernel_size=2).fit(
                X, Y
            ),
            "predict",
            X,
        ),
        "chain": (
            skrnn.LSTMClassifier(**TINY, return_sequences=True, crf=True).fit(X, tags),
            "predict_proba",
            X,
        ),
        "timescales": (
            skrnn.LSTMRegressor(**TINY | slow).fit(X, Y),
            "predict",
            X,
        ),
        "mingru": (
            skrnn.SequenceClassifier(**TINY, cell="mingru").fit(X, up),
            "predict_proba",
            X,
        ),
    }


def answer(estimator, method, X):
    """Return what an estimator says, as one array."""
    if method == "forecast":
        found = estimator.forecast(int(X))
        stamps = found.index.tz_convert("UTC").tz_localize(None).to_numpy()
        return np.stack(
            [stamps.astype("datetime64[s]").astype(float), found.to_numpy()]
        )
    found = getattr(estimator, method)(X.tolist() if X.dtype.kind == "U" else X)
    if hasattr(found, "toarray"):
        return found.toarray()
    return np.array(list(found))


def main():
    """Write all files of this version."""
    folder = FOLDER / skrnn.__version__
    folder.mkdir(parents=True, exist_ok=True)
    for name, (estimator, method, X) in cases().items():
        if (folder / f"{name}.skrnn").exists():
            continue
        skrnn.save(estimator, folder / f"{name}.skrnn")
        expected = answer(estimator, method, X)
        found = {"X": X, "expected": expected, "method": np.array(method)}
        np.savez(folder / f"{name}.npz", **found)
        print(name, (folder / f"{name}.skrnn").stat().st_size)


if __name__ == "__main__":
    main()
