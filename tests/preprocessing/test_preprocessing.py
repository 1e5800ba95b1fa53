import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)
from sklearn.utils import get_tags
from sklearn.utils._param_validation import InvalidParameterError

from skrnn import GRURegressor
from skrnn._data.windows import recognise_windows, sliding_windows
from skrnn.preprocessing import (
    SequencePadder,
    SequenceWise,
    SlidingWindow,
    from_channels_first,
    make_supervised,
)

TRANSFORMERS = [
    SlidingWindow(lookback=2),
    SequencePadder(),
    SequencePadder(maxlen=3, padding="pre"),
    SequenceWise(StandardScaler()),
]

SEQUENCES = {
    "2-D": np.arange(12.0).reshape(3, 4),
    "3-D": np.arange(24.0).reshape(3, 4, 2),
    "windows": sliding_windows(np.arange(24.0).reshape(12, 2), 3, 2),
    "ragged": [np.arange(6.0).reshape(3, 2), np.arange(2.0).reshape(1, 2)],
    "ragged, univariate": [np.arange(3.0), np.arange(4.0)],
    "ragged lists": [[1.0, 2.0, 3.0], [4.0]],
}
SERIES = np.arange(40.0).reshape(20, 2)
CASES = [(TRANSFORMERS[0], SERIES)]
CASES += [(each, X) for each in TRANSFORMERS[1:] for X in SEQUENCES.values()]


def assert_same(actual, expected):
    assert type(actual) is type(expected)
    if isinstance(expected, np.ndarray) and expected.dtype == object:
        for one, other in zip(actual, expected, strict=True):
            np.testing.assert_allclose(one, other)
    else:
        np.testing.assert_allclose(actual, expected)


@pytest.mark.parametrize(("transformer", "X"), CASES)
def test_pickle_and_clone_transform_alike(transformer, X):
    fitted = clone(transformer).fit(X)
    expected = fitted.transform(X)
    assert_same(pickle.loads(pickle.dumps(fitted)).transform(X), expected)
    assert_same(clone(fitted).fit_transform(X), expected)


@pytest.mark.parametrize("container", ["default", "pandas", "polars"])
@pytest.mark.parametrize(("transformer", "X"), CASES)
def test_set_output_never_breaks(container, transformer, X):
    if container == "polars":
        pytest.importorskip("polars")
    expected = clone(transformer).fit_transform(X)
    pipeline = make_pipeline(clone(transformer)).set_output(transform=container)
    result = pipeline.fit_transform(X)
    # After fit as before.
    pipeline.set_output(transform=container)
    with sklearn.config_context(transform_output=container):
        other = clone(transformer).fit_transform(X)
    is_table = expected.ndim == 2
    assert isinstance(result, pd.DataFrame) == (container == "pandas" and is_table)
    assert type(result) is type(other)
    assert_same(np.asarray(result), expected)


def test_columns_of_a_frame_keep_their_names_and_index():
    frame = pd.DataFrame(SEQUENCES["2-D"], columns=list("abcd"), index=list("xyz"))
    scaler = SequenceWise(StandardScaler()).set_output(transform="pandas")
    scaled = scaler.fit_transform(frame)
    assert scaled.columns.tolist() == scaler.get_feature_names_out().tolist()
    assert scaled.columns.tolist() == list("abcd")
    assert scaled.index.tolist() == list("xyz")
    pd.testing.assert_frame_equal(clone(scaler).fit_transform(frame), scaled)
    np.testing.assert_allclose(scaler.inverse_transform(scaled), frame)


# SequencePadder


def test_padder_learns_the_longest_and_cuts_what_is_longer():
    padder = SequencePadder(padding="pre", value=-1).fit([[1, 2], [3]])
    assert padder.maxlen_ == 2
    padded = padder.transform([[4], [5, 6, 7]])
    assert padded.tolist() == [[-1, 4], [6, 7]]
    assert padded.dtype == int


