"""Words and series that sequence-to-sequence estimators learn."""

import numpy as np

LEARNS = dict(units=24, epochs=60, learning_rate=0.01, random_state=0)


def make_words(n=300, alphabet="abcd", longest=5):
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, longest + 1, n)
    # An array of characters would lose a NUL.
    drawn = [rng.integers(len(alphabet), size=length) for length in lengths]
    return ["".join(alphabet[i] for i in each) for each in drawn]


WORDS = make_words()
BACKWARDS = [word[::-1] for word in WORDS]
SOME, SAME = WORDS[:20], BACKWARDS[:20]


def make_series(n=120, n_targets=0):
    """Make 8 steps of sines of two features, and the next 3 steps."""
    rng = np.random.default_rng(0)
    at = rng.uniform(0, 6, (n, 1)) + 0.5 * np.arange(11)
    series = np.stack([np.sin(at), np.cos(at)], axis=2)
    y = series[:, 8:]
    return series[:, :8], y[:, :, :n_targets] if n_targets else y[:, :, 0]


X, Y = make_series()

FUTURE = np.ones((120, 3, 2))
