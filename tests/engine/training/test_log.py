"""What is logged of a training, and that nothing is shown unless it is asked for."""

import logging

import keras
import numpy as np
from _instances import in_new_process

from skrnn import GRURegressor
from skrnn.forecasting import Forecaster

X = np.random.default_rng(0).normal(size=(24, 4, 1))
QUICK = dict(units=2, epochs=4, random_state=0)


def lines(caplog, level=logging.INFO):
    return [r.message for r in caplog.records if r.levelno >= level]


def test_the_engine_and_the_end_are_told(caplog):
    caplog.set_level(logging.INFO, "skrnn")
    model = GRURegressor(**QUICK).fit(X, X[:, 0, 0])
    begin, end = lines(caplog)
    n_weights = sum(w.size for w in model.model_.get_weights())
    assert begin == (
        f"GRURegressor: training {n_weights} weights on 24 sequences, "
        "for up to 4 epochs of batches of 32, on the cpu engine"
    )
    loss = model.history_["loss"][-1]
    assert end == f"GRURegressor: all 4 epochs done: loss {loss:.6g}; epoch 4 kept"
    assert {record.name for record in caplog.records} == {"skrnn.training"}


def test_epochs_are_told_to_who_debugs(caplog):
    caplog.set_level(logging.DEBUG, "skrnn")
    model = GRURegressor(validation_split=0.2, **QUICK).fit(X, X[:, 0, 0])
    found = [line for line in lines(caplog, logging.DEBUG) if "epoch 2/4" in line]
    loss, held = (model.history_[name][1] for name in ("loss", "val_loss"))
    expected = f"GRURegressor: epoch 2/4: loss {loss:.6g}, val_loss {held:.6g}"
    assert found == [expected]


def test_an_early_end_is_told_with_the_epoch_kept(caplog):
    caplog.set_level(logging.INFO, "skrnn")
    stop = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(stop.model, "stop_training", True)
    )
    GRURegressor(callbacks=[stop], **QUICK).fit(X, X[:, 0, 0])
    assert "stopped after epoch 1" in lines(caplog)[-1]
    assert lines(caplog)[-1].endswith("epoch 1 kept")


def test_a_forecaster_tells_what_it_has_decided(caplog):
    caplog.set_level(logging.INFO, "skrnn")
    model = Forecaster(n_members=1, n_windows=20, lookback=4, seasonal_periods=None)
    model.fit(None, np.arange(40.0))
    assert lines(caplog)[0] == (
        "Forecaster: training 1 models by strategy 'multioutput', horizon 1, "
        "lookbacks (4,), season 1"
    )


def test_nothing_is_shown_unless_it_is_asked_for():
    shown = in_new_process("""
import io, logging, sys
import numpy as np
sys.stderr = io.StringIO()
from skrnn import GRURegressor
X = np.zeros((8, 3, 1))
GRURegressor(units=2, epochs=2).fit(X, X[:, 0, 0])
logging.getLogger("skrnn").warning("never seen")
print(len(sys.stderr.getvalue()))
logging.basicConfig(level=logging.INFO)
GRURegressor(units=2, epochs=2).fit(X, X[:, 0, 0])
print(sys.stderr.getvalue().count("GRURegressor: "))
""")
    assert shown.split() == ["0", "2"]
