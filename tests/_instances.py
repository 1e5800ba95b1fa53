"""One small instance of every public estimator: the only such table of the tests.

A new public estimator is added here once, and the tests of scikit-learn's contract, of
pickling and of determinism find it. One without a row fails `test_contract.py`.
"""

import importlib
import importlib.util
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone, is_outlier_detector, is_regressor
from sklearn.preprocessing import StandardScaler

import skrnn
from skrnn import preprocessing, text
from skrnn.forecasting import Forecaster

# As few units and epochs as scikit-learn's checks of quality (R2 above 0.5, accuracy
# above 0.83) allow all cells; the high learning rate stands for more epochs. A network
# whose steps are slow learns labels in fewer.
TINY = dict(units=8, epochs=30, learning_rate=0.05, random_state=0)
# The same architecture, whose compiled functions all tests share, for tests that
# don't look at quality.
FAST = TINY | dict(epochs=2)

# The same of the others.
TINY_BLOCKS = dict(
    d_model=8, n_heads=2, n_layers=1, dim_feedforward=16, dropout=0.0, epochs=30,
    learning_rate=0.02, random_state=0,
)  # fmt: skip

NETWORKS = [
    skrnn.RNNRegressor(**TINY),
    skrnn.LSTMRegressor(**TINY),
    skrnn.GRURegressor(**TINY),
    skrnn.SequenceRegressor(**TINY),
    skrnn.RNNClassifier(**TINY),
    skrnn.LSTMClassifier(**TINY),
    skrnn.GRUClassifier(**TINY),
    skrnn.SequenceClassifier(**TINY),
]
BLOCKS = [
    skrnn.TransformerRegressor(**TINY_BLOCKS),
    skrnn.TransformerClassifier(**TINY_BLOCKS | dict(epochs=10)),
]
PAIRS = [
    skrnn.Seq2SeqRegressor(**TINY),
    skrnn.Seq2SeqClassifier(**TINY | dict(epochs=10)),
]
LEARNERS = NETWORKS + BLOCKS + PAIRS
# They have no targets.
DETECTORS = [
    skrnn.SequenceOutlierDetector(**TINY),
    skrnn.SequenceOutlierDetector(method="reconstruction", latent_dim=2, **TINY),
]
TRANSFORMERS = [
    preprocessing.SlidingWindow(lookback=2),
    preprocessing.SequencePadder(),
    preprocessing.SequencePadder(maxlen=3, padding="pre"),
    preprocessing.SequenceWise(StandardScaler()),
    preprocessing.TextSequencer(),
    preprocessing.TextSequencer("char", padding="post", maxlen=3),
]
# These read words, which most of scikit-learn's checks don't have.
OF_WORDS = [preprocessing.WordFeaturizer(("lower", "suffix2"), min_df=1)]
INSTANCES = LEARNERS + DETECTORS + TRANSFORMERS
# They read rows of one series, in the order of time, and forecast those that follow.
FORECASTERS = [
    Forecaster(
        skrnn.SequenceRegressor(**TINY, bidirectional=True),
        n_members=1,
        n_windows=500,
        random_state=0,
    )
]
# Forecasters that answer in different ways, for tests that don't look at quality. The
# series is `SERIES`, and `AHEAD` three rows behind it.
_SMALL = dict(horizon=3, lookback=4, n_members=2, n_windows=64, random_state=0)
_NETWORK = skrnn.SequenceRegressor(**FAST, bidirectional=True)
OF_SERIES = {
    "Forecaster": Forecaster(_NETWORK, **_SMALL),
    "quantiles": Forecaster(
        _NETWORK, quantiles=(0.1, 0.5, 0.9), calibration_size=11, **_SMALL
    ),
    "distribution": Forecaster(_NETWORK, distribution="student_t", **_SMALL),
    "direct": Forecaster(_NETWORK, strategy="direct", **_SMALL),
}
SERIES = np.random.default_rng(0).normal(size=24) + np.arange(24) % 4
AHEAD = np.empty((3, 0))
# scikit-learn has data for none of its checks of these: `test_generator.py` runs those
# that need none, and has its own for the others.
OF_TEXT = [
    text.TextGenerator(
        units=16, embedding_dim=8, lookback=8, batch_size=4, epochs=30,
        learning_rate=0.02, early_stopping=False, random_state=0,
    )
]  # fmt: skip

