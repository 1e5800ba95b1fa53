"""neuralforecast's LSTM and DeepAR and darts' BlockRNNModel on two panels, on the CPU.

Run by a Python that has neuralforecast and darts; skrnn isn't needed. It prints a line
of JSON for each fit: sMAPE (0 to 200) and MASE (scaled by the seasonal naive forecast
in the training part), both means over the series, and the seconds of fit and forecast.

    python benchmarks/forecasting_peers.py --budget-minutes 1.8
    python benchmarks/forecasting_peers.py --sets "M4 Hourly" --budget-minutes 30
    python benchmarks/forecasting_peers.py --series 20 --budget-minutes 0.1

Some defaults take hours on two cores. So training stops when its budget is spent, on
the clock or of all threads' work, and is worth what it has learned by then: the line
says how many of its steps it did. The first of these lines, all models and settings on
both sets, takes about 25 minutes on a quiet machine.

"default" is what a model does if only the horizon is given, and whatever else it has no
default for. "documented" is the best that its documentation says: see SETTINGS.
"""

import argparse
import json
import logging
import os
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

THREADS = 2
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
os.environ.setdefault("MKL_NUM_THREADS", str(THREADS))

import numpy as np  # noqa: E402  (after the threads are set)

DATA = Path(__file__).parents[2] / "shared" / "data"
# Set -> file, horizon, season, and the season that is given to models as a window.
SETS = {
    "M4 Hourly": ("panel/m4_hourly.npz", 48, 24, 168),
    "M3 Monthly": ("panel/m3_monthly.npz", 18, 12, 24),
}
QUIET = {
    "logger": False,
    "enable_progress_bar": False,
    "enable_checkpointing": False,
    "enable_model_summary": False,
    "accelerator": "cpu",
}


def main():
    arguments = parse_arguments()
    silence()
    for name in arguments.sets:
        panel = read_panel(arguments.data, name, arguments.series)
        for model in arguments.models:
            for setting in arguments.settings:
                for seed in range(arguments.first_seed, arguments.seeds + 1):
                    line = measure(name, panel, model, setting, seed, arguments)
                    print(json.dumps(line), flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument(
        "--settings",
        nargs="+",
        choices=("default", "documented"),
        default=["default", "documented"],
    )
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="the last seed")
    parser.add_argument("--series", type=int, help="take only so many series")
    parser.add_argument("--steps", type=int, help="steps or epochs, to try it out")
    parser.add_argument(
        "--budget-minutes", type=float, default=60, help="stop each training after them"
    )
    parser.add_argument(
        "--budget-cpu-minutes", type=float, help="or after so many of all threads"
    )
    return parser.parse_args()


def silence():
    import torch

    torch.set_num_threads(THREADS)
    warnings.simplefilter("ignore")
    for name in ("pytorch_lightning", "lightning", "lightning.pytorch", "darts"):
        logging.getLogger(name).setLevel(logging.ERROR)


def read_panel(data, name, n_series):
    """Return training parts, test parts, horizon, season and window of a set."""
    sys.path.insert(0, str(data))
    import load

    file, horizon, season, window = SETS[name]
    rows = load.panel(file)
    if n_series:
        rows = [rows[i] for i in np.linspace(0, len(rows) - 1, n_series).astype(int)]
    trains = [np.asarray(train, dtype=np.float64) for _, train, _ in rows]
    tests = np.array([test[:horizon] for _, _, test in rows], dtype=np.float64)
    return trains, tests, horizon, season, window


def measure(name, panel, model, setting, seed, limits):
    """Fit, forecast and return what is printed; an error is printed as well."""
    trains, tests, horizon, season, window = panel
    line = {
        "set": name,
        "series": len(trains),
        "model": model,
        "setting": setting,
        "seed": seed,
    }
    start, start_of_work = time.perf_counter(), time.process_time()
    training = Training(limits.budget_minutes, limits.budget_cpu_minutes)
    try:
        given = horizon, window, setting, seed, training, limits.steps
        forecasts = MODELS[model](trains, *given)
    except Exception as error:
        return line | {"error": f"{type(error).__name__}: {error}"[:500]}
    seconds = time.perf_counter() - start
    work = time.process_time() - start_of_work
    return line | {
        "sMAPE": round(smape(tests, forecasts), 3),
        "MASE": round(mase(trains, tests, forecasts, season), 4),
        "seconds": round(seconds, 1),
        # Of all threads: what a machine that others use too doesn't change.
        "cpu_seconds": round(work, 1),
        "training_seconds": round(training.seconds, 1),
        "steps": training.steps,
        "of_steps": training.of_steps,
        "stopped": training.steps < training.of_steps,
        "settings": {
            key: str(value) for key, value in SETTINGS[model][setting].items()
        },
    }


def smape(tests, forecasts):
    size = np.abs(tests) + np.abs(forecasts)
    return float(np.mean(200 * np.abs(tests - forecasts) / np.where(size, size, 1)))


def mase(trains, tests, forecasts, season):
    scales = [np.mean(np.abs(train[season:] - train[:-season])) for train in trains]
    return float(np.mean(np.mean(np.abs(tests - forecasts), axis=1) / scales))


# ---- the models


