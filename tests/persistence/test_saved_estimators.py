"""Every estimator in a file and back: it predicts the same bits, and goes on."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from _instances import (
    DETECTORS,
    FAST,
    FORECASTERS,
    INSTANCES,
    LEARNERS,
    OF_TEXT,
    OF_WORDS,
    assert_same_network,
    in_new_process,
    numbers,
    sequences,
    target,
    with_params,
)
from sklearn.base import clone

import skrnn
from skrnn.preprocessing import SequencePadder, TextSequencer, WordFeaturizer

TINY = {**FAST, "units": 2, "epochs": 1}
ALL = [*INSTANCES, *OF_WORDS, *FORECASTERS, *OF_TEXT]


@pytest.fixture
def there_and_back(tmp_path):
    def go(estimator, **options):
        path = tmp_path / "model.skrnn"
        skrnn.save(estimator, path, **options)
        first = path.read_bytes()
        again = skrnn.load(path, **options)
        # The same estimator makes the same file.
        skrnn.save(again, path, **options)
        assert path.read_bytes() == first
        return again

    return go


def name(value):
    return type(value).__name__


def assert_same(one, other):
    """Compare answers bit by bit: arrays, ragged ones, frames, lists."""
    assert type(one) is type(other)
    if isinstance(one, pd.DataFrame | pd.Series):
        pd.testing.assert_index_equal(one.index, other.index, exact=True)
        one, other = one.to_numpy(), other.to_numpy()
    if hasattr(one, "toarray"):
        one, other = one.toarray(), other.toarray()
    np.testing.assert_equal(list(one), list(other))
    assert getattr(one, "dtype", None) == getattr(other, "dtype", None)


METHODS = (
    "predict",
    "predict_proba",
    "transform",
    "score_samples",
    "decision_function",
)


def assert_same_answers(one, other, X):
    methods = [method for method in METHODS if hasattr(one, method)]
    assert methods
    for method in methods:
        assert_same(getattr(one, method)(X), getattr(other, method)(X))


@pytest.mark.parametrize("estimator", ALL, ids=name)
def test_before_fit(estimator, there_and_back):
    again = there_and_back(estimator)
    assert type(again) is type(estimator)
    assert repr(again) == repr(estimator)
    assert vars(again).keys() == vars(estimator).keys()
    clone(again)


def learner(estimator, **options):
    return with_params(estimator, **TINY, **options)


@pytest.mark.parametrize("estimator", [*LEARNERS, *DETECTORS], ids=name)
def test_after_fit(estimator, there_and_back):
    X = sequences("3-D")
    y = target(estimator, X)
    fitted = learner(estimator).fit(X, y)
    again = there_and_back(fitted)
    assert_same_answers(again, fitted, X)
    assert_same_network(again, fitted)
    assert vars(again).keys() == vars(fitted).keys()
    assert again.history_ == fitted.history_
    # Training goes on from the optimizer's state.
    if hasattr(fitted, "partial_fit"):
        for each in (again, fitted):
            each.partial_fit(X, y)
        assert_same_network(again, fitted)
    copied = pickle.loads(pickle.dumps(again))
    assert_same_answers(copied, fitted, X)
    clone(again).fit(X, y)


@pytest.mark.parametrize("form", ["2-D", "ragged"])
@pytest.mark.parametrize("steps", [False, True])
def test_forms_of_x(form, steps, there_and_back):
    X = sequences(form)
    y = numbers(X)
    if steps:
        y = X if form == "2-D" else [x[:, 0] for x in X]
    fitted = skrnn.GRURegressor(**TINY, return_sequences=steps).fit(X, y)
    assert_same(list(there_and_back(fitted).predict(X)), list(fitted.predict(X)))


IDS = np.random.default_rng(0).integers(1, 5, size=(12, 4))
WORDS = ["ab", "ba b", "a b a"] * 4
NAMES = ["up", "down"] * 6
SERIES = np.random.default_rng(0).normal(size=(14, 2))
SENTENCES = [["The", "cat"], ["A", "dog", "sat"]] * 4
# Estimator, X and y.
MORE = {
    "ids": (skrnn.GRUClassifier(**TINY, embedding_dim=2), IDS, IDS[:, 0]),
    "both": (
        skrnn.LSTMRegressor(**TINY, bidirectional=True, attention="dot"),
        sequences("3-D"),
        sequences("3-D")[:, 0],
    ),
    "frozen vectors": (
        skrnn.GRUClassifier(**TINY, embedding_matrix=np.eye(6)),
        IDS,
        IDS[:, 0],
    ),
    "multilabel": (
        skrnn.GRUClassifier(**TINY),
        sequences("3-D"),
        (sequences("3-D")[:, 0] > 0).astype(int),
    ),
    "translator": (skrnn.Seq2SeqClassifier(**TINY), WORDS, NAMES),
    "spellings": (skrnn.Seq2SeqClassifier(**TINY), NAMES, WORDS),
    "generator": (
        clone(OF_TEXT[0]).set_params(units=2, embedding_dim=2, epochs=1),
        WORDS,
        None,
    ),
    "window": (skrnn.SlidingWindow(3, warmup="carry"), SERIES, None),
    "dated window": (
        skrnn.SlidingWindow(3, warmup="carry"),
        pd.DataFrame(SERIES, pd.date_range("2024-03-30", periods=14, tz="Europe/Oslo")),
        None,
    ),
    "padder": (SequencePadder(), sequences("ragged"), None),
    "texts": (TextSequencer(), WORDS, None),
    "filled texts": (TextSequencer("char", padding="post"), WORDS, None),
    "words": (WordFeaturizer(("lower", "suffix2"), min_df=1), SENTENCES, None),
}


@pytest.mark.parametrize("key", MORE)
def test_more_kinds(key, there_and_back):
    made, X, y = MORE[key]
    fitted = clone(made).fit(X, y)
    again = there_and_back(fitted)
    assert vars(again).keys() == vars(fitted).keys()
    if key == "generator":
        options = dict(max_new_tokens=5, random_state=0)
        assert again.generate("a", **options) == fitted.generate("a", **options)
        assert again.tokens_.tolist() == fitted.tokens_.tolist()
        again.partial_fit(X)
        return
    with warnings.catch_warnings():
        # The rows of fit don't follow those of fit.
        warnings.simplefilter("ignore")
        assert_same_answers(again, fitted, X)


def test_several_series_carry_on(there_and_back):
    groups = np.array(["a", "b"])[np.arange(14) // 7]
    fitted = skrnn.SlidingWindow(3, warmup="carry").fit(SERIES, groups=groups)
    again = there_and_back(fitted)
    later = SERIES[:4], ["a", "b", "a", "b"]
    one, other = (e.transform(later[0], groups=later[1]) for e in (again, fitted))
    assert_same(np.asarray(one), np.asarray(other))


IN_A_NEW_PROCESS = """
import pickle, sys
import numpy as np
import skrnn
model = skrnn.load(sys.argv[1])
X, expected = pickle.load(open(sys.argv[2], "rb"))
np.testing.assert_array_equal(model.predict(X), expected)
loaded = {name.split(".")[0] for name in sys.modules}
assert not loaded & {"tensorflow", "keras", "jax", "torch", "matplotlib"}, loaded
"""


def test_in_a_new_process_without_tensorflow(tmp_path):
    X = sequences("3-D")
    fitted = skrnn.LSTMRegressor(**TINY).fit(X, numbers(X))
    skrnn.save(fitted, tmp_path / "model.skrnn")
    (tmp_path / "X.pkl").write_bytes(pickle.dumps((X, fitted.predict(X))))
    in_new_process(IN_A_NEW_PROCESS, tmp_path / "model.skrnn", tmp_path / "X.pkl")


def test_an_optimizer_of_keras_goes_along(there_and_back):
    import keras

    rate = keras.optimizers.schedules.CosineDecay(0.01, 100)
    X = sequences("3-D")
    for optimizer in (keras.optimizers.Nadam(0.02), keras.optimizers.Adam(rate)):
        fitted = skrnn.LSTMRegressor(**TINY, optimizer=optimizer).fit(X, numbers(X))
        again = there_and_back(fitted)
        assert type(again.optimizer) is type(optimizer)
        assert again.optimizer.get_config() == optimizer.get_config()
        for each in (again, fitted):
            each.partial_fit(X, numbers(X))
        assert_same_network(again, fitted)


def test_functions_of_the_user_need_trust(there_and_back, tmp_path):
    from _losses import absolute

    model = skrnn.LSTMRegressor(**TINY, loss=absolute)
    expected = r"LSTMRegressor\.loss is of type function, which can't be saved"
    with pytest.raises(TypeError, match=expected):
        skrnn.save(model, tmp_path / "model.skrnn")
    assert not (tmp_path / "model.skrnn").exists()
    X = sequences("3-D")
    fitted = model.fit(X, numbers(X))
    again = there_and_back(fitted, trusted=[absolute])
    assert again.loss is absolute
    skrnn.save(fitted, tmp_path / "model.skrnn", trusted=[absolute])
    with pytest.raises(ValueError, match=r"names '_losses.absolute'.*trusted=\["):
        skrnn.load(tmp_path / "model.skrnn")


def test_what_cannot_be_saved_is_named(tmp_path):
    path = tmp_path / "model.skrnn"
    path.write_bytes(b"before")
    nested = skrnn.SequenceWise(skrnn.LSTMRegressor(callbacks=[object()]))
    cases = [
        (nested, r"SequenceWise\.transformer\.callbacks\[0\] is of type object"),
        (skrnn.LSTMRegressor(units=10**30), r"\.units is an int of 100 bits"),
        (3, "estimator is int"),
        (skrnn.LSTMRegressor, "estimator is a class"),
    ]
    loop = skrnn.SequenceWise(None)
    loop.transformer = loop
    cases.append((loop, r"SequenceWise\.transformer is nested too deep, or holds it"))
    for estimator, expected in cases:
        with pytest.raises(TypeError, match=expected):
            skrnn.save(estimator, path)
    assert path.read_bytes() == b"before"
    assert [each.name for each in tmp_path.iterdir()] == ["model.skrnn"]


# Targets that never vary have a scale of 0.
CONSTANT = {
    "a number": (skrnn.GRURegressor, np.ones(24)),
    "one of two": (skrnn.LSTMRegressor, np.arange(48.0).reshape(24, 2) % [1, 48]),
    "a horizon": (skrnn.Seq2SeqRegressor, np.full((24, 3), 2.0)),
}


@pytest.mark.parametrize("case", CONSTANT)
def test_constant_targets(case, there_and_back):
    cls, y = CONSTANT[case]
    X = np.random.default_rng(0).normal(size=(24, 5, 2))
    estimator = cls(**TINY).fit(X, y)
    assert 0 in estimator._y_scale
    for again in (
        there_and_back(estimator),
        pickle.loads(pickle.dumps(estimator)),
        clone(estimator).fit(X, y),
    ):
        assert_same(again.predict(X), estimator.predict(X))
