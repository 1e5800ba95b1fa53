"""
Tag with a CRF, and read its transitions
========================================

A list of references is easy to read and hard to parse: who wrote what, where and when
stands in another order in each journal, and marks between the parts get lost. Cutting
references into fields is what conditional random fields became known for (Peng &
McCallum, 2004): what a word is depends on what the words around it *are*. With
``crf=True`` a tagger learns which label follows which, and ``transitions_`` shows it.
"""

# %%
# References and their fields
# ---------------------------
# No package ships references with tags that may be passed on, so these are generated,
# in three styles, and then scanned badly: marks are lost, and one character in twenty
# is misread. Titles and journals are made of the same words. Tags are in the BIO
# scheme: ``B`` begins a field, ``I`` continues it.
import matplotlib.pyplot as plt
import numpy as np

from skrnn import LSTMClassifier
from skrnn.metrics import sequence_accuracy_score, span_f1_score
from skrnn.preprocessing import WordFeaturizer

rng = np.random.default_rng(0)
SURNAMES = ["Abe", "Berg", "Costa", "Diaz", "Eriksen", "Fox", "Gray", "Haas", "Ito"]
SURNAMES += ["Jung", "Kim", "Lange", "Moreau", "Novak", "Okoro", "Page", "Rossi"]
TOPICS = ["learning", "memory", "rivers", "waves", "networks", "energy", "markets"]
TOPICS += ["climate", "soil", "signals", "proteins", "glass", "traffic", "language"]
STUDIES = ["a model of", "on", "advances in", "measuring", "the theory of", "deep"]
JOURNALS = ["Journal of {}", "{} Letters", "Transactions on {}", "{}", "Advances in {}"]


def one_of(choices):
    return str(rng.choice(choices))


def authors():
    """Return fields, each a name with its initials, and the word before the last."""
    names = [
        f"{one_of(SURNAMES)}, {one_of(list('ABCDEGHJKLM'))}."
        for _ in range(rng.integers(1, 4))
    ]
    found = [("author", name) for name in names]
    return found[:-1] + [("O", "and")] * (len(names) > 1) + found[-1:]


def title():
    words = f"{one_of(STUDIES)} {one_of(TOPICS)}"
    words += one_of(["", f" and {one_of(TOPICS)}", f" in {one_of(TOPICS)}", " in 1998"])
    return [("title", words.capitalize() + ".")]


def journal():
    topic = " and ".join(rng.permutation(TOPICS)[: rng.integers(1, 3)])
    return [("journal", one_of(JOURNALS).format(topic.title()) + ",")]


def numbers(volume, pages):
    first = rng.integers(1, 1500)
    found = f"{first}-{first + rng.integers(5, 30)}"
    number = rng.integers(1, 80)
    return [("volume", volume.format(number)), ("pages", pages.format(found))]


def scanned(word):
    """Return a word as it was read: without marks at its ends, and misread."""
    read = word if rng.random() > 0.5 else word.strip(".,()")
    letters = [one_of(list("eo1l.t")) if rng.random() < 0.05 else c for c in read]
    return "".join(letters)


def reference():
    """Return the words and the tags of one reference, in one of three styles."""
    year = str(rng.integers(1960, 2025))
    who, what, where = authors(), title(), journal()
    styles = [
        [*who, ("year", f"({year})."), *what, *where, *numbers("{},", "{}.")],
        [*who, *what, *where, *numbers("{},", "{},"), ("year", f"{year}.")],
        [*what, *who, *where, ("year", f"{year},"), *numbers("vol. {},", "pp. {}.")],
    ]
    words, tags = [], []
    for field, text in styles[rng.integers(3)]:
        inside = [scanned(word) for word in text.split()]
        words += inside
        tags += ["O"] if field == "O" else [f"B-{field}"]
        tags += [f"I-{field}"] * (len(inside) - 1)
    return words, np.array(tags)


words, tags = zip(*[reference() for _ in range(700)], strict=True)
train, test = slice(0, 100), slice(100, None)
for number in range(3):
    print(" ".join(words[number]))
    print(" ".join(tags[number]), end="\n\n")

# %%
# With a CRF and without
# ----------------------
# Both networks have the same words and the same layers. Without a CRF each word's
# label is chosen by itself; with one the likeliest sequence of labels is. Pairs of
# labels that BIO doesn't allow, such as ``I-pages`` behind ``I-title``, are excluded by
# ``illegal_transitions="bio"``: they are neither learnt nor ever answered.
featurizer = WordFeaturizer(("lower", "suffix1", "shape")).fit(words[train])
X_train, X_test = (featurizer.transform(words[part]) for part in (train, test))
settings = dict(
    units=16,
    bidirectional=True,
    return_sequences=True,
    embedding_dim=12,
    dropout=0.3,
    epochs=25,
    learning_rate=0.01,
    random_state=0,
)
plain = LSTMClassifier(**settings).fit(X_train, tags[train])
chain = LSTMClassifier(**settings, crf=True, illegal_transitions="bio")
chain.fit(X_train, tags[train])