@dataclass
class Training:
    """A training with a budget, and how far it came.

    Attributes
    ----------
    minutes : float
        Of training, on the clock.
    cpu_minutes : float or None
        Of training, of all threads.
    steps, of_steps : int
        Batches that it was trained on, and those that it would have been.
    seconds : float
        Of training alone.
    """

    minutes: float
    cpu_minutes: float | None
    steps: int = 0
    of_steps: int = 0
    seconds: float = 0.0

    def __deepcopy__(self, memo):
        # neuralforecast trains a copy of the model that it is given.
        return self

    def trainer_settings(self):
        """Return what both libraries hand on to Lightning's Trainer."""
        from pytorch_lightning.callbacks import LambdaCallback

        watched = LambdaCallback(
            on_train_start=self._begin, on_train_batch_end=self._after_step
        )
        return QUIET | {"callbacks": [watched]}

    def _begin(self, trainer, *_):
        self._start, self._start_of_work = time.perf_counter(), time.process_time()
        self.of_steps = int(trainer.estimated_stepping_batches)

    def _after_step(self, trainer, *_):
        self.steps = trainer.global_step
        self.seconds = time.perf_counter() - self._start
        work = time.process_time() - self._start_of_work
        is_over = self.seconds > 60 * self.minutes
        if self.cpu_minutes is not None:
            is_over |= work > 60 * self.cpu_minutes
        if is_over:
            trainer.should_stop = True


# What their documentation says of settings, beyond the defaults (versions 3.3 and
# 0.48; the window of whole seasons and the number of epochs are our choice):
# - neuralforecast's LSTM: its quickstart gives two horizons of input and says to tune.
#   The search space of AutoLSTM goes up to 64 horizons. The "robust" scaler and 128
#   units are the defaults by now. Here: whole seasons, and twice as many steps as by
#   default with a rate that decays, as DeepAR's does.
# - DeepAR: its example takes Student's t distribution, the "standard" scaler and a
#   rate of 5e-3; the search space of AutoDeepAR goes up to 2,000 steps.
# - BlockRNNModel: its guide on performance says to take larger batches and fewer
#   windows of each series, its examples scale each series and take an LSTM, and its
#   documentation has instance normalisation against a shift between series.
SETTINGS = {
    "neuralforecast LSTM": {
        "default": {},
        "documented": {
            "input_size": "window",
            "max_steps": 2000,
            "num_lr_decays": 3,
            "scaler_type": "robust",
        },
    },
    "neuralforecast DeepAR": {
        "default": {},
        "documented": {
            "input_size": "window",
            "max_steps": 2000,
            "learning_rate": 5e-3,
            "scaler_type": "standard",
            "windows_batch_size": 128,
            "loss": "Student t",
        },
    },
    "darts BlockRNN": {
        "default": {"n_epochs": 100, "max_samples_per_ts": None},
        "documented": {
            "model": "LSTM",
            "hidden_dim": 64,
            "n_rnn_layers": 2,
            "batch_size": 1024,
            "n_epochs": 30,
            "max_samples_per_ts": 180,
            "use_reversible_instance_norm": True,
            "loss_fn": "L1",
            "lr": 1e-3,
        },
    },
}


def forecast_neural(kind, trains, horizon, window, setting, seed, training, steps):
    """Fit a model of neuralforecast on all series and return its forecasts."""
    import pandas as pd
    from neuralforecast import NeuralForecast, models
    from neuralforecast.losses.pytorch import DistributionLoss

    settings = dict(SETTINGS[f"neuralforecast {kind}"][setting])
    if "input_size" in settings:
        settings["input_size"] = window
    if "loss" in settings:
        settings["loss"] = DistributionLoss("StudentT", level=[80, 90])
    if steps:
        settings["max_steps"] = steps
    # Shorter series than window and horizon are padded instead of left out.
    settings["start_padding_enabled"] = True
    model = getattr(models, kind)(
        h=horizon, random_seed=seed, **settings, **training.trainer_settings()
    )
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(trains)), list(map(len, trains))),
            "ds": np.concatenate([np.arange(len(train)) for train in trains]),
            "y": np.concatenate(trains),
        }
    )
    forecaster = NeuralForecast(models=[model], freq=1)
    forecaster.fit(frame)
    answer = forecaster.predict().sort_values(["unique_id", "ds"])
    # After id and time: the model's own, and its median if it forecasts a distribution.
    medians = [column for column in answer if column.endswith("-median")]
    column = medians[0] if medians else answer.columns[2]
    return answer[column].to_numpy().reshape(len(trains), horizon)


def forecast_darts(trains, horizon, window, setting, seed, training, steps):
    """Fit BlockRNNModel on all series, each scaled by its own, and return forecasts."""
    import torch
    from darts import TimeSeries
    from darts.dataprocessing.transformers import Scaler
    from darts.models import BlockRNNModel

    settings = dict(SETTINGS["darts BlockRNN"][setting])
    most = settings.pop("max_samples_per_ts")
    if "loss_fn" in settings:
        settings["loss_fn"] = torch.nn.L1Loss()
    if "lr" in settings:
        settings["optimizer_kwargs"] = {"lr": settings.pop("lr")}
    if steps:
        settings["n_epochs"] = steps
    shortest = min(map(len, trains))
    series = [TimeSeries.from_values(train.astype(np.float32)) for train in trains]
    scaler = Scaler()
    scaled = scaler.fit_transform(series)
    model = BlockRNNModel(
        input_chunk_length=min(window, shortest - horizon),
        output_chunk_length=horizon,
        random_state=seed,
        pl_trainer_kwargs=training.trainer_settings(),
        **settings,
    )
    model.fit(scaled, max_samples_per_ts=most, verbose=False)
    answers = scaler.inverse_transform(model.predict(horizon, scaled, verbose=False))
    return np.array([answer.values()[:, 0] for answer in answers])


MODELS = {
    "neuralforecast LSTM": lambda *given: forecast_neural("LSTM", *given),
    "neuralforecast DeepAR": lambda *given: forecast_neural("DeepAR", *given),
    "darts BlockRNN": forecast_darts,
}


if __name__ == "__main__":
    main()
