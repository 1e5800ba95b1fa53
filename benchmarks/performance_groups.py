"""What `performance.py` measures, group by group; a group is a list of cases.

A case has what was measured of each contender, one value a round. All contenders of a
case take turns within a round, so that a busy moment of the machine meets them alike.
"""

import statistics
import sys
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field

from performance_convolutions import NETWORKS as CONVOLVED
from performance_crf import Tagging
from performance_long import LONG, MACHINE
from performance_networks import NETWORKS
from performance_transformers import Encoding
from performance_ways import LIBRARIES, WAYS, Problem
from performance_worker import MissingPackageError, Worker, ask_new

CELLS = "lstm", "gru", "rnn"
# (T, units, batch) -> batches of an epoch.
SMALL = {(30, 50, 32): 100}
LARGE = {(100, 128, 64): 8, (50, 256, 128): 8}
TEXTBOOK = "textbook loop, Keras"
# T=30, 50 units, batch 32; the windows of one series.
WINDOWS = {"features": 1, "windows": True}
SEARCH = asdict(Problem(batches=33, **WINDOWS))
FIRST = asdict(Problem(batches=26, **WINDOWS))


@dataclass
class Case:
    """What was measured of some contenders, one value a round.

    `kind` is how `performance_report.KINDS` compares the first of them with the others.
    """

    name: str
    ways: dict = field(default_factory=dict)
    kind: str = "faster"
    unit: str = "ms"


class Contest:
    """The processes of some ways, which measure in turns."""

    def __init__(self, ways, rounds):
        self.rounds, self._stack = rounds, ExitStack()
        self.workers = {way: self._stack.enter_context(Worker(way)) for way in ways}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._stack.__exit__(*error)

    def measure(self, task, **parameters):
        """Return the values of each way, with the better number of threads."""
        turns = {
            (way, threads): lambda way=way, options=options: self.workers[way].ask(
                task, **parameters, **options
            )
            for way in self.workers
            for threads in WAYS[way].threads
            for options in [{} if threads is None else {"threads": threads}]
        }
        # The first call also compiles and warms up.
        found = in_turns(turns, self.rounds, warm_up=True)
        return dict(best_threads(found))


def in_turns(turns, rounds, *, warm_up=False):
    """Call each of `turns` once a round; return the values by name.

    What isn't installed is left out.
    """
    found = {name: [] for name in turns}
    for number in range(-1 if warm_up else 0, rounds):
        for name in list(found):
            try:
                value = turns[name]()
            except MissingPackageError as missing:
                print(f"{name} is left out: no {missing}", file=sys.stderr)
                found[name] = None
            else:
                found[name] += [value] * (number >= 0)
        found = {name: values for name, values in found.items() if values is not None}
    return {name: found.get(name) for name in turns}


def best_threads(found):
    """Yield each way's values with the number of threads that is faster."""
    for way in dict.fromkeys(way for way, _ in found):
        choices = {n: found[key] for key in found for w, n in [key] if w == way}
        if None in choices.values():
            yield way, None
            continue
        best = min(choices, key=lambda n: statistics.median(choices[n]))
        name = way if best is None else f"{way}, {best} thread{'s' * (best > 1)}"
        yield name, choices[best]


def in_units(ways, factor):
    return {
        way: values and [factor * value for value in values]
        for way, values in ways.items()
    }


# ---- the groups: functions of the rounds and of the seconds of a measurement --------


def step_small(rounds, seconds):
    yield from steps(SMALL, LIBRARIES, rounds, seconds)


def step_large(rounds, seconds):
    ways = ["skrnn", "Keras on TensorFlow", "PyTorch", "matrix products"]
    yield from steps(LARGE, ways, rounds, seconds)


def steps(sizes, ways, rounds, seconds):
    with Contest(ways, rounds) as contest:
        for shape, batches in sizes.items():
            for cell in CELLS:
                problem = asdict(Problem(cell, *shape, batches))
                found = contest.measure("step", problem=problem, seconds=seconds)
                name = "step, {}, T={}, {} units, batch {}".format(cell.upper(), *shape)
                yield Case(name, in_units(found, 1e3))


def networks(rounds, seconds):
    """Compare on many networks, and yield the slowest and the middle one again."""
    cases = []
    with Contest(["skrnn", "Keras on TensorFlow"], rounds) as contest:
        for network in NETWORKS:
            found = contest.measure(
                "network_step", network=asdict(network), seconds=seconds / 2
            )
            cases.append(Case(f"network, {network.name}", in_units(found, 1e3)))
            yield cases[-1]
    yield from worst_and_median(cases)


