"""
Search and backtest without leaks
=================================

Settings are chosen on early years by :class:`~skrnn.forecasting.WindowSplit`, and the
forecaster is tried on the later years, which nothing was chosen by.
"""

# %%
# The temperature of the Pacific
# ------------------------------
# Months from 1950 on. The search sees those before 1995; each of its test parts follows
# its training part.
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from statsmodels.datasets import elnino

from skrnn.forecasting import Forecaster, WindowSplit, backtest
from skrnn.inspection import ForecastDisplay

years = elnino.load_pandas().data.set_index("YEAR")
months = pd.date_range("1950-01", periods=years.size, freq="MS")
y = pd.Series(years.to_numpy().ravel(), index=months, name="temperature")
early = y[:"1994"]

search = GridSearchCV(
    Forecaster(Ridge(), horizon=12),
    {"lookback": [12, 24, 48], "estimator__alpha": [0.1, 10.0]},
    cv=WindowSplit(n_splits=4, test_size=12),
    scoring="neg_mean_absolute_error",
).fit(pd.DataFrame(index=early.index), early)
print("chosen:", search.best_params_)

# %%
# The later years
# ---------------
# A copy is trained at each origin and forecasts the year that follows. What comes back
# is a :class:`~skrnn.forecasting.BacktestFrame`, one row for each forecast.
found = backtest(search.best_estimator_, None, y, initial="1994-12", step=12)
print(found.summary().round(2))

# %%
# All forecasts beside what came:
ForecastDisplay.from_backtest(found)
plt.gcf().suptitle("A year ahead, from each December on")
plt.show()
