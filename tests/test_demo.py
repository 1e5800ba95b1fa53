"""The demo, run as a user runs it; `tests/gallery` has the pages of the gallery."""

import os
import re
import subprocess
import sys
from pathlib import Path

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


def test_demo_beats_ridge_and_the_naive_forecasts_clearly(tmp_path):
    output = output_of("demo.py", "--quick", cwd=tmp_path)
    names = "Forecaster", "Ridge regression", "As the day before", "As a week before"
    networks, ridge, yesterday, last_week = (
        numbers_after(rf"{name}  ", output)[0] for name in names
    )
    assert networks < 0.95 * ridge
    assert networks < 0.7 * min(yesterday, last_week)
    held = int(re.search(r"90% of the hours held (\d+)%", output)[1])
    assert 80 <= held <= 98
    assert (tmp_path / "demo.png").stat().st_size > 10_000
