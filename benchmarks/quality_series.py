"""The labelled series of `quality.py`, a row each: how to read them, what to fit."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


@dataclass(frozen=True)
class Split:
    """What to fit on, and what to be judged by."""

    X_train: Any
    y_train: Any
    X_test: Any
    y_test: Any


def read_sequences(path):
    """Read an archive of labelled sequences; ragged ones become lists."""
    archive = np.load(path)
    parts = []
    for part in ("train", "test"):
        ends = np.cumsum(archive[f"len_{part}"])[:-1]
        sequences = np.split(archive[f"X_{part}"], ends)
        ragged = len({len(sequence) for sequence in sequences}) > 1
        parts += [sequences if ragged else np.stack(sequences), archive[f"y_{part}"]]
    return Split(*parts)


def read_digits():
    """Read scikit-learn's digits: sequences of 8 rows with 8 pixels each."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X.reshape(-1, 8, 8), y, test_size=0.25, stratify=y, random_state=0
    )
    return Split(X_train, y_train, X_test, y_test)


def read_pixels():
    """Read the same digits pixel by pixel: sequences of 64 numbers."""
    digits = read_digits()
    return replace(
        digits,
        X_train=digits.X_train.reshape(-1, 64, 1),
        X_test=digits.X_test.reshape(-1, 64, 1),
    )


def make_cylinders(n_train=30, n_test=900, n_steps=128):
    """Generate cylinders, bells and funnels: Saito (1994), in noise."""
    rng = np.random.default_rng(0)
    n, steps = n_train + n_test, np.arange(n_steps)
    y = np.arange(n) % 3
    starts = rng.integers(16, 33, size=(n, 1))
    ends = starts + rng.integers(32, 97, size=(n, 1))
    inside = (steps >= starts) & (steps <= ends)
    rise = (steps - starts) / (ends - starts)
    shapes = np.choose(y[:, None], [np.ones_like(rise), rise, 1 - rise])
    X = (6 + rng.normal(size=(n, 1))) * shapes * inside + rng.normal(size=(n, n_steps))
    return Split(X[:n_train, :, None], y[:n_train], X[n_train:, :, None], y[n_train:])


@dataclass(frozen=True)
class Series:
    """One set of labelled series.

    Attributes
    ----------
    title : str
    bar : float
        What the mean accuracy over the seeds must reach, in %.
    path : str or None
        An archive in the folder of data; None for what needs none.
    read : callable
        Returns the `Split`; of the path, if there is one.
    params : dict
        Everything of the classifier that isn't left at its default.
    published : str
        A figure from elsewhere, and the number of its source in `quality_sets.py`.
    cells : tuple of str
    """

    title: str
    bar: float
    path: str | None
    read: Callable = read_sequences
    params: dict = field(default_factory=dict)
    published: str = ""
    cells: tuple = ("lstm", "gru")


# One recipe for all series, chosen by `quality_recipes.py` on three tenths of each
# training set, held out.
CONVOLUTIONS = {
    "conv_filters": (64, 64, 64),
    "bidirectional": True,
    "learning_rate_schedule": "cosine",
    "batch_size": 16,
}
BOTH = {"bidirectional": True}
VOWELS, MOTIONS = "tsc/JapaneseVowels.npz", "tsc/BasicMotions.npz"
ITALY, GUNPOINT = "tsc/ItalyPowerDemand.npz", "tsc/GunPoint.npz"


def convolved(title, bar, path, published="", read=read_sequences):
    """Return the row of series that are read by convolutions first."""
    title, cells = f"{title}, convolutions", ("gru",)
    return Series(title, bar, path, read, CONVOLUTIONS, published, cells)


SERIES = {
    "vowels": Series(
        "JapaneseVowels, ragged",
        95,
        VOWELS,
        params=BOTH,
        published="TWIESN 96.5, FCN 99.3 [1]",
    ),
    "motions": Series("BasicMotions", 90, MOTIONS),
    "italy": Series(
        "ItalyPowerDemand", 94, ITALY, published="TWIESN 88.0, FCN 96.1 [1]"
    ),
    "gunpoint": Series("GunPoint", 85, GUNPOINT, published="TWIESN 96.1, FCN 100 [1]"),
    "leaves": convolved("OSULeaf", 85, "tsc/OSULeaf.npz", "LSTM-FCN 98.4 [8]"),
    "gunpoint-conv": convolved("GunPoint", 98, GUNPOINT, "LSTM-FCN 100 [8]"),
    "italy-conv": convolved("ItalyPowerDemand", 96, ITALY, "LSTM-FCN 96.3 [8]"),
    "vowels-conv": convolved("JapaneseVowels", 97, VOWELS, "LSTM-FCN 99 [8]"),
    "motions-conv": convolved("BasicMotions", 97.5, MOTIONS),
    "cylinders": convolved("cylinder, bell, funnel", 98, None, read=make_cylinders),
    "pixels": Series(
        "digits, 64 pixels, convolutions",
        97,
        None,
        read_pixels,
        CONVOLUTIONS | {"batch_size": 32, "epochs": 40, "early_stopping": False},
        cells=("gru",),
    ),
    "digits": Series(
        "digits, 8 rows of 8 pixels", 96, None, read=read_digits, params=BOTH
    ),
}
