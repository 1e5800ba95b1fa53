"""The drawings of the guide's pages on forecasting.

python docs/drawings.py            # writes them into docs/user_guide
python docs/drawings.py --to DIR   # or elsewhere
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

FOLDER = Path(__file__).parent / "user_guide"
INK, GREY, PALE = "#222222", "#8c8c8c", "#e4e4e4"
BLUE, ORANGE, RED = "#1f6fb4", "#d95f02", "#b3312c"
# Text as shapes, so that it looks alike everywhere; the same file each time.
STYLE = {"font.size": 9, "svg.hashsalt": "skrnn", "hatch.linewidth": 0.7}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder to write into")
    parser.add_argument("--format", default="svg", help="svg, or png to look at")
    options = parser.parse_args()
    with mpl.rc_context(STYLE):
        for name, draw in DRAWINGS.items():
            path = options.to / f"{name}.{options.format}"
            metadata = {"Date": None} if options.format == "svg" else None
            draw().savefig(path, dpi=110, metadata=metadata)


def empty(width, height, xlim, ylim):
    """Return a figure with one panel that shows no axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    panel = figure.subplots()
    panel.set(xlim=xlim, ylim=ylim)
    panel.axis("off")
    return figure, panel


def bar(panel, first, last, y, height=0.6, **look):
    """Draw rows `first` to `last` of a time axis as one bar."""
    look = {"facecolor": PALE, "edgecolor": "white", "lw": 1} | look
    panel.add_patch(Rectangle((first, y - height / 2), last - first, height, **look))


def span(panel, first, last, y, text, color=INK):
    """Draw a dimension line with its name below."""
    arrow = dict(arrowstyle="<->", color=color, lw=1, shrinkA=0, shrinkB=0)
    panel.annotate("", (first, y), (last, y), arrowprops=arrow)
    middle = (first + last) / 2
    panel.text(middle, y - 0.14, text, ha="center", va="top", color=color)


def now(panel, x, low, high, text="now"):
    """Draw the last known row's end."""
    panel.plot([x, x], [low, high], color=INK, lw=1, ls=(0, (4, 3)))
    panel.text(x, high + 0.08, text, ha="center", va="bottom", color=INK)


# ---- forecasting


def season(t):
    """Return a series with a season of 8 rows and a slow rise."""
    return 0.42 * np.sin(2 * np.pi * t / 8) + 0.14 * np.sin(4 * np.pi * t / 8) + t / 60


def window_and_horizon():
    figure, panel = empty(8.2, 4.5, (-7.5, 37), (-4.9, 2.6))
    past, ahead = np.arange(24), np.arange(24, 32)
    panel.plot(past, season(past) + 0.7, "o-", color=INK, ms=3, lw=1)
    panel.plot(ahead, season(ahead) + 0.75, "o-", color=BLUE, ms=3.5, lw=1.4)
    further = np.arange(31, 37)
    panel.plot(further, season(further) + 0.75, "o:", color=BLUE, ms=3.5, lw=1, mfc="w")
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
        "static": (-0.4, 36.4, "one value for each series", "#6a9a5b"),
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
            bar(panel, 16, end, y, facecolor="#d3dfea")
            panel.text(19, y, "update", ha="center", va="center", family="monospace")
        bar(panel, end - 6, end, y, 0.6, facecolor="none", edgecolor=ORANGE, lw=1.6)
        if gap:
            bar(panel, end, end + gap, y, facecolor="w", edgecolor=GREY, hatch="////")
        first = end + gap
        bar(panel, first, first + 6, y, facecolor=BLUE, alpha=0.85)
        panel.text(
            first + 3, y, call, ha="center", va="center", color="w", family="monospace"
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
        bar(panels[1], cutoff - 2, cutoff, y, 0.7, facecolor="w", hatch="////",
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


# ---- which network

# What one wants -> what there is for it: a name, and what to set.
CHOICES = [
    ("the next values of a series", "Forecaster", "horizon=..., quantiles=..."),
    ("rows of a series that are odd", "SequenceOutlierDetector", "scored_steps=..."),
    (
        "a label or number for each sequence",
        "LSTMClassifier,\nGRURegressor, ...",
        [
            ("over 100 steps, few examples", "conv_filters=(64, 64, 64)"),
            ("hundreds of steps, what was long ago", 'cell="mingru" or timescales=...'),
            ("places that depend on each other", "TransformerClassifier"),
            ("store and look up again", 'cell="ntm"'),
        ],
    ),
    (
        "a label or number for every step",
        "LSTMClassifier,\nGRURegressor, ...",
        [
            ("always", "return_sequences=True"),
            ("the future is known too", "bidirectional=True"),
            ("labels depend on their neighbours", "crf=True"),
        ],
    ),
    (
        "a sequence of another length",
        "Seq2SeqClassifier,\nSeq2SeqRegressor",
        [("longer than in training", 'attention="location"')],
    ),
    ("more text like this", "TextGenerator", "analyzer=..."),
]


def which_network():
    heights = [1 if isinstance(more, str) else len(more) for _, _, more in CHOICES]
    n = sum(heights) + 0.55 * len(CHOICES)
    figure, panel = empty(8.6, 0.36 * n + 0.5, (0, 100), (-n - 0.1, 1.1))
    for x, title in ((0, "You want"), (36, "take"), (64, "and where it matters, set")):
        panel.text(x, 0.5, title, va="center", color=GREY)
    top = 0.0
    for (want, name, more), height in zip(CHOICES, heights, strict=True):
        middle = top - height / 2
        panel.axhspan(top - height - 0.1, top + 0.1, color=PALE, alpha=0.45, lw=0)
        panel.text(1, middle, want, va="center", weight="bold")
        look = dict(va="center", family="monospace", fontsize=8)
        panel.text(36, middle, name, color=BLUE, **look)
        rows = [("", more)] if isinstance(more, str) else more
        for i, (when, what) in enumerate(rows):
            y = top - i - 0.5
            if when:
                panel.text(64, y + 0.17, when, va="center", fontsize=6.5, color=GREY)
            panel.text(64, y - (0.2 if when else 0), what, color=ORANGE, **look)
        top -= height + 0.55
    return figure


DRAWINGS = {
    "which_network": which_network,
    "window_and_horizon": window_and_horizon,
    "carry_and_gap": carry_and_gap,
    "calibration": calibration,
    "folds": folds,
}


if __name__ == "__main__":
    main()
