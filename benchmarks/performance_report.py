"""The report of `performance.py`: ratios and targets."""

import math
import operator
import statistics
import textwrap
from dataclasses import dataclass
from typing import Any

import performance_growth
from performance_groups import Case

# Column -> how it is aligned.
COLUMNS = {
    "measured": "<46",
    "ours": ">9",
    "against": "<35",
    "theirs": ">9",
    "ratio": ">8",
    "lowest": ">8",
    "highest": ">8",
    "target": ">8",
    "verdict": "<7",
    "rounds": ">6",
}


@dataclass(frozen=True)
class Kind:
    """How two values are compared, and what a target bounds."""

    compare: Any
    reaches: Any
    sign: str
    unit: str


KINDS = {
    "faster": Kind(lambda ours, theirs: theirs / ours, operator.ge, ">=", "x"),
    "within": Kind(lambda ours, theirs: ours / theirs, operator.le, "<=", "x"),
    "more": Kind(lambda ours, theirs: ours - theirs, operator.le, "<=", " ms"),
}
# What isn't compared as its case says: training can't do without its products.
KIND_AGAINST = {"matrix products": "within"}

# (start of a case's name, contender) -> the target.
TARGETS = {
    ("step, LSTM, T=30", "Keras on TensorFlow"): 7,
    ("step, GRU, T=30", "Keras on TensorFlow"): 8,
    ("step, RNN, T=30", "Keras on TensorFlow"): 15,
    ("step, convolutions, T=30", "Keras on TensorFlow"): 3,
    ("step, Transformer, T=20", "Keras on TensorFlow"): 3,
    ("step, Transformer, T=50", "Keras on TensorFlow"): 3,
    ("step, minGRU, T=1,000", "our GRU"): 3,
    ("step, ", "PyTorch"): 1,
    ("step, ", "matrix products"): 1.25,
    ("worst network", "Keras on TensorFlow"): 1.5,
    ("median network", "Keras on TensorFlow"): 6,
    ("grid of 30 fits", "scikeras"): 11,
    ("grid of 30 fits", "scikeras, n_jobs=2"): 18,
    ("long grid, processor time", "n_jobs=1"): 1.2,
    ("long grid", "n_jobs=1"): 1.6,
    ("first fit", "Keras on TensorFlow"): 2,
    ("predict, 1 of", "PyTorch"): 1,
    ("predict, 1 of", "Keras on TensorFlow"): 100,
    ("predict, 10,000 of", "Keras on TensorFlow"): 5,
    ("a script", "scikeras"): 3,
    ("a character", "textbook loop, Keras"): 500,
    ("a word's labels, LSTM", "textbook loop, Keras"): 200,
    ("a word's labels by beam search", "greedy"): 6,
    ("memory of fit, 10,000,000 rows", "the series"): 3,
    ("memory of predict, 10,000,000 rows", "the series"): 2.1,
    ("import", "sklearn"): 50,
    ("memory of fits", "after fit 20"): 1.05,
}
# (start of a case's name, contender) -> why a target isn't reached.
REASONS = {
    ("step, ", "Keras on TensorFlow"): (
        "Keras' time differs between rounds and between runs, and the target is of a "
        "run in which it was slow. Ours takes less time than NumPy's matrix products "
        "of such a step alone."
    ),
}

NOTES = """\
A ratio is how many times faster than the other, where the target is >=; where it is <=,
how many times the other's value, for `import` the difference in ms. It is taken in each
round; the median of the rounds, the lowest and the highest are shown. Lines without a
target are there to compare. PyTorch, skorch and the matrix products run with the number
of threads, 1 or 2, that is faster. A step is what one epoch more of the library's own
`fit` costs, or for PyTorch of a plain loop, divided by its batches: 8 features, Adam.
Ours clips gradients too, the others don't. A network is an LSTM of 50 units on batches
of 32 but for what its line says, against Keras' `fit` of `model_`. A grid is 6 learning
rates by 5 folds of 1,056 windows with an LSTM of 50 units, T=30, 10 epochs; the long
one has 120. The script fits such a network, predicts and searches among two learning
rates, in a process of its own. Textbooks' loops call Keras' `predict` for each
character of a text, with a window of 40, or each label of a word of 4 to 14, with a
state and without attention. The memory of windows is that of the series, of the windows
and of what is done with them; the array that `predict` returns isn't counted."""


