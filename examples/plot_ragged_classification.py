"""
Classify sequences of different lengths
=======================================

Scikit-learn ships 1,797 handwritten digits as images of 8 by 8 pixels. Here a digit is
read as a sequence: column after column from left to right, 8 pixel values at each step.
Blank columns at both sides are cut off, so that a one is a short sequence and a zero a
long one. These are real data with truly different lengths.

No padding and no mask appear below: a list of arrays goes in.
"""

# %%
# The sequences
# -------------
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import GRUClassifier
from skrnn.preprocessing import SequencePadder, SequenceWise

digits = load_digits()


def columns_with_ink(image):
    """Return the columns of an image from the first to the last that has any ink."""
    inked = np.flatnonzero(image.max(axis=0))
    return image[:, inked[0] : inked[-1] + 1].T


X = [columns_with_ink(image) for image in digits.images]
y = digits.target
lengths = np.array([len(x) for x in X])
print(f"{len(X)} sequences of 8 features, {lengths.min()} to {lengths.max()} steps")

found, first = np.unique(lengths, return_index=True)
fig, axes = plt.subplots(
    1, len(found), figsize=(9, 2.6), width_ratios=found, layout="constrained"
)
for ax, i in zip(axes, first, strict=True):
    ax.imshow(X[i].T, cmap="Blues")
    ax.set(xticks=[], yticks=[], title=f"{y[i]}", xlabel=f"{lengths[i]} steps")
fig.suptitle("A digit of every length")
plt.show()

# %%
# A network on ragged input
# -------------------------
# ``SequenceWise`` lets any scikit-learn transformer see the steps of all sequences as
# one table, so a ``StandardScaler`` works on a ragged list as well.
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=0
)
model = make_pipeline(
    SequenceWise(StandardScaler()),
    GRUClassifier(bidirectional=True, random_state=0),
)
model.fit(X_train, y_train)
network = model[-1]
print(f"accuracy {model.score(X_test, y_test):.3f} after {network.n_iter_} epochs")

# %%
# Is that good? A linear model needs sequences of one length, so it gets padded ones.
padded = make_pipeline(
    SequencePadder(),
    SequenceWise(StandardScaler()),
)
flat_train = padded.fit_transform(X_train).reshape(len(X_train), -1)
flat_test = padded.transform(X_test).reshape(len(X_test), -1)
linear = LogisticRegression(max_iter=2000).fit(flat_train, y_train)
print(f"logistic regression on padded sequences {linear.score(flat_test, y_test):.3f}")

# %%
# What it confuses, and where
# ---------------------------
predicted = model.predict(X_test)
test_lengths = np.array([len(x) for x in X_test])
groups = [test_lengths <= 4, test_lengths == 5, test_lengths >= 6]
names = ["up to 4", "5", "6 or more"]
scores = [accuracy_score(y_test[rows], predicted[rows]) for rows in groups]

fig, (left, right) = plt.subplots(
    1, 2, figsize=(9, 4), layout="constrained", width_ratios=[3, 2]
)
ConfusionMatrixDisplay.from_predictions(
    y_test, predicted, cmap="Blues", colorbar=False, ax=left
)
left.set(title="Digits of the test set", xlabel="Predicted", ylabel="True")
bars = right.bar(names, scores, color="#1f6fb4", width=0.6)
right.bar_label(bars, labels=[f"{score:.1%}" for score in scores], padding=3)
right.set(title="Accuracy by length", xlabel="Steps of the sequence", ylim=(0, 1.1))
right.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# The same estimator answers for any length, one sequence at a time as well, and the
# answer doesn't depend on what else is in the batch.
one_by_one = np.concatenate([model.predict_proba([x]) for x in X_test[:20]])
together = model.predict_proba(X_test[:20])
print(f"largest difference {np.abs(one_by_one - together).max():.1e}")
