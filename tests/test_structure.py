"""The rooms of the package: what each may import, and how long anything may grow."""

import ast
import importlib
import inspect
import pickle
import statistics
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import numpy as np
import pytest
from _instances import in_new_process, public_estimators
from numpydoc.validate import validate

import skrnn

PACKAGE = Path(skrnn.__file__).parent
MODULES = {
    path.relative_to(PACKAGE.parent).with_suffix("").as_posix(): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text()) for name, path in MODULES.items()}

every_module = pytest.mark.parametrize("module", MODULES)

BACKENDS = {"keras", "tensorflow", "jax", "torch"}
COMMON = {"numpy", "scipy", "pandas", "sklearn", "joblib", "narwhals"}

# Room -> what it may import besides Python's own modules and what is in it.
ROOMS = {
    "_cells": set(),
    "_attention": set(),
    "_windows": {"numpy"},
    "_numbers": {"numpy", "sklearn"},
    "_columns": {"narwhals", "numpy", "skrnn._numbers"},
    "_warn": set(),
    "_frames": {
        "numpy",
        "sklearn",
        "skrnn._columns",
        "skrnn._numbers",
        "skrnn._row_labels",
        "skrnn._warn",
    },
    "_names": {"skrnn._attention", "skrnn._cells", "skrnn._spec"},
    "_advice": {"sklearn", "skrnn._names", "skrnn._typing"},
    "_holdout": {"numpy"},
    "_sequences": {"numpy", "skrnn._series_windows", "skrnn._windows"},
    "_series_windows": {"numpy", "skrnn._indexed_arrays", "skrnn._windows"},
    "_row_labels": {"pandas", "skrnn._row_strings"},
    "_row_strings": {"pandas"},
    "_row_history": {"skrnn._row_labels"},
    "_row_order": {"numpy"},
    "_rows": {"numpy", "pandas", "skrnn._row_labels", "skrnn._row_order"},
    "_row_lists": {"skrnn._sequences"},
    "_out_of_fold": {"numpy"},
    "_validation_set": {"numpy"},
    "_indexed_arrays": {"numpy", "pandas", "sklearn"},
    "_token_ids": {"numpy", "skrnn._indexed_arrays"},
    "_embedding": {"numpy", "sklearn", "skrnn._sequences", "skrnn._token_ids"},
    "_spec": {"numpy", "skrnn._sequences"},
    "_seed": {"numpy", "sklearn"},
    "_saved": {
        "numpy",
        "skrnn._attention",
        "skrnn._cells",
        "skrnn._spec",
        "skrnn._symbols",
    },
    "_streaming": {"numpy", "skrnn._engine", "skrnn._frames", "skrnn._typing"},
    "_typing": {"numpy", "sklearn"},
    "_versions": {"skrnn._engine"},
    "_weights": {"numpy", "skrnn._cells", "skrnn._spec"},
    "_pairs": {"numpy", "skrnn._sequences", "skrnn._spec"},
    "_pair_weights": {"numpy", "skrnn._cells", "skrnn._pairs", "skrnn._weights"},
    "_keras_layers": {
        "keras",
        "skrnn._attention",
        "skrnn._cells",
        "skrnn._spec",
        "skrnn._weights",
    },
    "_pair_networks": {
        "keras",
        "skrnn._cells",
        "skrnn._keras_layers",
        "skrnn._pair_weights",
    },
    "_networks": {
        "keras",
        "skrnn._keras_layers",
        "skrnn._pair_networks",
        "skrnn._pairs",
        "skrnn._spec",
    },
    "_engine": {
        *BACKENDS,
        "numpy",
        "scipy",
        "skrnn._attention",
        "skrnn._cells",
        "skrnn._networks",
        "skrnn._pair_weights",
        "skrnn._pairs",
        "skrnn._sequences",
        "skrnn._spec",
        "skrnn._weights",
    },
    # For users of scikeras: importing it loads Keras, as importing scikeras does.
    "scikeras": {
        "keras",
        "numpy",
        "scikeras",
        "scipy",
        "sklearn",
        "skrnn._columns",
        "skrnn._constraints",
        "skrnn._engine",
        "skrnn._frames",
        "skrnn._networks",
        "skrnn._numbers",
        "skrnn._out_of_fold",
        "skrnn._sequences",
        "skrnn._spec",
        "skrnn._state",
        "skrnn._targets",
        "skrnn._typing",
        "skrnn._validation",
        "skrnn._validation_set",
        "skrnn._weights",
    },
}
# These load Keras and a backend.
HEAVY = [
    "_jax",
    "_jax_kit",
    "_keras_kernels",
    "_keras_models",
    "_keras_origin",
    "_keras_prediction",
    "_keras_program",
    "_keras_specs",
    "_keras_training",
    "_keys",
    "_losses",
    "_optimizers",
    "_seeding",
    "_tensorflow",
    "_tensorflow_kit",
    "_torch",
    "_torch_kit",
    "_variables",
]
# The others are imported before the first fit: they may load a backend when called.
LIGHT = [
    path.stem
    for path in sorted((PACKAGE / "_engine").glob("*.py"))
    if path.stem not in HEAVY
]
# Nobody else builds networks or runs them.
CALLERS = {
    "skrnn._networks": {"_engine", "_base_network", "scikeras"},
    "skrnn._keras_layers": {"_networks", "_pair_networks"},
    "skrnn._pair_networks": {"_networks"},
    "skrnn._engine": {
        "_base",
        "_base_network",
        "_seq2seq",
        "_streaming",
        "_versions",
        "scikeras",
        "text",
    },
}
# ``from skrnn import *`` must not import these: they load a backend.
HEAVY_PUBLIC = {"skrnn.scikeras"}
HEAVY_ATTRIBUTES = {name.removeprefix("skrnn.") for name in HEAVY_PUBLIC}


