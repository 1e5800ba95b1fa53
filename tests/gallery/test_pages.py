"""The built pages: what a reader searches is found, and every class has examples."""

import inspect
import json
import re
from pathlib import Path

import pytest

import skrnn
from skrnn import forecasting, inspection, preprocessing, scikeras, text

SITE = Path(__file__).parents[2] / "docs" / "_build" / "html"
INDEX = SITE / "searchindex.js"
# What is typed -> the page that answers it.
SOUGHT = {
    "anomaly": "user_guide/anomalies",
    "backtest": "user_guide/backtesting",
    "beam search": "user_guide/seq2seq",
    "covariates": "user_guide/forecasting",
    "gpu": "user_guide/engines",
    "lookback": "user_guide/windows",
    "loss curve": "user_guide/training",
    "multivariate": "user_guide/shapes",
    "onnx": "user_guide/deploying",
    "prediction interval": "user_guide/uncertainty",
    "quantile": "user_guide/uncertainty",
    "stream": "user_guide/streaming",
}
CLASSES = [
    path
    for module in (skrnn, forecasting, inspection, preprocessing, scikeras, text)
    for name in module.__all__
    if inspect.isclass(getattr(module, name))
    if (path := f"{module.__name__}.{name}")
    # These stand in the reference below `skrnn.preprocessing`.
    not in {f"skrnn.{name}" for name in preprocessing.__all__}
]
pytestmark = pytest.mark.skipif(not INDEX.exists(), reason="the pages aren't built")


@pytest.fixture(scope="module")
def index():
    return json.loads(re.search(r"\{.*\}", INDEX.read_text(), re.S)[0])


@pytest.mark.parametrize("words", SOUGHT)
def test_words_are_found(words, index):
    found = {
        index["docnames"][page]
        for entry, places in index["indexentries"].items()
        if words in entry.lower()
        for page, *_ in places
    }
    assert SOUGHT[words] in found


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_has_examples(name):
    page = SITE / "reference" / "generated" / f"{name}.html"
    assert "sphx-glr-thumbcontainer" in page.read_text()