@pytest.mark.parametrize("X", SEQUENCES.values(), ids=SEQUENCES)
@pytest.mark.parametrize("maxlen", [None, 2, 7])
def test_padder_pads_every_form(X, maxlen):
    padder = SequencePadder(maxlen, truncating="post", value=0.5)
    padded = padder.fit_transform(X)
    assert padder.maxlen_ == (maxlen or max(map(len, X)))
    for sequence, row in zip(X, padded, strict=True):
        kept = np.array(sequence)[:maxlen]
        np.testing.assert_array_equal(row[: len(kept)], kept)
        assert (row[len(kept) :] == 0.5).all()
        assert len(row) == padder.maxlen_


def test_windows_that_need_no_padding_stay_a_view():
    windows = SlidingWindow(5).fit_transform(SERIES)
    padded = SequencePadder(3).fit_transform(windows)
    assert np.shares_memory(padded, windows)
    np.testing.assert_array_equal(padded, windows[:, 2:])


@pytest.mark.parametrize("value", [0.5, -1, 256])
def test_integers_are_filled_with_integers(value):
    tokens = [np.array([1, 2], dtype=np.uint8), np.array([3], dtype=np.uint8)]
    with pytest.raises(ValueError, match=f"value={value} can't fill X.*from 0 to 255"):
        SequencePadder(value=value).fit(tokens)


# SequenceWise


def rows_of(X):
    if X is SEQUENCES["windows"]:
        return recognise_windows(X)[0]
    return np.concatenate([np.reshape(x, (len(x), -1)) for x in X])


@pytest.mark.parametrize("X", SEQUENCES.values(), ids=SEQUENCES)
def test_every_step_is_transformed_as_a_row(X):
    scaler = SequenceWise(StandardScaler())
    scaled = scaler.fit_transform(X)
    inner = StandardScaler().fit(rows_of(X))
    for sequence, result in zip(X, scaled, strict=True):
        assert np.shape(sequence) == result.shape
        steps = np.reshape(sequence, (len(sequence), -1))
        expected = inner.transform(steps).reshape(result.shape)
        np.testing.assert_allclose(result, expected)
    assert (scaled.dtype == object) == isinstance(X, list)


@given(data=st.data(), univariate=st.booleans(), as_list=st.booleans())
def test_inverse_transform_undoes_transform(data, univariate, as_list):
    lengths = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    rng = np.random.default_rng(len(lengths))
    if not as_list:
        lengths = [max(lengths)] * len(lengths)
    X = [rng.normal(3, 2, size=(n,) if univariate else (n, 2)) for n in lengths]
    X = X if as_list else np.array(X)
    scaler = SequenceWise(MinMaxScaler()).fit(X)
    again = scaler.inverse_transform(scaler.transform(X))
    for sequence, other in zip(X, again, strict=True):
        assert sequence.shape == other.shape
        np.testing.assert_allclose(other, sequence)


def test_windows_are_transformed_once_and_stay_a_view():
    windows = SlidingWindow(100, sampling_rate=2).fit_transform(
        SERIES.repeat(50, axis=0)
    )
    scaler = SequenceWise(StandardScaler()).fit(windows)
    scaled = scaler.transform(windows)
    series, step = recognise_windows(scaled)
    assert (series.shape, step) == ((1198, 2), 2)
    assert scaled.base.nbytes == series.nbytes
    np.testing.assert_allclose(scaled, scaler.transform(windows.copy()))
    # Each row of the padded series has counted once.
    np.testing.assert_allclose(scaler.transformer_.mean_, windows.base.mean(axis=0))
    inverse = scaler.inverse_transform(scaled)
    assert recognise_windows(inverse) is not None
    np.testing.assert_allclose(inverse, windows, atol=1e-9)


def test_transformers_that_change_the_number_of_features():
    wider = SequenceWise(PolynomialFeatures(2))
    assert wider.fit_transform(SEQUENCES["3-D"]).shape == (3, 4, 6)
    assert wider.get_feature_names_out()[-1] == "x1^2"
    assert wider.fit_transform(SEQUENCES["ragged"])[1].shape == (1, 6)
    tokens = np.array([[1, 2], [3, 1]])
    encoder = SequenceWise(OneHotEncoder())
    encoded = encoder.fit_transform(tokens)
    assert encoded.shape == (2, 2, 3)
    np.testing.assert_array_equal(encoder.inverse_transform(encoded), tokens)


