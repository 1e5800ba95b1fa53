"""The private names of scikit-learn: whether each still does its work.

Every name that ``skrnn/_sklearn/private.py`` imports, and every one that our estimators
inherit, has a case here: what it is for, and what to do when it goes. This file imports
nothing of ours, so that it can still tell what is missing when ``import skrnn`` no
longer can. `test_sklearn_attributes` has the attributes of fitted objects.
"""

import ast
import importlib
from importlib.metadata import version
from numbers import Integral, Real
from pathlib import Path

import _sklearn_names_in_classes  # noqa: F401  (its cases enter the table)
import numpy as np
import pandas as pd
import pytest
from _sklearn_name import CASES, Tiny, case, named, run
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.metrics import accuracy_score, get_scorer

HOME = Path(__file__).parents[1] / "skrnn" / "_sklearn" / "private.py"


# Parameters

CONSTRAINTS = "the table of constraints of every estimator"
OF_CONSTRAINTS = (
    "take it from where scikit-learn's own estimators import their constraints; "
    "otherwise write the class in _sklearn/constraints.py, where ours are"
)


@case(
    "base._fit_context",
    "checking parameters before every `fit`",
    "call `self._validate_params()` first in `fit_context`'s wrapper",
)
def check_fit_context(fit_context):
    class Checked(Tiny):
        @fit_context(prefer_skip_nested_validation=True)
        def fit(self):
            return self

    assert Checked().fit().units == 1
    with pytest.raises(ValueError, match="The 'units' parameter of Checked must be"):
        Checked(units="one").fit()


@case("utils._param_validation.HasMethods", CONSTRAINTS, OF_CONSTRAINTS)
def check_has_methods(has_methods):
    constraint = has_methods(["fit", "predict"])
    assert not constraint.is_satisfied_by(Tiny())
    assert has_methods(["get_params"]).is_satisfied_by(Tiny())


@case(
    "utils._param_validation.Interval",
    f"{CONSTRAINTS}; ours derive from it",
    OF_CONSTRAINTS,
)
def check_interval(interval):
    constraint = interval(Real, 0, 1, closed="left")
    found = [constraint.is_satisfied_by(value) for value in (0, 0.5, 1, "0", None)]
    assert found == [True, True, False, False, False]
    assert str(constraint) == "a float in the range [0.0, 1.0)"


@case(
    "utils._param_validation.InvalidParameterError",
    "adding advice to the error of a wrong parameter",
    "catch ValueError and TypeError in _estimators/advice.py, and compare the message",
)
def check_error(error):
    assert issubclass(error, ValueError)
    assert issubclass(error, TypeError)
    with pytest.raises(error):
        Tiny(units="one")._validate_params()


@case("utils._param_validation.Options", CONSTRAINTS, OF_CONSTRAINTS)
def check_options(options):
    constraint = options(Integral, {-1})
    assert constraint.is_satisfied_by(-1)
    assert not constraint.is_satisfied_by(1)


@case("utils._param_validation.RealNotInt", CONSTRAINTS, OF_CONSTRAINTS)
def check_real(real_not_int):
    assert isinstance(0.5, real_not_int)
    assert not isinstance(1, real_not_int)


@case("utils._param_validation.StrOptions", CONSTRAINTS, OF_CONSTRAINTS)
def check_str_options(str_options):
    constraint = str_options({"a", "b"})
    assert constraint.is_satisfied_by("a")
    assert not constraint.is_satisfied_by("c")
    assert constraint.options == {"a", "b"}


@case(
    "utils._param_validation.make_constraint",
    "advice that lists what a parameter may be",
    "build the constraint in _estimators/advice.py from the row of the table",
)
def check_make_constraint(make_constraint):
    assert make_constraint(None).is_satisfied_by(None)
    assert str(make_constraint("boolean")).startswith("an instance of 'bool'")


@case(
    "utils._param_validation.validate_parameter_constraints",
    "checking arguments of methods as parameters are checked",
    "walk the table with each constraint's `is_satisfied_by`, and raise the message",
)
def check_validation(validate):
    validate({"n": [Integral]}, {"n": 3}, caller_name="generate")
    with pytest.raises(ValueError, match="The 'n' parameter of generate must be"):
        validate({"n": [Integral]}, {"n": "three"}, caller_name="generate")


@case(
    "utils._param_validation.validate_params",
    "checking the arguments of public functions",
    "write the decorator in _sklearn/private.py over `check_arguments`",
)
def check_validate_params(validate_params):
    @validate_params({"n": [Integral]}, prefer_skip_nested_validation=True)
    def count(n):
        return n

    assert count(3) == 3
    with pytest.raises(ValueError, match=r"The 'n' parameter of .*count must be"):
        count("three")


