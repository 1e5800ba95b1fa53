"""Forked processes: what needs the parent's backend is refused, and never hangs."""

import json
import os

import pytest
from _forks import SAID_IN_A_FORK
from _instances import in_new_process

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

COMMON = (
    SAID_IN_A_FORK
    + """
import json, pickle, sys, warnings
import numpy as np
from skrnn import GRUClassifier, GRURegressor, Seq2SeqRegressor
from skrnn.text import TextGenerator

# Python, and JAX too, warn of fork itself.
warnings.simplefilter("ignore")
X = np.random.default_rng(0).normal(size=(12, 3, 2)).astype(np.float32)
y = X[:, -1, 0]
tiny = dict(units=2, epochs=1, random_state=0)
known = GRURegressor(**tiny).fit(X, y)
compiled = GRURegressor(**tiny, engine="keras")


def says_that_it_works(work):
    return said_in_a_fork(lambda: (work(), "works")[1])


def build():
    import keras

    layers = [keras.layers.SimpleRNN(2), keras.layers.Dense(1)]
    return keras.Sequential([keras.Input((3, 2)), *layers])


def own_network(**options):
    from skrnn.scikeras import KerasRegressor

    options = {"loss": "mse", "verbose": 0} | options
    return KerasRegressor(build, **options)
"""
)

# What the parent does -> code.
PARENTS = {
    "fit": "compiled.fit(X, y)",
    "model_": "known.model_",
    "network": "build()",
    "scikeras": "held = own_network().fit(X, y)",
}
# What the child does -> code of a function without arguments.
NEEDS_KERAS = {
    "fit": "lambda: compiled.fit(X, y)",
    "loss": "lambda: known.set_params(loss=lambda a, b: (a - b) ** 2).fit(X, y)",
    "model_": "lambda: known.model_",
    "model_ of pairs": "lambda: pairs.model_",
    "callbacks": "lambda: known.set_params(callbacks=[callback]).fit(X, y)",
    "callbacks of pairs": "lambda: pairs.set_params(callbacks=[callback]).fit(X, Y)",
    "scikeras": "lambda: own_network().fit(X, y)",
    "scikeras initialize": "lambda: own_network().initialize(X, y)",
}
NEEDS_NO_KERAS = {
    "fit": "lambda: known.fit(X, y)",
    "classifier": "lambda: GRUClassifier(**tiny).fit(X, y > 0).predict_proba(X)",
    "pairs": "lambda: pairs.fit(X, Y).predict(X)",
    "text": "lambda: TextGenerator(epochs=1, units=2, lookback=4).fit('abcabcabcabc')",
    "predict": "lambda: known.predict(X)",
    "pickle": "lambda: pickle.loads(pickle.dumps(known)).predict(X)",
}
WHAT_CHILDREN_USE = """
Y = np.stack([y, y], axis=1)
pairs = Seq2SeqRegressor(**tiny).fit(X, Y)


class Callback:
    def __getattr__(self, name):
        return lambda *args, **kwargs: None


callback = Callback()
"""
REFUSAL = (
    "RuntimeError: This process was forked from one that had already used TensorFlow, "
    "which cannot run in it. Use joblib's default backend 'loky' or 'threading' "
    "instead of 'multiprocessing'."
)


def said_in_forks(parent, children, **environment):
    works = ", ".join(f"{name!r}: {code}" for name, code in children.items())
    code = f"""{COMMON}{WHAT_CHILDREN_USE}
{parent}
children = {{{works}}}
print(json.dumps({{k: says_that_it_works(v) for k, v in children.items()}}))
"""
    return json.loads(in_new_process(code, **environment))


@pytest.mark.parametrize("parent", PARENTS)
def test_what_needs_keras_is_refused_and_all_else_works(parent):
    refused = {f"keras: {k}": v for k, v in NEEDS_KERAS.items()}
    children = refused | NEEDS_NO_KERAS
    said = said_in_forks(PARENTS[parent], children)
    assert said == {k: REFUSAL if k in refused else "works" for k in children}


def test_a_backend_that_did_nothing_yet_is_free_for_the_child():
    children = {name: NEEDS_KERAS[name] for name in ("fit", "model_")}
    # Loaded, and the kernels have trained.
    said = said_in_forks("import keras; keras.layers.Dense(1)", children)
    assert said == dict.fromkeys(children, "works")


def test_jax_is_refused_where_it_ran():
    children = {name: NEEDS_KERAS[name] for name in ("fit", "model_")}
    children["predict"] = "lambda: known.predict(X)"
    said = said_in_forks(PARENTS["fit"], children, KERAS_BACKEND="jax")
    refusal = REFUSAL.replace("TensorFlow", "JAX")
    assert said == {"fit": refusal, "model_": refusal, "predict": "works"}


# Objects of Keras that a forked worker is sent: they are made where they are unpickled.
SENT = """
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV, cross_val_score
import keras

if __name__ == "__main__":
    adam = keras.optimizers.Adam(0.01)
    said = {}
    for name, estimator in {
        "ours": GRURegressor(**tiny, optimizer=adam),
        "pairs": Seq2SeqRegressor(**tiny, optimizer=adam),
        "scikeras": own_network(optimizer=adam),
        "a model": own_network().set_params(model=build()),
    }.items():
        target = np.stack([y, y], axis=1) if name == "pairs" else y
        with parallel_config("multiprocessing"):
            search = GridSearchCV(
                estimator, {"epochs": [1, 2]}, n_jobs=2, cv=2, error_score="raise"
            )
            try:
                search.fit(X, target)
                said[name] = "works"
            except RuntimeError as error:
                said[name] = f"RuntimeError: {error}"
    fitted = own_network().fit(X, y)
    data = pickle.dumps(fitted)
    said["fitted"] = says_that_it_works(lambda: pickle.loads(data).predict(X))
    again = GRURegressor(**tiny, optimizer=adam)
    said["clone"] = says_that_it_works(lambda: cross_val_score(again, X, y, cv=2))
    print(json.dumps(said))
"""


def test_objects_of_keras_that_a_forked_worker_is_sent_are_refused(tmp_path):
    said = json.loads(in_new_process(COMMON + SENT))
    assert said == dict.fromkeys(said, REFUSAL)
    assert len(said) == 6
