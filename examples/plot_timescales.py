"""
Several timescales
==================

Three recurrent layers, of which the second goes on from its state four steps before and
the third from its state sixteen steps before (Chang et al., 2017). What happened long
ago is then a few steps away, for the state and for the gradient. The same three layers
without timescales learn nothing here in as many epochs.
"""

# %%
# The task
# --------
# Two short pulses stand in a noisy series of 240 steps, one in its first part and one
# in its middle. Each goes up or down, and the class is what both do, in their order.
# Nothing follows for half of the series: the network has to remember both (the temporal
# order problem of Hochreiter & Schmidhuber, 1997).
import time

import matplotlib.pyplot as plt
import numpy as np

from skrnn import GRUClassifier
from skrnn.inspection import hidden_states

KINDS = ["down, down", "down, up", "up, down", "up, up"]
N_STEPS, PLACES = 240, [(10, 40), (90, 120)]
BLUE, RED = "#1f6fb4", "#c44e52"


def make_series(n, rng):
    """Return series (n, T, 1) and their kinds."""
    X, ups = rng.normal(scale=0.3, size=(n, N_STEPS, 1)), rng.integers(2, size=(n, 2))
    for (first, last), up in zip(PLACES, ups.T, strict=True):
        X[np.arange(n), rng.integers(first, last, size=n), 0] = np.where(up, 2, -2)
    return X, 2 * ups[:, 0] + ups[:, 1]


rng = np.random.default_rng(0)
X_train, y_train = make_series(1_000, rng)
X_test, y_test = make_series(400, rng)

fig, axes = plt.subplots(2, 2, figsize=(9, 3.5), sharex=True, layout="constrained")
for kind, ax in enumerate(axes.flat):
    ax.plot(X_train[y_train == kind][0], color=BLUE, linewidth=0.8)
    ax.set(title=KINDS[kind], ylim=(-2.4, 2.4))
    ax.spines[["top", "right"]].set_visible(False)
fig.supxlabel("Step")
plt.show()

# %%
# What ``timescales`` does
# ------------------------
# Each layer still answers at every step. A line begins at the step from whose state a
# step goes on: with a timescale of 16 the steps 0, 16, 32, ... are one chain (drawn in
# blue), the steps 1, 17, 33, ... the next one. From step 0 to step 48 the third layer
# takes three steps. Without timescales it would take 48.
TIMESCALES, SHOWN = (1, 4, 16), 49

fig, ax = plt.subplots(figsize=(9, 2.8), layout="constrained")
along = np.linspace(0, 1, 30)
for layer, timescale in enumerate(TIMESCALES):
    ax.scatter(np.arange(SHOWN), np.full(SHOWN, layer), s=9, color="#999999", zorder=2)
    height = {1: 0, 4: 0.25, 16: 0.6}[timescale]
    for end in range(timescale, SHOWN):
        steps = end - timescale * (1 - along)
        is_first_chain = end % timescale == 0
        look = {"color": BLUE, "linewidth": 1.5, "zorder": 3}
        if not is_first_chain:
            look = {"color": "#d0d8e0", "linewidth": 0.6, "zorder": 1}
        ax.plot(steps, layer + 4 * height * along * (1 - along), **look)
        if is_first_chain:
            ax.plot(end, layer, ">", color=BLUE, markersize=5, zorder=3)
labels = [f"layer {i}, timescale {n}" for i, n in enumerate(TIMESCALES, start=1)]
ax.set(title="What the states of each layer go on from", xlabel="Step", ylim=(-0.4, 3))
ax.set(yticks=range(3), yticklabels=labels)
ax.spines[["top", "right", "left"]].set_visible(False)
ax.tick_params(axis="y", length=0)
plt.show()

