"""
A Turing machine that copies
============================

A Neural Turing Machine (Graves et al., 2014) is an LSTM with a memory beside it, and
two heads: one writes to the slots of the memory, one reads them. It is trained like any
other network, and what it learns is a procedure. Here it learns to copy, and copies
sequences that are longer than any of its training; an LSTM with more weights doesn't.
"""

# %%
# The task
# --------
# Some patterns of six bits come, then a mark, and then as many empty steps, in which
# the network must answer with the patterns. ``sample_weight`` leaves out the steps of
# which nothing is asked.
import matplotlib.pyplot as plt
import numpy as np

from skrnn import SequenceClassifier
from skrnn.inspection import MemoryDisplay

rng = np.random.default_rng(0)


def make_copies(lengths):
    """Return sequences, their answers, and which steps are asked."""
    X, y, asked = [], [], []
    for n in lengths:
        bits = rng.integers(0, 2, size=(n, 6))
        x, answers = np.zeros((2 * n + 1, 7)), np.zeros((2 * n + 1, 6), int)
        x[:n, :6], x[n, 6], answers[n + 1 :] = bits, 1, bits
        X.append(x)
        y.append(answers)
        asked.append((np.arange(2 * n + 1) > n).astype(float))
    return X, y, asked


X, y, asked = make_copies(rng.integers(1, 9, size=12_000))

# %%
# Two networks
# ------------
# Both are trained on patterns of up to eight steps, the LSTM three times as long.
common = dict(
    return_sequences=True, batch_size=16, learning_rate_schedule="cosine",
    learning_rate=5e-3, global_clipnorm=1.0, early_stopping=False, random_state=0,
)  # fmt: skip
machine = SequenceClassifier(cell="ntm", memory=(40, 10), units=32, epochs=1, **common)
machine.fit(X, y, sample_weight=asked)
lstm = SequenceClassifier(cell="lstm", units=64, epochs=3, **common)
lstm.fit(X, y, sample_weight=asked)


def all_right(model, n):
    """Return the share of sequences of n patterns that are copied without an error."""
    X, y, asked = make_copies([n] * 100)
    pairs = zip(model.predict(X), y, asked, strict=True)
    return np.mean([(found == true)[step > 0].all() for found, true, step in pairs])


lengths = [2, 4, 8, 12, 16, 24, 32]
shares = {
    name: [all_right(model, n) for n in lengths]
    for name, model in (("Turing machine", machine), ("LSTM", lstm))
}
print("patterns       ", *(f"{n:5}" for n in lengths))
for name, of_name in shares.items():
    print(f"{name:<15}", *(f"{share:5.2f}" for share in of_name))

fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
for name, of_name in shares.items():
    ax.plot(lengths, of_name, "o-", label=name)
ax.axvline(8, color="0.6", linestyle=":")
ax.set(xlabel="patterns to copy (trained on 1 to 8)", ylabel="copied without an error")
ax.legend(frameon=False)

# %%
# Its heads
# ---------
# While patterns come, it writes each to the next slot. At the mark the head that reads
# goes to where the first one was written, and follows.
X, y, _ = make_copies([16])
MemoryDisplay.from_estimator(machine, X)

# %%
# What it answers beside what it should:
fig, axes = plt.subplots(3, 1, figsize=(7, 4), layout="constrained", sharex=True)
rows = {
    "read": X[0],
    "to answer": y[0],
    "probability": machine.predict_proba(X)[0] * (np.arange(33) > 16)[:, None],
}
for ax, (name, steps) in zip(axes, rows.items(), strict=True):
    ax.imshow(steps.T, cmap="Greys", vmin=0, vmax=1, aspect="auto")
    ax.set(ylabel=name, yticks=[])
axes[-1].set_xlabel("step")
plt.show()
