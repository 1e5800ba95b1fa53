"""
Gradients that vanish and explode
=================================

A network learns from an early step only what its gradient brings back there, through
every step in between. Each step multiplies it. Factors below 1 let it vanish, factors
above 1 let it explode, and gates keep it. Here it is measured: by hand, on real
networks before and after training, and under what is called good practice.
"""

# %%
# One factor a step
# -----------------
# In a plain network the gradient goes back through :math:`U^T` and the slope of tanh,
# step by step. By hand, for recurrent weights of three sizes:
import matplotlib.pyplot as plt
import numpy as np

from skrnn import GRURegressor, LSTMRegressor, RNNRegressor
from skrnn.inspection import GradientFlowDisplay, gradient_flow

rng = np.random.default_rng(0)
turn, _ = np.linalg.qr(rng.normal(size=(16, 16)))
fig, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
for size in (0.7, 1.0, 1.4):
    U, h, slopes = size * turn, np.zeros(16), []
    for _step in range(60):
        h = np.tanh(rng.normal(size=16) * 0.1 + h @ U)
        slopes.append(1 - h**2)
    gradient, norms = np.ones(16), []
    for slope in reversed(slopes):
        norms.append(np.linalg.norm(gradient))
        gradient = (gradient * slope) @ U.T
    ax.semilogy(range(60, 0, -1), norms, label=f"weights of size {size:g}")
ax.set(xlabel="step", ylabel="norm of the gradient", title="By hand, from step 60 back")
ax.legend(frameon=False)
plt.show()

# %%
# Real networks, before and after
# -------------------------------
# One of the first thirty steps is marked, and after forty the network is to answer with
# its value. ``gradient_flow`` differentiates the loss by the state at each step. At
# first it vanishes in all of them. LSTM and GRU learn to hold their gates open, so that
# it comes back; the plain network has no gates, and doesn't learn the task.
X = np.stack([rng.normal(size=(900, 40)), np.zeros((900, 40))], axis=2)
marked = rng.integers(3, 30, size=900)
X[range(900), marked, 1] = 1.0
y = X[range(900), marked, 0]
train, test = (X[:800], y[:800]), (X[800:], y[800:])

settings = dict(units=16, learning_rate=0.01, epochs=100, random_state=0)
settings["early_stopping"] = False
kinds = {"plain": RNNRegressor, "LSTM": LSTMRegressor, "GRU": GRURegressor}
start = settings | dict(epochs=1, learning_rate=1e-7)
before = {name: kind(**start).fit(*train) for name, kind in kinds.items()}
after = {name: kind(**settings).fit(*train) for name, kind in kinds.items()}

fig, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
for ax, networks, when in ((axes[0], before, "before"), (axes[1], after, "after")):
    GradientFlowDisplay.from_estimator(
        networks, *test, relative=True, explain=False, ax=ax
    )
    ax.set_title(f"{when.capitalize()} training")
plt.show()
for name, network in after.items():
    print(f"{name:5s} R2 {network.score(*test):.3f}")

# %%
# What it says by itself
# ----------------------
# The display compares the ends, and names parameters that would help.
GradientFlowDisplay.from_estimator(before["GRU"], *test)
plt.show()

# %%
# Clipping and normalisation
# --------------------------
# Inputs that are a hundred times as large make gradients that are too. ``clipnorm``
# cuts what is larger, so that one step can't throw the weights away: ``clipped`` has
# what the optimizer gets. Dividing the inputs by their spread, here with
# scikit-learn's scaler in a Pipeline, takes the cause away.
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn.preprocessing import SequenceWise

large = 100 * X
linear = dict(units=16, activation="relu", random_state=0, epochs=30)
tries = {
    "as they are": RNNRegressor(clipnorm=None, **linear),
    "clipped": RNNRegressor(clipnorm=1.0, **linear),
    "scaled and clipped": make_pipeline(
        SequenceWise(StandardScaler()), RNNRegressor(clipnorm=1.0, **linear)
    ),
}
for name, model in tries.items():
    model.fit(large[:800], y[:800])
    flow = gradient_flow(model, large[800:], y[800:])
    largest, left = (max(each.values()) for each in (flow.weights, flow.clipped))
    print(
        f"{name:19s} loss {flow.loss:8.2f}, largest gradient {largest:9.2f}, "
        f"clipped {left:9.2f}"
    )

# %%
# Dropout, stacking, normalised layers, attention
# -----------------------------------------------
# The same LSTM with one thing more. All of them learn the task, and in none of them the
# gradient vanishes; what arrives at the fourth step differs. Attention reads all steps
# at the end, so that a gradient need not go back through the steps at all.
extras = {
    "LSTM": {},
    "dropout": dict(dropout=0.2),
    "two layers": dict(units=(16, 16)),
    "layer normalisation": dict(layer_norm=True),
    "attention": dict(attention="dot"),
}
networks = {
    name: LSTMRegressor(**settings | extra).fit(*train)
    for name, extra in extras.items()
}
for name, network in networks.items():
    flow = gradient_flow(network, *test)
    share = flow.hidden[0, 3] / flow.hidden[0, -1]
    print(f"{name:19s} R2 {network.score(*test):.3f}, arrives {share:.2f}")
fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
GradientFlowDisplay.from_estimator(networks, *test, relative=True, explain=False, ax=ax)
ax.set_title("Gradients of trained LSTMs")
plt.show()
