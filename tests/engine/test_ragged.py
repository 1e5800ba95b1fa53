"""Sequences of several lengths: padding is never seen, on no path."""

import dataclasses

import numpy as np
import pytest
from _network_cases import (
    SPECS,
    draw_dataset,
    draw_ragged,
    draw_weights,
    gradients,
    predict,
    program,
    spec_of,
    train,
)
from _tables import covering
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn import (
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    RNNRegressor,
    SequenceClassifier,
)
from skrnn._data.sequences import pack_ragged
from skrnn._data.windows import sliding_windows
from skrnn._engine import choice
from skrnn._engine.prediction.batches import RUNNERS
from skrnn._networks.cells import CELLS

CLOSE = dict(rtol=1e-5, atol=1e-5)
LENGTHS = (3, 7, 1, 5)

every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())


@pytest.fixture(params=RUNNERS)
def path(request, monkeypatch):
    """Predict on one path, whatever the size."""
    monkeypatch.setattr(choice, "predicts_on", lambda *_: request.param)


def one_by_one(spec, weights, sequences):
    """Predict each sequence by itself: no padding anywhere."""
    parts = [
        predict(spec, weights, sequences.take(np.array([i])))
        for i in range(len(sequences))
    ]
    return [np.concatenate(each) for each in zip(*parts, strict=True)]


def lay_out(dataset, rng):
    """Put the same sequences elsewhere, with rubbish before, between and after."""
    old = dataset.sequences
    starts, rows, n_rows = [], [], int(rng.integers(1, 9))
    for i in rng.permutation(len(old)):
        starts.append(n_rows)
        rows.append(i)
        n_rows += int(old.lengths[i] + rng.integers(0, 9))
    values = np.full((n_rows, *old.values.shape[1:]), 6).astype(old.values.dtype)
    new_starts = np.empty(len(old), int)
    for start, i in zip(starts, rows, strict=True):
        new_starts[i] = start
        length = old.lengths[i]
        values[start : start + length] = old.values[old.starts[i] :][:length]
    return dataclasses.replace(
        dataset,
        sequences=dataclasses.replace(old, values=values, starts=new_starts),
    )


# The network


# `test_networks.py` compares what is compiled with the reference, on ragged ones too.
@pytest.mark.parametrize("path", [n for n in RUNNERS if n != "compiled"], indirect=True)
@every_spec
def test_outputs_are_those_of_each_sequence_by_itself(spec, path):
    sequences, weights = draw_ragged(spec, LENGTHS), draw_weights(spec)
    together = predict(spec, weights, sequences)
    apart = one_by_one(spec, weights, sequences)
    for a, b in zip(together, apart, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@every_spec
def test_loss_and_gradients_are_those_of_each_sequence_by_itself(spec):
    # TensorFlow takes each step by itself here.
    dataset = draw_dataset(spec, draw_ragged(spec, (1, 5)))
    weights = draw_weights(spec)
    loss, together = gradients(spec, dataset, weights)
    # The mean is over sequences, or over steps where each step counts.
    shares = dataset.sequences.lengths if spec.return_sequences else np.ones(2)
    shares = shares / shares.sum()
    apart = [gradients(spec, dataset, weights, np.array([i])) for i in range(2)]
    expected = sum(share * part[0] for share, part in zip(shares, apart, strict=True))
    np.testing.assert_allclose(loss, expected, **CLOSE)
    for i, found in enumerate(together):
        parts = (s * part[1][i] for s, part in zip(shares, apart, strict=True))
        np.testing.assert_allclose(found, sum(parts), **CLOSE)


TRAINED = [
    spec_of("lstm", bidirectional=True, attention="additive"),
    spec_of("lstm", units=(3, 4), return_sequences=True),
    spec_of("rnn", embedding_dim=3, activation="silu"),
]


@settings(max_examples=12)
@given(
    spec=st.sampled_from(TRAINED),
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    seed=st.integers(0, 99),
)
def test_compiled_training_never_sees_what_stands_in_the_padding(spec, lengths, seed):
    dataset, weights = (
        draw_dataset(spec, draw_ragged(spec, lengths)),
        draw_weights(spec),
    )
    elsewhere = lay_out(dataset, np.random.default_rng(seed))
    rows = np.arange(len(dataset))
    results = []
    for data in (dataset, elsewhere):
        made = program(spec)
        made.reset(weights)
        # What fills the batch up repeats a row that isn't the longest.
        order = np.array([[*rows, -1, -1], [*rows[::-1], -1, -1]])
        results.append(train(made, data, order))
    (loss, _, after), (other_loss, _, other) = results
    assert loss == other_loss
    for a, b in zip(after, other, strict=True):
        np.testing.assert_array_equal(a, b)


@settings(max_examples=20)
@given(
    spec=st.sampled_from(TRAINED),
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    seed=st.integers(0, 99),
    by=st.sampled_from(list(RUNNERS)),
)
def test_prediction_never_sees_what_stands_between(spec, lengths, seed, by):
    dataset, weights = (
        draw_dataset(spec, draw_ragged(spec, lengths)),
        draw_weights(spec),
    )
    elsewhere = lay_out(dataset, np.random.default_rng(seed))
    first = predict(spec, weights, dataset.sequences, by)
    second = predict(spec, weights, elsewhere.sequences, by)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("cell", "return_sequences"), covering(CELLS, [False, True]))
