"""A validation set, given to `fit` or held out: looked at, and never learnt from."""

import re
from functools import partial

import numpy as np
import pandas as pd
import pytest
import sklearn
from _instances import (
    FAST,
    FORMS,
    LEARNERS,
    assert_same_network,
    labels,
    numbers,
    sequences,
    target,
    with_params,
)
from sklearn.base import is_classifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    Seq2SeqClassifier,
    Seq2SeqRegressor,
)
from skrnn.preprocessing import SlidingWindow, TextSequencer
from skrnn.text import TextGenerator

RECORDING = FAST | dict(early_stopping=False)
learners = pytest.mark.parametrize("estimator", LEARNERS, ids=lambda e: str(e)[:20])


def held(form, n=9):
    """Make a validation set: other sequences, some longer than any in training."""
    rng = np.random.default_rng(1)
    if form == "2-D":
        return rng.normal(size=(n, 5))
    return [rng.normal(size=(length, 2)) for length in np.arange(n) % 6 + 2]


def learnt(estimator):
    """Return what a fit has learnt, apart from the history."""
    return {k: v for k, v in vars(estimator).items() if k not in ("history_", "_spec")}


def same(one, other):
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    if isinstance(one, list | tuple):
        return all(map(same, one, other)) and len(one) == len(other)
    return str(one) == str(other)


@learners
@pytest.mark.parametrize("form", FORMS)
def test_it_is_recorded_and_nothing_is_learnt_of_it(estimator, form):
    X, X_val = sequences(form), held(form)
    y, y_val = target(estimator, X), target(estimator, X_val)
    expected = with_params(estimator, **RECORDING).fit(X, y)
    model = with_params(estimator, **RECORDING)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    assert_same_network(model, expected)
    assert model.history_["loss"] == expected.history_["loss"]
    assert list(expected.history_) == ["loss"]
    assert [len(each) for each in model.history_.values()] == [2, 2]
    before, after = learnt(expected), learnt(model)
    assert list(before) == list(after)
    assert all(same(before[key], after[key]) for key in before)
    if type(estimator) in (GRURegressor, LSTMClassifier):
        found = model.history_["val_loss"][-1]
        np.testing.assert_allclose(found, loss_of(model, X_val, y_val), rtol=1e-4)


def loss_of(model, X, y):
    """Return the loss as it is minimised."""
    if is_classifier(model):
        return log_loss(y, model.predict_proba(X), labels=model.classes_)
    return np.mean((model.predict(X) - y) ** 2) / model._y_scale[0] ** 2


OTHERS = {
    "steps": (LSTMRegressor, dict(return_sequences=True), "ragged"),
    "tags": (GRUClassifier, dict(return_sequences=True, bidirectional=True), "ragged"),
    "a loss of one's own": (GRURegressor, {"loss": lambda a, b: abs(a - b)}, "ragged"),
    "an optimizer of Keras": (GRURegressor, {"optimizer": "nadam"}, "3-D"),
    "attention": (LSTMClassifier, {"attention": "dot"}, "ragged"),
}


@pytest.mark.parametrize("key", OTHERS)
def test_it_is_recorded_by_every_program(key):
    estimator, params, form = OTHERS[key]
    X, X_val = sequences(form), held(form, 3)
    of_steps = (
        [np.arange(len(x)) % 2 for x in X],
        [np.arange(len(x)) % 2 for x in X_val],
    )
    targets = of_steps if "return_sequences" in params else (numbers(X), numbers(X_val))
    if key == "attention":
        targets = labels(X), np.array(["up"] * 3)
    model = estimator(**RECORDING | params)
    y, y_val = targets
    found = model.fit(X, y, X_val=X_val, y_val=y_val).history_
    assert np.isfinite(found["val_loss"]).all()
    assert len(found["loss"]) == len(found["val_loss"]) == 2
    expected = estimator(**RECORDING | params).fit(X, y)
    assert_same_network(model, expected)


