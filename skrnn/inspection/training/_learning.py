"""The losses of fitted estimators, wherever they are kept."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from skrnn.inspection._parts import members_with

History = Mapping[str, Any]


def learned_by(network: Any) -> tuple[Any, Any]:
    """Return the history and the best epoch of a network, or of each of an ensemble."""
    members = members_with(network, "history_")
    if members:
        best = [getattr(member, "best_epoch_", None) for member in members]
        return [member.history_ for member in members], best
    return network.history_, getattr(network, "best_epoch_", None)


def histories_of(history: Any) -> list[dict[str, np.ndarray]]:
    """Return one history a network: of losses (n_epochs,), by name.

    Raises
    ------
    TypeError
        If it is neither a dict nor a list of dicts.
    ValueError
        If there is no network, or one of them has no epoch.
    """
    each = [history] if isinstance(history, Mapping) else history
    if not isinstance(each, list | tuple) or not all(
        isinstance(one, Mapping) for one in each
    ):
        raise TypeError(
            "history must be a dict of lists, or a list of such dicts. "
            f"Got {type(history).__name__}."
        )
    found = [
        {name: np.asarray(values, dtype=float) for name, values in one.items()}
        for one in each
    ]
    if not found or not all(any(map(len, one.values())) for one in found):
        raise ValueError("history has no epochs: the estimator was trained for none.")
    return found


def best_of(best_epoch: Any, n: int) -> list[int | None]:
    """Return the best epoch of each of `n` networks; None where it isn't known."""
    if best_epoch is None or isinstance(best_epoch, int | np.integer):
        return [None if best_epoch is None else int(best_epoch)] * n
    found = [None if each is None else int(each) for each in best_epoch]
    if len(found) != n:
        raise ValueError(
            f"best_epoch must have one epoch for each of {n} histories. "
            f"Got {len(found)}."
        )
    return found


def curve(history: History, metric: str, n_epochs: int):
    """Return the epochs and the values of a metric; both are empty where it is missing.

    Keras computes validation losses every so many epochs if told so: fewer values are
    spread over the epochs.
    """
    values = np.asarray(history.get(metric, ()), dtype=float)
    every = n_epochs // len(values) if len(values) else 1
    return np.arange(1, len(values) + 1) * max(every, 1), values


def need_metric(histories: list, metric: str) -> None:
    """Raise a ValueError if a history lacks the metric."""
    for each in histories:
        if metric not in each:
            names = (name for name in each if not name.startswith("val_"))
            known = ", ".join(map(repr, names))
            raise ValueError(f"metric must be one of {known}. Got {metric!r}.")