def test_a_state_that_grows_does_not_overflow_in_the_padding(cell, return_sequences):
    spec = spec_of(
        cell, activation="relu", attention="dot", return_sequences=return_sequences
    )
    # The first one multiplies its state at each step, and has 16 steps of padding.
    arrays = [np.ones((2, 2), np.float32), np.full((18, 2), -1, np.float32)]
    dataset = draw_dataset(spec, pack_ragged(arrays))
    weights = [np.abs(w) for w in draw_weights(spec)]
    weights[1], weights[2] = 400 * weights[1], 0 * weights[2]
    if cell == "ntm":
        # Its bias comes later. Without one the other sequence doesn't grow.
        weights[3] = 0 * weights[3]
    loss, found = gradients(spec, dataset, weights)
    assert np.isfinite(loss)
    assert all(np.isfinite(g).all() for g in found)
    plain = predict(spec, weights, dataset.sequences, "reference")
    for by in ("kernels", "compiled"):
        found = predict(spec, weights, dataset.sequences, by)
        for a, b in zip(plain, found, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


# The estimators


def ragged_data(n=24, n_features=2, seed=0):
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(rng.integers(2, 8), n_features)) for _ in range(n)]
    return X, np.array([x[-1].sum() for x in X])


SMALL = dict(units=4, epochs=2, random_state=0)


@pytest.mark.parametrize(
    ("cell", "attention"),
    [("lstm", None), ("gru", "additive"), ("rnn", "dot"), ("lstm", "multihead")],
)
def test_ragged_predictions_are_those_of_single_sequences(cell, attention, path):
    X, y = ragged_data()
    model = SequenceClassifier(cell=cell, attention=attention, **SMALL)
    model.fit(X, y > 0)
    together = model.predict_proba(X)
    apart = np.vstack([model.predict_proba([x]) for x in X])
    np.testing.assert_allclose(together, apart, **CLOSE)
    dense = np.vstack([model.predict_proba(x[None]) for x in X])
    np.testing.assert_allclose(together, dense, **CLOSE)
    states = np.vstack([model.transform([x]) for x in X])
    np.testing.assert_allclose(model.transform(X), states, **CLOSE)


def test_lists_of_one_length_are_the_array():
    X = np.random.default_rng(0).normal(size=(20, 5, 2))
    y = X[:, -1, 0]
    dense = GRURegressor(**SMALL).fit(X, y)
    for form in (list(X), tuple(X), as_objects(X)):
        ragged = GRURegressor(**SMALL).fit(form, y)
        np.testing.assert_array_equal(ragged.predict(form), dense.predict(X))
        np.testing.assert_array_equal(ragged.predict(X), dense.predict(form))


def as_objects(arrays):
    objects = np.empty(len(arrays), dtype=object)
    objects[:] = list(arrays)
    return objects


def test_univariate_sequences_are_those_with_one_feature():
    X, y = ragged_data(n_features=1)
    with_axis = GRURegressor(**SMALL).fit(X, y)
    without = GRURegressor(**SMALL).fit([x[:, 0] for x in X], y)
    np.testing.assert_array_equal(with_axis.predict(X), without.predict(X))


def test_order_of_ragged_sequences_is_kept():
    X, _ = ragged_data()
    model = GRURegressor(return_sequences=True, **SMALL)
    model.fit(X, [np.cumsum(x[:, 0]) for x in X])
    order = np.random.default_rng(1).permutation(len(X))
    expected, shuffled = model.predict(X), model.predict([X[i] for i in order])
    for i, steps in zip(order, shuffled, strict=True):
        assert len(steps) == len(X[i])
        np.testing.assert_allclose(steps, expected[i], **CLOSE)


