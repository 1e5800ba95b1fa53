"""The drawings of the guide are those that their script makes."""

import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted((DOCS / "user_guide").glob("*.rst"))
KEPT = sorted((DOCS / "user_guide").glob("*.svg"))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawings")
    script = [sys.executable, DOCS / "_pictures" / "drawings.py", "--to", folder]
    done = subprocess.run(script, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_drawing_is_made(drawn):
    assert sorted(path.name for path in drawn.iterdir()) == [p.name for p in KEPT]


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_drawing_is_the_one_of_its_script(path, drawn):
    kept = path.read_text()
    # Another release of matplotlib writes the same lines in other words.
    if f"Matplotlib v{mpl.__version__}," in kept:
        assert (drawn / path.name).read_text() == kept
    else:
        assert (drawn / path.name).stat().st_size > 5_000


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_drawing_is_on_a_page(path):
    name = path.stem.removesuffix("-dark")
    assert any(f".. drawing:: {name}\n" in page.read_text() for page in PAGES)
