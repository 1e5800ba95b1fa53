"""
A Keras network of your own in a search
=======================================

A function builds the network; :class:`~skrnn.scikeras.KerasClassifier` makes a
classifier of it, which scikit-learn searches over
(:class:`~skrnn.scikeras.KerasRegressor` does so for numbers).
"""

# %%
# Waves and steps
# ---------------
# Two kinds of noisy series: waves, and steps of the same height.
import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV

from skrnn.scikeras import KerasClassifier

rng = np.random.default_rng(0)
phase = rng.uniform(0, 2 * np.pi, size=(300, 1))
waves = np.sin(0.6 * np.arange(30) + phase)
y = np.where(np.arange(300) % 2, "step", "wave")
X = np.where(y[:, None] == "step", np.sign(waves), waves)
X = (X + rng.normal(scale=0.5, size=X.shape))[:, :, None]


def build(units, meta):
    return keras.Sequential(
        [
            keras.Input((None, meta["n_features_in_"])),
            keras.layers.GRU(units),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


# %%
# A search over its width
# -----------------------
model = KerasClassifier(
    build, model__units=8, loss="binary_crossentropy", optimizer="adam",
    optimizer__learning_rate=0.01, epochs=40, verbose=0, random_state=0,
)  # fmt: skip
search = GridSearchCV(model, {"model__units": [2, 8, 32]}, cv=3).fit(X[:200], y[:200])
print("chosen:", search.best_params_)
print(f"accuracy on new series: {search.score(X[200:], y[200:]):.3f}")
print("trained by:", search.best_estimator_.engine_)

# %%
# How its loss fell
# -----------------
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
scores = search.cv_results_
names = [str(units) for units in scores["param_model__units"]]
left.bar(names, scores["mean_test_score"], yerr=scores["std_test_score"], width=0.5)
left.set(xlabel="units", ylabel="accuracy", ylim=(0.4, 1), title="Three folds each")
right.plot(search.best_estimator_.history_["loss"])
right.set(xlabel="epoch", ylabel="loss", title="The best one, on all rows")
plt.show()
