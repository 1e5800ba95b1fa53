"""Frames as output: every row stays with its own index, or an error says why."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from _instances import TRANSFORMERS
from _tables import covering
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skrnn import GRUClassifier, GRURegressor, LSTMClassifier, LSTMRegressor
from skrnn._data.frames.indexed_arrays import LOST, IndexedArray
from skrnn._data.tokens.ids import TokenIds
from skrnn.preprocessing import (
    SequencePadder,
    SequenceWise,
    SlidingWindow,
    TextSequencer,
    WordFeaturizer,
    from_channels_first,
)

N = 8
SMALL = dict(units=2, epochs=1, random_state=0)
ids = GRUClassifier(embedding_dim=2, **SMALL)
tagger = LSTMClassifier(embedding_dim=2, bidirectional=True, **SMALL)
numbers = GRURegressor(**SMALL)
encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
one_hot = SequenceWise(encoder)

# Name -> the column or columns of the frame, and the steps after them.
FROM_COLUMNS = {
    "texts": ("text", [TextSequencer(), ids]),
    "padded texts": ("text", [TextSequencer(padding="post")]),
    "padded texts, network": ("text", [TextSequencer(padding="pre"), ids]),
    "texts, padded": ("text", [TextSequencer(), SequencePadder()]),
    "texts, padded, network": ("text", [TextSequencer(), SequencePadder(), tagger]),
    "texts, padded, encoded": ("text", [TextSequencer(), SequencePadder(), encoder]),
    "one-hot texts": ("text", [TextSequencer(), one_hot, LSTMRegressor(**SMALL)]),
    "words": ("words", [WordFeaturizer(min_df=1), ids]),
    "words, padded": ("words", [WordFeaturizer(min_df=1), SequencePadder(), tagger]),
    "table": (["a", "b"], [SequencePadder(3), StandardScaler()]),
    "table, network": (["a", "b"], [SequencePadder(), numbers]),
    "scaled table": (["a", "b"], [SequenceWise(StandardScaler())]),
    "sequences": ("sequence", [SequencePadder(4)]),
    "sequences, network": ("sequence", [numbers]),
    "scaled sequences": ("sequence", [SequenceWise(StandardScaler()), numbers]),
    "sequences of pairs": ("pairs", [SequencePadder(2, padding="pre"), numbers]),
}
FROM_SERIES = {
    "windows": (["a", "b"], [StandardScaler(), SlidingWindow(3), numbers]),
    "scaled windows": (
        ["a", "b"],
        [SlidingWindow(3), SequenceWise(StandardScaler()), numbers],
    ),
    "padded windows": (["a", "b"], [SlidingWindow(2), SequencePadder(3), numbers]),
    "windows and a scaler": (["a"], [SlidingWindow(2), numbers, StandardScaler()]),
}
# Those of a series are in time order.
INDICES = {
    "descending": range(N - 1, -1, -1),
    "strings": list("hgfedcba"),
    "two levels": pd.MultiIndex.from_product([list("yx"), range(N // 2)]),
    "twice": [3, 2, 1, 0] * 2,
}
TIMES = {
    "dates": pd.date_range("2024", periods=N),
    "numbers": range(10, 10 * N + 10, 10),
}
CASES = {
    f"{name}, {of}": (*case, index)
    for cases, indices in ((FROM_COLUMNS, INDICES), (FROM_SERIES, TIMES))
    for name, case in cases.items()
    for of, index in indices.items()
    # Neither pandas nor scikit-learn joins what has a label twice.
    if of != "twice" or name in ("texts", "table")
}
y = np.arange(N) % 2


def frame(index):
    rng = np.random.default_rng(0)
    words = np.array(["good", "bad", "wine", "food", "Also"])
    lists = [list(rng.choice(words, 1 + i % 3)) for i in range(N)]
    return pd.DataFrame(
        {
            "text": [" ".join(each) for each in lists],
            "words": lists,
            "sequence": [rng.normal(size=1 + i % 4) for i in range(N)],
            "pairs": [rng.normal(size=(1 + i % 4, 2)) for i in range(N)],
            "a": rng.normal(size=N),
            "b": rng.normal(size=N),
            "n": np.arange(N) * 1.0,
        },
        index=index,
    )


class Columns(TransformerMixin, BaseEstimator):
    """Take one column, a Series, or several."""

    def __init__(self, names):
        self.names = names

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X[self.names]

    def set_output(self, *, transform=None):
        return self

    def __sklearn_is_fitted__(self):
        return True


def pipeline(names, steps):
    return make_pipeline(Columns(names), *map(clone, steps))


def columns(names, steps):
    steps = make_pipeline(*map(clone, steps))
    return make_column_transformer((steps, names), ("passthrough", ["n"]))


def union(names, steps):
    n = make_pipeline(Columns(["n"]), StandardScaler())
    return FeatureUnion([("n", n), ("x", pipeline(names, steps))])


def same_rows(found, expected):
    # A scaler behind a network shows the rounding of backends that run in parallel.
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-2, atol=1e-2)


# Of the three or four indices of most cases, each is composed in another way.
@pytest.mark.parametrize(
    ("case", "container", "compose"),
    covering(CASES, ["pandas", "polars"], [pipeline, columns, union]),
)
def test_rows_keep_their_places_and_their_index(case, container, compose):
    names, steps, index = CASES[case]
    pytest.importorskip(container)
    X = frame(index)
    expected = np.asarray(compose(names, steps).fit_transform(X, y))
    model = compose(names, steps).set_output(transform=container)
    found = model.fit_transform(X, y)
    same_rows(found, expected)
    same_rows(model.transform(X), expected)
    if container == "pandas":
        assert isinstance(found, pd.DataFrame)
        pd.testing.assert_index_equal(found.index, X.index)
        if names not in (["a", "b"], ["a"]):
            # Any rows, in any order; windows need those before.
            part = X.iloc[[5, 0, 3]]
            pd.testing.assert_index_equal(model.transform(part).index, part.index)


@pytest.mark.parametrize("case", list(CASES)[::5])
def test_what_is_asked_for_globally(case):
    names, steps, index = CASES[case]
    X = frame(index)
    expected = columns(names, steps).set_output(transform="pandas").fit_transform(X, y)
    with sklearn.config_context(transform_output="pandas"):
        found = columns(names, steps).fit_transform(X, y)
    pd.testing.assert_frame_equal(found, expected)


def test_a_prediction_needs_no_frames():
    X = frame(TIMES["dates"])[["a", "b"]]
    model = make_pipeline(StandardScaler(), SlidingWindow(3), numbers)
    expected = clone(model).fit(X, X["a"]).predict(X)
    found = clone(model).set_output(transform="pandas").fit(X, X["a"]).predict(X)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=str)
def test_output_can_be_taken_back(estimator):
    X = frame(range(N))
    is_text = estimator.__sklearn_tags__().input_tags.string
    X = X["text"] if is_text else X[["a", "b"]]
    asked = clone(estimator).set_output(transform="pandas")
    again = clone(asked.fit(X)).set_output(transform="default")
    expected, found = clone(estimator).fit_transform(X), again.fit_transform(X)
    assert type(found) is type(expected)


# An index that is lost


def shuffled(X, random):
    X = X.copy()
    random.shuffle(X)
    return X


OTHER_ROWS = {
    "roll": lambda X: np.roll(X, 1, axis=0),
    "sort": lambda X: np.sort(X, axis=0),
    "sorted in place": lambda X: [X := X.copy(), X.sort(axis=0)][0],
    "shuffle": lambda X: shuffled(X, np.random.default_rng(0)),
    "an older shuffle": lambda X: shuffled(X, np.random.RandomState(0)),
    "cumsum": lambda X: np.cumsum(X, axis=0),
    "accumulate": lambda X: np.add.accumulate(X),
    "matmul": lambda X: np.matmul(X, np.eye(2)),
    "where": lambda X: np.where(X > 0, X, 0),
    "beside others": lambda X: X - X[::-1],
    "beside lost ones": lambda X: X - np.roll(X, 1, axis=0),
}


def of_windows(function):
    network = clone(numbers).set_output(transform="pandas")
    window = SlidingWindow(2).set_output(transform="pandas")
    return make_pipeline(window, FunctionTransformer(function), network)


def of_one_series(X):
    return X


def of_several(X):
    return X.set_index(pd.MultiIndex.from_product([list("yx"), range(N // 2)]))


every_windows = pytest.mark.parametrize("given", [of_one_series, of_several])


@every_windows
@pytest.mark.parametrize("key", OTHER_ROWS)
def test_a_lost_index_is_told(key, given):
    X = given(frame(TIMES["numbers"])[["a", "b"]])
    model = of_windows(OTHER_ROWS[key]).fit(X, y)
    assert model.predict(X).shape == (N,)
    with pytest.raises(ValueError, match="GRURegressor was asked for pandas output, b"):
        model.transform(X)
    states = model.set_output(transform="default").transform(X)
    assert states.shape == (N, 2)


SAME_ROWS = {
    "ufunc": np.arctan,
    "scalar": lambda X: X * 2.0,
    "a number of each feature": lambda X: (X - [1.0, 2.0]) / np.array([3.0, 4.0]),
    "several": lambda X: np.maximum(X, np.tanh(X)),
    "clip": lambda X: np.clip(X, -1, 1),
    "other memory": lambda X: np.exp(X, out=X.copy()),
    "in place": lambda X: np.negative(X.copy()).__iadd__(1),
    "empty key": lambda X: X[()],
    "all": lambda X: X[...],
    "values set": lambda X: [X := X.copy(), X.__setitem__(X > 1, 1.0)][0],
}


@every_windows
@pytest.mark.parametrize("key", SAME_ROWS)
def test_what_is_computed_value_by_value_is_not_lost(key, given):
    X = given(frame(TIMES["numbers"])[["a", "b"]])
    model = of_windows(SAME_ROWS[key]).fit(X, y)
    found = model.transform(X)
    pd.testing.assert_index_equal(found.index, X.index)
    plain = SAME_ROWS[key](np.array(SlidingWindow(2).fit_transform(X)))
    np.testing.assert_allclose(found, model[-1].transform(plain), rtol=1e-5)


@every_windows
def test_windows_are_arrays_for_any_key(given):
    window = SlidingWindow(2).set_output(transform="pandas")
    windows = window.fit_transform(given(frame(TIMES["numbers"])[["a", "b"]]))
    for key in ((), ..., (..., 0), 0, None, slice(2), ([1, 0], 1)):
        np.testing.assert_array_equal(windows[key], np.array(windows)[key])
    assert np.mean(windows) == np.array(windows).mean()


@pytest.mark.parametrize("function", [lambda X: X[::-1], np.flip])
def test_selections_of_rows_are_not_lost(function):
    X = frame(TIMES["numbers"])[["a", "b"]]
    model = of_windows(function).fit(X, X["a"])
    assert model.transform(X).index.tolist() == X.index[::-1].tolist()


ROWS = {
    "a slice": (slice(None, None, 2), [0, 2, 4]),
    "numbers": ([4, 1, 1], [4, 1, 1]),
    "a mask": (np.arange(6) > 3, [4, 5]),
    "a selection of steps": ((slice(1, 3), slice(None), 0), [1, 2]),
    "rows, as scikit-learn takes them": (([2, 0], Ellipsis), [2, 0]),
    "steps of all": ((Ellipsis, 0), [0, 1, 2, 3, 4, 5]),
    "pairs of rows and steps": (([1, 2], [0, 1]), None),
    "a new axis": (None, None),
    "one row": (3, None),
    "a table of rows": ([[0, 1], [2, 3]], None),
}


@pytest.mark.parametrize("key", ROWS)
def test_selections_know_their_rows(key):
    rows, expected = ROWS[key]
    index = pd.Index(list("uvwxyz"))
    array = np.arange(24.0).reshape(6, 2, 2).view(IndexedArray)
    array.row_index = index
    found = array[rows].row_index
    if expected is None:
        assert found == LOST
    else:
        assert found.equals(index[expected])


COPIES = {
    "copy": lambda X: X.copy(),
    "copy.copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda X: pickle.loads(pickle.dumps(X)),
    "astype": lambda X: X.astype(X.dtype),
    "hstack": lambda X: np.hstack([X, X]),
}
JOINED = {
    "vstack": lambda X: np.vstack([X, X]),
    "take": lambda X: X.take([1, 0], axis=0),
    "sort": lambda X: np.sort(X, axis=0),
}


@pytest.mark.parametrize("make", COPIES | JOINED)
def test_copies_know_their_rows_and_words(make):
    X = TextSequencer(padding="post").fit_transform(frame(INDICES["strings"])["text"])
    made = (COPIES | JOINED)[make](X)
    assert isinstance(made, TokenIds)
    assert made.vocabulary == X.vocabulary
    if make in COPIES:
        assert made.row_index.equals(X.row_index)
    else:
        assert isinstance(made.row_index, str)
        assert made.row_index == LOST


def test_arrays_without_an_index_stay_plain():
    X = np.random.default_rng(0).normal(size=(N, 2))
    window = SlidingWindow(2).set_output(transform="pandas").fit(X)
    assert type(window.transform(X)) is np.ndarray
    assert type(SlidingWindow(2).fit_transform(frame(range(N))[["a"]])) is np.ndarray


# Ids that pass through


def known_word(fitted, X):
    """Whether a word of training that is in none of the rows of X can be predicted."""
    return fitted.predict(X).shape == (1,)


PASSING = {
    "padder": SequencePadder(),
    "longer padder": SequencePadder(5, padding="pre"),
    "function": FunctionTransformer(),
    "steps": SequenceWise(FunctionTransformer()),
    "column": make_column_transformer((TextSequencer(padding="post"), 0)),
}


@pytest.mark.parametrize("container", ["default", "pandas", "polars"])
@pytest.mark.parametrize("key", PASSING)
def test_ids_keep_their_vocabulary(key, container):
    pytest.importorskip("polars")
    texts = pd.Series(frame(range(N))["text"].to_numpy(), index=INDICES["strings"])
    sequencer = TextSequencer().fit(texts)
    first = [] if key == "column" else [sequencer]
    X = texts.to_numpy()[:, None] if key == "column" else texts
    steps = make_pipeline(*first, clone(PASSING[key]))
    if key in ("column", "function"):
        # They give frames that are none of ours, or warn that they don't.
        container = "default"
    steps.set_output(transform=container)
    model = make_pipeline(steps, clone(ids)).fit(X, y)
    assert model[-1]._spec.vocabulary_size == 2 + len(sequencer.vocabulary_)
    assert model[-1]._words == sequencer.vocabulary_
    without = make_pipeline(clone(steps), clone(numbers))
    with pytest.raises(ValueError, match="X holds token ids of a vocabulary, whose s"):
        without.fit(X, y)


def test_known_words_are_known_behind_a_padder():
    texts = ["good wine", "bad food", "good food", "wine"]
    padded = make_pipeline(TextSequencer(), SequencePadder()).fit_transform(texts)
    # Neither of these rows has the last word.
    rows = [i for i, row in enumerate(padded) if padded.max() not in row]
    model = clone(ids).fit(padded[rows], y[: len(rows)])
    assert model.predict(padded).shape == (4,)


def test_channels_of_words_keep_their_vocabularies():
    X = WordFeaturizer(("lower", "shape"), min_df=1).fit_transform(
        frame(range(N))["words"]
    )
    padded = SequencePadder().fit_transform(X)
    assert padded.vocabulary == X.vocabulary
    assert from_channels_first(padded).vocabulary == X.vocabulary


def test_ids_are_filled_with_no_word():
    padder = SequencePadder(value=2)
    X = TextSequencer().fit_transform(["good wine", "bad"])
    with pytest.raises(ValueError, match=r"value=2 can't fill X, which holds the ids"):
        padder.fit(X)


def test_ids_are_no_series():
    X = TextSequencer(padding="post").fit_transform(["good wine", "bad", "wine"])
    with pytest.raises(ValueError, match="but SlidingWindow makes windows of the rows"):
        SlidingWindow(2).fit(X)


def test_what_is_put_together_of_other_words_is_plain():
    X, other = (
        TextSequencer(padding="post").fit_transform(texts)
        for texts in (["good wine", "bad"], ["no wine", "food"])
    )
    assert np.hstack([X, X]).vocabulary == X.vocabulary
    assert not isinstance(np.hstack([X, other]), TokenIds)
    assert not isinstance(np.hstack([X, np.zeros((2, 1))]), TokenIds)