def convolutions(rounds, seconds):
    """Compare steps of an LSTM behind two convolutions of 64 filters."""
    with Contest(["skrnn", "Keras on TensorFlow", "PyTorch"], rounds) as contest:
        for network in CONVOLVED:
            given = {"network": asdict(network), "seconds": seconds}
            found = contest.measure("network_step", **given)
            yield Case(f"step, convolutions, {network.name}", in_units(found, 1e3))


def taggers(rounds, seconds):
    """Compare steps with a CRF, of few and of many labels, and without one."""
    with Contest(["skrnn", "PyTorch"], rounds) as contest:
        for labels, crf in ((23, False), (23, True), (127, True)):
            tagging = asdict(Tagging(labels, crf=crf))
            given = {"tagging": tagging, "seconds": seconds}
            found = contest.measure("tagger_step", **given)
            what = "with CRF" if crf else "without CRF"
            name = f"step, tagger, {labels} labels, {what}"
            yield Case(name, in_units(found, 1e3))


def transformers(rounds, seconds):
    """Compare steps of Transformers, small and larger."""
    ways = ["skrnn", "Keras on TensorFlow", "PyTorch"]
    with Contest(ways, rounds) as contest:
        for d_model, steps in ((16, 20), (32, 50), (64, 100), (128, 100)):
            given = {"encoding": asdict(Encoding(d_model, steps)), "seconds": seconds}
            found = contest.measure("transformer_step", **given)
            name = f"step, Transformer, T={steps}, d_model {d_model}, batch 32"
            yield Case(name, in_units(found, 1e3))


def long(rounds, seconds):
    """Compare a minGRU with a GRU of ours and with PyTorch; and a memory with both."""
    for steps, networks in LONG.items():
        yield Case(f"step, minGRU, T={steps:,}", long_steps(networks, rounds, seconds))
    with Contest(["skrnn", "Keras on TensorFlow", "PyTorch"], rounds) as contest:
        given = {"network": asdict(MACHINE), "seconds": seconds}
        found = contest.measure("recurrence_step", **given)
        yield Case("step, NTM, T=40, batch 16", in_units(found, 1e3))


def long_steps(networks, rounds, seconds):
    """Measure a minGRU, and a GRU of ours in a process of its own."""
    with (
        Contest(["skrnn", "PyTorch"], rounds) as ours,
        Contest(["skrnn"], rounds) as gru,
    ):
        asked = {
            "skrnn": (ours.workers["skrnn"], "mingru", {}),
            "our GRU": (gru.workers["skrnn"], "gru", {}),
            "PyTorch, 1 thread": (ours.workers["PyTorch"], "mingru", {"threads": 1}),
        }
        turns = {
            name: lambda worker=worker, cell=cell, threads=threads: worker.ask(
                "recurrence_step",
                network=asdict(networks[cell]),
                seconds=seconds,
                **threads,
            )
            for name, (worker, cell, threads) in asked.items()
        }
        return in_units(in_turns(turns, rounds, warm_up=True), 1e3)


