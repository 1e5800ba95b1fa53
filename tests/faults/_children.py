"""Processes that tests of faults start, and how long they may take."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent.parent

# What most children begin with: data, and memory of this process in MB.
COMMON = """
import ctypes, gc, json, os, random, signal, sys, threading, time, warnings
import numpy as np

warnings.simplefilter("error")
rng = np.random.default_rng(0)


def memory():
    "Return the memory in MB of this process alone, once what is free is given back."
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/status") as file:
        lines = dict(line.split(":", 1) for line in file)
    return int(lines["RssAnon"].split()[0]) / 1024
"""


def start(code, *arguments, **environment):
    """Start Python on `code`, which finds `arguments` in ``sys.argv[1:]``."""
    paths = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-c", COMMON + code, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=TESTS.parent,
        env=os.environ
        | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": paths}
        | environment,
    )


def finish(child, seconds=100):
    """Return what a child prints; it may neither hang nor fail."""
    try:
        output, errors = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        output, errors = child.communicate()
        raise AssertionError(f"hangs after {seconds} s: {errors[-2000:]}") from None
    assert child.returncode == 0, f"exit {child.returncode}: {errors[-3000:]}"
    return output


def run(code, *arguments, seconds=100, **environment):
    """Run Python on `code`, and return what it prints."""
    return finish(start(code, *arguments, **environment), seconds)
