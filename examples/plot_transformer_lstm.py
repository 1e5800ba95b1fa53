"""
A Transformer beside an LSTM
============================

An LSTM reads step by step and keeps what it has seen in a state of fixed size. A
Transformer keeps every step, and each one attends to those that it needs. Here both
learn the same data: once to look something up, and once to follow a running mean.
"""

# %%
# Looking up
# ----------
# Eight steps each tell a key and one of four values, in any order. The ninth names one
# key, and the answer is the value that stood beside it. Nobody knows beforehand which
# one will be asked for, so an LSTM has to hold all eight pairs at once.
import time

import matplotlib.pyplot as plt
import numpy as np

from skrnn import (
    LSTMClassifier,
    LSTMRegressor,
    TransformerClassifier,
    TransformerRegressor,
)
from skrnn.inspection import AttentionDisplay, attention_weights

N_KEYS, N_VALUES = 8, 4


def lookups(n, seed):
    """Return X (n, 9, 12), the values asked for, and the steps where they stand."""
    rng = np.random.default_rng(seed)
    keys = rng.permuted(np.tile(np.arange(N_KEYS), (n, 1)), axis=1)
    values = rng.integers(N_VALUES, size=(n, N_KEYS))
    rows, asked = np.arange(n), rng.integers(N_KEYS, size=n)
    X = np.zeros((n, N_KEYS + 1, N_KEYS + N_VALUES), np.float32)
    X[:, :-1, :N_KEYS] = np.eye(N_KEYS)[keys]
    X[:, :-1, N_KEYS:] = np.eye(N_VALUES)[values]
    X[rows, -1, keys[rows, asked]] = 1
    return X, values[rows, asked], asked


def compare(networks, train, test):
    """Fit each network, and print how good it is and how long it took."""
    for name, network in networks.items():
        start = time.perf_counter()
        network.fit(*train)
        seconds = time.perf_counter() - start
        print(f"{name:12s} {network.score(*test):.3f} in {seconds:.1f} s")


X, y, _ = lookups(2_000, seed=0)
X_new, y_new, asked = lookups(1_000, seed=1)
shared = dict(epochs=30, learning_rate=3e-3, early_stopping=False, random_state=0)
blocks = dict(d_model=32, n_layers=1, n_heads=2, dim_feedforward=64, dropout=0.0)
transformer = TransformerClassifier(pooling="last", **blocks, **shared)
lstm = LSTMClassifier(units=64, **shared)
compare({"Transformer": transformer, "LSTM": lstm}, (X, y), (X_new, y_new))

# %%
# The Transformer generalises after 30 epochs. The LSTM does little better than the
# quarter that guessing gets, and more epochs only let it learn the training set by
# heart.
#
# What the last step attends to
# -----------------------------
# Of all steps the question attends most to the one that has its key. What it learnt is
# a lookup, for any key in any place.
weights = attention_weights(transformer, X_new)
from_question = np.stack(weights)[:, -1]
found = from_question[:, :N_KEYS].argmax(axis=1) == asked
print(f"most attention to the right step {found.mean():.3f}")

fig, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
AttentionDisplay.from_estimator(transformer, X_new[:1], ax=axes[0])
axes[0].set_title(f"One sequence: the key stands at step {asked[0] + 1}")
order = np.argsort(asked[:200], kind="stable")
size = dict(aspect="auto", extent=(0.5, N_KEYS + 1.5, 200, 0))
axes[1].imshow(from_question[order], cmap="Blues", interpolation="nearest", **size)
axes[1].set(
    xlabel="Step read",
    ylabel="Sequence, by the step asked for",
    title="The last step of 200 sequences",
)
plt.show()

# %%
# A running mean
# --------------
# The other way round: to answer with a mean of all 40 steps, in which every step counts
# 0.9 times as much as the next one. That is what a state is made for. Both
# learn it, the LSTM with less error and in less time.


def means(n, seed):
    """Return X (n, 40, 1), and its weighted sums."""
    X = np.random.default_rng(seed).normal(size=(n, 40, 1)).astype(np.float32)
    return X, X[..., 0] @ 0.9 ** np.arange(39, -1, -1)


networks = {
    "Transformer": TransformerRegressor(pooling="last", **blocks, **shared),
    "LSTM": LSTMRegressor(units=32, **shared),
}
compare(networks, means(500, seed=0), means(500, seed=1))

# %%
# Which one to take depends on the question: whether an answer hangs on *which* earlier
# steps there were, or on all of them in order. The other difference is the price: the
# work of attention grows with the square of the steps, that of a state as they do.
