"""Frames are held to the names and the order of columns that ``fit`` saw."""

import pickle
from collections import namedtuple

import numpy as np
import pandas as pd
import pytest
from _frames import FRAMES, select
from _instances import FAST, LEARNERS, TRANSFORMERS, target
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import skrnn
from skrnn.inspection import attention_weights
from skrnn.preprocessing import SequencePadder, SequenceWise, TextSequencer

RNG = np.random.default_rng(0)
NAMES = ["temp", "load"]
OTHER_ORDER = "Feature names must be in the same order as they were in fit."
LENGTHS = {"equally long": [4] * 12, "ragged": [3, 5, 4] * 4}

every_library = pytest.mark.parametrize("library", FRAMES)
every_form = pytest.mark.parametrize("lengths", LENGTHS)
READERS = [each.set_params(epochs=1) for each in map(clone, LEARNERS)] + [
    each for each in TRANSFORMERS if isinstance(each, SequencePadder | SequenceWise)
]
every_reader = pytest.mark.parametrize(
    "reader", READERS, ids=lambda each: type(each).__name__
)


def arrays_of(lengths):
    return [RNG.normal(size=(n, len(NAMES))) for n in LENGTHS[lengths]]


def frames_of(arrays, library="pandas", names=NAMES):
    return [FRAMES[library](array, names) for array in arrays]


def turned(frames):
    return [select(frame, NAMES[::-1]) for frame in frames]


def answer(reader):
    """Return the method that reads X once more."""
    return reader.predict if hasattr(reader, "predict") else reader.transform


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@every_reader
@every_form
@every_library
def test_frames_in_a_list_are_held_to_the_names_of_fit(reader, lengths, library):
    arrays = arrays_of(lengths)
    frames = frames_of(arrays, library)
    fitted = clone(reader).fit(frames, target(reader, arrays))
    assert fitted.feature_names_in_.tolist() == NAMES
    assert fitted.n_features_in_ == 2
    with pytest.raises(ValueError, match=OTHER_ORDER):
        answer(fitted)(turned(frames))
    with pytest.raises(ValueError, match="unseen at fit time:\n- wind\n"):
        answer(fitted)(frames_of(arrays, library, ["temp", "wind"]))
    with pytest.raises(ValueError, match=r"X\[1\] has the columns \['load', 'temp'\]"):
        answer(fitted)([frames[0], *turned(frames[1:])])
    with pytest.warns(UserWarning, match="X does not have valid feature names, but"):
        expected = answer(fitted)(arrays)
    assert same(answer(fitted)(frames), expected)


@every_reader
def test_frames_without_names_in_fit_are_warned_about(reader):
    arrays = arrays_of("ragged")
    fitted = clone(reader).fit(arrays, target(reader, arrays))
    assert not hasattr(fitted, "feature_names_in_")
    with pytest.warns(UserWarning, match="X has feature names, but .* without feature"):
        answer(fitted)(frames_of(arrays))


