"""How often a Forecaster's intervals, quantiles and distributions cover the truth.

Each set has a part that nothing was learned from. An interval of 90 % should cover nine
tenths of its values, and a tenth of them should lie below the quantile 0.1. CRPS and
pinball loss say how narrow all of it is, beside the seasonal naive forecast with the
quantiles of its own past errors. A coverage more than 3 points off is marked.

    python benchmarks/interval_coverage.py --output docs/quality/coverage.txt
    python benchmarks/interval_coverage.py --sets bike --seeds 1
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from printed import print_and_keep
from quality_forecasts import DATA, SEVEN, bike, ett, long, panel

from skrnn.forecasting import Forecaster
from skrnn.metrics import continuous_ranked_probability_score

LEVELS = np.arange(1, 20) / 20
SHOWN = (0.1, 0.25, 0.5, 0.75, 0.9)
OFF = 3.0


@dataclass(frozen=True)
class Past:
    """Past values that seasonal naive forecasts are made of.

    Attributes
    ----------
    windows : ndarray of shape (n, >= m)
        The values before each origin.
    errors : ndarray of shape (n, Q)
        Quantiles of the errors of forecasting a season ahead.
    m : int
    """

    windows: np.ndarray
    errors: np.ndarray
    m: int

    def quantiles(self, horizon):
        """Return quantiles (n, horizon, Q); k seasons ahead errors grow by root k."""
        steps = np.arange(horizon)
        values = self.windows[:, -self.m :][:, steps % self.m]
        growth = np.sqrt(steps // self.m + 1)
        return values[..., None] + growth[:, None] * self.errors[:, None]


def past_errors(series, m):
    """Return the quantiles of a series' errors of forecasting a season ahead."""
    return np.quantile(series[m:] - series[:-m], LEVELS)


@dataclass(frozen=True)
class Set:
    """A set: what it is fitted with, and what it gives.

    Attributes
    ----------
    title, truths : str
        What is forecast, and how much of it.
    run : callable
        ``f(data, forecaster, ask) -> answers (n, H, ...)``: fits, and asks for each
        origin. `ask` is a coverage, or the levels of quantiles.
    truth : callable
        ``f(data) -> (y (n, H), Past)``.
    params : dict
        Of the Forecaster, besides the defaults.
    calibration_size : int
    distributions : tuple of str
    """

    title: str
    truths: str
    run: Callable
    truth: Callable
    params: dict
    calibration_size: int
    distributions: tuple


def asked(ask):
    """Return the arguments of ``forecast``, and the columns of its answer."""
    if isinstance(ask, float):
        return {"coverage": ask}, ["lower", "upper"]
    return {"quantiles": ask}, list(ask)


# ---- panels of the M competitions: one origin of each series


def of_panel(name, m):
    def run(data, forecaster, ask):
        series, tests = panel(data, name)
        y, groups = long(series)
        arguments, columns = asked(ask)
        found = forecaster.fit(None, y, groups=groups).forecast(**arguments)
        return found[columns].to_numpy().reshape(*tests.shape, -1)

    def truth(data):
        series, tests = panel(data, name)
        ends = np.stack([s[-m:] for s in series])
        return tests, Past(ends, np.stack([past_errors(s, m) for s in series]), m)

    return run, truth


# ---- electricity transformer: an origin every seven hours of the test part


def ett_windows(data):
    z, n_train, first, last = ett(data)
    origins = np.arange(first, last - 24 + 1, 7)
    rows = origins[:, None] + np.arange(-96, 24)
    windows = np.concatenate([z[name].to_numpy()[rows] for name in SEVEN])
    return z.iloc[:n_train], windows


def ett_run(data, forecaster, ask):
    train, windows = ett_windows(data)
    y = train[SEVEN].melt(ignore_index=False)
    forecaster.fit(None, y["value"].to_numpy(), groups=y["variable"].to_numpy())
    arguments, columns = asked(ask)
    found = []
    for part in np.array_split(windows[:, :96], 20):
        index = pd.MultiIndex.from_product([range(len(part)), range(96)])
        history = pd.Series(part.ravel(), index)
        answer = forecaster.forecast(history=history, **arguments)
        found.append(answer[columns].to_numpy().reshape(len(part), 24, -1))
    return np.concatenate(found)


