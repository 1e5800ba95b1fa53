"""
Learn from more than fits into memory
=====================================

``partial_fit`` takes one part of the data after the other, and keeps the network
alone. So a table of series may be as large as the disk: it is read by partitions, here
of a folder of Parquet files.
"""

# %%
# A table that is never there as a whole
# --------------------------------------
# Each file holds some series of a panel, a row a series and hour, sorted by series and
# time. What matters is that a series isn't cut: a window needs all of its rows.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow.dataset as ds

from skrnn import GRURegressor
from skrnn.text import TextGenerator

N_FILES, N_SERIES, N_HOURS, LOOKBACK = 8, 12, 480, 48
folder = tempfile.TemporaryDirectory()
rng = np.random.default_rng(0)
hours = np.arange(N_HOURS)
for file in range(N_FILES):
    tables = []
    for series in range(N_SERIES):
        size, noon, week = rng.lognormal(3), rng.uniform(8, 18), rng.uniform(0.1, 0.6)
        day = np.cos((hours % 24 - noon) / 24 * 2 * np.pi)
        weekend = (hours // 24 % 7 >= 5) * week
        load = size * (2 + day - weekend + 0.15 * rng.normal(size=N_HOURS))
        name = f"house {file * N_SERIES + series}"
        tables.append(pd.DataFrame({"house": name, "hour": hours, "load": load}))
    pd.concat(tables).to_parquet(Path(folder.name, f"part-{file}.parquet"))
data = ds.dataset(folder.name)
print(f"{data.count_rows():,} rows in {len(data.files)} files")


# %%
# From a partition to windows
# ---------------------------
# ``sliding_window_view`` makes the windows of a series without copying it. Each is
# divided by its own mean, so that a village and a city are told alike, and so that no
# statistic of the whole table is needed.
def windows(table):
    """Return all windows of a partition, the hour after each, and the units of both."""
    X, y = [], []
    for _, series in table.groupby("house", sort=False):
        values = series["load"].to_numpy(np.float32)
        X.append(np.lib.stride_tricks.sliding_window_view(values[:-1], LOOKBACK))
        y.append(values[LOOKBACK:])
    X, y = np.concatenate(X), np.concatenate(y)
    units = X.mean(axis=1)
    return X / units[:, None], y / units, units


# %%
# Learn
# -----
# ``partial_fit`` trains for one pass over what it is given. The order of the files is
# drawn anew in each pass. The last file is held out.
*training, held_out = sorted(data.get_fragments(), key=lambda part: part.path)
X_test, y_test, units = windows(held_out.to_table().to_pandas())
truth = y_test * units
model = GRURegressor(units=16, learning_rate=0.01, batch_size=256, random_state=0)
errors = []
for _ in range(3):
    for at in rng.permutation(len(training)):
        X, y, _ = windows(training[at].to_table().to_pandas())
        model.partial_fit(X, y)
        errors.append(np.abs(model.predict(X_test) * units - truth).mean())
naive = np.abs(X_test[:, -24] * units - truth).mean()
print(f"network, wrong by {errors[-1]:.2f}")
print(f"as the day before: {naive:.2f}")

_, ax = plt.subplots()
ax.plot(range(1, len(errors) + 1), errors, marker="o", label="network")
ax.axhline(naive, color="gray", linestyle="--", label="as the day before")
ax.set(xlabel="partitions read", ylabel="mean absolute error", ylim=(0, None))
ax.xaxis.get_major_locator().set_params(integer=True)
ax.legend()
plt.show()

# %%
# Texts
# -----
# A generator learns its vocabulary at the first call, so let that part have all the
# characters, and let it map others to one for "unknown". Here a part is a batch of rows
# of a file.
words = ["the cat", "a dog", "the rat", "one bird", "sat", "ran", "slept", "on the mat"]
lines = [" ".join(rng.choice(words, 3)) + "." for _ in range(4_000)]
pd.DataFrame({"text": lines}).to_parquet(Path(folder.name, "texts.parquet"))
writer = TextGenerator(
    units=64, embedding_dim=16, lookback=24, handle_unknown="map",
    learning_rate=0.01, random_state=0,
)  # fmt: skip
texts = ds.dataset(Path(folder.name, "texts.parquet"))
for batch in texts.to_batches(batch_size=1_000):
    writer.partial_fit(batch["text"].to_pylist())
    print(f"after {writer.n_iter_} parts, perplexity {writer.perplexity(lines):.2f}")
print(writer.generate(temperature=0.5, random_state=0))
folder.cleanup()
