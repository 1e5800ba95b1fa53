"""How good the Forecaster's defaults are, beside naive forecasts and published figures.

Every set is fitted once for each seed with the defaults, but for the horizon, the
season and the budget where the row names them. The naive forecast sees the same split
in the same run: a figure says nothing without it.

    python benchmarks/quality_forecasts.py --output docs/quality/forecasts.txt
    python benchmarks/quality_forecasts.py --sets m3-quarterly airline --seeds 1
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from printed import print_and_keep

from skrnn.forecasting import Forecaster

DATA = Path(__file__).parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Set:
    """A set, how it is split and scored, and what is known of it.

    Attributes
    ----------
    title : str
    score : callable
        ``f(data, forecaster) -> {name: value}``: fits, forecasts, scores.
    floor : callable
        ``f(data) -> {name: value}`` of the naive forecast on the same split.
    params : dict
        Of the Forecaster, besides the defaults.
    bar : dict
        At most.
    published : str
    """

    title: str
    score: Callable
    floor: Callable
    params: dict
    bar: dict
    published: str
    notes: dict = field(default_factory=dict)


# ---- scores


def smape(y, p):
    return float(200 * np.mean(np.abs(y - p) / (np.abs(y) + np.abs(p))))


def rmse(y, p):
    return float(np.sqrt(np.mean((np.asarray(y) - np.asarray(p)) ** 2)))


# ---- panels of the M competitions


def panel(data, name, least=0):
    """Return the training series, and the test parts as an array."""
    z = np.load(data / "panel" / f"{name}.npz")
    series = np.split(z["train"], np.cumsum(z["train_len"])[:-1])
    kept = [i for i, s in enumerate(series) if len(s) >= least]
    return [series[i].astype(float) for i in kept], z["test"][kept].astype(float)


def long(series):
    """Put series below each other: y, and the series of each row."""
    groups = np.repeat(np.arange(len(series)), [len(s) for s in series])
    return np.concatenate(series), groups


def of_panel(name, m):
    def scores(series, tests, found):
        scale = [np.mean(np.abs(s[m:] - s[:-m])) for s in series]
        mase = np.mean(np.abs(tests - found).mean(axis=1) / scale)
        return {"sMAPE": smape(tests, found), "MASE": float(mase)}

    def score(data, forecaster):
        series, tests = panel(data, name)
        y, groups = long(series)
        tests = tests[:, : forecaster.horizon]
        found = forecaster.fit(None, y, groups=groups).forecast()
        return scores(series, tests, found.to_numpy().reshape(tests.shape))

    def floor(data):
        series, tests = panel(data, name)
        n = tests.shape[1]
        found = np.array([np.resize(s[-m:], n) for s in series])
        return scores(series, tests, found)

    return score, floor


def m3_one_step(data, forecaster):
    series, tests = panel(data, "m3_monthly", 81)
    y, groups = long(series)
    forecaster.fit(None, y, groups=groups)
    later, of_later = long(list(tests))
    forecaster.update(None, later, groups=of_later)
    fitted = forecaster.fitted_values()
    found = fitted.groupby(level=0, sort=False).tail(tests.shape[1]).to_numpy()
    return {"sMAPE": smape(tests.ravel(), found)}


def m3_one_step_floor(data):
    series, tests = panel(data, "m3_monthly", 81)
    last = np.array([s[-1] for s in series])[:, None]
    return {"sMAPE": smape(tests, np.concatenate([last, tests[:, :-1]], axis=1))}


# ---- electricity transformer, as Informer splits it


def ett(data):
    frame = pd.read_csv(data / "multivariate" / "ETTh1.csv.gz", parse_dates=["date"])
    frame = frame.set_index("date")
    hours = 30 * 24
    train = frame.iloc[: 12 * hours]
    z = (frame - train.mean()) / train.std(ddof=0)
    return z, 12 * hours, 16 * hours, 20 * hours


def ett_scores(columns):
    def score(data, forecaster):
        z, n_train, first, last = ett(data)
        z = z[columns]
        y = z.iloc[:n_train].melt(ignore_index=False)
        groups = y["variable"].to_numpy()
        forecaster.fit(None, y["value"].to_numpy(), groups=groups)
        n_before = max(forecaster.lookback_)
        errors = []
        for column in columns:
            values = z[column].to_numpy()
            for at in range(first, last - 24 + 1, 500):
                origins = np.arange(at, min(at + 500, last - 24 + 1))
                rows = origins[:, None] + np.arange(-n_before, 24)
                windows = values[rows]
                index = pd.MultiIndex.from_product([origins, range(n_before)])
                history = pd.Series(windows[:, :n_before].ravel(), index)
                found = forecaster.forecast(history=history).to_numpy()
                errors.append(windows[:, n_before:] - found.reshape(-1, 24))
        errors = np.concatenate(errors)
        return {"MSE": float((errors**2).mean()), "MAE": float(np.abs(errors).mean())}

    def floor(data):
        z, _, first, last = ett(data)
        values = z[columns].to_numpy()
        origins = np.arange(first, last - 24 + 1)
        rows = origins[:, None] + np.arange(24)
        # All seven have a day's season; the oil temperature follows its last value.
        before = rows - 24 if len(columns) > 1 else origins[:, None] - 1 + 0 * rows
        errors = values[rows] - values[before]
        return {"MSE": float((errors**2).mean()), "MAE": float(np.abs(errors).mean())}

    return score, floor


# ---- single series


def bike(data):
    frame = pd.read_csv(data / "multivariate" / "bike_hour.csv.gz")
    times = pd.to_datetime(frame["dteday"], format="%m/%d/%y")
    frame.index = times + pd.to_timedelta(frame["hr"], unit="h")
    # Hours without a row had no bike out.
    whole = frame.asfreq("h")
    y = whole["cnt"].fillna(0)
    known = ["holiday", "workingday", "weathersit", "temp", "atemp", "hum", "windspeed"]
    return whole[known].ffill(), y


def bike_day_ahead(data, forecaster):
    X, y = bike(data)
    n_test = 21 * 24
    forecaster.fit(X[:-n_test], y[:-n_test])
    found = []
    for day in range(21):
        rows = slice(len(y) - n_test + 24 * day, len(y) - n_test + 24 * (day + 1))
        found.append(forecaster.predict(X.iloc[rows]))
        forecaster.update(X.iloc[rows], y.iloc[rows])
    return {"RMSE": rmse(y[-n_test:], np.concatenate(found))}


def bike_floor(data):
    _, y = bike(data)
    n = 21 * 24
    return {"RMSE": rmse(y[-n:], y.shift(24)[-n:])}


def pm25(data):
    frame = pd.read_csv(data / "multivariate" / "beijing_pm25.csv.gz")
    frame.index = pd.to_datetime(frame[["year", "month", "day", "hour"]])
    frame = frame.iloc[24:].asfreq("h")
    # As published: a missing value is 0.
    return frame[["DEWP", "TEMP", "PRES", "cbwd", "Iws", "Is", "Ir"]], frame[
        "pm2.5"
    ].fillna(0)


def pm25_hour_ahead(data, forecaster):
    X, y = pm25(data)
    n = 365 * 24
    forecaster.set_params(past_features=list(X.columns))
    forecaster.fit(X[:n], y[:n]).update(X[n:], y[n:])
    return {"RMSE": rmse(y[n:], forecaster.fitted_values()[n:])}


def pm25_floor(data):
    _, y = pm25(data)
    n = 365 * 24
    return {"RMSE": rmse(y[n:], y.shift(1)[n:])}


def airline(data):
    frame = pd.read_csv(data / "univariate" / "airline-passengers.csv")
    index = pd.date_range("1949-01", periods=len(frame), freq="MS")
    return pd.Series(frame.iloc[:, -1].to_numpy(float), index)


def airline_two_years(data, forecaster):
    y = airline(data)
    found = forecaster.fit(None, y[:-24]).forecast(24)
    return {"MAPE": float(100 * np.mean(np.abs(found - y[-24:]) / y[-24:]))}


def airline_floor(data):
    y = airline(data)
    found = np.resize(y[-36:-24], 24)
    return {"MAPE": float(100 * np.mean(np.abs(found - y[-24:]) / y[-24:]))}


def walk():
    """Return the deck's random walk: 1,096 days, of which a fifth is the test."""
    rng = np.random.default_rng(42)
    return pd.Series(
        100 + np.cumsum(rng.normal(size=1096)), pd.date_range("2020", periods=1096)
    )


