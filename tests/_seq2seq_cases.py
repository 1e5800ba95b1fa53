"""Words and series that sequence-to-sequence estimators learn."""

import numpy as np

# Few steps of training, which are what fits of such small networks cost.
LEARNS = dict(
    units=24, epochs=40, learning_rate=0.02, batch_size=16, random_state=0
)  # fmt: skip


def make_words(n=200, alphabet="abcd", longest=4):
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, longest + 1, n)
    # An array of characters would lose a NUL.
    drawn = [rng.integers(len(alphabet), size=length) for length in lengths]
    return ["".join(alphabet[i] for i in each) for each in drawn]


WORDS = make_words()
BACKWARDS = [word[::-1] for word in WORDS]
SOME, SAME = WORDS[:20], BACKWARDS[:20]
# Any cell learns these.
SHORT = [word for word in WORDS[:100] if len(word) < 4]
TROHS = [word[::-1] for word in SHORT]


def make_series(n=120, n_targets=0):
    """Make 8 steps of sines of two features, and the next 3 steps."""
    rng = np.random.default_rng(0)
    at = rng.uniform(0, 6, (n, 1)) + 0.5 * np.arange(11)
    series = np.stack([np.sin(at), np.cos(at)], axis=2)
    y = series[:, 8:]
    return series[:, :8], y[:, :, :n_targets] if n_targets else y[:, :, 0]


X, Y = make_series()

FUTURE = np.ones((120, 3, 2))