@case(
    "base.BaseEstimator._validate_params",
    "checking the parameters of scikeras' wrappers, whose `fit` isn't ours",
    "call `validate_parameter_constraints` with `get_params(deep=False)`",
)
def check_validate_own(validate):
    validate(Tiny())
    with pytest.raises(ValueError, match="units"):
        validate(Tiny(units="one"))


@case(
    "base.BaseEstimator._get_param_names",
    "advice on a parameter whose name is unknown",
    "take the names of `get_params(deep=False)`",
)
def check_names(_names):
    assert Tiny._get_param_names() == ["units"]


# Scorers


def tiny_classifier():
    class Says1(BaseEstimator):
        classes_ = np.array([0, 1])
        _estimator_type = "classifier"

        def fit(self, X, y):
            return self

        def predict(self, X):
            return np.ones(len(X), int)

    return Says1()


WRITE_A_SCORER = (
    "write the scorer as a callable of `(estimator, X, y_true, **kwargs)`, which "
    "scikit-learn takes too; `make_scorer` alone doesn't hand on the classes"
)


@case("metrics._scorer._BaseScorer", "the scorer 'neg_perplexity'", WRITE_A_SCORER)
def check_base_scorer(base):
    class Length(base):
        def __init__(self):
            super().__init__(len, -1, {}, response_method="predict")

        def _score(self, method_caller, estimator, X, y_true=None, **kwargs):
            return self._sign * len(X)

    assert Length()(tiny_classifier(), [[1], [2]], None) == -2


@case(
    "metrics._scorer._Scorer", "scorers that leave out what is padding", WRITE_A_SCORER
)
def check_scorer(scorer):
    assert isinstance(get_scorer("accuracy"), scorer)
    made = scorer(accuracy_score, 1, {}, "predict")
    assert made(tiny_classifier(), np.zeros((4, 1)), [1, 1, 1, 0]) == 0.75
    assert made._sign == 1


# Frames and names of columns


@case(
    "utils._set_output._get_output_config",
    "knowing whether a transformer is asked for a frame",
    "read `sklearn.get_config()['transform_output']` and what `set_output` has set; "
    "its attribute `_sklearn_output_config` is set by `set_output_config` too",
)
def check_config(config):
    class Own(TransformerMixin, Tiny):
        def transform(self, X):
            return X

        def get_feature_names_out(self, names=None):
            return names

    assert config("transform", Own())["dense"] == "default"
    made = Own().set_output(transform="pandas")
    assert config("transform", made)["dense"] == "pandas"
    # As `set_output_config` of ours sets it.
    made = Own()
    made._sklearn_output_config = {"transform": "polars"}
    assert config("transform", made)["dense"] == "polars"


@case(
    "utils._set_output._get_container_adapter",
    "giving a frame that was made already the columns of `get_feature_names_out`",
    "return an array where the names are new, and let `set_output` make the frame",
)
def check_adapter(adapter):
    class Own(TransformerMixin, Tiny):
        def transform(self, X):
            return X

        def get_feature_names_out(self, names=None):
            return names

    assert adapter("transform", Own()) is None
    found = adapter("transform", Own().set_output(transform="pandas"))
    frame = pd.DataFrame({"a": [1]})
    renamed = found.create_container(frame, frame, columns=["b"])
    assert list(renamed.columns) == ["b"]


@case(
    "utils._safe_indexing",
    "the rows of one training or test part, whatever library X is from",
    "take rows by `.iloc`, `.take` or `[...]`, as what X has of them",
)
def check_safe_indexing(safe_indexing):
    rows = np.array([2, 0])
    assert safe_indexing([5, 6, 7], rows) == [7, 5]
    assert safe_indexing(np.array([5, 6, 7]), rows).tolist() == [7, 5]
    frame = pd.DataFrame({"a": [5, 6, 7]}, index=[1, 2, 3])
    assert safe_indexing(frame, rows).index.tolist() == [3, 1]


@case(
    "utils.validation._check_feature_names",
    "holding frames to the names of columns in `fit`",
    "call `sklearn.utils.validation.validate_data(..., skip_check_array=True)`, which "
    "also checks the number of columns",
)
def check_feature_names(check):
    estimator = Tiny()
    check(estimator, pd.DataFrame({"a": [1], "b": [2]}), reset=True)
    assert estimator.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="feature names should match"):
        check(estimator, pd.DataFrame({"b": [1], "a": [2]}), reset=False)


@case(
    "utils.validation._check_feature_names_in",
    "`get_feature_names_out(input_features)`",
    "compare `input_features` with `feature_names_in_`, or name columns x0, x1, ...",
)
def check_feature_names_in(check):
    estimator = Tiny()
    estimator.n_features_in_ = 2
    assert check(estimator, None).tolist() == ["x0", "x1"]
    assert check(estimator, ["a", "b"]).tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="should have length equal"):
        check(estimator, ["a"])


