"""What all displays share: axes, colours, legends, styles, and their descriptions."""

import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

# Of lines of data, of what is written and marked, and of grids.
INK, GREY, LIGHT = "#2b2b2b", "#757575", "#e3e3e3"
# Colours that colour-blind people tell apart: M. Okabe and K. Ito, "Color
# universal design", 2008.
BLUE, ORANGE, SKY = "#0072b2", "#d55e00", "#56b4e9"
# More of theirs, for several lines.
PALETTE = (BLUE, ORANGE, "#009e73", "#cc79a7", SKY, "#e69f00", INK)
SMALL = 8.5
# Inches that ticks and their title need below axes.
_OF_TICKS = 0.52

M = TypeVar("M", bound=Callable[..., Any])


def need_matplotlib(caller: str) -> None:
    """Raise an ImportError that says what to install, if matplotlib isn't there."""
    try:
        import matplotlib  # noqa: F401, PLC0415
    except ImportError as error:
        raise ImportError(
            f'{caller} needs matplotlib: pip install "skrnn[plot]"'
        ) from error


def axes_for(
    ax: Any, n: int, *, size, n_columns: int, widths=None, heights=None
) -> np.ndarray:
    """Return `n` axes (n,): those of the user, parts of the user's, or new ones.

    Parameters
    ----------
    ax : Axes, sequence of Axes, or None
        One of them is divided if several are needed.
    size : tuple of float
        Width and height of a new figure, in inches.
    widths : list of float, default=None
        Shares of the columns.
    heights : list of float, default=None
        Shares of the rows.
    """
    import matplotlib.pyplot as plt  # noqa: PLC0415

    n_rows = -(-n // n_columns)
    shares = {"width_ratios": widths, "height_ratios": heights}
    if ax is None:
        figure = plt.figure(figsize=size, layout="constrained")
        grid = figure.add_gridspec(n_rows, n_columns, **shares)
        return _parts(figure, grid, n, n_columns)
    given = _checked(ax)
    if len(given) == n:
        return given
    if len(given) > 1:
        raise ValueError(f"ax must be {n} Axes, one Axes or None. Got {len(given)}.")
    whole = given[0].get_subplotspec()
    if whole is None:
        raise ValueError(
            f"ax can't be divided into {n} parts: it is no part of a grid. Make it "
            "with plt.subplots, or pass None."
        )
    given[0].set_axis_off()
    grid = whole.subgridspec(n_rows, n_columns, **shares)
    return _parts(given[0].figure, grid, n, n_columns)


def _parts(figure, grid, n, n_columns):
    places = [divmod(i, n_columns) for i in range(n)]
    return np.array([figure.add_subplot(grid[place]) for place in places], dtype=object)


def _checked(ax):
    """Return the user's axes as an array; raise a TypeError if they aren't axes."""
    from matplotlib.axes import Axes  # noqa: PLC0415

    is_one = isinstance(ax, Axes) or not isinstance(ax, Sequence | np.ndarray)
    given = [ax] if is_one else list(np.ravel(np.array(ax, dtype=object)))
    wrong = [each for each in given if not isinstance(each, Axes)]
    if wrong or not given:
        found = type(wrong[0] if wrong else ax).__name__
        raise TypeError(f"ax must be Axes of matplotlib or None. Got {found}.")
    return np.array(given, dtype=object)


def style(artist: str, defaults: dict, given: dict | None) -> dict:
    """Return the style of an artist: what the user gave, and else the defaults.

    Parameters
    ----------
    artist : {"line", "area"}
        What is drawn.
    """
    from matplotlib.cbook import normalize_kwargs  # noqa: PLC0415
    from matplotlib.collections import PolyCollection  # noqa: PLC0415
    from matplotlib.lines import Line2D  # noqa: PLC0415

    kind = {"line": Line2D, "area": PolyCollection}[artist]
    wanted = normalize_kwargs(given or {}, kind)
    if artist == "area" and "color" in wanted:
        wanted["facecolor"] = wanted.pop("color")
    return defaults | wanted


def described(rows: dict[str, str]) -> Callable[[M], M]:
    """Fill in parameters that several methods share, where a docstring has ``{name}``.

    Parameters
    ----------
    rows : dict of str to str
        Name -> what a docstring says of it: its line of types, and below it, indented,
        its description.
    """
    named = {f"{{{name}}}": text for name, text in rows.items()}

    def fill(method: M) -> M:
        lines = inspect.cleandoc(method.__doc__ or "").splitlines()
        method.__doc__ = "\n".join(named.get(line, line) for line in lines) + "\n"
        return method

    return fill


def tidy(ax: Any) -> None:
    """Leave of the frame what is read: two sides, small ticks, lines to read y by."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(GREY)
    ax.tick_params(labelsize=SMALL, color=GREY)
    ax.xaxis.get_offset_text().set_fontsize(SMALL)
    ax.grid(axis="y", color=LIGHT, linewidth=0.7)
    ax.set_axisbelow(True)


def title(ax: Any, text: str) -> None:
    """Write what the axes show above them, at the left."""
    ax.set_title(text, loc="left", fontsize=SMALL + 0.5, color=INK)


def legend(place: Any, labelled: dict[str, Any], **options: Any) -> None:
    """Add a legend without a border to axes or a figure, of artists by their labels.

    Several artists that share a label are a tuple.
    """
    from matplotlib.legend_handler import HandlerTuple  # noqa: PLC0415

    if not labelled:
        return
    made = place.legend(
        labelled.values(), labelled.keys(), fontsize=SMALL, labelcolor=INK,
        facecolor="white", edgecolor="none", framealpha=0.9, handlelength=1.4,
        handletextpad=0.5, columnspacing=1.2, borderaxespad=0.2, borderpad=0.3,
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0.2)}, **options,
    )  # fmt: skip
    made.set_zorder(6)


def paragraphs(ax: Any, parts: Sequence[tuple[str, str]]) -> Any:
    """Write texts below axes and what names their steps, each in its colour.

    Parameters
    ----------
    parts : list of tuple
        Lines of text, as `wrapped` returns them, and their colour.
    """
    from matplotlib.offsetbox import AnchoredOffsetbox, TextArea, VPacker  # noqa: PLC0415
    from matplotlib.transforms import ScaledTranslation  # noqa: PLC0415

    options = dict(fontsize=SMALL, linespacing=1.3)
    boxes: list[Any] = [
        TextArea(text, textprops=dict(color=c, **options)) for text, c in parts
    ]
    below = ScaledTranslation(0, -_OF_TICKS, ax.figure.dpi_scale_trans)
    made = AnchoredOffsetbox(
        "upper left", child=VPacker(children=boxes, pad=0, sep=6), pad=0, borderpad=0,
        frameon=False, bbox_to_anchor=(0, 0), bbox_transform=ax.transAxes + below,
    )  # fmt: skip
    ax.add_artist(made)
    if ax.figure.get_layout_engine() is None:
        _make_room(ax, made)
    return made


def _make_room(ax, text):
    """Let axes end above a text below them, where no layout does it."""
    whole, dpi = ax.figure.bbox.height, ax.figure.dpi
    now = ax.get_position()
    height, of_ticks = text.get_window_extent().height / whole, _OF_TICKS * dpi / whole
    others = [each.get_position().y1 for each in ax.figure.axes if each is not ax]
    below = max((y for y in others if y <= now.y0), default=0)
    # As far down as their ticks were, but not over others or out of the figure.
    end = max(now.y0 - of_ticks, below + 0.04 * dpi / whole)
    # Something must be left to look at.
    start = min(end + height + of_ticks, now.y1 - 0.2 * now.height)
    ax.set_position((now.x0, start, now.width, now.y1 - start))


def wrapped(text: str, width: float) -> str:
    """Return a text in lines of so many inches."""
    # A character is about half as wide as the text is high.
    return "\n".join(textwrap.wrap(text, max(30, int(width * 72 / (0.47 * SMALL)))))


def heat_map(
    ax: Any,
    values: np.ndarray,
    *,
    kind: str,
    label: str = "",
    first_row: int = 1,
    **options: Any,
) -> Any:
    """Draw a matrix whose columns are steps from 1 on, and a bar of its colours.

    The bar stands beside the axes and takes no room of theirs, so that axes above each
    other keep a common axis of time.

    Parameters
    ----------
    values : ndarray of shape (rows, columns)
    kind : {"signed", "gate", "amount"}
        Numbers around 0; numbers from 0 to 1; numbers from 0 on.
    label : str
        Of the bar.
    first_row : int, default=1
        The number of the first row.
    """
    finite = values[np.isfinite(values)]
    largest = float(np.abs(finite).max(initial=0)) or 1.0
    limits = {"signed": (-largest, largest), "gate": (0, 1), "amount": (0, largest)}
    colors = {"signed": "RdBu_r", "gate": "viridis", "amount": "Blues"}
    low, high = limits[kind]
    (m, n), top = values.shape, first_row - 0.5
    defaults = dict(
        cmap=colors[kind], vmin=low, vmax=high, aspect="auto", interpolation="nearest",
        extent=(0.5, n + 0.5, top + m, top),
    )  # fmt: skip
    image = ax.imshow(values, **defaults | options)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.tick_params(labelsize=SMALL, color=GREY, length=2.5)
    bar = ax.figure.colorbar(image, cax=ax.inset_axes((1.012, 0, 0.014, 1)))
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=SMALL - 1, length=2, color=GREY)
    bar.ax.locator_params(nbins=3)
    if label:
        bar.set_label(label, fontsize=SMALL, color=INK)
    return image


def set_labels(axis: Any, labels: Sequence[str] | None, n: int, title: str) -> None:
    """Name the n places of an axis: by labels, or by numbers from 1 and a title."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    is_x = axis.axis_name == "x"
    if labels is None:
        axis.set_major_locator(
            MaxNLocator("auto", integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
        )
        axis.set_label_text(title, fontsize=SMALL + 0.5)
        return
    longest = max(map(len, labels), default=0)
    rotation = 90 if is_x and longest > 2 and n * longest > 60 else 0
    axis.set_ticks(range(1, n + 1), labels)
    axis.set_tick_params(length=0, labelsize=SMALL, labelrotation=rotation)
