"""Many threads fit and predict at once; each gets what it would have got alone."""

import json

import pytest
from _children import run
from _instances import needs
from _tables import LONG

# Every thread has work of its own, and all predict with the same fitted estimators.
AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from sklearn.base import clone
from skrnn import Seq2SeqRegressor, SequenceClassifier, SequenceRegressor
from skrnn.text import TextGenerator

n_rounds, engines = int(sys.argv[1]), sys.argv[2:]
X = rng.normal(size=(40, 9, 2)).astype(np.float32)
ragged = [x[: 1 + i % 9] for i, x in enumerate(X)]
y, text = X[:, -1, 0], "the cat sat on the mat. " * 4
tiny = dict(epochs=2, random_state=0, batch_size=16)


def jobs_on(engine):
    options = tiny | {"engine": engine}
    series = SequenceRegressor
    yield series(**options, cell="lstm", units=3), (X, y), ragged
    yield series(**options, cell="gru", units=(2, 3), attention="dot"), (X, y), X
    yield series(**options, cell="rnn", units=5, bidirectional=True), (ragged, y), X
    yield SequenceClassifier(**options, cell="gru", units=4), (X, y > 0), ragged
    if engine == "cpu":
        # Large enough for the work of each to be divided among threads in its turn.
        wide = options | {"batch_size": 40, "epochs": 1}
        yield series(**wide, cell="lstm", units=160), (X, y), X
        yield Seq2SeqRegressor(**options, units=3), (X, X[:, :3, 0]), X
        yield TextGenerator(**options, units=4, lookback=8, embedding_dim=3), (text,), 0


jobs = [job for engine in engines for job in jobs_on(engine)]


def answer(model, data):
    if isinstance(model, TextGenerator):
        return model.generate("the ", max_new_tokens=9, random_state=0)
    return model.predict(data).tolist()


def fitted(job):
    model, given, asked = job
    return answer(clone(model).fit(*given), asked)


expected = [fitted(job) for job in jobs]
shared = [clone(model).fit(*given) for model, given, _ in jobs]
start = threading.Barrier(8)


def thread(number):
    order = random.Random(number)
    start.wait()
    wrong = []
    for _ in range(n_rounds):
        at = order.randrange(len(jobs))
        if fitted(jobs[at]) != expected[at]:
            wrong.append(["fit", at])
        for at in order.sample(range(len(jobs)), 3):
            if answer(shared[at], jobs[at][2]) != expected[at]:
                wrong.append(["predict", at])
    return wrong


with ThreadPoolExecutor(8) as pool:
    print(json.dumps(sum(pool.map(thread, range(8)), [])))
"""


def test_eight_threads_on_the_cpu_engine():
    assert json.loads(run(AT_ONCE, 400 if LONG else 40, "cpu")) == []


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_eight_threads_of_which_some_use_another_engine(backend):
    needs(backend)
    rounds = 40 if LONG else 3
    found = run(AT_ONCE, rounds, "cpu", "keras", KERAS_BACKEND=backend, seconds=200)
    assert json.loads(found) == []


# One estimator is fitted again and again, on units of other sizes and as small and
# large networks in turn, while others predict with it: each answer is of one of these.
UNDER_WAY = """
from skrnn import LSTMRegressor

X = rng.normal(size=(30, 6, 2)).astype(np.float32)
y = 5 + X[:, -1, 0]
sizes = [dict(units=2, layer_norm=False), dict(units=(90, 7), layer_norm=True)]
targets = [y, 1000 * y - 7e6]
model = LSTMRegressor(epochs=1, random_state=0)


def fitted(i):
    return model.set_params(**sizes[i]).fit(X, targets[i])


known = [fitted(i).predict(X) for i in (0, 1)]
over = threading.Event()
said = []


def predict():
    while not over.is_set():
        found = model.predict(X)
        if not any(np.array_equal(found, each) for each in known):
            said.append(f"of two networks: {found[:3]}")


def guarded():
    try:
        predict()
    except BaseException as error:
        said.append(repr(error))


threads = [threading.Thread(target=guarded) for _ in range(4)]
for each in threads:
    each.start()
try:
    for number in range(int(sys.argv[1])):
        fitted(number % 2)
finally:
    over.set()
for each in threads:
    each.join()
after = [fitted(i).predict(X) for i in (0, 1)]
same = [np.array_equal(*pair) for pair in zip(known, after)]
print(json.dumps({"said": said[:5], "same": same}))
"""


def test_answers_during_a_fit_are_wholly_of_one_fit():
    found = json.loads(run(UNDER_WAY, 500 if LONG else 40, seconds=280))
    assert found["said"] == []
    assert found["same"] == [True, True]
