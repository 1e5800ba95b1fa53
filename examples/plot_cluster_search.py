"""
A search over a cluster
=======================

The fits of a search are independent of each other, so that other machines can do them.
joblib hands them to the workers of a Dask cluster; here it is one of two processes on
this machine, which is how a cluster is tried out.
"""

# %%
# The search
# ----------
# How many years back to look to tell next year's sunspots, with which cell. The
# windows are made inside of the pipeline: a worker is sent the series, and its windows
# are views of that. If windows went to the workers, each value would be sent as often
# as there are windows it is part of.
import time

import joblib
import matplotlib.pyplot as plt
import numpy as np
from dask.distributed import Client, LocalCluster
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from statsmodels.datasets import sunspots

from skrnn import SequenceRegressor
from skrnn.inspection import TrainingHistoryDisplay
from skrnn.preprocessing import SequenceWise, SlidingWindow, make_supervised

X, y = make_supervised(sunspots.load_pandas().data["SUNACTIVITY"])
model = make_pipeline(
    SlidingWindow(warmup="carry"),
    SequenceWise(StandardScaler()),
    SequenceRegressor(units=16, epochs=60, learning_rate=0.01, random_state=0),
)
grid = {
    "slidingwindow__lookback": [2, 11, 22],
    "sequenceregressor__cell": ["rnn", "gru", "lstm"],
}
search = GridSearchCV(
    model, grid, cv=TimeSeriesSplit(3), scoring="neg_root_mean_squared_error"
)


# %%
# On the cluster
# --------------
# One process for each core, with a single thread each: Dask tells the kernels by
# ``OMP_NUM_THREADS`` to use no more. A cluster of several machines differs by its
# address alone, ``Client("tcp://scheduler:8786")``. The ``if`` is needed because the
# processes read this script as well.
def main():
    options = dict(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        started = time.perf_counter()
        with joblib.parallel_config("dask"):
            search.fit(X, y)
        seconds = time.perf_counter() - started
        workers = len(client.scheduler_info()["workers"])
    n_fits = len(search.cv_results_["params"]) * search.n_splits_ + 1
    print(f"{n_fits} fits on {workers} workers in {seconds:.1f} s")

    # Wherever a fit is done, it is the same fit.
    here = search.best_score_
    search.fit(X, y)
    print(f"the same scores on this process: {search.best_score_ == here}")
    print(f"best: {search.best_params_}")
    print(f"wrong by {-search.best_score_:.1f} sunspots")
    changes = np.asarray(y) - np.asarray(X)[:, -1]
    tests = (changes[test] for _, test in search.cv.split(X))
    naive = np.mean([np.sqrt(np.mean(test**2)) for test in tests])
    print(f"as the year before: {naive:.1f} sunspots")
    TrainingHistoryDisplay.from_search(search)
    plt.show()


if __name__ == "__main__":
    main()
