"""The tables that benchmarks print, as rows with names."""

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[1]
NUMBER = r"\.?\d[\d.,]*(?:e-?\d+)?"
# "winner of M4 9.33 / .893 (someone)": a name, a value, and that of a second score.
NAMED = re.compile(rf"^(.+?) ({NUMBER})\*?(?: / ({NUMBER}))?(?: \(.*\))?$")


@dataclass(frozen=True)
class Score:
    """One network on one set, or one score of a forecaster.

    Attributes
    ----------
    simple, published : dict of str to float
        Simple models on the same split, and results from papers.
    """

    name: str
    score: str
    cell: str
    mean: float
    lowest: float
    highest: float
    target: str
    simple: dict
    published: dict


@dataclass(frozen=True)
class Speed:
    """One comparison: a ratio is how many times as long the other takes."""

    name: str
    ours: str
    against: str
    theirs: str
    ratio: float
    lowest: float
    highest: float


def named(text, which=0):
    """Read "1-NN 96.5, logistic 99.2*": {name: value}."""
    text = re.sub(r" \[\d+\]$", "", text)
    found = (NAMED.match(part) for part in text.split(", "))
    pairs = {match[1]: match[2 + which] for match in found if match}
    return {name: number(value) for name, value in pairs.items() if value}


def number(text):
    return float(text.replace(",", ""))


def cells_of(name):
    """Yield the cells of each line of a file's first table."""
    lines = (DOCS / name).read_text().splitlines()
    start = next(
        i for i, line in enumerate(lines) if re.match(r"(set|measured) ", line)
    )
    for line in lines[start + 1 :]:
        if line.startswith(("Mean,", "A ratio")):
            return
        if line.strip():
            yield re.split(r"\s{2,}", line.rstrip())


def numbers_first(cells):
    """Return the numbers that a list of cells begins with, and the other cells."""
    n = next(
        (i for i, c in enumerate(cells) if not re.fullmatch(NUMBER, c)), len(cells)
    )
    return cells[:n], cells[n:]


def scores(name="quality/output.txt"):
    """Yield the lines of `benchmarks/quality.py`."""
    for title, score, cell, *rest in cells_of(name):
        values, texts = numbers_first(rest)
        target = ""
        if texts[0] in ("met", "missed"):
            target = f"{values[3]} {texts[0]}"
            texts = texts[2:]
        published = texts[1] if len(texts) > 1 else ""
        summary = (number(value) for value in values[:3])
        simple = named(texts[0])
        yield Score(title, score, cell, *summary, target, simple, named(published))


def forecasts(name="quality/forecasts.txt"):
    """Yield the lines of `benchmarks/quality_forecasts.py`."""
    title = papers = ""
    for first, score, *rest in cells_of(name):
        values, texts = numbers_first(rest)
        title, is_second = first or title, not first
        is_judged = bool(texts) and texts[0] in ("met", "missed")
        target = f"{values[3]} {texts[0]}" if is_judged else ""
        if not is_second:
            papers = texts[2] if len(texts) > 2 else ""
        mean, lowest, highest = map(number, values[:3])
        simple = {"naive": number(values[3 + is_judged])}
        published = named(papers, int(is_second))
        yield Score(title, score, "", mean, lowest, highest, target, simple, published)


def speeds(name="performance/output.txt"):
    """Yield the lines of `benchmarks/performance.py` that compare two times."""
    for cells in cells_of(name):
        if len(cells) < 7 or not cells[4].endswith("x"):
            continue
        ratios = (number(cell.rstrip("x")) for cell in cells[4:7])
        yield Speed(*cells[:4], *ratios)


def sweeps(name="performance/output.txt"):
    """Yield each table of growth: its title, and {way: [(value, cost), ...]}."""
    text = (DOCS / name).read_text()
    for title, table in re.findall(
        r"\n(.+) against (?=.*exponents)(.+(?:\n.+)+)", text
    ):
        header, values, *lines = table.splitlines()
        at = [number(cell) for cell in re.findall(r"[\d,]+", values)]
        ways = {}
        for line in lines:
            way, *costs = re.split(r"\s{2,}", line)
            pairs = zip(at, costs, strict=False)
            ways[way] = [(x, number(cost)) for x, cost in pairs if cost != "-"]
        yield f"{title} against {header.partition(';')[0]}", ways
