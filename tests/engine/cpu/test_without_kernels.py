"""An installation in which the kernels in C couldn't be compiled."""

import functools
import json

import pytest
from _instances import in_new_process

from skrnn._engine.cpu.kernels import matmul

WITHOUT = """
import json, os, pickle, sys, warnings
from importlib.abc import MetaPathFinder


class NoKernels(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "skrnn._engine.cpu.kernels._kernels":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, NoKernels())
import numpy as np
import skrnn
from skrnn._engine.cpu.kernels import matmul
from skrnn.text import TextGenerator

rng = np.random.default_rng(0)
X = rng.normal(size=(12, 4, 2))
y, tiny = X[:, -1, 0], dict(units=2, epochs=3, random_state=0)
"""

ALL = """
ids = rng.integers(1, 5, size=(12, 4))
texts = ["abc cab", "bca abc", "cab"] * 4
cases = {
    "regressor": (skrnn.LSTMRegressor(**tiny), X, y),
    "classifier": (skrnn.LSTMClassifier(**tiny, bidirectional=True), X, y > 0),
    "tagger": (skrnn.RNNClassifier(**tiny, return_sequences=True), list(X), list(ids)),
    "ids": (skrnn.LSTMClassifier(**tiny, embedding_dim=2), ids, y > 0),
    "pairs": (skrnn.Seq2SeqRegressor(**tiny), X, X[:, :2, 0]),
    "translator": (skrnn.Seq2SeqClassifier(**tiny), texts, texts),
    "text": (TextGenerator(**tiny, lookback=4, embedding_dim=2), texts, None),
}
said, found, predicted = [], {}, {}
for name, (model, X_, y_) in cases.items():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X_, y_)
        answer = model.predict_proba(X_) if name == "text" else model.predict(X_)
    said += [str(each.message) for each in caught]
    found[name] = len(answer)
    if name in ("regressor", "pairs"):
        predicted[name] = np.ravel(answer).tolist()
    again = pickle.loads(pickle.dumps(model))
    again.set_params(warm_start=True).fit(X_, y_)
found["generated"] = len(model.generate("ab", max_new_tokens=3, random_state=0)) > 0
stream = cases["regressor"][0].stream()
found["stream"] = bool(np.isfinite([stream.update(x) for x in X[0]]).all())
on_keras = "tensorflow" in sys.modules
print(json.dumps([said, found, matmul.ARE_COMPILED, on_keras, predicted]))
"""


@functools.cache
def without_kernels():
    return json.loads(in_new_process(WITHOUT + ALL))


# In one worker, so that one process does it all.
in_one_worker = pytest.mark.xdist_group("without_kernels")


@in_one_worker
def test_everything_works_and_one_warning_says_that_it_is_slow():
    said, found, available, on_keras, _ = without_kernels()
    (warning,) = said
    assert "installed without its kernels in C" in warning
    assert "skrnn._engine.cpu.kernels._kernels" in warning
    assert "circular" not in warning
    assert "show_versions" in warning
    # Who has another compiler would look for the fault elsewhere.
    assert "GCC or clang and a new installation help" in warning
    assert not available
    assert on_keras
    lengths = [
        "regressor",
        "classifier",
        "tagger",
        "ids",
        "pairs",
        "translator",
        "text",
    ]
    assert found == dict.fromkeys(lengths, 12) | {"generated": True, "stream": True}


@in_one_worker
def test_with_kernels_there_is_no_warning_and_networks_are_the_same_up_to_rounding():
    assert matmul.ARE_COMPILED
    code = WITHOUT.replace("sys.meta_path", "# sys.meta_path") + ALL
    said, found, available, on_keras, predicted = json.loads(in_new_process(code))
    assert said == []
    assert available
    assert not on_keras
    _, same, _, _, expected = without_kernels()
    assert found == same
    for name, values in predicted.items():
        assert values == pytest.approx(expected[name], rel=1e-3, abs=1e-4)
