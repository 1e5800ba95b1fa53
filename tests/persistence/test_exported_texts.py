"""Text generators carried away write what the estimator writes."""

import json
import shutil
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
from _exported import HAS_ONNX, run_onnx
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn._persistence.export import predictor, text_writer
from skrnn._persistence.export.text_writer import TextWriter
from skrnn.persistence import export, load_network
from skrnn.text import TextGenerator

TEXTS = ["the cat sat on a mat", "a dog ran, the cat slept", "don't sit on it"] * 4
SMALL = dict(units=5, embedding_dim=4, lookback=8, epochs=2, random_state=0)
MODELS = {
    "lstm": TextGenerator(**SMALL),
    "words, stacked": TextGenerator(
        **SMALL | dict(analyzer="word", cell="gru", units=(6, 5))
    ),
    "tied": TextGenerator(**SMALL | dict(units=4, tie_weights=True)),
    "by formula": TextGenerator(
        **SMALL | dict(cell="rnn", layer_norm=True, activation="softsign", dropout=0.1)
    ),
    "unknown words": TextGenerator(
        **SMALL | dict(analyzer="word", min_count=5, handle_unknown="map")
    ),
}
every_model = pytest.mark.parametrize("key", MODELS)
SAMPLING = [
    dict(random_state=0),
    dict(temperature=0),
    dict(random_state=1, top_k=3, temperature=1.5),
    dict(random_state=2, top_p=0.7, temperature=0.8),
    dict(random_state=3, stop_at_end=False),
]


@pytest.fixture(scope="module")
def fitted():
    """Return the model of a key, fitted once."""
    found = {}

    def of(key):
        if key not in found:
            found[key] = MODELS[key].fit(TEXTS)
        return found[key]

    return of


def check(writer, model, atol):
    """Hold probabilities to those of the estimator."""
    for text in ("", "the ", "a dog", "the cat  sat"):
        expected = model.predict_proba(text)[0]
        np.testing.assert_allclose(writer.predict_proba(text), expected, atol=atol)


@every_model
def test_numpy_alone_writes_the_same(key, fitted, tmp_path):
    model = fitted(key)
    export(model, tmp_path / "text.npz", "numpy")
    writer = load_network(tmp_path / "text.npz")
    assert list(writer.tokens) == list(model.tokens_)
    check(writer, model, 1e-6)
    for options in SAMPLING:
        expected = model.generate("the ", 40, **options)
        assert writer.generate("the ", 40, **options) == expected


@every_model
@pytest.mark.skipif(not HAS_ONNX, reason="needs the extra `onnx`")
def test_onnx_has_states_in_and_out(key, fitted, tmp_path):
    model = fitted(key)
    export(model, tmp_path / "text.onnx", "onnx")
    about, run = run_onnx(tmp_path / "text.onnx")
    check(TextWriter(about, run), model, 1e-5)
    # Several texts at once, whole or step by step.
    ids = np.array([[0, 2, 3, 2], [0, 3, 2, 2]])
    first = {k: np.zeros((2, *n), np.float32) for k, n in about["states"].items()}
    whole, states = run(ids=ids, **first), first
    for t in range(4):
        found = run(ids=ids[:, t : t + 1], **states)
        states = {name: found[f"next_{name}"] for name in states}
        np.testing.assert_allclose(
            found["probabilities"][:, 0], whole["probabilities"][:, t], atol=1e-6
        )
    for name in states:
        np.testing.assert_allclose(states[name], whole[f"next_{name}"], atol=1e-6)


@every_model
def test_keras_has_states_in_and_out(key, fitted, tmp_path):
    model = fitted(key)
    path = tmp_path / "text.keras"
    export(model, path, "keras")
    network = keras.models.load_model(path, safe_mode=True)
    with zipfile.ZipFile(path) as file:
        about = json.loads(file.read("vocabulary.json"))

    def run(**given):
        found = network([given[each.name] for each in network.inputs])
        return {name: np.asarray(value) for name, value in found.items()}

    check(TextWriter(about, run), model, 1e-5)


def test_a_saved_model_has_its_vocabulary_beside(fitted, tmp_path):
    import tensorflow as tf

    model, path = fitted("lstm"), tmp_path / "served"
    export(model, path, "saved_model")
    about = json.loads((path / "assets.extra" / "vocabulary.json").read_text())
    served = tf.saved_model.load(path).signatures["serving_default"]

    def run(**given):
        made = {"ids": tf.int32} | dict.fromkeys(about["states"], tf.float32)
        found = served(**{k: tf.cast(v, made[k]) for k, v in given.items()})
        return {name: value.numpy() for name, value in found.items()}

    check(TextWriter(about, run), model, 1e-5)


@pytest.fixture(scope="module")
def words(tmp_path_factory, fitted):
    """Return a model of words, and what writes with its file."""
    path = tmp_path_factory.mktemp("words") / "text.npz"
    export(fitted("unknown words"), path, "numpy")
    return fitted("unknown words"), load_network(path)


@settings(max_examples=30)
@given(st.text("the cat\u0301s' .\n", max_size=30), st.integers(0, 99))
def test_any_prompt_is_read_in_the_same_way(words, prompt, seed):
    model, writer = words
    np.testing.assert_allclose(
        writer.predict_proba(prompt), model.predict_proba(prompt)[0], atol=1e-6
    )
    expected = model.generate(prompt, 8, random_state=seed)
    assert writer.generate(prompt, 8, random_state=seed) == expected


def test_unknown_tokens_are_refused(fitted, tmp_path):
    export(fitted("lstm"), tmp_path / "text.npz", "numpy")
    with pytest.raises(ValueError, match="not in the vocabulary"):
        load_network(tmp_path / "text.npz").generate("XYZ")


ALONE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("skrnn", "sklearn", "scipy", "keras", "tensorflow"):
            raise ImportError(f"{name} isn't there")

sys.meta_path.insert(0, Refuse())
from predictor import load
from text_writer import TextWriter

network = load("text.npz")
print(TextWriter(network.about, network.run).generate("the ", 40, random_state=0))
"""


def test_two_files_and_numpy_are_all_it_needs(fitted, tmp_path):
    model = fitted("lstm")
    for module in (predictor, text_writer):
        shutil.copy(module.__file__, tmp_path)
    export(model, tmp_path / "text.npz", "numpy")
    done = subprocess.run(
        [sys.executable, "-c", ALONE],
        cwd=tmp_path,
        env={"PYTHONPATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == model.generate("the ", 40, random_state=0) + "\n"
