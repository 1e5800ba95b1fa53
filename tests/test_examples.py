"""The examples and the demo, run as a user runs them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def output_of(script, *arguments, cwd):
    environment = os.environ | {"MPLBACKEND": "Agg", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / script), *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def numbers_after(label, output):
    """Return the numbers of the first line of `output` that begins with `label`."""
    line = re.search(rf"^\s*{label}(.*)$", output, re.MULTILINE)
    return [float(number) for number in re.findall(r"\d+\.\d+", line[1])]


def test_demo_beats_persistence_clearly(tmp_path):
    output = output_of("demo.py", "--quick", cwd=tmp_path)
    persistence = numbers_after("Same as last month", output)[0]
    best = min(
        numbers_after(cell, table)[-1]
        for table in [output.partition("RMSE in")[2]]
        for cell in ("RNN", "LSTM", "GRU")
        if re.search(rf"^\s*{cell}", table, re.MULTILINE)
    )
    assert best < 0.7 * persistence
    assert (tmp_path / "demo.png").stat().st_size > 10_000


def forecasting(output):
    names = "network", "mean of the month", "a year before"
    network, mean, last_year = (numbers_after(name, output) for name in names)
    # One month ahead, and over all months.
    return network[0] < 0.7 * mean[0] and network[-1] < mean[-1] < last_year[-1]


def ragged_classification(output):
    network = numbers_after("accuracy", output)[0]
    return network > numbers_after("logistic regression on padded sequences", output)[0]


def tagging(output):
    labels = "most frequent tag of the word", "LSTM, left to right", "LSTM, both"
    floor, forward, both = (numbers_after(label, output)[0] for label in labels)
    return floor < forward <= both and both > 0.99


def spelling(output):
    floor = numbers_after("words right, letter by letter", output)[0]
    network = numbers_after("words right, Seq2SeqClassifier", output)[0]
    return network > 0.9 > floor


def sentiment(output):
    names = "words  ", "pairs of words", "LSTM"
    words, pairs, network = (numbers_after(name, output)[0] for name in names)
    return words < pairs < network and network > 0.95


def generation(output):
    model = numbers_after("perplexity of new names", output)[0]
    return model < numbers_after("from frequencies alone", output)[0] / 4


def slots(output):
    titles = "words", "words and shapes", "words, shapes and endings"
    alone, shapes, endings = (numbers_after(rf"{t}  ", output)[-1] for t in titles)
    return alone + 0.05 < shapes < endings - 0.05 and endings > 0.95


def outliers(output):
    def told(label):
        return re.findall(r"\d+", re.search(rf"{label}(.*)", output)[1])

    rows = told("odd rows")
    forest = int(told("lowest scores of a forest")[0])
    return told("odd beats") == told("found") and rows[:3] == rows[3:] and forest < 3


@pytest.mark.parametrize(
    ("script", "holds"),
    [
        ("plot_outliers.py", outliers),
        ("plot_generation.py", generation),
        ("plot_forecasting.py", forecasting),
        ("plot_ragged_classification.py", ragged_classification),
        ("plot_sentiment.py", sentiment),
        ("plot_slots.py", slots),
        ("plot_tagging.py", tagging),
        ("plot_spelling.py", spelling),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_gallery(script, holds, tmp_path):
    assert holds(output_of(script, cwd=tmp_path))


def test_every_gallery_script_is_tested():
    names = (
        "forecasting",
        "generation",
        "outliers",
        "ragged_classification",
        "sentiment",
        "slots",
        "spelling",
        "tagging",
    )
    tested = {f"plot_{name}.py" for name in names}
    assert {path.name for path in EXAMPLES.glob("plot_*.py")} == tested
