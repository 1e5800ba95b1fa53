"""
The loss curve, and when to stop
================================

A network that is trained for too long learns its examples by heart. A part of them is
held out: where its loss begins to rise is where to stop.
"""

# %%
# Too long
# --------
# Tones of two pitches in loud noise, 110 to learn from and 40 held out. The loss of
# training goes on falling; that of validation turns.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV

from skrnn import LSTMClassifier
from skrnn.inspection import TrainingHistoryDisplay

rng = np.random.default_rng(0)
steps = np.arange(30)
y = rng.integers(0, 2, size=750)
phase = rng.uniform(0, 2 * np.pi, size=750)
X = np.sin((0.5 + 0.2 * y[:, None]) * steps + phase[:, None])
X = (X + rng.normal(scale=1.2, size=X.shape))[:, :, None]
new = (X[150:], y[150:])

settings = dict(units=32, validation_split=0.25, learning_rate=0.005, random_state=0)
long = LSTMClassifier(epochs=80, early_stopping=False, **settings)
long.fit(X[:150], y[:150])
TrainingHistoryDisplay.from_estimator(long)
plt.show()

# %%
# In time
# -------
# Early stopping is the default: it waits for `patience` epochs, then takes the weights
# of the best one. Dropout makes learning by heart harder.
stopped = LSTMClassifier(epochs=80, **settings).fit(X[:150], y[:150])
dropped = LSTMClassifier(epochs=80, dropout=0.3, **settings).fit(X[:150], y[:150])
TrainingHistoryDisplay.from_estimator(stopped)
plt.show()

# %%
# What that is worth on 600 new tones:
for name, model in (("too long", long), ("in time", stopped), ("dropout", dropped)):
    print(
        f"{name:9s} {model.n_iter_:2d} epochs, accuracy {model.score(*new):.3f},"
        f" cross-entropy {log_loss(new[1], model.predict_proba(new[0])):.2f}"
    )

# %%
# A search
# --------
# The same for a search: the scores of its candidates, and the losses of the best. An
# :class:`~skrnn.inspection.EpochLog` would keep the losses of all of them.
search = GridSearchCV(
    LSTMClassifier(epochs=40, **settings), {"units": [4, 16, 64]}, cv=3
).fit(X[:150], y[:150])
TrainingHistoryDisplay.from_search(search)
plt.show()