def walk_one_step(_data, forecaster):
    y = walk()
    n = int(0.8 * len(y))
    forecaster.fit(None, y[:n]).update(None, y[n:])
    of_naive = rmse(y[n:], y.shift(1)[n:])
    found = rmse(y[n:], forecaster.fitted_values()[n:])
    return {"RMSE": found, "ratio": found / of_naive}


def walk_floor(_data):
    y = walk()
    n = int(0.8 * len(y))
    return {"RMSE": rmse(y[n:], y.shift(1)[n:]), "ratio": 1.0}


SEVEN = ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"]
SETS = {
    "m4-hourly": Set(
        "M4 Hourly, 48 ahead",
        *of_panel("m4_hourly", 24),
        {"horizon": 48, "seasonal_periods": (24, 168)},
        {"sMAPE": 9.3, "MASE": 0.80},
        "winner of M4 9.33 / .893, WaveNet 12.05, DeepAR 15.07",
    ),
    "m3-monthly": Set(
        "M3 Monthly, 18 ahead",
        *of_panel("m3_monthly", 12),
        {"horizon": 18, "seasonal_periods": 12},
        {"sMAPE": 13.86},
        "Theta 13.86 / .864, N-BEATS 14.76, DeepAR 15.74",
    ),
    "m3-quarterly": Set(
        "M3 Quarterly, 8 ahead",
        *of_panel("m3_quarterly", 4),
        {"horizon": 8, "seasonal_periods": 4},
        {"sMAPE": 9.47},
        "Theta 9.20, N-BEATS 9.47, DeepAR 9.93",
    ),
    "m3-one-step": Set(
        "M3, 1,045 series, 1 ahead",
        m3_one_step,
        m3_one_step_floor,
        {"horizon": 1, "seasonal_periods": 12},
        {"sMAPE": 7.6},
        "ETS 7.19, RNN 9.48, LSTM 11.67",
    ),
    "ett": Set(
        "ETTh1, all 7, 24 ahead",
        *ett_scores(SEVEN),
        {"horizon": 24, "seasonal_periods": 24},
        {"MSE": 0.33},
        "Informer .577 / .549, LSTMa .650 / .624",
    ),
    "ett-ot": Set(
        "ETTh1, OT, 24 ahead",
        *ett_scores(["OT"]),
        {"horizon": 24, "seasonal_periods": 24},
        {"MSE": 0.034},
        "DeepAR .107 / .280, LSTMa .114 / .272",
    ),
    "bike": Set(
        "bike sharing, a day ahead",
        bike_day_ahead,
        bike_floor,
        {"horizon": 24},
        {"RMSE": 50},
        "",
    ),
    "pm25": Set(
        "PM2.5, an hour ahead",
        pm25_hour_ahead,
        pm25_floor,
        {"horizon": 1},
        {"RMSE": 26.0},
        "LSTM 26.50 (Brownlee)",
    ),
    "airline": Set(
        "airline, 24 months ahead",
        airline_two_years,
        airline_floor,
        {"horizon": 24},
        {"MAPE": 8},
        "",
    ),
    "walk": Set(
        "random walk, a day ahead",
        walk_one_step,
        walk_floor,
        {"horizon": 1},
        {"ratio": 1.02},
        "",
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
    parser.add_argument("--seeds", type=int, default=3, help="fits of each set")
    parser.add_argument("--output", type=Path, help="also write what is printed here")
    return parser.parse_args()


ROW = "{:<27}{:<7}{:>8}{:>9}{:>9}{:>8}{:>9}  {:<7}{:>8}  {}"


def report(arguments):
    """Yield the table, line by line."""
    head = "set", "score", "mean", "lowest", "highest", "at most", "naive"
    yield ROW.format(*head, "verdict", "seconds", "published")
    for name in arguments.sets:
        each = SETS[name]
        found, seconds = [], []
        for seed in range(arguments.seeds):
            started = time.perf_counter()
            forecaster = Forecaster(random_state=seed, **each.params)
            found.append(each.score(arguments.data, forecaster))
            seconds.append(time.perf_counter() - started)
        yield from rows(each, found, each.floor(arguments.data), np.median(seconds))


def rows(each, found, floor, seconds):
    """Yield a line for each score of a set."""
    for i, name in enumerate(found[0]):
        values = [scores[name] for scores in found]
        mean, bar = np.mean(values), each.bar.get(name)
        verdict = "" if bar is None else "met" if mean <= bar else "missed"
        numbers = [f"{v:.3f}" for v in (mean, min(values), max(values))]
        yield ROW.format(
            each.title if i == 0 else "",
            name,
            *numbers,
            "" if bar is None else f"{bar:g}",
            f"{floor[name]:.3f}",
            verdict,
            f"{seconds:.0f}" if i == 0 else "",
            each.published if i == 0 else "",
        )


if __name__ == "__main__":
    main()
