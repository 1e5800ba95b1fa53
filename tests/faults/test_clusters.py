"""Searches that joblib spreads over the workers of a local Dask cluster and of Ray."""

import os
import resource
import threading
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, KFold, TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from skrnn import GRURegressor
from skrnn._engine.cpu.kernels.threads import n_threads
from skrnn.inspection import EpochLog
from skrnn.preprocessing import SlidingWindow, make_supervised

MB = 2**20


def needs(package):
    reason = f"{package} is not installed: pip install 'skrnn[cluster]'"
    return pytest.mark.skipif(find_spec(package) is None, reason=reason)


@contextmanager
def on_dask():
    from dask.distributed import Client, LocalCluster

    options = dict(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with (
        LocalCluster(**options) as cluster,
        Client(cluster),
        joblib.parallel_config("dask"),
    ):
        yield


@contextmanager
def on_ray():
    import ray
    from ray.util.joblib import register_ray

    # So that workers find this module.
    given = os.environ.get("PYTHONPATH")
    paths = [str(Path(__file__).parent), *filter(None, [given])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    quiet = dict(include_dashboard=False, log_to_driver=False, logging_level="error")
    ray.init(num_cpus=2, **quiet)
    try:
        register_ray()
        with joblib.parallel_config("ray", n_jobs=2):
            yield
    finally:
        ray.shutdown()
        os.environ.pop("PYTHONPATH")
        if given is not None:
            os.environ["PYTHONPATH"] = given


CLUSTERS = [
    pytest.param(on_dask, id="dask", marks=needs("distributed")),
    pytest.param(on_ray, id="ray", marks=needs("ray")),
]


@pytest.fixture(scope="module", params=CLUSTERS)
def cluster(request):
    with request.param():
        yield


def series(n):
    rng = np.random.default_rng(0)
    return np.sin(np.arange(n) / 6) + 0.1 * rng.normal(size=n)


def search(**options):
    model = make_pipeline(
        SlidingWindow(warmup="carry"), GRURegressor(epochs=3, random_state=0)
    )
    grid = {"slidingwindow__lookback": [3, 6], "gruregressor__units": [3, 4]}
    return GridSearchCV(model, grid, cv=TimeSeriesSplit(2), **options)


@cache
def found_here():
    return search(n_jobs=1).fit(*make_supervised(series(200)))


def test_results_are_those_of_one_process(cluster):
    found, expected = search().fit(*make_supervised(series(200))), found_here()
    for name in "mean_test_score", "std_test_score", "rank_test_score":
        np.testing.assert_array_equal(
            found.cv_results_[name], expected.cv_results_[name]
        )
    assert found.best_params_ == expected.best_params_
    X, _ = make_supervised(series(200))
    np.testing.assert_array_equal(found.predict(X), expected.predict(X))


class Measured(GRURegressor):
    """Tells by its score what its process takes, and where it ran."""

    def score(self, X, y, sample_weight=None):
        threads = [t.name for t in threading.enumerate()]
        return {
            "process": os.getpid(),
            "threads": n_threads(),
            "helpers": threads.count("skrnn"),
            "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


def measures(estimator, X, y):
    return estimator[-1].score(X, y)


def measured(lookback, *, n, n_features=1, units):
    """Return what each of four fits tells of its worker."""
    X = np.random.default_rng(0).normal(size=(n, n_features))
    model = make_pipeline(
        SlidingWindow(lookback, warmup="carry"),
        Measured(units=units, epochs=1, batch_size=32, random_state=0),
    )
    options = dict(cv=KFold(2), scoring=measures, refit=False)
    grid = {"measured__learning_rate": [0.01, 0.02]}
    found = GridSearchCV(model, grid, **options).fit(X, X[:, 0])
    names = "process", "threads", "helpers", "megabytes"
    return {
        name: np.concatenate(
            [found.cv_results_[f"split{i}_test_{name}"] for i in range(2)]
        )
        for name in names
    }


def test_workers_copy_no_windows(cluster):
    options = dict(n=2_000, n_features=32, units=1)
    small, large = measured(2, **options), measured(1_000, **options)
    assert os.getpid() not in large["process"]
    windows = 1_000 * 1_000 * 32 * 4 / MB
    assert large["megabytes"].max() - small["megabytes"].max() < windows / 2


def test_workers_share_the_cores(cluster):
    found = measured(8, n=2_000, units=128)
    assert found["threads"].tolist() == [1.0] * 4
    assert found["helpers"].tolist() == [0.0] * 4


def test_losses_of_all_fits_come_back(cluster):
    log = EpochLog()
    model = search().set_callbacks(log).fit(*make_supervised(series(200)))
    losses = log.frame()
    assert len(losses) == (4 * 2 + 1) * 3
    of_folds = losses.dropna(subset="split")
    assert of_folds.groupby("candidate")["split"].nunique().tolist() == [2] * 4
    refit = losses[losses["split"].isna()]
    network = model.best_estimator_[-1]
    assert refit["loss"].tolist() == network.history_["loss"]
