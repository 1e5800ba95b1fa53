"""The pictures of the page on getting started, drawn of what its code computes."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from sklearn.model_selection import GridSearchCV
from statsmodels.datasets import co2

from skrnn import GRURegressor
from skrnn.forecasting import Forecaster
from skrnn.inspection import ForecastDisplay

WIDTH = 7.3


@cache
def searched():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 8, 2))
    y = X[:, -3:, 0].sum(axis=1)
    grid = {"units": [8, 32], "learning_rate": [0.001, 0.01, 0.03]}
    search = GridSearchCV(GRURegressor(epochs=20, random_state=0), grid, cv=3)
    return search.fit(X[:200], y[:200]).cv_results_


@cache
def forecast():
    """Return the series, and the forecast of its end with its interval."""
    series = co2.load_pandas().data["co2"].resample("MS").mean()
    model = Forecaster(horizon=12, quantiles=(0.1, 0.9), random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(None, series[:-36])
        return series, model.forecast(36, coverage=0.8)


@cache
def forecaster_of_the_first_page():
    y = co2.load_pandas().data["co2"].resample("MS").mean()
    model = Forecaster(horizon=24, quantiles=(0.1, 0.9), random_state=0)
    return model.fit(None, y)


def first_page(_colours):
    """Draw what the code of the first page draws, on white as a window does."""
    figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    paper = Rectangle((0, 0), 1, 1, transform=figure.transFigure, zorder=-10)
    figure.add_artist(paper).set(color="white")
    model = forecaster_of_the_first_page()
    ForecastDisplay.from_estimator(model, steps=24, ax=figure.subplots())
    return figure


def first_search(colours):
    found = pd.DataFrame(searched())
    figure = Figure(figsize=(WIDTH, 2.6), layout="constrained")
    panel = figure.subplots()
    for units, colour in ((8, "blue"), (32, "orange")):
        rows = found[found["param_units"] == units]
        names = [f"{rate:g}" for rate in rows["param_learning_rate"]]
        means, spreads = rows["mean_test_score"], rows["std_test_score"]
        look = dict(color=colours[colour], marker="o", label=f"units={units}")
        panel.errorbar(names, means, spreads, **look)
    panel.set(xlabel="learning_rate", ylabel="R² of three folds", ylim=(0, 1.05))
    panel.grid(axis="y", color=colours["pale"])
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(frameon=False, loc="lower right")
    return figure


def first_forecast(colours):
    series, answer = forecast()
    shown = series[-96:]
    figure = Figure(figsize=(WIDTH, 3), layout="constrained")
    panel = figure.subplots()
    panel.plot(shown, color=colours["grey"], lw=1.4, label="measured")
    panel.plot(answer["forecast"], color=colours["blue"], lw=2, label="forecast")
    bounds = answer["lower"], answer["upper"]
    panel.fill_between(answer.index, *bounds, color=colours["blue"], alpha=0.25, lw=0,
                       label="8 of 10 values are expected here")  # fmt: skip
    panel.set(ylabel="carbon dioxide in ppm", xlim=(shown.index[0], shown.index[-1]))
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(frameon=False, loc="upper left")
    return figure