def test_inverse_transform_exists_only_where_the_transformer_has_one():
    assert hasattr(SequenceWise(StandardScaler()), "inverse_transform")
    assert not hasattr(SequenceWise(PolynomialFeatures()), "inverse_transform")


# make_supervised and from_channels_first


def test_pandas_objects_stay_pandas():
    index = pd.date_range("2024", periods=6)
    frame = pd.DataFrame({"a": range(6), "b": list("uvwxyz")}, index=index)
    X, y = make_supervised(frame, target="b")
    pd.testing.assert_frame_equal(X, frame.iloc[:5])
    expected = pd.Series(list("vwxyz"), index=index[:5], name="b(t+1)")
    pd.testing.assert_series_equal(y, expected)
    _, y = make_supervised(frame, target=["a"], horizon=2, gap=1)
    assert y.columns.tolist() == ["a(t+2)", "a(t+3)"]
    _, y = make_supervised(frame)
    assert y.columns.tolist() == ["a(t+1)", "b(t+1)"]
    _, y = make_supervised(frame, horizon=2)
    assert y.shape == (4, 2, 2)
    X, y = make_supervised(frame["a"])
    assert (X.columns.tolist(), y.name) == (["a"], "a(t+1)")
    X, y = make_supervised(pd.Series([1.0, 2.0, 3.0]))
    assert (X.columns.tolist(), y.name) == (["x0"], "x0(t+1)")


def test_rows_are_a_view_and_futures_are_not():
    X, y = make_supervised(SERIES, horizon=3)
    assert np.shares_memory(X, SERIES)
    assert not np.shares_memory(y, SERIES)
    assert y.flags.writeable


def test_time_comes_before_the_features():
    X = np.arange(24).reshape(2, 3, 4)
    turned = from_channels_first(X)
    assert np.shares_memory(turned, X)
    np.testing.assert_array_equal(turned[1, 2], X[1, :, 2])
    ragged = [np.ones((3, 2)), np.zeros((3, 4))]
    expected = [(2, 3), (4, 3)]
    assert [x.shape for x in from_channels_first(ragged)] == expected
    array = np.empty(2, dtype=object)
    array[:] = ragged
    turned = from_channels_first(array)
    assert turned.dtype == object
    assert [x.shape for x in turned] == expected
    assert np.shares_memory(turned[0], ragged[0])
    assert from_channels_first(X.tolist())[0].shape == (4, 3)


# What is refused

TWO_DAYS = pd.DataFrame({"a": [2, 1]}, pd.to_datetime(["2024-01-02", "2024-01-01"]))
FRAME = pd.DataFrame({"a": range(9), "b": range(9)})

BAD_PARAMETERS = [
    (SlidingWindow, "lookback", [0, -1, 2.0, True, "3", None]),
    (SlidingWindow, "sampling_rate", [0, 1.5, True]),
    (SlidingWindow, "warmup", ["carryy", None]),
    (SlidingWindow, "fill", ["mean", np.nan, np.inf, True, None]),
    (SequencePadder, "maxlen", [0, 2.0, True]),
    (SequencePadder, "padding", ["left"]),
    (SequencePadder, "truncating", [None]),
    (SequencePadder, "value", [np.nan, "0", False]),
    (SequenceWise, "transformer", [None, "passthrough"]),
]


@pytest.mark.parametrize(("transformer", "name", "values"), BAD_PARAMETERS)
def test_a_bad_parameter_is_named(transformer, name, values):
    for value in values:
        message = f"The '{name}' parameter of {transformer.__name__} must be"
        with pytest.raises(InvalidParameterError, match=message) as error:
            transformer(**{name: value}).fit(SERIES)
        assert f"Got {value!r} instead" in str(error.value)


class DropsRows(StandardScaler):
    def transform(self, X):
        return X[::2] if len(X) > 1 else X


class FailsBelowTwoRows(StandardScaler):
    def fit(self, X, y=None):
        if len(X) < 2:
            raise ValueError("FailsBelowTwoRows got one row")
        return super().fit(X)


