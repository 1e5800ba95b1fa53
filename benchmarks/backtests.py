"""How long a backtest of 50 origins with a refit at each takes, beside darts'.

Both train an LSTM of 25 units, one layer, on the same windows of 24 months, 12 ahead:
12 passes in batches of 32 at every origin. darts needs an environment of its own, which
`--peer` names; there this file runs without skrnn.

    python benchmarks/backtests.py --peer ../darts/bin/python
"""

import argparse
import json
import subprocess
import sys
import time

import numpy as np
import pandas as pd

LOOKBACK, HORIZON, UNITS, BATCH, PASSES, N = 24, 12, 25, 32, 12, 400


def series():
    """Make months with a trend, a season and noise."""
    t, rng = np.arange(N), np.random.default_rng(0)
    values = 50 + 0.05 * t + 10 * np.sin(t * np.pi / 6) + rng.normal(size=N)
    return pd.Series(values, pd.date_range("1980", periods=N, freq="MS"))


def of_skrnn(n_origins):
    """Return the seconds, the error, and that of the naive forecasts."""
    from skrnn import LSTMRegressor
    from skrnn.forecasting import Forecaster, backtest

    forecaster = Forecaster(
        LSTMRegressor(units=UNITS, batch_size=BATCH),
        horizon=HORIZON,
        lookback=LOOKBACK,
        strategy="multioutput",
        n_members=1,
        random_state=0,
    )
    start = time.perf_counter()
    first = N - HORIZON - n_origins + 1
    frame = backtest(forecaster, None, series(), initial=first, step=1)
    seconds = time.perf_counter() - start
    assert frame["cutoff"].nunique() == n_origins
    return {"seconds": seconds} | frame.summary()["MAE"].to_dict()


def of_darts(n_origins):
    """Return the seconds and the error."""
    import logging
    import warnings

    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    from darts import TimeSeries
    from darts.models import BlockRNNModel

    y = series()
    quiet = ("progress_bar", "checkpointing", "model_summary")
    trainer = {f"enable_{name}": False for name in quiet}
    model = BlockRNNModel(
        input_chunk_length=LOOKBACK,
        output_chunk_length=HORIZON,
        model="LSTM",
        hidden_dim=UNITS,
        n_rnn_layers=1,
        n_epochs=PASSES,
        batch_size=BATCH,
        random_state=0,
        pl_trainer_kwargs=trainer | {"accelerator": "cpu", "logger": False},
    )
    start = time.perf_counter()
    found = model.historical_forecasts(
        TimeSeries.from_series(y.astype("float32")),
        start=N - HORIZON - n_origins + 1,
        start_format="position",
        forecast_horizon=HORIZON,
        retrain=True,
        last_points_only=False,
    )
    seconds = time.perf_counter() - start
    assert len(found) == n_origins
    errors = [np.abs(f.values()[:, 0] - y[f.time_index].to_numpy()) for f in found]
    return {"seconds": seconds, "forecaster": float(np.mean(errors))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--origins", type=int, default=50)
    parser.add_argument("--peer", help="the Python that has darts")
    parser.add_argument("--as-peer", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.as_peer:
        print(json.dumps(of_darts(given.origins)))
        return
    ours = of_skrnn(given.origins)
    print(f"{given.origins} origins, a refit at each")
    print(f"skrnn   {ours['seconds']:8.2f} s   MAE {ours['forecaster']:.3f}")
    for name in ("naive", "seasonal naive"):
        print(f"{name:20}MAE {ours[name]:.3f}")
    if given.peer:
        command = [given.peer, __file__, "--as-peer", "--origins", str(given.origins)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        peer = json.loads(done.stdout.splitlines()[-1])
        ratio = peer["seconds"] / ours["seconds"]
        print(f"darts   {peer['seconds']:8.2f} s   MAE {peer['forecaster']:.3f}")
        print(f"skrnn is {ratio:.1f} times as fast")


if __name__ == "__main__":
    main()
