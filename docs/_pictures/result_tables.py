"""Tables of five columns for the pages on quality and performance."""

from itertools import chain

from results import forecasts, scores, speeds


def written(values, unit=""):
    """Write {name: value} as a cell."""
    return ", ".join(f"{name} {value:g}{unit}" for name, value in values.items())


def table_of_scores(score, name="quality/output.txt"):
    """Yield widths, a header, and a row for each set with its LSTM and its GRU."""
    found = {}
    for row in scores(name):
        if row.score == score:
            found.setdefault(row.name, {})[row.cell] = row
    rows = [row for cells in found.values() for row in cells.values()]
    cells = [cell for cell in ("LSTM", "GRU") if any(r.cell == cell for r in rows)]
    papers = ["published"] * any(row.published for row in rows)
    yield " ".join(["34", *["10"] * len(cells), "24", *["22"] * len(papers)])
    yield "set", *cells, "simple models", *papers
    for title, of_set in found.items():
        row = next(iter(of_set.values()))
        means = (f"{of_set[c].mean:g}" if c in of_set else "" for c in cells)
        published = [written(row.published)] * len(papers)
        yield title, *means, written(row.simple), *published


def table_of_forecasts():
    yield "34 10 14 14 28"
    yield "set", "score", "``Forecaster()``", "naive", "published"
    title = None
    for row in forecasts():
        first = "" if row.name == title else row.name
        title = row.name
        naive = f"{row.simple['naive']:g}"
        yield first, row.score, f"{row.mean:g}", naive, written(row.published)


def table_of_speeds(starts, *names):
    yield "38 13 24 13 12"
    yield "measured", "skrnn", "against", "theirs", "ratio"
    title = None
    for row in chain.from_iterable(map(speeds, names or [STEPS_OUTPUT])):
        if row.name.startswith(starts):
            first = "" if row.name == title else row.name
            title = row.name
            yield first, row.ours, row.against, row.theirs, f"{row.ratio:,g}"


STEPS_OUTPUT = "performance/output.txt"
OTHER = "performance/other_output.txt"
MEMORY = "performance/memory_output.txt"
STEPS = "step, LSTM", "step, GRU", "step, RNN"
OTHERS = "step, convolutions", "step, tagger", "step, Transformer", "predict"
TASKS = "grid", "long grid", "first fit", "a script", "a character", "a word"
# Name -> a function without arguments.
TABLES = {
    "scores_labels": lambda: table_of_scores("accuracy %"),
    "scores_convolutions": lambda: table_of_scores(
        "accuracy %", "quality/convolutions.txt"
    ),
    "scores_numbers": lambda: table_of_scores("RMSE"),
    "scores_steps": lambda: table_of_scores("span F1 %"),
    "scores_pairs": lambda: table_of_scores("word errors %"),
    "scores_exact": lambda: table_of_scores("exact %"),
    "scores_forecasts": table_of_forecasts,
    "speed_steps": lambda: table_of_speeds(STEPS),
    "speed_networks": lambda: table_of_speeds(("network", "worst", "median")),
    "speed_others": lambda: table_of_speeds(OTHERS),
    "speed_tasks": lambda: table_of_speeds(TASKS, OTHER),
    "memory": lambda: table_of_speeds(("memory",), MEMORY, OTHER),
}
