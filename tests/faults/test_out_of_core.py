"""Training on files that are larger than the memory that a process may have.

The limit is that of data (RLIMIT_DATA of Linux): what a process has of its own. One of
the whole address space would forbid to map such a file at all.
"""

import json
import sys

import numpy as np
import pytest
from _children import run
from _tables import LONG

pytest.importorskip("resource", reason="needs limits of Unix")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")

# Megabytes of the file, and what the process may have beyond what it has before.
FILE, ALLOWED = (4000, 200) if LONG else (600, 100)

LIMITED = """
import resource
from skrnn import GRURegressor, LSTMClassifier, RNNRegressor, SlidingWindow

folder, allowed = sys.argv[1], int(sys.argv[2]) * 2**20
tiny = dict(units=4, epochs=1, batch_size=512, random_state=0, learning_rate=0.02)
small = rng.normal(size=(600, 8, 2)).astype(np.float32)
# What is loaded at first use, and the threads.
RNNRegressor(**tiny).fit(small, small[:, 0, 0]).predict(small)
LSTMClassifier(**tiny).fit(small, small[:, 0, 0] > 0).predict(small)


def limit():
    with open("/proc/self/status") as file:
        lines = dict(line.split(":", 1) for line in file)
    now = int(lines["VmData"].split()[0]) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (now + allowed, now + allowed))


def refused(work):
    try:
        work()
    except MemoryError:
        return True
    return False


X = np.load(folder + "/X.npy", mmap_mode="r")
y = np.load(folder + "/y.npy")
limit()
found = {"the file in memory": refused(lambda: np.array(X))}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write sequences (n, 40, 16) and their targets, block by block."""
    folder = tmp_path_factory.mktemp("large")
    n, rng = FILE * 2**20 // (4 * 40 * 16), np.random.default_rng(0)
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", np.float32, (n, 40, 16))
    block = rng.normal(size=(4096, 40, 16)).astype(np.float32)
    for first in range(0, n, len(block)):
        X[first : first + len(block)] = block[: n - first]
    np.save(folder / "y.npy", np.resize(block[:, -1, 0], n))
    X.flush()
    yield folder
    (folder / "X.npy").unlink()


def test_sequences_in_a_file(folder):
    found = json.loads(
        run(
            LIMITED
            + """
model = RNNRegressor(**tiny, early_stopping=True).fit(X, y)
found["score"] = model.score(X[:1000], y[:1000])
found["predictions"] = len(model.predict(X))
half = len(X) // 2
found["in blocks"] = len(model.partial_fit(X[:half], y[:half]).history_["loss"])
labels = y > 0
classifier = LSTMClassifier(**tiny).fit(X[: len(X) // 4], labels[: len(X) // 4])
found["labels"] = classifier.score(X[:1000], labels[:1000])
print(json.dumps(found))
""",
            folder,
            ALLOWED,
            seconds=280,
        )
    )
    n = len(np.load(folder / "y.npy", mmap_mode="r"))
    assert found["the file in memory"]
    assert found["predictions"] == n
    assert found["in blocks"] == 2
    # The value at the last step is learned, from all of the file.
    assert found["score"] > 0.9
    assert found["labels"] > 0.8


def test_windows_of_a_series_in_a_file(folder):
    found = json.loads(
        run(
            LIMITED
            + """
# The windows are views: they are 100 times the series, and the file's size many times.
series = X.reshape(-1, 16)[:200_000]
windows = SlidingWindow(100).fit_transform(series)
found["windows in MB"] = windows.size * 4 / 2**20
target = np.array(series[:, 0])
model = RNNRegressor(**tiny | {"units": 1}).fit(windows, target)
found["score"] = model.score(windows[:1000], target[:1000])
print(json.dumps(found))
""",
            folder,
            ALLOWED,
            seconds=280,
        )
    )
    assert found["windows in MB"] > 10 * ALLOWED
    assert found["score"] > 0.5
