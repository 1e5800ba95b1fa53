"""Networks carried away answer as `predict` does: in ONNX and in NumPy alone."""

from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skrnn
from skrnn.persistence import export, load_network

HAS_ONNX = all(map(find_spec, ("onnx", "onnxruntime")))
RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 7, 2))
Y = 1000 + 30 * X[:, -1, 0]
BOTH = np.stack([Y, X.sum(axis=(1, 2))], axis=1)
LABELS = np.array(["low", "mid", "top"])[np.digitize(X[:, -1, 0], [-0.5, 0.5])]
IDS = RNG.integers(1, 9, size=(24, 7))
IDS[:6, :3], IDS[6:12, -2:] = 0, 0
CHANNELS = np.stack([IDS, IDS % 4], axis=2)
RAGGED = [x[: 1 + i % 7] for i, x in enumerate(X)]
RAGGED_STEPS = [x[:, 0] for x in RAGGED]
EVERY_STEP = {"return_sequences": True}


def regressor(**params):
    return skrnn.SequenceRegressor(units=3, epochs=1, random_state=0).set_params(
        **params
    )


def classifier(**params):
    return skrnn.SequenceClassifier(units=3, epochs=1, random_state=0).set_params(
        **params
    )


def transformer(estimator=skrnn.TransformerRegressor, **params):
    small = {"d_model": 8, "n_heads": 2, "n_layers": 2, "dim_feedforward": 12}
    return estimator(**small, epochs=1, random_state=0).set_params(**params)


# What is exported, and what it is fitted on.
NETWORKS = {
    **{
        f"{cell}, {activation}": (regressor(cell=cell, activation=activation), X, Y)
        for cell in ("rnn", "lstm", "gru")
        for activation in ("tanh", "selu")
    },
    "relu": (regressor(activation="relu"), X, Y),
    "linear": (regressor(cell="rnn", activation="linear"), X, Y),
    "softsign of dense layers": (
        regressor(cell="gru", activation="softsign", dense_units=4),
        X,
        Y,
    ),
    "silu, both directions": (regressor(activation="silu", bidirectional=True), X, Y),
    "both directions, stacked": (regressor(units=(3, 2), bidirectional=True), X, BOTH),
    "all at once": (
        regressor(
            cell="gru",
            units=(4, 4),
            bidirectional=True,
            attention="multihead",
            layer_norm=True,
            dense_units=(3, 2),
            dropout=0.2,
            recurrent_dropout=0.2,
        ),
        X,
        BOTH,
    ),
    "convolutions": (regressor(conv_filters=(3, 2), conv_pool_size=2), X, Y),
    "convolutions, each step": (
        regressor(conv_filters=(3, 2), **EVERY_STEP),
        X,
        X[:, :, 0],
    ),
    "causal convolutions": (
        regressor(conv_filters=(3, 2), conv_padding="causal"),
        X,
        Y,
    ),
    "ragged, causal convolutions, each step": (
        regressor(conv_filters=(3, 2), conv_padding="causal", **EVERY_STEP),
        RAGGED,
        RAGGED_STEPS,
    ),
    "ragged, convolutions": (
        regressor(conv_filters=3, bidirectional=True, conv_pool_size=2),
        RAGGED,
        Y,
    ),
    "transformer": (transformer(), X, Y),
    "transformer, rotary, causal": (
        transformer(positional="rotary", causal=True, pooling="last"),
        X,
        BOTH,
    ),
    "transformer, greatest steps": (
        transformer(pooling="max", activation="silu", dense_units=3),
        X,
        Y,
    ),
    "transformer, each step": (
        transformer(positional="rotary", **EVERY_STEP),
        X,
        X[:, :, 0],
    ),
    "transformer, three classes": (
        transformer(skrnn.TransformerClassifier),
        X,
        LABELS,
    ),
    "transformer, tokens": (
        transformer(skrnn.TransformerClassifier, embedding_dim=3),
        IDS,
        LABELS,
    ),
    # No sequence is longer than those of `fit`, which a learned table reaches for.
    "ragged, transformer, learned": (transformer(positional="learned"), RAGGED, Y),
    "ragged, transformer": (transformer(pooling="max"), RAGGED, Y),
    "ragged, transformer, each step": (
        transformer(causal=True, **EVERY_STEP),
        RAGGED,
        RAGGED_STEPS,
    ),
    "elu, softplus": (regressor(activation="softplus", dense_units=2), X, Y),
    "additive attention": (regressor(attention="additive"), X, Y),
    "dot attention": (regressor(attention="dot"), X, Y),
    "float32": (regressor(), X, Y.astype(np.float32)),
    "each step": (regressor(**EVERY_STEP), X, X[:, :, 0]),
    "each step, several targets": (
        regressor(bidirectional=True, attention="dot", **EVERY_STEP),
        X,
        X,
    ),
    "columns": (regressor(), X[:, :, 0], Y),
    "three classes": (classifier(), X, LABELS),
    "chain of labels": (
        classifier(bidirectional=True, crf=True, **EVERY_STEP),
        X,
        np.repeat(LABELS[:, None], 7, axis=1),
    ),
    "two classes": (classifier(cell="gru"), X, LABELS == "low"),
    "several labels": (classifier(), X, (X[:, -1] > 0).astype(int)),
    "tags": (classifier(bidirectional=True, **EVERY_STEP), X, X[:, :, 0] > 0),
    "ragged": (regressor(), RAGGED, Y),
    "ragged, both directions, attention": (
        regressor(cell="gru", bidirectional=True, attention="additive"),
        RAGGED,
        Y,
    ),
    "ragged, selu": (regressor(activation="selu", bidirectional=True), RAGGED, Y),
    "ragged tags": (
        classifier(attention="multihead", **EVERY_STEP),
        RAGGED,
        [x > 0 for x in RAGGED_STEPS],
    ),
    "tokens": (classifier(embedding_dim=3), IDS, LABELS),
    "tokens, both directions": (
        regressor(embedding_dim=3, bidirectional=True, attention="dot"),
        IDS,
        Y,
    ),
    "tags of tokens": (classifier(embedding_dim=3, **EVERY_STEP), IDS, IDS % 3),
    "channels of tokens": (classifier(embedding_dim=(3, 2)), CHANNELS, LABELS),
}
every_network = pytest.mark.parametrize("key", NETWORKS)


