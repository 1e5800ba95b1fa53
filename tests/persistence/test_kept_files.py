"""Files that earlier versions wrote are read for ever, and predict what they did."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import sklearn
from make_files import FOLDER, answer
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skrnn
from skrnn._persistence import container

FILES = sorted(FOLDER.glob("*/*.skrnn"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name} {p.stem}")
def test_a_file_of_an_earlier_version_is_read(path):
    with warnings.catch_warnings():
        # That is what scikit-learn's own estimators promise, and no more.
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        estimator = skrnn.load(path)
    with np.load(path.with_suffix(".npz")) as kept:
        X, expected, method = kept["X"], kept["expected"], str(kept["method"])
    found = answer(estimator, method, X)
    if expected.dtype.kind == "U":
        np.testing.assert_array_equal(found, expected)
    else:
        # Another processor rounds otherwise.
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    clone(estimator)


# File -> a layer of it, and the bias that no training changes any more.
UNTRAINED = {
    "convolutions": ("conv1d", "bias"),
    "transformer": ("transformer_block", "key_bias"),
}


@pytest.mark.parametrize("engine", ["cpu", "keras"])
@pytest.mark.parametrize("name", UNTRAINED)
def test_a_bias_that_earlier_versions_trained_stays(name, engine):
    path, (layer, bias) = FOLDER / "0.1.0" / f"{name}.skrnn", UNTRAINED[name]
    estimator = skrnn.load(path).set_params(engine=engine)
    before = {each: w.copy() for each, w in estimator.weights_[layer].items()}
    assert before[bias].any()
    with np.load(path.with_suffix(".npz")) as kept:
        X, answers = kept["X"], kept["expected"]
    y = answers + 1 if answers.ndim == 1 else estimator.classes_[answers.argmax(axis=1)]
    # The optimizer's state has a place for the bias: it begins anew.
    estimator.partial_fit(X, y)
    after = estimator.weights_[layer]
    changed = {each for each in before if (before[each] != after[each]).any()}
    assert changed == before.keys() - {bias}


def test_there_are_files_of_every_version():
    assert len(FILES) >= 20
    assert sum(path.stat().st_size for path in FILES) < 2**20


@pytest.mark.parametrize("name", ["regressor", "classifier", "tagger"])
def test_a_file_from_before_a_parameter_has_its_default(name):
    path = FOLDER / "0.1.0" / f"{name}.skrnn"
    described, _ = container.from_bytes(path.read_bytes())
    written = described["estimator"]["state"]
    estimator = skrnn.load(path)
    later = estimator.get_params(deep=False).keys() - written.keys()
    assert {"timescales", "conv_filters"} <= later
    defaults = type(estimator)().get_params(deep=False)
    assert {n: getattr(estimator, n) for n in later} == {n: defaults[n] for n in later}
    assert clone(estimator).get_params() == estimator.get_params()


def test_a_warning_that_is_made_an_error_does_not_blame_the_file(tmp_path):
    path = tmp_path / "model.skrnn"
    skrnn.save(make_pipeline(StandardScaler(), skrnn.GRURegressor()), path)
    described, arrays = container.from_bytes(path.read_bytes())
    text = json.dumps(described).replace(sklearn.__version__, "1.0")
    path.write_bytes(container.to_bytes(json.loads(text), arrays))
    with pytest.warns(InconsistentVersionWarning, match=r"from version 1\.0"):
        skrnn.load(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InconsistentVersionWarning, match=r"from version 1\.0"):
            skrnn.load(path)


def test_files_are_in_the_checkout_and_not_in_the_package():
    assert Path(skrnn.__file__).parent not in FOLDER.parents
