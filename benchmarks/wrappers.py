"""Print how much faster a script written for scikeras gets by changing its import.

Both run in this process, in turns, each with its own grid and networks.
"""

import argparse
import statistics
import time

import keras
import numpy as np
from scikeras import wrappers as plain
from sklearn.model_selection import GridSearchCV

from skrnn import scikeras as ours


def network(meta, units=50):
    return keras.Sequential(
        [
            keras.Input(meta["X_shape_"][1:]),
            keras.layers.LSTM(units),
            keras.layers.Dense(1),
        ]
    )


def script(wrappers, X, y, epochs):
    """Fit twice, predict, and search a small grid; return the seconds of each part."""
    started = time.perf_counter()
    model = wrappers.KerasRegressor(
        network, loss="mse", optimizer="adam", batch_size=32, epochs=epochs, verbose=0
    )
    times = []
    for _ in range(2):
        model.fit(X, y).predict(X)
        times.append(time.perf_counter() - started)
    grid = {"optimizer__learning_rate": [0.001, 0.003]}
    GridSearchCV(model, grid, cv=3).fit(X, y)
    times.append(time.perf_counter() - started)
    return np.diff([0.0, *times])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--windows", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    series = np.sin(np.arange(arguments.windows + 30) / 8)
    X = np.lib.stride_tricks.sliding_window_view(series[:-1], 30)[..., None]
    y = series[30:]
    ratios = []
    for run in range(arguments.repeats):
        slow, fast = (script(w, X, y, arguments.epochs) for w in (plain, ours))
        ratios.append(slow.sum() / fast.sum())
        parts = "  ".join(
            f"{a:.1f} / {b:.1f} s" for a, b in zip(slow, fast, strict=True)
        )
        print(
            f"run {run + 1}: {parts}  whole script {ratios[-1]:.2f} times", flush=True
        )
    print(f"median {statistics.median(ratios):.2f}, first run {ratios[0]:.2f} times")


if __name__ == "__main__":
    main()