def ett_truth(data):
    train, windows = ett_windows(data)
    errors = np.stack([past_errors(train[name].to_numpy(), 24) for name in SEVEN])
    each = np.repeat(errors, len(windows) // len(SEVEN), axis=0)
    return windows[:, 96:], Past(windows[:, :96], each, 24)


# ---- bike sharing: the last 60 days, a day at a time

N_DAYS = 60


def bike_run(data, forecaster, ask):
    X, y = bike(data)
    n = N_DAYS * 24
    forecaster.fit(X[:-n], y[:-n])
    found = []
    for day in range(N_DAYS):
        rows = slice(len(y) - n + 24 * day, len(y) - n + 24 * (day + 1))
        is_interval = isinstance(ask, float)
        answer = forecaster.predict_interval if is_interval else None
        answer = answer or forecaster.predict_quantiles
        found.append(answer(X.iloc[rows], ask))
        forecaster.update(X.iloc[rows], y.iloc[rows])
    return np.stack(found)


def bike_truth(data):
    _, y = bike(data)
    y, n = y.to_numpy(), N_DAYS * 24
    windows = y[-n - 24 : -24].reshape(N_DAYS, 24)
    errors = np.tile(past_errors(y[:-n], 24), (N_DAYS, 1))
    return y[-n:].reshape(N_DAYS, 24), Past(windows, errors, 24)


SETS = {
    "m3-monthly": Set(
        "M3 Monthly, 18 ahead",
        "1,428 series, one origin each",
        *of_panel("m3_monthly", 12),
        {"horizon": 18, "seasonal_periods": 12},
        20,
        ("normal", "student_t"),
    ),
    "bike": Set(
        "bike sharing, a day ahead",
        "the last 60 days",
        bike_run,
        bike_truth,
        {"horizon": 24},
        120 * 24,
        ("normal", "negative_binomial"),
    ),
    "ett": Set(
        "ETTh1, all 7, 24 ahead",
        "four months, an origin every 7 hours",
        ett_run,
        ett_truth,
        {"horizon": 24, "seasonal_periods": 24},
        60 * 24,
        ("normal", "student_t"),
    ),
    "m4-hourly": Set(
        "M4 Hourly, 48 ahead",
        "414 series, one origin each",
        *of_panel("m4_hourly", 24),
        {"horizon": 48, "seasonal_periods": (24, 168)},
        168,
        ("normal", "student_t"),
    ),
}


def main():
    arguments = parse_arguments()
    print_and_keep(report(arguments), arguments.output)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--seeds", type=int, default=1, help="fits of each kind")
    parser.add_argument("--output", type=Path, help="also write what is printed here")
    return parser.parse_args()


ROW = "{:<30}" + "{:>7}" * (1 + len(SHOWN)) + "{:>9}{:>9}{:>9}{:>9}"


def report(arguments):
    """Yield the table, line by line."""
    yield (
        "Shares in percent. '90 %': truths within the interval that should cover 90 of "
        "100.\n'0.1' and so on: truths at or below that quantile. Width: of the "
        "interval, pinball:\nthe mean over 0.1, 0.5 and 0.9, CRPS: over 19 quantiles, "
        "all in units of y. * is more\nthan 3 points off."
    )
    for name in arguments.sets:
        yield ""
        yield from of_set(SETS[name], arguments)


def of_set(each, arguments):
    """Yield the lines of a set."""
    y, past = each.truth(arguments.data)
    yield f"{each.title}: {each.truths}, {y.size:,} forecasts"
    yield ROW.format("", "90 %", *SHOWN, "width", "pinball", "CRPS", "seconds")
    yield line("seasonal naive", y, quantiles=past.quantiles(y.shape[1]))
    held_out = {"calibration_size": each.calibration_size}
    levels = {"quantiles": LEVELS.tolist()}
    kinds = [("predict_interval", held_out), ("quantiles", levels)]
    kinds += [("quantiles, calibrated", held_out | levels)]
    kinds += [(name, {"distribution": name}) for name in each.distributions]
    last = each.distributions[-1]
    kinds += [(f"{last}, calibrated", held_out | {"distribution": last})]
    for kind, params in kinds:
        ask = 0.9 if kind == "predict_interval" else LEVELS.tolist()
        found, started = [], time.perf_counter()
        for seed in range(arguments.seeds):
            model = Forecaster(random_state=seed, **each.params, **params)
            found.append(each.run(arguments.data, model, ask))
        seconds = (time.perf_counter() - started) / arguments.seeds
        given = "interval" if kind == "predict_interval" else "quantiles"
        many = np.tile(y, (arguments.seeds, 1))
        yield line(kind, many, seconds=seconds, **{given: np.concatenate(found)})


def line(name, y, *, quantiles=None, interval=None, seconds=None):
    """Return the scores of the quantiles (n, H, Q), or of the intervals (n, H, 2)."""
    below, losses = [""] * len(SHOWN), ["", ""]
    if quantiles is not None:
        interval = quantiles[..., [0, -1]]
        places = [int(np.argmin(np.abs(LEVELS - level))) for level in SHOWN]
        shares = [100 * np.mean(y <= quantiles[..., i]) for i in places]
        below = [marked(s, 100 * q) for s, q in zip(shares, SHOWN, strict=True)]
        losses = [f"{v:.4g}" for v in (pinball(y, quantiles), crps(y, quantiles))]
    covered = np.mean((y >= interval[..., 0]) & (y <= interval[..., 1]))
    width = np.mean(interval[..., 1] - interval[..., 0])
    seconds = "" if seconds is None else f"{seconds:.0f}"
    within = marked(100 * covered, 90)
    cells = name, within, *below, f"{width:.4g}", *losses, seconds
    return ROW.format(*cells).rstrip()


def marked(share, nominal):
    return f"{share:.1f}" + ("*" if abs(share - nominal) > OFF else " ")


def crps(y, quantiles, levels=LEVELS):
    found = quantiles.reshape(-1, quantiles.shape[-1])
    return continuous_ranked_probability_score(y.ravel(), found, quantiles=levels)


def pinball(y, quantiles):
    return crps(y, quantiles[..., [1, 9, 17]], LEVELS[[1, 9, 17]]) / 2


if __name__ == "__main__":
    main()
