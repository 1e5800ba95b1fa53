"""What the defaults of SequenceOutlierDetector find on series of NAB, beside a floor.

NAB (Lavin & Ahmad, 2015) has series with windows of time around each known anomaly. A
detector is fitted on a series and scores each of its rows; a window is hit if one of
its rows is flagged. The floor is the error of the seasonal naive forecast, which flags
as many rows. "outside" counts flags in no window, and AUC is that of the scores against
the rows in windows. Most rows of a long window look usual, so it is far from 1 for all.

    python benchmarks/quality_outliers.py
    python benchmarks/quality_outliers.py --seeds 1 --params units=16
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from quality import DATA, assignment
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from skrnn import SequenceOutlierDetector
from skrnn.preprocessing import SlidingWindow

METHODS = ("prediction", "reconstruction")
COLUMNS = {
    "series": "<28",
    "model": "<16",
    "windows hit": "<15",
    "outside": "<13",
    "AUC": "<17",
    "bar": "<26",
    "seconds": ">7",
}


@dataclass(frozen=True)
class Series:
    """A series, what it is fitted on, and how its rows become windows.

    Attributes
    ----------
    name, fitted_on : str
        Files without their endings.
    season : int
        Rows of the period of the naive forecast.
    lookback, sampling_rate : int
        Those of `SlidingWindow`.
    contamination : float or None
        Share of the fitted rows that is flagged; with None none of them is.
    """

    name: str
    fitted_on: str
    season: int
    lookback: int
    sampling_rate: int
    contamination: float | None
    bar: str


SERIES = [
    Series(
        "nyc_taxi", "nyc_taxi", 336, 48, 1, 0.01, "4 of 5, at most 103 outside"
    ),
    Series(
        "ambient_temperature_system_failure",
        "ambient_temperature_system_failure",
        24, 48, 1, 0.01, "2 of 2",
    ),
    Series(
        "art_daily_jumpsup", "art_daily_small_noise", 288, 25, 12, None,
        "hit, 0 on the clean series",
    ),
]  # fmt: skip


def main():
    arguments = parse_arguments()
    print(line({name: name for name in COLUMNS}))
    for series in SERIES:
        rows, windows = read(arguments.data, series.name)
        fitted_on, _ = read(arguments.data, series.fitted_on)
        print(line(floor(series, fitted_on, rows, windows)))
        for method in METHODS:
            params = {"method": method} | dict(arguments.params)
            print(
                line(
                    detected(series, fitted_on, rows, windows, params, arguments.seeds)
                ),
                flush=True,
            )
    print("\nOne figure for each seed. The network has its defaults; the lookback is a")
    print(
        "day of taxis, two days of temperatures, and a day of every twelfth row of the"
    )
    print("daily jumps, where the threshold is the highest training score.")


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data")
    parser.add_argument("--seeds", type=int, default=3, help="fits of each network")
    parser.add_argument(
        "--params", nargs="+", type=assignment, default=[], metavar="NAME=VALUE"
    )
    return parser.parse_args()


def read(data, name):
    """Return the rows of a series (n, 1), and which of them each window has."""
    folder = data / "anomaly"
    table = pd.read_csv(folder / f"{name}.csv.gz", parse_dates=["timestamp"])
    labels = json.loads((folder / "nab_labels.json").read_text())
    known = labels[f"{name}.csv"]["windows"]
    times = table["timestamp"]
    windows = [times.between(*map(pd.Timestamp, ends)).to_numpy() for ends in known]
    return table[["value"]].to_numpy(float), windows


def floor(series, fitted_on, rows, windows):
    """Score rows by the error of the seasonal naive forecast."""
    errors, known = (naive_errors(x, series.season) for x in (rows, fitted_on))
    if series.contamination is None:
        limit = known.max()
    else:
        limit = np.quantile(known, 1 - series.contamination)
    hit, outside, auc = measured(errors, errors > limit, windows)
    return {
        "series": series.name[:28],
        "model": "seasonal naive",
        "windows hit": f"{hit} of {len(windows)}",
        "outside": str(outside),
        "AUC": auc,
        "bar": "",
        "seconds": "",
    }


def naive_errors(rows, season):
    errors = np.abs(rows[season:, 0] - rows[:-season, 0])
    return np.concatenate([np.zeros(season), errors])


def detected(series, fitted_on, rows, windows, params, n_seeds):
    """Fit the detector once for each seed."""
    found, began = [], time.perf_counter()
    for seed in range(n_seeds):
        model = make_pipeline(
            SlidingWindow(series.lookback, sampling_rate=series.sampling_rate),
            SequenceOutlierDetector(
                contamination=series.contamination, random_state=seed
            ).set_params(**params),
        ).fit(fitted_on)
        flags = model.predict(rows) < 0
        found.append(measured(-model.score_samples(rows), flags, windows))
        if series.contamination is None:
            # What was fitted on has no anomaly: none of its rows may be flagged.
            assert not (model.predict(fitted_on) < 0).any()
    hits, outside, aucs = zip(*found, strict=True)
    return {
        "series": "",
        "model": params["method"],
        "windows hit": f"{' '.join(map(str, hits))} of {len(windows)}",
        "outside": " ".join(map(str, outside)),
        "AUC": " ".join(aucs),
        "bar": series.bar,
        "seconds": f"{(time.perf_counter() - began) / n_seeds:.0f}",
    }


def measured(scores, flags, windows):
    """Return the windows hit, the flags outside of all, and the AUC of the scores."""
    inside = np.any(windows, axis=0)
    hit = sum(bool(flags[window].any()) for window in windows)
    auc = roc_auc_score(inside, scores)
    return hit, int((flags & ~inside).sum()), f"{auc:.3f}"


def line(row):
    return " ".join(f"{row[name]:{COLUMNS[name]}}" for name in COLUMNS).rstrip()


if __name__ == "__main__":
    main()