@pytest.fixture(scope="module")
def fitted():
    """Return the estimator of a key, fitted once."""
    found = {}

    def of(key):
        if key not in found:
            model, x, y = NETWORKS[key]
            found[key] = model.fit(x, y)
        return found[key]

    return of


def answers(model, x):
    """Return what is to be found, padded with zeros to one array."""
    method = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    found = getattr(model, method)(x)
    if found.dtype != object:
        return found
    whole = np.zeros((len(found), max(map(len, found)), *found[0].shape[1:]))
    for row, steps in zip(whole, found, strict=True):
        row[: len(steps)] = steps
    return whole


def batches(key):
    """Yield X as `predict` takes it, as networks take it, and lengths or None."""
    _, x, _ = NETWORKS[key]
    if not isinstance(x, list):
        # Other numbers of sequences and of steps than those of `fit`.
        for part in (x, x[:1], x[3:9, :-1], np.concatenate([x[:5], x[5:10]], axis=1)):
            # A table (n, T) has as many columns as that of `fit`, for `predict`.
            yield part[..., None] if key == "columns" else part, part, None
        return
    for part in (x, x[3:4], x[5:12]):
        lengths = np.array([len(each) for each in part])
        padded = np.full((len(part), lengths.max(), *part[0].shape[1:]), 7.0)
        for row, each in zip(padded, part, strict=True):
            row[: len(each)] = each
        yield part, padded, lengths


def scale_of(model):
    """Return the unit in which errors count."""
    return np.max(getattr(model, "_y_scale", 1.0))


@every_network
def test_numpy_alone_predicts_the_same(key, fitted, tmp_path):
    model = fitted(key)
    export(model, tmp_path / "network.npz", "numpy")
    network = load_network(tmp_path / "network.npz")
    for asked, padded, lengths in batches(key):
        expected = answers(model, asked)
        found = network.predict(padded, lengths)
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        error = np.abs(found - expected).max()
        # What a float32 has of a large number is lost too.
        lost = np.abs(expected).max() * _EPS[found.dtype.name]
        assert error <= precision(model) * scale_of(model) + lost


_EPS = {"float32": 1.2e-7, "float64": 2.3e-16}


def precision(model):
    """Return how close NumPy comes, in units of y.

    Blocks normalise the same numbers again and again, and round them each time.
    """
    return 1e-5 if hasattr(model, "n_heads") else 1e-6


@every_network
@pytest.mark.skipif(not HAS_ONNX, reason="needs the extra `onnx`")
def test_onnx_predicts_the_same(key, fitted, tmp_path):
    import onnxruntime

    model = fitted(key)
    export(model, tmp_path / "network.onnx", "onnx")
    session = onnxruntime.InferenceSession(tmp_path / "network.onnx")
    tokens = model._spec.embedding is not None
    names = [each.name for each in session.get_inputs()]
    for asked, padded, lengths in batches(key):
        x = padded.astype(np.int64 if tokens else np.float32)
        inputs = {"X": x} if lengths is None else {"X": x, "lengths": lengths}
        assert list(inputs) == names
        (found,) = session.run(None, inputs)
        expected = answers(model, asked)
        assert found.shape == expected.shape
        if hasattr(model, "_y_dtype"):
            assert found.dtype == expected.dtype
        np.testing.assert_allclose(
            found, expected, rtol=1e-6, atol=1e-5 * scale_of(model)
        )


OF_ANY_LENGTH = {
    "recurrent": regressor(units=(2, 3), bidirectional=True, attention="dot"),
    "convolutions": regressor(conv_filters=(3, 2), conv_pool_size=2),
    "causal convolutions": regressor(conv_filters=3, conv_padding="causal"),
    "transformer": transformer(),
    "transformer, rotary": transformer(positional="rotary", pooling="max"),
}


@pytest.fixture(scope="module", params=OF_ANY_LENGTH)
def ragged_network(request, tmp_path_factory):
    """Return an estimator of ragged sequences, and its networks in NumPy and ONNX."""
    model = OF_ANY_LENGTH[request.param]
    model.fit(RAGGED, Y)
    folder, sessions = tmp_path_factory.mktemp("networks"), []
    export(model, folder / "network.npz", "numpy")
    if HAS_ONNX:
        import onnxruntime

        export(model, folder / "network.onnx", "onnx")
        sessions.append(onnxruntime.InferenceSession(folder / "network.onnx"))
    return model, load_network(folder / "network.npz"), sessions


@settings(max_examples=25)
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=9), seed=st.integers(0)
)
def test_sequences_of_any_number_and_length(ragged_network, lengths, seed):
    model, network, sessions = ragged_network
    rng, lengths = np.random.default_rng(seed), np.array(lengths)
    # What stands at the padding doesn't matter.
    padded = rng.normal(size=(len(lengths), lengths.max(), 2)).astype(np.float32)
    expected = model.predict([x[:n] for x, n in zip(padded, lengths, strict=True)])
    unit = scale_of(model)
    found = network.predict(padded, lengths)
    np.testing.assert_allclose(found, expected, rtol=0, atol=precision(model) * unit)
    for session in sessions:
        (found,) = session.run(None, {"X": padded, "lengths": lengths})
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * unit)
