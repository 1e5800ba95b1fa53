"""Forecast the sea-surface temperature off Peru, one month ahead.

The series is ``elnino`` of statsmodels: the mean temperature of the Pacific between 0
and 10 degrees South and 80 and 90 degrees West, each month from 1950 to 2010, measured
and published by NOAA. It is a fair test of a forecast. The year's rhythm is strong, so
that "same as last month" is poor; El Niño and La Niña break the rhythm, so that "same
month last year" is poor as well; and there is no trend that would reward luck.

A grid search over the cell, its width and the lookback sees the years up to 2000 alone.
The last ten years are forecast once, at the end: every month from what was known a
month before.

    python examples/demo.py            # draws demo.png in the current folder
    python examples/demo.py --quick    # two candidates, for those in a hurry
"""

import argparse
import sys
import time
from pathlib import Path

import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import (
    GridSearchCV,
    ParameterGrid,
    TimeSeriesSplit,
    train_test_split,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from statsmodels.datasets import elnino

from skrnn import SequenceRegressor
from skrnn.preprocessing import SlidingWindow, make_supervised

HELD_OUT = 120  # months
GRID = {
    "window__lookback": [12, 24],
    "network__cell": ["rnn", "lstm", "gru"],
    "network__units": [16, 32],
}
QUICK_GRID = {"window__lookback": [12], "network__cell": ["rnn", "gru"]}
# Three folds of five years, each after the years it is predicted from.
FOLDS = TimeSeriesSplit(n_splits=3, test_size=60)

BLUE, ORANGE, GREY, INK = "#1f6fb4", "#d95f02", "#9a9a9a", "#222222"


def main():
    options = parse_options()
    started = time.monotonic()
    series = load_series()
    X, y = make_supervised(series, horizon=1)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=HELD_OUT, shuffle=False
    )
    # The row of a month is used to predict the next one.
    months = X_test.index + 1
    introduce(series, months)

    search = search_network(X_train, y_train, QUICK_GRID if options.quick else GRID)
    best = describe(search.best_params_, search.best_estimator_)
    print(f"\nBest by cross-validation: {best}, {-search.best_score_:.2f} °C")

    ridge = search_ridge(X_train, y_train)
    forecasts = {
        best: search.predict(X_test),
        "Ridge regression on the same windows": ridge.predict(X_test),
        "Same as last month (persistence)": series[months - 1].to_numpy(),
        "Same month last year": series[months - 12].to_numpy(),
    }
    errors = {name: root_mean_squared_error(y_test, f) for name, f in forecasts.items()}
    print_table(errors, months)
    path = draw(series, months, forecasts, errors)
    print(f"\nThe picture is in {path}")
    print(f"This took {time.monotonic() - started:.0f} seconds.")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="search a smaller grid")
    return parser.parse_args()


def load_series():
    """Return one value a month, from a table with a row a year."""
    table = elnino.load_pandas().data.set_index("YEAR")
    first = f"{table.index[0]:.0f}-01"
    months = pd.period_range(first, periods=table.size, freq="M")
    return pd.Series(table.to_numpy().ravel(), index=months, name="temperature")


def introduce(series, months):
    print(
        "Sea-surface temperature off Peru (Niño 1+2 region), monthly means in °C\n"
        "from the data set 'elnino' of statsmodels: real, strongly seasonal, with\n"
        "El Niño years that break the rhythm, and without a trend.\n\n"
        f"  to train and search  {series.index[0]} to {months[0] - 1}, "
        f"{len(series) - len(months)} months\n"
        f"  held out             {months[0]} to {months[-1]}, {len(months)} months, "
        "each forecast from the month before\n"
    )


def search_network(X, y, grid):
    """Choose a network on the training years, and refit it on all of them."""
    network = SequenceRegressor(
        epochs=40, learning_rate=5e-3, early_stopping=False, random_state=0
    )
    model = Pipeline(
        [
            # The window asks the index whether the test rows follow.
            ("scale", StandardScaler().set_output(transform="pandas")),
            ("window", SlidingWindow(warmup="carry")),
            ("network", network),
        ]
    )
    n_candidates, n_folds = len(ParameterGrid(grid)), FOLDS.get_n_splits()
    print(f"Training {n_candidates} networks on each of {n_folds} folds")
    progress = ScoreWithProgress(n_candidates * n_folds)
    return GridSearchCV(model, grid, cv=FOLDS, scoring=progress).fit(X, y)


