"""What fitted estimators tell: `summary`, the HTML of notebooks, and `help`."""

import io
import pydoc
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from _instances import (
    DETECTORS,
    FAST,
    FORECASTERS,
    LEARNERS,
    OF_TEXT,
    TRANSFORMERS,
    in_new_process,
    public_estimators,
    sequences,
    target,
)
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skrnn
from skrnn._estimators import links
from skrnn.forecasting import Forecaster
from skrnn.preprocessing import SlidingWindow

X = np.random.default_rng(0).normal(size=(30, 4, 2))
Y = X[:, -1, 0]
SERIES = 10 + np.sin(np.arange(120) / 2)
by_name = pytest.mark.parametrize(
    "model", [*LEARNERS, *DETECTORS, *OF_TEXT], ids=lambda model: type(model).__name__
)


def fitted(model):
    """Fit a model of the table for an epoch."""
    X = sequences("texts") if isinstance(model, type(OF_TEXT[0])) else sequences("3-D")
    model = clone(model).set_params(epochs=1)
    return model.fit(X, target(model, X))


def text_of(model):
    """Return what `summary` prints."""
    texts = []
    assert model.summary(print_fn=texts.append) is None
    (text,) = texts
    return text


# The summary


def test_summary_prints_layers_shapes_and_parameters(capsys):
    options = FAST | dict(units=(8, 4), bidirectional=True, dropout=0.1, epochs=3)
    model = skrnn.LSTMRegressor(dense_units=5, **options).fit(X, Y)
    assert model.summary() is None
    loss = f"{model.history_['loss'][-1]:.4g}"
    expected = f"""\
LSTMRegressor
Layer (type)                  Output shape  Parameters
------------------------------------------------------
input                         (n, T, 2)              0
lstm (Bidirectional LSTM)     (n, T, 16)           704
dropout (Dropout, 0.1)        (n, T, 16)             0
lstm_1 (Bidirectional LSTM)   (n, 8)               672
dropout_1 (Dropout, 0.1)      (n, 8)                 0
dense (Dense, tanh)           (n, 5)                45
dense_dropout (Dropout, 0.1)  (n, 5)                 0
head (Dense, linear)          (n, 1)                 6
units_of_y (Rescaling)        (n, 1)                 0
------------------------------------------------------
Parameters: 1,427 (5.71 kB), all trainable
Training: 3 epochs, loss {loss}
"""
    assert capsys.readouterr().out == expected


@by_name
def test_summary_counts_what_keras_counts(model):
    model = fitted(model)
    counted = sum(weight.size for weight in model._weights)
    text = text_of(model)
    assert text.startswith(type(model).__name__)
    assert f"Parameters: {counted:,} (" in text
    rows = re.findall(r"([\d,]+)$", text.split("\n---")[1], flags=re.M)
    assert sum(int(n.replace(",", "")) for n in rows) == counted
    assert text.count("(n, ") >= 3


def test_summary_agrees_with_the_model_of_keras():
    model = skrnn.GRUClassifier(**FAST, attention="additive").fit(X, Y > 0)
    assert f"Parameters: {model.model_.count_params():,} (" in text_of(model)


def test_frozen_vectors_are_not_trainable():
    ids = np.random.default_rng(0).integers(1, 5, (30, 4))
    vectors = np.random.default_rng(0).normal(size=(5, 3))
    given = dict(embedding_matrix=vectors, embedding_trainable=False)
    model = skrnn.LSTMClassifier(**FAST | dict(units=2), **given).fit(ids, Y > 0)
    n = sum(weight.size for weight in model._weights)
    assert f"{n - 15} of them trainable" in text_of(model)
    assert re.search(r"input +\(n, T\) +0\n", text_of(model))


def test_summary_of_the_best_epoch():
    model = skrnn.LSTMRegressor(**FAST | dict(epochs=9), patience=2)
    model.fit(X, Y, X_val=X[::-1], y_val=np.random.default_rng(1).normal(size=30))
    best = model.history_["val_loss"][model.best_epoch_ - 1]
    told = f"{model.n_iter_} epochs, val_loss {best:.4g} in epoch {model.best_epoch_}"
    assert f"Training: {told}" in text_of(model)
    assert told in model._repr_html_()


def test_a_fit_that_kept_no_epoch_tells_no_loss():
    model = skrnn.LSTMRegressor(**FAST).fit(X, Y)
    model.best_epoch_ = 0
    assert text_of(model).endswith("Training: 2 epochs")


def test_summary_needs_a_fit():
    for model in (skrnn.LSTMRegressor(), Forecaster(), *OF_TEXT):
        with pytest.raises(NotFittedError):
            clone(model).summary()


