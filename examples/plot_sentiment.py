"""
Tell praise from complaint
==========================

A text becomes a sequence of token ids, and a classifier with an embedding reads it word
by word. Both are steps of one ordinary ``Pipeline``, so a grid search chooses the size
of the vocabulary together with the network.

No package ships texts with sentiments that may be passed on, so the reviews here are
generated. They are made so that the words alone don't settle it: a "not" turns a word
around, and what comes after a "but" is what the guest is left with.
"""

# %%
# Reviews
# -------
# A review has one or two clauses. Two that are joined by "and" agree; of two joined by
# "but" or "although" the second one counts.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline

from skrnn import LSTMClassifier
from skrnn.preprocessing import TextSequencer

rng = np.random.default_rng(0)
THINGS = ["room", "bed", "view", "pool", "staff", "bar", "garden", "wifi", "price"]
GOOD = ["lovely", "clean", "great", "quiet", "friendly", "perfect", "excellent", "cosy"]
BAD = ["awful", "dirty", "poor", "noisy", "rude", "broken", "terrible", "cramped"]
JOINED = ["and", "but", "although"]
HOW = ["", "", "really ", "very ", "quite ", "rather "]


def clause(positive):
    """Return a clause of this sentiment, a third of them by way of a "not"."""
    negated = rng.random() < 1 / 3
    word = rng.choice(GOOD if positive != negated else BAD)
    verb = rng.choice(["is", "was"]) + (" not" if negated else "")
    return f"the {rng.choice(THINGS)} {verb} {rng.choice(HOW)}{word}"


def review():
    """Return a review, how it is built, and its label."""
    positive, way = bool(rng.integers(2)), rng.choice(["one clause", *JOINED])
    same, other = clause(positive), clause(not positive)
    text = {
        "one clause": same,
        "and": f"{same}, and {clause(positive)}",
        "but": f"{other}, but {same}",
        "although": f"although {other}, {same}",
    }[way]
    return text, way, "praise" if positive else "complaint"


reviews = [review() for _ in range(1600)]
for text, _, label in reviews[:4]:
    print(f"{label:10} {text}")

# %%
# Choose the vocabulary and the network
# -------------------------------------
# ``CountVectorizer``'s parameters decide what is a word and which of them count.
texts, ways, labels = (np.array(column) for column in zip(*reviews, strict=True))
train, test, _, ways_test, y_train, y_test = train_test_split(
    texts, ways, labels, random_state=0
)
model = make_pipeline(
    TextSequencer(),
    LSTMClassifier(
        embedding_dim=16, epochs=20, learning_rate=0.01, dropout=0.2, random_state=0
    ),
)
grid = {
    "textsequencer__max_features": [20, None],
    "lstmclassifier__units": [8, 16],
    "lstmclassifier__bidirectional": [False, True],
}
search = GridSearchCV(model, grid, cv=3).fit(train, y_train)
for name, value in search.best_params_.items():
    print(f"{name:30} {value}")

# %%
# Beside a bag of words
# ---------------------
# A linear model on word counts knows which words are there, one on pairs of words also
# what follows a "not". Neither knows what stands on which side of a "but".
counts = {
    "words": TfidfVectorizer(),
    "pairs of words": TfidfVectorizer(ngram_range=(1, 2)),
}
models = {
    name: make_pipeline(vectorizer, LogisticRegression(C=10)).fit(train, y_train)
    for name, vectorizer in counts.items()
} | {"LSTM": search}
for name, fitted in models.items():
    print(f"{name:16} {fitted.score(test, y_test):.3f}")

fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
kinds = ["one clause", *JOINED]
places = np.arange(len(kinds))
for i, (name, fitted) in enumerate(models.items()):
    right = fitted.predict(test) == y_test
    shares = [right[ways_test == kind].mean() for kind in kinds]
    bars = ax.bar(places + (i - 1) * 0.27, shares, width=0.25, label=name)
    ax.bar_label(bars, fmt="{:.2f}", padding=2)
ax.axhline(0.5, color="black", linewidth=0.8, linestyle="--", label="guessing")
ax.set(ylim=(0, 1.12), ylabel="Share of reviews told right", xlabel="Review")
ax.set_xticks(places, kinds)
ax.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, 1.16), frameon=False)
plt.show()

# %%
# Words never seen
# ----------------
# A word that isn't in the vocabulary is no error: all of them share one id.
new = [
    "the espresso is lovely",
    "the espresso is not lovely",
    "the balcony was huge, but the wifi was broken",
]
for text, label in zip(new, search.predict(new), strict=True):
    print(f"{label:10} {text}")