@pytest.mark.parametrize("early_stopping", ["auto", True])
@learners
def test_early_stopping_looks_at_it(estimator, early_stopping):
    X = sequences("3-D")
    y = target(estimator, X)
    # It gets worse from the beginning.
    y_val = np.where(y == "up", "down", "up") if is_classifier(estimator) else -y
    params = FAST | dict(epochs=20, patience=2, early_stopping=early_stopping)
    if hasattr(estimator, "warmup_steps"):
        # Of fewer epochs, fewer steps would be of the warm-up.
        params |= dict(warmup_steps=0)
    model = with_params(estimator, **params).fit(X, y, X_val=X, y_val=y_val)
    assert model.n_iter_ < 20
    assert model.best_epoch_ == np.argmin(model.history_["val_loss"]) + 1
    assert model.n_iter_ == model.best_epoch_ + 2
    # Trained on all of X, up to the best epoch.
    params |= dict(epochs=model.best_epoch_, early_stopping=False)
    assert_same_network(model, with_params(estimator, **params).fit(X, y))


# What is held out


@learners
def test_a_share_is_held_out_without_early_stopping(estimator):
    X = sequences("3-D")
    y = target(estimator, X)
    params = RECORDING | {"validation_split": 0.25}
    model = with_params(estimator, **params).fit(X, y)
    assert [len(each) for each in model.history_.values()] == [2, 2]
    assert list(model.history_) == ["loss", "val_loss"]
    assert model.best_epoch_ == 2


def test_what_is_held_out_is_the_end_of_a_series():
    X = sequences("2-D")
    y = numbers(X)
    plain = RECORDING | {"normalize_y": False}
    model = GRURegressor(**plain, validation_split=0.25).fit(X, y)
    given = GRURegressor(**plain)
    given.fit(X[:18], y[:18], X_val=X[18:], y_val=y[18:])
    assert_same_network(model, given)
    assert model.history_ == given.history_


def test_auto_stops_where_a_share_is_asked_for():
    X = sequences("2-D")
    y = np.random.default_rng(0).normal(size=len(X))
    params = FAST | dict(epochs=60, patience=2, validation_split=0.5)
    assert GRURegressor(**params).fit(X, y).n_iter_ < 60
    assert GRURegressor(**params, early_stopping=False).fit(X, y).n_iter_ == 60


@learners
def test_by_default_little_is_held_out_and_only_to_stop(estimator):
    assert estimator.validation_split is None
    X = sequences("3-D")
    y = target(estimator, X)
    model = with_params(estimator, **FAST).fit(X, y)
    assert list(model.history_) == ["loss"]
    one, other = (
        with_params(estimator, **FAST, early_stopping=True, validation_split=share).fit(
            X, y
        )
        for share in (None, 0.1)
    )
    assert_same_network(one, other)
    assert one.history_ == other.history_


def test_one_more_epoch_is_trained_on_everything():
    X = sequences("2-D")
    model = GRURegressor(**FAST, validation_split=0.5).partial_fit(X, numbers(X))
    expected = GRURegressor(**FAST).partial_fit(X, numbers(X))
    assert_same_network(model, expected)
    assert model.history_ == expected.history_


# Weights, callbacks, progress, going on


def test_weights_of_the_set():
    X, X_val = sequences("ragged"), held("ragged")
    y, y_val = numbers(X), numbers(X_val)
    fit = partial(GRURegressor(**RECORDING).fit, X, y)
    weights = np.array([0, 1, 1, 0, 2, 2, 0, 0, 1.0])
    rows = np.repeat(np.arange(9), weights.astype(int))
    found = fit(X_val=X_val, y_val=y_val, sample_weight_val=weights).history_
    repeated = [X_val[i] for i in rows]
    expected = fit(X_val=repeated, y_val=y_val[rows]).history_
    np.testing.assert_allclose(found["val_loss"], expected["val_loss"], rtol=1e-6)
    # Their unit means nothing.
    other = fit(X_val=X_val, y_val=y_val, sample_weight_val=weights * 1e6).history_
    np.testing.assert_allclose(other["val_loss"], found["val_loss"], rtol=1e-6)


