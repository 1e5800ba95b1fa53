"""Functions, classes as values, scorers and distributions: by names in tables.

A file names a function; nothing is imported because of that name, and the functions
that it may name only compute. Functions of the user's own are passed in by the user.
"""

import importlib
from typing import Any

import numpy as np
from scipy import stats
from sklearn.metrics import check_scoring, make_scorer

from skrnn._persistence.container import UnreadableError
from skrnn._persistence.nodes import Kind, exactly, full_name
from skrnn._sklearn import BaseScorer, Scorer
from skrnn._sklearn.private import REQUESTS, OfScorers
from skrnn.metrics import get_scorer, get_scorer_names

# Modules whose ufuncs may all be named, and modules whose functions may be named if
# they are listed here or, for "", if they are public and compute a score.
_UFUNCS = ("numpy", "scipy.special")
_FUNCTIONS = {
    "sklearn.metrics": "",
    "skrnn.metrics": "",
    "numpy": "abs clip mean median nan_to_num std sum",
    "sklearn.feature_selection": (
        "chi2 f_classif f_regression mutual_info_classif mutual_info_regression"
        " r_regression"
    ),
}
_SCORES = {"score", "loss", "error", "deviance", "perplexity"}
_TYPES = {"list": list, "tuple": tuple, "str": str, "int": int, "float": float} | {
    "bool": bool,
    "object": object,
    "numpy.ndarray": np.ndarray,
}
# What selectors of columns take.
_ABSTRACT = (np.number, np.integer, np.floating, np.complexfloating, np.generic)
_TYPES |= {
    f"numpy.{cls.__name__}": cls for cls in {*np.sctypeDict.values(), *_ABSTRACT}
}


def _may_be_named(module, name, value):
    if module in _UFUNCS and isinstance(value, np.ufunc):
        return True
    listed = _FUNCTIONS.get(module)
    if listed is None or not callable(value) or isinstance(value, type):
        return False
    public = getattr(importlib.import_module(module), "__all__", ())
    of_scores = not listed and name in public and name.rpartition("_")[2] in _SCORES
    return name in listed.split() or of_scores


def _name_of_function(value):
    name = getattr(value, "__name__", "")
    for module in dict.fromkeys([*_UFUNCS, *_FUNCTIONS]):
        found = getattr(importlib.import_module(module), name, None)
        if found is value and _may_be_named(module, name, value):
            return f"{module}.{name}"
    return None


def _write_function(value, writer):
    return {"name": _name_of_function(value) or full_name(value)}


def _read_function(node, reader):
    whole = exactly(node, "name", str)
    module, _, name = whole.rpartition(".")
    if module in _UFUNCS or module in _FUNCTIONS:
        value = getattr(importlib.import_module(module), name, None)
        if name.isidentifier() and _may_be_named(module, name, value):
            return value
    if whole not in reader.trusted:
        raise UnreadableError(
            f"it names {whole!r:.80}, which is no function that a file may have; if it "
            "is one of your own, hand it over: load(path, trusted=[...])"
        )
    return reader.trusted[whole]


FUNCTION = Kind("function", _write_function, _read_function)


def _write_type(value, _writer):
    return {"name": next(name for name, cls in _TYPES.items() if cls is value)}


def _read_type(node, _reader):
    return _TYPES[exactly(node, "name", str)]


TYPE = Kind("class", _write_type, _read_type)


def _write_scorer(value, writer):
    state = vars(value)
    if REQUESTS in state:
        writer.refuse("a scorer with a request of metadata", "one without")
    if not isinstance(value, BaseScorer):
        # What a search keeps if `scoring` is None.
        name = OfScorers.ESTIMATOR
        return {"of": writer.value(state[name], f".{name}")}
    for name in get_scorer_names():
        known = get_scorer(name)
        if type(known) is type(value) and repr(known) == repr(value):
            return {"name": name}
    if type(value) is not Scorer:
        writer.refuse(f"a scorer of type {type(value).__name__}", "one of make_scorer")
    parts = OfScorers.FUNCTION, OfScorers.METHOD, OfScorers.OPTIONS
    found = {f"{name[1:]}": writer.value(state[name], f".{name}") for name in parts}
    return found | {"greater_is_better": state[OfScorers.SIGN] > 0}


def _read_scorer(node, reader):
    if "of" in node:
        return check_scoring(reader.value(node["of"]))
    if "name" in node:
        return get_scorer(node["name"])
    function, options = reader.value(node["score_func"]), reader.value(node["kwargs"])
    if not callable(function):
        raise UnreadableError("a scorer has no function")
    return make_scorer(
        function,
        response_method=reader.value(node["response_method"]),
        greater_is_better=exactly(node, "greater_is_better", bool),
        **options,
    )


SCORER = Kind("scorer", _write_scorer, _read_scorer, is_shared=True)


def _write_distribution(value, writer):
    name = value.dist.name
    if type(getattr(stats, name, None)) is not type(value.dist):
        writer.refuse(f"the distribution {name!r}", "one of scipy.stats")
    return {
        "name": name,
        "args": writer.value(list(value.args), ".args"),
        "kwds": writer.value(dict(value.kwds), ".kwds"),
    }


def _read_distribution(node, reader):
    known = getattr(stats, exactly(node, "name", str), None)
    if not isinstance(known, stats.rv_continuous | stats.rv_discrete):
        raise UnreadableError(f"it names the distribution {node['name']!r:.60}")
    args, kwds = reader.value(node["args"]), reader.value(node["kwds"])
    numbers = [*args, *kwds.values()]
    if not all(isinstance(each, int | float | np.number) for each in numbers):
        raise UnreadableError("a distribution has parameters that are no numbers")
    return known(*args, **kwds)


DISTRIBUTION = Kind("distribution", _write_distribution, _read_distribution)


def kind_of_function(value: Any, trusted: dict[str, Any]) -> Kind | None:
    """Return the kind of a function, class, scorer or distribution, or None."""
    if isinstance(value, type) and any(cls is value for cls in _TYPES.values()):
        return TYPE
    if isinstance(value, BaseScorer) or type(value).__name__ == OfScorers.OF_SCORE:
        return SCORER
    if isinstance(value, stats.distributions.rv_frozen):
        return DISTRIBUTION
    if not callable(value):
        return None
    if trusted.get(full_name(value)) is value:
        return FUNCTION
    known = not isinstance(value, type) and _name_of_function(value)
    return FUNCTION if known else None
