"""A callback of scikit-learn that keeps the losses of every network of a search."""

from typing import Any
from uuid import uuid4
from weakref import WeakValueDictionary

import pandas as pd
from sklearn.callback import ScoringMonitor

from skrnn._sklearn import StrOptions, check_arguments


class EpochLog:
    """Callback that keeps the losses of each epoch of each network that is trained.

    Set it on the outermost estimator, ``search.set_callbacks(EpochLog())``. It then
    records every fit inside: all candidates and folds, and the members of a
    :class:`~skrnn.forecasting.Forecaster`, also in worker processes on this machine.
    The losses of a network are recorded when its ``fit`` has ended. Networks trained on
    other machines aren't recorded.

    Attributes
    ----------
    max_propagation_depth : None
        It is handed on to all estimators inside of the outermost one.

    See Also
    --------
    sklearn.callback.ScoringMonitor : Any score at each epoch, on the training data.
    skrnn.inspection.TrainingHistoryDisplay : The losses of one estimator as a picture.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skrnn import GRURegressor
    >>> from skrnn.inspection import EpochLog
    >>> X = np.random.default_rng(0).normal(size=(60, 5, 1))
    >>> model = GRURegressor(epochs=3, validation_split=0.2, random_state=0)
    >>> log = EpochLog()
    >>> search = GridSearchCV(model, {"units": [2, 4]}, cv=2).set_callbacks(log)
    >>> losses = log.frame() if search.fit(X, X[:, -1, 0]) else None
    >>> list(losses)  # two candidates, two folds each, and the best one on all rows
    ['param_units', 'candidate', 'split', 'estimator', 'epoch', 'loss', 'val_loss']
    >>> len(losses)
    15
    """

    max_propagation_depth = None

    def __init__(self) -> None:
        self._kept = _Kept()

    def __getstate__(self):
        return {"_kept": self._kept}

    def __setstate__(self, state):
        # Dask's scheduler may be in this process, and unpickles what it hands on.
        kept = state["_kept"]
        self._kept = _ALL.setdefault(kept.name, kept)

    def setup(self, estimator: Any, context: Any) -> None:
        """Do nothing: scikit-learn calls it before a fit.

        Parameters
        ----------
        estimator : estimator
            What is to be fitted.
        context : CallbackContext
            Of its fit.
        """

    def teardown(self, estimator: Any, context: Any) -> None:
        """Do nothing: scikit-learn calls it after a fit.

        Parameters
        ----------
        estimator : estimator
            What was fitted.
        context : CallbackContext
            Of its fit.
        """

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Do nothing: scikit-learn calls it before a task.

        Parameters
        ----------
        estimator : estimator
            Whose task it is.
        context : CallbackContext
            Of the task.
        """

    def on_fit_task_end(self, estimator: Any, context: Any) -> None:
        """Keep the losses if a network has been fitted; scikit-learn calls it.

        Parameters
        ----------
        estimator : estimator
            Whose task has ended.
        context : CallbackContext
            Of the task.
        """
        if context.task_name != "fit":
            return
        if context.parent is None and hasattr(estimator, "cv_results_"):
            self._kept.searches[context.root_uuid] = {
                "params": estimator.cv_results_["params"],
                "n_splits": estimator.n_splits_,
                # Of each iteration of a halving search.
                "n_candidates": getattr(estimator, "n_candidates_", None),
            }
        elif hasattr(estimator, "best_epoch_"):
            monitor = self._kept.monitor
            monitor.setup(estimator, context)
            given = {"X": (), "y": (), "fitted_estimator": estimator}
            monitor.on_fit_task_end(estimator, context, **given)
            monitor.teardown(estimator, context)

    def frame(self, select: str = "most_recent") -> pd.DataFrame:
        """Return the losses, a row for each epoch.

        Parameters
        ----------
        select : {"most_recent", "all"}, default="most_recent"
            The last outermost ``fit``, or all fits since the log was created. Without a
            search, as in ``cross_val_score``, each fit is an outermost one.

        Returns
        -------
        losses : DataFrame
            "estimator", the class of the network; "epoch", from 1; "loss" and, with a
            validation set, "val_loss". Of a search "candidate", the number in
            ``cv_results_``, with ``"param_..."`` for each of its parameters, and
            "split", the number of the fold; both are NA for the fit of the best
            candidate on all rows. "member" are the numbers of a Forecaster's networks,
            and "run" is there with ``select="all"``.

        Raises
        ------
        ValueError
            If no network has been fitted.
        """
        check_arguments(
            {"select": [StrOptions({"most_recent", "all"})]},
            {"select": select},
            "EpochLog.frame",
        )
        runs = self._kept.monitor.get_logs(select="all", include_lineage=True)
        runs = runs if select == "all" else runs[-1:]
        found = []
        for number, run in enumerate(runs):
            search = self._kept.searches.get(run.run_id)
            rows = [row for row in run.data if isinstance(row.get("history"), dict)]
            names = {row["task_id_path"]: row["estimator_name"] for row in run.data}
            of_run = {} if select == "most_recent" else {"run": number}
            found += [_epochs(row, of_run, search, names) for row in rows]
        made = pd.concat(found, ignore_index=True)
        whole = made.columns.intersection(["candidate", "split", "member"])
        return made.astype(dict.fromkeys(whole, "Int64"))


class _Kept:
    """What a log and all its copies in one process share."""

    def __init__(self):
        self.name = uuid4().hex
        # It brings what it is told in worker processes back to this one.
        self.monitor = ScoringMonitor(scoring=_learned)
        # Run -> what is known of the search that it is.
        self.searches: dict[Any, dict] = {}
        _ALL[self.name] = self


_ALL: WeakValueDictionary[str, _Kept] = WeakValueDictionary()


def _learned(estimator, X, y):
    """Return what a network has learnt, as if that were a score."""
    return {"history": estimator.history_}


def _epochs(row, of_run, search, names):
    """Return the losses of one network with what tells which it is."""
    path = row["task_id_path"]
    told = dict(of_run)
    if search is not None:
        told |= _in_search(path, search)
    told["estimator"] = row["estimator_name"]
    if names.get(path[:-1]) == "Forecaster":
        told["member"] = path[-1]
    n_epochs = len(row["history"]["loss"])
    numbers = {"epoch": range(1, n_epochs + 1)} | row["history"]
    known = {name: [value] * n_epochs for name, value in told.items()}
    return pd.DataFrame(known | numbers)


def _in_search(path, search):
    """Return the candidate, its parameters and the fold that tasks at `path` are of.

    Below a search the first task is to try candidates, the second one to fit the best
    of them again. It numbers the fits candidate by candidate, in a halving search in
    each of its iterations.
    """
    names = sorted({name for params in search["params"] for name in params})
    if path[1] != 0:
        missing = dict.fromkeys(f"param_{name}" for name in names)
        return missing | {"candidate": pd.NA, "split": pd.NA}
    before, number = 0, path[2]
    if search["n_candidates"] is not None:
        before, number = sum(search["n_candidates"][: path[2]]), path[3]
    candidate, split = divmod(number, search["n_splits"])
    params = search["params"][before + candidate]
    found = {f"param_{name}": params.get(name) for name in names}
    return found | {"candidate": before + candidate, "split": split}
