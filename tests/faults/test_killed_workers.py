"""A worker of a search that is killed is an error, and the next search works."""

import json
import os

import pytest
from _children import run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs signals")

SEARCH = """
import warnings
from pathlib import Path
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.model_selection import GridSearchCV
from skrnn import GRURegressor

# joblib's workers are started in a way that Python warns of.
warnings.simplefilter("ignore")
X = rng.normal(size=(40, 5, 2))
y = X[:, -1, 0]


def search(epochs, n_jobs):
    model = GRURegressor(units=2, random_state=0)
    grid = {"epochs": epochs, "learning_rate": [0.01, 0.1]}
    return GridSearchCV(model, grid, cv=2, n_jobs=n_jobs, error_score="raise")


def children():
    tasks = Path("/proc/self/task").glob("*/children")
    return [int(pid) for each in tasks for pid in each.read_text().split()]


def is_busy(pid):
    "Whether a process has computed for some time: it is no mere helper of joblib's."
    try:
        times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return int(times[11]) + int(times[12]) > 2 * os.sysconf("SC_CLK_TCK")


def kill_one():
    "Do what the system does where memory runs out: to a worker that is training."
    while not (busy := [pid for pid in children() if is_busy(pid)]):
        time.sleep(0.05)
    os.kill(busy[0], signal.SIGKILL)


signal.alarm(90)
threading.Thread(target=kill_one, daemon=True).start()
before = time.monotonic()
try:
    search([10**6, 10**6 + 1], n_jobs=2).fit(X, y)
    said = "nothing"
except TerminatedWorkerError as error:
    said = str(error)
seconds = time.monotonic() - before
scores = [
    search([2, 3], n_jobs).fit(X, y).cv_results_["mean_test_score"].tolist()
    for n_jobs in (2, 1)
]
print(json.dumps({"said": said, "seconds": seconds, "scores": scores}))
"""


def test_a_killed_worker_ends_a_search_with_an_error():
    found = json.loads(run(SEARCH))
    assert "A worker process managed by the executor was unexpectedly" in found["said"]
    assert "SIGKILL" in found["said"]
    assert found["seconds"] < 60
    parallel, alone = found["scores"]
    assert parallel == alone