def room_of(module):
    """Return the file or folder of the package that a module belongs to."""
    parts = module.replace("/", ".").split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports(module, *, at_the_top=False):
    """List what a module imports, functions included, by full name."""
    nodes = TREES[module].body if at_the_top else ast.walk(TREES[module])
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = inner.replace(".", "/") in MODULES
                yield inner if is_module else node.module


def packages(names):
    """Shorten names to ``numpy`` or ``skrnn._room``, without Python's own modules."""
    found = set()
    for name in names:
        root, *rest = name.split(".")
        if root == "skrnn":
            found.add(".".join(["skrnn", *rest[:1]]))
        elif root not in sys.stdlib_module_names:
            found.add(root)
    return found


def functions(module):
    kinds = ast.FunctionDef, ast.AsyncFunctionDef
    return [node for node in ast.walk(TREES[module]) if isinstance(node, kinds)]


def length(function):
    """Count the lines of a function without its decorators and its docstring."""
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= first.end_lineno - first.lineno + 1
    return lines


# Imports


@every_module
def test_a_room_imports_what_it_may(module):
    room = room_of(module)
    allowed = ROOMS.get(room, COMMON)
    found = packages(imports(module)) - {f"skrnn.{room}", "skrnn"}
    if room not in ROOMS:
        found = {name for name in found if not name.startswith("skrnn.")}
    assert found <= allowed


@every_module
def test_networks_are_built_and_run_in_their_rooms(module):
    room = room_of(module)
    for target, callers in CALLERS.items():
        if target in packages(imports(module)):
            assert room in callers or f"skrnn.{room}" == target


def test_rooms_import_in_one_direction():
    graph = {}
    for module in MODULES:
        room = room_of(module)
        used = {name.partition(".")[2] for name in packages(imports(module))}
        graph.setdefault(room, set()).update(used & set(map(room_of, MODULES)))
    for room, used in graph.items():
        used.discard(room)
    # The package itself hands out names only, and nothing in it asks it for one.
    graph.pop("__init__", None)
    assert "__init__" not in set().union(*graph.values())
    # It raises for a circle.
    assert set(TopologicalSorter(graph).static_order()) >= {"_cells", "_base"}