found = {"plain": plain.predict(X_test), "with a CRF": chain.predict(X_test)}
print(f"{'':12}field F1  whole references right")
for name, answer in found.items():
    whole = sequence_accuracy_score(tags[test], answer)
    print(f"{name:12}{span_f1_score(tags[test], answer):8.3f}  {whole:22.1%}")


def is_broken(row):
    """Whether an I stands behind something else than its field."""
    return any(
        after[0] == "I" and before[1:] != after[1:]
        for before, after in zip(["O", *row], row, strict=False)
    )


for name, answer in found.items():
    print(f"{name}: {sum(map(is_broken, answer))} answers break the scheme")

# %%
# What follows what
# -----------------
# ``transitions_`` has the score of each pair of labels, in the order of ``classes_``,
# and ``weights_["crf"]`` what a reference begins and ends with. A score that is
# greater by 1 makes labels with that pair 2.7 times as likely, if all else is the same.
# Pairs that BIO excludes are grey.
#
# The picture tells the three styles. A reference begins with an author or a title, and
# ends with pages or a year. Authors are followed by the year, the title or the journal,
# and "and", the word outside of all fields, by an author. A title leads to authors or
# to the journal, a journal to a volume or a year, and a volume to pages. No style has
# two volumes, years or pages in a row: these scores are among the lowest.
order = ["author", "title", "journal", "volume", "pages", "year"]
labels = [f"{part}-{field}" for field in order for part in "BI"] + ["O"]
labels = [label for label in labels if label in chain.classes_]
places = [list(chain.classes_).index(label) for label in labels]
begin, end = (chain.weights_["crf"][name][places] for name in ("start", "end"))
excluded = [label.startswith("I") for label in labels]
scores = np.full((len(labels) + 1, len(labels) + 1), np.nan)
scores[0, :-1] = np.where(excluded, np.nan, begin)
scores[1:, -1] = end
scores[1:, :-1] = chain.transitions_[np.ix_(places, places)]
scores[~np.isfinite(scores)] = np.nan

fig, ax = plt.subplots(figsize=(8, 7), layout="constrained")
colours = plt.get_cmap("RdBu_r").with_extremes(bad="0.85")
limit = np.nanmax(np.abs(scores))
image = ax.imshow(scores, cmap=colours, vmin=-limit, vmax=limit)
for (row, column), score in np.ndenumerate(scores):
    if np.isfinite(score):
        colour = "white" if abs(score) > 0.75 * limit else "black"
        at = dict(ha="center", va="center", fontsize=7, color=colour)
        ax.text(column, row, f"{score:z.1f}", **at)
ax.set_xticks(range(len(scores)), [*labels, "(end)"], rotation=60, ha="right")
ax.set_yticks(range(len(scores)), ["(begin)", *labels])
ax.set(xlabel="next label", ylabel="label", title="What follows what in a reference")
fig.colorbar(image, label="score", shrink=0.7)
plt.show()

# %%
# One reference
# -------------
# Where a word is misread, its neighbours decide. ``predict_proba`` has the probability
# of each label at each step, given the whole reference: it tells where to look twice.
better = [
    i
    for i, true in enumerate(tags[test])
    if is_broken(found["plain"][i]) and np.all(found["with a CRF"][i] == true)
]
chosen = max(better, key=lambda i: np.sum(found["plain"][i] != tags[test][i]))
rows = {"truth": tags[test], **found}
colour_of = dict(zip([*order, "O"], plt.get_cmap("Set2").colors, strict=False))

fig, (ax, sure) = plt.subplots(
    2, figsize=(10, 4.5), sharex=True, height_ratios=[3, 1.5], layout="constrained"
)
for height, answers in enumerate(rows.values()):
    for step, tag in enumerate(answers[chosen]):
        ax.barh(height, 1, 0.9, step - 0.5, color=colour_of[tag.split("-")[-1]], ec="w")
        wrong = tag != tags[test][chosen][step]
        bold = dict(color="darkred", weight="bold") if wrong else {}
        at = dict(ha="center", va="center", fontsize=7)
        ax.text(step, height, tag.replace("-", "\n"), **at, **bold)
ax.set_yticks(range(len(rows)), rows)
ax.invert_yaxis()
ax.set_xlim(-0.5, len(tags[test][chosen]) - 0.5)
ax.set_title("The fields of a reference; errors in bold red")
for name, model in {"plain": plain, "with a CRF": chain}.items():
    proba = model.predict_proba(X_test[chosen : chosen + 1])[0]
    sure.plot(proba.max(axis=1), "o-", ms=4, label=name)
sure.set(ylabel="probability of\nthe likeliest label", ylim=(0, 1.05))
sure.legend(loc="lower right")
sure.set_xticks(range(len(words[test][chosen])), words[test][chosen], rotation=60)
plt.setp(sure.get_xticklabels(), ha="right")
plt.show()
