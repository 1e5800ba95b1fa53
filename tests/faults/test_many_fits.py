"""Memory stays flat over many fits of changing shapes, on each engine."""

import json

import pytest
from _children import run
from _instances import needs
from _tables import LONG

FITS = """
from skrnn import Seq2SeqRegressor, SequenceClassifier, SequenceRegressor
from skrnn.text import TextGenerator

engine, n_fits, n_shapes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def numbers(random):
    n, T, F = random.randint(4, 40), random.randint(1, 20), random.randint(1, 4)
    X = rng.normal(size=(n, T, F))
    if random.random() < 0.3:
        X = [x[: 1 + i % T] for i, x in enumerate(X)]
    return X, n


def fit_one(random):
    X, n = numbers(random)
    options = dict(
        units=random.choice([1, 3, 8, (2, 3)]),
        batch_size=random.choice([1, 7, 32]),
        epochs=1, random_state=0, engine=engine,
    )
    kind = random.choice(["numbers", "labels", "pairs", "text"])
    cell = random.choice(["rnn", "lstm", "gru"])
    if kind == "text":
        text = "".join(random.choices("abcdef ", k=random.randint(20, 200)))
        model = TextGenerator(**options, lookback=8, embedding_dim=4)
        return model.fit(text).generate(text[0], max_new_tokens=3, random_state=0)
    if kind == "pairs":
        y = rng.normal(size=(n, random.randint(1, 5)))
        return Seq2SeqRegressor(**options, cell=cell).fit(X, y).predict(X)
    options["attention"] = random.choice([None, "dot", "additive"])
    if kind == "labels":
        y = np.arange(n) % random.choice([2, 3])
        return SequenceClassifier(**options, cell=cell).fit(X, y).predict(X)
    return SequenceRegressor(**options, cell=cell).fit(X, rng.normal(size=n)).predict(X)


# Each shape comes again and again, among as many others as there are.
found = []
for i in range(n_fits):
    fit_one(random.Random(i % n_shapes))
    if (i + 1) % (n_fits // 10) == 0:
        found.append(memory())
print(json.dumps(found))
"""


def grown(engine, n_fits, n_shapes, **environment):
    """Return the memory at the end, less that after three tenths of the fits, in MB."""
    found = json.loads(run(FITS, engine, n_fits, n_shapes, seconds=280, **environment))
    print(engine, [round(each, 1) for each in found])
    assert len(found) == 10
    return found[-1] - found[2]


def test_a_thousand_fits_on_the_cpu_engine():
    # None of the thousand shapes comes twice. It is 2 % of what such a process takes.
    assert grown("cpu", 1000, 1000) < 3


# The backend has compiled all shapes after the first three tenths.
BACKENDS = (
    {"tensorflow": (1000, 30), "jax": (1000, 30)}
    if LONG
    else {"tensorflow": (40, 6), "jax": (40, 6)}
)


@pytest.mark.parametrize("backend", BACKENDS)
def test_fits_on_the_keras_engine(backend):
    needs(backend)
    assert grown("keras", *BACKENDS[backend], KERAS_BACKEND=backend) < 10