SERIES_OF_30 = np.zeros((30, 1))
BAD_FIT = [
    (SlidingWindow(50), SERIES_OF_30, "lookback=50 needs at least 50 rows but .* n=30"),
    (SlidingWindow(4, sampling_rate=10), SERIES_OF_30, "sampling_rate=10 .* 31 rows"),
    (SlidingWindow(2), SERIES[:, 0], "Reshape your data"),
    (SlidingWindow(2), [1.0, 2.0, 3.0], "Reshape your data"),
    (SlidingWindow(2), SERIES[None], "X .* holds sequences .* already"),
    (SlidingWindow(2), [[1.0], [np.nan]], "Input X contains NaN"),
    (SlidingWindow(2), [[1.0], [np.inf]], "Input X contains infinity"),
    (SlidingWindow(2), [["a"], ["b"]], "could not convert string to float"),
    (SlidingWindow(2), TWO_DAYS, "DatetimeIndex of X is not in time order"),
    (SlidingWindow(2), TWO_DAYS.iloc[[0, 0]], "X has 2024-01-02 .* more than once"),
    (SequencePadder(), [[1.0, np.nan], [2.0]], "Input X contains NaN"),
    (SequencePadder(), [np.ones((2, 1)), np.ones((2, 2))], "same number of features"),
    (SequencePadder(), np.ones((2, 2, 2, 2)), "dim 4"),
    (SequenceWise(StandardScaler()), [[1.0, np.inf], [2.0]], "Input X contains inf"),
    (SequenceWise(PolynomialFeatures()), [[1.0, np.nan], [2.0]], "Input X contains N"),
    (SequenceWise(StandardScaler()), [], "Expected 2D array|minimum of 1"),
    (SequenceWise(FailsBelowTwoRows()), [[1.0]], "FailsBelowTwoRows got one row"),
]


@pytest.mark.parametrize(("transformer", "X", "message"), BAD_FIT)
def test_a_bad_fit_says_why_and_keeps_the_earlier_one(transformer, X, message):
    transformer = clone(transformer).fit(np.ones((60, 2)))
    before = dict(vars(transformer))
    with pytest.raises(ValueError, match=message):
        transformer.fit(X)
    assert vars(transformer).keys() == before.keys()
    assert all(value is before[name] for name, value in vars(transformer).items())


BAD_TRANSFORM = [
    (SlidingWindow(2), np.ones((3, 1)), "X has 1 features, but SlidingWindow is exp"),
    (SlidingWindow(2), [[1.0, np.nan]], "Input X contains NaN"),
    (SlidingWindow(2), np.empty((0, 2)), "0 sample"),
    (SequencePadder(), np.ones((3, 1)), "X has 1 features, but SequencePadder is exp"),
    (SequencePadder(value=0.5), np.ones((3, 2), dtype=int), "value=0.5 can't fill X"),
    (SequenceWise(StandardScaler()), np.ones((3, 1)), "X has 1 features"),
    (SequenceWise(StandardScaler()), np.ones((3, 4, 2)), "expecting 1 features"),
    (SequenceWise(DropsRows()), SERIES, "DropsRows returned an array of shape"),
]


@pytest.mark.parametrize(("transformer", "X", "message"), BAD_TRANSFORM)
def test_a_bad_transform_says_why(transformer, X, message):
    with pytest.raises(ValueError, match=message):
        clone(transformer).fit(SERIES).transform(X)


def test_inverse_transform_refuses_another_number_of_features():
    scaler = SequenceWise(StandardScaler()).fit(SEQUENCES["3-D"])
    with pytest.raises(ValueError, match="X has 1 features, but SequenceWise is"):
        scaler.inverse_transform(SEQUENCES["2-D"])