@case(
    "utils.validation._check_n_features",
    "the number of columns in `fit`, and the error where it is another",
    "set or compare `n_features_in_`, in scikit-learn's words",
)
def check_n_features(check):
    estimator = Tiny()
    check(estimator, np.zeros((3, 2)), reset=True)
    assert estimator.n_features_in_ == 2
    with pytest.raises(ValueError, match="X has 5 features, but Tiny is expecting 2"):
        check(estimator, np.zeros((3, 5)), reset=False)


# Targets, weights and missing values


@case(
    "utils.multiclass._check_partial_fit_first_call",
    "`classes` in `partial_fit` of classifiers",
    "set `classes_` by `unique_labels(classes)` at the first call; compare later",
)
def check_first_call(check):
    estimator = Tiny()
    assert check(estimator, [1, 0])
    assert estimator.classes_.tolist() == [0, 1]
    assert not check(estimator, [0, 1])
    with pytest.raises(ValueError, match="is not the same as on last call"):
        check(estimator, [0, 2])


@case(
    "utils.validation._check_y",
    "reading y in scikit-learn's words",
    "call `check_array(y, input_name='y', ensure_2d=False)` or `column_or_1d`",
)
def check_y(check):
    assert check(np.array([1, 2], object), y_numeric=True).dtype == np.float64
    assert check([[1, 2]], multi_output=True, estimator=Tiny()).shape == (1, 2)
    with pytest.raises(ValueError, match="Input y contains NaN"):
        check([1.0, np.nan], y_numeric=True)


@case(
    "utils.validation._check_sample_weight",
    "reading weights of samples in scikit-learn's words",
    "call `check_array(weights, ensure_2d=False, input_name='sample_weight')` and "
    "compare the length",
)
def check_weights(check):
    X = np.zeros((2, 1))
    assert check(None, X, dtype=np.float64).tolist() == [1.0, 1.0]
    assert check([1, 2], X, dtype=np.float64).dtype == np.float64
    with pytest.raises(ValueError, match=r"sample_weight.*expected \(2,\)"):
        check([1, 2, 3], X)


@case(
    "utils.validation._is_arraylike_not_scalar",
    "telling an embedding matrix from what isn't one",
    "ask for `__len__`, `shape` or `__array__`, and that it is no string or scalar",
)
def check_arraylike(is_arraylike):
    found = [is_arraylike(x) for x in ([1], np.zeros(2), np.float64(1), "word")]
    assert found == [True, True, False, False]


@case(
    "utils.validation._num_samples",
    "the number of samples of any array-like, or the error that it has none",
    "take `len`, or `shape[0]` where there is a shape",
)
def check_num_samples(num_samples):
    assert num_samples(pd.DataFrame({"a": [1, 2, 3]})) == 3
    assert num_samples([[1], [2]]) == 2
    with pytest.raises(TypeError, match="Expected sequence or array-like"):
        num_samples(3)


@case(
    "utils._missing.is_pandas_na",
    "refusing pandas' NA among labels, tokens and numbers",
    "ask whether pandas is loaded and the value is `pandas.NA`",
)
def check_pandas_na(is_na):
    assert [is_na(x) for x in (pd.NA, None, np.nan, "a")] == [True, False, False, False]


@case(
    "utils._missing.is_scalar_nan",
    "refusing NaN among labels and tokens of any type",
    "ask whether the value is a real number, no integer, and not equal to itself",
)
def check_nan(is_nan):
    found = [is_nan(x) for x in (np.nan, np.float32("nan"), None, "nan", 1)]
    assert found == [True, True, False, False, False]


# The tests

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@every_case
def test_a_private_name_does_its_work(case):
    run(case)


def imported():
    """List the private names that our file takes from scikit-learn."""
    for node in ast.walk(ast.parse(HOME.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("sklearn"):
            for alias in node.names:
                path = f"{node.module}.{alias.name}".removeprefix("sklearn.")
                if "._" in f".{path}":
                    yield path


def test_every_private_name_has_a_case():
    bases = "base.BaseEstimator.", "callback.CallbackSupportMixin."
    inherited = {name for name in CASES if name.startswith(bases)}
    assert {*imported()} == CASES.keys() - inherited


@every_case
def test_a_name_that_goes_is_missed(case, monkeypatch):
    """The case fails without the name, and says what to do."""
    owner, _, attribute = case.name.rpartition(".")
    try:
        owner = importlib.import_module(owner)
    except ModuleNotFoundError:
        owner = named(owner)
    # Where it is defined: a class may inherit it.
    mro = getattr(owner, "__mro__", (owner,))
    owner = next(each for each in mro if attribute in vars(each))
    monkeypatch.delattr(owner, attribute)
    with pytest.raises(pytest.fail.Exception) as failure:
        run(case)
    message = str(failure.value)
    assert message.startswith(f"scikit-learn {version('scikit-learn')} may have no")
    assert case.name in message
    assert f"When it goes: {case.when_it_goes}" in message
