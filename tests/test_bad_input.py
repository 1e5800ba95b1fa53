"""What can't be used is refused by name before anything changes."""

import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from _bad_input import (
    BOTH,
    CHANNELS,
    CLASSIFIER,
    COUNTS,
    FLAT,
    FRAME,
    IDS,
    LABELS,
    NUMBERS,
    ONES,
    RAGGED,
    REGRESSOR,
    STEPS,
    TARGETS,
    TINY,
    TOKENS,
    Fit,
    N,
    T,
    X,
    assert_refused,
    changing,
    fit,
    fits,
    fitted,
    put,
    same,
    steps,
    unreachable,
)
from _bad_parameters import (
    BAD_CELLS,
    BAD_CLASS_LOSSES,
    BAD_CLASS_SPLITS,
    BAD_CLASSIFIER_PARAMS,
    BAD_PARAMS,
    BAD_REGRESSOR_PARAMS,
    BAD_SPLITS,
    parameters,
)
from _bad_sequences import (
    BAD_CHANNELS,
    BAD_IDS,
    BAD_X,
    LARGE_IDS,
    ONE_CHANNEL,
    ONE_SAMPLE,
    WRONG_DIMS,
)
from _bad_targets import (
    BAD_CLASS_WEIGHTS,
    BAD_LABEL_STEPS,
    BAD_LABELS,
    BAD_NUMBER_STEPS,
    BAD_NUMBERS,
    BAD_STEPS,
    BAD_WEIGHTS,
    BAD_Y,
)
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

import skrnn._engine
from skrnn import (
    GRUClassifier,
    GRURegressor,
    SequenceClassifier,
    SequenceRegressor,
    SlidingWindow,
)

FITS = [
    *fits(changing("X", BAD_X)),
    *fits(ONE_SAMPLE),
    *fits(changing("X", BAD_IDS | LARGE_IDS, **TOKENS)),
    *fits(changing("X", BAD_CHANNELS, embedding_dim=(2, 1))),
    *fits({"more vectors": WRONG_DIMS, "fewer channels": ONE_CHANNEL}),
    *fits(changing("y", BAD_Y)),
    *fits(changing("y", BAD_NUMBERS), REGRESSOR),
    *fits(changing("y", BAD_LABELS), CLASSIFIER),
    *fits(steps(BAD_STEPS)),
    *fits(steps(BAD_NUMBER_STEPS), REGRESSOR),
    *fits(steps(BAD_LABEL_STEPS), CLASSIFIER),
    *fits(changing("weights", BAD_WEIGHTS)),
    *fits(BAD_CLASS_WEIGHTS, CLASSIFIER),
    *fits(parameters(BAD_PARAMS)),
    *fits(parameters(BAD_REGRESSOR_PARAMS), REGRESSOR),
    *fits(parameters(BAD_CLASSIFIER_PARAMS), CLASSIFIER),
    *fits(parameters(BAD_CELLS), (SequenceRegressor, SequenceClassifier)),
    *fits(BAD_SPLITS),
    *fits(BAD_CLASS_SPLITS, CLASSIFIER),
    *fits(BAD_CLASS_LOSSES, CLASSIFIER),
]
FITS += [
    Fit(
        "GRURegressor: y beyond float32 without normalize_y",
        GRURegressor,
        {"normalize_y": False},
        X,
        put(NUMBERS, 1e300),
        None,
        ValueError,
        "Input y contains infinity or a value too large for dtype('float32').",
    )
]


@pytest.mark.parametrize("case", FITS, ids=lambda case: case.id)
def test_a_bad_fit_is_refused_and_changes_nothing(case, monkeypatch):
    monkeypatch.setattr(skrnn._engine, "train", unreachable)
    new = case.estimator(**TINY | case.params)
    before = dict(vars(new))
    assert_refused(case.error, case.message, fit, case, new)
    assert same(before, vars(new))
    if case.estimator not in TARGETS:
        return
    expected = fitted(case.estimator).predict(X)
    again = deepcopy(fitted(case.estimator)).set_params(**case.params)
    before = dict(vars(again))
    assert_refused(case.error, case.message, fit, case, again)
    assert same(before, vars(again))
    again.set_params(**fitted(case.estimator).get_params())
    np.testing.assert_array_equal(again.predict(X), expected)


