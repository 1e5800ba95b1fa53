"""Work isn't divided where other processes have the cores of the helpers."""

import os
import time

import numpy as np
import pytest

from skrnn._engine.cpu.kernels import threads


@pytest.fixture
def trust(monkeypatch):
    """Return what two threads learn; it begins anew."""
    monkeypatch.setattr(threads, "n_threads", lambda: 2)
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    threads._pool.cache_clear()
    yield threads._pool(os.getpid()).trust
    threads._pool.cache_clear()


def asked(trust, gained, n):
    """Return whether each of `n` works was divided, where a division gains so much."""
    found = []
    for _ in range(n):
        found.append(trust.is_there())
        if found[-1]:
            trust.learn(gained)
    return found


def test_what_gains_is_always_divided():
    assert all(asked(threads.Trust(), 1e-3, 100))


def test_pauses_get_longer_while_time_is_lost():
    divided = asked(threads.Trust(), -1e-3, 1000)
    (places,) = np.nonzero(divided)
    pauses = np.diff(places) - 1
    assert list(pauses[:7]) == [1, 2, 4, 8, 16, 32, 64]
    assert set(pauses[7:]) == {64}


def test_a_loss_after_gains_costs_nothing():
    trust = threads.Trust()
    asked(trust, 1e-3, 10)
    assert all(asked(trust, -1e-3, 5))
    assert asked(trust, -1e-3, 2) == [True, False]


def test_trust_comes_back_when_the_cores_are_free():
    trust = threads.Trust()
    asked(trust, -1e-3, 1000)
    divided = asked(trust, 1e-3, 200)
    assert all(divided[64:])


def test_a_helper_that_is_slow_is_not_asked_again(trust):
    done = []

    def run(first, last):
        # The helper's part takes long without computing: it waits for a core.
        if first:
            time.sleep(0.05)
        done.append((first, last))

    threads.divide(run, 64, work=10**9)
    threads.divide(run, 64, work=10**9)
    assert done[-1] == (0, 64)
    assert sorted(done[:-1]) == [(0, 32), (32, 64)]


def test_an_error_teaches_nothing(trust):
    def run(first, last):
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        threads.divide(run, 64, work=10**9)
    assert trust.is_there()
