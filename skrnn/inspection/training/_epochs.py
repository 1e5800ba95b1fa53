"""The axes of losses over epochs: their scales and ticks."""

from typing import Any

import numpy as np

# A loss that falls by less is read best as it is.
RANGE_FOR_LOG = 20
# Up to so many powers of ten 1, 2 and 5 of each have a tick.
DECADES_WITH_FEW_TICKS = 3


def set_scale(ax: Any, yscale: str, lines: list) -> None:
    """Make the axis of losses logarithmic if asked to, or where it helps."""
    drawn = [np.asarray(line.get_ydata(), float) for line in lines]
    values = np.concatenate([*drawn, []])
    values = values[np.isfinite(values)]
    powers = np.log10(values[values > 0])
    decades = powers.max(initial=-400) - powers.min(initial=400)
    helps = len(powers) == len(values) and decades >= np.log10(RANGE_FOR_LOG)
    if len(powers) and (yscale == "log" or (yscale == "auto" and helps)):
        _make_log(ax, decades)
    elif yscale == "linear":
        ax.set_yscale("linear")


def _make_log(ax, decades):
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator  # noqa: PLC0415

    ax.set_yscale("log")
    subs = (1, 2, 5) if decades < DECADES_WITH_FEW_TICKS else (1,)
    ax.yaxis.set_major_locator(LogLocator(subs=subs))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_locator(NullLocator())


def set_epochs(ax: Any, n_epochs: int) -> None:
    """Show all epochs, and whole numbers at the ticks."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    # Of another display in the same axes.
    n_epochs = max([n_epochs, *(max(line.get_xdata()) for line in ax.lines)])
    margin = min(0.03 * n_epochs, 0.9) if n_epochs > 1 else 0.5
    ax.set_xlim(1 - margin, n_epochs + margin)
    options: dict[str, Any] = dict(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
    ax.xaxis.set_major_locator(MaxNLocator("auto", **options))
