"""Drawings of rows in time: windows, folds and forecasts."""

import numpy as np
from drawing import BLUE, GREEN, GREY, INK, ORANGE, PAPER, RED, bar, empty, now, span
from matplotlib.figure import Figure


def season(t):
    """Return a series with a season of 8 rows and a slow rise."""
    return 0.42 * np.sin(2 * np.pi * t / 8) + 0.14 * np.sin(4 * np.pi * t / 8) + t / 60


def window_and_horizon():
    figure, panel = empty(8.2, 4.5, (-7.5, 37), (-4.9, 2.6))
    past, ahead = np.arange(24), np.arange(24, 32)
    panel.plot(past, season(past) + 0.7, "o-", color=INK, ms=3, lw=1)
    panel.plot(ahead, season(ahead) + 0.75, "o-", color=BLUE, ms=3.5, lw=1.4)
    further = np.arange(31, 37)
    panel.plot(
        further, season(further) + 0.75, "o:", color=BLUE, ms=3.5, lw=1, mfc=PAPER
    )
    panel.plot(31, season(31) + 0.75, "o", color=BLUE, ms=3.5)
    panel.text(-0.6, 0.9, "y", ha="right", fontsize=10)
    panel.text(33.8, 2.05, "from forecasts", ha="center", color=BLUE, fontsize=8)
    now(panel, 23.5, -4.1, 2.05)
    span(panel, -0.4, 23.4, -0.35, "lookback: three seasons")
    span(panel, 23.6, 31.4, -0.35, "horizon", BLUE)
    step = 27
    for at in (step - 8, step - 16, step - 24):
        panel.plot(at, season(at) + 0.7, "o", ms=9, mfc="none", mec=ORANGE, mew=1.5)
    panel.plot(step, season(step) + 0.75, "o", ms=9, mfc="none", mec=ORANGE, mew=1.5)
    panel.text(
        11, 2.1, "what one step reads of y: the same place in the seasons before",
        color=ORANGE, ha="center", va="center", fontsize=8,
    )  # fmt: skip
    rows = {
        "known ahead": (-0.4, 36.4, "calendar, holidays, prices: for all rows", BLUE),
        "past only": (-0.4, 23.4, "up to the last known row", GREY),
        "static": (-0.4, 36.4, "one value for each series", GREEN),
    }
    for i, (name, (first, last, text, color)) in enumerate(rows.items()):
        y = -1.75 - 0.8 * i
        bar(panel, first, last, y, 0.55, facecolor=color, alpha=0.25)
        panel.text(-0.8, y, name, ha="right", va="center")
        panel.text(11.5, y, text, ha="center", va="center", fontsize=8)
    panel.text(11.5, -4.5, "fit(X, y), update(X, y)", ha="center", family="monospace")
    panel.text(
        30, -4.5, "predict(X), forecast(steps, X)", ha="center", family="monospace"
    )
    return figure


def carry_and_gap():
    figure, panel = empty(8.2, 3.9, (-7.5, 31), (-5.6, 1.2))
    rows = [
        ("gap=0", 0, 16, 0, "predict(X)"),
        ("gap=3", -1.6, 16, 3, "predict(X)"),
        ("update, then", -3.2, 22, 0, "predict(X)"),
    ]
    for name, y, end, gap, call in rows:
        bar(panel, 0, 16, y)
        panel.text(-0.5, y, name, ha="right", va="center", family="monospace")
        panel.text(5, y, "fit", ha="center", va="center", family="monospace")
        if end > 16:
            bar(panel, 16, end, y, facecolor=BLUE, alpha=0.3)
            panel.text(19, y, "update", ha="center", va="center", family="monospace")
        bar(panel, end - 6, end, y, 0.6, facecolor="none", edgecolor=ORANGE, lw=1.6)
        if gap:
            bar(panel, end, end + gap, y, facecolor=PAPER, edgecolor=GREY, hatch="////")
        first = end + gap
        bar(panel, first, first + 6, y, facecolor=BLUE, alpha=0.85)
        panel.text(
            first + 3,
            y,
            call,
            ha="center",
            va="center",
            color=PAPER,
            family="monospace",
        )
    now(panel, 16, -3.75, 0.5, "end of training")
    panel.text(
        16.3, -2.05, "not known yet when the forecast is made", fontsize=8, color=GREY,
        va="top", ha="left",
    )  # fmt: skip
    panel.text(
        10, -4.15, "orange: the window, carried over from what was seen before",
        color=ORANGE, fontsize=8, ha="center",
    )  # fmt: skip
    panel.annotate(
        "", (30, -5.0), (0, -5.0), arrowprops=dict(arrowstyle="->", color=INK, lw=1)
    )
    panel.text(30, -5.15, "time", va="top", ha="right")
    return figure


