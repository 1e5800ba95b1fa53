"""
Find odd sequences, and odd rows of a series
============================================

A pulse beats 150 times, each beat of its own length. Three beats aren't like the
others, and nobody says which ones, nor how many. No single value of them is unusual:
what is odd is how the values follow each other.
"""

# %%
# Whole sequences of any length
# -----------------------------
# Beats are a list of arrays. Two of the odd ones lack their second wave, and one runs
# backwards.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline

from skrnn import SequenceOutlierDetector
from skrnn.preprocessing import SequencePadder, SlidingWindow

rng = np.random.default_rng(0)


def beat(length, second_wave=0.4):
    """Return a beat of `length` steps with some noise."""
    time = np.linspace(0, 1, length)
    wave = np.exp(-(((time - 0.3) / 0.1) ** 2))
    wave += second_wave * np.exp(-(((time - 0.65) / 0.08) ** 2))
    return wave + rng.normal(scale=0.03, size=length)


odd = [40, 90, 120]
beats = [beat(rng.integers(24, 34), 0 if i in odd[:2] else 0.4) for i in range(150)]
beats[120] = beats[120][::-1]

# %%
# The detector squeezes each beat into two numbers and tells it again from these: a beat
# like the others needs no more. With ``contamination="auto"`` it flags scores that are
# much lower than noise alone would make them.
detector = SequenceOutlierDetector(
    method="reconstruction", latent_dim=2, contamination="auto", random_state=0
)
found = np.flatnonzero(detector.fit_predict(beats) < 0)
scores = detector.score_samples(beats)
print(f"odd beats {odd}")
print(f"found     {found.tolist()}")

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for i in range(0, 150, 5):
    if i not in odd:
        left.plot(beats[i], color="0.8", linewidth=0.8)
for i in odd:
    left.plot(beats[i], linewidth=1.4, label=f"beat {i}")
left.set(title="Beats", xlabel="Step", ylabel="Pulse")
left.legend(frameon=False)
right.plot(scores, ".", color="0.5")
right.plot(found, scores[found], "o", color="#c8412b", label="flagged")
right.axhline(detector.offset_, color="#c8412b", linewidth=1)
right.set(title="Scores, and offset_", xlabel="Beat", ylabel="Score")
right.legend(frameon=False)
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# An isolation forest needs beats of one length. It doesn't know that steps follow each
# other, and a beat that is a little early is a row of other numbers to it.
padded = make_pipeline(SequencePadder(), IsolationForest(random_state=0))
flat = np.asarray(padded[:-1].fit_transform(beats)).reshape(150, -1)
lowest = np.argsort(padded[-1].fit(flat).score_samples(flat))[:3]
print(f"odd among the three lowest scores of a forest: {np.isin(lowest, odd).sum()}")

# %%
# Rows of one series
# ------------------
# The same pulse as one series, in which three rows got a value that others have too.
# ``SlidingWindow`` makes each row the window that ends there, so there is a score for
# each row: how badly the network predicts it from the rows before.
series = np.concatenate([each for i, each in enumerate(beats) if i not in odd])
rows = [700, 1902, 3001]
series[rows] = 0.5
X = series[:, None]
model = make_pipeline(
    SlidingWindow(16), SequenceOutlierDetector(epochs=30, random_state=0)
)
of_rows = model.fit(X).score_samples(X)
lowest = np.sort(np.argsort(of_rows)[:3])
print(f"odd rows {rows}, lowest scores at {lowest.tolist()}")

fig, (top, bottom) = plt.subplots(
    2, 1, figsize=(9, 4), sharex=True, layout="constrained"
)
shown = slice(1850, 1960)
steps = np.arange(len(series))[shown]
top.plot(steps, series[shown], color="#1f6fb4", linewidth=1)
top.plot(1902, series[1902], "o", color="#c8412b")
top.set(ylabel="Pulse", title="An odd row, and the scores of the rows")
bottom.plot(steps, of_rows[shown], color="0.35", linewidth=1)
bottom.set(ylabel="Score", xlabel="Row")
for ax in (top, bottom):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
