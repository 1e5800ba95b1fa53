"""
Forecast with windows of one's own
==================================

The sea-surface temperature off Peru, which statsmodels ships as monthly means from 1950
to 2010, has a strong yearly rhythm that El Niño breaks every few years. One network
forecasts the next twelve months at once, in a pipeline of ordinary scikit-learn steps.
That is a forecast by hand, to have each part in one's own hands;
:class:`~skrnn.forecasting.Forecaster` does all of it by itself. How far ahead is it of
any use?
"""

# %%
# Rows and their futures
# ----------------------
# Each row holds the temperature of a month and the time of the year, as a point on a
# circle. ``make_supervised`` puts the twelve temperatures that follow into y. The last
# twenty years of rows are held out.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from statsmodels.datasets import elnino

from skrnn import GRURegressor
from skrnn.preprocessing import SlidingWindow, make_supervised

HORIZON, HELD_OUT = 12, 240
years = elnino.load_pandas().data.set_index("YEAR")
months = pd.date_range(f"{years.index[0]:.0f}-01", periods=years.size, freq="MS")
temperature = pd.Series(years.to_numpy().ravel(), index=months, name="temperature")
angle = 2 * np.pi * months.month / 12
table = temperature.to_frame().assign(sine=np.sin(angle), cosine=np.cos(angle))

X, y = make_supervised(table, horizon=HORIZON, target="temperature")
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=HELD_OUT, shuffle=False
)
# The last futures of the training rows reach into the test rows: leave them out.
X_train, y_train = X_train[: 1 - HORIZON], y_train[: 1 - HORIZON]
print(f"train {X_train.index[0]:%Y-%m} to {X_train.index[-1]:%Y-%m}, X {X_train.shape}")
print(f"test  {X_test.index[0]:%Y-%m} to {X_test.index[-1]:%Y-%m}, y {y_test.shape}")

# %%
# A pipeline and a search
# -----------------------
# ``SlidingWindow`` makes every row the window that ends there, so the number of rows
# stays the same and no window sees what comes after its row. The gap keeps the futures
# of the training rows out of the fold that they are tested on. So the training rows
# aren't the ones just before the fold, and its first windows are padded, which is the
# default, rather than given rows of the wrong months.
pipeline = make_pipeline(
    StandardScaler(),
    SlidingWindow(),
    GRURegressor(
        units=16, epochs=20, learning_rate=5e-3, early_stopping=False, random_state=0
    ),
)
search = GridSearchCV(
    pipeline,
    {"slidingwindow__lookback": [6, 12, 24]},
    cv=TimeSeriesSplit(2, gap=HORIZON - 1, test_size=96),
    scoring="neg_root_mean_squared_error",
)
search.fit(X_train, y_train)
lookback = search.best_params_["slidingwindow__lookback"]
print(f"lookback {lookback} months")

# %%
# Beside simpler forecasts
# ------------------------
# The windows of the test rows need the months before them, so what is predicted is the
# whole series, of which the last rows count. The simplest forecasts are what was
# measured a year before, and the mean of that month in the training years. The
# linear model reads the same windows as the network.
linear = make_pipeline(
    StandardScaler(),
    SlidingWindow(lookback),
    FunctionTransformer(lambda windows: windows.reshape(len(windows), -1)),
    Ridge(),
).fit(X_train, y_train)

steps = np.arange(1, HORIZON + 1)
rows = months.get_indexer(X_test.index)
ahead = rows[:, None] + steps
known = temperature[: X_train.index[-1]]
mean_of_month = known.groupby(known.index.month).mean().to_numpy()

forecasts = {
    "a year before": temperature.to_numpy()[ahead - 12],
    "mean of the month": mean_of_month[ahead % 12],
    "linear model": linear.predict(X)[-HELD_OUT:],
    "network": search.predict(X)[-HELD_OUT:],
}
errors = {
    name: np.sqrt(np.mean((forecast - y_test.to_numpy()) ** 2, axis=0))
    for name, forecast in forecasts.items()
}
print(f"{'RMSE, °C':18}" + "".join(f"{step:>6}" for step in [*steps, "all"]))
for name, error in errors.items():
    total = np.sqrt(np.mean(error**2))
    print(f"{name:18}" + "".join(f"{e:6.2f}" for e in [*error, total]))

# %%
# The picture
# -----------
# Above, what the network forecast each February and August for the six months to come.
# Below, how the error grows with the distance. One month ahead, the network's error is
# about half of that of the mean; some months on, both are the same, since the network
# has learnt to say "as usual" where nobody can know. The linear model does as well: one
# series of a few hundred months, whose memory is nearly linear, asks for no more.
fig, (above, below) = plt.subplots(
    2, 1, figsize=(9, 7), height_ratios=[3, 2], layout="constrained"
)
above.plot(temperature["1995":"2003"], color="black", linewidth=2.5, label="measured")
started = X_test.index[X_test.index.month.isin([2, 8])]
for start in started[(started >= "1995") & (started < "2003-08")]:
    i = X_test.index.get_loc(start)
    future = pd.date_range(start, periods=7, freq="MS")[1:]
    above.plot(future, forecasts["network"][i, :6], color="#d95f02", marker="o", ms=3)
above.plot([], color="#d95f02", marker="o", ms=3, label="forecast half a year ahead")
above.set(title="Sea-surface temperature off Peru", ylabel="°C")
above.legend(frameon=False, loc="upper right")

styles = {
    "a year before": dict(color="grey", linestyle=":"),
    "mean of the month": dict(color="grey", linestyle="--"),
    "linear model": dict(color="#1f6fb4"),
    "network": dict(color="#d95f02"),
}
for name, error in errors.items():
    below.plot(steps, error, label=name, **styles[name])
below.set(xlabel="Months ahead", ylabel="RMSE, °C", xticks=steps, ylim=(0, 1.75))
below.legend(frameon=False, ncols=2, loc="lower right")
for ax in (above, below):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