# ---- uncertainty


def calibration():
    figure, panel = empty(8.2, 3.5, (-1, 60), (-2.3, 2.6))
    rng = np.random.default_rng(3)
    t = np.arange(48)
    y = season(t) + rng.normal(0, 0.16, 48)
    shifted = y - 0.1
    panel.axvspan(26.5, 47, ymin=0.06, ymax=0.9, color=ORANGE, alpha=0.1, lw=0)
    panel.plot(t, shifted, "o-", color=INK, ms=2.5, lw=0.9)
    origins = range(27, 43, 5)
    for origin in origins:
        steps = np.arange(origin, min(origin + 5, 48))
        told = season(steps) - 0.1
        panel.plot(steps, told, color=BLUE, lw=1.6)
        panel.vlines(steps, told, shifted[steps], color=RED, lw=1.2, zorder=3)
    ahead = np.arange(47, 59)
    middle = season(ahead) - 0.1
    spread = 0.09 * np.sqrt(np.arange(12))
    for width, alpha in ((1.65, 0.18), (1.04, 0.22), (0.52, 0.28)):
        panel.fill_between(
            ahead, middle - width * spread, middle + width * spread, color=BLUE,
            alpha=alpha, lw=0,
        )  # fmt: skip
    panel.plot(ahead, middle, color=BLUE, lw=1.6)
    now(panel, 47, -2.0, 2.15)
    panel.text(13, 1.95, "learned from", ha="center")
    panel.text(37, 1.95, "calibration_size rows", ha="center", color=ORANGE)
    panel.text(37, 1.55, "not learned from", ha="center", color=ORANGE, fontsize=8)
    panel.text(53.5, 1.95, "intervals", ha="center", color=BLUE)
    panel.text(
        36.8, -1.18, "forecasts from many origins,\nand their errors at each step",
        ha="center", va="top", color=RED, fontsize=8,
    )  # fmt: skip
    return figure


# ---- backtesting


def folds():
    figure = Figure(figsize=(8.2, 5.0), layout="constrained")
    panels = figure.subplots(3, 1, height_ratios=[4, 4, 3.2])
    titles = [
        "Expanding: backtest(initial=8, step=4, horizon=4), TimeSeriesSplit",
        "Windows of make_supervised: WindowSplit(purge=2, expanding=False)",
        "Shuffled KFold: each test row lies between rows that were trained on",
    ]
    for panel, title in zip(panels, titles, strict=True):
        panel.set(xlim=(-2.2, 27), ylim=(-4.1, 0.9))
        panel.axis("off")
        panel.set_title(title, loc="left", fontsize=9, color=INK)
    for k in range(4):
        cutoff, y = 8 + 4 * k, -k
        bar(panels[0], 0, cutoff, y, 0.7)
        bar(panels[0], cutoff, cutoff + 4, y, 0.7, facecolor=BLUE)
        panels[0].plot([cutoff] * 2, [y - 0.48, y + 0.48], color=ORANGE, lw=2.2)
        bar(panels[1], cutoff - 8, cutoff - 2, y, 0.7)
        bar(panels[1], cutoff - 2, cutoff, y, 0.7, facecolor=PAPER, hatch="////",
            edgecolor=GREY)  # fmt: skip
        bar(panels[1], cutoff, cutoff + 4, y, 0.7, facecolor=BLUE)
    panels[0].text(24.4, -3, "horizon", color=BLUE, va="center")
    panels[0].text(8.3, 0.68, "cutoff", color=ORANGE, va="center", fontsize=8)
    panels[0].text(3.5, 0, "training", ha="center", va="center", fontsize=8)
    panels[1].text(7, 0.68, "purge", color=GREY, ha="center", va="center", fontsize=8)
    parts = np.random.default_rng(1).permutation(np.repeat([0, 1, 2], 8))
    for k in range(3):
        for row, part in enumerate(parts):
            look = {"facecolor": RED} if part == k else {}
            bar(panels[2], row, row + 1, -1.15 * k, 0.7, **look)
    for panel, n, apart in zip(panels, (4, 4, 3), (1, 1, 1.15), strict=True):
        for k in range(n):
            look = dict(ha="right", va="center", color=GREY, fontsize=8)
            panel.text(-0.4, -apart * k, f"{k + 1}", **look)
    return figure


