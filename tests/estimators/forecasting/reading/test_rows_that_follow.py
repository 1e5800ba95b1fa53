"""Rows that follow those of fit: to be forecast, and to be appended."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal, assert_index_equal, assert_series_equal

from skrnn._estimators.forecasting.reading.answers import (
    as_answer,
    index_ahead,
    index_of_rows,
    labels_ahead,
)
from skrnn._estimators.forecasting.reading.columns import FeatureOptions
from skrnn._estimators.forecasting.reading.later import (
    ahead_of,
    read_ahead,
    read_history,
    read_more,
)
from skrnn._estimators.forecasting.reading.panels import read_panel

DAYS = pd.date_range("2024-01-01", periods=40, name="day")
TABLE = pd.DataFrame(
    {
        "price": np.arange(40.0) ** 2,
        "visits": np.arange(40.0)[::-1],
        "weather": ["sun", "rain", "snow", "sun"] * 10,
        "open": [True, False] * 20,
    },
    index=DAYS,
)
SALES = pd.Series(np.sin(np.arange(40.0)), index=DAYS, name="sales")


def fitted(X=TABLE, y=SALES, groups=None, *, n=30, **options):
    X = X[:n] if X is not None else None
    groups = groups[:n] if isinstance(groups, np.ndarray) else groups
    return read_panel(X, y[:n], groups, FeatureOptions(**options))


# Rows to forecast


def test_channels_of_later_rows_are_made_as_those_of_fit():
    panel, columns = fitted()
    ahead = read_ahead(TABLE[30:], None, panel, columns)
    assert_array_equal(ahead.series, [0])
    assert_array_equal(ahead.lengths, [10])
    assert_array_equal(ahead.order, np.arange(10))
    names = columns.known_names
    price = TABLE["price"]
    expected = (price - price[:30].mean()) / price[:30].std(ddof=0)
    assert_allclose(ahead.known[:, 0], expected[30:], rtol=1e-6)
    rain = names.index("weather=rain")
    assert_array_equal(ahead.known[:, rain], TABLE["weather"][30:] == "rain")
    assert_array_equal(ahead.known[:, names.index("open")], TABLE["open"][30:])


def test_columns_known_up_to_now_are_not_needed():
    panel, columns = fitted(past_features=["visits"])
    with_all = read_ahead(TABLE[30:], None, panel, columns)
    without = read_ahead(TABLE[30:].drop(columns="visits"), None, panel, columns)
    assert_array_equal(with_all.known, without.known)
    missing = TABLE[30:].assign(visits=np.nan)
    assert_array_equal(read_ahead(missing, None, panel, columns).known, without.known)
    assert columns.past_names == ("visits",)
    assert panel.past.shape == (30, 1)


def test_an_index_is_enough_if_no_column_is_known_ahead():
    panel, columns = fitted(TABLE[["visits"]], past_features="visits")
    ahead = read_ahead(DAYS[30:], None, panel, columns)
    assert_array_equal(ahead.lengths, [10])


def test_columns_that_no_parameter_names_are_not_used():
    panel, columns = fitted(future_features=["price"])
    assert [feature.label for feature in columns.future] == ["price"]
    read_ahead(TABLE[["price"]][30:], None, panel, columns)


def test_an_unknown_category_is_none_of_those_known():
    panel, columns = fitted(TABLE[["weather"]], calendar=None)
    X = TABLE[["weather"]][30:].replace("sun", "hail")
    message = r"unknown categories \['hail'\] in column 'weather' of X"
    with pytest.warns(UserWarning, match=message):
        ahead = read_ahead(X, None, panel, columns)
    hail = (X["weather"] == "hail").to_numpy()
    assert_array_equal(ahead.known.sum(axis=1), ~hail)


def test_rows_without_labels_are_assumed_to_follow():
    numbers = TABLE[["price"]]
    panel, columns = fitted(numbers)
    expected = read_ahead(numbers[30:], None, panel, columns)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        ahead = read_ahead(numbers[30:].to_numpy(), None, panel, columns)
    # Calendar features come from the labels that they must have.
    assert_array_equal(ahead.known, expected.known)


def test_rows_follow_after_the_gap():
    panel, columns = fitted(gap=3)
    ahead = read_ahead(TABLE[33:], None, panel, columns)
    assert_index_equal(index_ahead(panel, columns, ahead), DAYS[33:])
    with pytest.raises(ValueError, match="expected 2024-02-03, 3 rows after it"):
        read_ahead(TABLE[30:], None, panel, columns)


def in_two_shops(n=40):
    """Return a panel whose rows are ordered by day."""
    half = n // 2
    return pd.DataFrame(
        {
            "shop": ["b", "a"] * half,
            "size": [2.0, 1.0] * half,
            "price": np.arange(float(n)),
        },
        index=DAYS[:half].repeat(2),
    )


def test_answers_are_in_the_order_of_rows():
    X = in_two_shops()
    y = np.arange(40.0)
    panel, columns = read_panel(
        X[:30], y[:30], "shop", FeatureOptions(static_features=["size"])
    )
    later = X[30:].drop(columns="size")
    ahead = read_ahead(later, None, panel, columns)
    assert_array_equal(ahead.lengths, [5, 5])
    price = ahead.known[:, columns.known_names.index("price")][ahead.order]
    assert (np.diff(price) > 0).all()
    sizes = ahead.known[:, -columns.n_static :][ahead.order]
    assert_allclose(sizes.ravel(), [1, -1] * 5)


def test_some_of_the_series_may_be_asked_for():
    X = in_two_shops()
    panel, columns = read_panel(X[:30], np.arange(30.0), "shop", FeatureOptions())
    ahead = read_ahead(X[30:].query("shop == 'a'"), None, panel, columns)
    assert_array_equal(ahead.series, [1])


def test_steps_ahead_need_no_x_if_nothing_is_known_ahead():
    panel, columns = fitted(TABLE[["visits"]], past_features=["visits"])
    ahead = ahead_of(4, panel, columns)
    expected = read_ahead(TABLE[["visits"]][30:34], None, panel, columns)
    assert_array_equal(ahead.known, expected.known)
    assert_array_equal(ahead.lengths, [4])


def test_steps_ahead_take_the_first_rows_of_x():
    panel, columns = fitted()
    ahead = ahead_of(4, panel, columns, TABLE[30:])
    expected = read_ahead(TABLE[30:34], None, panel, columns)
    assert_array_equal(ahead.known, expected.known)


def test_steps_ahead_of_a_panel_are_in_its_order():
    X = in_two_shops()
    panel, columns = read_panel(X[:30], np.arange(30.0), "shop", FeatureOptions())
    later = X[30:].sort_values(["shop", "price"])
    ahead = ahead_of(3, panel, columns, later)
    assert_array_equal(ahead.series, [0, 1])
    prices = ahead.known[:, columns.known_names.index("price")]
    assert (np.diff(prices.reshape(2, 3)) > 0).all()
    assert prices[0] < prices[3]
    index = index_ahead(panel, columns, ahead)
    assert index.names == ["shop", "day"]
    assert index.tolist() == [(shop, day) for shop in "ba" for day in DAYS[15:18]]


# Missing values of columns


def test_missing_values_are_filled_by_the_last_or_the_mean():
    X = TABLE[["price", "weather", "open"]].astype({"open": "boolean"})
    X.iloc[[0, 5, 30, 31]] = None
    panel, columns = fitted(X, impute="last", calendar=None)
    ahead = read_ahead(X[30:], None, panel, columns)
    assert_array_equal(panel.known[5], panel.known[4])
    assert_array_equal(ahead.known[:2], panel.known[[29, 29]])
    # There is no last value before the first row.
    mean_open = X["open"][:30].astype(float).mean()
    assert_allclose(panel.known[0], [0, 0, 0, 0, mean_open], atol=1e-6)
    panel, columns = fitted(X, impute="mean", calendar=None)
    ahead = read_ahead(X[30:], None, panel, columns)
    for row in (panel.known[0], panel.known[5], *ahead.known[:2]):
        assert_allclose(row, [0, 0, 0, 0, mean_open], atol=1e-6)


def test_the_last_value_is_never_that_of_another_series():
    X = in_two_shops()[["shop", "price"]].sort_values("shop", kind="stable")
    X.iloc[20, 1] = np.nan
    panel, columns = read_panel(
        X, np.arange(40.0), "shop", FeatureOptions(impute="last", calendar=None)
    )
    assert panel.known[20, 0] == 0
    assert columns.future[0].label == "price"


# Rows to append


@settings(max_examples=40)
@given(data=st.data())
def test_rows_appended_are_as_if_all_had_been_there(data):
    lengths = data.draw(st.lists(st.integers(4, 9), min_size=1, max_size=4))
    cuts = [data.draw(st.integers(2, length)) for length in lengths]
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    rows = [
        (i, day, day < DAYS[cut])
        for i, (length, cut) in enumerate(zip(lengths, cuts, strict=True))
        for day in DAYS[:length]
    ]
    if data.draw(st.booleans()):
        rng.shuffle(rows)
        rows.sort(key=lambda row: row[1])
    index = pd.MultiIndex.from_tuples([row[:2] for row in rows], names=["id", "day"])
    early = np.array([row[2] for row in rows])
    X = pd.DataFrame({"x": rng.normal(size=len(rows))}, index=index)
    y = pd.Series(rng.normal(size=len(rows)), index=index)
    panel, columns = read_panel(X[early], y[early], None, FeatureOptions())
    if early.all():
        return
    more = read_more(X[~early], y[~early], None, panel, columns)
    whole, _ = read_panel(
        pd.concat([X[early], X[~early]]),
        pd.concat([y[early], y[~early]]),
        None,
        FeatureOptions(),
    )
    assert more.keys == whole.keys
    assert_array_equal(more.y, whole.y)
    assert_array_equal(more.lengths, whole.lengths)
    assert_index_equal(more.labels.index, whole.labels.index)
    assert_allclose(
        np.corrcoef(more.known[:, 0], whole.known[:, 0])[0, 1], 1, rtol=1e-6
    )
    places = [
        np.arange(len(y)) if p.places is None else p.places for p in (more, whole)
    ]
    assert_array_equal(*places)


def test_a_new_series_begins_with_its_first_value():
    panel, columns = read_panel(
        None,
        pd.concat({"a": SALES[:10]}),
        None,
        FeatureOptions(),
    )
    new = pd.concat({"z": SALES[:8].mask(np.arange(8) < 3), "a": SALES[10:12] * np.nan})
    more = read_more(None, new, None, panel, columns)
    assert more.keys == ["a", "z"]
    assert_array_equal(more.lengths, [12, 5])
    assert np.isnan(more.y[10:12]).all()
    assert_array_equal(more.places[10:], [-1, -1, -1, *range(12, 17), 10, 11])


def test_appended_rows_without_labels_get_them():
    panel, columns = fitted(None)
    more = read_more(None, SALES[30:].to_numpy(), None, panel, columns)
    assert more.labels.index.equals(DAYS)
    whole, _ = read_panel(None, SALES, None, FeatureOptions())
    assert_array_equal(more.known, whole.known)


def test_rows_counted_over_all_series_may_be_appended():
    X = in_two_shops().reset_index(drop=True)
    y = np.arange(40.0)
    panel, columns = read_panel(X[:30], y[:30], "shop", FeatureOptions())
    more = read_more(X[30:], y[30:], None, panel, columns)
    assert_array_equal(more.y.ravel(), [*range(0, 40, 2), *range(1, 40, 2)])
    with pytest.raises(ValueError, match="must follow"):
        read_ahead(X[20:], None, panel, columns)


# Series that weren't in fit


def test_a_history_is_read_as_fit_reads():
    panel, columns = fitted(calendar=None)
    other = pd.concat({"new": TABLE[:20], "other": TABLE[:10]})
    history = read_history((other, np.arange(30.0)), columns)
    assert history.keys == ["new", "other"]
    assert_array_equal(history.lengths, [20, 10])
    assert_array_equal(history.known[:20], panel.known[:20])


def test_a_history_is_y_alone_if_fit_had_no_columns():
    _, columns = fitted(None)
    for y in (SALES[:9], pd.concat({"new": SALES[:9]})):
        assert_array_equal(read_history(y, columns).lengths, [9])
    _, columns = read_panel(None, np.arange(5.0), None, FeatureOptions())
    assert_array_equal(read_history([1.0, 2.0], columns).y, [[1], [2]])


# Answers


def test_forecasts_have_the_name_and_the_dates_that_follow():
    panel, columns = fitted(None)
    ahead = ahead_of(10, panel, columns)
    index = index_ahead(panel, columns, ahead)
    answer = as_answer(SALES[30:].to_numpy(), index, columns)
    assert_series_equal(answer, SALES[30:])
    assert_index_equal(labels_ahead(panel, columns, 0, 10), DAYS[30:])
    assert_index_equal(index_of_rows(panel, columns), DAYS[:30])


def test_without_an_index_rows_are_counted_on():
    panel, columns = read_panel(None, [np.nan, 1.0, 2.0], None, FeatureOptions(gap=2))
    index = index_ahead(panel, columns, ahead_of(4, panel, columns))
    assert_index_equal(index, pd.RangeIndex(5, 9))


def test_forecasts_of_several_targets_are_a_frame():
    y = pd.DataFrame({"u": SALES, "v": -SALES})
    panel, columns = fitted(None, y)
    index = index_ahead(panel, columns, ahead_of(10, panel, columns))
    made = as_answer(y[30:].to_numpy(), index, columns)
    assert_frame_equal(made, y[30:])
    quantiles = np.zeros((10, 2, 3))
    made = as_answer(quantiles, index, columns, names=[0.1, 0.5, 0.9])
    assert made.columns.tolist() == [(k, q) for k in "uv" for q in (0.1, 0.5, 0.9)]


def test_series_of_two_names_keep_both():
    y = pd.concat({("x", 1): SALES, ("x", 2): SALES}, names=["shop", "item"])
    panel, columns = read_panel(None, y, None, FeatureOptions())
    index = index_ahead(panel, columns, ahead_of(2, panel, columns))
    assert index.names == ["shop", "item", "day"]
    assert index.droplevel("day").unique().tolist() == [("x", 1), ("x", 2)]
    assert_index_equal(index_of_rows(panel, columns), y.index)


def test_a_column_of_times_in_polars_is_the_index():
    frame = pl.DataFrame(
        {"ds": DAYS.to_pydatetime(), "price": TABLE["price"].to_numpy()}
    )
    panel, columns = read_panel(
        frame[:30], pl.Series("s", SALES[:30].to_numpy()), None, FeatureOptions()
    )
    ahead = read_ahead(frame[30:], None, panel, columns)
    made = as_answer(np.zeros(10), index_ahead(panel, columns, ahead), columns)
    assert_index_equal(made.index, DAYS[30:].rename("ds"), exact=False)
    assert made.name == "s"
    with pytest.raises(ValueError, match="must follow"):
        read_ahead(frame[31:], None, panel, columns)
    # The times may be left out: they are known.
    assert_array_equal(
        read_ahead(frame[30:].drop("ds"), None, panel, columns).known, ahead.known
    )


def test_a_new_series_has_no_last_value_of_another():
    X = TABLE[["price"]]
    panel, columns = read_panel(
        pd.concat({"a": X[:10]}),
        SALES[:10].to_numpy(),
        None,
        FeatureOptions(impute="last", calendar=None),
    )
    new = pd.concat({"a": X[10:12] * np.nan, "z": X[:3] * np.nan})
    more = read_more(new, np.arange(5.0), None, panel, columns)
    assert_array_equal(more.known[10:12], panel.known[[9, 9]])
    assert_array_equal(more.known[12:], 0)


def test_static_features_stay_what_they_are():
    X = in_two_shops()
    options = FeatureOptions(static_features=["size"])
    panel, columns = read_panel(X[:30], np.arange(30.0), "shop", options)
    with pytest.raises(ValueError, match="'size' of X is one of static_features"):
        read_more(X[30:].assign(size=5.0), np.arange(10.0), None, panel, columns)


@pytest.mark.parametrize(
    ("kind", "other"), [("number", 5.0), ("category", "a"), ("category", "new")]
)
def test_static_features_of_rows_to_forecast_are_those_of_their_series(kind, other):
    X = in_two_shops()
    if kind == "category":
        X["size"] = X["shop"]
    options = FeatureOptions(static_features=["size"])
    panel, columns = read_panel(X[:30], np.arange(30.0), "shop", options)
    expected = read_ahead(X[30:].drop(columns="size"), None, panel, columns).known
    later = [X[30:], X[30:].assign(size=None)]
    if kind == "number":
        later.append(X[30:].astype({"size": "float32"}))
    for each in later:
        assert_array_equal(read_ahead(each, None, panel, columns).known, expected)
    wrong = X[30:].copy()
    wrong.iloc[4, X.columns.get_loc("size")] = other
    error = "'size' of X is one of static_features, but changes within series 'b'"
    with (
        pytest.raises(ValueError, match=error),
        warnings.catch_warnings(action="ignore"),
    ):
        read_ahead(wrong, None, panel, columns)


def test_a_frame_that_begins_to_count_anew_is_told_how_to_go_on():
    X = pd.DataFrame({"price": np.arange(20.0)})
    panel, columns = read_panel(X, np.arange(20.0), None, FeatureOptions())
    later = X[:3].copy()
    with pytest.raises(
        ValueError, match=r"number them so: X.index \+= 20\. fitted_val"
    ):
        read_ahead(later, None, panel, columns)
    later.index += 20
    assert len(read_ahead(later, None, panel, columns).known) == 3
