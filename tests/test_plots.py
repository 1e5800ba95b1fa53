"""The plots and tables of results, and those of the page on getting started."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
sys.path.insert(0, str(DOCS / "_pictures"))
import result_tables  # noqa: E402
import results  # noqa: E402

PAGES = [
    DOCS / f"{name}.rst"
    for name in ("index", "quality/index", "performance/index", "getting_started")
]
ON_PAGES = "".join(page.read_text() for page in PAGES)


def n_lines(name, ratio=False):
    """Count the lines of a table that say something."""
    text = (DOCS / name).read_text()
    table = re.search(
        r"^(?:set|measured) .*\n((?:.*\n)+?)(?:Mean,|A ratio|\Z)", text, re.M
    )
    lines = [line for line in table[1].splitlines() if line.strip()]
    return (
        sum(bool(re.search(r"\dx  ", line)) for line in lines) if ratio else len(lines)
    )


@pytest.mark.parametrize("name", ["quality/output.txt", "quality/convolutions.txt"])
def test_every_line_of_scores_is_read(name):
    found = list(results.scores(name))
    assert len(found) == n_lines(name) > 5
    for row in found:
        assert row.lowest <= row.mean <= row.highest
        assert row.simple


def test_every_line_of_forecasts_is_read():
    found = list(results.forecasts())
    assert len(found) == n_lines("quality/forecasts.txt")
    assert all(row.lowest <= row.mean <= row.highest for row in found)
    first, second = found[:2]
    assert (first.name, first.score) == ("M4 Hourly, 48 ahead", "sMAPE")
    assert (second.name, second.score) == ("M4 Hourly, 48 ahead", "MASE")
    assert first.published["winner of M4"] == 9.33
    assert second.published == {"winner of M4": 0.893}


@pytest.mark.parametrize(
    "name", ["output.txt", "other_output.txt", "memory_output.txt"]
)
def test_every_ratio_is_read(name):
    found = list(results.speeds(f"performance/{name}"))
    assert len(found) == n_lines(f"performance/{name}", ratio=True) > 3
    assert all(row.lowest <= row.ratio <= row.highest for row in found)


def test_growth_is_read():
    titles, ways = zip(*results.sweeps(), strict=True)
    assert len(titles) == 4
    assert all("skrnn, LSTM" in each and len(each) == 5 for each in ways)
    assert ways[0]["skrnn, LSTM"][0][0] == 10


@pytest.mark.parametrize("name", result_tables.TABLES)
def test_a_table_has_at_most_five_columns_and_is_on_a_page(name):
    widths, *rows = result_tables.TABLES[name]()
    n_columns = len(widths.split())
    assert n_columns <= 5
    assert len(rows) > 2
    assert {len(tuple(row)) for row in rows} == {n_columns}
    assert f".. table-of:: {name}\n" in ON_PAGES


def test_every_plot_is_drawn_for_light_and_dark_and_is_on_a_page(tmp_path):
    script = [sys.executable, DOCS / "_pictures" / "plots.py", "--to", tmp_path]
    done = subprocess.run(script, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    drawn = {path.stem for path in tmp_path.iterdir()}
    names = set(re.findall(r"\.\. plot-of:: (\w+)\n", ON_PAGES))
    assert drawn == {f"{name}_{theme}" for name in names for theme in ("light", "dark")}
    assert min(path.stat().st_size for path in tmp_path.iterdir()) > 5_000
