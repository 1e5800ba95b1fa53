"""The losses of every fit: of candidates, folds and members, in workers too."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import GRUClassifier, GRURegressor
from skrnn.forecasting import Forecaster
from skrnn.inspection import EpochLog
from skrnn.preprocessing import SequenceWise
from skrnn.text import TextGenerator

X = np.random.default_rng(0).normal(size=(24, 4, 1))
Y = X[:, -1, 0]
NETWORK = GRURegressor(units=2, epochs=3, validation_split=0.2, random_state=0)
GRID = {"units": [2, 3], "learning_rate": [0.01, 0.02]}


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_each_fit_of_a_search_is_there(n_jobs):
    log = EpochLog()
    search = GridSearchCV(NETWORK, GRID, cv=KFold(3), n_jobs=n_jobs)
    search.set_callbacks(log).fit(X, Y)
    losses = log.frame()
    assert losses.columns.tolist() == [
        *["param_learning_rate", "param_units", "candidate", "split", "estimator"],
        *["epoch", "loss", "val_loss"],
    ]
    for i, params in enumerate(search.cv_results_["params"]):
        for k, (train, _) in enumerate(KFold(3).split(X)):
            rows = losses[(losses["candidate"] == i) & (losses["split"] == k)]
            alone = GRURegressor(**NETWORK.get_params() | params).fit(
                X[train], Y[train]
            )
            assert rows["epoch"].tolist() == [1, 2, 3]
            for name in "loss", "val_loss":
                assert rows[name].tolist() == alone.history_[name]
            for name, value in params.items():
                assert rows[f"param_{name}"].tolist() == [value] * 3
    best = losses[losses["split"].isna()]
    assert best["loss"].tolist() == search.best_estimator_.history_["loss"]
    assert len(losses) == (4 * 3 + 1) * 3


def test_a_network_in_a_pipeline_is_heard():
    log = EpochLog()
    model = make_pipeline(SequenceWise(StandardScaler()), NETWORK)
    grid = {"gruregressor__units": [2, 3]}
    search = GridSearchCV(model, grid, cv=2, refit=False).set_callbacks(log)
    losses = log.frame() if search.fit(X, Y) else None
    assert losses.groupby(["candidate", "split"]).size().tolist() == [3] * 4
    assert losses["param_gruregressor__units"].tolist() == [2] * 6 + [3] * 6


def test_candidates_of_a_halving_search_have_their_own_numbers():
    log = EpochLog()
    search = HalvingGridSearchCV(
        GRUClassifier(units=2, early_stopping=False, random_state=0),
        {"learning_rate": [0.01, 0.02, 0.03, 0.04]},
        resource="epochs", min_resources=1, max_resources=4, factor=2, cv=2,
    )  # fmt: skip
    search.set_callbacks(log).fit(X, np.where(Y > 0, "up", "down"))
    losses = log.frame()
    of_folds = losses.dropna(subset="split")
    sizes = of_folds.groupby("candidate").size() / 2
    assert sizes.tolist() == search.cv_results_["n_resources"].tolist()
    rates = of_folds.groupby("candidate")["param_learning_rate"].first()
    expected = [params["learning_rate"] for params in search.cv_results_["params"]]
    assert rates.tolist() == expected


def test_members_of_a_forecaster_have_numbers():
    log = EpochLog()
    network = GRURegressor(units=2, random_state=0)
    model = Forecaster(network, n_members=2, n_windows=40, lookback=4, random_state=0)
    y = np.sin(np.arange(60) / 3)
    model.set_callbacks(log).fit(None, y)
    losses = log.frame()
    assert losses["member"].tolist() == [0] * 10 + [1] * 10
    for i, member in enumerate(model.estimators_):
        rows = losses[losses["member"] == i]
        assert rows["loss"].tolist() == member.history_["loss"]
    search = GridSearchCV(model.set_callbacks(), {"lookback": [3, 4]}, cv=KFold(2))
    search.set_callbacks(log).fit(np.arange(60.0)[:, None], y)
    by_fit = log.frame().groupby(["candidate", "split", "member"]).size()
    assert by_fit.tolist() == [10] * 8


def test_runs_are_kept_apart():
    log = EpochLog()
    model = GRURegressor(units=2, epochs=2, random_state=0).set_callbacks(log)
    cross_val_score(model, X, Y, cv=3)
    assert log.frame("all")["run"].tolist() == [0, 0, 1, 1, 2, 2]
    assert log.frame()["epoch"].tolist() == [1, 2]
    writer = TextGenerator(units=4, embedding_dim=4, lookback=4, epochs=3)
    writer.set_callbacks(log).fit("abcabcabc")
    assert log.frame()["estimator"].tolist() == ["TextGenerator"] * 3


def test_copies_in_one_process_share_what_they_hear():
    log = EpochLog()
    copied = pickle.loads(pickle.dumps(log))
    GRURegressor(units=2, epochs=2).set_callbacks(copied).fit(X, Y)
    pd.testing.assert_frame_equal(log.frame(), copied.frame())


def test_a_log_without_networks_is_an_error():
    log = EpochLog()
    with pytest.raises(ValueError, match="No logs to retrieve"):
        log.frame()
    with pytest.raises(ValueError, match=r"among {'all', 'most_recent'}\. Got 'last'"):
        log.frame("last")
