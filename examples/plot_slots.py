"""
Fill the slots of a request
===========================

Slot filling takes what matters out of a request: from where, to where, when, for whom.
It is tagging, and its hard part are names that training never saw. This example shows
how much the parts of a word help, with a :class:`~skrnn.preprocessing.WordFeaturizer`,
and scores whole slots with :func:`~skrnn.metrics.span_f1_score`.

No package ships such requests that may be passed on, so they are generated here. The
names are put together from syllables, so that most of those in the test set are new.
Real requests are less regular: the page on quality has figures for them.
"""

# %%
# Requests and their slots
# ------------------------
# The tags are in the BIO scheme: ``B`` begins a slot and ``I`` continues it. The word
# in front often doesn't tell the slot: one visits towns and people, and "at" stands
# before times and seats. So a new name must be told by its looks.
import matplotlib.pyplot as plt
import numpy as np

from skrnn import LSTMClassifier
from skrnn.metrics import get_scorer, span_f1_score, token_accuracy_score
from skrnn.preprocessing import WordFeaturizer

rng = np.random.default_rng(0)
BEGINNINGS = ["al", "ber", "cor", "dun", "el", "far", "gal", "har", "kel", "mun", "os"]
MIDDLES = ["", "a", "den", "i", "lin", "mar", "o", "ri", "ven"]
TOWNS, PEOPLE = ["burg", "ford", "ton", "ville"], ["ez", "ley", "son", "well"]
DAYS = ["monday", "friday", "tomorrow", "next week"]


def one_of(choices):
    return str(rng.choice(choices))


def name(endings):
    middle = one_of(MIDDLES) + one_of(MIDDLES)
    return (one_of(BEGINNINGS) + middle + one_of(endings)).capitalize()


def town():
    return one_of(["", "", "New ", "Port "]) + name(TOWNS)


def person():
    return " ".join(name(PEOPLE) for _ in range(rng.integers(1, 3)))


# Words in front, the slot, and what makes up its words.
PARTS = [
    ("from", "from", town),
    ("to", "to", town),
    ("visiting", "to", town),
    ("visiting", "person", person),
    ("near", "stop", town),
    ("near", "person", person),
    ("for", "person", person),
    ("for", "day", lambda: one_of(DAYS)),
    ("at", "time", lambda: f"{rng.integers(1, 24)}:{rng.integers(0, 60):02}"),
    ("at", "seat", lambda: f"{rng.integers(1, 99)}{one_of(list('ABCDEF'))}"),
]
OPENINGS = ["book a seat", "a ticket please", "i need to fly", "flights", "please go"]


def request():
    """Return the words and the tags of one request."""
    words = one_of(OPENINGS).split()
    tags = ["O"] * len(words)
    for part in rng.permutation(len(PARTS))[: rng.integers(2, 6)]:
        before, slot, make = PARTS[part]
        words += before.split()
        tags += ["O"] * len(before.split())
        inside = make().split()
        words += inside
        tags += [f"B-{slot}"] + [f"I-{slot}"] * (len(inside) - 1)
    return words, np.array(tags)


words, tags = zip(*[request() for _ in range(1000)], strict=True)
train, test = slice(0, 500), slice(500, None)
for word, tag in zip(words[0], tags[0], strict=True):
    print(f"{word:15} {tag}")

known = {word for request in words[train] for word in request}
new = np.mean([word not in known for request in words[test] for word in request])
print(f"\n{new:.0%} of the words in the test requests are new")

# %%
# Words alone, and words with their parts
# ---------------------------------------
# The featurizer gives each step several token ids: one of the word and, here, one of
# its last three characters and one of its shape, such as ``Xxxx`` or ``d:dd``. With
# ``embedding_dim`` the network learns vectors for each of them.
#
# Most steps are outside of any slot, which flatters the accuracy of single tags. The F1
# score counts slots that are right as a whole.
FEATURES = {
    "words": ("lower",),
    "words and shapes": ("lower", "shape"),
    "words, shapes and endings": ("lower", "shape", "suffix3"),
}
truth, found = tags[test], {}
print(f"{'':26}  tags right  slot F1")
for title, features in FEATURES.items():
    featurizer = WordFeaturizer(features).fit(words[train])
    tagger = LSTMClassifier(
        units=16,
        bidirectional=True,
        return_sequences=True,
        embedding_dim=12,
        dropout=0.3,
        epochs=40,
        learning_rate=0.01,
        random_state=0,
    ).fit(featurizer.transform(words[train]), tags[train])
    found[title] = tagger.predict(featurizer.transform(words[test]))
    accuracy = token_accuracy_score(truth, found[title])
    print(f"{title:26}  {accuracy:10.3f}  {span_f1_score(truth, found[title]):7.3f}")

# %%
# In a search, the same score comes from :func:`~skrnn.metrics.get_scorer`, as in
# ``GridSearchCV(..., scoring=get_scorer("span_f1"))``.
score = get_scorer("span_f1")(tagger, featurizer.transform(words[test]), tags[test])
print(f"{score:.3f}")

# %%
# Slot by slot
# ------------
# ``average=None`` returns the score of every kind of slot. The shape tells times from
# seats, and the ending people from towns. Days are few words, all of them known.
slots = sorted({tag[2:] for tags_ in truth for tag in tags_ if tag != "O"})
fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for i, (title, predicted) in enumerate(found.items()):
    scores = span_f1_score(truth, predicted, average=None)
    bars = ax.bar(np.arange(len(slots)) + (i - 1) * 0.27, scores, 0.25, label=title)
    ax.bar_label(bars, fmt="%.2f", fontsize=7)
ax.set_xticks(range(len(slots)), slots)
ax.set(ylabel="F1 score of slots", ylim=(0, 1.1), title="Requests with new names")
fig.legend(loc="outside lower center", ncols=3)
plt.show()
