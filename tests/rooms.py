"""The rooms of the package, from the ground up.

One table: `test_structure` holds every module to it, and CONTRIBUTING's table is made
from it (``python tests/rooms.py`` writes it anew). A room may import what stands above
it in the table, and of other packages those that it names.
"""

import re
from dataclasses import dataclass
from pathlib import Path

CONTRIBUTING = Path(__file__).parents[1] / "CONTRIBUTING.md"
NUMBERS = ("numpy", "scipy")
BACKENDS = ("keras", "tensorflow", "jax", "torch")


@dataclass(frozen=True)
class Room:
    """A folder or some modules, what they own, and the packages they may import."""

    names: str
    owns: str
    packages: tuple[str, ...] = ()
    # Whether its modules load Keras as soon as they are imported, but for some.
    heavy: bool = False
    light: tuple[str, ...] = ()

    @property
    def paths(self):
        """Names without the package and endings: ``_data/rows``."""
        return [name.removesuffix("/") for name in self.names.split()]


ROOMS = (
    Room(
        "_sklearn/",
        "scikit-learn's private names (all in `private`), constraints of parameters,"
        " errors that name arguments, the seed",
        ("numpy", "sklearn"),
    ),
    Room(
        "_data/typing _data/warn _data/logs",
        "annotations of public methods; loggers; warnings at the line of the caller",
        ("numpy",),
    ),
    Room(
        "reference/",
        "cells, layers and attention as textbook formulas, for readers and for tests",
        ("numpy",),
    ),
    Room(
        "_persistence/atomic",
        "files that are there whole or not at all",
    ),
    Room(
        "_persistence/container _persistence/checkpoint_file",
        "numbers, texts and arrays in one file, with a digest",
        ("numpy", "safetensors"),
    ),
    Room("_data/digests", "whether parameters and data are the same", ("numpy",)),
    Room(
        "_data/rows/",
        "the order of rows, their series, and whether they follow",
        ("numpy", "pandas"),
    ),
    Room(
        "_data/finite",
        "scikit-learn's checks of arrays, without warnings before their errors",
        ("numpy", "sklearn"),
    ),
    Room(
        "_data/frames/",
        "frames of pandas, polars and pyarrow: columns, names, numbers, index",
        ("narwhals", "numpy", "pandas", "sklearn"),
    ),
    Room(
        "_data/batches _data/windows _data/series_windows _data/sequences"
        " _data/row_lists _data/units _data/datasets _data/token_stream _data/holdout"
        " _data/validation_set",
        "the one internal form of every accepted X, with its targets and weights",
        ("numpy",),
    ),
    Room("_data/tokens/", "symbols, words and token ids", ("numpy", "sklearn")),
    Room(
        "_data/validation",
        "what X may be, and the errors of what it isn't",
        ("numpy", "sklearn"),
    ),
    Room("_data/targets/", "what y and weights become", ("numpy", "scipy", "sklearn")),
    Room(
        "_networks/activations _networks/attention _networks/cells/"
        " _networks/contracts _networks/crf/ _networks/distributions/"
        " _networks/formulas _networks/losses/ _networks/optimizers"
        " _networks/outline _networks/weights",
        "what networks are made of, one row each: plain formulas over `ops`",
        NUMBERS,
    ),
    Room(
        "_networks/keras/parts _networks/keras/blocks",
        "the parts of Keras that layers are made of",
        ("keras",),
        heavy=True,
    ),
    Room(
        "_networks/layers/",
        "one file for each kind of layer: fields, weights, formula, step, Keras layer",
        ("keras", "numpy"),
    ),
    Room(
        "_networks/head _networks/specs _networks/architecture _networks/forward"
        " _networks/encoder_decoder _networks/language",
        "networks as layers and a head, made of flat parameters, and their formulas",
    ),
    Room(
        "_networks/keras/",
        "the same networks as `keras.Model`",
        ("keras",),
        heavy=True,
    ),
    Room(
        "_engine/cpu/kernels/",
        "the kernels in C, what calls them, and their reference",
        NUMBERS,
    ),
    Room(
        "_engine/cpu/",
        "the cpu engine: autodiff, ops, optimizers, programs",
        NUMBERS,
    ),
    Room(
        "_engine/keras/adapters/",
        "what each backend of Keras does in its own way",
        ("numpy", *BACKENDS),
        heavy=True,
    ),
    Room(
        "_engine/keras/",
        "the keras engine; alone in running Keras",
        ("numpy", *BACKENDS),
        heavy=True,
        light=("backends", "fork", "packing", "private", "program_cache", "quiet"),
    ),
    Room(
        "_engine/choice",
        "what runs where, and what is there: the one place that decides",
    ),
    Room(
        "_engine/training/",
        "the loop, its plan and contracts, progress, schedules",
        ("numpy",),
    ),
    Room("_engine/prediction/", "prediction in batches, streaming, decoding", NUMBERS),
    Room("_engine", "the border: nothing else of the engine is imported from outside"),
    Room(
        "_estimators/one_fit",
        "`unchanged_on_error`, and answers that are wholly of one fit",
    ),
    Room(
        "_estimators/names _estimators/links _estimators/advice",
        "what things are called elsewhere, errors that say what to write instead, and"
        " where it is documented",
        ("sklearn",),
    ),
    Room(
        "_estimators/watching",
        "what scikit-learn's callbacks are told of a fit",
        ("sklearn",),
    ),
    Room(
        "_estimators/docs/rows",
        "what is said of losses and optimizers: the rows of their tables as text",
    ),
    Room(
        "_estimators/tasks/",
        "one mixin a task: y to the head and back",
        ("numpy", "scipy", "sklearn"),
    ),
    Room(
        "_estimators/description/",
        "what a trained network tells: weights by name, a summary, a page of HTML",
        ("numpy", "sklearn"),
    ),
    Room(
        "_estimators/saved/",
        "the state of a fitted estimator in a pickle, and its validation",
        ("numpy",),
    ),
    Room(
        "_estimators/checkpoints _estimators/going_on _estimators/embedding"
        " _estimators/output_bias"
        " _estimators/streaming _estimators/recurrent_layers _estimators/network_base"
        " _estimators/base",
        "what all estimators of networks share",
        ("numpy", "sklearn"),
    ),
    Room("_estimators/docs/", "the description of every parameter, once"),
    Room(
        "_estimators/language/",
        "language models on text",
        ("numpy", "scipy", "sklearn"),
    ),
    Room(
        "_estimators/recurrent _estimators/seq2seq _estimators/outliers"
        " _estimators/transformer _estimators/versions _estimators/inspected",
        "the estimators, and what inspection asks them for",
        ("numpy", "sklearn"),
    ),
    Room(
        "metrics/",
        "scores of label sequences and of forecasts, and their scorers",
        ("numpy", "scipy", "sklearn"),
    ),
    Room(
        "_estimators/forecasting/panel",
        "series as numbers: what crosses from reading to forecasting",
        ("numpy",),
    ),
    Room(
        "_estimators/forecasting/reading/",
        "series, covariates, calendar and seasons as a panel of numbers",
        ("narwhals", "numpy", "pandas", "scipy", "sklearn"),
    ),
    Room(
        "_estimators/forecasting/",
        "the Forecaster: windows, layouts, strategies, members, intervals",
        ("joblib", "numpy", "pandas", "scipy", "sklearn"),
    ),
    Room(
        "_estimators/forecasting/evaluation/",
        "forecasts held against what came: backtests, splits, leakage",
        ("joblib", "numpy", "pandas", "sklearn"),
    ),
    Room("text forecasting", "doors to the language models and to forecasting"),
    Room(
        "preprocessing/",
        "the transformers",
        ("narwhals", "numpy", "pandas", "scipy", "sklearn"),
    ),
    Room(
        "inspection/_drawing inspection/_found inspection/_parts",
        "what pictures share, what functions return; networks inside of Pipelines",
        ("matplotlib", "numpy", "sklearn"),
    ),
    Room(
        "inspection/forecasts/",
        "pictures of forecasts",
        ("matplotlib", "numpy", "pandas"),
    ),
    Room(
        "inspection/training/",
        "pictures of how networks learned",
        ("matplotlib", "numpy", "pandas", "sklearn"),
    ),
    Room(
        "inspection/gradients/",
        "how gradients flow back, in numbers and in pictures",
        ("matplotlib", "numpy", "sklearn"),
    ),
    Room(
        "inspection/",
        "looking into trained networks, in numbers and in pictures",
        ("matplotlib", "numpy", "pandas", "sklearn"),
    ),
    Room(
        "scikeras/engine/",
        "what runs a user's own Keras network",
        ("keras", "numpy", "tensorflow", "torch"),
        heavy=True,
    ),
    Room(
        "scikeras/",
        "scikeras' wrappers put right; alone in importing scikeras",
        ("keras", "numpy", "scikeras", "scipy", "sklearn"),
        heavy=True,
    ),
    Room(
        "_persistence/",
        "estimators in files: how they are written, checked and read",
        ("numpy", "pandas", "safetensors", "scipy", "sklearn"),
    ),
    Room(
        "_persistence/export/",
        "networks for other programs: ONNX, NumPy alone, Keras, TensorFlow",
        ("numpy", "onnx", "sklearn"),
    ),
    Room("persistence", "door to saving and loading"),
)


def room_of(module):
    """Return the room of a module, ``_data/rows/order`` say, that names it best."""
    found = [
        (len(path), room)
        for room in ROOMS
        for path in room.paths
        if module == path or module.startswith(f"{path}/")
    ]
    if not found:
        raise LookupError(f"{module} is in no room of tests/rooms.py")
    return max(found, key=lambda each: each[0])[1]


def table():
    """Write the rooms as CONTRIBUTING shows them."""
    rows = [
        f"| {_quoted(room)} | {room.owns} | {', '.join(room.packages) or 'nothing'} |"
        for room in ROOMS
    ]
    head = ["| room | owns | packages that it may import |", "|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def _quoted(room):
    ends = (name if name.endswith("/") else f"{name}.py" for name in room.names.split())
    known = {"_engine.py": "_engine/__init__.py"}
    return ", ".join(f"`{known.get(end, end)}`" for end in ends)


def with_table(text):
    """Return CONTRIBUTING's text with the table of today in its place."""
    return re.sub(r"(?m)^\| room \|.*\n(\|.*\n)+", lambda _: table(), text, count=1)


if __name__ == "__main__":
    CONTRIBUTING.write_text(with_table(CONTRIBUTING.read_text()))