@pytest.mark.parametrize("name", LIGHT)
def test_light_parts_of_the_engine_import_no_backend_at_the_top(name):
    found = packages(imports(f"skrnn/_engine/{name}", at_the_top=True))
    assert not found & (BACKENDS | {"skrnn._networks"})


@every_module
def test_imports_are_absolute(module):
    nodes = ast.walk(TREES[module])
    assert not [n for n in nodes if isinstance(n, ast.ImportFrom) and n.level]


def test_importing_the_package_loads_next_to_nothing():
    loaded = in_new_process(
        "import sys; import skrnn; dir(skrnn); skrnn.__version__; print(*sys.modules)"
    )
    heavy = BACKENDS | {"scipy", "sklearn", "pandas", "matplotlib", "scikeras"}
    assert not heavy & set(loaded.split())


def test_making_estimators_loads_no_backend():
    loaded = in_new_process("""
import sys
from sklearn.base import clone
import skrnn
from skrnn import *
for name in skrnn.__all__:
    getattr(skrnn, name)
print(clone(LSTMRegressor(units=3)))
print(*sys.modules)
""")
    heavy = BACKENDS | {"matplotlib", "scikeras", "statsmodels"}
    assert not heavy & set(loaded.split())


def test_small_predictions_load_no_backend(tmp_path):
    X = np.random.default_rng(0).normal(size=(8, 3, 2))
    model = skrnn.GRURegressor(units=2, epochs=1, random_state=0).fit(X, X[:, 0, 0])
    path = tmp_path / "fitted.pkl"
    path.write_bytes(pickle.dumps((model, X, model.predict(X))))
    loaded = in_new_process(
        """
import pickle, sys
import numpy as np
model, X, expected = pickle.load(open(sys.argv[1], "rb"))
np.testing.assert_array_equal(model.predict(X), expected)
model.transform(X)
print(*sys.modules)
""",
        path,
    )
    assert not BACKENDS & set(loaded.split())


# Names


def test_every_public_name_is_there():
    for name in skrnn.__all__:
        assert getattr(skrnn, name) is not None
    # The names that are public and no others, were they asked for or not.
    assert set(dir(skrnn)) == {*skrnn.__all__, "__version__", *HEAVY_ATTRIBUTES}
    assert len(set(skrnn.__all__)) == len(skrnn.__all__)
    assert dir(skrnn) == sorted(set(dir(skrnn)))


def names_imported_from(body):
    """List what is imported, and the names of the modules of ours it comes from."""
    for node in body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            module = f"{node.module}.".removeprefix("skrnn.").removesuffix(".")
            yield alias.name, module or alias.name


def test_type_checkers_are_told_of_every_public_name():
    (block,) = (
        node
        for node in TREES["skrnn/__init__"].body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    told = dict(names_imported_from(block.body))
    assert told.keys() == {*skrnn.__all__, *HEAVY_ATTRIBUTES}
    for name, module in told.items():
        home = f"skrnn.{module}"
        found = importlib.import_module(home)
        expected = found if module == name else getattr(found, name)
        assert getattr(skrnn, name) is expected


def test_a_name_that_is_not_there_is_missed():
    with pytest.raises(AttributeError, match="no attribute 'LSTM'"):
        _ = skrnn.LSTM
    with pytest.raises(ImportError, match="cannot import name 'LSTM'"):
        from skrnn import LSTM  # noqa: F401


def public_modules():
    names = {room_of(m) for m in MODULES if not room_of(m).startswith("_")}
    return [importlib.import_module(f"skrnn.{name}") for name in sorted(names)]


@pytest.mark.parametrize("module", public_modules(), ids=lambda m: m.__name__)
def test_public_modules_say_what_is_public(module):
    assert sorted(module.__all__) == list(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)
    name = module.__name__.partition(".")[2]
    assert (name in skrnn.__all__) != (module.__name__ in HEAVY_PUBLIC)
    assert getattr(skrnn, name) is module


def test_no_name_says_nothing():
    empty = {"utils", "helpers", "misc", "common", "tools"}
    for module in MODULES:
        assert not empty & set(module.replace("_", " ").replace("/", " ").split())
        assert not [f.name for f in functions(module) if f.name == "process_data"]


# Sizes


@every_module
def test_modules_are_short(module):
    assert len(MODULES[module].read_text().splitlines()) < 400


@every_module
def test_functions_are_short(module):
    long = {f.name: length(f) for f in functions(module) if length(f) > 40}
    assert not long


def test_most_functions_are_very_short():
    lengths = [length(function) for name in MODULES for function in functions(name)]
    assert statistics.median(lengths) <= 8


# Estimators


# The wrappers' parameters are scikeras', which takes any.
ESTIMATORS = sorted(
    (
        cls
        for cls in public_estimators()
        if not cls.__module__.startswith(*HEAVY_PUBLIC)
    ),
    key=lambda cls: cls.__name__,
)
every_class = pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)