def test_weights_of_classes_are_those_of_training_alone():
    X, X_val = sequences("2-D"), held("2-D")
    y, y_val = labels(X), labels(X_val)
    y[:3] = "up"
    model = GRUClassifier(**RECORDING, class_weight="balanced")
    model.fit(X, y, X_val=X_val, y_val=y_val)
    expected = log_loss(y_val, model.predict_proba(X_val))
    np.testing.assert_allclose(model.history_["val_loss"][-1], expected, rtol=1e-4)


def test_callbacks_and_progress_see_it(capsys):
    import keras

    seen = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(logs["val_loss"])
    )
    X = sequences("3-D")
    model = GRURegressor(**RECORDING, callbacks=[look], verbose=2)
    model.fit(X, numbers(X), X_val=X[:5], y_val=numbers(X[:5]))
    assert seen == model.history_["val_loss"]
    assert f"val_loss {seen[-1]:.4g}" in capsys.readouterr().err


def test_training_goes_on_with_it():
    X = sequences("2-D")
    y = numbers(X)
    model = GRURegressor(**RECORDING, warm_start=True).fit(X, y)
    model.fit(X, y, X_val=held("2-D"), y_val=numbers(held("2-D")))
    assert [len(each) for each in model.history_.values()] == [4, 4]
    assert np.isnan(model.history_["val_loss"]).tolist() == [True] * 2 + [False] * 2


# Pipelines


def series(n):
    rng = np.random.default_rng(n)
    frame = pd.DataFrame({"a": rng.normal(5, 3, n), "b": rng.normal(size=n)})
    frame.index = pd.date_range(f"20{n}", periods=n)
    return frame, frame["a"].rolling(3, min_periods=1).mean().to_numpy()


def test_a_pipeline_prepares_it_as_x():
    (X, y), (X_val, y_val) = series(60), series(30)
    network = LSTMRegressor(**RECORDING)
    with sklearn.config_context(enable_metadata_routing=True):
        network.set_fit_request(X_val=True, y_val=True)
        steps = StandardScaler(), SlidingWindow(4), network
        model = make_pipeline(*steps, transform_input=["X_val"])
        model.fit(X, y, X_val=X_val, y_val=y_val)
    found = model[-1].history_["val_loss"][-1]
    np.testing.assert_allclose(found, loss_of_pipeline(model, X_val, y_val), rtol=1e-4)
    # The same by hand, where nothing is routed.
    by_hand = make_pipeline(
        StandardScaler(), SlidingWindow(4), LSTMRegressor(**RECORDING)
    )
    prepared = by_hand[:-1].fit(X, y).transform(X_val)
    given = {"lstmregressor__X_val": prepared, "lstmregressor__y_val": y_val}
    assert by_hand.fit(X, y, **given)[-1].history_ == model[-1].history_


def loss_of_pipeline(model, X, y):
    return np.mean((model.predict(X) - y) ** 2) / model[-1]._y_scale[0] ** 2


def test_a_search_passes_it_on():
    (X, y), (X_val, y_val) = series(60), series(30)
    with sklearn.config_context(enable_metadata_routing=True):
        network = LSTMRegressor(**RECORDING).set_fit_request(X_val=True, y_val=True)
        model = make_pipeline(SlidingWindow(4), network, transform_input=["X_val"])
        grid = {"slidingwindow__lookback": [2, 3]}
        search = GridSearchCV(model, grid, cv=KFold(2)).fit(
            X, y, X_val=X_val, y_val=y_val
        )
    assert len(search.best_estimator_[-1].history_["val_loss"]) == 2


