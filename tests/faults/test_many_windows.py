"""Millions of windows need little beside the series that they are views of."""

import json
from pathlib import Path

import pytest
from _children import run

PEAKS = """
from skrnn import RNNRegressor
from skrnn.preprocessing import SlidingWindow

n = int(sys.argv[1])
model = RNNRegressor(units=1, epochs=1, batch_size=4096, random_state=0)


def peak():
    with open("/proc/self/status") as file:
        lines = dict(line.split(":", 1) for line in file)
    return int(lines["VmHWM"].split()[0]) / 1024


def windows_of(n):
    series = np.sin(np.arange(n, dtype=np.float32))[:, None]
    return SlidingWindow(4).fit_transform(series), series


def peak_of(function):
    "Return the peak of memory while `function` runs, and what it returns."
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    answers = function()
    return peak(), answers


X, series = windows_of(50_000)
model.fit(X, series[:, 0]).predict(X)
memory()
idle, _ = peak_of(lambda: None)
X, series = windows_of(n)
size = series.nbytes / 2**20
fit, _ = peak_of(lambda: model.fit(X, series[:, 0]))
predict, answers = peak_of(lambda: model.predict(X))
answers = answers.nbytes / 2**20
print(json.dumps([(fit - idle) / size, (predict - idle - answers) / size]))
"""


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="Linux alone resets a peak."
)
def test_the_memory_of_millions_of_windows():
    fit, predict = json.loads(run(PEAKS, 4_000_000, seconds=280))
    # Two times the series are itself and its padded copy, which the windows are views
    # of. A fit has the order of its batches beside them, of three bytes for each row.
    assert fit < 2.95
    # What it returns is not counted; a block of windows is a megabyte.
    assert predict < 2.25
