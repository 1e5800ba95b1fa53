"""The drawings of the guide: each for a light page, and for a dark one.

python docs/_pictures/drawings.py            # writes them into docs/user_guide
python docs/_pictures/drawings.py --to DIR   # or elsewhere
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import network_drawings as networks
import series_drawings as series
from drawing import INK, ON_DARK

FOLDER = Path(__file__).parents[1] / "user_guide"
# Text as shapes, so that it looks alike everywhere; the same file each time.
STYLE = {
    "font.size": 9,
    "hatch.linewidth": 0.7,
    "svg.hashsalt": "skrnn",
    "text.color": INK,
    "axes.titlecolor": INK,
}
DRAWINGS = {
    draw.__name__: draw
    for draw in (
        networks.which_network,
        networks.way_of_data,
        networks.many_to_one,
        networks.padding_and_masks,
        networks.loss_curve,
        networks.attention,
        series.rows_to_windows,
        series.pad_and_carry,
        series.window_and_horizon,
        series.carry_and_gap,
        series.calibration,
        series.folds,
    )
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder to write into")
    parser.add_argument("--only", nargs="+", choices=DRAWINGS, default=[*DRAWINGS])
    options = parser.parse_args()
    for name in options.only:
        light = options.to / f"{name}.svg"
        with mpl.rc_context(STYLE):
            DRAWINGS[name]().savefig(light, metadata={"Date": None}, transparent=True)
        light.with_name(f"{name}-dark.svg").write_text(dark(light.read_text()))


def dark(text):
    """Return a drawing in the colours of a dark page."""
    for color, other in ON_DARK.items():
        text = text.replace(color, other)
    return text


if __name__ == "__main__":
    main()
