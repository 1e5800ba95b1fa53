"""What the drawings share: their colours, and the parts that they are made of."""

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

# On a light page, and what takes their place on a dark one.
INK, GREY, PALE, PAPER = "#222222", "#767676", "#e4e4e4", "#ffffff"
BLUE, ORANGE, RED, GREEN = "#1f6fb4", "#d95f02", "#b3312c", "#4f7f3f"
ON_DARK = {
    INK: "#e8e8e8",
    GREY: "#a6a6a6",
    PALE: "#3d444d",
    PAPER: "#14181e",
    BLUE: "#5aa9e6",
    ORANGE: "#ff9a4d",
    RED: "#f0746c",
    GREEN: "#8fc07f",
}
CODE = dict(family="monospace", fontsize=8, ha="center", va="center")


def empty(width, height, xlim, ylim):
    """Return a figure with one panel that shows no axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    panel = figure.subplots()
    panel.set(xlim=xlim, ylim=ylim)
    panel.axis("off")
    return figure, panel


def bar(panel, first, last, y, height=0.6, **look):
    """Draw rows `first` to `last` of a time axis as one bar."""
    look = {"facecolor": PALE, "edgecolor": PAPER, "lw": 1} | look
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


def box(panel, x, y, text="", width=0.8, height=0.6, **look):
    """Draw a box with rounded corners and text around (x, y)."""
    color = look.pop("color", INK)
    look = {"facecolor": PALE, "edgecolor": "none", "lw": 1.2} | look
    corner = x - width / 2, y - height / 2
    shape = "round,pad=0,rounding_size=0.08"
    panel.add_patch(FancyBboxPatch(corner, width, height, boxstyle=shape, **look))
    panel.text(x, y, text, ha="center", va="center", color=color)


def arrow(panel, start, end, color=GREY, **look):
    """Draw an arrow from one point to another."""
    look = dict(arrowstyle="-|>", color=color, lw=1.1, shrinkA=0, shrinkB=0) | look
    panel.annotate("", end, start, arrowprops=look)
