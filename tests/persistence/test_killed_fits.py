"""A `fit` that was killed goes on, and ends as if it had not been.

Each fit is a process of its own, forked from one that has loaded what it needs, and is
killed at a random moment by SIGKILL, which no process can hear.
"""

import numpy as np
from _instances import in_new_process

# In a process of its own: forks of pytest's would have its threads' locks.
SCRIPT = '''
import os, random, signal, sys, time
import numpy as np
import skrnn
from skrnn._engine.training import checkpoints
from skrnn._persistence.checkpoint_file import read_tree, write_tree
from skrnn.forecasting import Forecaster
from skrnn.text import TextGenerator

folder = sys.argv[1]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 8, 2))
y = X[:, -1, 0]
TEXT = "the cat sat on the mat and the rat sat on the hat. " * 12
SERIES = np.sin(np.arange(120) / 2) + RNG.normal(size=120) / 9
COMMON = dict(units=6, random_state=3)


def fits(path):
    """Name fits -> what to call; each takes about a tenth of a second."""
    common = COMMON | {"checkpoint_path": path}
    return {
        "early stopping, dropout": lambda: skrnn.LSTMRegressor(
            epochs=40, early_stopping=True, patience=40, dropout=0.3,
            recurrent_dropout=0.2, learning_rate_schedule="cosine", batch_size=8,
            **common).fit(X, y),
        "no seed": lambda: skrnn.GRUClassifier(
            epochs=40, batch_size=8, validation_split=0.2, early_stopping=False,
            **common | {"random_state": None}).fit(X, y > 0),
        "decoder": lambda: skrnn.Seq2SeqRegressor(
            epochs=12, teacher_forcing=0.5, batch_size=8, optimizer="nadam",
            **common).fit(X, X[:, :3, 0]),
        "text": lambda: TextGenerator(
            epochs=10, lookback=16, batch_size=4, embedding_dim=6, dropout=0.2,
            early_stopping=True, **common).fit(TEXT),
        "forecaster": lambda: Forecaster(
            skrnn.LSTMRegressor(units=6), horizon=4, lookback=12, n_windows=2000,
            seasonal_periods=None, n_members=2, random_state=None,
            checkpoint_path=path).fit(None, SERIES),
    }


def state(model):
    """Return what two equal fits have alike."""
    networks = getattr(model, "estimators_", [model])
    return [(n._weights, n._optimizer_state, n.history_, n.n_iter_, n.best_epoch_)
            for n in networks]


def same(a, b):
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def forked(work):
    """Run `work` in a process of its own; return its number."""
    child = os.fork()
    if not child:
        # After each epoch, not only once a second.
        checkpoints.SECONDS_BETWEEN, checkpoints._MOST_OF_THE_TIME = 0, 1
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    return child


def begun(path):
    """Wait until something is in the file, or the fit is over."""
    until = time.monotonic() + 5
    while not os.path.exists(path) and time.monotonic() < until:
        time.sleep(0.002)


def killed(work, path):
    """Kill a fit at a random moment after it has begun; return whether it could be."""
    most, status = 0.1, 0
    while not os.WIFSIGNALED(status) and most > 1e-4:
        if os.path.exists(path):
            os.remove(path)
        child = forked(work)
        begun(path)
        time.sleep(random.random() * most)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        # A machine may be so fast that the fit is over before.
        most /= 2
    return os.WIFSIGNALED(status)


random.seed(int(sys.argv[2]))
for name in fits(""):
    for number in range(2):
        path = os.path.join(folder, f"{name}{number}.checkpoint")
        assert killed(fits(path)[name], path), name
        # The seed of a fit without one is in the file: the whole fit needs it too.
        tree = read_tree(path)
        n_epochs = len(tree["state"]["history"]["loss"]) if tree["state"] else None
        found = state(fits(path)[name]())
        whole = path + "-whole"
        write_tree(whole, tree | {"state": None, "ended": False})
        assert same(found, state(fits(whole)[name]())), name
        # What has ended is there at once.
        assert same(found, state(fits(path)[name]())), name
        print(name, "epochs:", n_epochs)
'''


def test_ten_killed_fits_go_on_to_the_same_end(tmp_path):
    seed = int(np.random.default_rng().integers(2**31))
    output = in_new_process(SCRIPT, tmp_path, seed)
    print(f"seed {seed}\n{output}")
    assert len(output.strip().splitlines()) == 10
