"""The network that `model_` is can be carried away in the formats that Keras writes."""

from importlib.util import find_spec

import keras
import numpy as np
import pytest

import skrnn

TINY = dict(units=4, epochs=1, random_state=0)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 6, 2)).astype(np.float32)
IDS = RNG.integers(1, 9, size=(20, 6)).astype(np.int32)
EACH = X[:, :, 0]

# What has been fitted, and what its `model_` is given.
NETWORKS = {
    "a regressor": (skrnn.LSTMRegressor(**TINY), X, 100 + 9 * X[:, -1, 0], [X]),
    "all at once": (
        skrnn.SequenceRegressor(
            cell="gru", bidirectional=True, attention="dot", layer_norm=True, **TINY
        ),
        X,
        X[:, -1],
        [X],
    ),
    "a tagger of tokens": (
        skrnn.GRUClassifier(embedding_dim=3, return_sequences=True, **TINY),
        IDS,
        IDS % 3,
        [IDS],
    ),
    "an encoder and a decoder": (
        skrnn.Seq2SeqRegressor(**TINY),
        X,
        EACH[:, :3],
        [X, EACH[:, :3, None]],
    ),
}
every_network = pytest.mark.parametrize("key", NETWORKS)

HAS_ONNX = all(map(find_spec, ("onnx", "onnxruntime", "tf2onnx")))
# Of tf2onnx, and of what Keras does so that it runs with NumPy 2.
old_numpy = pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")


def network_of(key):
    model, x, y, given = NETWORKS[key]
    network = model.fit(x, y).model_
    # Of another length than that of `fit`, and fewer.
    given = [each[:3, :-1] for each in given]
    # Called, not `predict`, which compiles for seconds.
    return network, given, network(given if len(given) > 1 else given[0]).numpy()


@every_network
def test_a_saved_model_predicts_the_same(key, tmp_path):
    import tensorflow as tf

    network, given, expected = network_of(key)
    network.export(tmp_path / "network", format="tf_saved_model", verbose=False)
    served = tf.saved_model.load(tmp_path / "network")
    found = served.serve(given if len(given) > 1 else given[0])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@every_network
@old_numpy
def test_onnx_predicts_the_same(key, tmp_path):
    network, given, expected = network_of(key)
    path = tmp_path / "network.onnx"
    if not HAS_ONNX:
        # It gets as far as what isn't installed.
        with pytest.raises(ImportError, match="onnx"):
            network.export(path, format="onnx", verbose=False)
        return
    import onnxruntime

    network.export(path, format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(path)
    names = [each.name for each in session.get_inputs()]
    found = session.run(None, dict(zip(names, given, strict=True)))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@every_network
def test_what_is_called_once_is_as_it_was_built(key, tmp_path):
    network, given, expected = network_of(key)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    found = loaded.predict(given if len(given) > 1 else given[0], verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    lines = []
    network.summary(print_fn=lines.append)
    assert any(f"{network.count_params()}" in line.replace(",", "") for line in lines)
    shapes = network.input_shape
    shapes = shapes if isinstance(shapes, list) else [shapes]
    assert [len(shape) for shape in shapes] == [each.ndim for each in given]
    assert [shape[:2] for shape in shapes] == [(None, None)] * len(given)


def test_a_callback_may_export_the_network(tmp_path):
    class Export(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            self.model.export(tmp_path / "it", format="tf_saved_model", verbose=False)

    skrnn.LSTMRegressor(callbacks=[Export()], **TINY).fit(X, X[:, -1, 0])
    assert (tmp_path / "it" / "saved_model.pb").exists()


def network_from(kind):
    """Return a Keras network of one's own."""
    inputs, lstm = keras.Input((None, 2), name="a"), keras.layers.LSTM(3)
    if kind == "sequential":
        model = keras.Sequential([inputs, lstm, keras.layers.Dense(1)])
    elif kind == "functional":
        model = keras.Model(inputs, keras.layers.Dense(1)(lstm(inputs)))
    else:
        both = {"a": inputs, "b": keras.Input((None, 2), name="b")}
        x = keras.layers.Concatenate()([*both.values()])
        model = keras.Model(both, keras.layers.Dense(1)(lstm(x)))
    model.compile(loss="mse", optimizer="adam")
    return model


@old_numpy
@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_networks_of_ones_own_are_exported_too(kind, tmp_path):
    from skrnn.scikeras import KerasRegressor

    model = KerasRegressor(lambda: network_from(kind), epochs=1, verbose=0)
    model.fit(X, X[:, -1, 0])
    assert model.engine_ == "skrnn"
    path = tmp_path / "network.onnx"
    if HAS_ONNX:
        model.model_.export(path, format="onnx", verbose=False)
        assert path.stat().st_size > 1_000
    else:
        with pytest.raises(ImportError, match="onnx"):
            model.model_.export(path, format="onnx", verbose=False)


@pytest.mark.parametrize("kind", ["sequential", "functional", "of two inputs"])
def test_a_network_is_called_once_and_computes_nothing(kind):
    from skrnn.scikeras.engine.training import call_once

    model = network_from(kind)
    before = model.to_json(), [weight.path for weight in model.variables]
    for _ in range(3):
        call_once(model)
    assert model._called
    # One more than what built it, if anything did.
    assert len(model._inbound_nodes) == 1
    assert (model.to_json(), [weight.path for weight in model.variables]) == before
