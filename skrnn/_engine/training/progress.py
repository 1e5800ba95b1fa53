"""One line that shows the progress of training: in a notebook, terminal or log."""

import math
import shutil
import sys
import time

_LINES_IN_A_LOG = 10
_BAR = 20


class Progress:
    """Show epoch, losses, the time that has passed and that of the whole fit.

    In a terminal and a notebook one line is overwritten; a log gets about ten complete
    lines for the whole fit.
    """

    # What is counted.
    unit = "epoch"

    def __init__(self, name, n_epochs, verbose, stream=None):
        self.name, self.n_epochs, self.verbose = name, n_epochs, verbose
        self.stream = sys.stderr if stream is None else stream
        self.started = self._drawn = time.monotonic()
        self._width = self._skipped = 0

    def skip(self, n_epochs):
        """Begin after epochs of an earlier try, which say nothing about the time."""
        self._skipped = n_epochs

    def show(self, epoch, share, logs):
        """Draw the state of `epoch` (from 1), of which `share` is done."""
        if not self.verbose:
            return
        done, now = share >= 1, time.monotonic()
        if self._overwrites():
            if done or now - self._drawn > 0.1:
                self._drawn = now
                self._overwrite(self._line(epoch, share, logs))
        elif done and self._due(epoch):
            self._write(self._line(epoch, share, logs) + "\n")

    def close(self, message=""):
        """End the line; `message` says how training ended."""
        if not self.verbose:
            return
        if self._width:
            self._write(f"  {message}".rstrip() + "\n")
        elif message:
            self._write(message + "\n")

    def _overwrites(self):
        return self._in_notebook() or self._in_terminal()

    def _in_notebook(self):
        return type(self.stream).__module__.startswith("ipykernel")

    def _in_terminal(self):
        return getattr(self.stream, "isatty", lambda: False)()

    def _due(self, epoch):
        every = max(1, self.n_epochs // _LINES_IN_A_LOG)
        return self.verbose > 1 or epoch % every == 0 or epoch in (1, self.n_epochs)

    def _line(self, epoch, share, logs):
        done = epoch - 1 + share
        losses = "  ".join(f"{name} {value:.4g}" for name, value in logs.items())
        text = f" {self.unit} {epoch}/{self.n_epochs}  {losses}  {self._time(done)}"
        if not self._in_terminal():
            return self.name + _bar(done / self.n_epochs, _BAR) + text
        # A line that is wider than the terminal can't be overwritten.
        columns = shutil.get_terminal_size().columns - 1
        room = columns - len(self.name) - len(text) - len(" []")
        return (self.name + _bar(done / self.n_epochs, room) + text)[:columns]

    def _time(self, epochs_done):
        """Say how much time has passed, and the total if no epoch is left out."""
        passed = time.monotonic() - self.started
        n_epochs, done = self.n_epochs - self._skipped, epochs_done - self._skipped
        total = passed * n_epochs / max(done, 1e-9)
        return f"{_duration(passed)} of {_duration(total)}"

    def _overwrite(self, line):
        self._write("\r" + line.ljust(self._width))
        self._width = len(line)

    def _write(self, text):
        self.stream.write(text)
        self.stream.flush()


class TextProgress(Progress):
    """Show losses as bits a token, and a sample of text after each epoch.

    Parameters
    ----------
    unit : str
        Name of a token.
    sample : callable
        Returns a text; called if `verbose` is 2 or more.
    """

    def __init__(self, name, n_epochs, verbose, unit, sample, stream=None):
        super().__init__(name, n_epochs, verbose, stream)
        self._names = {"loss": f"bits a {unit}", "val_loss": "validation"}
        self._sample = sample

    def show(self, epoch, share, logs):
        """Draw the state of `epoch` (from 1), of which `share` is done."""
        bits = {self._names[name]: loss / math.log(2) for name, loss in logs.items()}
        super().show(epoch, share, bits)
        if share >= 1 and self.verbose > 1:
            self._write(f"{chr(10) * bool(self._width)}{self._sample()}\n\n")
            self._width = 0


def _bar(share, room):
    """Draw a bar in at most `room` columns, or none if that is too few."""
    size = min(room, _BAR)
    filled = round(size * share)
    return f" [{'#' * filled}{'.' * (size - filled)}]" if size >= 5 else ""


def _duration(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
