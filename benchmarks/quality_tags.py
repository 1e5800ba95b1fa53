"""Tags and intents for `quality.py`: how to read them, and what to fit on them."""

import gzip
from collections import Counter, defaultdict
from itertools import chain, pairwise

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

from skrnn import SequenceClassifier
from skrnn.preprocessing import WordFeaturizer

# Found on a part of the training sets; the guide's page on tagging has the figures.
ON_WORDS = dict(features=("lower",), embedding_dim=50, bidirectional=True, dropout=0.5)
# On the validation set 97.2 % of the intents, 96.8 with vectors of 50.
ON_REQUESTS = ON_WORDS | dict(embedding_dim=100)
ON_PARTS = ON_WORDS | dict(
    features=("lower", "suffix2", "suffix3", "shape"),
    embedding_dim=(50, 20, 20, 20),
    units=64,
)
# The same for both sets of tags: `taggers.py` has what each of it is worth. Nothing is
# held out to stop by, and the steps of training become smaller.
BEGINNINGS, ENDINGS = ("prefix1", "prefix2", "prefix3"), ("suffix1", "suffix2")
WITH_CRF = ON_PARTS | dict(
    features=("lower", *BEGINNINGS, *ENDINGS, "suffix3", "suffix4", "shape"),
    embedding_dim=(50, 10, 15, 20, 10, 15, 20, 20, 20),
    units=128,
    crf=True,
    early_stopping=False,
    epochs=20,
    learning_rate_schedule="cosine",
)

# Reading: X_train, y_train, X_test, y_test


def read_chunks(path):
    """Read the words and the chunk tags of the sentences of CoNLL-2000."""
    parts = []
    for part in ("train", "test"):
        with gzip.open(path / f"conll2000_{part}.txt.gz", "rt") as file:
            sentences = [s.split("\n") for s in file.read().strip().split("\n\n")]
        for column in (0, -1):
            parts += [[[line.split()[column] for line in s] for s in sentences]]
    return parts


def read_requests(path, target):
    """Read the words of ATIS, and the slots of each or the intent of the request.

    What was set aside to choose a model by is trained on as well: the networks take a
    tenth for that themselves.
    """
    parts = []
    for names in (("train", "valid"), ("test",)):
        lines = chain(*(read_lines(path / f"atis_{name}.txt.gz") for name in names))
        requests, intents = zip(*(line.split(" <=> ") for line in lines), strict=True)
        pairs = [[pair.rsplit(":", 1) for pair in r.split()] for r in requests]
        words, slots = ([[pair[i] for pair in r] for r in pairs] for i in (0, 1))
        parts += [words, slots if target == "slots" else np.array(intents)]
    return parts


def read_lines(path):
    with gzip.open(path, "rt") as file:
        return [line for line in file.read().splitlines() if line.strip()]


# What to fit


def reader(seed, *, cell, features, **params):
    return make_pipeline(
        WordFeaturizer(features),
        SequenceClassifier(cell=cell, random_state=seed, **params),
    )


def tagger(seed, **params):
    return reader(seed, return_sequences=True, **params)


# What to compare with


def on_words(model):
    """Give a model the TF-IDF of words and pairs of them, cut already."""
    return make_pipeline(
        TfidfVectorizer(analyzer=_words_and_pairs, sublinear_tf=True), model
    )


def _words_and_pairs(words):
    return [*words, *map(" ".join, pairwise(words))]


class MostFrequentTag:
    """The tag that a word mostly has in training; for new words, the commonest."""

    def fit(self, X, y):
        """Count the tags of each word."""
        counts = defaultdict(Counter)
        for word, tag in zip(chain(*X), chain(*y), strict=True):
            counts[word][tag] += 1
        overall = sum(counts.values(), Counter()).most_common(1)[0][0]
        tags = {word: count.most_common(1)[0][0] for word, count in counts.items()}
        self.tags_ = defaultdict(lambda: overall, tags)
        return self

    def predict(self, X):
        """Return the tags of the words of sentences."""
        return [[self.tags_[word] for word in words] for words in X]
