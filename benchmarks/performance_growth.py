"""How the cost of training grows, for `performance.py`: costs and exponents."""

from dataclasses import asdict, dataclass

import numpy as np
from performance_groups import CELLS, Case, Contest, in_units
from performance_ways import Problem


@dataclass(frozen=True)
class Sweep:
    """What changes, its values, and what is measured with what it is held against.

    Attributes
    ----------
    at_most : int
        Peers stop at this value: beyond it they need minutes.
    """

    name: str
    field: str
    values: tuple
    label: str
    fixed: dict
    at_most: float = np.inf
    per_epoch: bool = False


SWEEPS = [
    Sweep("T", "steps", (10, 30, 100, 300, 1000), "steps of a sequence, T", {}),
    Sweep("units", "units", (8, 16, 32, 64, 128, 256, 512), "units", {}),
    Sweep("batch", "batch", (1, 4, 16, 64, 256, 1024), "sequences of a batch", {}),
    Sweep(
        "rows",
        "batches",
        (1, 10, 100, 1000, 10_000),
        "rows",
        {"batch": 1000, "steps": 10, "units": 8, "features": 1, "windows": True},
        at_most=100,
        per_epoch=True,
    ),
]
# An epoch of this many multiplications is long enough to measure, and these seconds:
# there are many points.
WORK = 12 * 30 * 32 * 50 * 50
SECONDS = 0.1
PEERS = ["skrnn", "Keras on TensorFlow", "PyTorch"]


def growth(rounds, seconds):
    """Yield a case for each point of each sweep; only LSTMs are compared with peers."""
    seconds = min(seconds, SECONDS)
    with Contest(PEERS, rounds) as all_, Contest(["skrnn"], rounds) as ours:
        for cell in CELLS:
            for sweep in SWEEPS:
                for value in sweep.values:
                    compared = cell == "lstm" and value <= sweep.at_most
                    contest = all_ if compared else ours
                    yield measure(contest, sweep, cell, value, seconds)


def measure(contest, sweep, cell, value, seconds):
    problem = Problem(**{"cell": cell} | sweep.fixed | {sweep.field: value})
    if not sweep.per_epoch:
        size = problem.steps * problem.batch * problem.units**2
        batches = int(np.clip(WORK / size, 4, 100))
        problem = Problem(**asdict(problem) | {"batches": batches})
    found = contest.measure("step", problem=asdict(problem), seconds=seconds)
    factor = problem.batches if sweep.per_epoch else 1e3
    at = problem.rows if sweep.per_epoch else value
    name = f"growth, {cell.upper()}, {sweep.name}={at}"
    return Case(name, in_units(found, factor), unit="s" if sweep.per_epoch else "ms")


def curves(cases):
    """Return {sweep: {way: [(value, median, lowest, highest), ...]}}."""
    found = {}
    for case in cases:
        _, cell, point = case.name.split(", ")
        sweep, value = point.split("=")
        for way, values in case.ways.items():
            if values:
                name = f"{way.partition(',')[0]}, {cell}"
                row = int(value), np.median(values), min(values), max(values)
                found.setdefault(sweep, {}).setdefault(name, []).append(row)
    return found


def exponent(points):
    """Return the slope of a line through the logarithms."""
    x, y = np.log([point[:2] for point in points]).T
    return float(np.polyfit(x, y, 1)[0])


def table(cases):
    """Yield lines: the cost at each value, and the fitted exponents."""
    for name, ways in curves(cases).items():
        sweep = next(sweep for sweep in SWEEPS if sweep.name == name)
        unit = "s an epoch" if sweep.per_epoch else "ms a step"
        yield f"\n{unit} against {sweep.label}; exponents of all values and the upper"
        values = sorted({point[0] for points in ways.values() for point in points})
        header = "".join(f"{value:>12,}" for value in values)
        yield f"{'':26}{header}{'all':>8}{'upper':>8}"
        for way, points in ways.items():
            at = {value: middle for value, middle, *_ in points}
            cells = "".join(f"{number(at.get(value)):>12}" for value in values)
            slopes = exponent(points), exponent(points[len(points) // 2 :])
            yield f"{way:26}{cells}" + "".join(f"{slope:8.2f}" for slope in slopes)


def number(value):
    return "-" if value is None else f"{value:#.3g}"
