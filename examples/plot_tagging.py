"""
Tag the words of a sentence
===========================

A tagger gives every step of a sequence a label of its own: ``return_sequences=True``.
No package ships tagged sentences that may be passed on, so the sentences here are
generated. They are made so that a word alone doesn't tell its tag: *may*, *march* and
*august* are months in some sentences and something else in others, and often only the
words that follow say which.
"""

# %%
# Sentences and tags
# ------------------
# The tags are those of named-entity recognition: ``B`` begins a date, ``I`` continues
# it, ``O`` is everything else.
import matplotlib.pyplot as plt
import numpy as np

from skrnn import LSTMClassifier

rng = np.random.default_rng(0)
MONTHS = ["january", "march", "may", "july", "august", "october"]
NAMES = ["ada", "august", "april", "tom", "may"]
VERBS = ["march", "walk", "may", "will", "must"]
PLACES = ["home", "north", "to town", "past the mill"]


def date():
    """Return the words of a date in one of three ways to say it."""
    day, month = str(rng.integers(1, 29)), str(rng.choice(MONTHS))
    ways = [["the", day, "of", month], [month, day], [day, month, "2031"]]
    return ways[rng.integers(3)]


def sentence():
    """Return the words and the tags of one sentence."""
    name, place = str(rng.choice(NAMES)), str(rng.choice(PLACES)).split()
    who_does_what = [name, str(rng.choice(VERBS)), *place]
    number = ["room", str(rng.integers(1, 29)), "is", "free"]
    when = date()
    tags = ["B"] + ["I"] * (len(when) - 1)
    parts = [
        (when, tags),
        (who_does_what, ["O"] * len(who_does_what)),
        (number, ["O"] * 4),
    ]
    chosen = rng.permutation(3)[: rng.integers(1, 4)]
    words = [word for i in chosen for word in parts[i][0]]
    return words, [tag for i in chosen for tag in parts[i][1]]


sentences = [sentence() for _ in range(1200)]
words = [words for words, _ in sentences]
# An array of arrays: scikit-learn's splitters can index it.
tags = np.empty(len(sentences), dtype=object)
tags[:] = [np.array(tags) for _, tags in sentences]
for word, tag in zip(words[1], tags[1], strict=True):
    print(f"{word:10} {tag}")

# %%
# Token ids
# ---------
# Ids start at 1; 0 is kept for padding, which nobody needs with a ragged list. Words
# that training didn't see share the id 1.
train, test = slice(0, 900), slice(900, None)
vocabulary = {word for sentence in words[train] for word in sentence}
ids = {word: i for i, word in enumerate(sorted(vocabulary), start=2)}
X = [np.array([ids.get(word, 1) for word in sentence]) for sentence in words]

# %%
# How far each word alone gets, and each direction
# ------------------------------------------------
# The floor is the most frequent tag of every word. Reading from left to right helps;
# reading in both directions settles it.
tokens, labels = np.concatenate(X[train]), np.concatenate(tags[train])
kinds = np.unique(labels)
counts = [[np.sum(labels[tokens == i] == kind) for kind in kinds] for i in range(300)]
favourite = kinds[np.argmax(counts, axis=1)]
floor = np.mean(favourite[np.concatenate(X[test])] == np.concatenate(tags[test]))
print(f"most frequent tag of the word  {floor:.3f}")

parameters = dict(
    embedding_dim=16, units=16, return_sequences=True, epochs=40, random_state=0
)
forward = LSTMClassifier(**parameters).fit(X[train], tags[train])
print(f"LSTM, left to right            {forward.score(X[test], tags[test]):.3f}")
both = LSTMClassifier(bidirectional=True, **parameters).fit(X[train], tags[train])
print(f"LSTM, both directions          {both.score(X[test], tags[test]):.3f}")

# %%
# One sentence in detail
# ----------------------
# Ragged in, ragged out: ``predict_proba`` returns an array (steps, classes) for every
# sentence.
example = ["may", "may", "walk", "home", "4", "may", "2031"]
encoded = [np.array([ids[word] for word in example])]
fig, axes = plt.subplots(2, 1, figsize=(8, 4.2), sharex=True, layout="constrained")
for ax, model, title in zip(
    axes, [forward, both], ["Left to right", "Both directions"], strict=True
):
    probabilities = model.predict_proba(encoded)[0].T
    image = ax.imshow(probabilities, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set_yticks(range(len(model.classes_)), model.classes_)
    ax.set_title(title, loc="left")
    for (row, column), p in np.ndenumerate(probabilities):
        colour = "white" if p > 0.6 else "black"
        ax.text(column, row, f"{p:.2f}", ha="center", va="center", color=colour)
axes[-1].set_xticks(range(len(example)), example)
fig.suptitle("Probability of each tag")
fig.colorbar(image, ax=axes, label="Probability")
plt.show()
