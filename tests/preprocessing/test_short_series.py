"""The default lookback, and series that are shorter than it."""

import warnings

import numpy as np
import pytest
from _instances import EXPECTED_FAILS
from sklearn.exceptions import SkipTestWarning
from sklearn.utils.estimator_checks import check_estimator

from skrnn.preprocessing import SlidingWindow

# Checks of scikit-learn whose data have fewer rows than one window of 30 steps. A fit
# on them would learn from rows that are made up, so it is an error that says so.
SHORTER = {
    "check_estimators_overwrite_params",
    "check_dont_overwrite_parameters",
    "check_estimators_fit_returns_self",
    "check_readonly_memmap_input",
    "check_n_features_in_after_fitting",
    "check_estimators_dtypes",
    "check_estimators_nan_inf",
    "check_f_contiguous_array_estimator",
    "check_fit2d_1feature",
    "check_dict_unchanged",
    "check_fit2d_predict1d",
}


def failures(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        results = check_estimator(estimator, on_fail=None)
    return {
        result["check_name"]: result["exception"]
        for result in results
        if result["status"] == "failed"
    }


def innermost(error):
    while error.__cause__ is not None or error.__context__ is not None:
        error = error.__cause__ or error.__context__
    return error


def test_the_default_fails_checks_only_for_lack_of_rows():
    failed = failures(SlidingWindow())
    assert failed.keys() == SHORTER | EXPECTED_FAILS[SlidingWindow].keys()
    for name in SHORTER:
        message = str(innermost(failed[name]))
        assert "lookback=30 needs at least 30 rows but the series has n=" in message


def test_a_shorter_lookback_fails_only_those_that_shuffle_time():
    assert failures(SlidingWindow(10)).keys() == EXPECTED_FAILS[SlidingWindow].keys()


def test_one_series_of_several_may_be_shorter_than_a_window():
    rows, groups = np.arange(7.0).reshape(-1, 1), list("aabbbbb")
    window = SlidingWindow(5, warmup="carry").fit(rows, groups=groups)
    assert window.tail_["a"].tolist() == [[0.0], [1.0]]
    windows = window.transform([[9.0]], groups=["a"])
    assert windows[0, :, 0].tolist() == [0.0, 0.0, 0.0, 1.0, 9.0]
    with pytest.raises(
        ValueError, match="needs at least 6 rows but the series has n=5"
    ):
        SlidingWindow(6).fit(rows, groups=groups)
