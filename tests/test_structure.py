"""The rooms of the package: what each may import, and how long anything may grow."""

import ast
import functools
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
from rooms import BACKENDS, CONTRIBUTING, ROOMS, room_of, with_table

import skrnn

PACKAGE = Path(skrnn.__file__).parent
MODULES = {
    path.relative_to(PACKAGE.parent).with_suffix("").as_posix(): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


class Trees(dict):
    """Module -> what Python parses it to; made when asked for."""

    def __missing__(self, module):
        self[module] = ast.parse(MODULES[module].read_text())
        return self[module]


TREES = Trees()


def for_each(places):
    """Make one test of a rule that holds in each of these places: it names the others.

    A test for each of 400 modules takes longer to set up than to run.
    """

    def test_of(rule):
        @functools.wraps(rule)
        def test():
            broken = {}
            for place in places:
                try:
                    rule(place)
                except AssertionError as error:
                    broken[place] = str(error)
            assert not broken

        # Pytest would read what the rule takes.
        del test.__wrapped__
        return test

    return test_of


every_module = for_each(MODULES)


@pytest.fixture(scope="module", autouse=True)
def trees_of_these_tests_alone():
    """Let go of 30 MB with the last test of this file."""
    yield
    TREES.clear()


def is_empty(module):
    """Whether a module has nothing but its docstring."""
    if not module.endswith("__init__"):
        return False
    return len(ast.parse(MODULES[module].read_text()).body) <= 1


# But that of the package itself, which hands out names.
every_room_module = for_each(
    [name for name in MODULES if name != "skrnn/__init__" and not is_empty(name)]
)

# What all rooms together have of other packages.
OTHER_PACKAGES = {
    *BACKENDS,
    "narwhals",
    "numpy",
    "onnx",
    "pandas",
    "safetensors",
    "scikeras",
    "scipy",
    "sklearn",
}
# Nobody else builds models of Keras, or runs networks.
CALLERS = {
    "_networks/keras/": {
        "_networks/keras/",
        "_networks/layers/",
        "_engine/training/",
        "_engine/keras/",
        "_estimators/",
        "scikeras/",
    },
    "_engine": {"_engine", "_estimators/", "_persistence/", "scikeras/"},
}
# ``from skrnn import *`` must not import these: they load a backend.
HEAVY_PUBLIC = {"skrnn.scikeras"}
HEAVY_ATTRIBUTES = {name.removeprefix("skrnn.") for name in HEAVY_PUBLIC}


def place_of(module):
    """Return the place of a module's room in the table, from the ground up."""
    return ROOMS.index(room_of(module.removeprefix("skrnn/")))


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


def own_modules(names):
    """List the modules of ours among full names, as paths."""
    paths = {name.replace(".", "/") for name in names if name.startswith("skrnn.")}
    for path in paths:
        yield path if path in MODULES else f"{path}/__init__"


def other_packages(names):
    """Shorten names to those of packages, without ours and Python's own."""
    roots = {name.partition(".")[0] for name in names}
    return roots - {"skrnn"} - sys.stdlib_module_names


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


@every_room_module
def test_every_module_has_a_room(module):
    assert place_of(module) >= 0


@every_room_module
def test_a_room_imports_the_packages_that_it_may(module):
    room = room_of(module.removeprefix("skrnn/"))
    assert other_packages(imports(module)) <= set(room.packages)


@every_room_module
def test_imports_go_down(module):
    place = place_of(module)
    used = {
        other for other in own_modules(imports(module)) if other != "skrnn/__init__"
    }
    assert not {other for other in used if place_of(other) > place}


@every_room_module
def test_networks_are_built_and_run_in_their_rooms(module):
    name = module.removeprefix("skrnn/")
    for used in own_modules(imports(module)):
        path = used.removeprefix("skrnn/")
        if path.startswith("_networks/keras/"):
            assert name.startswith(tuple(CALLERS["_networks/keras/"]))
        if path.startswith("_engine"):
            assert name.startswith(tuple(CALLERS["_engine"]))


@every_room_module
def test_nothing_of_the_engine_is_imported_past_its_border(module):
    if module.startswith(("skrnn/_engine", "skrnn/scikeras/engine")):
        return
    used = {used for used in own_modules(imports(module)) if "/_engine/" in used}
    assert used <= {"skrnn/_engine/__init__"}


def test_modules_of_a_room_import_in_one_direction():
    graph = {module: set(own_modules(imports(module))) for module in MODULES}
    # The package itself hands out names only, and nothing in it asks it for one.
    graph.pop("skrnn/__init__")
    for used in graph.values():
        used.discard("skrnn/__init__")
    # It raises for a circle.
    order = [*TopologicalSorter(graph).static_order()]
    assert "skrnn/_networks/cells/table" in order


DOORS = ("__init__.py", "forecasting.py", "persistence.py", "text.py")


def test_rooms_are_small():
    """At most 12 names in the package, and 14 files in a room without rooms in it.

    Doors, which hold nothing but names of other rooms, aren't counted.
    """
    names = {path.name for path in PACKAGE.iterdir()} - {"__pycache__", *DOORS}
    assert len(names) <= 12
    for folder in {path.parent for path in MODULES.values()} - {PACKAGE}:
        files = [path for path in folder.iterdir() if path.is_file()]
        has_rooms = any(
            path.suffix == "" and path.is_dir() and path.name != "__pycache__"
            for path in folder.iterdir()
        )
        assert has_rooms or len(files) <= 14


def test_every_room_of_the_table_is_there():
    for room in ROOMS:
        for path in room.paths:
            assert (PACKAGE / path).is_dir() or (PACKAGE / f"{path}.py").exists()


def test_contributing_shows_the_rooms():
    text = CONTRIBUTING.read_text()
    assert with_table(text) == text, "write it anew: python tests/rooms.py"


@every_room_module
def test_light_modules_import_no_backend_at_the_top(module):
    room, name = room_of(module.removeprefix("skrnn/")), module.rpartition("/")[2]
    if room.heavy and name not in room.light:
        return
    names = list(imports(module, at_the_top=True))
    assert not other_packages(names) & set(BACKENDS)
    for used in own_modules(names):
        other, name = room_of(used.removeprefix("skrnn/")), used.rpartition("/")[2]
        assert not other.heavy or name in other.light


@every_module
def test_imports_are_absolute(module):
    nodes = ast.walk(TREES[module])
    assert not [n for n in nodes if isinstance(n, ast.ImportFrom) and n.level]


def test_importing_the_package_loads_next_to_nothing():
    loaded = in_new_process(
        "import sys; import skrnn; dir(skrnn); skrnn.__version__; print(*sys.modules)"
    )
    heavy = {*BACKENDS} | {"scipy", "sklearn", "pandas", "matplotlib", "scikeras"}
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
    heavy = {*BACKENDS} | {"matplotlib", "scikeras", "statsmodels"}
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
    assert not {*BACKENDS} & set(loaded.split())


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


def test_names_of_modules_are_found_without_them():
    for module in public_modules():
        if module.__name__ not in {*HEAVY_PUBLIC, "skrnn.reference"}:
            for name in module.__all__:
                assert getattr(skrnn, name) is getattr(module, name)
    from skrnn import Forecaster

    assert Forecaster is skrnn.forecasting.Forecaster


def public_modules():
    parts = (module.split("/")[1] for module in MODULES)
    names = {part for part in parts if not part.startswith("_")}
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


# Tests

TESTS = Path(__file__).parent
TEST_FILES = sorted(TESTS.rglob("*.py"))


def test_files_of_tests_are_short():
    lengths = {path.name: len(path.read_text().splitlines()) for path in TEST_FILES}
    assert not {name: length for name, length in lengths.items() if length >= 600}


# Tests of what goes across all rooms, which take minutes.
OF_NO_ROOM = {Path("faults"), Path("gallery")}


def test_folders_of_tests_are_rooms_of_the_package():
    folders = {path.parent.relative_to(TESTS) for path in TEST_FILES}
    for folder in folders - {Path()} - OF_NO_ROOM:
        rooms = PACKAGE / folder, PACKAGE / f"_{folder}"
        assert any(room.is_dir() or room.with_suffix(".py").exists() for room in rooms)


def test_files_of_tests_have_names_of_their_own():
    # pytest tells modules apart by nothing else.
    names = [path.name for path in TEST_FILES if path.name != "conftest.py"]
    assert len(set(names)) == len(names)


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
    for node in TREES["skrnn/_estimators/recurrent"].body:
        if isinstance(node, ast.ClassDef):
            mixin, base = (base.id for base in node.bases)
            assert mixin.endswith("Mixin")
            assert base == "BaseRecurrent"
            _docstring, cell = node.body
            assert ast.unparse(cell).startswith("cell")


ORDER = [
    "cell",
    "units",
    "timescales",
    "memory",
    "bidirectional",
    "return_sequences",
    "attention",
    "conv_filters",
    "conv_kernel_size",
    "conv_pool_size",
    "conv_padding",
    "embedding_dim",
    "embedding_matrix",
    "embedding_trainable",
    "categorical_features",
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
    "crf",
    "illegal_transitions",
    "callbacks",
    "checkpoint_path",
    "warm_start",
    "engine",
    "verbose",
    "random_state",
]


def test_recurrent_estimators_have_their_parameters_in_one_order():
    for cls in ESTIMATORS:
        if cls.__module__ in (
            "skrnn._estimators.recurrent",
            "skrnn._estimators.seq2seq",
        ):
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


@for_each(sorted(set(public_objects())))
def test_documentation_is_complete(name):
    problems = dict(validate(name)["errors"])
    is_method = name.rpartition(".")[0].rpartition(".")[2][0].isupper()
    asked_for = {"EX01"} if not is_method else set()
    wrong = problems.keys() - (NOT_ASKED_FOR - asked_for)
    assert not {code: problems[code] for code in wrong}
