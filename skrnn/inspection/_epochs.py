"""The axes of losses over epochs: their scales and ticks."""

from typing import Any

import numpy as np

# A loss that falls by less is read best as it is.
RANGE_FOR_LOG = 20


def set_scale(ax: Any, yscale: str, lines: list) -> None:
    """Make the axis of losses logarithmic if asked to, or where it helps."""
    values = np.concatenate([np.asarray(line.get_ydata(), float) for line in lines])
    values = values[np.isfinite(values)]
    least, most = values.min(initial=np.inf), values.max(initial=-np.inf)
    helps = least > 0 and most / RANGE_FOR_LOG >= least
    if yscale == "log" or (yscale == "auto" and helps):
        _make_log(ax, most / least if least > 0 else np.inf)
    elif yscale == "linear":
        ax.set_yscale("linear")


def _make_log(ax, ratio):
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator  # noqa: PLC0415

    ax.set_yscale("log")
    subs = (1, 2, 5) if ratio < 1000 else (1,)
    ax.yaxis.set_major_locator(LogLocator(subs=subs))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_locator(NullLocator())


def set_epochs(ax: Any, n_epochs: int) -> None:
    """Show all epochs, and whole numbers at the ticks."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    # Of another display in the same axes.
    n_epochs = max(n_epochs, *(max(line.get_xdata(), default=1) for line in ax.lines))
    margin = min(0.03 * n_epochs, 0.9) if n_epochs > 1 else 0.5
    ax.set_xlim(1 - margin, n_epochs + margin)
    ax.xaxis.set_major_locator(
        MaxNLocator(integer=True, nbins="auto", steps=[1, 2, 5, 10])
    )