def test_summary_of_a_forecaster_tells_its_members():
    forecaster = Forecaster(
        skrnn.GRURegressor(units=4), horizon=6, seasonal_periods=12, n_members=3,
        lookback=(24, 36), n_windows=100, random_state=0,
    ).fit(None, SERIES)  # fmt: skip
    lines = text_of(forecaster).splitlines()
    assert lines[0] == (
        "Forecaster: strategy aligned, horizon 6, lookback (24, 36, 24), "
        "seasonal periods (12,), 3 members"
    )
    # The channels of a step depend on the lookback.
    assert "Members 1, 3, each:" in lines
    assert "Member 2:" in lines
    told = [line for line in lines if line.startswith("Training of member")]
    assert len(told) == 3


def test_summary_of_a_forecaster_tells_what_it_reads_beside_the_series():
    rows = pd.date_range("2024-01-01", periods=120, freq="D")
    X = pd.DataFrame(
        {
            "temp": np.arange(120.0),
            "promo": pd.Categorical(["a", "b", "c"] * 40),
            "sold": np.arange(120.0) % 7,
            "store": 3.0,
        },
        index=rows,
    )
    forecaster = Forecaster(
        Ridge(), horizon=2, past_features=["sold"], static_features=["store"]
    ).fit(X, pd.Series(np.arange(120) % 7 > 4, rows, dtype=float))
    assert text_of(forecaster).splitlines()[1:6] == [
        "Known ahead: temp, promo (3 categories)",
        "Calendar: day_of_week, weekend",
        "Known up to the present: sold",
        "Static: store",
        "",
    ]


@pytest.mark.parametrize("model", [Ridge(), make_pipeline(Ridge())])
def test_summary_of_other_members_shows_their_parameters(model):
    forecaster = Forecaster(model, horizon=2).fit(None, SERIES)
    text = text_of(forecaster)
    assert ", 1 member\n" in text
    assert "Ridge(random_state=" in text


def test_neither_summary_nor_html_loads_keras():
    loaded = in_new_process("""
import sys
import numpy as np
from skrnn import LSTMRegressor
X = np.zeros((20, 3, 1))
model = LSTMRegressor(units=2, epochs=1).fit(X, X[:, 0, 0])
model.summary(print_fn=str)
assert "lstm (LSTM)" in model._repr_html_()
repr(model.weights_)
from skrnn import reference
reference.lstm(X, **model.weights_["lstm"])
print(*sys.modules)
""")
    assert not {"keras", "tensorflow", "jax", "torch"} & set(loaded.split())


# The HTML


