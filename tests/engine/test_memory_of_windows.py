"""What `fit` and `predict` need beside a long series whose windows they read."""

import tracemalloc

import numpy as np
import pytest
from _tables import covering

from skrnn import RNNClassifier, RNNRegressor
from skrnn._data.batches import (
    Batches,
    PackedRows,
    batches_by_length,
    batches_in_order,
    row_type,
    shuffled_batches,
)
from skrnn._data.holdout import hold_out
from skrnn._data.sequences import Multiples, pack_dense
from skrnn._data.targets.units import ScaledTargets, learn_scale
from skrnn.preprocessing import SlidingWindow

SIZES = 10_000, 30_000
TINY = dict(units=1, epochs=1, batch_size=512, random_state=0)


@pytest.fixture(autouse=True)
def little_at_once(monkeypatch):
    """Let what doesn't grow with the rows be small beside few of them."""
    # Whether a second thread finds something to do is left to chance.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr("skrnn._engine.training.loop._ROWS_PER_CALL", 1024)
    monkeypatch.setattr("skrnn._data.batches._BLOCK", 2**10)


def windows_of(n):
    series = np.sin(np.arange(n, dtype=np.float32))[:, None]
    return SlidingWindow(24).fit_transform(series), series


def peak(function):
    """Return the most bytes that were allocated at once while `function` ran."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def growth(run):
    """Return how many times the growth of a float32 series the peak of `run` grows.

    `run(X, series)` returns a function. What a run needs anyway falls out.
    """
    peaks = [peak(run(*windows_of(n))) for n in SIZES]
    return (peaks[1] - peaks[0]) / (4 * (SIZES[1] - SIZES[0]))


# The series and its padded copy, which the windows are views of, are two times it. The
# order of the batches takes three bytes for each row that is trained on.
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_fit_needs_the_order_of_its_batches_alone(dtype, early_stopping):
    model = RNNRegressor(**TINY, early_stopping=early_stopping)

    def run(X, series):
        y = series[:, 0].astype(dtype)
        return lambda: model.fit(X, y)

    assert growth(run) < 0.85


@pytest.mark.parametrize(("dtype", "most"), [(np.float32, 1.05), (np.float64, 2.05)])
def test_predict_needs_its_predictions_alone(dtype, most):
    X, series = windows_of(1000)
    model = RNNRegressor(**TINY).fit(X, series[:, 0].astype(dtype))
    assert growth(lambda X, _: lambda: model.predict(X)) < most


def test_numbers_of_rows_take_half_the_memory_where_they_fit():
    assert row_type(2**31 - 1) is np.int32
    assert row_type(2**31) is np.int64
    assert batches_in_order(10, 4).dtype == np.int32
    lengths = np.broadcast_to(np.intp(3), 10)
    assert shuffled_batches(lengths, 4, np.random.default_rng(0)).dtype == np.int32


# Those of more than `_BLOCK` rows are packed.
@pytest.mark.parametrize("n", [1, 2, 31, 1000, 1025, 70_001])
def test_the_order_of_the_rows_is_that_of_larger_numbers(n):
    rows = np.arange(n)
    np.random.default_rng(7).shuffle(rows)
    lengths = np.broadcast_to(np.intp(3), n)
    batches = shuffled_batches(lengths, 8, np.random.default_rng(7))
    assert isinstance(batches, Batches) == (n > 2**10)
    batches = np.asarray(batches)
    np.testing.assert_array_equal(batches[batches >= 0], rows)


def test_what_three_bytes_cannot_count_is_numbered_by_four(monkeypatch):
    monkeypatch.setattr(PackedRows, "most", 2000)
    lengths = np.broadcast_to(np.intp(3), 2001)
    batches = shuffled_batches(lengths, 8, np.random.default_rng(7))
    assert isinstance(batches, np.ndarray)
    monkeypatch.setattr(PackedRows, "most", 2001)
    packed = shuffled_batches(lengths, 8, np.random.default_rng(7))
    np.testing.assert_array_equal(packed, batches)


def test_packed_rows_count_to_their_end():
    rows = PackedRows(PackedRows.most)
    last = PackedRows.most - 1
    np.testing.assert_array_equal(rows.read(last - 1, last + 1), [last - 1, last])


@pytest.mark.parametrize("at", [0, -1, slice(2), slice(3, 9), slice(5, 5), slice(None)])
def test_batches_are_read_as_an_array_of_them_is(at):
    n = 2**10 + 5
    batches = batches_in_order(n, 100)
    whole = np.append(np.arange(n), np.full(1100 - n, -1)).reshape(11, 100)
    assert isinstance(batches, Batches)
    assert (len(batches), batches.shape) == (11, (11, 100))
    found = batches[at]
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, whole[at])
    np.testing.assert_array_equal(np.stack(list(batches)), whole)
    with pytest.raises(IndexError):
        batches[11]


def test_a_validation_of_many_rows_holds_no_order_of_them():
    order = batches_by_length(np.broadcast_to(np.intp(3), 2**20), 256)
    assert isinstance(order, Batches)


@pytest.mark.parametrize("shuffle", [True, False])
def test_packed_orders_train_the_same_network(shuffle, monkeypatch):
    X, series = windows_of(3000)
    model = RNNRegressor(**TINY, shuffle=shuffle)
    packed = model.fit(X, series[:, 0])
    losses, answers = packed.history_, packed.predict(X)
    monkeypatch.setattr("skrnn._data.batches._BLOCK", 2**16)
    plain = model.fit(X, series[:, 0])
    assert plain.history_ == losses
    np.testing.assert_array_equal(plain.predict(X), answers)


def test_a_slice_of_multiples_is_one():
    numbers = Multiples(3, 10)[2:9][1:]
    assert isinstance(numbers, Multiples)
    np.testing.assert_array_equal(np.asarray(numbers), 3 * np.arange(3, 9))
    np.testing.assert_array_equal(numbers[[0, 5]], [9, 24])
    np.testing.assert_array_equal(np.asarray(numbers[::2]), [9, 15, 21])
    assert numbers[1] == 12
    # Whatever the type of the numbers of rows, products have room.
    rows = np.array([2**30], np.int32)
    assert Multiples(10, 2**31)[rows] == 10 * 2**30


def test_the_last_rows_are_held_out_as_a_slice():
    training, validation = hold_out(10, 0.25, None, 0)
    assert (training, validation) == (slice(7), slice(7, 10))
    sequences = pack_dense(np.zeros((10, 4, 1)), "dense")
    assert isinstance(sequences.take(validation).starts, Multiples)


def test_targets_are_scaled_where_they_are_read():
    y = np.random.default_rng(0).normal(5, 3, (1000, 2))
    offset, scale = learn_scale(y, np.ones(1000), True)
    np.testing.assert_allclose(offset, y.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scale, y.std(axis=0), rtol=1e-12)
    targets = ScaledTargets(y, offset, scale)
    scaled = ((y - offset) / scale).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(targets), scaled)
    rows = np.array([[3, 1], [999, 0]])
    np.testing.assert_array_equal(targets[rows], scaled[rows])
    np.testing.assert_array_equal(targets.take(rows, axis=0), scaled[rows])
    assert targets.dtype == np.float32
    assert targets.shape == y.shape


def test_the_scale_of_blocks_is_that_of_the_whole(monkeypatch):
    rng = np.random.default_rng(1)
    y, weights = rng.normal(1e6, 1, (1000, 2)), rng.uniform(0, 1, 1000)
    weights[::7] = 0
    whole = learn_scale(y, weights, True)
    monkeypatch.setattr("skrnn._data.batches._BLOCK", 14)
    for one, other in zip(learn_scale(y, weights, True), whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_a_number_too_large_is_found_in_any_block(monkeypatch):
    monkeypatch.setattr("skrnn._data.batches._BLOCK", 4)
    y = np.zeros((10, 1))
    y[7] = 1e300
    with pytest.raises(ValueError, match="Input y contains infinity"):
        ScaledTargets(y, np.zeros(1), np.ones(1))


WORDS = np.array(["no", "yes", "maybe"])
# Name -> labels of as many classes, made of a series.
LABELS = {
    "two": lambda series: (series > 0).astype(np.int64),
    "two of int8": lambda series: (series > 0).astype(np.int8),
    "three": lambda series: np.digitize(series, [-0.5, 0.5]),
    "strings": lambda series: WORDS[np.digitize(series, [-0.5, 0.5])],
}


def labelled(model, method, labels):
    """Return ``run(X, series)`` for a method of a classifier that reads y."""

    def run(X, series):
        y = labels(series[:, 0])
        return lambda: getattr(model, method)(X, y)

    return run


@pytest.mark.parametrize(("key", "class_weight"), covering(LABELS, [None, "balanced"]))
def test_a_classifier_needs_the_rows_of_its_batches_alone(key, class_weight):
    # One byte for each label, and four for each row: those that are trained on, in
    # their order, and in that of the batches.
    model = RNNClassifier(**TINY, class_weight=class_weight)
    assert growth(labelled(model, "fit", LABELS[key])) < 3


def test_a_classifier_that_holds_nothing_out_needs_less():
    model = RNNClassifier(**TINY, early_stopping=False)
    assert growth(labelled(model, "fit", LABELS["two"])) < 1.5


# An int64 is two times a float32, and the probabilities of two classes are four times.
@pytest.mark.parametrize(
    ("name", "most_labels", "most_probabilities"),
    [("two", 2.1, 4.1), ("two of int8", 0.35, 4.1), ("three", 2.1, 6.1)],
)
def test_labels_and_probabilities_are_all_there_is(
    name, most_labels, most_probabilities
):
    X, series = windows_of(1000)
    model = RNNClassifier(**TINY).fit(X, LABELS[name](series[:, 0]))
    assert growth(lambda X, _: lambda: model.predict(X)) < most_labels
    assert growth(lambda X, _: lambda: model.predict_proba(X)) < most_probabilities
    assert growth(labelled(model, "score", LABELS[name])) < most_labels


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_of_numbers_need_the_predictions_alone(dtype):
    X, series = windows_of(1000)
    model = RNNRegressor(**TINY).fit(X, series[:, 0].astype(dtype))

    def run(X, series):
        y = series[:, 0].astype(dtype)
        return lambda: model.score(X, y)

    assert growth(run) < np.dtype(dtype).itemsize / 4 + 0.1