MINIBATCHES = {
    "check_sample_weight_equivalence_on_dense_data": (
        "A row of weight 2 is one row of its minibatch and a row given twice is two: "
        "other batches, and even within one batch another rounding in float32, where "
        "the check allows 1e-7. It is expected of SGDRegressor and SGDClassifier too. "
        "test_sample_weight.py has what holds exactly, and the rest within rounding."
    )
}
_ORDER_IS_TIME = {
    "check_methods_sample_order_invariance": (
        "Rows of a series stand in the order of time, and a window is made of the rows "
        "before it: in another order they are another series."
    ),
    "check_methods_subset_invariance": (
        "A row taken out of the series has no longer the same rows before it."
    ),
}
_AHEAD_IS_NOT_KNOWN = {
    "check_regressor_data_not_an_array": (
        "It predicts from a frame whose index counts from 0, as that of training does: "
        "the index says that these rows are those of training, not those that follow, "
        "and a forecast of them is refused."
    )
}
_ROWS_ARE_ENOUGH = {
    "check_estimators_empty_data_messages": (
        "An array without columns has rows all the same, as a frame without has: there "
        "are no covariates, and y alone is learned from."
    )
}
# Class -> name of the check -> why it can't pass.
EXPECTED_FAILS = {type(each): MINIBATCHES for each in LEARNERS} | {
    preprocessing.SlidingWindow: _ORDER_IS_TIME,
    Forecaster: _ORDER_IS_TIME | _AHEAD_IS_NOT_KNOWN | _ROWS_ARE_ENOUGH,
}

# The forms in which sequences come: 24 of them, of 5 steps, or 3 to 6.
FORMS = ("3-D", "2-D", "ragged")


def with_params(estimator, **params):
    """Return a clone with other parameters: `units` are the width of any network."""
    if "units" in params and hasattr(estimator, "d_model"):
        params["d_model"] = params.pop("units")
    return clone(estimator).set_params(**params)


def public_estimators():
    """Find every estimator class that the package or a public module of it exports."""
    modules = [skrnn] + [
        importlib.import_module(f"skrnn.{found.name}")
        for found in pkgutil.iter_modules(skrnn.__path__)
        if not found.name.startswith("_")
    ]
    exported = [getattr(module, name) for module in modules for name in module.__all__]
    classes = (each for each in exported if isinstance(each, type))
    return {each for each in classes if issubclass(each, BaseEstimator)}


def sequences(form):
    """Make X in one of the `FORMS`, or texts."""
    rng = np.random.default_rng(0)
    if form == "texts":
        return ["".join(rng.choice(list("abc  "), 12)) + "." for _ in range(24)]
    if form == "ragged":
        return [rng.normal(size=(length, 2)) for length in np.arange(24) % 4 + 3]
    return rng.normal(size=(24, 5, 2) if form == "3-D" else (24, 5))


def numbers(X):
    """Return a target that can be learnt from `sequences`."""
    return np.array([np.sum(x[-2:]) for x in X])


def labels(X):
    """Return two classes, as text, of 12 sequences each."""
    return np.where(numbers(X) > np.median(numbers(X)), "up", "down")


def target(estimator, X):
    """Return the target that suits `estimator`; nothing is learnt about texts here."""
    if isinstance(X[0], str) or is_outlier_detector(estimator):
        return None
    return numbers(X) if is_regressor(estimator) else labels(X)


def needs(package):
    """Skip where `package` isn't installed; this process doesn't load it."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


def in_new_process(code, *arguments, **environment):
    """Run `code` in a fresh interpreter, warnings being errors; return what it prints.

    It finds `arguments` in ``sys.argv[1:]``.
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def weights_of(fitted):
    """Return the weights of a fitted network, or of all members of a Forecaster."""
    networks = getattr(fitted, "estimators_", [fitted])
    return [weight for network in networks for weight in network._weights]


def assert_same_network(one, other):
    """Compare the weights of two fitted estimators bit by bit."""
    for left, right in zip(weights_of(one), weights_of(other), strict=True):
        np.testing.assert_array_equal(left, right)
