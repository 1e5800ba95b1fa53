"""How fast training and prediction are, beside Keras, scikeras, PyTorch and skorch.

Every library has a process of its own; they measure in turns, round after round, and a
ratio is taken in each round. What a group of rows has measured is kept as JSON, so that
groups may be measured one after the other and be reported together:

    python benchmarks/performance.py
    python benchmarks/performance.py --rows import first-fit
    python benchmarks/performance.py --report

The libraries to compare with are those of the extra `bench`; what isn't installed is
left out. On a machine that does something else the ratios mean little.
"""

import argparse
import json
import os
import platform
import time
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import performance_groups as groups
import performance_report
from performance_growth import growth

ROOT = Path(__file__).parents[1]
# Name -> what measures it, and the rounds if not told otherwise.
GROUPS = {
    "step-small": (groups.step_small, 5),
    "step-large": (groups.step_large, 5),
    "networks": (groups.networks, 5),
    "convolutions": (groups.convolutions, 5),
    "taggers": (groups.taggers, 5),
    "transformers": (groups.transformers, 5),
    "long": (groups.long, 5),
    "grid": (groups.grid, 3),
    "jobs": (groups.jobs, 3),
    "first-fit": (groups.first_fit, 5),
    "predict": (groups.prediction, 5),
    "script": (groups.script, 5),
    "writing": (groups.writing, 5),
    "memory": (groups.windows, 1),
    "import": (groups.importing, 10),
    "fits": (groups.fits, 1),
    "growth": (growth, 3),
}
PACKAGES = [
    "numpy", "scikit-learn", "keras", "tensorflow", "jax", "scikeras", "torch",
    "skorch", "joblib",
]  # fmt: skip


def main():
    arguments = parse_arguments()
    arguments.results.mkdir(parents=True, exist_ok=True)
    if not arguments.report:
        for name in arguments.rows or GROUPS:
            measure(name, arguments)
    if arguments.report or not arguments.rows:
        found = [
            json.loads(path.read_text())
            for path in (arguments.results / f"{name}.json" for name in GROUPS)
            if path.exists()
        ]
        performance_report.write(found, arguments.output)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", nargs="+", choices=GROUPS, help="measure these only")
    parser.add_argument(
        "--report", action="store_true", help="measure nothing, report what is kept"
    )
    parser.add_argument("--rounds", type=int, help="how often each contender measures")
    parser.add_argument(
        "--seconds", type=float, default=0.4, help="of a measurement, at least"
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=ROOT / "build" / "performance",
        help="folder of what is kept",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=ROOT / "docs" / "performance",
        help="folder of the report",
    )
    return parser.parse_args()


def measure(name, arguments):
    """Measure one group; print each case when it is done, and keep them all."""
    function, rounds = GROUPS[name]
    kept = {"group": name, "machine": machine(), "versions": versions()}
    kept |= {"load": os.getloadavg()[0], "cases": []}
    started = time.monotonic()
    print(f"\n== {name}", flush=True)
    for case in function(arguments.rounds or rounds, arguments.seconds):
        for line in performance_report.lines(case):
            print(line, flush=True)
        kept["cases"].append(asdict(case))
        kept["seconds"] = time.monotonic() - started
        # After each case: a run that is stopped keeps what it has measured.
        (arguments.results / f"{name}.json").write_text(json.dumps(kept, indent=1))


def machine():
    """Describe this machine in words."""
    facts = dict(
        line.split(":", 1)
        for line in reversed(Path("/proc/cpuinfo").read_text().splitlines())
        if ":" in line
    )
    facts = {name.strip(): value.strip() for name, value in facts.items()}
    flags = facts.get("flags", "").split()
    sets = {"avx512f": "AVX-512", "avx2": "AVX2"}
    widest = next((sets[flag] for flag in sets if flag in flags), "no AVX2")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{len(os.sched_getaffinity(0))} cores of {facts.get('model name', 'a CPU')} "
        f"with {widest}, {memory:.0f} GiB, no accelerator used, "
        f"{platform.system()}, Python {platform.python_version()}"
    )


def versions():
    return {name: installed(name) for name in PACKAGES}


def installed(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    main()
