"""Token ids of several channels a step, each with vectors of its own."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skrnn import GRUClassifier, GRURegressor, LSTMClassifier
from skrnn._data.sequences import ragged_array
from skrnn._data.windows import sliding_windows

FAST = dict(units=4, epochs=3, learning_rate=0.05, random_state=0)
CLOSE = dict(rtol=1e-4, atol=1e-5)


def data(n=30, n_timesteps=6, seed=0):
    """Return ids of two channels, (n, T, 2), the largest ones being 8 and 4."""
    X = np.random.default_rng(seed).integers(1, (9, 5), size=(n, n_timesteps, 2))
    X[0, 0] = 8, 4
    return X


def ragged(X):
    """Cut sequences to several lengths."""
    return [x[: i % 4 + 2] for i, x in enumerate(X)]


def test_every_channel_is_learnt_from():
    X = data(200)
    for channel in (0, 1):
        y = np.where(X[:, :, channel] > 2, "high", "low")
        options = FAST | dict(epochs=30, return_sequences=True)
        model = LSTMClassifier(embedding_dim=(4, 2), **options).fit(X[:150], y[:150])
        assert model.score(X[150:], y[150:]) > 0.97


@pytest.mark.parametrize(
    ("embedding_dim", "shapes"),
    [(3, [(9, 3), (5, 3)]), ((4, 2), [(9, 4), (5, 2)]), ([4, 2], [(9, 4), (5, 2)])],
)
def test_every_channel_has_its_own_table(embedding_dim, shapes):
    X = data()
    model = GRUClassifier(embedding_dim=embedding_dim, **FAST).fit(X, X[:, 0, 1] > 2)
    assert [weight.shape for weight in model._weights[:2]] == shapes
    assert model.n_features_in_ == 2
    assert model.embedding_dim is embedding_dim


def test_one_channel_is_what_it_is_without_an_axis():
    X = data()[:, :, 0]
    models = [
        GRUClassifier(embedding_dim=dim, **FAST).fit(x, X[:, 0] > 4)
        for dim, x in ((3, X), (3, X[:, :, None]), ((3,), X[:, :, None]))
    ]
    for model in models[1:]:
        np.testing.assert_array_equal(
            model.predict_proba(X), models[0].predict_proba(X)
        )


def test_lists_are_what_arrays_are():
    X = data()
    y = X[:, :, 1] % 3
    options = FAST | dict(embedding_dim=3, return_sequences=True, bidirectional=True)
    model = GRUClassifier(**options).fit(ragged(X), ragged_array(ragged(y)))
    found = model.predict_proba(ragged(X))
    padded = np.zeros_like(X)
    for row, x in zip(padded, ragged(X), strict=True):
        row[1 : 1 + len(x)] = x[:5]
    for row, x in zip(model.predict_proba(padded), found, strict=True):
        if len(x) < 6:
            np.testing.assert_allclose(row[1 : 1 + len(x)], x, **CLOSE)
            assert not row[0].any()
            assert not row[1 + len(x) :].any()


def test_only_a_step_of_zeros_is_padding():
    X = data()
    model = GRUClassifier(embedding_dim=3, **FAST).fit(X, X[:, 0, 1] > 2)
    expected = model.predict_proba(X)
    pad = np.zeros((len(X), 2, 2), int)
    found = model.predict_proba(np.concatenate([pad, X, pad], axis=1))
    np.testing.assert_allclose(found, expected, **CLOSE)
    pad[:, -1, 1] = 1
    other = model.predict_proba(np.concatenate([X, pad], axis=1))
    assert not np.allclose(other, expected)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64])
def test_any_integers(dtype):
    X = data()
    model = GRUClassifier(embedding_dim=3, **FAST).fit(X, X[:, 0, 1] > 2)
    np.testing.assert_array_equal(model.predict(X.astype(dtype)), model.predict(X))


def test_pickles_and_clones():
    X = data()
    model = GRUClassifier(embedding_dim=(3, 2), **FAST).fit(X, X[:, 0, 1] > 2)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again._spec == model._spec
    np.testing.assert_array_equal(
        clone(model).fit(X, X[:, 0, 1] > 2).predict_proba(X), model.predict_proba(X)
    )


def test_training_goes_on():
    X, y = data(), data()[:, 0, 1] > 2
    options = dict(embedding_dim=(3, 2), **FAST)
    model = GRUClassifier(**options).fit(X, y)
    warm = GRUClassifier(**options | dict(epochs=1, warm_start=True))
    step = GRUClassifier(**options)
    for _ in range(3):
        warm.fit(X, y)
        step.partial_fit(X, y, classes=[False, True])
    assert warm.n_iter_ == step.n_iter_ == model.n_iter_ == 3
    for each in (warm, step):
        assert each._spec.vocabulary_size == (9, 5)
        assert np.isfinite(each.predict_proba(X)).all()
    with pytest.raises(ValueError, match="embedding_dim changed"):
        warm.set_params(embedding_dim=(3, 3)).fit(X, y)


def test_the_keras_model_reads_channels():
    X = data()
    model = GRUClassifier(embedding_dim=(3, 2), **FAST).fit(X, X[:, 0, 1] > 2)
    found = model.model_.predict(X, verbose=0)[:, 0]
    np.testing.assert_allclose(found, model.predict_proba(X)[:, 1], **CLOSE)


def test_streams_read_a_step_of_channels():
    X = data()
    model = GRURegressor(embedding_dim=(3, 2), **FAST).fit(X, X[:, 0, 0] * 1.0)
    stream = model.stream()
    for t in range(4):
        found = stream.update(X[0, t])
        expected = model.predict(X[:1, : t + 1])[0]
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    # An unknown part of a known word.
    stream.update([1, 0])
    for bad, message in {
        (1,): "2 token ids, an integer for each channel. Got [1].",
        (1, 2, 3): "2 token ids, an integer for each channel. Got [1, 2, 3].",
        (1.0, 2.0): "an integer for each channel. Got [1.0, 2.0].",
        (
            0,
            0,
        ): "below [9, 5] for each channel, those known from fit, and not 0 in all.",
        (1, 5): "and not 0 in all. Got [1, 5].",
        (-1, 1): "and not 0 in all. Got [-1, 1].",
    }.items():
        with pytest.raises(ValueError, match="token id") as caught:
            stream.update(bad)
        assert message in str(caught.value)
    assert stream.n_steps_ == 5


@pytest.mark.parametrize("sampling_rate", [1, 2])
@pytest.mark.parametrize("channels", [1, 2])
def test_windows_of_ids(sampling_rate, channels):
    series = data(1, 40)[0, :, :channels]
    series[7:9] = 0
    X = sliding_windows(series, 4, sampling_rate)
    y = X[:, 0, 0] > 4
    model = GRUClassifier(embedding_dim=3, **FAST)
    found = model.fit(X, y).predict_proba(X)
    expected = clone(model).fit(X.copy(), y).predict_proba(X.copy())
    np.testing.assert_allclose(found, expected, **CLOSE)