# %%
# With timescales, and without
# ----------------------------
# Both networks have as many weights, and the same data and epochs. The chains of a
# slower layer are computed side by side, so it takes no longer.
CHOICES = {"plain stack": None, f"timescales={TIMESCALES}": TIMESCALES}
models, scores = {}, {}
for name, timescales in CHOICES.items():
    begun = time.perf_counter()
    model = GRUClassifier(
        units=(16, 16, 16),
        timescales=timescales,
        epochs=10,
        learning_rate=5e-3,
        early_stopping=False,
        random_state=0,
    )
    models[name] = model.fit(X_train, y_train)
    seconds = time.perf_counter() - begun
    scores[name] = model.score(X_test, y_test)
    print(f"{name}: accuracy {scores[name]:.1%}, trained in {seconds:.0f} s")

# %%
# The plain stack stays at the level of chance, a quarter: the gradient of the last step
# hardly reaches the pulses.
fig, (left, right) = plt.subplots(
    1, 2, figsize=(9, 3.5), layout="constrained", width_ratios=[3, 2]
)
for (name, model), color in zip(models.items(), [RED, BLUE], strict=True):
    left.plot(model.history_["loss"], color=color, label=name)
    right.bar(name, scores[name], color=color, width=0.6)
    right.text(name, scores[name] + 0.02, f"{scores[name]:.1%}", ha="center")
left.set(title="Loss in training", xlabel="Epoch", ylabel="Cross-entropy")
left.legend(frameon=False)
right.axhline(1 / 4, color="gray", linewidth=0.8, linestyle="--")
right.set(title="Accuracy on 400 others", ylim=(0, 1.1))
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# The hidden states
# -----------------
# One series, with the states of the 16 units of each layer, a row for each unit. The
# dashed lines are its pulses. With timescales the states of the first layer change
# within tens of steps, those of the third within a hundred, and they keep the pulses to
# the end. The states of the plain stack hardly leave zero.
shown = X_test[[np.flatnonzero(y_test == 1)[0]]]
pulses = np.flatnonzero(np.abs(shown[0, :, 0]) > 1.5)

fig, axes = plt.subplots(
    4, 2, figsize=(9, 6), sharex=True, layout="constrained", height_ratios=[1, 2, 2, 2]
)
for column, (name, model) in zip(axes.T, models.items(), strict=True):
    column[0].plot(shown[0, :, 0], color="#444444", linewidth=0.8)
    column[0].set(title=name, ylim=(-2.4, 2.4))
    for layer, ax in enumerate(column[1:]):
        states = hidden_states(model, shown, layer=layer)[0]
        states = states[:, np.argsort(states[-40:].mean(axis=0))]
        image = ax.imshow(
            states.T, aspect="auto", cmap="RdBu_r", vmin=-1, vmax=1,
            interpolation="nearest",
        )  # fmt: skip
        ax.set(yticks=[], ylabel=f"layer {layer + 1}")
    for ax in column:
        for pulse in pulses:
            ax.axvline(pulse, color="black", linewidth=0.8, linestyle="--")
    column[-1].set(xlabel="Step")
fig.colorbar(image, ax=axes[1:, 1], label="State")
plt.show()

# %%
# How long a pulse is remembered
# ------------------------------
# The first pulse of 100 series is turned round, and nothing else. How far their states
# move tells what each layer still knows of the pulse: a slower layer knows it for
# longer.
series = X_test[:100]
turned, rows = series.copy(), np.arange(len(series))
places = np.abs(series[:, :60, 0]).argmax(axis=1)
turned[rows, places] *= -1
away = np.arange(-20, 190)

fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
for ax, (name, model) in zip(axes, models.items(), strict=True):
    for layer, color in enumerate(["#9ecae1", "#4292c6", "#08306b"]):
        states = [hidden_states(model, X, layer=layer) for X in (series, turned)]
        change = np.linalg.norm(states[0] - states[1], axis=-1)
        steps = np.clip(places[:, None] + away, 0, N_STEPS - 1)
        found = np.take_along_axis(change, steps, axis=1).mean(axis=0)
        ax.plot(away, found, color=color, label=f"layer {layer + 1}")
    ax.axvline(0, color="black", linewidth=0.8, linestyle="--")
    ax.set(title=name, xlabel="Steps after the pulse")
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set(ylabel="Change of the states")
axes[1].legend(frameon=False)
plt.show()
