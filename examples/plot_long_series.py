"""
Long series with convolutions
=============================

Cylinder, bell and funnel are shapes that stand somewhere in a noisy series (Saito,
1994). A recurrent layer alone has to find them among hundreds of steps, with a few
dozen examples to learn from. Convolutions before it look for short shapes at every step
and hand on the strongest of each few steps: the recurrent layer has fewer steps to
remember, and learns at once.
"""

# %%
# The series
# ----------
# Each has 400 steps. A cylinder is a plateau, a bell rises and a funnel falls; where
# they begin, how long they are and how high differs.
import time

import matplotlib.pyplot as plt
import numpy as np

from skrnn import GRUClassifier

KINDS = "cylinder", "bell", "funnel"
N_STEPS, N_TRAIN, N_TEST = 400, 90, 300


def make_series(n, rng):
    """Return series (n, T) and their kinds."""
    steps, kinds = np.arange(N_STEPS), rng.integers(len(KINDS), size=n)
    first = rng.integers(20, 200, size=(n, 1))
    last = first + rng.integers(60, 180, size=(n, 1))
    rise = (steps - first) / (last - first)
    shapes = np.choose(kinds[:, None], [np.ones_like(rise), rise, 1 - rise])
    shapes *= (steps >= first) & (steps <= last)
    height = 6 + rng.normal(size=(n, 1))
    return height * shapes + rng.normal(size=(n, N_STEPS)), kinds


rng = np.random.default_rng(0)
X_train, y_train = make_series(N_TRAIN, rng)
X_test, y_test = make_series(N_TEST, rng)

fig, axes = plt.subplots(3, 1, figsize=(9, 5), sharex=True, layout="constrained")
for kind, ax in enumerate(axes):
    ax.plot(X_train[y_train == kind][0], color="#1f6fb4", linewidth=0.8)
    ax.set(title=KINDS[kind], ylim=(-4, 10))
    ax.spines[["top", "right"]].set_visible(False)
axes[-1].set(xlabel="Step")
plt.show()

# %%
# With convolutions, and without
# ------------------------------
# ``conv_filters`` has the width of each convolution. After each one the strongest of
# ``conv_pool_size`` steps go on, 3 if nothing else is said: behind three of them the
# recurrent layer reads 15 steps in place of 400.
CHOICES = {"GRU alone": {}, "behind convolutions": {"conv_filters": (32, 32, 32)}}
models, scores = {}, {}
for name, params in CHOICES.items():
    begun = time.perf_counter()
    model = GRUClassifier(
        bidirectional=True,
        epochs=40,
        batch_size=16,
        learning_rate_schedule="cosine",
        random_state=0,
        **params,
    )
    models[name] = model.fit(X_train, y_train)
    seconds = time.perf_counter() - begun
    scores[name] = model.score(X_test, y_test)
    print(f"{name}: accuracy {scores[name]:.1%}, trained in {seconds:.0f} s")

# %%
# The loss in training tells the same: without convolutions the network hardly begins to
# learn in as many epochs.
fig, (left, right) = plt.subplots(
    1, 2, figsize=(9, 3.5), layout="constrained", width_ratios=[3, 2]
)
for (name, model), color in zip(models.items(), ["#c44e52", "#1f6fb4"], strict=True):
    left.plot(model.history_["loss"], color=color, label=name)
    right.bar(name, scores[name], color=color, width=0.6)
    right.text(name, scores[name] + 0.02, f"{scores[name]:.1%}", ha="center")
left.set(title="Loss in training", xlabel="Epoch", ylabel="Cross-entropy")
left.legend(frameon=False)
right.axhline(1 / 3, color="gray", linewidth=0.8, linestyle="--")
right.set(title=f"Accuracy on {N_TEST} others", ylim=(0, 1.1))
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# What the first convolution looks for
# ------------------------------------
# Its kernel has the weights of eight steps for each filter. Some look for edges, where
# a series rises or falls; others have hardly moved from the numbers they began with.
kernel = models["behind convolutions"].weights_["conv1d"]["kernel"][:, 0]
strongest = np.argsort(-np.ptp(kernel, axis=0))[:8]

fig, axes = plt.subplots(
    2, 4, figsize=(9, 3.5), sharex=True, sharey=True, layout="constrained"
)
for ax, number in zip(axes.flat, strongest, strict=True):
    ax.axhline(0, color="gray", linewidth=0.8)
    ax.plot(kernel[:, number], color="#1f6fb4", marker="o", markersize=3)
    ax.set(title=f"Filter {number}")
    ax.spines[["top", "right"]].set_visible(False)
fig.supxlabel("Step of the window")
plt.show()