# ---- windows


def rows_to_windows():
    figure, panel = empty(8.2, 3.4, (-5.2, 23), (-5.6, 1.6))
    lookback, gap, horizon = 4, 1, 2
    for t in range(14):
        panel.text(t + 0.5, 0.95, f"{t}", ha="center", color=GREY, fontsize=8)
    bar(panel, 0, 14, 0.3)
    for t in range(14):
        panel.plot([t, t], [0, 0.6], color=PAPER, lw=1)
    panel.text(-0.4, 0.3, "rows of the series", ha="right", va="center")
    for row, t in enumerate((3, 4, 5)):
        y = -1.1 - row
        first = t - lookback + 1
        bar(panel, first, t + 1, y, 0.62, facecolor=ORANGE, alpha=0.85)
        look = dict(facecolor=PAPER, edgecolor=GREY, hatch="////")
        bar(panel, t + 1, t + 1 + gap, y, 0.62, **look)
        bar(panel, t + 1 + gap, t + 1 + gap + horizon, y, 0.62, facecolor=BLUE)
        code = f"X[{t}], y[{t}]"
        panel.text(-0.4, y, code, ha="right", va="center", family="monospace")
    span(panel, 2, 6, -3.75, "lookback=4", ORANGE)
    span(panel, 7, 9, -3.75, "", BLUE)
    panel.text(7, -3.89, "horizon=2", va="top", color=BLUE)
    panel.text(6.5, -4.35, "gap=1", ha="center", va="top", color=GREY)
    panel.text(14.6, -1.1, "SlidingWindow(lookback=4)", va="center", color=ORANGE,
               family="monospace", fontsize=8)  # fmt: skip
    panel.text(14.6, -1.9, "make_supervised(series,", va="center", color=BLUE,
               family="monospace", fontsize=8)  # fmt: skip
    panel.text(14.6, -2.45, "    horizon=2, gap=1)", va="center", color=BLUE,
               family="monospace", fontsize=8)  # fmt: skip
    panel.text(0, -5.35, "each row becomes one window: their number stays the same",
               fontsize=8, color=GREY)  # fmt: skip
    return figure


def pad_and_carry():
    figure, panel = empty(8.2, 3.3, (-6.2, 17), (-5.3, 1.9))
    now(panel, 8, -4.4, 1.1, "")
    panel.text(4, 1.3, "rows that fit saw", ha="center")
    panel.text(10.5, 1.3, "rows of transform", ha="center", color=BLUE)
    bar(panel, 0, 8, 0.4)
    bar(panel, 8, 13, 0.4, facecolor=BLUE, alpha=0.85)
    for t in range(14):
        panel.plot([t, t], [0.1, 0.7], color=PAPER, lw=1)
    for y, name, made_up in ((-1.1, "pad", True), (-3.2, "carry", False)):
        code = dict(ha="right", va="center", family="monospace", fontsize=8)
        panel.text(-0.3, y - 0.45, f'warmup="{name}"', **code)
        for row in range(2):
            at, low = 8 + row, y - 0.9 * row
            bar(panel, 8, at + 1, low, 0.6, facecolor=BLUE, alpha=0.85)
            if made_up:
                look = dict(facecolor=PAPER, edgecolor=GREY, hatch="////")
                bar(panel, at - 3, 8, low, 0.6, **look)
            else:
                bar(panel, at - 3, 8, low, 0.6, facecolor=ORANGE, alpha=0.85)
    panel.text(10.6, -1.5, "made-up rows: copies of the first\nrow, or a constant",
               va="center", fontsize=8, color=GREY)  # fmt: skip
    panel.text(10.6, -3.6, "the last rows of fit, if the index\nsays that these follow",
               va="center", fontsize=8, color=ORANGE)  # fmt: skip
    panel.text(4, -5.1, "the first two windows of transform, with lookback=4",
               fontsize=8, color=GREY)  # fmt: skip
    return figure