METHODS = {
    "fit on": lambda model, X, y: model.set_params(warm_start=True).fit(X, y),
    "partial_fit": lambda model, X, y: model.partial_fit(X, y),
    "score": lambda model, X, y: model.score(X, y),
    "transform": lambda model, X, y: model.transform(X),
    "attention": lambda model, X, y: attention_weights(model, X),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("container", [list, tuple, pd.Series, "object array"])
def test_every_method_and_container_is_held_to_the_names(method, container):
    arrays = arrays_of("ragged")
    frames = frames_of(arrays)
    y = RNG.normal(size=len(frames))
    model = skrnn.GRURegressor(**FAST, attention="dot").fit(
        contain(frames, container), y
    )
    METHODS[method](model, contain(frames, container), y)
    with pytest.raises(ValueError, match=OTHER_ORDER):
        METHODS[method](model, contain(turned(frames), container), y)


def contain(frames, container):
    if container != "object array":
        return container(frames)
    array = np.empty(len(frames), dtype=object)
    array[:] = frames
    return array


def test_names_stay_in_pickles_and_go_with_the_next_fit():
    arrays = arrays_of("ragged")
    y = RNG.normal(size=len(arrays))
    model = skrnn.GRURegressor(**FAST).fit(frames_of(arrays), y)
    again = pickle.loads(pickle.dumps(model))
    with pytest.raises(ValueError, match=OTHER_ORDER):
        again.predict(turned(frames_of(arrays)))
    assert not hasattr(model.fit(arrays, y), "feature_names_in_")


def test_a_fit_that_fails_keeps_the_names():
    arrays = arrays_of("ragged")
    model = skrnn.GRURegressor(**FAST).fit(frames_of(arrays), np.arange(12.0))
    with pytest.raises(ValueError, match="NaN"):
        model.fit(frames_of(arrays, names=["a", "b"]), np.full(12, np.nan))
    assert model.feature_names_in_.tolist() == NAMES


def test_frames_of_one_list_must_agree_in_fit():
    frames = frames_of(arrays_of("ragged"))
    wrong = [*frames[:3], *turned(frames[3:4]), *frames[4:]]
    told = (
        r"X\[3\] has the columns \['load', 'temp'\], but X\[0\] has "
        r"\['temp', 'load'\]; expected the same in the same order"
    )
    with pytest.raises(ValueError, match=told):
        skrnn.GRURegressor(**FAST).fit(wrong, np.arange(12.0))
    numbered = [frame.set_axis([0, 1], axis=1) for frame in frames]
    numbered[3] = numbered[3][[1, 0]]
    with pytest.raises(ValueError, match=r"X\[3\] has the columns \[1, 0\]"):
        skrnn.GRURegressor(**FAST).fit(numbered, np.arange(12.0))


def test_columns_that_are_numbered_have_no_names():
    arrays = arrays_of("ragged")
    frames = [pd.DataFrame(x, columns=[2 * i, 2 * i + 1]) for i, x in enumerate(arrays)]
    model = skrnn.GRURegressor(**FAST).fit(frames, np.arange(12.0))
    assert not hasattr(model, "feature_names_in_")
    assert np.array_equal(model.predict(arrays), model.predict(frames))


def test_an_array_among_frames_is_warned_about():
    arrays = arrays_of("ragged")
    frames = [*frames_of(arrays[:5]), *arrays[5:]]
    with pytest.warns(UserWarning, match=r"X\[5\] does not have valid feature names"):
        model = skrnn.GRURegressor(**FAST).fit(frames, np.arange(12.0))
    assert model.feature_names_in_.tolist() == NAMES


@every_library
def test_a_single_frame_is_held_to_its_names(library):
    table = RNG.normal(size=(12, 4))
    frame = FRAMES[library](table, "abcd")
    model = skrnn.GRURegressor(**FAST).fit(frame, table[:, 0])
    assert model.feature_names_in_.tolist() == list("abcd")
    plain = skrnn.GRURegressor(**FAST).fit(table, table[:, 0])
    assert np.array_equal(plain.predict(table), model.predict(frame))
    with pytest.raises(ValueError, match=OTHER_ORDER):
        model.predict(select(frame, list("abdc")))


def test_cross_validation_takes_lists_of_frames():
    arrays = arrays_of("ragged")
    y = np.array([x[-1, 0] for x in arrays])
    model = skrnn.GRURegressor(**FAST)
    scores = cross_val_score(model, frames_of(arrays), y, cv=2, error_score="raise")
    assert np.array_equal(scores, cross_val_score(model, arrays, y, cv=2))


# What is known beforehand


@pytest.fixture(scope="module")
def forecaster():
    X, y = RNG.normal(size=(12, 4, 2)), RNG.normal(size=(12, 3))
    future = frames_of(RNG.normal(size=(12, 3, 2)))
    model = skrnn.Seq2SeqRegressor(**FAST).fit(X, y, future=future)
    return model, X, y, future


FUTURE_READERS = {
    "predict": lambda model, X, y, future: model.predict(X, future=future),
    "score": lambda model, X, y, future: model.score(X, y, future=future),
    "partial_fit": lambda model, X, y, future: model.partial_fit(X, y, future=future),
    "attention": lambda model, X, y, future: attention_weights(model, X, future=future),
}


@pytest.mark.parametrize("reader", FUTURE_READERS)
@every_library
def test_the_future_is_held_to_its_names(reader, library, forecaster):
    fitted, X, y, future = forecaster
    model, read = pickle.loads(pickle.dumps(fitted)), FUTURE_READERS[reader]
    arrays = [np.asarray(frame) for frame in future]
    frames = frames_of(arrays, library)
    read(model, X, y, frames)
    with pytest.raises(ValueError, match=f"^future: .*(\n.*)?{OTHER_ORDER}"):
        read(model, X, y, turned(frames))
    with pytest.raises(ValueError, match=r"future\[2\] has the columns"):
        read(model, X, y, [*frames[:2], *turned(frames[2:])])
    with pytest.warns(UserWarning, match="future does not have valid feature names"):
        read(model, X, y, np.stack(arrays))


def test_a_future_without_names_in_fit_is_warned_about(forecaster):
    _, X, y, future = forecaster
    arrays = np.stack(future)
    model = skrnn.Seq2SeqRegressor(**FAST).fit(X, y, future=arrays)
    with pytest.warns(UserWarning, match="future has feature names, but"):
        model.predict(X, future=future)


# A step at a time


@pytest.fixture(scope="module")
def stream():
    arrays = arrays_of("ragged")
    model = skrnn.GRURegressor(**FAST).fit(frames_of(arrays), np.arange(12.0))
    return model.stream(), frames_of(arrays)[0]


@every_library
def test_a_step_of_a_stream_may_be_a_row_of_a_frame(library, stream):
    stream, frame = stream
    expected = stream.reset().update(np.asarray(frame)[0])
    row = FRAMES[library](np.asarray(frame)[:1], NAMES)
    assert stream.reset().update(row) == expected
    with pytest.raises(ValueError, match=OTHER_ORDER):
        stream.update(select(row, NAMES[::-1]))


def test_a_step_of_a_stream_may_be_a_series_with_names(stream):
    stream, frame = stream
    expected = stream.reset().update(np.asarray(frame)[0])
    assert stream.reset().update(frame.iloc[0]) == expected
    with pytest.raises(ValueError, match=OTHER_ORDER):
        stream.update(frame.iloc[0][NAMES[::-1]])
    with pytest.raises(ValueError, match=r"Got one of shape \(2, 2\)"):
        stream.update(frame[:2])


ROWS = {
    "named tuple": lambda frame: next(frame.itertuples(index=False)),
    "your own": lambda frame: Row(*frame.columns)(*frame.iloc[0]),
    "record": lambda frame: frame.to_records(index=False)[0],
}


def Row(*names):
    return namedtuple("Row", names)


@pytest.mark.parametrize("key", ROWS)
def test_a_step_of_a_stream_may_be_a_row_with_names(stream, key):
    stream, frame = stream
    expected = stream.reset().update(np.asarray(frame)[0])
    assert stream.reset().update(ROWS[key](frame)) == expected
    message = r"x has the names \['load', 'temp'\], but GRURegressor was fitted with"
    with pytest.raises(ValueError, match=message):
        stream.update(ROWS[key](frame[NAMES[::-1]]))
    with pytest.raises(ValueError, match=r"x has the names \['temp'\], but"):
        stream.update(ROWS[key](frame[["temp"]]))
    with pytest.raises(
        ValueError, match=r"x has the names \['Index', 'temp', 'load'\]"
    ):
        stream.update(next(frame.itertuples()))


def test_a_step_of_a_stream_may_be_a_dict(stream):
    stream, frame = stream
    expected = stream.reset().update(np.asarray(frame)[0])
    for row in (frame, frame[NAMES[::-1]]):
        assert stream.reset().update(row.iloc[0].to_dict()) == expected
    with pytest.raises(
        ValueError, match=r"x has the names \['temp', 'wind'\], but GRU"
    ):
        stream.update({"temp": 1.0, "wind": 2.0})
    plain = skrnn.GRURegressor(**FAST).fit(arrays_of("ragged"), np.arange(12.0))
    with pytest.raises(
        TypeError, match="x is of type dict, but GRURegressor was fitted"
    ):
        plain.stream().update({"temp": 1.0, "load": 2.0})
    x = np.asarray(frame)[0]
    assert plain.stream().update(Row("a", "b")(*x)) == plain.stream().update(x)


def test_names_that_pandas_has_none_for_are_places():
    frame = frames_of(arrays_of("ragged"))[0].set_axis(["max temp", "load"], axis=1)
    model = skrnn.GRURegressor(**FAST).fit([frame] * 12, np.arange(12.0))
    row, turned = (
        next(f.itertuples(index=False)) for f in (frame, frame.iloc[:, ::-1])
    )
    expected = model.stream().update(np.asarray(frame)[0])
    assert model.stream().update(row) == expected
    with pytest.raises(ValueError, match=r"x has the names \['load', '_1'\]"):
        model.stream().update(turned)


# Names of what comes out


@every_form
@every_library
def test_names_of_features_go_through_sequence_wise(lengths, library):
    frames = frames_of(arrays_of(lengths), library)
    scaler = SequenceWise(StandardScaler()).fit(frames)
    assert scaler.get_feature_names_out().tolist() == NAMES
    with pytest.raises(ValueError, match="input_features is not equal"):
        scaler.get_feature_names_out(NAMES[::-1])


@every_form
@every_library
def test_inverse_transform_is_held_to_the_names_that_came_out(lengths, library):
    arrays = arrays_of(lengths)
    scaler = SequenceWise(StandardScaler()).fit(frames_of(arrays, library))
    # Arrays come out of transform, and are no reason for a warning.
    scaled = list(scaler.transform(frames_of(arrays, library)))
    frames = frames_of(scaled, library)
    for given in (scaled, frames):
        for found, x in zip(scaler.inverse_transform(given), arrays, strict=True):
            np.testing.assert_allclose(found, x)
    with pytest.raises(ValueError, match=OTHER_ORDER):
        scaler.inverse_transform(turned(frames))
    with pytest.raises(ValueError, match="unseen at fit time:\n- wind\n"):
        scaler.inverse_transform(frames_of(arrays, library, ["temp", "wind"]))


def test_inverse_transform_knows_the_names_of_its_transformer():
    arrays = arrays_of("ragged")
    steps = SequenceWise(PCA(2)).fit(frames_of(arrays))
    made = frames_of(steps.transform(frames_of(arrays)), names=["pca0", "pca1"])
    np.testing.assert_allclose(steps.inverse_transform(made)[0], arrays[0])
    with pytest.raises(ValueError, match=OTHER_ORDER):
        steps.inverse_transform([frame[["pca1", "pca0"]] for frame in made])
    # These were made up, and frames may have others.
    nameless = SequenceWise(StandardScaler()).fit(arrays)
    nameless.inverse_transform(frames_of(arrays))
    with pytest.raises(ValueError, match=OTHER_ORDER):
        nameless.inverse_transform(frames_of(arrays, names=["x1", "x0"]))
    curve = FunctionTransformer(np.sinh, np.arcsinh)
    SequenceWise(curve).fit(made).inverse_transform(made)


def test_inverse_transform_of_a_table_is_held_to_its_names():
    table = pd.DataFrame(RNG.normal(size=(12, 3)), columns=list("abc"))
    scaler = SequenceWise(StandardScaler()).set_output(transform="pandas").fit(table)
    scaled = scaler.transform(table)
    np.testing.assert_allclose(scaler.inverse_transform(scaled), table)
    with pytest.raises(ValueError, match=OTHER_ORDER):
        scaler.inverse_transform(scaled[["c", "b", "a"]])


def test_token_ids_of_a_frame_lose_no_names():
    frame = TextSequencer(padding="post").set_output(transform="pandas")
    ids = frame.fit_transform(["a good film", "no"] * 6)
    model = skrnn.GRUClassifier(**FAST, embedding_dim=2).fit(ids, ["a", "b"] * 6)
    assert model.feature_names_in_.tolist() == list(ids.columns)
