"""The loop that every fit runs on: which calls are made, and what may end it."""

import numpy as np
import pytest

from skrnn import GRURegressor
from skrnn._engine.cpu import network
from skrnn._engine.training import loop
from skrnn._engine.training.loop import Pace, run_batches, run_epochs

BATCHES = np.arange(40).reshape(20, 2)


def run(pace=None, step=None, **options):
    """Run batches whose loss is their number; return the parts, events and sums."""
    parts, events = [], []

    def add(part):
        parts.append(part)
        return part[:, 0].sum(), len(part)

    found = run_batches(
        BATCHES,
        step or add,
        pace or Pace(),
        before=lambda i: events.append(("before", i)),
        after=lambda i, total, count: events.append(("after", i, total, count)),
        **{"one_by_one": False} | options,
    )
    return parts, events, found


def test_every_batch_is_run_once_in_its_order():
    parts, events, (total, count) = run()
    np.testing.assert_array_equal(np.concatenate(parts), BATCHES)
    assert (total, count) == (BATCHES[:, 0].sum(), 20)
    assert events[-1] == ("after", 19, total, count)
    assert len(parts) < 20


def test_who_wants_to_hear_of_every_batch_does():
    parts, events, _ = run(one_by_one=True)
    assert [len(part) for part in parts] == [1] * 20
    assert [each[1] for each in events] == [i for i in range(20) for _ in range(2)]


def test_the_first_batch_is_run_even_if_all_is_over():
    parts, _, (_, count) = run(is_over=lambda: True)
    assert [len(part) for part in parts] == [1]
    assert count == 1


def test_calls_are_as_long_as_they_may_be():
    pace = Pace()
    pace.adapt(seconds=1, n_batches=10)
    assert pace.batches_per_call == 3
    pace.adapt(seconds=1e-9, n_batches=10)
    # No more than eight times as many at once.
    assert pace.batches_per_call == 24
    pace.adapt(seconds=100, n_batches=1)
    assert pace.batches_per_call == 1


def test_a_call_has_a_bounded_number_of_rows():
    pace = Pace()
    pace.batches_per_call = 10**9
    assert pace.most(np.zeros((2, 32))) * 32 == loop._ROWS_PER_CALL
    assert pace.most(np.zeros((1, 10**6))) == 1


def test_epochs_end_when_they_are_over_or_nothing_is_left_of_one():
    told = []

    def notify(event, epoch, *logs):
        told.append((event, epoch))

    logs = run_epochs(
        range(3, 9), lambda epoch: {"loss": epoch}, notify, lambda epoch, _: epoch == 4
    )
    assert logs == {"loss": 4}
    begin, end = "on_epoch_begin", "on_epoch_end"
    assert told == [(begin, 3), (end, 3), (begin, 4), (end, 4)]
    told.clear()
    found = run_epochs([7], lambda _: None, notify, lambda *_: False)
    assert found == {}
    assert told == [(begin, 7)]


X = np.random.default_rng(0).normal(size=(40, 5, 2))


def test_without_memory_a_fit_leaves_the_one_before(monkeypatch):
    model = GRURegressor(units=3, epochs=2, random_state=0).fit(X, X[:, 0, 0])
    before, attributes = model.predict(X), dict(vars(model))
    train, calls = network.NetworkProgram.train, []

    def train_once(self, *args):
        calls.append(args)
        if len(calls) > 1:
            raise MemoryError
        return train(self, *args)

    monkeypatch.setattr(network.NetworkProgram, "train", train_once)
    with pytest.raises(MemoryError):
        model.set_params(units=7).fit(X, X[:, 0, 0])
    assert len(calls) == 2
    model.set_params(units=3)
    assert vars(model) == attributes
    np.testing.assert_array_equal(model.predict(X), before)