def worst_and_median(cases):
    """Yield two of the cases again, if nobody is missing."""
    ordered = sorted((c for c in cases if None not in c.ways.values()), key=lead)
    # Of an odd number one is in the middle.
    for title, place in (
        [("worst", 0), ("median", len(ordered) // 2)] if ordered else ()
    ):
        name = ordered[place].name.removeprefix("network, ")
        yield Case(f"{title} network: {name}", ordered[place].ways)


def lead(case):
    """Return how many times as long as the first contender the second one takes."""
    pairs = zip(*case.ways.values(), strict=True)
    return statistics.median(theirs / ours for ours, theirs in pairs)


def prediction(rounds, seconds):
    ways = [way for way in LIBRARIES if way != "matrix products"]
    with Contest(ways, rounds) as contest:
        for rows in (1, 10_000):
            found = contest.measure(
                "predict", problem=asdict(Problem()), rows=rows, seconds=seconds
            )
            yield Case(f"predict, {rows:,} of T=30, 50 units", in_units(found, 1e3))


def grid(rounds, _seconds):
    with Contest(["skrnn", "scikeras"], rounds) as contest:

        def search(way, **options):
            return lambda: contest.workers[way].ask(
                "search", problem=SEARCH, epochs=10, **options
            )

        turns = {
            "skrnn": search("skrnn", n_jobs=1),
            "scikeras": search("scikeras", n_jobs=1),
            "skrnn, 2 threads": search("skrnn", n_jobs=2, threads=True),
            "scikeras, n_jobs=2": search("scikeras", n_jobs=2),
        }
        # Else the first round alone would have what is compiled and loaded once.
        for way in contest.workers:
            ask_small_search(contest.workers[way])
        found = in_turns(turns, rounds)
    walls = {name: v and [wall for wall, _ in v] for name, v in found.items()}
    names = list(walls)
    for title, pair in [("n_jobs=1", names[:2]), ("2 at once", names[2:])]:
        ways = {name: walls[name] for name in pair}
        yield Case(f"grid of 30 fits, {title}", ways, unit="s")


def ask_small_search(worker):
    # The turns will say what is missing.
    with suppress(MissingPackageError):
        worker.ask("search", problem=SEARCH, epochs=1, n_jobs=1)


def jobs(rounds, _seconds):
    """Measure a search that takes over half a minute with one job."""
    with Contest(["skrnn"], rounds) as contest:
        ask = contest.workers["skrnn"].ask

        def search(n_jobs):
            return lambda: ask("search", problem=SEARCH, epochs=120, n_jobs=n_jobs)

        turns = {f"n_jobs={n}": search(n) for n in (2, 1)}
        found = in_turns(turns, rounds)
    cases = ("long grid", "faster"), ("long grid, processor time", "within")
    for place, (name, kind) in enumerate(cases):
        ways = {way: [pair[place] for pair in v] for way, v in found.items()}
        yield Case(name, ways, kind, unit="s")


def first_fit(rounds, _seconds):
    ways = ["skrnn", "Keras on TensorFlow", "Keras on JAX", "PyTorch"]
    turns = {
        way: lambda way=way: ask_new(way, "first_fit", problem=FIRST, epochs=10)
        for way in ways
    }
    found = in_turns(turns, rounds)
    yield Case("first fit in a process, 832 windows, 10 epochs", found, unit="s")


def script(rounds, _seconds):
    turns = {
        way: lambda way=way: ask_new(way, "script", problem=SEARCH, epochs=10)
        for way in ("skrnn.scikeras", "scikeras")
    }
    yield Case("a script with another import", in_turns(turns, rounds), unit="s")


def writing(rounds, _seconds):
    """Compare with loops that call `predict` for each character of a few."""
    with Contest(["skrnn", "Keras on TensorFlow"], rounds) as contest:
        ours, textbook = (worker.ask for worker in contest.workers.values())
        for units in (128, 256):
            turns = {
                "skrnn": lambda units=units: ours("write", units=units, n=5_000),
                TEXTBOOK: lambda units=units: textbook("write", units=units, n=25),
            }
            found = in_units(in_turns(turns, rounds), 1e3)
            yield Case(f"a character, LSTM of {units} units", found)
        size = {"units": 64}
        turns = {
            "skrnn": lambda: ours("decode", **size, n=1_000),
            TEXTBOOK: lambda: textbook("decode", **size, n=5),
        }
        found = in_units(in_turns(turns, rounds), 1e3)
        yield Case("a word's labels, LSTM of 64 units", found)
    yield beams(rounds, size)


def beams(rounds, size):
    with Contest(["skrnn"], rounds) as one, Contest(["skrnn"], rounds) as other:
        turns = {
            name: lambda worker=contest.workers["skrnn"], n_beams=n_beams: worker.ask(
                "decode", **size, n=1_000, n_beams=n_beams
            )
            for name, contest, n_beams in [("5 beams", one, 5), ("greedy", other, 1)]
        }
        found = in_units(in_turns(turns, rounds), 1e3)
    return Case("a word's labels by beam search", found, "within")


def importing(rounds, _seconds):
    cases = {
        "import": [("skrnn",), ("sklearn",)],
        "import of an estimator": [
            ("skrnn", "LSTMRegressor"),
            ("sklearn.neural_network", "MLPRegressor"),
        ],
    }
    for title, names in cases.items():
        turns = {
            ".".join(name): lambda name=name: ask_new("skrnn", "importing", *name)
            for name in names
        }
        yield Case(title, in_units(in_turns(turns, rounds), 1e3), kind="more")


def fits(_rounds, _seconds, n=1000):
    early, late = ask_new("skrnn", "fits", n=n, early=20)
    ways = {f"after fit {n:,}": [late], "after fit 20": [early]}
    yield Case("memory of fits in a row", in_units(ways, 1e-6), "within", "MB")


def windows(_rounds, _seconds, rows=10_000_000):
    for features in (1, 2):
        shape = dict(rows=rows, lookback=168, units=8, features=features)
        found = ask_new("skrnn", "windows", **shape)
        for name in ("fit", "predict"):
            ways = {"peak above idle": [found[name]], "the series": [found["series"]]}
            title = f"memory of {name}, {rows:,} rows of {features}"
            yield Case(title, in_units(ways, 1e-6), "within", "MB")
        yield Case("their prediction", {"skrnn": [found["seconds"]]}, unit="s")
