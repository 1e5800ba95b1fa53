"""Sets of `quality.py` that ask for a memory: those of Graves et al. (2014).

They are made alike in every run. Of a sequence only the steps behind its last mark are
asked, and it is right if every bit of them is.
"""

import numpy as np

from skrnn import SequenceClassifier

# Tried on sequences that are judged too, by which batches of 8 were chosen for recalls:
# all of them are made at random.
COPIES = {
    "memory": (128, 20),
    "learning_rate": 5e-3,
    "learning_rate_schedule": "cosine",
    "global_clipnorm": 1.0,
    "batch_size": 16,
    "epochs": 2,
}
RECALLS = COPIES | {"learning_rate": 3e-3, "batch_size": 8, "epochs": 1}
# By cell and bits: for copies, for recalls, and of an LSTM, which has nothing but its
# units to remember by.
UNITS = {("ntm", 8): 32, ("ntm", 6): 64, ("lstm", 8): 256, ("lstm", 6): 256}


def make_copies(n_steps, longest=20, n_train=30_000, n_test=200):
    """Generate patterns of 8 bits to copy: 1 to `longest`, and `n_steps` to be judged.

    A mark ends them, and then there are as many empty steps.
    """
    rng = np.random.default_rng(0)
    train = [_copy(rng, n) for n in rng.integers(1, longest + 1, size=n_train)]
    return _split(train, [_copy(rng, n_steps) for _ in range(n_test)])


def _copy(rng, n):
    bits = rng.integers(0, 2, size=(n, 8))
    x, y = np.zeros((2 * n + 1, 9), np.float32), np.zeros((2 * n + 1, 8), np.int8)
    x[:n, :8], x[n, 8], y[n + 1 :] = bits, 1, bits
    return x, y


def make_recalls(n_items, n_train=40_000, n_test=200):
    """Generate items and one of them again: what came after it is to be recalled.

    An item is 3 patterns of 6 bits behind a mark; 2 to 6 of them are in training, and
    one of `n_items` to be judged. A second mark stands around the one that is asked.
    """
    rng = np.random.default_rng(0)
    train = [_recall(rng, n) for n in rng.integers(2, 7, size=n_train)]
    return _split(train, [_recall(rng, rng.choice(n_items)) for _ in range(n_test)])


def _recall(rng, n):
    items, end = rng.integers(0, 2, size=(n, 3, 6)), 4 * n
    x, y = np.zeros((end + 8, 8), np.float32), np.zeros((end + 8, 6), np.int8)
    asked = rng.integers(n - 1)
    for i, item in enumerate(items):
        x[4 * i, 6], x[4 * i + 1 : 4 * i + 4, :6] = 1, item
    x[[end, end + 4], 7], x[end + 1 : end + 4, :6] = 1, items[asked]
    y[-3:] = items[asked + 1]
    return x, y


def _split(train, test):
    return [list(part) for rows in (train, test) for part in zip(*rows, strict=True)]


def asked_of(x):
    """Return which steps of a sequence come behind its last mark."""
    marks = x[:, 6:] if x.shape[1] == 8 else x[:, 8:]
    return np.arange(len(x)) > np.flatnonzero(marks.any(axis=1))[-1]


class Answering:
    """A network that learns from the steps that are asked, and answers these.

    The sets of one task have the same training sequences, so one network is trained for
    all of them.
    """

    trained = {}

    def __init__(self, seed, *, cell, **params):
        options = {"cell": cell, "random_state": seed, "early_stopping": False}
        self.network = SequenceClassifier(return_sequences=True, **options | params)

    def fit(self, X, y):
        """Train the network, or take the one of the set before."""
        self.network.set_params(units=UNITS[self.network.cell, y[0].shape[1]])
        key = repr(self.network.get_params())
        if key not in self.trained:
            weights = [asked_of(x).astype(float) for x in X]
            self.trained[key] = self.network.fit(X, y, sample_weight=weights)
        self.network = self.trained[key]
        self.n_iter_ = self.network.n_iter_
        return self

    def predict(self, X):
        """Answer, with zeros for steps that aren't asked."""
        pairs = zip(self.network.predict(X), X, strict=True)
        return [steps * asked_of(x)[:, None] for steps, x in pairs]


class Guess:
    """Zeros for all bits."""

    def fit(self, X, y):
        """Learn how many bits there are."""
        self.n_bits = y[0].shape[1]
        return self

    def predict(self, X):
        """Return zeros."""
        return [np.zeros((len(x), self.n_bits)) for x in X]


def all_right(y_true, y_pred):
    """Return the share of sequences whose bits are all right, in percent."""
    pairs = zip(y_true, y_pred, strict=True)
    return 100 * np.mean([np.array_equal(true, found) for true, found in pairs])
