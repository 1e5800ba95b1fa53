"""What frames, Series and arrays of pandas, polars and pyarrow are read as."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from _frames import FRAMES, SERIES
from _instances import FAST
from sklearn.preprocessing import (
    FunctionTransformer,
    PolynomialFeatures,
    StandardScaler,
)

from skrnn import (
    GRUClassifier,
    GRURegressor,
    Seq2SeqClassifier,
    Seq2SeqRegressor,
)
from skrnn.metrics import token_accuracy_score
from skrnn.preprocessing import (
    SequencePadder,
    SequenceWise,
    SlidingWindow,
    TextSequencer,
    WordFeaturizer,
)
from skrnn.text import TextGenerator

N, T = 12, 4
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, T, 2))
TABLE = X[:, :, 0]
IDS = RNG.integers(1, 6, (N, T))
TWO_CHANNELS = RNG.integers(1, 6, (N, T, 2))
NUMBERS = X[:, -1, 0]
LABELS = np.where(NUMBERS > 0, "up", "down").astype(object)
TEXTS = ["abc", "bca", "cab", "ccb"] * 3

every_library = pytest.mark.parametrize("library", FRAMES)
every_series = pytest.mark.parametrize("series", SERIES)


def tokens(**params):
    return GRURegressor(**FAST, embedding_dim=2, **params)


def framed(x, **columns):
    """Return the frame of a sequence with some columns replaced."""
    return pd.DataFrame(x, columns=["temp", "load"]).assign(**columns)


# Frames that can't be read


NOT_NUMBERS = {
    "NA among integers": (
        framed(X[0], load=pd.array([1, 2, None, 4], dtype="Int64")),
        r"Input X contains NaN.\n.* column 'load' of X\[3\] has one in row 2",
    ),
    "NA among floats": (
        framed(X[0], load=pd.array([0.5, None, 2, 3], dtype="Float64")),
        r"Input X contains NaN.\n.* column 'load' of X\[3\] has one in row 1",
    ),
    "NA among bools": (
        framed(X[0], temp=pd.array([None, True, True, True], dtype="boolean")),
        r"Input X contains NaN.\n.* column 'temp' of X\[3\] has one in row 0",
    ),
    "NaN": (
        framed(X[0], temp=[0.0, np.nan, 1.0, 2.0]),
        r"Input X contains NaN.\n.* column 'temp' of X\[3\] has one in row 1",
    ),
    "None": (
        framed(X[0], temp=pd.Series([0.0, None, 1.0, 2.0], dtype=object)),
        r"Input X contains NaN.\n.* column 'temp' of X\[3\] has one in row 1",
    ),
    "polars' null": (
        pl.DataFrame({"temp": [1, 2, 3, None], "load": [1.0, 2.0, 3.0, 4.0]}),
        r"Input X contains NaN.\n.* column 'temp' of X\[3\] has one in row 3",
    ),
    "pyarrow's null": (
        pa.table({"temp": [1, 2, 3, 4], "load": [None, 2.0, 3.0, 4.0]}),
        r"Input X contains NaN.\n.* column 'load' of X\[3\] has one in row 0",
    ),
    "dates": (
        framed(X[0], load=pd.Timestamp("2024")),
        r"Column 'load' of X\[3\] has dtype datetime64.*turn times into numbers first",
    ),
    "dates with a zone": (
        framed(X[0], load=pd.Timestamp("2024", tz="UTC")),
        r"Column 'load' of X\[3\] has dtype datetime64.*turn times into numbers first",
    ),
    "Python's dates": (
        framed(X[0], load=[datetime.date(2024, 1, 1)] * T),
        r"Column 'load' of X\[3\] holds datetime.date\(2024, 1, 1\) of type date",
    ),
    "periods": (
        framed(X[0], load=pd.period_range("2024", periods=T)),
        r"Column 'load' of X\[3\] holds Period",
    ),
    "polars' dates": (
        pl.DataFrame({"temp": [1.0], "load": [datetime.date(2024, 1, 1)]}),
        r"Column 'load' of X\[3\] has dtype datetime64",
    ),
    "polars' times": (
        pl.DataFrame({"temp": [1.0], "load": [datetime.time(1)]}),
        r"Column 'load' of X\[3\] holds datetime.time",
    ),
    "pyarrow's dates": (
        pa.table({"temp": [1.0], "load": [datetime.date(2024, 1, 1)]}),
        r"Column 'load' of X\[3\] has dtype datetime64",
    ),
    "strings": (
        framed(X[0], load="high"),
        r"could not convert string to float: Column 'load' of X\[3\] has dtype str",
    ),
    "polars' strings": (
        pl.DataFrame({"temp": [1.0], "load": ["high"]}),
        r"could not convert string to float: Column 'load' of X\[3\] has dtype <U4",
    ),
    "pyarrow's strings": (
        pa.table({"temp": [1.0], "load": ["high"]}),
        r"could not convert string to float: Column 'load' of X\[3\] has dtype string",
    ),
    "categories": (
        framed(X[0], load=pd.Categorical(["high"] * T)),
        r"could not convert string to float: Column 'load' of X\[3\] holds 'high'",
    ),
    "polars' categories": (
        pl.DataFrame({"temp": [1.0], "load": pl.Series(["a"], dtype=pl.Categorical)}),
        r"Column 'load' of X\[3\]",
    ),
    "lists": (
        pl.DataFrame({"temp": [1.0], "load": [[1.0, 2.0]]}),
        r"Column 'load' of X\[3\] holds array\(\[1., 2.\]\) of type ndarray",
    ),
    "complex numbers": (
        framed(X[0], load=1j),
        r"Complex data not supported: Column 'load' of X\[3\] has dtype complex128",
    ),
    "a column twice": (
        pd.DataFrame(X[0], columns=["temp", "temp"]),
        r"X\[3\] has more than one column named 'temp'",
    ),
}
READERS = [
    (GRURegressor(**FAST), NUMBERS),
    (Seq2SeqClassifier(**FAST), LABELS),
    (SequencePadder(), None),
    (SequenceWise(PolynomialFeatures()), None),
]


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: type(reader[0]).__name__)
@pytest.mark.parametrize("key", NOT_NUMBERS)
def test_what_is_no_number_in_a_frame_is_named_by_place_and_column(key, reader):
    frame, message = NOT_NUMBERS[key]
    frames = [framed(x) for x in X]
    frames[3] = frame
    estimator, y = reader
    with pytest.raises(ValueError, match=message):
        estimator.fit(frames, y)


@pytest.mark.parametrize("key", NOT_NUMBERS)
def test_what_is_no_number_in_a_single_frame_is_named_by_its_column(key):
    frame, message = NOT_NUMBERS[key]
    with pytest.raises(ValueError, match=message.replace(r"X\[3\]", "X")):
        SlidingWindow(1).fit(frame)
    with pytest.raises(ValueError, match=message.replace(r"X\[3\]", "X")):
        GRURegressor(**FAST).fit(frame, np.arange(float(len(frame))))


@pytest.mark.parametrize("key", NOT_NUMBERS)
def test_what_is_no_number_in_a_future_is_named_by_place_and_column(key):
    frame, message = NOT_NUMBERS[key]
    model = Seq2SeqRegressor(**FAST)
    future = [framed(x) for x in X]
    future[3] = frame
    with pytest.raises(ValueError, match=message.replace("X", "future")):
        model.fit(X, TABLE, future=future)


def test_missing_numbers_of_a_series_in_a_list_are_named_by_place():
    X = [pd.Series(row) for row in IDS]
    X[2] = pd.Series([1, None], dtype="Int64")
    with pytest.raises(ValueError, match=r"of which X\[2\] has one in row 1"):
        tokens().fit(X, NUMBERS)


def test_a_lazy_frame_is_refused():
    with pytest.raises(TypeError, match="X is of type LazyFrame"):
        GRURegressor(**FAST).fit(pl.LazyFrame({"a": NUMBERS}), NUMBERS)


ODD_COLUMNS = {
    "decimals": [Decimal(i) for i in range(T)],
    "objects": pd.Series(range(T), dtype=object),
    "bools": [True, False, True, True],
    "categories of numbers": pd.Categorical(range(T)),
    "pyarrow's in pandas": pd.array(range(T), dtype="int64[pyarrow]"),
    "float16": np.arange(T, dtype=np.float16),
}


@pytest.mark.parametrize("key", ODD_COLUMNS)
def test_columns_of_odd_numbers_are_read(key):
    frames = [framed(x, load=ODD_COLUMNS[key]) for x in X]
    expected = SequenceWise(StandardScaler()).fit_transform(
        np.stack([frame.astype(float).to_numpy() for frame in frames])
    )
    found = SequenceWise(StandardScaler()).fit_transform(frames)
    np.testing.assert_array_equal(found, expected)


# Token ids


INTEGERS = ["Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"]
ID_FRAMES = {
    kind: pd.DataFrame(IDS).astype(kind)
    for kind in [*INTEGERS, "int64[pyarrow]", "category", "object", "uint8"]
} | {
    "several": pd.DataFrame(IDS).astype(
        {0: "int64", 1: "uint64", 2: "Int8", 3: "UInt64"}
    ),
    "polars": pl.DataFrame(IDS, schema=list("abcd")),
    "polars' several": pl.DataFrame(
        IDS, schema={"a": pl.Int8, "b": pl.UInt64, "c": pl.Int64, "d": pl.UInt8}
    ),
    "pyarrow": FRAMES["pyarrow"](IDS, "abcd"),
    "a batch": FRAMES["record batch"](IDS, "abcd"),
}
SIZES = ["i8", "u8", "i4", "u1"]
ID_LISTS = {
    "int64 and uint64": [row.astype(SIZES[i % 2]) for i, row in enumerate(IDS)],
    "all sizes": [row.astype(SIZES[i % 4]) for i, row in enumerate(IDS)],
    "nullable": [pd.Series(row, dtype=INTEGERS[i % 8]) for i, row in enumerate(IDS)],
    "extension arrays": [pd.array(row, dtype="Int64") for row in IDS],
    "polars": [pl.Series(row.astype(SIZES[i % 2])) for i, row in enumerate(IDS)],
    "pyarrow": [pa.array(row.astype(SIZES[i % 4])) for i, row in enumerate(IDS)],
    "objects": [row.astype(object) for row in IDS],
    "a table of objects": IDS.astype(object),
    "a Series of lists": pd.Series(IDS.tolist()),
    "polars' lists": pl.Series(IDS.tolist()),
    "pyarrow's lists": pa.array(IDS.tolist()),
    "chunks of lists": pa.chunked_array([IDS.tolist()]),
}


@pytest.mark.parametrize("key", [*ID_FRAMES, *ID_LISTS])
def test_token_ids_of_any_kind_of_integer_are_read(key):
    ids = (ID_FRAMES | ID_LISTS)[key]
    expected = tokens().fit(IDS, NUMBERS).predict(IDS)
    np.testing.assert_array_equal(tokens().fit(ids, NUMBERS).predict(ids), expected)
    answers = Seq2SeqRegressor(**FAST, embedding_dim=2)
    expected = answers.fit(list(IDS), TABLE).predict(list(IDS))
    np.testing.assert_array_equal(answers.fit(ids, TABLE).predict(ids), expected)
    assert answers._tokens


@pytest.mark.parametrize("kind", ["Int8", "Int64", "UInt64", "uint64"])
def test_channels_of_token_ids_come_in_frames(kind):
    dtypes = {"word": "int64", "tag": kind}
    frames = [
        pd.DataFrame(ids, columns=["word", "tag"]).astype(dtypes)
        for ids in TWO_CHANNELS
    ]
    ragged = [frame[: 2 + i % 3] for i, frame in enumerate(frames)]
    arrays = [ids[: 2 + i % 3] for i, ids in enumerate(TWO_CHANNELS)]
    for given, expected in ((frames, TWO_CHANNELS), (ragged, arrays)):
        model = tokens().fit(given, NUMBERS)
        same = tokens().fit(expected, NUMBERS)
        np.testing.assert_array_equal(model.predict(given), same.predict(expected))


@pytest.mark.parametrize("key", ["Int64", "UInt8"])
def test_missing_token_ids_are_named_by_their_column(key):
    frame = pd.DataFrame(IDS, columns=list("abcd")).astype(key)
    frame.loc[4, "c"] = pd.NA
    for estimator in (tokens(), Seq2SeqRegressor(**FAST, embedding_dim=2)):
        with pytest.raises(ValueError, match="column 'c' of X has one in row 4"):
            estimator.fit(frame, NUMBERS)


def test_ids_beyond_int64_stay_integers():
    large = [np.array([1, 2], np.uint64), np.array([1, 2**63], np.uint64)]
    with pytest.raises(ValueError, match=f"X contains {2**63}"):
        tokens().fit([*large, np.array([1, 2])], NUMBERS[:3])


def test_padder_keeps_integers_of_several_types():
    padded = SequencePadder().fit_transform(ID_LISTS["int64 and uint64"])
    assert padded.dtype == np.int64
    assert SequencePadder().fit_transform(ID_LISTS["nullable"]).dtype.kind in "iu"


MIXED_SIGNS = {
    "beyond both": ([2**63 + 5, 7], [-1, -2], "f8"),
    "within int64": ([5, 7], [-1, -2], "i8"),
    "none negative": ([2**63 + 5, 7], [1, 2], "u8"),
}


@pytest.mark.parametrize("key", MIXED_SIGNS)
def test_integers_beside_unsigned_ones_keep_their_sign(key):
    unsigned, signed, dtype = MIXED_SIGNS[key]
    arrays = np.array(unsigned, "u8"), np.array(signed, "i8")
    expected = np.stack([column.astype(dtype) for column in arrays], axis=1)
    columns = dict(zip("ab", arrays, strict=True))
    for frame in (pd.DataFrame(columns), pl.DataFrame(columns), pa.table(columns)):
        windows = SlidingWindow(1).fit_transform(frame)[:, 0]
        unchanged = SequenceWise(FunctionTransformer()).fit_transform([frame] * 2)[0]
        # Windows are of floats.
        np.testing.assert_array_equal(windows, expected)
        np.testing.assert_array_equal(unchanged, expected, strict=True)
    padded = SequencePadder().fit_transform(list(arrays))
    np.testing.assert_array_equal(padded, expected.T, strict=True)


@pytest.mark.filterwarnings("ignore:X holds integers from")
@pytest.mark.filterwarnings("ignore:Feature .* of X has values around")
def test_networks_read_negative_integers_beside_unsigned_ones():
    table = pd.DataFrame({"a": 2**63 + np.arange(N, dtype="u8"), "b": -np.arange(N)})
    model = GRURegressor(**FAST).fit(table, NUMBERS)
    expected = GRURegressor(**FAST).fit(table.astype("f4"), NUMBERS).predict(table)
    np.testing.assert_array_equal(model.predict(table), expected)


@pytest.mark.parametrize("key", ["Int64", "several", "polars", "pyarrow"])
def test_ids_of_a_frame_become_words_again(key):
    sequencer = TextSequencer("char").fit(["a b c d"])
    expected = sequencer.inverse_transform(IDS)
    assert sequencer.inverse_transform(ID_FRAMES[key]) == expected
    nullable = [pd.Series(row, dtype="Int64") for row in IDS]
    assert sequencer.inverse_transform(nullable) == expected


# Texts and symbols


def translator(**params):
    return Seq2SeqClassifier(**FAST, max_length=4, **params)


COLUMNS = {
    library: frame(np.array(TEXTS, dtype=object)[:, None], ["text"])
    for library, frame in FRAMES.items()
} | {
    "array": np.array(TEXTS)[:, None],
    "array of objects": np.array(TEXTS, dtype=object)[:, None],
}


@pytest.mark.parametrize("key", [*COLUMNS, *SERIES])
def test_one_column_of_texts_is_read_as_texts(key):
    texts = COLUMNS[key] if key in COLUMNS else SERIES[key](TEXTS)
    expected = translator().fit(TEXTS, TEXTS)
    found = translator().fit(texts, texts)
    assert found.classes_.tolist() == ["a", "b", "c"]
    assert found.predict(texts).tolist() == expected.predict(TEXTS)
    assert found.score(texts, texts) == expected.score(TEXTS, TEXTS)


@pytest.mark.parametrize("estimator", [Seq2SeqRegressor, Seq2SeqClassifier])
def test_both_pair_estimators_read_one_column_of_texts(estimator):
    y = NUMBERS if estimator is Seq2SeqRegressor else LABELS
    expected = estimator(**FAST).fit(TEXTS, y).predict(TEXTS)
    frame = COLUMNS["pandas"]
    found = estimator(**FAST).fit(frame, y).predict(frame)
    np.testing.assert_array_equal(found, expected)


SYMBOLS = [list(text) for text in TEXTS]


def test_one_symbol_a_sequence_is_still_that_after_a_fit_on_sequences():
    model = translator().fit(np.array(SYMBOLS), TEXTS)
    one = model.predict([["a"], ["b"]])
    assert model.predict(np.array([["a"], ["b"]])) == one


LISTS = {
    "polars": pl.Series(SYMBOLS),
    "pyarrow": pa.array(SYMBOLS),
    "Series in a list": [pl.Series(symbols) for symbols in SYMBOLS],
    "pyarrow in a list": [pa.array(symbols) for symbols in SYMBOLS],
    "a column": pl.DataFrame({"symbols": SYMBOLS}),
}


@pytest.mark.parametrize("key", LISTS)
def test_lists_of_symbols_come_in_any_container(key):
    expected = translator().fit(SYMBOLS, TEXTS).predict(SYMBOLS)
    assert translator().fit(LISTS[key], TEXTS).predict(LISTS[key]) == expected


@every_series
def test_texts_come_in_any_series(series):
    texts = SERIES[series](TEXTS)
    expected = TextSequencer("char").fit_transform(TEXTS)
    found = TextSequencer("char").fit_transform(texts)
    assert [ids.tolist() for ids in found] == [ids.tolist() for ids in expected]
    options = FAST | dict(embedding_dim=2, lookback=4, batch_size=2, epochs=1)
    one, other = (TextGenerator(**options).fit(each) for each in (TEXTS, texts))
    assert one.score(TEXTS) == other.score(texts)


@every_series
def test_words_and_labels_come_in_any_series(series):
    words = SERIES[series](SYMBOLS)
    expected = WordFeaturizer(("word",), min_df=1).fit_transform(SYMBOLS)
    found = WordFeaturizer(("word",), min_df=1).fit_transform(words)
    assert [ids.tolist() for ids in found] == [ids.tolist() for ids in expected]
    assert token_accuracy_score(words, SYMBOLS) == 1


@every_library
def test_readers_of_texts_ask_for_a_column(library):
    frame = COLUMNS[library]
    with pytest.raises(ValueError, match="Choose a column of texts"):
        TextSequencer().fit(frame)
    with pytest.raises(ValueError, match="pass one column"):
        TextGenerator().fit(frame)
    with pytest.raises(ValueError, match="Choose a column of sequences"):
        WordFeaturizer().fit(frame)


@every_library
def test_tables_of_labels_are_scored(library):
    labels = FRAMES[library](IDS, "abcd")
    assert token_accuracy_score(labels, IDS) == 1


# Targets


@every_series
def test_targets_come_in_any_series(series):
    plain_weights = np.arange(1.0, N + 1)
    weights = SERIES[series](plain_weights.tolist())
    numbers, labels = SERIES[series](NUMBERS.tolist()), SERIES[series](LABELS.tolist())
    model = GRURegressor(**FAST).fit(X, numbers, weights)
    same = GRURegressor(**FAST).fit(X, NUMBERS, plain_weights)
    assert type(model.predict(X)) is np.ndarray
    np.testing.assert_array_equal(model.predict(X), same.predict(X))
    expected = same.score(X, NUMBERS, plain_weights)
    assert model.score(X, numbers, weights) == expected
    classifier = GRUClassifier(**FAST).fit(X, labels)
    assert classifier.score(X, labels) == GRUClassifier(**FAST).fit(X, LABELS).score(
        X, LABELS
    )


@every_series
def test_targets_of_every_step_come_in_any_series(series):
    steps, tags = SERIES[series](TABLE.tolist()), SERIES[series](IDS.tolist())
    for model, given, plain in [
        (GRURegressor(**FAST, return_sequences=True), steps, TABLE),
        (GRUClassifier(**FAST, return_sequences=True), tags, IDS),
        (Seq2SeqRegressor(**FAST), steps, TABLE),
    ]:
        expected = model.fit(X, plain).score(X, plain)
        assert model.fit(X, given).score(X, given) == expected


@every_library
def test_targets_of_every_step_come_in_any_frame(library):
    for model, plain in [
        (GRURegressor(**FAST, return_sequences=True), TABLE),
        (GRUClassifier(**FAST, return_sequences=True), IDS),
        (Seq2SeqRegressor(**FAST), TABLE),
        (Seq2SeqClassifier(**FAST), IDS),
    ]:
        frame = FRAMES[library](plain, "abcd")
        expected = model.fit(X, plain).score(X, plain)
        assert model.fit(X, frame).score(X, frame) == expected
        assert type(model.predict(X)) is np.ndarray
