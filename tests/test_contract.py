"""scikit-learn's own checks of every estimator and transformer."""

import os
import re
import warnings

import pytest
import scipy
from _instances import (
    EXPECTED_FAILS,
    FORECASTERS,
    INSTANCES,
    OF_TEXT,
    OF_WORDS,
    in_new_process,
    public_estimators,
)
from _wrappers import WRAPPERS, WRAPPERS_FAIL
from sklearn.base import clone
from sklearn.exceptions import SkipTestWarning
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.fixes import parse_version
from sklearn.utils.validation import has_fit_parameter

from skrnn.forecasting import Forecaster
from skrnn.preprocessing import SlidingWindow

EVERYONE = INSTANCES + FORECASTERS + OF_WORDS + WRAPPERS
EXPECTED = EXPECTED_FAILS | WRAPPERS_FAIL


def expected_failures(estimator):
    return EXPECTED.get(type(estimator), {})


def test_every_public_estimator_has_a_row():
    assert public_estimators() == {type(each) for each in EVERYONE + OF_TEXT}


def test_expected_failures_are_few_and_explained():
    on_jax = os.environ.get("KERAS_BACKEND") == "jax"
    for cls, checks in EXPECTED.items():
        # A Forecaster's X may have no columns: one check can't be for that.
        assert len(checks) <= (4 if on_jax or cls is Forecaster else 3)
        assert all(len(reason) > 40 for reason in checks.values())


def test_no_tag_asks_for_leniency():
    for each in EVERYONE + OF_TEXT:
        tags = each.__sklearn_tags__()
        assert not tags.non_deterministic
        assert not tags._skip_test
        # A forecast of the rows that follow isn't scored on those of training.
        is_lenient = each in FORECASTERS
        for of_task in (tags.classifier_tags, tags.regressor_tags):
            assert of_task is None or of_task.poor_score == is_lenient


with warnings.catch_warnings():
    # Of what reads text the suite checks only what needs no numbers.
    warnings.filterwarnings("ignore", "Can't test estimator", SkipTestWarning)
    CHECKS = parametrize_with_checks(
        EVERYONE, expected_failed_checks=expected_failures, xfail_strict=True
    )


def without_addresses(value):
    """Name an estimator or a check alike in every process."""
    name = CHECKS.kwargs["ids"](value)
    return re.sub(r"<function(\w+)at0x\w+>", r"\1", name)


# The checks that ask how much was learnt, and the one that is expected to fail by what
# adds up over epochs. All others hold after two epochs too.
OF_LEARNING = {
    "check_classifiers_train",
    "check_classifiers_classes",
    "check_class_weight_classifiers",
    "check_regressors_train",
    "check_sample_weight_equivalence_on_dense_data",
}


def with_few_epochs(estimator):
    """Return a clone that learns next to nothing, if it learns in epochs."""
    names = [name for name in estimator.get_params() if name.endswith("epochs")]
    return clone(estimator).set_params(**dict.fromkeys(names, 2))


# Some of them fit numbers around 100, of which networks warn.
@pytest.mark.filterwarnings("ignore:Feature .* of X has values around")
@pytest.mark.parametrize(CHECKS.args[0], list(CHECKS.args[1]), ids=without_addresses)
def test_estimator_checks(estimator, check):
    if check.func.__name__ not in OF_LEARNING:
        estimator = with_few_epochs(estimator)
    check(estimator)


def takes_arrays(estimator):
    return estimator.__sklearn_tags__().input_tags.two_d_array


# What scikit-learn holds its own estimators to outside of its public suite, and whom.
MORE_CHECKS = {
    "check_param_validation": lambda estimator: True,
    # It predicts from the frame of training, whose index says so.
    "check_dataframe_column_names_consistency": lambda estimator: (
        estimator not in FORECASTERS
    ),
    "check_inplace_ensure_writeable": takes_arrays,
    "check_all_zero_sample_weights_error": lambda estimator: has_fit_parameter(
        estimator, "sample_weight"
    ),
    "check_set_output_transform": lambda estimator: hasattr(estimator, "set_output"),
} | dict.fromkeys(
    (
        "check_get_feature_names_out_error",
        "check_transformer_get_feature_names_out",
        "check_transformer_get_feature_names_out_pandas",
        "check_set_output_transform_pandas",
        "check_global_output_transform_pandas",
    ),
    lambda estimator: (
        hasattr(estimator, "get_feature_names_out")
        # Its result has three dimensions: the names are those of the last one.
        and not isinstance(estimator, SlidingWindow)
    ),
)


@pytest.mark.parametrize(
    ("check", "estimator"),
    [
        pytest.param(check, estimator, id=f"{type(estimator).__name__}-{check}")
        for check, applies_to in MORE_CHECKS.items()
        for estimator in EVERYONE
        if applies_to(estimator)
    ],
)
# The checks of set_output fit a frame and transform an array, and the reverse.
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")
def test_checks_outside_the_suite(check, estimator):
    estimator = with_few_epochs(estimator)
    getattr(estimator_checks, check)(type(estimator).__name__, estimator)


ARRAY_API_CHECK = """
from _instances import INSTANCES
from sklearn.utils.estimator_checks import check_array_api_input

for each in INSTANCES:
    if not each.__sklearn_tags__().input_tags.two_d_array:
        continue
    each = each.set_params(epochs=1) if hasattr(each, "epochs") else each
    options = dict(check_values=True, expect_only_array_outputs=False)
    check_array_api_input(type(each).__name__, each, "numpy", **options)
"""


@pytest.mark.skipif(
    parse_version(scipy.__version__) < parse_version("1.14"),
    reason="scikit-learn dispatches with SciPy 1.14 or newer",
)
def test_array_api_dispatch_changes_nothing():
    # The suite skips this check unless SciPy's switch was set before its first import.
    in_new_process(ARRAY_API_CHECK, SCIPY_ARRAY_API="1")
