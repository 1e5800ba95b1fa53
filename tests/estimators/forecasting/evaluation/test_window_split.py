"""Splits in time: what is left out, panels, and scikit-learn's tools."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_validate

from skrnn import make_supervised
from skrnn.forecasting import WindowSplit

DAYS = pd.date_range("2024-01-01", periods=30)


def parts(split, X, y=None, groups=None):
    return [
        (train.tolist(), test.tolist()) for train, test in split.split(X, y, groups)
    ]


def test_without_a_purge_it_is_scikit_learns():
    X = np.zeros((23, 1))
    for options in (dict(test_size=3), dict(test_size=4, max_train_size=5), dict()):
        ours = WindowSplit(n_splits=3, **options)
        expected = parts(TimeSeriesSplit(n_splits=3, **options), X)
        assert parts(ours, X) == expected
        assert ours.get_n_splits() == 3
    gap = TimeSeriesSplit(n_splits=3, test_size=3, gap=2)
    assert parts(WindowSplit(3, test_size=3, purge=2), X) == parts(gap, X)


@settings(max_examples=40)
@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 3),
    st.integers(0, 4),
    st.booleans(),
)
def test_no_target_of_training_is_unknown_at_the_test_part(
    n_splits, horizon, gap, lookback, two_sided
):
    X, y = make_supervised(np.arange(60.0), horizon=horizon, gap=gap)
    y = y.reshape(len(y), -1)
    reach = horizon + gap
    split = WindowSplit(
        n_splits, purge=reach - 1, embargo=lookback, two_sided=two_sided
    )
    for train, test in split.split(X, y):
        before = train[train < test[0]]
        after = train[train > test[-1]]
        assert y[before].max() <= X[test[0], 0]
        assert y[before].max() == X[test[0], 0]
        assert len(before) + len(after) == len(train)
        assert two_sided or not len(after)
        # The earliest row of a later window is behind the last target of the test.
        if lookback and len(after):
            assert X[after[0] - (lookback - 1), 0] > y[test].max()


def test_training_parts_grow_or_move_on():
    X = np.zeros(20)
    growing = [len(train) for train, _ in WindowSplit(3, test_size=4, purge=1).split(X)]
    assert growing == [7, 11, 15]
    moving = WindowSplit(3, test_size=4, purge=1, expanding=False)
    assert [len(train) for train, _ in moving.split(X)] == [7, 7, 7]
    short = WindowSplit(3, test_size=4, purge=1, max_train_size=3)
    assert next(train.tolist() for train, _ in short.split(X)) == [4, 5, 6]


def test_test_parts_may_overlap():
    found = WindowSplit(3, test_size=4, step=1).split(np.zeros(10))
    assert [test[0] for _, test in found] == [4, 5, 6]


PANEL = pd.concat(
    {
        "long": pd.DataFrame({"x": range(30)}, DAYS),
        "late": pd.DataFrame({"x": range(12)}, DAYS[18:]),
        "ended": pd.DataFrame({"x": range(15)}, DAYS[:15]),
    }
)


def times_of(rows):
    return PANEL.index[rows].get_level_values(1)


@pytest.mark.parametrize("mixed", [False, True])
def test_series_are_cut_at_the_same_times(mixed):
    order = np.random.default_rng(0).permutation(len(PANEL)) if mixed else slice(None)
    panel = PANEL.iloc[order].sort_index(level=1) if mixed else PANEL
    times, series = (panel.index.get_level_values(i) for i in (1, 0))
    for i, (train, test) in enumerate(
        WindowSplit(2, test_size=5, purge=2).split(panel)
    ):
        cut = DAYS[20 + 5 * i]
        assert times[train].max() == cut - pd.Timedelta(days=3)
        assert set(times[test]) == set(DAYS[20 + 5 * i : 25 + 5 * i])
        assert set(series[test]) <= set(series[train])
        # All of a series that is over stays, as its times are long past.
        assert (series[train] == "ended").sum() == 15


def test_a_series_without_training_rows_is_not_tested():
    ((_, test),) = WindowSplit(1, test_size=15).split(PANEL)
    assert "late" not in PANEL.index[test].get_level_values(0)


def test_series_may_be_cut_at_their_own_ends():
    split = WindowSplit(2, test_size=3, purge=1, align="end")
    for i, (train, test) in enumerate(split.split(PANEL)):
        for name, n in (("long", 30), ("late", 12), ("ended", 15)):
            own = np.flatnonzero(PANEL.index.get_level_values(0) == name)
            start = n - 6 + 3 * i
            assert np.intersect1d(own, test).tolist() == own[start : start + 3].tolist()
            assert np.intersect1d(own, train).tolist() == own[: start - 1].tolist()


def test_rows_are_purged_where_times_are_missing():
    # A target three rows ahead is three rows ahead, whatever lies between.
    sparse = PANEL.loc[["long"]].iloc[[*range(0, 20, 4), *range(20, 30)]]
    panel = pd.concat([sparse, PANEL.loc[["late"]]])
    ((train, _),) = WindowSplit(1, test_size=5, purge=3).split(panel)
    own = train[train < len(sparse)]
    # Tested from row 10 on; of times alone it would be row 7 that stays too.
    assert own.tolist() == list(range(7))


def test_groups_without_times_end_together():
    X, groups = np.zeros((9, 1)), list("aaaaabbbb")
    found = parts(WindowSplit(1, test_size=2), X, groups=groups)
    assert found == [([0, 1, 2, 5, 6], [3, 4, 7, 8])]


def test_the_index_of_y_serves_where_x_has_none():
    found = parts(WindowSplit(2, test_size=5), PANEL.to_numpy(), PANEL["x"])
    assert found == parts(WindowSplit(2, test_size=5), PANEL)


def test_frames_of_polars_are_cut_as_arrays():
    polars = pytest.importorskip("polars")
    X = polars.DataFrame({"x": range(20)})
    assert parts(WindowSplit(3), X) == parts(WindowSplit(3), np.zeros(20))


def test_searches_and_validation_take_it():
    X, y = make_supervised(np.sin(np.arange(80.0)), horizon=3)
    split = WindowSplit(3, purge=2)
    found = cross_validate(Ridge(), X, y, cv=split)
    assert len(found["test_score"]) == 3
    search = GridSearchCV(Ridge(), {"alpha": [1e-3, 1.0]}, cv=split).fit(X, y)
    assert search.n_splits_ == 3


@pytest.mark.parametrize("routing", [False, True])
def test_groups_reach_it_from_scikit_learn(routing):
    X, y = np.arange(20.0)[:, None], np.arange(20.0)
    groups = ["a", "b"] * 10
    split, options = WindowSplit(2, test_size=2), {"return_indices": True}
    with config_context(enable_metadata_routing=routing):
        options |= {"params": {"groups": groups}} if routing else {"groups": groups}
        found = cross_validate(Ridge(), X, y, cv=split, **options)["indices"]
    assert [test.tolist() for test in found["test"]] == [
        [12, 13, 14, 15],
        [16, 17, 18, 19],
    ]


def test_it_shows_its_parameters_and_can_be_copied():
    split = WindowSplit(3, purge=4)
    assert "purge=4" in repr(split)
    assert repr(clone(split, safe=False)) == repr(split)


REFUSED = {
    "n_splits": (WindowSplit(0), "'n_splits' parameter of WindowSplit must be"),
    "purge": (WindowSplit(purge=-1), "'purge' parameter of WindowSplit must be"),
    "align": (WindowSplit(align="start"), "'align' parameter of WindowSplit must be"),
    "too many": (
        WindowSplit(5, test_size=4),
        "n_splits=5, test_size=4 and purge=0 need at least 21 steps in time, but X has "
        "n=20",
    ),
    "too much purged": (WindowSplit(1, test_size=10, purge=10), "purge=10 need at lea"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_by_name(name):
    split, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        next(split.split(np.zeros((20, 1))))


def test_it_refuses_rows_out_of_order():
    with pytest.raises(TypeError, match="X can't be read"):
        next(WindowSplit().split(np.array(1.0)))
    with pytest.raises(ValueError, match="is not in time order"):
        next(WindowSplit(2).split(pd.DataFrame({"x": range(30)}, DAYS[::-1])))
    split = WindowSplit(1, align="time")
    with pytest.raises(ValueError, match="align='time' needs a time for each row"):
        next(split.split(np.zeros(6), groups=list("aaabbb")))