def search_ridge(X, y):
    """Fit a linear model on the same windows, searched in the same way."""
    model = Pipeline(
        [
            # The window asks the index whether the test rows follow.
            ("scale", StandardScaler().set_output(transform="pandas")),
            ("window", SlidingWindow(warmup="carry")),
            ("flatten", FunctionTransformer(lambda X: X.reshape(len(X), -1))),
            ("ridge", Ridge()),
        ]
    )
    grid = {"window__lookback": [12, 24], "ridge__alpha": [0.1, 1, 10, 100]}
    scoring = "neg_root_mean_squared_error"
    return GridSearchCV(model, grid, cv=FOLDS, scoring=scoring).fit(X, y)


class ScoreWithProgress:
    """Negative RMSE as a scorer, which shows how far the search is.

    A terminal sees one line that is written over; a log gets about six lines.
    """

    def __init__(self, n_fits):
        self.n_fits, self.n_done = n_fits, 0
        self.started = time.monotonic()

    def __call__(self, model, X, y):
        score = -root_mean_squared_error(y, model.predict(X))
        self.n_done += 1
        self.show(model, -score)
        return score

    def show(self, model, error):
        finished = self.n_done == self.n_fits
        passed = time.monotonic() - self.started
        left = passed * (self.n_fits / self.n_done - 1)
        filled = round(20 * self.n_done / self.n_fits)
        line = (
            f"  [{'#' * filled:.<20}] {self.n_done:2}/{self.n_fits}"
            f"  {describe({}, model)}: {error:.2f} °C"
            f"  {f'{passed:.0f} s' if finished else f'{left:.0f} s left'}"
        )
        if sys.stdout.isatty():
            print(f"\r{line:<78}", end="\n" if finished else "", flush=True)
        elif finished or self.n_done % max(1, self.n_fits // 6) == 0:
            print(line, flush=True)


def describe(chosen, model):
    """Name the network in a pipeline: ``GRU, 16 units, 24 months``."""
    network, window = model["network"], model["window"]
    return f"{network.cell.upper()}, {network.units} units, {window.lookback} months"


def print_table(errors, months):
    reference = errors["Same as last month (persistence)"]
    title = f"Forecasts of {months[0].year} to {months[-1].year}"
    print(f"\n{title:<40}{'RMSE in °C':>12}{'of persistence':>17}")
    for name, error in sorted(errors.items(), key=lambda row: row[1]):
        print(f"  {name:<38}{error:>12.3f}{error / reference:>16.0%}")


def draw(series, months, forecasts, errors):
    """Draw the best network's forecasts and last year's values beside the truth."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    best, yearly = next(iter(forecasts)), "Same month last year"
    time_axis = months.to_timestamp()
    truth = series[months].to_numpy()
    plt.rcParams.update({"font.size": 11, "axes.spines.top": False})
    plt.rcParams.update({"axes.spines.right": False, "axes.titlelocation": "left"})
    figure, (above, below) = plt.subplots(
        2,
        1,
        figsize=(11, 6.5),
        sharex=True,
        height_ratios=[3, 1.2],
        layout="constrained",
    )

    def label(name):
        return f"{name} (RMSE {errors[name]:.2f} °C)"

    above.plot(
        time_axis,
        forecasts[yearly],
        color=GREY,
        linewidth=1.2,
        linestyle=(0, (4, 2)),
        label=label(yearly),
    )
    above.plot(time_axis, truth, color=INK, linewidth=2.2, label="Measured")
    above.plot(
        time_axis,
        forecasts[best],
        color=ORANGE,
        linewidth=1.8,
        marker="o",
        markersize=3,
        label=label(best),
    )
    above.set_title(
        "Sea-surface temperature off Peru, forecast one month ahead",
        fontsize=15,
        fontweight="bold",
        pad=34,
    )
    above.set_ylabel("Temperature (°C)")
    above.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=3, frameon=False)
    above.grid(axis="y", alpha=0.25)

    for name, color in ((yearly, GREY), (best, ORANGE)):
        below.fill_between(
            time_axis,
            forecasts[name] - truth,
            color=color,
            alpha=0.45 if name == yearly else 0.9,
            linewidth=0,
        )
    below.axhline(0, color=INK, linewidth=0.8)
    below.set_ylabel("Forecast minus\nmeasured (°C)")
    below.grid(axis="y", alpha=0.25)
    below.set_xlim(time_axis[0], time_axis[-1])

    path = Path("demo.png").resolve()
    figure.savefig(path, dpi=150)
    return path


if __name__ == "__main__":
    main()
