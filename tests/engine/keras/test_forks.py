"""Forked processes: what needs the parent's backend is refused, and never hangs."""

import functools
import json
import os

import pytest
from _forks import SAID_IN_A_FORK
from _instances import in_new_process
from _tables import covering

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


# The kernels have trained in one process, whose forks are parents.
IN_FORKS_OF_FORKS = """
def said_by_children(start, children):
    def say():
        exec(start, globals())
        works = {name: eval(code) for name, code in children.items()}
        return json.dumps({k: says_that_it_works(v) for k, v in works.items()})

    return json.loads(said_in_a_fork(say, seconds=200))


families = json.loads(sys.argv[1])
print(json.dumps({k: said_by_children(*v) for k, v in families.items()}))
"""


def said_in_forks(families, before="", **environment):
    code = COMMON + WHAT_CHILDREN_USE + before + IN_FORKS_OF_FORKS
    return json.loads(in_new_process(code, json.dumps(families), **environment))


def test_what_needs_keras_is_refused_and_all_else_works():
    refused = {f"keras: {k}": v for k, v in NEEDS_KERAS.items()}
    children = refused | NEEDS_NO_KERAS
    families = {name: (start, {}) for name, start in PARENTS.items()}
    for child, parent in covering(children, PARENTS):
        families[parent][1][child] = children[child]
    # A backend that did nothing yet is free for the child.
    free = {name: NEEDS_KERAS[name] for name in ("fit", "model_")}
    loaded = "import keras; keras.layers.Dense(1)"
    said = said_in_forks(families | {"nothing yet": ("", free)}, loaded)
    assert said.pop("nothing yet") == dict.fromkeys(free, "works")
    assert said.keys() == PARENTS.keys()
    for name, found in said.items():
        of = families[name][1]
        expected = {k: REFUSAL if k in refused else "works" for k in of}
        assert found == expected, name


WHILE_IMPORTED = """
import threading, time
works = {"fit": lambda: compiled.fit(X, y), "cpu": lambda: str(known.predict(X).shape)}
other = threading.Thread(target=build)
other.start()
while "keras" not in sys.modules:
    time.sleep(0.001)
while_imported = {name: said_in_a_fork(work) for name, work in works.items()}
other.join()
"""


@pytest.mark.jax
def test_jax_is_refused_where_it_ran():
    children = {name: NEEDS_KERAS[name] for name in ("fit", "model_")}
    children["predict"] = "lambda: known.predict(X)"
    families = {"children": ("", children)}
    said = said_in_forks(families, PARENTS["fit"], KERAS_BACKEND="jax")
    refusal = REFUSAL.replace("TensorFlow", "JAX")
    expected = {"fit": refusal, "model_": refusal, "predict": "works"}
    assert said["children"] == expected


# Objects of Keras that a forked worker is sent: they are made where they are unpickled.
HOLDERS = """
import keras

adam = keras.optimizers.Adam(0.01)
Y = np.stack([y, y], axis=1)
holders = {
    "ours": (GRURegressor(**tiny, optimizer=adam), y),
    "pairs": (Seq2SeqRegressor(**tiny, optimizer=adam), Y),
    "scikeras": (own_network(optimizer=adam), y),
    "a model": (own_network().set_params(model=build()), y),
}
"""

# What pickle does, and scikit-learn with what came out of it, in forks with an alarm.
UNPICKLED = """
from sklearn.model_selection import GridSearchCV, cross_val_score


def search(estimator, target):
    grid = {"epochs": [1, 2]}
    GridSearchCV(estimator, grid, cv=2, error_score="raise").fit(X, target)


said = {}
for name, (estimator, target) in holders.items():
    data = pickle.dumps(estimator)
    for kind, work in {
        "fit": lambda: pickle.loads(data).set_params(epochs=2).fit(X, target),
        "search": lambda: search(pickle.loads(data), target),
    }.items():
        said[f"{name}: {kind}"] = says_that_it_works(work)
fitted = pickle.dumps(own_network().fit(X, y))
said["fitted"] = says_that_it_works(lambda: pickle.loads(fitted).predict(X))
again = GRURegressor(**tiny, optimizer=adam)
said["clone"] = says_that_it_works(lambda: cross_val_score(again, X, y, cv=2))
"""

# joblib's own pool. Its workers return what they would raise: where one raises, joblib
# terminates the pool, and Python's `Pool.terminate` may hang, whatever workers do. It
# kills one that holds the lock of the results, and then asks for that lock.
POOLED = """
import faulthandler
from joblib import Parallel, delayed


def said_by_a_worker(estimator, target):
    try:
        estimator.fit(X, target)
    except RuntimeError as error:
        return f"RuntimeError: {error}"
    return "works"


os.register_at_fork(after_in_child=lambda: signal.alarm(40))
faulthandler.dump_traceback_later(50, exit=True)
jobs = (delayed(said_by_a_worker)(*holder) for holder in holders.values())
pooled = Parallel(n_jobs=2, backend="multiprocessing")(jobs)
print(json.dumps([while_imported, said, pooled]))
"""

in_one_worker = pytest.mark.xdist_group("forks")


@functools.cache
def said_while_and_after_keras_was_imported():
    """Ask all in one process: loading TensorFlow takes seconds."""
    code = COMMON + WHILE_IMPORTED + HOLDERS + UNPICKLED + POOLED
    return json.loads(in_new_process(code))


@in_one_worker
def test_a_fork_while_keras_is_imported_does_not_wait_for_it():
    found, *_ = said_while_and_after_keras_was_imported()
    assert found == {"fit": REFUSAL, "cpu": "(12,)"}


@in_one_worker
def test_objects_of_keras_that_a_forked_process_is_sent_are_refused():
    _, said, by_workers = said_while_and_after_keras_was_imported()
    assert said == dict.fromkeys(said, REFUSAL)
    assert len(said) == 10
    assert by_workers == [REFUSAL] * 4
