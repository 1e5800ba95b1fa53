"""Sets of `quality.py` whose sequences are answered by sequences.

The generated ones are made alike in every run. Spellings are those of SIGMORPHON 2021,
sentences those of Multi30k.
"""

import gzip
from collections import Counter, defaultdict
from datetime import date, timedelta
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.neighbors import NearestNeighbors

from skrnn import Seq2SeqClassifier

# Reading


def read_spellings(path, language, tested="test"):
    """Read words and their sounds; those of "dev" are for choosing parameters."""
    parts = []
    for part in ("train", tested):
        name = f"g2p2021_{language}_{part}.tsv.gz"
        with gzip.open(path / name, "rt", encoding="utf8") as file:
            rows = [line.rstrip("\n").split("\t") for line in file]
        parts += [[word for word, _ in rows], [sounds.split() for _, sounds in rows]]
    return parts


def read_sentences(path, n_train=10_000, min_count=2):
    """Read German sentences and English ones, in words; rare words are all one."""
    parts = []
    for part, last in (("train", n_train), ("val", None)):
        for language in ("de", "en"):
            name = path / f"multi30k_{part}.{language}.gz"
            with gzip.open(name, "rt", encoding="utf8") as file:
                parts.append([words_of(line) for line in file][:last])
    known = [set(often(sentences, min_count)) for sentences in parts[:2]]
    # The English test sentences stay as they are.
    for i, words in enumerate([*known, known[0]]):
        parts[i] = mark_rare(parts[i], words)
    return parts


def words_of(line):
    """Cut a sentence into words and marks, in small letters."""
    return CountVectorizer(token_pattern=r"\w+|[^\w\s]").build_analyzer()(line)


def often(sentences, min_count):
    counts = Counter(word for words in sentences for word in words)
    return (word for word, n in counts.items() if n >= min_count)


def mark_rare(sentences, known):
    return [[w if w in known else "<rare>" for w in words] for words in sentences]


def make_dates(n_train=10_000, n_test=2_000):
    """Generate dates as people write them, and as ISO 8601 does; no date is in both."""
    rng, first = np.random.default_rng(0), date(1900, 1, 1)
    days = rng.choice(80_000, size=n_train + n_test, replace=False)
    dates = [first + timedelta(days=int(day)) for day in days]
    forms = [
        "%A, %d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%d/%m/%Y", "%d.%m.%y",
        "%a %d %B %Y", "%Y, %d %B", "%d-%b-%Y",
    ]  # fmt: skip
    # Two digits stand for years of this century.
    written = []
    for day in dates:
        form = forms[rng.integers(len(forms))]
        if day.year < 2000:
            form = form.replace("%y", "%Y")
        text = day.strftime(form).replace(" 0", " ").lower()
        written.append(text.upper() if rng.random() < 0.2 else text)
    iso = [day.isoformat() for day in dates]
    return written[:n_train], iso[:n_train], written[n_train:], iso[n_train:]


def make_copies(lengths, *, backwards, n_train=10_000, n_test=1_000):
    """Generate words of 1 to 10 letters to copy or reverse, and others of `lengths`."""
    rng, letters = np.random.default_rng(0), list("abcdefghij")

    def words(n, low, high):
        sizes = rng.integers(low, high + 1, n)
        return ["".join(rng.choice(letters, size=size)) for size in sizes]

    train, test = words(n_train, 1, 10), words(n_test, *lengths)
    step = -1 if backwards else 1
    return train, [w[::step] for w in train], test, [w[::step] for w in test]


# What to fit


def transducer(seed, *, cell, **params):
    return Seq2SeqClassifier(cell=cell, random_state=seed, **params)


# What to compare with


class LetterMap:
    """The commonest sound of each letter in words with as many of one as of other."""

    def fit(self, X, y):
        """Count what stands at the same place."""
        counts = defaultdict(Counter)
        for word, sounds in zip(X, y, strict=True):
            if len(word) == len(sounds):
                for letter, sound in zip(word, sounds, strict=True):
                    counts[letter][sound] += 1
        self.sounds_ = {c: n.most_common(1)[0][0] for c, n in counts.items()}
        return self

    def predict(self, X):
        """Replace each letter by its sound."""
        return [[self.sounds_[c] for c in word if c in self.sounds_] for word in X]


class WordForWord:
    """Each word replaced by the one that goes with it most closely (Dice, 1945)."""

    def fit(self, X, y):
        """Count words of sentences and of their translations together."""
        alone, beside, together = Counter(), Counter(), defaultdict(Counter)
        for source, target in zip(X, y, strict=True):
            alone.update(set(source))
            beside.update(set(target))
            for word in set(source):
                together[word].update(set(target))
        self.words_ = {
            word: max(n, key=lambda other: n[other] / (alone[word] + beside[other]))
            for word, n in together.items()
        }
        return self

    def predict(self, X):
        """Translate word for word, what comes twice in a row once."""
        found = [[self.words_.get(w, w) for w in sentence] for sentence in X]
        return [s[:1] + [b for a, b in pairwise(s) if a != b] for s in found]


class NearestText:
    """The output of the training text with the most similar pairs of characters."""

    def fit(self, X, y):
        """Keep the training texts."""
        vectors = CountVectorizer(analyzer="char", ngram_range=(1, 2))
        nearest = NearestNeighbors(n_neighbors=1, metric="cosine")
        self.vectors_, self.y_ = vectors.fit(X), y
        self.nearest_ = nearest.fit(self.vectors_.transform(X))
        return self

    def predict(self, X):
        """Return the outputs of the nearest texts."""
        _, found = self.nearest_.kneighbors(self.vectors_.transform(X))
        return [self.y_[i] for i in found[:, 0]]


class Unchanged:
    """The input itself."""

    def fit(self, X, y):
        """Learn nothing."""
        return self

    def predict(self, X):
        """Return the texts."""
        return list(X)


# How to judge


def exact(y_true, y_pred):
    """Return the percentage of sequences that are right as a whole."""
    pairs = zip(y_true, y_pred, strict=True)
    return 100 * np.mean([list(a) == list(b) for a, b in pairs])


def word_error_rate(y_true, y_pred):
    """Return the percentage of words of which anything is wrong."""
    return 100 - exact(y_true, y_pred)


def bleu(y_true, y_pred):
    """Return the BLEU of sacrebleu over sentences that are cut into words already."""
    import sacrebleu

    true, predicted = ([" ".join(words) for words in y] for y in (y_true, y_pred))
    return sacrebleu.corpus_bleu(predicted, [true], tokenize="none", force=True).score


CAN_JUDGE_TRANSLATIONS = find_spec("sacrebleu") is not None
