"""The sets of `quality.py`: how to read each, what to fit on it, what to compare."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pandas as pd
import quality_memory as memory
import quality_pairs as pairs
import quality_tags as tags
from quality_series import SERIES, Split
from sklearn.dummy import DummyRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import (
    accuracy_score,
    mean_squared_error,
    root_mean_squared_error,
)
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skrnn import SequenceClassifier, SequenceRegressor
from skrnn.metrics import span_f1_score
from skrnn.preprocessing import (
    SequenceWise,
    SlidingWindow,
    TextSequencer,
    WordFeaturizer,
    make_supervised,
)

# Reading


def read_series(path, n_test):
    """Read a series whose last values are to be predicted, each a step ahead.

    X_test is the whole series: its last rows are predicted from their true past.
    """
    X, y = make_supervised(pd.read_csv(path).iloc[:, 1].to_numpy(float))
    n_test = round(n_test * (len(y) + 1)) if n_test < 1 else n_test
    return Split(X[:-n_test], y[:-n_test], X, y[-n_test:])


def make_adding(n_timesteps=50, n_train=10_000, n_test=2_000):
    """Generate the adding problem: the sum of the two marked ones among many numbers.

    Hochreiter & Schmidhuber (1997), with numbers from 0 to 1 and a mark in either half
    as Bai et al. (2018) have it.
    """
    rng = np.random.default_rng(0)
    n, half = n_train + n_test, n_timesteps // 2
    numbers, marks = rng.random((n, n_timesteps)), np.zeros((n, n_timesteps))
    for first in (0, half):
        marks[np.arange(n), rng.integers(first, first + half, size=n)] = 1
    X, y = np.stack([numbers, marks], axis=2), (numbers * marks).sum(axis=1)
    return Split(X[:n_train], y[:n_train], X[n_train:], y[n_train:])


def read_reviews(path):
    """Read sentences of film reviews and whether they praise; a tenth is to be told."""
    return split_texts(*columns(path, 0, 1), test_size=0.1)


def read_questions(path):
    """Read questions and what they ask for, of six kinds."""
    train, test = (
        columns(path / f"trec_{part}.tsv", 0, 2) for part in ("train", "test")
    )
    return Split(train[1], train[0], test[1], test[0])


def read_messages(path):
    """Read text messages, wanted and not; seven of ten are to be told."""
    return split_texts(*columns(path, 0, 1), test_size=0.7)


def columns(path, *numbers):
    """Return columns of a table with tabs between them, as arrays of strings."""
    open_ = gzip.open if path.suffix == ".gz" else open
    with open_(path, "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if line.strip()]
    return [np.array([row[number] for row in rows], dtype=object) for number in numbers]


def split_texts(y, texts, test_size):
    X_train, X_test, y_train, y_test = train_test_split(
        texts, y, test_size=test_size, stratify=y, random_state=0
    )
    return Split(X_train, y_train, X_test, y_test)


# What to fit


def classifier(seed, *, cell, **params):
    return make_pipeline(
        SequenceWise(StandardScaler()),
        SequenceClassifier(cell=cell, random_state=seed, **params),
    )


def forecaster(seed, *, cell, lookback, **params):
    return make_pipeline(
        StandardScaler(),
        SlidingWindow(lookback=lookback),
        SequenceRegressor(cell=cell, random_state=seed, **params),
    )


def regressor(seed, *, cell, **params):
    return SequenceRegressor(cell=cell, random_state=seed, **params)


# Whatever stands between spaces is a word, punctuation too.
WORDS = r"\S+"
# Punctuation stands by itself.
MARKS = r"\w+|[^\w\s]"


def text_classifier(seed, *, cell, token_pattern, min_df=1, **params):
    return make_pipeline(
        TextSequencer(token_pattern=token_pattern, min_df=min_df),
        SequenceClassifier(cell=cell, random_state=seed, **params),
    )


def words_of(texts):
    return [text.split() for text in texts]


def parts_classifier(seed, *, cell, features, **params):
    return make_pipeline(
        FunctionTransformer(words_of),
        WordFeaturizer(features),
        SequenceClassifier(cell=cell, random_state=seed, **params),
    )


# What to compare with


def flatten(X):
    """Return one row a sequence; ragged ones are resampled to 20 steps first."""
    if isinstance(X, list):
        X = np.stack([_resample(sequence, 20) for sequence in X])
    return X.reshape(len(X), -1)


def _resample(sequence, n_timesteps):
    old, new = np.linspace(0, 1, len(sequence)), np.linspace(0, 1, n_timesteps)
    return np.stack([np.interp(new, old, column) for column in sequence.T], axis=1)


def on_table(model):
    return make_pipeline(FunctionTransformer(flatten), StandardScaler(), model)


def autoregression(lags):
    return make_pipeline(
        SlidingWindow(lookback=lags), FunctionTransformer(flatten), Ridge(alpha=1e-3)
    )


class Persistence:
    """The last value again."""

    def fit(self, X, y):
        """Learn nothing."""
        return self

    def predict(self, X):
        """Return the last values."""
        return X[:, 0]


# How to judge


def percent(score):
    return lambda y_true, y_pred: 100 * score(y_true, y_pred)


@dataclass(frozen=True)
class Metric:
    """A score of (y_true, y_pred), how to print it, and which way is better."""

    name: str
    score: Callable
    format: str
    higher_is_better: bool

    def reaches(self, value, bar):
        """Whether a value is at least as good as a bar."""
        return value >= bar if self.higher_is_better else value <= bar


ACCURACY = Metric("accuracy %", percent(accuracy_score), ".1f", True)
SPAN_F1 = Metric("span F1 %", percent(span_f1_score), ".1f", True)
RMSE = Metric("RMSE", root_mean_squared_error, ".2f", False)
MSE = Metric("MSE", mean_squared_error, ".1e", False)
WER = Metric("word errors %", pairs.word_error_rate, ".1f", False)
EXACT = Metric("exact %", pairs.exact, ".1f", True)
ALL_RIGHT = Metric("right %", memory.all_right, ".1f", True)
BLEU = Metric("BLEU", pairs.bleu, ".1f", True)


# The table


@dataclass(frozen=True)
class Set:
    """One set, and what is done with it.

    Attributes
    ----------
    title : str
    read : callable
        Returns the `Split`; of the path, if there is one.
    path : str or None
        A file or folder in the folder of data; None for what needs none.
    model : callable
        Makes a model from a seed, a cell and `params`.
    params : dict
        Everything that isn't left at its default.
    metric : Metric
    bar : float or None
        What the mean over the seeds must reach; None if it is only reported.
    floors : dict
        Name -> simple model, fitted and judged on the same split.
    published : str
        A figure from elsewhere, and the number of its source.
    cells : tuple of str
        The cells to fit.
    """

    title: str
    read: Callable
    path: str | None
    model: Callable
    metric: Metric
    bar: float | None
    floors: dict
    params: dict = field(default_factory=dict)
    published: str = ""
    cells: tuple = ("lstm", "gru")

    def split(self, data):
        """Return the `Split`, from the folder of data if that is where it lies."""
        return self.read(data / self.path) if self.path else self.read()


# Chosen on a fifth of each training set, held out. A few epochs on all texts were
# better there than stopping early by a tenth of them.
TEXTS = {
    "min_df": 2,
    "embedding_dim": 100,
    "bidirectional": True,
    "dropout": 0.7,
    "early_stopping": False,
}
# What a word looks like tells something of those that training hardly saw: on the fifth
# held out 87.8 % of the questions were right, and 86.1 of the words alone.
PARTS = {
    "features": ("lower", "prefix3", "suffix3", "shape"),
    "embedding_dim": (100, 25, 25, 10),
    "bidirectional": True,
    "dropout": 0.7,
    "early_stopping": False,
}
# A cell whose units add up over any number of steps, and steps that end small.
LONG = {
    "units": (32, 32),
    "activation": "linear",
    "learning_rate": 0.02,
    "learning_rate_schedule": "cosine",
    "epochs": 12,
    "early_stopping": False,
}


def on_counts(pattern):
    """Return linear models on words and, with the words of the network, on pairs."""
    pairs_too = TfidfVectorizer(token_pattern=pattern, ngram_range=(1, 2))
    return {
        "TF-IDF": make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=2_000)),
        "of pairs too": make_pipeline(
            pairs_too, LogisticRegression(C=10, max_iter=2_000)
        ),
    }


ON_TABLE = {
    "1-NN": on_table(KNeighborsClassifier(1)),
    "logistic": on_table(LogisticRegression(max_iter=2_000)),
}


def of_series(row):
    """Return the set of a row of the table of series."""
    return Set(
        title=row.title,
        read=row.read,
        path=row.path,
        model=classifier,
        params=row.params,
        metric=ACCURACY,
        bar=row.bar,
        floors=ON_TABLE,
        published=row.published,
        cells=row.cells,
    )


SETS = {name: of_series(row) for name, row in SERIES.items()}
SETS |= {
    "sunspots": Set(
        title="monthly sunspots, last 20 %",
        read=partial(read_series, n_test=0.2),
        path="univariate/monthly-sunspots.csv",
        model=forecaster,
        params={"lookback": 24},
        metric=RMSE,
        bar=19.5,
        floors={"persistence": Persistence(), "AR(24)": autoregression(24)},
    ),
    "temperatures": Set(
        title="minimum temperatures, last year",
        read=partial(read_series, n_test=365),
        path="univariate/daily-min-temperatures.csv",
        model=forecaster,
        params={"lookback": 30},
        metric=RMSE,
        bar=2.35,
        floors={"persistence": Persistence(), "AR(30)": autoregression(30)},
    ),
    "adding": Set(
        title="adding problem, 50 steps",
        read=make_adding,
        path=None,
        model=regressor,
        metric=MSE,
        bar=0.01,
        floors={"mean": DummyRegressor()},
        published="LSTM .164, GRU 5.3e-5 [2]",
    ),
    "adding-long": Set(
        title="adding problem, 600 steps",
        read=partial(make_adding, 600),
        path=None,
        model=regressor,
        params=LONG,
        metric=MSE,
        bar=1e-3,
        floors={"mean": DummyRegressor()},
        published="LSTM .164, GRU 5.3e-5 [2]",
        cells=("mingru",),
    ),
    "chunks": Set(
        title="CoNLL-2000 chunks, words alone",
        read=lambda path: Split(*tags.read_chunks(path)),
        path="tagging",
        model=tags.tagger,
        params=tags.ON_WORDS,
        metric=SPAN_F1,
        bar=88,
        floors={"commonest tag": tags.MostFrequentTag()},
        published="BI-LSTM 93.6 [3]",
        cells=("lstm",),
    ),
    "chunks-parts": Set(
        title="CoNLL-2000 chunks, word parts",
        read=lambda path: Split(*tags.read_chunks(path)),
        path="tagging",
        model=tags.tagger,
        params=tags.ON_PARTS,
        metric=SPAN_F1,
        bar=90,
        floors={"commonest tag": tags.MostFrequentTag()},
        published="BI-LSTM 93.6 [3]",
        cells=("lstm",),
    ),
    "slots": Set(
        title="ATIS slots",
        read=lambda path: Split(*tags.read_requests(path, "slots")),
        path="tagging",
        model=tags.tagger,
        params=tags.ON_WORDS,
        metric=SPAN_F1,
        bar=93,
        floors={"commonest tag": tags.MostFrequentTag()},
        published="BLSTM 95.6, BiRNN 96.0 [7]",
    ),
    "chunks-crf": Set(
        title="CoNLL-2000 chunks, parts, CRF",
        read=lambda path: Split(*tags.read_chunks(path)),
        path="tagging",
        model=tags.tagger,
        params=tags.WITH_CRF,
        metric=SPAN_F1,
        bar=93,
        floors={"commonest tag": tags.MostFrequentTag()},
        published="BI-LSTM-CRF 94.1 [3]",
        cells=("lstm",),
    ),
    "slots-crf": Set(
        title="ATIS slots, parts, CRF",
        read=lambda path: Split(*tags.read_requests(path, "slots")),
        path="tagging",
        model=tags.tagger,
        params=tags.WITH_CRF,
        metric=SPAN_F1,
        bar=95.3,
        floors={"commonest tag": tags.MostFrequentTag()},
        published="BLSTM 95.6, BiRNN 96.0 [7]",
        cells=("lstm",),
    ),
    "intents": Set(
        title="ATIS intents",
        read=lambda path: Split(*tags.read_requests(path, "intents")),
        path="tagging",
        model=tags.reader,
        params=tags.ON_REQUESTS,
        metric=ACCURACY,
        bar=95,
        floors={"TF-IDF": tags.on_words(LogisticRegression(max_iter=2_000))},
        published="BLSTM 98.7, BiRNN 98.2 [7]",
    ),
    "reviews": Set(
        title="MR, praise of a film or not",
        read=read_reviews,
        path="text/mr_rt_polarity.tsv.gz",
        model=text_classifier,
        params=TEXTS | {"token_pattern": WORDS, "epochs": 3},
        metric=ACCURACY,
        bar=75,
        floors=on_counts(WORDS),
        published="CNN-rand 76.1 [6]",
    ),
    "questions": Set(
        title="TREC-6, kinds of questions",
        read=read_questions,
        path="text",
        model=text_classifier,
        params=TEXTS | {"token_pattern": WORDS, "epochs": 12},
        metric=ACCURACY,
        bar=87,
        floors=on_counts(WORDS),
        published="CNN-rand 91.2 [6]",
    ),
    "messages": Set(
        title="SMS spam, trained on 30 %",
        read=read_messages,
        path="text/sms_spam.tsv.gz",
        model=text_classifier,
        params=TEXTS | {"token_pattern": MARKS, "epochs": 12},
        metric=ACCURACY,
        bar=97.5,
        floors=on_counts(MARKS),
    ),
}

# Of any text written by characters.
SPELLING = dict(units=64)
# Of a spelling that is read aloud, found on the development set of Dutch.
ALOUD = dict(
    units=128,
    attention="location",
    dropout=0.3,
    learning_rate_schedule="cosine",
    epochs=15,
    early_stopping=False,
)


def by_parts(words, name, bar):
    """Return the row of texts whose words are read by their parts too."""
    return replace(
        words,
        title=f"{name}, word parts",
        model=parts_classifier,
        params=PARTS | {"epochs": words.params["epochs"]},
        bar=bar,
        cells=("gru",),
    )


def spelling(language, name, bar, published):
    """Return the row of one language of SIGMORPHON 2021."""
    return Set(
        title=f"{name} spelling to sound",
        read=lambda path: Split(*pairs.read_spellings(path, language)),
        path="seq2seq",
        model=pairs.transducer,
        params=ALOUD,
        metric=WER,
        bar=bar,
        floors={"letter map": pairs.LetterMap()},
        published=published,
        cells=("gru",),
    )


def copies(title, lengths, *, backwards, params=SPELLING, bar=None):
    """Return the row of words to copy or to reverse."""
    return Set(
        title=title,
        read=lambda: Split(*pairs.make_copies(lengths, backwards=backwards)),
        path=None,
        model=pairs.transducer,
        params=params,
        metric=EXACT,
        bar=bar,
        floors={"unchanged": pairs.Unchanged()},
        cells=("lstm",),
    )


# A few epochs are enough. Outputs end by themselves, and not because they may be no
# longer.
BY_PLACE = SPELLING | {
    "attention": "location",
    "max_length": 30,
    "epochs": 12,
    "early_stopping": False,
}
by_place = partial(
    copies,
    lengths=(11, 15),
    params=BY_PLACE,
    bar=90,
)
SETS |= {
    "reviews-parts": by_parts(SETS["reviews"], "MR", 77.5),
    "questions-parts": by_parts(SETS["questions"], "TREC-6", 89.5),
    "hungarian": spelling("hun", "Hungarian", 2.2, "ensemble 1.8 [4]"),
    "dutch": spelling("dut", "Dutch", 18, "ensemble 14.7 [4]"),
    "bulgarian": spelling("bul", "Bulgarian", 19.5, "ensemble 18.3 [4]"),
    "dates": Set(
        title="dates to ISO 8601",
        read=lambda: Split(*pairs.make_dates()),
        path=None,
        model=pairs.transducer,
        params=SPELLING,
        metric=EXACT,
        bar=98,
        floors={"nearest text": pairs.NearestText()},
        cells=("lstm",),
    ),
    "copy": copies("copies, as long as in training", (6, 10), backwards=False),
    "copy-longer": copies("copies, up to 1.5 times longer", (11, 15), backwards=False),
    "reverse": copies("reversals, as long", (6, 10), backwards=True),
    "reverse-longer": copies("reversals, up to 1.5 times", (11, 15), backwards=True),
    "copy-place": by_place("copies, longer, by location", backwards=False),
    "reverse-place": by_place("reversals, longer, by location", backwards=True),
    "translation": Set(
        title="Multi30k, German to English",
        read=lambda path: Split(*pairs.read_sentences(path)),
        path="seq2seq",
        model=pairs.transducer,
        params=dict(units=128, dropout=0.3, n_beams=5),
        metric=BLEU,
        bar=None,
        floors={"word for word": pairs.WordForWord()},
        published="GRU with attention 28.1, of all 29,000 pairs [5]",
        cells=("lstm",),
    ),
}


def remembered(title, read, bar, params, cells=("ntm",)):
    """Return the row of a task that asks for a memory."""
    return Set(
        title=title,
        read=lambda: Split(*read()),
        path=None,
        model=memory.Answering,
        params=params,
        metric=ALL_RIGHT,
        bar=bar,
        floors={"zeros": memory.Guess()},
        cells=cells,
    )


def copied(n_steps, bar):
    """Return the row of patterns to copy, more of them than in training.

    An LSTM is beside the memory here alone: one with 256 units takes twice as long.
    """
    title = f"copy task, {n_steps} steps (1 to 20)"
    read = partial(memory.make_copies, n_steps)
    return remembered(title, read, bar, memory.COPIES, cells=("ntm", "lstm"))


def recalled(title, n_items, bar):
    """Return the row of items of which the next one is asked."""
    read = partial(memory.make_recalls, n_items)
    return remembered(title, read, bar, memory.RECALLS)


SETS |= {
    "memory-copy": copied(40, 90),
    "memory-copy-100": copied(100, 99),
    "memory-recall": recalled("associative recall, 2 to 6 items", range(2, 7), 98),
    "memory-recall-12": recalled("associative recall, 12 items (2 to 6)", [12], 90),
}
if not pairs.CAN_JUDGE_TRANSLATIONS:
    # sacrebleu comes with the `bench` extra.
    del SETS["translation"]

SOURCES = """\
[1] Ismail Fawaz et al. (2019), Deep learning for time series classification: mean of
    ten runs, from the tables in github.com/hfawaz/dl-4-tsc. TWIESN is an echo state
    network, FCN a convolutional one.
[2] Bai, Kolter & Koltun (2018), An empirical evaluation of generic convolutional and
    recurrent networks for sequence modeling: sequences of 600 steps.
[3] Huang, Xu & Yu (2015), Bidirectional LSTM-CRF models for sequence tagging: random
    embeddings, and features of spelling and context beside the words.
[4] Ashby et al. (2021), Results of the second SIGMORPHON shared task on multilingual
    grapheme-to-phoneme conversion: an ensemble of neural transducers.
[5] Trevett, github.com/bentrevett/pytorch-seq2seq: tested on another part of Multi30k,
    words cut by spaCy.
[6] Kim (2014), Convolutional neural networks for sentence classification: no vectors
    from elsewhere; MR by ten-fold cross-validation.
[7] Both from the tables in github.com/sz128/slot_filling_and_intent_detection_of_SLU:
    BLSTM, which begins with vectors of GloVe; BiRNN with attention of Liu & Lane
    (2016), Attention-based recurrent neural network models for joint intent detection
    and slot filling.
[8] Karim et al. (2018), LSTM fully convolutional networks for time series
    classification."""