def test_zero_steps_of_numbers_are_data():
    X, y = ragged_data()
    model = LSTMRegressor(**SMALL).fit(X, y)
    padded = [np.vstack([x, np.zeros((3, 2))]) for x in X]
    assert not np.allclose(model.predict(X), model.predict(padded))
    zeros = np.zeros((2, 3, 2))
    assert not np.allclose(model.predict(zeros), model.predict(zeros[:, :1]))


# Token ids


def token_data(n=24, seed=0):
    rng = np.random.default_rng(seed)
    X = [rng.integers(1, 9, rng.integers(1, 7)) for _ in range(n)]
    return X, np.array([x[0] > 4 for x in X])


def padded(sequences, before, width=12):
    """Write ids into rows of zeros, `before` of them in front."""
    dense = np.zeros((len(sequences), width), int)
    for row, ids in zip(dense, sequences, strict=True):
        row[before : before + len(ids)] = ids
    return dense


@pytest.mark.parametrize("before", [0, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_zeros_around_token_ids_are_padding(before, bidirectional, path):
    X, y = token_data()
    options = SMALL | dict(embedding_dim=3, bidirectional=bidirectional)
    model = GRUClassifier(**options).fit(X, y)
    again = GRUClassifier(**options).fit(padded(X, before), y)
    for mine, other in ((model, X), (again, padded(X, before))):
        np.testing.assert_allclose(
            mine.predict_proba(other), model.predict_proba(X), **CLOSE
        )
    with_zeros = [np.concatenate([[0, 0], ids, [0]]) for ids in X]
    np.testing.assert_allclose(
        model.predict_proba(with_zeros), model.predict_proba(X), **CLOSE
    )


def test_a_zero_between_token_ids_is_a_token():
    X, y = token_data()
    model = GRUClassifier(embedding_dim=3, **SMALL).fit(X, y)
    with_zero = [np.insert(ids, 1, 0) for ids in X if len(ids) > 1]
    without = [ids for ids in X if len(ids) > 1]
    probabilities = model.predict_proba(with_zero), model.predict_proba(without)
    assert not np.allclose(*probabilities)


def test_tags_of_padded_tokens_stand_at_their_tokens(path):
    X, _ = token_data()
    tags = [ids % 2 for ids in X]
    options = SMALL | dict(embedding_dim=3, return_sequences=True)
    model = GRUClassifier(**options).fit(X, tags)
    expected = model.predict_proba(X)
    found = model.predict_proba(padded(X, 3))
    for steps, row in zip(expected, found, strict=True):
        np.testing.assert_allclose(row[3 : 3 + len(steps)], steps, **CLOSE)
        assert not row[:3].any()
        assert not row[3 + len(steps) :].any()


def test_training_on_padded_tags_is_training_on_ragged_ones():
    X, _ = token_data()
    tags = [ids % 3 + 1 for ids in X]
    options = SMALL | dict(embedding_dim=3, return_sequences=True)
    ragged = GRUClassifier(**options).fit(X, tags)
    dense = GRUClassifier(**options).fit(padded(X, 2), padded(tags, 2))
    np.testing.assert_allclose(
        ragged.history_["loss"], dense.history_["loss"], rtol=1e-5
    )


# Windows


def window_data():
    series = np.random.default_rng(0).normal(size=(40, 2))
    X = sliding_windows(series, 5, 2)
    return X, X[:, -1].sum(axis=1)


def test_windows_are_their_copy(path):
    X, y = window_data()
    of_view = GRURegressor(**SMALL).fit(X, y)
    of_copy = GRURegressor(**SMALL).fit(X.copy(), y)
    for a, b in zip(of_view._weights, of_copy._weights, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(of_view.predict(X), of_view.predict(X.copy()))
    np.testing.assert_array_equal(of_view.transform(X), of_view.transform(X.copy()))


def test_slices_of_windows_are_their_copy():
    X, y = window_data()
    for rows in (slice(3, 20), slice(None, None, 3), np.arange(0, 20, 4)):
        view, copy = X[rows], X[rows].copy()
        of_view = RNNRegressor(**SMALL).fit(view, y[rows])
        of_copy = RNNRegressor(**SMALL).fit(copy, y[rows])
        np.testing.assert_array_equal(of_view.predict(view), of_copy.predict(copy))


def test_windows_with_a_target_at_each_step():
    X, _ = window_data()
    Y = X.sum(axis=2)
    options = SMALL | dict(return_sequences=True, early_stopping=True)
    of_view = GRURegressor(**options).fit(X, Y)
    of_copy = GRURegressor(**options).fit(X.copy(), Y)
    np.testing.assert_array_equal(of_view.predict(X), of_copy.predict(X.copy()))
    assert of_view.history_ == of_copy.history_
