"""What the pages, the README and the docstrings are written in."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [
    *sorted((ROOT / "docs").glob("*.rst")),
    *sorted((ROOT / "docs/user_guide").glob("*.rst")),
    *sorted((ROOT / "docs/reference").glob("*.rst")),
    *sorted(ROOT.glob("*.md")),
]
SOURCES = [*sorted((ROOT / "skrnn").rglob("*.py")), *sorted(ROOT.glob("examples/*.py"))]
# An underlined name is a section of numpydoc, which it takes away.
SECTIONS = re.compile(r'\n\n|\n *-{4,}\n|"""\\?\n')


def in_paragraphs(text):
    """Return the first lines of paragraphs that go on into code."""
    paragraphs = SECTIONS.split(text)
    return [
        paragraph.strip().splitlines()[0]
        for paragraph in paragraphs
        if re.search(r"^ *>>> ", paragraph, re.M)
        and not re.match(r"\s*(>>> |```)", paragraph)
    ]


def test_code_stands_in_no_paragraph():
    assert in_paragraphs("Later:\n>>> import x\n") == ["Later:"]
    assert in_paragraphs("Later:\n\n>>> x\n1\n>>> y\n") == []
    found = {path.name: in_paragraphs(path.read_text()) for path in PAGES + SOURCES}
    assert not {name: lines for name, lines in found.items() if lines}
