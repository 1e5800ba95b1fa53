"""
Forecast a year ahead
=====================

The sea-surface temperature off Peru, which statsmodels ships as monthly means from 1950
to 2010, has a strong yearly rhythm that El Niño breaks every few years. One network
forecasts the next twelve months at once, in a pipeline of ordinary scikit-learn steps,
and is compared with naive forecasts and with a linear model on the same windows.
"""

# %%
# Rows and their futures
# ----------------------
# ``make_supervised`` keeps one row for each month and puts the twelve months that
# follow into y. The last ten years of rows are held out.
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

HORIZON = 12
table = elnino.load_pandas().data.set_index("YEAR")
months = pd.date_range(f"{int(table.index[0])}-01", periods=table.size, freq="MS")
series = pd.Series(table.to_numpy().ravel(), index=months, name="temperature")
X, y = make_supervised(series, horizon=HORIZON)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=120, shuffle=False)
# The last futures of the training rows reach into the test rows: leave them out.
X_train, y_train = X_train[: 1 - HORIZON], y_train[: 1 - HORIZON]
print(f"train {X_train.index[0]:%Y-%m} to {X_train.index[-1]:%Y-%m}, X {X_train.shape}")
print(f"test  {X_test.index[0]:%Y-%m} to {X_test.index[-1]:%Y-%m}, y {y_test.shape}")

# %%
# A pipeline and a search
# -----------------------
# ``SlidingWindow`` makes every row the window that ends there, so the number of rows
# stays the same and no window sees what comes after its row. The gap keeps the futures
# of the training rows out of the fold that they are tested on. For that reason the
# training rows aren't the ones just before the fold, so its first windows are padded,
# which is the default, rather than given rows of the wrong months.
pipeline = make_pipeline(
    StandardScaler(),
    SlidingWindow(),
    GRURegressor(epochs=30, random_state=0),
)
search = GridSearchCV(
    pipeline,
    {"slidingwindow__lookback": [12, 24], "gruregressor__dropout": [0.0, 0.2]},
    cv=TimeSeriesSplit(2, gap=HORIZON - 1, test_size=96),
    scoring="neg_root_mean_squared_error",
)
search.fit(X_train, y_train)
for name, value in search.best_params_.items():
    print(name, value)

# %%
# Beside naive forecasts
# ----------------------
# The windows of the test rows need the months before them, so what is predicted is the
# whole series, of which the last rows count. The comparison is with this month's
# temperature, with the same month of the year before, and with a linear model.
linear = make_pipeline(
    StandardScaler(),
    SlidingWindow(search.best_params_["slidingwindow__lookback"]),
    FunctionTransformer(lambda windows: windows.reshape(len(windows), -1)),
    Ridge(),
).fit(X_train, y_train)

positions = months.get_indexer(X_test.index)
steps = np.arange(1, HORIZON + 1)
forecasts = {
    "this month": np.tile(X_test.to_numpy(), HORIZON),
    "a year before": series.to_numpy()[positions[:, None] + steps - 12],
    "linear model": linear.predict(X)[-len(X_test) :],
    "network": search.predict(X)[-len(X_test) :],
}
errors = {
    name: np.sqrt(np.mean((forecast - y_test.to_numpy()) ** 2, axis=0))
    for name, forecast in forecasts.items()
}
print(f"{'RMSE, °C':14}" + "".join(f"{step:>6}" for step in [*steps, "all"]))
for name, error in errors.items():
    total = np.sqrt(np.mean(error**2))
    print(f"{name:14}" + "".join(f"{e:6.2f}" for e in [*error, total]))

# %%
# The picture
# -----------
# Above, what the network forecast each December for the year to come; below, how the
# error grows with the distance. "This month" is left out: it goes off the scale.
COLOURS = {"network": "#d95f02", "linear model": "#1f6fb4"}
fig, (above, below) = plt.subplots(
    2, 1, figsize=(9, 6.5), height_ratios=[3, 2], layout="constrained"
)
above.plot(series["2000":], color="black", linewidth=1.2, label="measured")
for i in np.flatnonzero(X_test.index.month == 12):
    future = pd.date_range(X_test.index[i], periods=HORIZON + 1, freq="MS")[1:]
    above.plot(
        future,
        forecasts["network"][i],
        color=COLOURS["network"],
        marker="o",
        markersize=3,
        label="forecast in the December before" if i < 12 else None,
    )
above.set(title="Sea-surface temperature off Peru", ylabel="°C")
above.legend(frameon=False, ncols=2, loc="upper left", bbox_to_anchor=(0, 1.02))
above.set_ylim(top=28.5)
for name in ["a year before", "linear model", "network"]:
    colour = COLOURS.get(name, "grey")
    below.plot(steps, errors[name], marker="o", markersize=4, color=colour, label=name)
below.legend(frameon=False, ncols=3, loc="lower right")
below.set(xlabel="Months ahead", ylabel="RMSE, °C", xticks=steps, ylim=(0, 1.3))
for ax in (above, below):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