def test_bad_input_fails_before_tensorflow_starts():
    code = (
        "import sys, warnings; warnings.simplefilter('error')\n"
        "import test_bad_input as table\n"
        "for case in table.FITS:\n"
        "    try: table.fit(case, case.estimator(**table.TINY | case.params))\n"
        "    except case.error: pass\n"
        "    else: raise AssertionError(case.id)\n"
        "    assert not {'tensorflow', 'keras'} & set(sys.modules), case.id\n"
        "print(len(table.FITS))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert run.stderr == ""
    assert int(run.stdout) == len(FITS)


@pytest.mark.parametrize("estimator", BOTH)
def test_a_failed_fit_leaves_a_trained_network_as_it_was(estimator):
    y = TARGETS[estimator]
    trained = estimator(**TINY).fit(X, y)
    before, predicted = dict(vars(trained)), trained.predict(X)
    for bad in (put(X, np.nan), X[:, :, :0], RAGGED[:3]):
        with pytest.raises(ValueError, match=r"NaN|0 feature|inconsistent"):
            trained.fit(bad, y)
        assert same(before, vars(trained))
    np.testing.assert_array_equal(trained.predict(X), predicted)
    np.testing.assert_array_equal(trained.fit(X, y).predict(X), predicted)


# At predict

EXPECTING = "features, but {name} is expecting"
NAMES = "The feature names should match those that were passed during fit.\n"
AT_PREDICT = {
    "more features": (
        "3-D",
        np.ones((3, T, 3)),
        "X has 3 features, but {name} is expecting 2 features as input.",
    ),
    "fewer features": ("3-D", X[:, :, :1], f"X has 1 {EXPECTING} 2"),
    "more in a list": (
        "3-D",
        [np.ones((2, 3)), np.ones((1, 3))],
        f"X has 3 {EXPECTING} 2",
    ),
    "none in a list": ("3-D", [np.ones(2), np.ones(1)], f"X has 1 {EXPECTING} 2"),
    "2-D after 3-D": ("3-D", FLAT, f"X has 1 {EXPECTING} 2"),
    "more columns": ("2-D", np.ones((3, 9)), f"X has 9 {EXPECTING} 4"),
    "3-D after 2-D": ("2-D", X, f"X has 2 {EXPECTING} 1"),
    "other order": ("frame", FRAME[list("badc")], NAMES + "Feature names must be in"),
    "a column less": (
        "frame",
        FRAME[list("abc")],
        NAMES + "Feature names seen at fit time, yet now missing:\n- d",
    ),
    "a column more": (
        "frame",
        FRAME.assign(z=1.0),
        NAMES + "Feature names unseen at fit time:\n- z",
    ),
    "beyond the vocabulary": (
        "ids",
        IDS + 1,
        "X contains the token id 7, but {name} was fitted with ids below 7.",
    ),
    "far beyond it": ("ids", IDS + 2**41, "but {name} was fitted with ids below 7."),
    "beyond that of a channel": (
        "channels",
        CHANNELS + np.array([0, 2]),
        "X contains the token id 5 in channel 1, but {name} was fitted with ids below "
        "4.",
    ),
    "more channels": ("channels", CHANNELS[:, :, [0, 1, 1]], f"X has 3 {EXPECTING} 2"),
    "fewer channels": ("channels", IDS, f"X has 1 {EXPECTING} 2"),
    "channels after ids": ("ids", CHANNELS, f"X has 2 {EXPECTING} 1"),
    "beyond it in a list": ("ids", [[1, 2], [9]], "X contains the token id 9, but"),
}
PREDICTS = {key: (form, X_, ValueError, m) for key, (form, X_, m) in AT_PREDICT.items()}
for form, rows in {"3-D": BAD_X, "ids": BAD_IDS, "channels": BAD_CHANNELS}.items():
    for key, (error, message, X_) in rows.items():
        # A first method would leave nothing of an iterator to the next.
        if key != "an iterator":
            PREDICTS[f"{form}, {key}"] = form, X_, error, message


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize("key", PREDICTS)
def test_every_method_refuses_bad_input(estimator, key):
    form, X_, error, message = PREDICTS[key]
    message = message.replace("{name}", estimator.__name__)
    known = fitted(estimator, form)
    before = dict(vars(known))
    for method in ("predict", "predict_proba", "predict_log_proba", "transform"):
        if hasattr(known, method):
            assert_refused(error, message, getattr(known, method), X_)
    assert_refused(error, message, known.score, X_, LABELS)
    assert same(before, vars(known))


METHODS = {
    "predict": (X,),
    "predict_proba": (X,),
    "predict_log_proba": (X,),
    "transform": (X,),
    "score": (X, LABELS),
    "get_feature_names_out": (),
}


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize("method", METHODS)
def test_nothing_works_before_fit(estimator, method):
    error = NotFittedError
    message = f"This {estimator.__name__} instance is not fitted yet. Call 'fit' with"
    if "proba" in method and estimator is GRURegressor:
        error, message = AttributeError, f"object has no attribute '{method}'"
    assert_refused(
        error, message, lambda: getattr(estimator(), method)(*METHODS[method])
    )


@pytest.mark.parametrize("estimator", BOTH)
def test_there_is_no_network_before_fit(estimator):
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        _ = estimator().model_


def test_wrong_names_of_features_are_refused():
    refused = "input_features should have length equal to number of features (2), got 1"
    names = fitted(GRURegressor).get_feature_names_out
    assert_refused(ValueError, refused, names, ["a"])
    refused = "input_features is not equal to feature_names_in_"
    names = fitted(GRURegressor, "frame").get_feature_names_out
    assert_refused(ValueError, refused, names, list("abcx"))


@pytest.mark.parametrize("estimator", BOTH)
def test_a_misspelt_parameter_is_refused(estimator):
    with pytest.raises(TypeError, match="unexpected keyword argument 'unit'"):
        estimator(unit=3)
    with pytest.raises(ValueError, match="Invalid parameter 'unit' for estimator GRU"):
        estimator().set_params(unit=3)


SCORES = {
    "other length": (COUNTS, (NUMBERS[:5],)),
    "other length of weights": (COUNTS, (NUMBERS, [1.0])),
    "NaN": ("Input y contains NaN.", (put(NUMBERS, np.nan),)),
}


@pytest.mark.parametrize("key", SCORES)
def test_a_bad_truth_is_not_scored(key):
    message, truth = SCORES[key]
    assert_refused(ValueError, message, fitted(GRURegressor).score, X, *truth)


# Training that goes on

CANNOT = "{name} cannot go on training: "
SINCE = " changed since the network was built. Fit with warm_start=False."
RESUMES = {
    "units": (BOTH, {"units": 3}, {}, f"{CANNOT}units{SINCE}"),
    "two of them": (
        BOTH,
        {"attention": "dot", "layer_norm": True},
        {},
        f"{CANNOT}attention, layer_norm{SINCE}",
    ),
    "return_sequences": (
        BOTH,
        {"return_sequences": True},
        {"y": STEPS},
        f"{CANNOT}return_sequences{SINCE}",
    ),
    "features": (
        BOTH,
        {},
        {"X": np.ones((N, T, 3))},
        "X has 3 features, but {name} is expecting 2 features as input.",
    ),
    "targets": (
        REGRESSOR,
        {},
        {"y": np.ones((N, 2))},
        "y has 2 targets, but {name} was fitted with 1.",
    ),
    "classes": (
        CLASSIFIER,
        {},
        {"y": LABELS + 1},
        "y contains the unknown label 2; the classes are [0, 1].",
    ),
    "kind of labels": (
        CLASSIFIER,
        {},
        {"y": np.eye(2, dtype=int)[LABELS]},
        f"{{name}} was fitted on labels; y has shape ({N}, 2).",
    ),
    "NaN": (BOTH, {}, {"X": put(X, np.nan)}, "Input X contains NaN."),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("key", RESUMES)
def test_training_goes_on_with_the_same_network_alone(key, method, monkeypatch):
    monkeypatch.setattr(skrnn._engine, "train", unreachable)
    kinds, params, changes, message = RESUMES[key]
    for kind in kinds:
        estimator = deepcopy(fitted(kind)).set_params(warm_start=True, **params)
        before = dict(vars(estimator))
        data = {"X": X, "y": TARGETS[kind]} | changes
        refused = message.replace("{name}", kind.__name__)
        assert_refused(ValueError, refused, getattr(estimator, method), **data)
        assert same(before, vars(estimator))


FIRST_CALLS = {
    "no classes": (None, "classes must be passed on the first call to partial_fit."),
    "one class": ([0], "needs samples of at least 2 classes, but there is only one"),
    "a class less": ([0, 2], "unknown label 1; the classes are [0, 2]."),
    "others": (["a", "b"], "unknown label 0; the classes are ['a', 'b']."),
}


@pytest.mark.parametrize("key", FIRST_CALLS)
def test_the_first_partial_fit_is_told_all_classes(key):
    classes, message = FIRST_CALLS[key]
    new = GRUClassifier(**TINY)
    before = dict(vars(new))
    assert_refused(ValueError, message, new.partial_fit, X, LABELS, classes=classes)
    assert same(before, vars(new))


def test_a_later_partial_fit_is_told_the_same_classes():
    known = deepcopy(fitted(GRUClassifier))
    message = "`classes=[0, 1, 2]` is not the same as on last call to partial_fit"
    assert_refused(ValueError, message, known.partial_fit, X, LABELS, classes=[0, 1, 2])


# In a pipeline

LOOKBACKS = {
    repr(value): (
        value,
        InvalidParameterError,
        "The 'lookback' parameter of SlidingWindow must be an int in the range "
        f"[1, inf). Got {value!r} instead.",
    )
    for value in (0, -1, 2.5, "3", True, None)
} | {
    repr(value): (
        value,
        ValueError,
        f"lookback={value} needs at least {value} rows but the series has n={N} "
        "samples.",
    )
    for value in (N + 1, 10**9)
}


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize("key", LOOKBACKS)
def test_a_bad_lookback_in_a_pipeline_is_refused(estimator, key):
    lookback, error, message = LOOKBACKS[key]
    steps = StandardScaler(), SlidingWindow(lookback=lookback), estimator(**TINY)
    refused = make_pipeline(*steps).fit
    assert_refused(error, message, refused, X[:, 0], TARGETS[estimator])


@pytest.mark.parametrize("estimator", BOTH)
def test_a_pipeline_refuses_weights_without_a_step_and_a_class_as_a_step(estimator):
    series, y = X[:, 0], TARGETS[estimator]
    pipeline = make_pipeline(SlidingWindow(lookback=2), estimator(**TINY))
    message = "Pipeline.fit does not accept the sample_weight parameter."
    assert_refused(ValueError, message, pipeline.fit, series, y, sample_weight=ONES)
    pipeline = make_pipeline(SlidingWindow(lookback=2), estimator)
    message = f"got estimator class instead ({estimator.__name__})."
    assert_refused(TypeError, message, pipeline.fit, series, y)