class Page(HTMLParser):
    """Collects the links and checks that what is opened is closed."""

    def __init__(self, text):
        super().__init__()
        self.links, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.links.append(dict(attrs).get("href"))
        if tag not in ("br", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """Nothing is left open."""

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def documented(monkeypatch):
    """Let the documentation have an address."""
    monkeypatch.setattr(links, "documentation", lambda: "https://docs.example")


@by_name
def test_the_box_of_a_network_tells_what_it_is(model, documented):
    unfitted = Page(clone(model)._repr_html_())
    page = f"https://docs.example/reference/generated/{links.public_name(type(model))}"
    assert f"{page}.html" in unfitted.links
    model = fitted(model)
    text = model._repr_html_()
    assert not Page(text).open
    n = sum(weight.size for weight in model._weights)
    assert f"Network: {n:,} parameters, 1 epoch" in text
    # The line below the name, which is seen before anything is unfolded.
    assert re.search(r'class="caption">[^<]+ \d+; 1 epoch', text)
    assert "n_iter_" in text
    # It would be made to be shown.
    assert "keras.Model" not in text.split("Fitted attributes")[1]


def test_nothing_breaks_where_values_are_markup():
    model = skrnn.LSTMRegressor(**FAST).fit(X, Y)
    model.history_ = {"loss": [1.0], "<b>": [2.0]}
    assert "<b>" not in model._repr_html_().split("Fitted attributes")[1]


def test_it_is_told_within_pipelines_and_searches(documented):
    series = np.random.default_rng(0).normal(size=(40, 1))
    pipeline = make_pipeline(SlidingWindow(4), skrnn.GRURegressor(**FAST))
    pipeline.fit(series, series[:, 0])
    text = pipeline._repr_html_()
    assert "GRU 8, Dense 1; 2 epochs" in text
    names = "skrnn.GRURegressor", "skrnn.preprocessing.SlidingWindow"
    for name in names:
        assert f"https://docs.example/reference/generated/{name}.html" in text
    search = GridSearchCV(skrnn.GRURegressor(**FAST), {"units": [2]}, cv=2)
    assert "Dense 1" not in search._repr_html_()
    assert "GRU 2, Dense 1" in search.fit(X, Y)._repr_html_()


def test_the_box_of_a_forecaster_tells_its_members(documented):
    forecaster = clone(FORECASTERS[0]).set_params(horizon=4)
    assert "skrnn.forecasting.Forecaster.html" in forecaster._repr_html_()
    text = forecaster.fit(None, SERIES)._repr_html_()
    assert not Page(text).open
    assert "Network of member 1" in text
    assert "seasonal_periods_" in text
    assert "strategy_" in Forecaster(Ridge()).fit(None, SERIES)._repr_html_()


def test_every_estimator_has_a_page():
    """The links go to pages that the reference makes."""
    index = (Path(skrnn.__file__).parents[1] / "docs/reference/index.rst").read_text()
    module, known = "", set()
    for line in index.splitlines():
        if line.startswith(".. currentmodule::"):
            module = line.split()[-1]
        elif re.fullmatch(r"   \w+", line):
            known.add(f"{module}.{line.strip()}")
    ours = {
        cls
        for cls in public_estimators()
        if hasattr(cls, "_doc_link_url_param_generator")
        and cls._doc_link_module == "skrnn"
    }
    assert len(ours) > 15
    assert {links.public_name(cls) for cls in ours} <= known
    assert {type(each) for each in TRANSFORMERS} <= ours


def test_where_the_documentation_is(monkeypatch, tmp_path):
    for addresses, expected in [
        (
            ["Source, https://a.example", "Documentation, https://b.example/"],
            "https://b.example",
        ),
        (["Source, https://a.example"], tmp_path.as_uri()),
    ]:
        monkeypatch.setattr(links, "_addresses", lambda found=addresses: found)
        monkeypatch.setattr(links, "_BUILT_HERE", tmp_path)
        assert links.documentation.__wrapped__() == expected
    monkeypatch.setattr(links, "_BUILT_HERE", tmp_path / "nothing")
    assert links.documentation.__wrapped__() == ""


def test_without_documentation_or_in_another_package_there_is_no_link(monkeypatch):
    class Own(skrnn.LSTMRegressor):
        pass

    monkeypatch.setattr(links, "documentation", lambda: "https://docs.example")
    assert Own()._get_doc_link() == ""
    monkeypatch.setattr(links, "documentation", lambda: "")
    assert skrnn.LSTMRegressor()._get_doc_link() == ""
    assert "sk-estimator-doc-link" in skrnn.LSTMRegressor()._repr_html_()


# What help shows


def shown_by_help(cls):
    """Return what ``help`` shows, as lines."""
    out = io.StringIO()
    pydoc.Helper(output=out).help(cls)
    return re.sub(r".\x08", "", out.getvalue()).splitlines()


PUBLIC = ["fit", "partial_fit", "predict", "score", "summary", "get_params", "weights_"]


@pytest.mark.parametrize(
    ("cls", "names"),
    [
        (skrnn.LSTMRegressor, [*PUBLIC, "stream", "transform", "model_"]),
        (skrnn.GRUClassifier, [*PUBLIC, "predict_proba"]),
        (skrnn.Seq2SeqClassifier, [*PUBLIC, "predict_beams"]),
        (skrnn.SequenceOutlierDetector, ["fit", "predict", "score_samples", "summary"]),
        (type(OF_TEXT[0]), ["fit", "generate", "perplexity", "stream", "summary"]),
        (Forecaster, ["fit", "forecast", "predict", "update", "summary"]),
    ],
)
def test_help_shows_methods_as_the_class_own(cls, names):
    lines = shown_by_help(cls)
    ends = [i for i, line in enumerate(lines) if "inherited from" in line]
    own = lines[: ends[0]] if ends else lines
    for name in names:
        assert any(re.match(rf" \|  {name}(\(|$)", line) for line in own), name
    # Of what comes after it, no method of ours is public.
    rest = "\n".join(lines[ends[0] :]) if ends else ""
    for part in re.split(r"(?=\n \|  [^\n]*inherited from)", rest):
        if "inherited from skrnn" in part:
            assert not re.findall(r"\n \|  ([a-z]\w*)\(", part)


def test_a_subclass_still_finds_what_it_overrides():
    class Doubled(skrnn.LSTMRegressor):
        def predict(self, X):
            return 2 * super().predict(X)

    plain = skrnn.LSTMRegressor(**FAST).fit(X, Y)
    twice = Doubled(**FAST).fit(X, Y)
    np.testing.assert_allclose(twice.predict(X), 2 * plain.predict(X))
