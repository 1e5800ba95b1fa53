"""The cpu engine needs no backend of Keras: whatever it does, none is loaded."""

from _instances import in_new_process

PREPARED = """
import os, sys
import numpy as np
from skrnn import (
    GRUClassifier, GRURegressor, LSTMClassifier, RNNRegressor, Seq2SeqRegressor
)
from skrnn._estimators.names import NAMES
from skrnn._networks.activations import HIDDEN_ACTIVATIONS
from skrnn.text import TextGenerator

X = np.random.default_rng(0).normal(size=(12, 5, 2))
tiny = dict(units=3, epochs=2, random_state=0)


def nothing_is_loaded(after):
    loaded = {name.split(".")[0] for name in sys.modules}
    assert not {"keras", "tensorflow", "jax", "torch"} & loaded, after
"""
# One process does it all.
WORK = {
    "activations": """
for name in HIDDEN_ACTIVATIONS:
    own = tiny | {"activation": name}
    for kind in (GRURegressor, RNNRegressor, Seq2SeqRegressor):
        found = kind(**own).fit(X, X[:, :2, 0]).predict(X)
        assert np.isfinite(found).all(), (kind, name)
    LSTMClassifier(**own, bidirectional=True).fit(X, X[:, 0, 0] > 0).predict(X)
    TextGenerator(**own, embedding_dim=2, lookback=5).fit(["abc abe"])
""",
    "optimizers": """
for name in NAMES["optimizer"]:
    GRURegressor(optimizer=name, **tiny).fit(X, X[:, 0, 0]).predict(X)
    Seq2SeqRegressor(optimizer=name, **tiny).fit(X, X[:, :2, 0])
    TextGenerator(optimizer=name, embedding_dim=2, lookback=4, **tiny).fit("abca" * 5)
""",
    "losses": """
for loss in NAMES["loss of numbers"]:
    GRURegressor(loss=loss, **tiny).fit(X, X[:, 0, 0])
    Seq2SeqRegressor(loss=loss, **tiny).fit(X, X[:, :2, 0])
for loss in NAMES["loss of labels"]:
    GRUClassifier(loss=loss, **tiny).fit(X, X[:, 0, 0] > 0)
""",
    "another backend that is asked for": """
os.environ["KERAS_BACKEND"] = "jax"
for options in (dict(activation="elu"), dict(optimizer="lamb", loss="log_cosh")):
    GRURegressor(**tiny, engine="cpu", **options).fit(X, X[:, 0, 0])
""",
}


def test_the_cpu_engine_loads_no_backend():
    code = PREPARED
    for name, work in WORK.items():
        code += f"{work}nothing_is_loaded({name!r})\n"
    in_new_process(code)
