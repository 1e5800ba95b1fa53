"""How good the defaults are on real data, beside simple models and published figures.

Every set is fitted with an LSTM and a GRU (the longest with an LSTM alone), once for
each seed, with the defaults except for what the end of the output names. The simple
models see the same split in the same run: a figure says nothing without them.

    python benchmarks/quality.py --output docs/quality/output.txt
    python benchmarks/quality.py --sets digits adding --seeds 1
    python benchmarks/quality.py --params epochs=300 learning_rate=0.001
"""

import argparse
import ast
import sys
from pathlib import Path

import numpy as np
from printed import print_and_keep
from quality_sets import SETS, SOURCES

DATA = Path(__file__).parents[2] / "shared" / "data"
# Column -> how it is aligned.
COLUMNS = {
    "set": "<38",
    "score": "<10",
    "cell": "<7",
    "mean": ">7",
    "lowest": ">7",
    "highest": ">7",
    "bar": ">5",
    "verdict": "<7",
    "epochs": ">6",
    "simple models": "<32",
    "published": "",
}


def main():
    arguments = parse_arguments()
    print_and_keep(report(arguments), arguments.output)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--seeds", type=int, default=3, help="fits of each network")
    parser.add_argument(
        "--params",
        nargs="+",
        type=assignment,
        default=[],
        metavar="NAME=VALUE",
        help="parameters for all networks, instead of the defaults",
    )
    parser.add_argument("--output", type=Path, help="also write what is printed here")
    return parser.parse_args()


def assignment(text):
    """Read ``name=value``; what is no literal of Python's is a string."""
    name, _, value = text.partition("=")
    try:
        return name, ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return name, value


def report(arguments):
    """Yield the table and what belongs below it, line by line."""
    names = [name for name in arguments.sets if is_present(SETS[name], arguments.data)]
    params = dict(arguments.params)
    yield aligned({name: name for name in COLUMNS})
    for name in names:
        for row in rows(SETS[name], params, arguments):
            yield aligned(row)
    yield "\nMean, lowest and highest of the seeds; * marks a simple model that is not"
    yield "beaten by the mean. Parameters besides the defaults:"
    for name in names:
        yield f"    {SETS[name].title}: {listed(SETS[name].params | params)}"
    yield f"\n{SOURCES}"


def is_present(row, data):
    """Whether the data of a set are there; tell where they should be if not."""
    if row.path is None or (data / row.path).exists():
        return True
    print(
        f"{row.title} is left out: there is no {data / row.path}. Name the folder of "
        "the data with --data.",
        file=sys.stderr,
    )
    return False


def rows(row, params, arguments):
    """Fit one set's models, and yield a line of the table for each cell."""
    split, metric = row.split(arguments.data), row.metric
    floors = {name: judge(model, split, metric) for name, model in row.floors.items()}
    for cell in row.cells:
        models = [
            row.model(seed, cell=cell, **row.params | params)
            for seed in range(arguments.seeds)
        ]
        scores = [judge(model, split, metric) for model in models]
        mean = np.mean(scores)
        yield {
            "set": row.title,
            "score": metric.name,
            "cell": cell.upper(),
            "mean": format(mean, metric.format),
            "lowest": format(min(scores), metric.format),
            "highest": format(max(scores), metric.format),
            "bar": "" if row.bar is None else f"{row.bar:g}",
            "verdict": verdict(metric, mean, row.bar),
            "epochs": f"{np.mean([n_epochs(model) for model in models]):.0f}",
            "simple models": beside(floors, mean, metric),
            "published": row.published,
        }


def verdict(metric, mean, bar):
    if bar is None:
        return ""
    return "met" if metric.reaches(mean, bar) else "missed"


def judge(model, split, metric):
    """Fit a model and return its score."""
    predicted = model.fit(split.X_train, split.y_train).predict(split.X_test)
    return metric.score(split.y_test, predicted[-len(split.y_test) :])


def n_epochs(model):
    return getattr(model, "_final_estimator", model).n_iter_


def beside(floors, mean, metric):
    """Return the scores of the simple models, marked if `mean` isn't better."""
    return ", ".join(
        f"{name} {value:{metric.format}}{'*' if metric.reaches(value, mean) else ''}"
        for name, value in floors.items()
    )


def listed(params):
    return ", ".join(f"{name}={value!r}" for name, value in params.items()) or "none"


def aligned(row):
    return "  ".join(f"{row[name]:{to}}" for name, to in COLUMNS.items()).rstrip()


if __name__ == "__main__":
    main()
