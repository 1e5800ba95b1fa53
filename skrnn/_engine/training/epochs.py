"""Epochs of batches in few calls: the one loop of every fit, whoever's program it is.

Two fits run on it: that of our estimators (`skrnn._engine.training.loop`) and that of a
Keras model of the user's (`skrnn.scikeras.engine.training`). They differ in what a step
does and in what is told to whom; each passes functions for that.
"""

import time
from collections.abc import Callable, Iterable, Sequence

# Long enough for the overhead of a call not to count, short enough for Ctrl-C.
_SECONDS_PER_CALL = 0.3
# What a call puts together for its rows shall be small beside ten million of them.
_ROWS_PER_CALL = 2**16


class Pace:
    """How many batches a call takes: what is computed doesn't depend on it."""

    def __init__(self):
        self.batches_per_call = 1

    def adapt(self, seconds, n_batches):
        """Learn from a call that took `seconds` for `n_batches`."""
        wanted = int(n_batches * _SECONDS_PER_CALL / max(seconds, 1e-6))
        self.batches_per_call = min(max(wanted, 1), 8 * self.batches_per_call)

    def most(self, batch):
        """Return how many batches like `batch` the next call may take."""
        return min(self.batches_per_call, max(1, _ROWS_PER_CALL // len(batch)))


def run_epochs(
    epochs: Iterable[int],
    run_epoch: Callable[[int], dict | None],
    notify: Callable,
    is_over: Callable[[int, dict], bool],
) -> dict:
    """Run epochs until there are no more, or one of them ends it all.

    Parameters
    ----------
    epochs : iterable of int
        Their numbers, from 0.
    run_epoch : callable
        ``run_epoch(epoch) -> logs``: trains and validates. None ends it at once, and
        nobody hears of that epoch.
    notify : callable
        ``notify(event, *args)`` tells callbacks.
    is_over : callable
        ``is_over(epoch, logs)``: whether this was the last one, now that it was told.

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
    pace: Pace,
    *,
    one_by_one: bool,
    before: Callable[[int], None],
    after: Callable[[int, float, float], None],
    is_over: Callable[[], bool] = lambda: False,
) -> tuple[float, float]:
    """Run batches in as few calls as Ctrl-C allows, the first one in any case.

    Parameters
    ----------
    batches : sequence of ndarray, or ndarray (n_batches, B)
        A slice of it is what `step` gets.
    step : callable
        ``step(part) -> (total, count)``: trains or evaluates; the sum of the losses
        and the number of those.
    pace : Pace
    one_by_one : bool
        Whether somebody wants to hear of every batch.
    before, after : callable
        ``before(i)`` and ``after(i, total, count)`` are told of each call: the number
        of its first or last batch, and the sums so far.
    is_over : callable
        Whether to leave it at that.

    Returns
    -------
    total, count : float
        Over all batches that were run.
    """
    total, count, done = 0.0, 0.0, 0
    while done < len(batches):
        size = 1 if one_by_one or is_over() else pace.most(batches[done])
        before(done)
        part = batches[done : done + size]
        started = time.monotonic()
        total_part, count_part = step(part)
        pace.adapt(time.monotonic() - started, len(part))
        # Double: where the batches are cut, by time, must not show.
        total, count = total + float(total_part), count + float(count_part)
        done += len(part)
        after(done - 1, total, count)
        if is_over():
            break
    return total, count
