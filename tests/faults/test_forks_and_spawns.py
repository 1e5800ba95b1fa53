"""Forked and spawned processes, after a fit and in the middle of one."""

import json
import multiprocessing
import os

import pytest
from _children import run
from _forks import SAID_IN_A_FORK
from _tables import LONG

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

FORK = """
from skrnn import GRURegressor, LSTMClassifier, Seq2SeqRegressor
from skrnn.text import TextGenerator

# Python and JAX warn of fork itself.
warnings.simplefilter("ignore")
X = rng.normal(size=(40, 6, 2)).astype(np.float32)
y = X[:, -1, 0]
tiny = dict(units=3, epochs=2, random_state=0)
known = GRURegressor(**tiny).fit(X, y)
# Its work is divided among threads, which a fork hasn't got.
large = GRURegressor(units=160, epochs=1, random_state=0, batch_size=40).fit(X, y)
works = {
    "fit": lambda: GRURegressor(**tiny).fit(X, y).predict(X),
    "go on": lambda: known.partial_fit(X, y).predict(X),
    "labels": lambda: LSTMClassifier(**tiny).fit(X, y > 0).predict_proba(X),
    "pairs": lambda: Seq2SeqRegressor(**tiny).fit(X, X[:, :3, 0]).predict(X),
    "text": lambda: TextGenerator(**tiny, lookback=4, embedding_dim=2).fit(
        "abcabcabcabc").generate("a", max_new_tokens=5, random_state=0),
    "predict": lambda: known.predict(X),
    "large": lambda: large.predict(X),
}
"""

DURING = """
engine, n_rounds = sys.argv[1], int(sys.argv[2])
alone = {name: said_in_a_fork(work) for name, work in works.items()}


is_over = threading.Event()


def train(units):
    model = GRURegressor(units=units, epochs=2, random_state=0, engine=engine)
    while not is_over.is_set():
        model.fit(X, y)


threads = [threading.Thread(target=train, args=[units]) for units in (3, 160, (4, 5))]
for each in threads:
    each.start()
time.sleep(float(sys.argv[3]))
wrong = []
for i in range(n_rounds):
    name = list(works)[i % len(works)]
    said = said_in_a_fork(works[name])
    if said != alone[name]:
        wrong.append([name, said, alone[name]])
keras = said_in_a_fork(lambda: GRURegressor(**tiny, engine="keras").fit(X, y))
is_over.set()
for each in threads:
    each.join()
print(json.dumps({"wrong": wrong, "keras": keras}))
"""


def test_forks_in_the_middle_of_fits_on_the_cpu_engine():
    found = json.loads(
        run(SAID_IN_A_FORK + FORK + DURING, "cpu", 500 if LONG else 70, 0.3)
    )
    assert found["wrong"] == []


def test_forks_in_the_middle_of_fits_on_the_keras_engine():
    found = json.loads(
        run(SAID_IN_A_FORK + FORK + DURING, "keras", 70 if LONG else 14, 6)
    )
    assert found["wrong"] == []
    assert found["keras"].startswith("RuntimeError: This process was forked from one")


SPAWN = """
import multiprocessing
from skrnn import GRURegressor

if __name__ == "__main__":
    signal.alarm(80)
    X = rng.normal(size=(40, 6, 2)).astype(np.float32)
    y = X[:, -1, 0]
    known = GRURegressor(units=3, epochs=2, random_state=0, engine=sys.argv[1])
    known.fit(X, y)
    is_over = threading.Event()

    def train():
        while not is_over.is_set():
            GRURegressor(units=2, epochs=1, engine=sys.argv[1]).fit(X, y)

    other = threading.Thread(target=train)
    with multiprocessing.get_context(sys.argv[2]).Pool(2) as pool:
        same = []
        for _ in range(2):
            predicted = pool.map(known.predict, [X] * 4)
            fitted = pool.starmap(known.fit, [(X, y)] * 2)
            predicted += [each.predict(X) for each in fitted]
            same += [np.array_equal(each, known.predict(X)) for each in predicted]
            # From here on in the middle of a fit.
            if not other.is_alive():
                other.start()
    is_over.set()
    other.join()
    print(json.dumps(same))
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_spawned_processes_predict_and_fit(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    assert json.loads(run(SPAWN, "cpu", method)) == [True] * 12