def test_texts_in_a_pipeline():
    texts, y = ["good food", "bad food", "good wine", "bad wine"] * 2, [1, 0] * 4
    with sklearn.config_context(enable_metadata_routing=True):
        network = GRUClassifier(**RECORDING, embedding_dim=2)
        network.set_fit_request(X_val=True, y_val=True)
        model = make_pipeline(TextSequencer(), network, transform_input=["X_val"])
        model.fit(texts, y, X_val=["good beer", "bad", "bad bad wine"], y_val=[1, 0, 0])
    assert "beer" not in model[0].vocabulary_
    assert len(model[-1].history_["val_loss"]) == 2


# Encoders and decoders, and texts


def test_what_is_known_of_the_steps_of_the_set():
    rng = np.random.default_rng(0)
    X, future = rng.normal(size=(20, 4, 1)), rng.normal(size=(20, 3))
    fit = Seq2SeqRegressor(**RECORDING).fit
    model = fit(
        X[:12], future[:12], future=future[:12],
        X_val=X[12:], y_val=future[12:], future_val=future[12:],
    )  # fmt: skip
    assert len(model.history_["val_loss"]) == 2
    with pytest.raises(
        ValueError, match="fitted with future, of 1 features; pass futu"
    ):
        fit(X, future, future=future, X_val=X, y_val=future)
    with pytest.raises(
        ValueError, match=r"future_val has shape .* but X_val has 20 seq"
    ):
        fit(X, future, future=future, X_val=X, y_val=future, future_val=future[:, :2])
    with pytest.raises(
        ValueError, match="future_val is provided, but X_val and y_val "
    ):
        fit(X, future, future=future, future_val=future)


def test_strings_to_validate_on():
    words = ["ab", "ba", "abc", "cab"] * 3
    backwards = [word[::-1] for word in words]
    model = Seq2SeqClassifier(**RECORDING)
    model.fit(words, backwards, X_val=["abcabz", "b"], y_val=["cbacba", "b"])
    assert len(model.history_["val_loss"]) == 2
    assert model.max_length_ == 3
    with pytest.raises(
        ValueError, match="y_val contains the unknown label 'z'; the cl"
    ):
        model.fit(words, backwards, X_val=["ab"], y_val=["z"])


def test_texts_to_validate_on():
    text = "the cat sat on the mat. " * 10
    params = dict(units=8, lookback=8, batch_size=4, epochs=3, random_state=0)
    expected = TextGenerator(**params, early_stopping=False).fit(text)
    model = TextGenerator(**params, early_stopping=False)
    model.fit(text, X_val="the mat sat on the cat. " * 3)
    assert_same_network(model, expected)
    assert list(model.history_) == ["loss", "val_loss"]
    assert model.history_["loss"] == expected.history_["loss"]
    share = TextGenerator(**params, early_stopping=False, validation_split=0.2)
    assert list(share.fit(text).history_) == ["loss", "val_loss"]
    stopped = TextGenerator(**params | dict(epochs=40, patience=1)).fit(
        text, X_val="tttt hhhh eeee " * 4
    )
    assert stopped.n_iter_ < 40
    with pytest.raises(
        ValueError, match="X_val has characters that are not in the voc"
    ):
        model.fit(text, X_val="dogs")
    with pytest.raises(TypeError, match=r"X_val\[1\] must be a str. Got None"):
        model.fit(text, X_val=["the", None])


# Errors

X = sequences("3-D")
Y = numbers(X)
BAD = {
    "no y_val": (dict(X_val=X), "X_val is provided, but y_val was not provided."),
    "no X_val": (dict(y_val=Y), "y_val is provided, but X_val was not provided."),
    "weights alone": (
        dict(sample_weight_val=Y),
        "sample_weight_val is provided, but X_val and y_val were not provided.",
    ),
    "features": (
        dict(X_val=X[:, :, :1], y_val=Y),
        "X_val has 1 features, but GRURegressor is expecting 2 features as input.",
    ),
    "counts": (
        dict(X_val=X, y_val=Y[1:]),
        "X_val and y_val: Found input variables with inconsistent numbers of samples: ",
    ),
    "NaN in X_val": (dict(X_val=X * np.nan, y_val=Y), "Input X_val contains NaN."),
    "NaN in y_val": (dict(X_val=X, y_val=Y * np.nan), "Input y_val contains NaN."),
    "several targets": (
        dict(X_val=X, y_val=np.c_[Y, Y]),
        "y_val has 2 targets, but GRURegressor was fitted with 1.",
    ),
    "negative weights": (
        dict(X_val=X, y_val=Y, sample_weight_val=-np.ones(24)),
        "Negative values in data passed to `sample_weight_val`.",
    ),
    "nothing": (dict(X_val=[], y_val=[]), "X_val and y_val: Found array with 0 sample"),
}


