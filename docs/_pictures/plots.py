"""Plots of the documentation: results of benchmarks, and what first code computes.

python docs/_pictures/plots.py --to DIR    # light and dark

The documentation draws its own when it is built.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
from first_plots import first_forecast, first_page, first_search
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from results import forecasts, scores, speeds, sweeps

FOLDER = Path(__file__).parents[1] / "_build" / "plots"
# Seven hundred pixels: as wide as a page's column on a laptop.
WIDTH = 7.3
STYLE = {"font.size": 9, "svg.hashsalt": "skrnn", "axes.facecolor": "none"}
INKS = "ink", "grey", "pale", "blue", "orange", "green", "red", "page"
LIGHT = "#222832 #8a8f98 #e3e6ea #1f6fb4 #d95f02 #3d8b57 #b3312c #ffffff"
DARK = "#dfe3e8 #8d949e #3a4049 #6cb4ee #ff9d52 #7fc998 #ff8078 #14181e"
COLOURS = {
    "light": dict(zip(INKS, LIGHT.split(), strict=True)),
    "dark": dict(zip(INKS, DARK.split(), strict=True)),
}


def rows_panel(labels, *, colours, xlabel, scale="linear", per_row=0.29):
    """Return a figure, and a panel with one row for each label."""
    height = per_row * len(labels) + 1.0
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    panel = figure.subplots()
    panel.set_yticks(range(len(labels)), labels)
    panel.set_ylim(len(labels) - 0.4, -0.6)
    panel.set_xscale(scale)
    panel.set_xlabel(xlabel)
    panel.hlines(range(len(labels)), 0, 1, transform=panel.get_yaxis_transform(),
                 color=colours["pale"], lw=0.8, zorder=0)  # fmt: skip
    panel.tick_params(axis="y", length=0)
    panel.spines[["top", "right", "left"]].set_visible(False)
    return figure, panel


# The networks come first in a legend, and what they are held against last.
LAST = "best simple model", "published", "best published", "naive forecast"


def legend(figure, panel, ncols=5):
    """Name each kind of mark once."""
    handles, labels = panel.get_legend_handles_labels()
    found = dict(zip(labels, handles, strict=True))
    names = sorted(found, key=lambda name: LAST.index(name) + 1 if name in LAST else 0)
    figure.legend(
        [found[name] for name in names], names, loc="outside upper left", ncols=ncols,
        frameon=False, handletextpad=0.2, columnspacing=1.2, borderpad=0.1,
    )  # fmt: skip


def spread(panel, y, row, colour, marker="o", label=None, value="mean"):
    """Draw a middle value, and a line from the lowest to the highest."""
    panel.plot([row.lowest, row.highest], [y, y], color=colour, lw=1.6, alpha=0.6)
    look = dict(color=colour, marker=marker, ms=5.5, ls="", label=label, zorder=3)
    panel.plot(getattr(row, value), y, **look)


# ---- quality


def networks_beside_others(rows, colours, xlabel, xlim, best=max):
    """Draw each set: the networks, the best simple model, the best published result."""
    names = list(dict.fromkeys(row.name for _, row in rows))
    figure, panel = rows_panel(names, colours=colours, xlabel=xlabel)
    looks = {
        "LSTM": (colours["blue"], "o", -0.22),
        "GRU": (colours["orange"], "o", 0.0),
        "GRU behind convolutions": (colours["green"], "D", 0.22),
    }
    is_alone = len({kind for kind, _ in rows}) == 1
    for kind, row in rows:
        y, (colour, marker, shift) = names.index(row.name), looks[kind]
        spread(panel, y + (0 if is_alone else shift), row, colour, marker, kind)
    simple = dict(color=colours["grey"], marker="|", ms=12, mew=2.5, ls="", zorder=2)
    papers = dict(mfc="none", mec=colours["ink"], marker="s", ms=6, ls="")
    for y, name in enumerate(names):
        of_set = [row for _, row in rows if row.name == name]
        models = [value for row in of_set for value in row.simple.values()]
        panel.plot(best(models), y, label="best simple model", **simple)
        results = [value for row in of_set for value in row.published.values()]
        if results:
            panel.plot(best(results), y, label="published", **papers)
    panel.set_xlim(*xlim)
    legend(figure, panel)
    return figure


def scores_labels(colours):
    rows = [(s.cell, s) for s in scores() if s.score == "accuracy %"]
    rows += [("GRU behind convolutions", s) for s in scores("quality/convolutions.txt")]
    for part in (", convolutions", ", ragged"):
        rows = [(kind, without(row, part)) for kind, row in rows]
    return networks_beside_others(rows, colours, "accuracy in %", (45, 101.5))


def without(row, text):
    """Leave a part out of the name of a row."""
    return replace(row, name=row.name.replace(text, ""))


def scores_steps(colours):
    rows = [(s.cell, s) for s in scores() if s.score == "span F1 %"]
    rows.sort(key=lambda pair: pair[1].name)
    return networks_beside_others(rows, colours, "F1 score of spans in %", (57, 101))


def scores_pairs(colours):
    rows = [(s.cell, s) for s in scores() if s.score == "word errors %"]
    xlabel = "wrong words in %; less is better"
    return networks_beside_others(rows, colours, xlabel, (0, 100), best=min)


def scores_exact(colours):
    rows = [(s.cell, s) for s in scores() if s.score == "exact %"]
    return networks_beside_others(rows, colours, "answers wholly right in %", (-3, 103))


def scores_forecasts(colours):
    """Draw errors as shares of a naive forecast's."""
    rows = [row for row in forecasts() if row.score != "ratio"]
    names = [f"{row.name}: {row.score}" for row in rows]
    xlabel = "error, divided by that of the naive forecast; less is better"
    figure, panel = rows_panel(names, colours=colours, xlabel=xlabel, scale="log")
    papers = dict(mfc="none", mec=colours["ink"], marker="s", ms=6, ls="")
    beside = dict(textcoords="offset points", va="center", color=colours["grey"])
    for y, row in enumerate(rows):
        naive = row.simple["naive"]
        shares = {k: getattr(row, k) / naive for k in ("mean", "lowest", "highest")}
        share = replace(row, **shares)
        spread(panel, y, share, colours["blue"], label="Forecaster()")
        if row.published:
            name, value = min(row.published.items(), key=lambda pair: pair[1])
            panel.plot(value / naive, y, label="best published", **papers)
            right = max(value / naive, share.mean), y
            panel.annotate(name, right, (7, 0), fontsize=8, **beside)
    panel.axvline(1, color=colours["grey"], lw=1.2, ls="--", label="naive forecast")
    panel.set_xlim(0.22, 5)
    plain_ticks(panel, (0.25, 0.5, 0.75, 1, 2, 4))
    legend(figure, panel)
    return figure


