"""Scripts of `examples`, run as a user runs them, and the numbers that they print."""

import os
import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"


def printed_by(script, *arguments, cwd):
    """Run a script in a process of its own; return what it prints."""
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
