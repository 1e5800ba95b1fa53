"""Who touches private names of other packages: two files, and exceptions with reasons.

Keras', TensorFlow's, JAX' and PyTorch's stand in `_engine/keras/private.py`, and
scikit-learn's in `_sklearn/private.py`. What counts as touching one:

- an import of a private module, or of a private name of another package;
- an attribute that begins with one underscore, of anything but ``self``, ``cls`` and
  ``super()``, unless a class or module of ours defines that name, and no file above has
  it: then it is ours;
- such an attribute of ``self``, ``cls`` or ``super()`` that nothing of ours defines: it
  is inherited from another package;
- the same by ``getattr``, ``setattr``, ``hasattr`` or ``delattr`` with a string, or as
  a key of ``vars(x)``, of ``x.__dict__`` or of any other mapping, such as a state;
- a string that one of the files has for the name of an attribute or a class;
- a string that is the path of a private module: for ``sys.modules``, say.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import skrnn

PACKAGE = Path(skrnn.__file__).parent
MODULES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix(): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
HOMES = {"_engine/keras/private", "_sklearn/private"}
# Module -> private names that it touches all the same, and why.
EXCEPTIONS = {
    "_data/warn": {
        "sys._getframe": "Python's documented way to the frame of whoever called",
    },
    "_data/frames/as_arrays": {
        "_fields": "how a named tuple documents its names",
    },
    "_engine/keras/fork": {
        "_initializing": "Python's own sign that a thread is importing a module, which "
        "its import statement reads; tests/engine/keras/test_forks.py holds it",
    },
    "_estimators/tasks/out_of_fold": {
        "sys._getframe": "Python's documented way to the frame of whoever called",
        "sklearn.model_selection._validation": "names of variables of scikit-learn's "
        "functions, with no object to import; tests/test_cross_val_predict.py holds "
        "them, and the module's docstring says what to do when one goes",
    },
    "scikeras/_answers": {
        "scikeras._utils": "what splits parameters by prefixes; only scikeras/ knows "
        "scikeras, which hands it out under no public name",
    },
}
# Methods and attributes of bases from other packages, which they document for
# subclasses or which every subclass has to know.
INHERITED = {
    "_validate_params": "scikit-learn's BaseEstimator: checks the parameters in `fit`",
    "_get_param_names": "scikit-learn's BaseEstimator: the names of the parameters",
    "_sign": "scikit-learn's scorers: -1 if less is better",
    "_check_model_param": "scikeras' wrappers: the function that builds the model",
}
# Attributes that functions of ours set on an estimator or a method.
MARKS = {
    "_form": "the form that X had in `fit`",
    "_longest": "the number of time steps of the longest sequence in `fit`",
    "_words": "the vocabulary of X in `fit`",
    "_suffix_of_names": "what errors call the arrays of a validation set",
    "_gives_advice": "a method whose errors have got their advice",
}
# Parts of paths that are no public part of a package.
PRIVATE_MODULE = re.compile(
    r"keras\.src(\.\w+)*|tensorflow\.python(\.\w+)*"
    r"|(keras|tensorflow|jax|torch|sklearn|scikeras|numpy|scipy|pandas)"
    r"(\.\w+)*\._[a-z]\w*(\.\w+)*"
)
PRIVATE_NAME = re.compile(r"_[a-z]\w*")
REFLECTION = {"getattr", "setattr", "hasattr", "delattr"}
# Methods of a dict that take a key.
LOOKUPS = {"get", "pop", "setdefault"}


def is_private(name):
    return PRIVATE_NAME.fullmatch(name) is not None


def is_own(node):
    """Whether an expression is ``self``, ``cls`` or ``super()``."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "super"
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def defined(tree):
    """List the private names that a module of ours defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        is_set = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if is_set and is_own(node.value):
            yield node.attr
        if isinstance(node, ast.ClassDef):
            for each in node.body:
                targets = getattr(each, "targets", [getattr(each, "target", None)])
                yield from (x.id for x in targets if isinstance(x, ast.Name))


def docstrings(tree):
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(tree):
        if isinstance(node, kinds) and ast.get_docstring(node) is not None:
            yield node.body[0].value


def private_imports(node):
    """List the private modules and names of other packages that a node imports."""
    if isinstance(node, ast.Import):
        paths = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        paths = [f"{node.module}.{alias.name}" for alias in node.names]
    else:
        return
    for path in paths:
        parts = path.split(".")
        if parts[0] != "skrnn" and PRIVATE_MODULE.match(path):
            yield path


def attributes(node):
    """List the private attributes that a node reads or sets, with whose they are."""
    if isinstance(node, ast.Attribute) and is_private(node.attr):
        yield node.value, node.attr
    called = getattr(node, "func", None)
    if isinstance(called, ast.Name) and called.id in REFLECTION and len(node.args) > 1:
        owner, name = node.args[:2]
        if isinstance(name, ast.Constant) and is_private(str(name.value)):
            yield owner, name.value
    yield from keys_of_attributes(node)


def keys_of_attributes(node):
    """List the private keys looked up in a mapping, with whose attributes they are."""
    called = getattr(node, "func", None)
    if isinstance(node, ast.Subscript):
        held, key = node.value, node.slice
    elif isinstance(called, ast.Attribute) and called.attr in LOOKUPS and node.args:
        held, key = called.value, node.args[0]
    else:
        return
    of_vars = isinstance(getattr(held, "func", None), ast.Name) and held.args
    if of_vars and held.func.id == "vars":
        owner = held.args[0]
    elif isinstance(held, ast.Attribute) and held.attr == "__dict__":
        owner = held.value
    else:
        owner = held
    if isinstance(key, ast.Constant) and is_private(str(key.value)):
        yield owner, key.value


def touched(tree, ours, theirs):
    """List the private names of other packages that a module touches."""
    texts = set(docstrings(tree))
    for node in ast.walk(tree):
        yield from private_imports(node)
        for owner, name in attributes(node):
            known = name in ours and (is_own(owner) or name not in theirs)
            if not known and name not in INHERITED | MARKS:
                module = isinstance(owner, ast.Name) and owner.id == "sys"
                yield f"sys.{name}" if module else name
        if isinstance(node, ast.Constant) and node not in texts:
            text = str(node.value)
            if PRIVATE_MODULE.fullmatch(text) or text in attributes_in_files():
                yield text


@cache
def attributes_in_files():
    """Return the names of scikit-learn's attributes and classes that ours has."""
    tree = ast.parse(MODULES["_sklearn/private"].read_text())
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return {
        node.value
        for each in classes
        for node in ast.walk(each)
        if isinstance(node, ast.Constant) and str(node.value).startswith("_")
    }