BAD_SUPERVISED = [
    (SERIES, {"horizon": 0}, "'horizon' parameter of make_supervised .* Got 0"),
    (SERIES, {"horizon": 1.5}, "'horizon' parameter .* Got 1.5"),
    (SERIES, {"horizon": True}, "'horizon' parameter .* Got True"),
    (SERIES, {"gap": -1}, "'gap' parameter .* Got -1"),
    (SERIES, {"gap": False}, "'gap' parameter .* Got False"),
    (SERIES, {"horizon": 15, "gap": 5}, "at least 21 rows, but series has n=20"),
    (SERIES, {"target": 2}, "target=2 is not one column of series"),
    (SERIES, {"target": "a"}, "target='a' is not one column .* without names"),
    (SERIES, {"target": 1.0}, "target=1.0 is not one column"),
    (SERIES, {"target": True}, "target=True is not one column"),
    (SERIES, {"target": []}, r"target=\[\] is invalid"),
    (SERIES, {"target": [0, -2]}, r"target=\[0, -2\] is invalid.*none of them twice"),
    (FRAME, {"target": "c"}, r"target='c' is not one column .* named \['a', 'b'\]"),
    (FRAME, {"target": ["a", "a"]}, "none of them twice"),
    (SERIES[None], {}, r"series has shape \(1, 20, 2\)"),
    (3, {}, "'series' parameter of make_supervised must be an array-like"),
]


@pytest.mark.parametrize(("series", "options", "message"), BAD_SUPERVISED)
def test_make_supervised_says_what_it_refuses(series, options, message):
    with pytest.raises(ValueError, match=message):
        make_supervised(series, **options)


BAD_CHANNELS = [
    (np.ones((3, 4)), r"X has shape \(3, 4\)"),
    (np.ones((3, 4, 5, 6)), r"X has shape \(3, 4, 5, 6\)"),
    ([np.ones(3)], r"X\[0\] has shape \(3,\)"),
    ([np.ones((2, 3)), np.ones((3, 3))], r"X\[1\] has 3 features, but X\[0\] has 2"),
    ([[[1, 2], [3]]], r"X\[0\] is not rectangular"),
]


@pytest.mark.parametrize(("X", "message"), BAD_CHANNELS)
def test_from_channels_first_says_what_it_refuses(X, message):
    with pytest.raises(ValueError, match=message):
        from_channels_first(X)


def test_windows_refuse_times():
    times = np.arange(4).astype("M8[D]")[:, None]
    with pytest.raises(ValueError, match="SlidingWindow expects numbers"):
        SlidingWindow(2).fit(times)


@pytest.mark.parametrize(
    "inner",
    [
        SimpleImputer(),
        make_pipeline(SimpleImputer(), MinMaxScaler()),
        FunctionTransformer(np.nan_to_num),
    ],
    ids=["imputer", "pipeline", "function"],
)
@pytest.mark.parametrize("form", [np.array, list, "frames", "table"])
def test_missing_values_reach_a_transformer_that_reads_them(inner, form):
    rows = np.array([[0.0, 5.0], [4.0, np.nan], [np.nan, 1.0], [8.0, 3.0]])
    X = {
        "frames": lambda: [pd.DataFrame(rows[:3, None][i]) for i in range(3)],
        "table": lambda: pd.DataFrame(rows),
        list: lambda: [rows[:1], rows[1:]],
        np.array: lambda: rows.reshape(2, 2, 2),
    }[form]()
    steps = {"frames": rows[:3], "table": rows.reshape(-1, 1)}.get(form, rows)
    found = SequenceWise(inner).fit_transform(X)
    flat = np.concatenate([np.asarray(each).ravel() for each in np.asarray(found)])
    expected = clone(inner).fit_transform(steps).ravel()
    np.testing.assert_array_equal(flat, expected)
    assert get_tags(SequenceWise(inner)).input_tags.allow_nan


def test_a_network_still_refuses_what_a_scaler_lets_through():
    X = np.ones((4, 2, 1))
    X[1, 1] = np.nan
    model = make_pipeline(SequenceWise(StandardScaler()), GRURegressor(epochs=1))
    with pytest.raises(ValueError, match="GRURegressor does not accept missing"):
        model.fit(X, np.ones(4))


def test_a_length_that_no_array_has_is_refused_at_once():
    padder = SequencePadder(maxlen=2**70).fit(np.ones((2, 1)))
    for call in (padder.get_feature_names_out, lambda: padder.transform([[1.0]])):
        with pytest.raises(ValueError, match="maxlen=1180591620717411303424 is more"):
            call()