@every_class
def test_parameters_are_named_once_and_explicit(cls):
    parameters = inspect.signature(cls).parameters
    kinds = {p.kind for p in parameters.values()}
    assert not kinds & {
        inspect.Parameter.VAR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    }
    assert set(parameters) == set(cls._get_param_names())
    assert set(parameters) <= set(cls._parameter_constraints)


def test_a_recurrent_leaf_is_a_cell_and_a_docstring():
    for node in TREES["skrnn/_recurrent"].body:
        if isinstance(node, ast.ClassDef):
            mixin, base = (base.id for base in node.bases)
            assert mixin.endswith("Mixin")
            assert base == "BaseRecurrent"
            _docstring, cell = node.body
            assert ast.unparse(cell).startswith("cell")


ORDER = [
    "cell",
    "units",
    "bidirectional",
    "return_sequences",
    "attention",
    "embedding_dim",
    "embedding_matrix",
    "embedding_trainable",
    "dense_units",
    "activation",
    "dropout",
    "recurrent_dropout",
    "layer_norm",
    "teacher_forcing",
    "max_length",
    "n_beams",
    "length_penalty",
    "loss",
    "quantile",
    "optimizer",
    "learning_rate",
    "learning_rate_schedule",
    "clipnorm",
    "global_clipnorm",
    "epochs",
    "batch_size",
    "shuffle",
    "early_stopping",
    "validation_split",
    "patience",
    "class_weight",
    "normalize_y",
    "callbacks",
    "warm_start",
    "verbose",
    "random_state",
]


def test_recurrent_estimators_have_their_parameters_in_one_order():
    for cls in ESTIMATORS:
        if cls.__module__ in ("skrnn._recurrent", "skrnn._seq2seq"):
            names = list(inspect.signature(cls).parameters)
            assert names == [name for name in ORDER if name in names]
            assert set(names) == set(cls().get_params())


# Documentation


# Sections that a method may do without, and the style of "name : type" for what is
# returned, where an estimator returned as `self` needs no description.
NOT_ASKED_FOR = {"ES01", "SA01", "EX01", "RT02", "RT03"}


def public_objects():
    """Name every public class, function and method of ours."""
    modules = [skrnn, *public_modules()]
    for module in modules:
        for name in module.__all__:
            found = getattr(module, name)
            if inspect.ismodule(found):
                continue
            yield f"{module.__name__}.{name}"
            if inspect.isclass(found):
                for member in dir(found):
                    if is_our_method(found, member):
                        yield f"{module.__name__}.{name}.{member}"


def is_our_method(cls, name):
    method = inspect.getattr_static(cls, name)
    ours = getattr(method, "__module__", None) or ""
    return not name.startswith("_") and callable(method) and ours.startswith("skrnn")


@pytest.mark.parametrize("name", sorted(set(public_objects())))
def test_documentation_is_complete(name):
    problems = dict(validate(name)["errors"])
    is_method = name.rpartition(".")[0].rpartition(".")[2][0].isupper()
    asked_for = {"EX01"} if not is_method else set()
    wrong = problems.keys() - (NOT_ASKED_FOR - asked_for)
    assert not {code: problems[code] for code in wrong}