# Let go of with the last test of this file: they take 35 MB.
@pytest.fixture(scope="module")
def trees():
    return {module: ast.parse(path.read_text()) for module, path in MODULES.items()}


@pytest.fixture(scope="module")
def ours(trees):
    return {
        name
        for module, tree in trees.items()
        if module not in HOMES
        for name in defined(tree)
    }


@pytest.fixture(scope="module")
def theirs(trees):
    return {
        name
        for module in HOMES
        for node in ast.walk(trees[module])
        for owner, name in attributes(node)
        if not is_own(owner)
    }


def is_excepted(module, name):
    return any(
        name == known or name.startswith(f"{known}.")
        for known in EXCEPTIONS.get(module, {})
    )


def test_private_names_of_other_packages_stand_in_two_files(trees, ours, theirs):
    found = [
        f"{module}: {name}"
        for module in sorted(MODULES.keys() - HOMES)
        for name in set(touched(trees[module], ours, theirs))
        if not is_excepted(module, name)
    ]
    assert not found


def test_every_exception_is_needed(trees, ours, theirs):
    for module, names in EXCEPTIONS.items():
        found = set(touched(trees[module], ours, theirs))
        for known in names:
            assert [n for n in found if n == known or n.startswith(f"{known}.")]
    used = {
        n
        for tree in trees.values()
        for node in ast.walk(tree)
        for _, n in attributes(node)
    }
    assert used >= (INHERITED | MARKS).keys()


def test_each_file_has_the_names_of_its_packages_alone(trees, ours):
    for module, packages in {
        "_engine/keras/private": {"keras", "tensorflow", "jax"},
        "_sklearn/private": {"sklearn"},
    }.items():
        found = set(touched(trees[module], ours, set()))
        assert {path.partition(".")[0] for path in found if "." in path} == packages


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from keras.src.models import Functional", "keras.src.models.Functional"),
        ("import keras.src", "keras.src"),
        ("from tensorflow.python import eager", "tensorflow.python.eager"),
        ("from jax import _src", "jax._src"),
        (
            "from sklearn.utils.validation import _check_y",
            "sklearn.utils.validation._check_y",
        ),
        ("from sklearn.utils._tags import x", "sklearn.utils._tags.x"),
        ("model._compile_metrics", "_compile_metrics"),
        ("model._nobody_defines_this = 1", "_nobody_defines_this"),
        ("self._nobody_defines_this", "_nobody_defines_this"),
        ("super()._nobody_defines_this()", "_nobody_defines_this"),
        ("getattr(model, '_initial_epoch', 0)", "_initial_epoch"),
        ("vars(model)['_initial_epoch']", "_initial_epoch"),
        ("model.__dict__.pop('_initial_epoch', 0)", "_initial_epoch"),
        ("vars(rate).get('_learning_rate')", "_learning_rate"),
        ("state['_nobody_defines_this']", "_nobody_defines_this"),
        ("{'_n_support'} & state.keys()", "_n_support"),
        ("sys.modules['jax._src.xla_bridge']", "jax._src.xla_bridge"),
        # Ours has the same name, which tells nothing of whose this is.
        ("context._seed", "_seed"),
    ],
)
def test_what_touches_a_private_name_is_found(code, found, ours, theirs):
    assert list(touched(ast.parse(code), ours, theirs)) == [found]


@pytest.mark.parametrize(
    "code",
    [
        "self._seed",
        "estimator._spec",
        "'about keras.src and more'",
        "import skrnn._engine",
        "model.__class__",
        "for _ in model: pass",
    ],
)
def test_what_touches_none_is_left_alone(code, ours, theirs):
    assert not list(touched(ast.parse(code), ours, theirs))
