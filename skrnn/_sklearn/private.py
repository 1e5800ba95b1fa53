"""scikit-learn's private names: no other file has one.

Functions and classes that it has under no public name, what its estimators have for
each other, and the attributes in which fitted ones keep what their formulas need. When
one goes, `tests/test_sklearn_names.py` says which and what to do.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from sklearn.base import _fit_context
from sklearn.metrics._scorer import _BaseScorer as BaseScorer
from sklearn.metrics._scorer import _Scorer as Scorer
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._missing import is_pandas_na, is_scalar_nan
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    RealNotInt,
    make_constraint,
    validate_parameter_constraints,
)
from sklearn.utils._param_validation import StrOptions as StrOptionsInAnyOrder
from sklearn.utils._param_validation import validate_params as _validate_params
from sklearn.utils._repr_html.estimator import _VisualBlock as VisualBlock
from sklearn.utils._repr_html.fitted_attributes import AttrsDict
from sklearn.utils._set_output import (
    _get_container_adapter as get_container_adapter,
)
from sklearn.utils._set_output import _get_output_config as get_output_config
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call as check_partial_fit_first_call,
)
from sklearn.utils.validation import _check_feature_names as check_feature_names
from sklearn.utils.validation import (
    _check_feature_names_in as check_feature_names_in,
)
from sklearn.utils.validation import _check_n_features as check_n_columns
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import _check_y as check_y
from sklearn.utils.validation import (
    _is_arraylike_not_scalar as is_arraylike_not_scalar,
)
from sklearn.utils.validation import _num_samples as num_samples

__all__ = [
    "CALLBACKS",
    "CALLBACKS_AMID_FIT",
    "AttrsDict",
    "BaseScorer",
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "Options",
    "RealNotInt",
    "Scorer",
    "StrOptionsInAnyOrder",
    "VisualBlock",
    "begin_callbacks",
    "check_feature_names",
    "check_feature_names_in",
    "check_n_columns",
    "check_partial_fit_first_call",
    "check_sample_weight",
    "check_y",
    "fit_context",
    "get_container_adapter",
    "get_output_config",
    "has_callbacks",
    "is_arraylike_not_scalar",
    "is_pandas_na",
    "is_scalar_nan",
    "make_constraint",
    "num_samples",
    "safe_indexing",
    "set_output_config",
    "validate_parameter_constraints",
    "validate_params",
]

_Method = TypeVar("_Method", bound=Callable[..., Any])


def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[_Method], _Method]:
    """Decorate a ``fit`` so that it checks parameters first, as in scikit-learn."""
    options = {"prefer_skip_nested_validation": prefer_skip_nested_validation}
    return _fit_context(**options)


def validate_params(
    constraints: dict[str, Any], *, prefer_skip_nested_validation: bool
) -> Callable[[_Method], _Method]:
    """Decorate a function whose arguments are checked first."""
    options = {"prefer_skip_nested_validation": prefer_skip_nested_validation}
    return _validate_params(constraints, **options)


def set_output_config(estimator, transform):
    """Set what ``set_output`` sets, and `get_output_config` finds."""
    estimator._sklearn_output_config = {"transform": transform}


def begin_callbacks(estimator, n_tasks, in_order=True):
    """Set up the callbacks of an estimator; return the context of its whole fit."""
    options = {"max_subtasks": n_tasks, "sequential_subtasks": in_order}
    return estimator._init_callback_context(**options)


# Where estimators keep what `set_callbacks` was given.
CALLBACKS = "_skl_callbacks"
# What they have of callbacks only while a fit runs.
CALLBACKS_AMID_FIT = (
    "_callback_fit_ctx",
    "_parent_callback_ctx",
    "_skl_callbacks_to_teardown",
)


def has_callbacks(estimator) -> bool:
    """Whether ``set_callbacks``, or a meta-estimator, has given any."""
    return bool(getattr(estimator, CALLBACKS, None))


# Attributes in which fitted objects keep what they need, as files of ours name them,
# and names of classes that no module gives out.


class OfMachines:
    """What a support vector machine keeps for libsvm."""

    KIND = "_impl"
    SPARSE_KERNELS = "_sparse_kernels"
    IS_SPARSE = "_sparse"
    N_SUPPORT = "_n_support"
    PROBABILITIES = ("_probA", "_probB")
    HAS_PROBABILITIES = "_effective_probability"
    DUAL_COEF = "_dual_coef_"
    INTERCEPT = "_intercept_"


class OfClusters:
    """What clusters by their means keep."""

    BASE = "_BaseKMeans"
    N_THREADS = "_n_threads"
    COUNTS = "_counts"


class OfNeighbors:
    """What neighbours are looked up in."""

    X = "_fit_X"
    Y = "_y"
    METHOD = "_fit_method"
    TREE = "_tree"


class OfBoosting:
    """What boosted trees keep; losses are those of stochastic descent, too."""

    TREES = "_predictors"
    MAPPER = "_bin_mapper"
    MAPPER_CLASS = "_BinMapper"
    PREPROCESSOR = "_preprocessor"
    N_FEATURES = "_n_features"
    LOSS = "_loss"
    LOSS_OF_DESCENT = "_loss_function_"


class OfPerceptrons:
    """What a perceptron is trained by."""

    OPTIMIZER = "_optimizer"


class OfForests:
    """What trees that isolate outliers keep."""

    MAX_FEATURES = "_max_features"


class OfEncoders:
    """What a one-hot encoder keeps of categories that it drops or puts together."""

    DROPPED = "_drop_idx_after_grouping"
    N_COLUMNS = "_n_features_outs"
    RARE = "_default_to_infrequent_mappings"
    HAS_RARE = "_infrequent_enabled"


class OfCalibration:
    """What calibrates a classifier's answers, or moves its threshold."""

    CLASSIFIER = "_CalibratedClassifier"
    SIGMOID = "_SigmoidCalibration"
    TEMPERATURE = "_TemperatureScaling"
    SCORER = "_curve_scorer"


class OfScorers:
    """What a scorer is made of."""

    OF_SCORE = "_PassthroughScorer"
    ESTIMATOR = "_estimator"
    FUNCTION = "_score_func"
    METHOD = "_response_method"
    OPTIONS = "_kwargs"
    SIGN = "_sign"


# What set_fit_request and the like leave: it refers back to its owner.
REQUESTS = "_metadata_request"
# What a pickle has beside the attributes.
VERSION = "_sklearn_version"


def scorer_of_threshold(estimator):
    """Make the scorer by which a classifier's threshold is tuned."""
    return estimator._get_curve_scorer()