def plain_ticks(panel, ticks, unit=""):
    panel.set_xticks(ticks)
    panel.minorticks_off()
    panel.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,g}{unit}"))


# ---- performance

OTHERS = {
    "Keras on TensorFlow": ("blue", "o"),
    "Keras on JAX": ("green", "D"),
    "scikeras": ("red", "^"),
    "PyTorch": ("orange", "s"),
    "textbook loop, Keras": ("grey", "v"),
}


def ratios(rows, colours, ticks, per_row=0.29):
    """Draw how many times as long the others take, one row a case."""
    names = list(dict.fromkeys(row.name for row in rows))
    options = dict(xlabel="times as fast as the other", scale="log", per_row=per_row)
    figure, panel = rows_panel(names, colours=colours, **options)
    for row in rows:
        library = library_of(row)
        colour, marker = OTHERS[library]
        place = names.index(row.name)
        spread(panel, place, row, colours[colour], marker, library, "ratio")
    panel.axvline(1, color=colours["ink"], lw=1)
    plain_ticks(panel, ticks, "x")
    legend(figure, panel)
    return figure


def library_of(row):
    """Return the name of what is compared, without its number of threads."""
    return next((name for name in OTHERS if row.against.startswith(name)), None)


def speed_steps(colours):
    kinds = "step, LSTM", "step, GRU", "step, RNN"
    rows = [row for row in speeds() if row.name.startswith(kinds) and library_of(row)]
    rows = [without(row, "step, ") for row in rows]
    return ratios(rows, colours, (1, 2, 3, 5, 10, 20))


def speed_networks(colours):
    rows = [row for row in speeds() if row.name.startswith("network, ")]
    rows = sorted((without(r, "network, ") for r in rows), key=lambda r: -r.ratio)
    return ratios(rows, colours, (0.5, 1, 2, 5, 10, 20, 50), 0.2)


def speed_others(colours):
    kinds = "step, convolutions", "step, tagger", "step, Transformer", "predict"
    rows = [row for row in speeds() if row.name.startswith(kinds) and library_of(row)]
    rows = [without(row, "step, ") for row in rows]
    return ratios(rows, colours, (0.5, 1, 2, 5, 10, 100, 500))


def speed_tasks(colours):
    kinds = "grid", "first fit", "a script", "a character", "a word's labels, "
    found = speeds("performance/other_output.txt")
    rows = [row for row in found if row.name.startswith(kinds)]
    return ratios(rows, colours, (1, 10, 100, 1_000, 10_000))


def growth(colours):
    """Draw cost against size, one panel a size."""
    figure = Figure(figsize=(WIDTH, 6.2), layout="constrained")
    panels = figure.subplots(2, 2).ravel()
    for panel, (title, ways) in zip(panels, sweeps(), strict=True):
        for way, points in ways.items():
            library, cell = way.split(", ")
            colour, dashes = {
                "skrnn": ({"LSTM": "red", "GRU": "orange", "RNN": "green"}[cell], "-"),
                "Keras on TensorFlow": ("grey", "--"),
                "PyTorch": ("blue", ":"),
            }[library]
            panel.loglog(*zip(*points, strict=True), color=colours[colour], ls=dashes,
                         marker="o", ms=3.5, label=way)  # fmt: skip
        cost, _, size = title.partition(" against ")
        unit = {"ms": "milliseconds", "s": "seconds"}[cost.split()[0]]
        panel.set(xlabel=size, ylabel=f"{unit} {cost.split(' ', 1)[1]}")
        panel.grid(color=colours["pale"], lw=0.7)
        panel.spines[["top", "right"]].set_visible(False)
    legend(figure, panels[0], ncols=3)
    return figure


PLOTS = {
    plot.__name__: plot
    for plot in (
        scores_labels,
        scores_steps,
        scores_pairs,
        scores_exact,
        scores_forecasts,
        speed_steps,
        speed_networks,
        speed_others,
        speed_tasks,
        growth,
        first_page,
        first_search,
        first_forecast,
    )
}


# ---- all of them


def draw_all(folder=FOLDER, kind="svg"):
    """Write each plot twice, for light and for dark pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for theme, colours in COLOURS.items():
        page = "none" if kind == "svg" else colours["page"]
        ink = dict.fromkeys(
            ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color",
             "ytick.color"), colours["ink"],
        )  # fmt: skip
        with mpl.rc_context(STYLE | ink):
            for name, plot in PLOTS.items():
                path = folder / f"{name}_{theme}.{kind}"
                plot(colours).savefig(path, facecolor=page, dpi=96)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder to write into")
    parser.add_argument("--format", default="svg", help="svg, or png to look at")
    options = parser.parse_args()
    draw_all(options.to, options.format)