@pytest.mark.parametrize("key", BAD)
def test_what_cant_be_used_is_named_and_changes_nothing(key):
    given, message = BAD[key]
    model = GRURegressor(**FAST)
    for _ in range(2):
        before = dict(vars(model))
        with pytest.raises(ValueError, match=re.escape(message)):
            model.fit(X, Y, **given)
        assert vars(model) == before
        model = GRURegressor(**FAST).fit(X, Y)


def test_unknown_labels_are_named():
    model = GRUClassifier(**FAST)
    with pytest.raises(
        ValueError, match="y_val contains the unknown label 'side'; the"
    ):
        model.fit(X, labels(X), X_val=X[:2], y_val=["up", "side"])


@pytest.mark.parametrize("form", [list, pd.DataFrame])
def test_columns_of_frames_are_named(form):
    table = sequences("2-D")
    first = pd.DataFrame(table, columns=list("abcde"))
    turned = first[list("edcba")]
    given, other = ([first] * 24, [turned] * 24) if form is list else (first, turned)
    y, model = np.resize(Y, len(given)), GRURegressor(**FAST)
    with pytest.raises(
        ValueError, match=r"^X_val: The feature names should match those"
    ):
        model.fit(given, y, X_val=other, y_val=y)
    arrays = [table] * 24 if form is list else table
    with pytest.warns(UserWarning, match="^X_val has feature names, but GRURegressor"):
        model.fit(arrays, y, X_val=given, y_val=y)
    with pytest.warns(UserWarning, match="^X_val does not have valid feature names"):
        model.fit(given, y, X_val=arrays, y_val=y)
    assert not hasattr(model, "_suffix_of_names")


def test_warnings_of_the_set_name_it():
    X, y = np.arange(40).reshape(8, 5, 1), np.arange(8.0)
    model = GRURegressor(**FAST)
    with pytest.warns(UserWarning, match="^X_val holds integers from"):
        model.fit(X, y, X_val=X + 2**25, y_val=y)
    with pytest.warns(UserWarning, match=r"^X_val of shape \(5, 1\) is read as 5"):
        model.fit(X, y, X_val=X[0], y_val=y[:5])


def test_columns_of_what_is_known_are_named():
    X, y = np.random.default_rng(0).normal(size=(2, 8, 3))[:, :, :, None]
    frames = [pd.DataFrame({"a": x[:, 0], "b": 1.0}) for x in X]
    turned = [frame[["b", "a"]] for frame in frames]
    with pytest.raises(
        ValueError, match=r"^future_val: The feature names should match"
    ):
        Seq2SeqRegressor(**FAST).fit(
            X, y, future=frames, X_val=X, y_val=y, future_val=turned
        )


def test_ids_of_other_words_are_refused():
    texts = ["good food", "bad wine"] * 4
    ids, other = (
        TextSequencer().fit_transform(each) for each in (texts, [*texts, "also"])
    )
    model = GRUClassifier(**FAST, embedding_dim=2)
    with pytest.raises(ValueError, match="X_val holds token ids of another vocabulary"):
        model.fit(ids, [0, 1] * 4, X_val=other, y_val=[0, 1] * 4 + [1])
    large = np.array([[2, 99]])
    with pytest.raises(
        ValueError, match="X_val contains the token id 99, but GRUClassi"
    ):
        model.fit(ids, [0, 1] * 4, X_val=large, y_val=[0])
