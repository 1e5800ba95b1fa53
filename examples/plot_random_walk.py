"""
A random walk, forecast with dates
==================================

Nothing about the next step of a random walk can be known, so no forecast beats "the
same as today". A plain network, trained on the values themselves, does far worse than
that as soon as the walk leaves the range that it has seen. A forecaster that looks at
each window in its own units doesn't.
"""

# %%
# A walk
# ------
# Three years of days; the last hundred are kept for later. This walk was picked among
# three hundred because it leaves its range far behind in those days, as prices do.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skrnn import LSTMRegressor
from skrnn.forecasting import Forecaster, backtest
from skrnn.inspection import ForecastDisplay
from skrnn.preprocessing import SlidingWindow, make_supervised

days = pd.date_range("2023-01-01", periods=1096, freq="D")
steps = np.random.default_rng(275).normal(size=1096)
walk = pd.Series(np.cumsum(steps) + 50, days, name="walk")
past, later = walk[:-100], walk[-100:]

# %%
# One step ahead
# --------------
# Three ways to say each day what the next one brings: the same value; an LSTM on
# windows of the last 20 values, scaled to the range of the past; and a ``Forecaster``,
# which reads each window in units of its own level and spread. Neither is trained again
# on what is later.
X, y = make_supervised(walk.to_frame())
plain = make_pipeline(
    MinMaxScaler(), SlidingWindow(20), LSTMRegressor(units=32, random_state=0)
)
plain.fit(X[:995], y[:995])

dates = walk.index.to_frame()[[]]
forecaster = Forecaster(random_state=0).fit(dates[:-100], past)
table = backtest(forecaster, dates, walk, initial=996, step=1, horizon=1, refit=False)
answers = {
    "same as today": table["naive"],
    "plain LSTM": plain.predict(X)[-100:],
    "Forecaster": table["y_pred"],
}
for name, answer in answers.items():
    print(f"{name:13s} RMSE {root_mean_squared_error(later, answer):5.2f}")

fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
ax.plot(walk[-300:], color="0.6", label="the walk")
for name in ("plain LSTM", "Forecaster"):
    ax.plot(later.index, answers[name], label=name, lw=1.2)
ax.axhspan(past.min(), past.max(), color="0.95", zorder=0, label="range of the past")
ax.set(ylabel="value", title="One step ahead, day after day")
ax.legend(frameon=False, loc="upper left")
plt.show()

# %%
# Thirty days ahead
# -----------------
# The forecast moves little beside the width of its intervals, because nothing tells
# where the walk goes. What can be said is how far it may have gone by then. The
# intervals come from the forecaster's own errors on a part that it wasn't trained on,
# for each step ahead, and open with time.
far = Forecaster(horizon=30, calibration_size=0.2, random_state=0)
far.fit(dates[:-100], past)
ForecastDisplay.from_estimator(far, later[:30], n_history=120, coverage=(0.5, 0.9))
plt.show()