def write(found, folder):
    """Print the report, and write it into `folder`; the documentation draws it."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join(report(found))
    print(text)
    (folder / "output.txt").write_text(text + "\n")


def as_cases(group):
    return [Case(**case) for case in group["cases"]]


def report(found):
    """Yield the report, line by line."""
    yield from sorted({group["machine"] for group in found})
    for versions in {tuple(group["versions"].items()): 0 for group in found}:
        yield ", ".join(f"{name} {number}" for name, number in versions)
    yield "\n" + aligned({name: name for name in COLUMNS})
    missed = []
    for group in found:
        if group["group"] != "growth":
            for case in as_cases(group):
                yield from lines(case)
                missed += reasons(case)
            yield ""
    yield NOTES
    yield "\nMissed:" if missed else "\nEvery target is reached."
    for line in missed:
        yield textwrap.fill(line, 88, initial_indent="    ", subsequent_indent="    ")
    for group in found:
        if group["group"] == "growth":
            yield from performance_growth.table(as_cases(group))
    loads = ", ".join(f"{g['group']} {g['load']:.1f}" for g in found)
    minutes = sum(group["seconds"] for group in found) / 60
    yield f"\nMeasured in {minutes:.0f} min. Load of the machine before each: {loads}"


def lines(case):
    """Yield a line for each contender of a case."""
    for row in compared(case):
        yield aligned(row)


def reasons(case):
    for row in compared(case):
        if row.get("verdict") == "missed":
            why = known(REASONS, case, row["against"]) or "for a reason not yet known"
            yield f"{case.name} against {row['against']}: {why}"


def compared(case):
    """Yield the cells of each line."""
    (_, ours), *others = case.ways.items()
    if not others:
        yield {"measured": case.name, "ours": amount(ours, case.unit)}
    for way, theirs in others:
        row = {"measured": case.name, "against": way}
        if ours is None or theirs is None:
            yield row | {"verdict": "not installed"}
            continue
        row |= {"ours": amount(ours, case.unit), "theirs": amount(theirs, case.unit)}
        yield row | {"rounds": len(ours)} | judged(case, way, ours, theirs)


def judged(case, way, ours, theirs):
    kind = KINDS[KIND_AGAINST.get(base(way), case.kind)]
    ratios = [kind.compare(*pair) for pair in zip(ours, theirs, strict=True)]
    middle = statistics.median(ratios)
    shown = {"ratio": middle, "lowest": min(ratios), "highest": max(ratios)}
    row = {name: number(value) + kind.unit for name, value in shown.items()}
    target = known(TARGETS, case, way)
    if target is None:
        return row
    verdict = "met" if kind.reaches(middle, target) else "missed"
    return row | {"target": f"{kind.sign} {target:g}{kind.unit}", "verdict": verdict}


def known(table, case, way):
    """Return what a table has for a case and a contender, with any thread count."""
    for (start, name), value in table.items():
        if case.name.startswith(start) and name in (way, base(way)):
            return value
    return None


def base(way):
    """Leave the number of threads out of a contender's name."""
    return way.partition(", 1 thread")[0].partition(", 2 threads")[0]


def amount(values, unit):
    return f"{number(statistics.median(values))} {unit}"


def number(value):
    """Write three digits that count, never as a power of ten."""
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value) or 1)))}f}"


def aligned(row):
    cells = (f"{row.get(name, ''):{to}}" for name, to in COLUMNS.items())
    return "  ".join(cells).rstrip()
