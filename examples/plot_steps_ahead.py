"""
Several steps ahead, with a plan
================================

An encoder reads what was, and a decoder writes the next steps, each from the one
before. It is told what is planned for them.
"""

# %%
# Heating
# -------
# The temperature of a room for 24 steps, and the plan of its heating for the next 12. A
# heated room grows warmer, any other cools down to what is outside.
import matplotlib.pyplot as plt
import numpy as np

from skrnn import Seq2SeqRegressor

rng = np.random.default_rng(0)
n, past, ahead = 800, 24, 12
plan = np.repeat(rng.integers(0, 2, size=(n, (past + ahead) // 6)), 6, axis=1)
room = np.empty((n, past + ahead))
room[:, 0] = rng.uniform(14, 22, size=n)
for t in range(1, past + ahead):
    change = 0.12 * (12 - room[:, t - 1]) + 1.6 * plan[:, t]
    room[:, t] = room[:, t - 1] + change + rng.normal(scale=0.1, size=n)
X = np.stack([room, plan], axis=2)[:, :past]
y, future = room[:, past:], plan[:, past:, None].astype(float)
train, new = slice(600), slice(600, None)

# %%
# With the plan, and without
# --------------------------
settings = dict(units=24, epochs=25, learning_rate=0.01, random_state=0)
told = Seq2SeqRegressor(**settings).fit(X[train], y[train], future=future[train])
untold = Seq2SeqRegressor(**settings).fit(X[train], y[train])
forecasts = {
    "with the plan": told.predict(X[new], future=future[new]),
    "without it": untold.predict(X[new]),
    "as now": np.repeat(X[new, -1:, 0], ahead, axis=1),
}
for name, forecast in forecasts.items():
    print(f"{name:14s} error {np.abs(forecast - y[new]).mean():.2f} degrees")

# %%
# Three rooms
# -----------
figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), sharey=True, layout="constrained")
for row, ax in enumerate(axes):
    ax.plot(np.arange(past), X[new][row, :, 0], color="black", label="known")
    steps = np.arange(past, past + ahead)
    ax.plot(steps, y[new][row], color="black", ls=":", label="what came")
    ax.plot(steps, forecasts["with the plan"][row], label="with the plan")
    ax.plot(steps, forecasts["without it"][row], label="without it")
    heated = np.r_[X[new][row, :, 1], future[new][row, :, 0]] == 1
    ax.fill_between(np.arange(past + ahead), 10, 26, where=heated, alpha=0.12)
    ax.set(xlabel="step", ylim=(10, 26))
axes[0].set_ylabel("degrees")
axes[0].legend(fontsize="small")
figure.suptitle("Rooms that are heated (shaded) now and then, and their forecasts")
plt.show()
