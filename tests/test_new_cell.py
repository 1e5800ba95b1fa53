"""A new cell is one row of a table: here one is added, and used everywhere."""

import keras
import numpy as np
import pytest

from skrnn._estimators.base import BaseRecurrent
from skrnn._estimators.docs.recurrent import recurrent_estimator
from skrnn._estimators.tasks import SequenceRegressorMixin
from skrnn._networks.cells import CELLS, GatedCell


def minimal_gated_step(ops, activation, x, r, h):
    """Step a minimal gated unit (Zhou et al., 2016)."""
    x_f, x_n = ops.split(x, 2, axis=-1)
    r_f, r_n = ops.split(r, 2, axis=-1)
    f = ops.sigmoid(x_f + r_f)
    return (h + f * (activation(ops, x_n + f * r_n) - h),)


@pytest.fixture
def estimator(monkeypatch):
    row = GatedCell(n_gates=2, n_states=1, formula=minimal_gated_step)
    monkeypatch.setitem(CELLS, "mgu", row)

    @recurrent_estimator
    class MGURegressor(SequenceRegressorMixin, BaseRecurrent):
        """Minimal gated units."""

        cell = "mgu"

    return MGURegressor(units=8, epochs=30, learning_rate=0.02, random_state=0)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_row_reaches_everything(estimator, bidirectional):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 6, 2)).astype(np.float32)
    y = X[:, -2:, 0].sum(axis=1)
    seen = []
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append(1))
    estimator.set_params(bidirectional=bidirectional, callbacks=[callback])
    estimator.fit(X, y)
    assert estimator.score(X, y) > 0.8
    assert len(seen) == estimator.n_iter_
    np.testing.assert_allclose(
        estimator.model_(X).numpy().ravel(), estimator.predict(X), atol=1e-5
    )
    assert "Parameters" in type(estimator).__doc__
