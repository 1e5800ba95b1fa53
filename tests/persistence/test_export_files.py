"""Files of exported networks: their formats, what is refused, and who can read them."""

import ast
import json
import os
import shutil
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skrnn
from skrnn._networks.cells import CELLS, BaseCell
from skrnn._networks.weights import Weight
from skrnn._persistence.export import predictor
from skrnn.forecasting import Forecaster
from skrnn.persistence import export, load_network
from skrnn.preprocessing import SequenceWise
from skrnn.text import TextGenerator

HAS_ONNX = all(map(find_spec, ("onnx", "onnxruntime")))
needs_onnx = pytest.mark.skipif(not HAS_ONNX, reason="needs the extra `onnx`")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 6, 2))
Y = 100 + 9 * X[:, -1, 0]
LABELS = np.where(X[:, -1, 0] > 0, "up", "down")
SMALL = dict(units=3, epochs=1, random_state=0)


@pytest.fixture(scope="module")
def regressor():
    return skrnn.LSTMRegressor(**SMALL).fit(X, Y)


@pytest.fixture(scope="module")
def classifier():
    return skrnn.GRUClassifier(**SMALL).fit(X, LABELS)


def test_a_file_of_keras_needs_no_trust(classifier, tmp_path):
    path = tmp_path / "network.keras"
    export(classifier, path, format="keras")
    network = keras.models.load_model(path, safe_mode=True)
    found = network.predict(X[:5, :-1], verbose=0)
    expected = classifier.predict_proba(X[:5, :-1])
    np.testing.assert_allclose(found[:, 0], expected[:, 1], atol=1e-6)


def test_the_end_of_the_path_tells_the_format(regressor, tmp_path):
    for end in ("keras", "npz", "NPZ", "onnx") if HAS_ONNX else ("keras", "npz"):
        export(regressor, tmp_path / f"network.{end}")
    keras.models.load_model(tmp_path / "network.keras", safe_mode=True)
    network = load_network(tmp_path / "network.NPZ")
    expected = regressor.predict(X)
    np.testing.assert_allclose(network.predict(X), expected, rtol=1e-6)


def test_a_saved_model_takes_the_place_of_another(regressor, tmp_path):
    import tensorflow as tf

    path = tmp_path / "served"
    for _ in range(2):
        export(regressor, path, format="saved_model")
        served = tf.saved_model.load(path)
        found = served.serve(X[:5, :-1].astype(np.float32))
        expected = regressor.predict(X[:5, :-1])
        np.testing.assert_allclose(found[:, 0], expected, rtol=1e-5)
    assert [each.name for each in tmp_path.iterdir()] == ["served"]


def test_folders_of_others_are_not_replaced(regressor, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("dear")
    (tmp_path / "file").write_text("dear")
    for name in ("mine", "file"):
        with pytest.raises(FileExistsError, match="no SavedModel"):
            export(regressor, tmp_path / name, format="saved_model")
    assert (tmp_path / "mine" / "letter").read_text() == "dear"
    assert (tmp_path / "file").read_text() == "dear"


@pytest.mark.parametrize("format", ["onnx", "numpy", "keras", "saved_model"])
def test_what_was_there_stays_until_the_new_one_is_whole(
    format, regressor, tmp_path, monkeypatch
):
    if format == "onnx" and not HAS_ONNX:
        pytest.skip("needs the extra `onnx`")
    path = tmp_path / "network.keras"
    if format == "saved_model":
        path.mkdir()
        (path / "saved_model.pb").write_bytes(b"before")
    else:
        path.write_bytes(b"before")

    def full(*_):
        raise OSError(28, "No space left on device")

    def moved(source, _target):
        if str(source).endswith("new"):
            full()
        return rename(source, _target)

    rename = os.rename
    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(os, "rename", moved)
    with pytest.raises(OSError, match="No space left"):
        export(regressor, path, format=format)
    monkeypatch.undo()
    left = path / "saved_model.pb" if format == "saved_model" else path
    assert left.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def refused(tmp_path):
    """Yield what can't be exported, the format, and the error."""
    beams = skrnn.Seq2SeqClassifier(n_beams=2, **SMALL).fit(X, LABELS)
    forecaster = Forecaster(skrnn.GRURegressor(**SMALL), lookback=4, n_windows=50)
    pipeline = make_pipeline(SequenceWise(StandardScaler()), skrnn.GRURegressor())
    yield skrnn.GRURegressor(), "numpy", NotFittedError, "not fitted yet"
    yield pipeline, "numpy", TypeError, "Export its last step"
    yield Ridge(), "numpy", TypeError, "Ridge can't be exported"
    yield skrnn.GRURegressor, "numpy", TypeError, "can't be exported"
    yield TextGenerator(), "numpy", NotFittedError, "not fitted yet"
    yield forecaster, "numpy", TypeError, "one of the estimators_ of a Forecaster"
    yield beams, "numpy", ValueError, "n_beams=2 can't be exported"
    outliers = skrnn.SequenceOutlierDetector(**SMALL)
    yield outliers, "numpy", TypeError, "SequenceOutlierDetector can't .*'numpy'"
    yield skrnn.GRURegressor(), "pickle", ValueError, "one of .*'onnx'.*got 'pickle'"
    yield skrnn.GRURegressor(), 3, ValueError, "got 3"
    message = r"'.onnx', '.npz', '.keras' do; write .*'keras', 'saved_model'\."
    yield skrnn.GRURegressor(), None, ValueError, message


def test_what_cannot_be_exported(regressor, tmp_path):
    path = tmp_path / "network"
    for estimator, format, kind, message in refused(tmp_path):
        with pytest.raises(kind, match=message):
            export(estimator, path, format=format)
    with pytest.raises(ValueError, match=r"must end with '\.keras'"):
        export(regressor, path, format="keras")
    with pytest.raises(FileNotFoundError):
        export(regressor, tmp_path / "no" / "network.npz", format="numpy")
    assert not list(tmp_path.iterdir())


def test_onnx_says_what_to_install(regressor, tmp_path, monkeypatch):
    name = "skrnn._persistence.export.exporting.find_spec"
    monkeypatch.setattr(name, lambda _: None)
    with pytest.raises(ImportError, match=r"skrnn\[onnx\]"):
        export(regressor, tmp_path / "network", format="onnx")


def test_other_files_are_no_networks(classifier, tmp_path):
    path = tmp_path / "network.npz"
    export(classifier, path, format="numpy")
    whole = path.read_bytes()
    np.save(tmp_path / "objects.npy", np.array([{}], object))
    objects = (tmp_path / "objects.npy").read_bytes()
    for content in (b"", b"abc", whole[:-30], objects):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="no network"):
            load_network(path)
    np.savez(path, a=np.arange(3))
    with pytest.raises(ValueError, match="no network"):
        load_network(path)


