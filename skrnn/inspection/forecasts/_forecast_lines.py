"""One series on one pair of axes: history, truth, forecasts and fans."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skrnn.inspection._drawing import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    SMALL,
    legend,
    style,
    tidy,
    title,
)
from skrnn.inspection.forecasts._forecast_series import DrawnSeries
from skrnn.inspection.forecasts._times import position, positions, set_ticks

# Points this few are seen as points.
N_WITH_MARKERS = 40
# Room for the legend above the lines, as a share of their height.
HEADROOM = 0.14


@dataclass(frozen=True)
class Styles:
    """What the user wants lines and areas to look like."""

    line: dict | None = None
    history: dict | None = None
    truth: dict | None = None
    fill: dict | None = None


@dataclass(frozen=True)
class Artists:
    """What was drawn, in the order of the axes."""

    history: list[Any] = field(default_factory=list)
    truth: list[Any] = field(default_factory=list)
    forecasts: list[Any] = field(default_factory=list)
    areas: list[Any] = field(default_factory=list)
    cutoffs: list[Any] = field(default_factory=list)


def draw(axes: np.ndarray, shown: list[DrawnSeries], styles: Styles) -> Artists:
    """Draw each series on its axes."""
    artists, small = Artists(), len(shown) > 1
    for ax, drawn in zip(axes, shown, strict=True):
        _draw_known(ax, drawn, styles, artists, 0.75 if small else 1)
        colors = [BLUE, ORANGE] if drawn.overlaps else [BLUE]
        for i, origin in enumerate(drawn.origins):
            look = dict(color=colors[i % len(colors)])
            _draw_fan(ax, origin, look["color"], styles.fill, artists, i == 0, small)
            if i < len(colors):
                look["label"] = "forecast"
            _draw_forecast(ax, origin, look, styles.line, artists, small)
            if origin.cutoff is not None:
                label = drawn.cutoff_label if i == 0 else None
                _draw_cutoff(ax, position(origin.cutoff, drawn.index), label, artists)
        tidy(ax)
        ax.margins(x=0.015)
        set_ticks(ax, drawn.index, small=small)
        if drawn.name is not None:
            title(ax, drawn.name)
    return artists


def _draw_forecast(ax, origin, look, given, artists, small):
    x, thick = positions(origin.forecast.index), 0.75 if small else 1
    look = look | dict(linewidth=2 * thick, zorder=4)
    if len(x) == 1:
        look |= dict(marker="o", markersize=4 * thick)
    options = style("line", look, given)
    artists.forecasts.extend(ax.plot(x, origin.forecast.to_numpy(), **options))


def _draw_cutoff(ax, at, label, artists):
    dashes = (0, (3, 3))
    line = ax.axvline(
        at, color=GREY, linewidth=0.8, linestyle=dashes, zorder=1, label=label
    )
    artists.cutoffs.append(line)


def _draw_known(ax, drawn, styles, artists, thick):
    """Draw what was known, and what came."""
    if drawn.history is not None and len(drawn.history):
        look = dict(color=INK, linewidth=1.3 * thick, zorder=2, label="history")
        x, y = positions(drawn.history.index), drawn.history.to_numpy()
        artists.history.extend(ax.plot(x, y, **style("line", look, styles.history)))
    if drawn.truth is not None:
        x, y = positions(drawn.truth.index), drawn.truth.to_numpy()
        look = dict(color=INK, linewidth=1.1 * thick, zorder=3, label="truth")
        if len(x) <= N_WITH_MARKERS:
            look |= dict(
                linewidth=0.8 * thick, marker="o", markersize=3.6 * thick,
                markerfacecolor="white", markeredgewidth=0.9 * thick,
            )  # fmt: skip
        artists.truth.extend(ax.plot(x, y, **style("line", look, styles.truth)))
        if drawn.history is not None and len(drawn.history):
            _join(ax, artists.history[-1], artists.truth[-1])


def _join(ax, history, truth):
    """Join the last value that was known to the first one that came."""
    ax.plot(
        [history.get_xdata()[-1], truth.get_xdata()[0]],
        [history.get_ydata()[-1], truth.get_ydata()[0]],
        color=truth.get_color(), linewidth=truth.get_linewidth(),
        linestyle=truth.get_linestyle(), zorder=truth.get_zorder() - 0.1,
    )  # fmt: skip


def _draw_fan(ax, origin, color, given, artists, labelled, small):
    """Draw the intervals, the wider ones lighter and behind."""
    n = len(origin.bands)
    for i, (coverage, bounds) in enumerate(origin.bands.items()):
        tint = _tint(color, 0.16 + 0.22 * i / (n - 1) if n > 1 else 0.22)
        label = f"{100 * coverage:g} %" if labelled else None
        look = dict(facecolor=tint, linewidth=0, label=label, zorder=1.5 + 0.1 * i)
        x = positions(bounds.index)
        lower, upper = bounds["lower"].to_numpy(), bounds["upper"].to_numpy()
        options = style("area", look, given)
        if len(x) == 1:
            artists.areas.append(_bar(ax, x, lower, upper, options, small))
        else:
            artists.areas.append(ax.fill_between(x, lower, upper, **options))


def _tint(color, share):
    """Return a color on white, as light as `share` says."""
    parts = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return tuple(1 - share * (1 - parts))


def _bar(ax, x, lower, upper, options, small):
    """Draw the interval of a single step, whose area would have no width."""
    color = options.pop("facecolor")
    options["linewidth"] = options.get("linewidth") or (4 if small else 7)
    return ax.vlines(x, lower, upper, color=color, **options)


def explain(
    axes: np.ndarray, shown: list[DrawnSeries], n_series: int, *, whole_figure: bool
) -> None:
    """Add the legend, the labels of the axes, and how many series aren't drawn.

    Parameters
    ----------
    n_series : int
        How many there are.
    whole_figure : bool
        Whether the figure has nothing else on it.
    """
    figure, many = axes[0].figure, len(axes) > 1
    found = _labelled(axes)
    if many and whole_figure:
        legend(figure, found, loc="outside upper left", ncols=len(found))
    elif many:
        above = dict(loc="lower left", bbox_to_anchor=(0, 1.2))
        legend(axes[0], found, ncols=len(found), **above)
    elif axes[0].get_legend() is None:
        low, high = axes[0].get_ylim()
        axes[0].set_ylim(low, high + HEADROOM * (high - low))
        legend(axes[0], found, loc="upper left", ncols=len(found))
    if many and len({ax.get_xlim() for ax in axes}) == 1:
        _share_time(axes)
    if n_series > len(shown):
        note = f"{len(shown)} of {n_series} series"
        axes[-1].annotate(
            note, (1, 0), (0, -22), "axes fraction", "offset points",
            ha="right", va="top", fontsize=SMALL, color=GREY,
        )  # fmt: skip
    if not many:
        _name_axes(axes[0], shown[0])


def _labelled(axes):
    """Return what is explained once: label -> artist, in the order of reading."""
    found: dict[str, Any] = {}
    for ax in axes:
        own: dict[str, Any] = {}
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            own[label] = (own[label], handle) if label in own else handle
        found = own | found
    rank = {"history": 0, "truth": 1, "forecast": 2}
    kinds = {name: 4 if name.endswith(("cutoff", "cutoffs")) else 3 for name in found}
    return dict(sorted(found.items(), key=lambda pair: (kinds | rank)[pair[0]]))


def _share_time(axes):
    """Write the times below the lowest axes of each column only."""
    places = [ax.get_subplotspec() for ax in axes]
    if any(place is None for place in places):
        return
    lowest: dict[int, int] = {}
    for place in places:
        column = place.colspan.start
        lowest[column] = max(lowest.get(column, 0), place.rowspan.start)
    for ax, place in zip(axes, places, strict=True):
        if place.rowspan.start < lowest[place.colspan.start]:
            ax.tick_params(axis="x", labelbottom=False)
            ax.xaxis.get_offset_text().set_visible(False)


def _name_axes(ax, drawn):
    known = (each for each in (drawn.history, drawn.truth) if each is not None)
    name = next((each.name for each in known if isinstance(each.name, str)), None)
    if name and not ax.get_ylabel():
        ax.set_ylabel(name, fontsize=SMALL + 0.5)
    if drawn.index.dtype.kind in "iuf" and not ax.get_xlabel():
        ax.set_xlabel(str(drawn.index.name or "Row"), fontsize=SMALL + 0.5)
