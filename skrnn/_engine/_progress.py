"""One line that tells how training goes: in a notebook, a terminal and a log."""

import sys
import time

_LINES_IN_A_LOG = 10


class Progress:
    """Show epoch, losses and the time left.

    A terminal and a notebook see one line that is written over; a log gets about ten
    lines for the whole fit, each complete in itself.
    """

    def __init__(self, name, n_epochs, verbose, stream=None):
        self.name, self.n_epochs, self.verbose = name, n_epochs, verbose
        self.stream = sys.stderr if stream is None else stream
        self.started = self._drawn = time.monotonic()
        self._width = 0

    def show(self, epoch, share, logs):
        """Draw the state of `epoch` (from 1), of which `share` is done."""
        if not self.verbose:
            return
        done, now = share >= 1, time.monotonic()
        if self._overwrites():
            if done or now - self._drawn > 0.1:
                self._drawn = now
                self._write("\r" + self._line(epoch, share, logs))
        elif done and self._due(epoch):
            self._write(self._line(epoch, share, logs) + "\n")

    def close(self, message=""):
        """End the line, with a last word about how training ended."""
        if self.verbose and (self._width or message):
            self.stream.write(
                f"  {message}\n" if self._overwrites() else f"{message}\n"
            )
            self.stream.flush()

    def _overwrites(self):
        in_notebook = type(self.stream).__module__.startswith("ipykernel")
        return in_notebook or getattr(self.stream, "isatty", lambda: False)()

    def _due(self, epoch):
        every = max(1, self.n_epochs // _LINES_IN_A_LOG)
        return self.verbose > 1 or epoch % every == 0 or epoch in (1, self.n_epochs)

    def _line(self, epoch, share, logs):
        filled = round(20 * (epoch - 1 + share) / self.n_epochs)
        bar = "#" * filled + "." * (20 - filled)
        losses = "  ".join(f"{name} {value:.4g}" for name, value in logs.items())
        left = self._time_left(epoch - 1 + share)
        return f"{self.name} [{bar}] epoch {epoch}/{self.n_epochs}  {losses}  {left}"

    def _time_left(self, epochs_done):
        passed = time.monotonic() - self.started
        seconds = passed * (self.n_epochs / max(epochs_done, 1e-9) - 1)
        return f"{_duration(seconds)} left" if seconds >= 0.5 else _duration(passed)

    def _write(self, text):
        self.stream.write(text + " " * max(0, self._width - len(text)))
        self._width = len(text)
        self.stream.flush()


def _duration(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
