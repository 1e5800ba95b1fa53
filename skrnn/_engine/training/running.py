"""The loops over epochs and batches that every kind of fit uses.

These are the fits of our estimators (`skrnn._engine.training.loop`) and of a user's own
Keras model (`skrnn.scikeras.engine.training`). Each passes its own functions for a step
and for callbacks.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any


def run_epochs(
    epochs: Iterable[int],
    run_epoch: Callable[[int], dict | None],
    notify: Callable,
    is_over: Callable[[int, dict], bool],
) -> dict:
    """Run epochs until the last one, or until one of them ends training.

    Parameters
    ----------
    epochs : iterable of int
        Their numbers, from 0.
    run_epoch : callable
        ``run_epoch(epoch) -> logs``: trains and validates. None ends training at once;
        callbacks aren't told of that epoch.
    notify : callable
        ``notify(event, *args)`` tells callbacks.
    is_over : callable
        ``is_over(epoch, logs)``: whether this was the last epoch; asked after callbacks
        were told.

    Returns
    -------
    logs : dict
        Of the last epoch.
    """
    logs: dict = {}
    for epoch in epochs:
        notify("on_epoch_begin", epoch)
        found = run_epoch(epoch)
        if found is None:
            break
        logs = found
        notify("on_epoch_end", epoch, logs)
        if is_over(epoch, logs):
            break
    return logs


def run_batches(
    batches: Sequence,
    step: Callable,
    pace: Any,
    *,
    one_by_one: bool,
    before: Callable[[int], None] | None,
    after: Callable[[int, float, float], None],
    is_over: Callable[[], bool] = lambda: False,
) -> tuple[float, float]:
    """Run batches, many in a call; calls are short, so that Ctrl-C works soon.

    The first batch is always run.

    Parameters
    ----------
    batches : sequence of ndarray, ndarray (n_batches, B), or Batches
        `step` gets slices of it.
    step : callable
        ``step(part) -> (total, count)``: trains or evaluates, and returns the sum of
        the losses and their number.
    pace : Pace
        Of the loop: how many batches a call takes.
    one_by_one : bool
        Whether a callback listens to every batch.
    before, after : callable
        ``before(i)`` is called with the first batch of each call, ``after(i, total,
        count)`` with its last one and the sums so far. `before` may be None.
    is_over : callable
        Whether to stop after this call.

    Returns
    -------
    total, count : float
        Over all batches that were run.
    """
    total, count, done = 0.0, 0.0, 0
    part = batches[: pace.most(batches[:1], one_by_one)]
    while len(part):
        if before is not None:
            before(done)
        started = time.monotonic()
        total_part, count_part = step(part)
        pace.adapt(time.monotonic() - started, len(part))
        # In double precision, so that results don't depend on how calls are cut.
        total, count = total + float(total_part), count + float(count_part)
        done += len(part)
        # Only what is needed: all rows at once would take memory.
        part = batches[done : done + pace.most(batches[done : done + 1], one_by_one)]
        after(done - 1, total, count)
        if is_over():
            break
    return total, count
