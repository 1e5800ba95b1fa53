"""
Which steps and features decide
===============================

A network tells two kinds of sequences apart. What it goes by is measured: values of one
feature at one step are shuffled, and the score falls where they matter.
"""

# %%
# A rule to find
# --------------
# Three sensors over twelve steps. Only "pressure" three steps before the end decides,
# and "flow" at the last step, half as much; "noise" never does.
import matplotlib.pyplot as plt
import numpy as np

from skrnn import RNNClassifier
from skrnn.inspection import SequenceImportanceDisplay, sequence_importance

rng = np.random.default_rng(0)
X = rng.normal(size=(900, 12, 3))
signal = X[:, -4, 0] + 0.5 * X[:, -1, 1]
y = np.where(signal + rng.normal(scale=0.3, size=900) > 0, "open", "shut")
model = RNNClassifier(units=16, epochs=30, learning_rate=0.01, random_state=0)
model.fit(X[:600], y[:600])
print(f"accuracy on new sequences: {model.score(X[600:], y[600:]):.3f}")

# %%
# What decides
# ------------
# The loss of accuracy for each feature and lag, on sequences that weren't trained on.
found = sequence_importance(model, X[600:], y[600:], n_repeats=5, random_state=0)
display = SequenceImportanceDisplay(found).plot()
display.ax_.set_yticklabels(["pressure", "flow", "noise"])
plt.title("Both sensors that decide are found, with their steps")
plt.show()
