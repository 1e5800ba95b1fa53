"""Names of columns in scikeras' wrappers: frames, and lists of them, as in ``fit``."""

import keras
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skrnn.scikeras import KerasRegressor

N = 12
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 5, 2)).astype(np.float32)
Y = X[:, 0, 0]
FRAMES = {
    "pandas": pd.DataFrame,
    "polars": lambda columns: pl.DataFrame(columns),
    "pyarrow": lambda columns: pa.table(columns),
}
every_frame = pytest.mark.parametrize("kind", FRAMES)


def frame(kind, values, names=("temp", "load")):
    columns = zip(names, np.asarray(values).T, strict=True)
    return FRAMES[kind](dict(columns))


def frames(kind, *, ragged, names=("temp", "load")):
    """Make a list of frames; with names in another order their columns are, too."""
    order = [("temp", "load").index(name) for name in names if name != "wind"]
    order = order if len(order) == 2 else [0, 1]
    lengths = 2 + np.arange(N) % 4 if ragged else np.full(N, 5)
    pairs = zip(X, lengths, strict=True)
    return [frame(kind, x[:length, order], names) for x, length in pairs]


def recurrent(meta):
    layers = [keras.layers.Masking(-9.0), keras.layers.GRU(2), keras.layers.Dense(1)]
    return keras.Sequential([keras.Input((None, 2)), *layers])


def dense(meta):
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


def regressor(build):
    return KerasRegressor(build, loss="mse", verbose=0, random_state=0)


@every_frame
@pytest.mark.parametrize("ragged", [True, False])
def test_lists_of_frames_are_held_to_the_names_of_fit(kind, ragged):
    given = frames(kind, ragged=ragged)
    model = regressor(recurrent).fit(given, Y)
    assert model.feature_names_in_.tolist() == ["temp", "load"]
    assert model.n_features_in_ == 2
    arrays = [x[: len(each)] for x, each in zip(X, given, strict=True)]
    by_hand = regressor(recurrent).fit(arrays, Y)
    expected = by_hand.predict(arrays)
    np.testing.assert_allclose(model.predict(given), expected, rtol=1e-6)
    for names in (("load", "temp"), ("temp", "wind")):
        wrong = frames(kind, ragged=ragged, names=names)
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(wrong)
        with pytest.raises(ValueError, match="feature names should match"):
            model.score(wrong, Y)
        with pytest.raises(ValueError, match="feature names should match"):
            model.partial_fit(wrong, Y)


@every_frame
def test_a_single_frame_is_held_to_the_names_of_fit(kind):
    model = regressor(dense).fit(frame(kind, X[:, 0]), Y)
    assert model.feature_names_in_.tolist() == ["temp", "load"]
    by_hand = regressor(dense).fit(X[:, 0], Y).predict(X[:, 0])
    np.testing.assert_allclose(model.predict(frame(kind, X[:, 0])), by_hand, rtol=1e-6)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame(kind, X[:, 0, ::-1], ("load", "temp")))


@every_frame
def test_frames_of_one_list_have_the_same_names(kind):
    mixed = frames(kind, ragged=True)
    mixed[3] = frames(kind, ragged=True, names=("load", "temp"))[3]
    with pytest.raises(ValueError, match=r"X\[3\]"):
        regressor(recurrent).fit(mixed, Y)


def test_arrays_after_frames_warn():
    model = regressor(recurrent).fit(frames("pandas", ragged=True), Y)
    with pytest.warns(UserWarning, match="feature names"):
        model.predict([x[:3] for x in X])


@pytest.mark.parametrize("ragged", [True, False, None])
def test_names_of_a_validation_set_are_told_as_such(ragged):
    if ragged is None:
        build, given = dense, frame("pandas", X[:, 0])
        turned = given[["load", "temp"]]
    else:
        build, given = recurrent, frames("pandas", ragged=ragged)
        turned = frames("pandas", ragged=ragged, names=("load", "temp"))
    said = r"^X_val (and y_val|can't be read): The feature names should"
    with pytest.raises(ValueError, match=said):
        regressor(build).fit(given, Y, X_val=turned, y_val=Y)


@pytest.mark.parametrize("form", ["dense", "ragged", "frames"])
def test_numbers_that_float32_can_not_tell_apart_are_warned_about(form):
    seconds = np.concatenate([X, 1.7e9 + RNG.uniform(0, 60, X.shape)], axis=2)[
        :, :, ::2
    ]
    lengths = 2 + np.arange(N) % 4
    given = {
        "dense": seconds,
        "ragged": [x[:n] for x, n in zip(seconds, lengths, strict=True)],
        "frames": [pd.DataFrame(x[:3], columns=["load", "when"]) for x in seconds],
    }[form]
    feature = "'when'" if form == "frames" else "1"
    with pytest.warns(UserWarning, match=f"^Feature {feature} of X has half"):
        regressor(recurrent).fit(given, Y)


def test_tables_are_warned_about_and_have_no_steps():
    far = 1e9 * np.arange(1, N + 1)[:, None] + RNG.uniform(0, 10, (N, 2))
    regressor(dense).fit(far, Y)
    with pytest.warns(UserWarning, match="^Feature 0 of X has half"):
        regressor(dense).fit(far - 1e9 * np.arange(N)[:, None], Y)