def test_members_of_a_forecaster_are_networks(tmp_path):
    series = np.sin(np.arange(80) / 3)
    network = skrnn.GRURegressor(units=3)
    model = Forecaster(
        network, horizon=4, lookback=8, n_windows=200, quantiles=(0.1, 0.5, 0.9)
    ).fit(None, series)
    member = model.estimators_[0]
    windows = RNG.normal(size=(3, 4, member.n_features_in_))
    export(member, tmp_path / "member.npz", format="numpy")
    found = load_network(tmp_path / "member.npz").predict(windows)
    np.testing.assert_allclose(found, member.predict(windows), atol=1e-6)


class Leaky(BaseCell):
    """A cell that ONNX has no operator for, with a state that is a matrix."""

    def weights(self, width, units):
        return [
            Weight("kernel", (width, units), "glorot"),
            Weight("bias", (units,), "zeros"),
        ]

    def state_shapes(self, units):
        return ((units,), (2, units))

    def step(self, ops, activation, w, projected, states, drop):
        h, memory = states
        memory = memory * 0.5 + projected[0][:, None] * 0.1
        total = ops.sum(memory, axis=1) + w["bias"] * h
        return activation(ops, total), memory


@needs_onnx
def test_any_cell_is_exported(tmp_path, monkeypatch):
    import onnxruntime

    monkeypatch.setitem(CELLS, "leaky", Leaky())
    model = skrnn.SequenceRegressor(cell="leaky", bidirectional=True, **SMALL)
    model._parameter_constraints = {}
    model.fit(X, Y)
    export(model, tmp_path / "network.npz", format="numpy")
    found = load_network(tmp_path / "network.npz").predict(X)
    np.testing.assert_allclose(found, model.predict(X), rtol=1e-6)
    export(model, tmp_path / "network.onnx", format="onnx")
    session = onnxruntime.InferenceSession(tmp_path / "network.onnx")
    (found,) = session.run(None, {"X": X.astype(np.float32)})
    np.testing.assert_allclose(found, model.predict(X), rtol=1e-6)


@needs_onnx
def test_onnx_tells_what_it_is(classifier, tmp_path):
    import onnxruntime

    export(classifier, tmp_path / "network.onnx", format="onnx")
    session = onnxruntime.InferenceSession(tmp_path / "network.onnx")
    about = session.get_modelmeta().custom_metadata_map
    assert json.loads(about["classes"]) == ["down", "up"]
    assert json.loads(about["estimator"]) == "GRUClassifier"
    (read,), (given,) = session.get_inputs(), session.get_outputs()
    assert (read.shape, given.shape) == (["n", "T", 2], ["n", 2])


ALONE = """
import sys
import textwrap

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("skrnn", "sklearn", "scipy", "keras", "tensorflow"):
            raise ImportError(f"{name} isn't there")

sys.meta_path.insert(0, Refuse())
import numpy as np
from carried import load

network = load("network.npz")
np.save("found.npy", network.predict(np.load("X.npy")))
print(*network.about["classes"])
"""


def lines_of_code(text):
    """Count lines with code on them: neither blank, nor of a comment or docstring."""
    docstrings = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, node.end_lineno + 1)
    }
    return sum(
        bool(line.strip()) and not line.lstrip().startswith("#")
        for number, line in enumerate(text.splitlines(), 1)
        if number not in docstrings
    )


def test_the_predictor_needs_numpy_alone(classifier, tmp_path):
    source = Path(predictor.__file__)
    # It is to be read before it is carried away: a hundred lines, and a few.
    assert lines_of_code(source.read_text()) <= 105
    shutil.copy(source, tmp_path / "carried.py")
    export(classifier, tmp_path / "network.npz", format="numpy")
    np.save(tmp_path / "X.npy", X)
    # Isolated: nothing of this environment's paths but its packages.
    done = subprocess.run(
        [sys.executable, "-c", ALONE],
        cwd=tmp_path,
        env={"PYTHONPATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["down", "up"]
    found = np.load(tmp_path / "found.npy")
    np.testing.assert_allclose(found, classifier.predict_proba(X), atol=1e-6)


@needs_onnx
def test_the_recipe_of_the_guide_is_true(tmp_path, monkeypatch):
    guide = Path(__file__).parents[2] / "docs/user_guide/deploying.rst"
    block = guide.read_text().partition(".. code-block:: python\n")[2]
    block = block.partition('\n- "X" is')[0]
    *before, last = textwrap.dedent(block).strip().splitlines()
    monkeypatch.chdir(tmp_path)
    names = {}
    exec("\n".join(before), names)
    assert eval(last, names) is True
