"""The line that tells how training goes."""

import io
import re

import numpy as np
import pytest

from skrnn import RNNRegressor
from skrnn._engine.training import progress
from skrnn._engine.training.progress import Progress

QUICK = dict(units=3, epochs=2, random_state=0)


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).normal(size=(24, 5, 2))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def screen(text):
    """Return the lines that a terminal shows after `text`."""
    lines = []
    for line in text.split("\n"):
        cells = []
        for part in line.split("\r"):
            cells[: len(part)] = part
        lines.append("".join(cells).rstrip())
    return lines


@pytest.fixture
def clock(monkeypatch):
    """Let one second pass whenever the clock is looked at."""
    seconds = iter(range(10**6))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(seconds))


def shown(stream, n_epochs=100, verbose=1, message=""):
    progress = Progress("GRURegressor", n_epochs, verbose, stream)
    for epoch in range(1, n_epochs + 1):
        logs = {"loss": 10.0**-epoch, "val_loss": 0.5}
        progress.show(epoch, 0.5, {"loss": 0.12345})
        progress.show(epoch, 1, logs)
    progress.close(message)
    return stream.getvalue()


def test_a_log_gets_about_ten_whole_lines(clock):
    text = shown(io.StringIO())
    assert "\r" not in text
    lines = text.splitlines()
    assert 10 <= len(lines) <= 12
    assert all(line == line.strip() != "" for line in lines)
    pattern = r"GRURegressor \[#*\.*\] epoch \d+/100  loss \S+  val_loss 0.5  \d+:\d\d"
    assert all(re.match(pattern, line) for line in lines)
    assert "epoch 1/100" in lines[0]
    times = [re.search(r"(\d+:\d\d) of (\d+:\d\d)$", line).groups() for line in lines]
    assert all(passed < total for passed, total in times[:-1])
    assert "epoch 100/100" in lines[-1]
    assert times[-1][0] == times[-1][1]
    assert text.endswith("\n")


def test_a_log_gets_a_line_for_each_epoch_if_asked(clock):
    assert len(shown(io.StringIO(), n_epochs=30, verbose=2).splitlines()) == 30


def test_nothing_is_said_unasked(clock):
    assert shown(io.StringIO(), verbose=0) == shown(Terminal(), verbose=0) == ""


def test_a_terminal_sees_one_line_without_leftovers(clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    text = shown(Terminal())
    assert text.count("\n") == 1
    last, rest = screen(text)
    assert rest == ""
    assert last == text.split("\r")[-1].strip()
    assert "epoch 100/100" in last


def test_a_line_never_outgrows_its_terminal(clock, monkeypatch):
    for columns in (80, 40, 20):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = re.split(r"[\r\n]", shown(Terminal()))
        assert max(map(len, lines)) < columns
    monkeypatch.setenv("COLUMNS", "80")
    assert "loss" in screen(shown(Terminal()))[0]


def test_a_notebook_sees_one_line(clock):
    module = {"__module__": "ipykernel.iostream", "isatty": lambda self: False}
    stream = type("OutStream", (io.StringIO,), module)()
    text = shown(stream)
    assert text.count("\n") == 1
    assert len(screen(text)[0]) > 60


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_how_training_ended_is_said_last(stream, clock):
    text = shown(stream(), message="stopped after epoch 7")
    assert text.endswith("stopped after epoch 7\n")


def test_the_time_of_all_epochs_is_in_proportion(monkeypatch):
    now = iter([0.0, 30.0, 30.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    stream = io.StringIO()
    Progress("x", 4, 2, stream).show(1, 1, {"loss": 1.0})
    assert stream.getvalue().endswith("0:30 of 2:00\n")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (61.2, "1:01"), (3600, "1:00:00")]
)
def test_durations(seconds, text):
    assert progress._duration(seconds) == text


def test_verbose_fits_tell_of_themselves(X, capsys):
    options = QUICK | dict(epochs=30, early_stopping=True, verbose=1)
    RNNRegressor(**options).fit(X, X[:, 0, 0])
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert 5 <= len(lines) <= 13
    assert all(" loss " in line and " val_loss " in line for line in lines[:-1])
    RNNRegressor(**QUICK).fit(X, X[:, 0, 0])
    assert capsys.readouterr().err == ""
