"""
Recurrent cells, by hand and in a network
=========================================

A recurrent network reads a sequence step by step and keeps what matters in its state.
Here the formulas come first, in NumPy alone. Then estimators are trained, and the same
formulas, with the weights that they have learnt, give what ``predict`` gives.
"""

# %%
# A plain recurrent network in NumPy
# ----------------------------------
# The state at a step is made of the input and of the state before:
# :math:`h_t = \tanh(x_t W + h_{t-1} U + b)`. Three units read one impulse. What they
# remember of it depends on their recurrent weights.
import matplotlib.pyplot as plt
import numpy as np

from skrnn import GRURegressor, LSTMRegressor, RNNRegressor, reference
from skrnn.inspection import SequenceOutputDisplay, gates, hidden_states

x = np.zeros((25, 1))
x[2] = 1.0
W = np.array([[1.0, 1.0, 1.0]])
U = np.diag([0.5, 0.9, -0.8])
b = np.zeros(3)

h = np.zeros(3)
states = []
for x_t in x:
    h = np.tanh(x_t @ W + h @ U + b)
    states.append(h)

fig, ax = plt.subplots(figsize=(8, 3.4), layout="constrained")
ax.bar(range(25), x[:, 0], color="0.85", label="input")
for unit, weight in enumerate(np.diag(U)):
    ax.plot(np.array(states)[:, unit], marker="o", ms=3, label=f"weight {weight:g}")
ax.set(xlabel="step", ylabel="state", title="One impulse, and what three units keep")
ax.legend(frameon=False)
plt.show()

# %%
# That is all there is to :func:`skrnn.reference.rnn`.
assert np.allclose(reference.rnn(x, W, U, b), states)

# %%
# Many to many
# ------------
# An answer at every step, with ``return_sequences=True``: the mean of all inputs so
# far. The error is that of new sequences, beside that of always answering zero.
rng = np.random.default_rng(0)
X = rng.normal(size=(600, 30, 1))
y = np.cumsum(X[:, :, 0], axis=1) / np.arange(1, 31)

plain = RNNRegressor(units=16, return_sequences=True, epochs=40, random_state=0)
plain.fit(X[:500], y[:500])
error = np.sqrt(np.mean((plain.predict(X[500:]) - y[500:]) ** 2))
print(f"RMSE {error:.3f}, of zeros {np.sqrt(np.mean(y[500:] ** 2)):.3f}")

# %%
# LSTM and GRU
# ------------
# An LSTM keeps a second state, the cell, to which it only adds. Three gates say what is
# let in, what is kept and what is shown. A GRU does with one state and two gates.
# :func:`skrnn.reference.lstm` and :func:`skrnn.reference.gru` have the equations. The
# task: one of the first thirty steps is marked; answer with its value after forty.
X = np.stack([rng.normal(size=(900, 40)), np.zeros((900, 40))], axis=2)
marked = rng.integers(3, 30, size=900)
X[range(900), marked, 1] = 1.0
y = X[range(900), marked, 0]

settings = dict(units=16, epochs=80, learning_rate=0.01, random_state=0)
models = [RNNRegressor(**settings), LSTMRegressor(**settings), GRURegressor(**settings)]
for model in models:
    model.fit(X[:800], y[:800])
    print(f"{type(model).__name__:14s} R2 {model.score(X[800:], y[800:]):.3f}")
plain, lstm, gru = models

# %%
# Gates of a trained LSTM
# -----------------------
# At the mark the forget gates shut and the input gates change: what was kept is thrown
# away, and the value is let in. From there on the forget gates are open, and the answer
# stays.
one = X[800:801]
display = SequenceOutputDisplay.from_estimator(lstm, one, y[800:801])
display.figure_.set_size_inches(9, 8)
plt.show()

# %%
# As numbers: how far the gates are open, on the mean of the units.
opened = gates(lstm, one)
at = marked[800]
for name in ("input", "forget", "output"):
    mean = opened[name][0].mean(axis=1)
    print(
        f"{name:7s} {mean[at]:.2f} at the mark, {np.delete(mean, at).mean():.2f} else"
    )

# %%
# The formulas give what the network gives
# ----------------------------------------
# ``weights_`` has what was learnt, by name. Its gates by hand, at the marked step:
units = lstm.units
weights = lstm.weights_["lstm"]
before = hidden_states(lstm, one)[0, at - 1]
z = one[0, at] @ weights["kernel"] + before @ weights["recurrent_kernel"]
z = z + weights["bias"]
forget = 1 / (1 + np.exp(-z[units : 2 * units]))
assert np.allclose(forget, opened["forget"][0, at], atol=1e-5)

# %%
# And the whole way to ``predict``, in three lines:
outputs = reference.lstm(one[0], **weights)
answer = reference.dense(outputs[-1], **lstm.weights_["head"])
answer = reference.rescaling(answer, **lstm.weights_["units_of_y"])
print(f"by hand {answer.item():.6f}, predict {lstm.predict(one).item():.6f}")

# %%
# Both directions
# ---------------
# Whoever may read the whole sequence can read it backwards too. Each step is to say
# which value comes next: for a network that reads forwards that's a guess.
X = rng.normal(size=(600, 20, 1))
y = np.concatenate([X[:, 1:, 0], np.zeros((600, 1))], axis=1)
for both in (False, True):
    model = GRURegressor(
        units=16, return_sequences=True, bidirectional=both, epochs=40, random_state=0
    ).fit(X[:500], y[:500])
    error = np.sqrt(np.mean((model.predict(X[500:]) - y[500:]) ** 2))
    print(f"{'both directions' if both else 'forwards alone':16s} RMSE {error:.3f}")
