"""What scikit-learn's boosted trees, neighbours and perceptrons keep inside.

Their classes have no public names, so they are taken from tiny models. Compiled code
walks through the nodes of boosted trees unchecked, so every path is checked to end.
What only repeats parameters, such as a loss, or data, such as a tree of neighbours,
isn't in a file: it is made again.
"""

import inspect
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from skrnn._persistence.container import UnreadableError
from skrnn._persistence.nodes import Kind, exactly
from skrnn._sklearn.private import (
    OfBoosting,
    OfCalibration,
    OfNeighbors,
    OfPerceptrons,
    scorer_of_threshold,
)

_WORD = 2**128
_TINY_X = np.array([[0.0], [1.0]])


@cache
def _boosted() -> dict[str, Any]:
    """Return what a tiny boosted model has, by name of its class."""
    # Deferred, as all of scikit-learn here: few files have them.
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415

    model = HistGradientBoostingRegressor(max_iter=1, early_stopping=False)
    found = vars(model.fit(_TINY_X, [0.0, 1.0]))
    parts = found[OfBoosting.TREES][0][0], found[OfBoosting.MAPPER]
    return {type(part).__name__: part for part in parts}


@cache
def _optimizers() -> dict[str, Any]:
    """Return what tiny perceptrons are trained by."""
    from sklearn.neural_network import MLPRegressor  # noqa: PLC0415

    found = {}
    for solver in ("adam", "sgd"):
        model = MLPRegressor(hidden_layer_sizes=(1,), solver=solver, random_state=0)
        model.partial_fit(_TINY_X, [0.0, 1.0])
        part = vars(model)[OfPerceptrons.OPTIMIZER]
        found[type(part).__name__] = part
    return found


@cache
def _calibrated() -> dict[str, Any]:
    """Return what tiny classifiers calibrate their answers by."""
    from sklearn.calibration import CalibratedClassifierCV  # noqa: PLC0415
    from sklearn.dummy import DummyClassifier  # noqa: PLC0415

    found = {}
    for method in ("sigmoid", "temperature"):
        model = CalibratedClassifierCV(DummyClassifier(), method=method, cv=2)
        model.fit([[0.0], [1.0]] * 2, [0, 1] * 2)
        (part, *_) = model.calibrated_classifiers_
        for each in (part, *part.calibrators):
            found[type(each).__name__] = each
    return found


# Name of a class -> what has one.
_PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "TreePredictor": _boosted,
    OfBoosting.MAPPER_CLASS: _boosted,
    "AdamOptimizer": _optimizers,
    "SGDOptimizer": _optimizers,
    OfCalibration.CLASSIFIER: _calibrated,
    OfCalibration.SIGMOID: _calibrated,
    OfCalibration.TEMPERATURE: _calibrated,
}


def _class_of(name: str) -> Any:
    """Return the class of that name; None if there is none."""
    found = _PARTS[name]().get(name) if name in _PARTS else None
    return None if found is None else type(found)


def _write_inside(value, writer):
    state = vars(value)
    if type(value).__name__ == "TreePredictor":
        nodes = state["nodes"]
        columns = {n: np.ascontiguousarray(nodes[n]) for n in nodes.dtype.names}
        state = state | {"nodes": columns}
    return {
        "class": type(value).__name__,
        "state": {name: writer.value(each, f".{name}") for name, each in state.items()},
    }


def _read_inside(node, reader):
    cls = _class_of(exactly(node, "class", str))
    if cls is None:
        raise UnreadableError(f"it names {node['class']!r:.60}, which is no such part")
    fields = exactly(node, "state", dict)
    state = {name: reader.value(each) for name, each in fields.items()}
    made = cls.__new__(cls)
    if cls.__name__ == "TreePredictor":
        state["nodes"] = _nodes(state["nodes"], _n_bitsets(state))
    for name in state:
        if not name.isidentifier() or hasattr(cls, name) or name.startswith("__"):
            raise UnreadableError(f"{cls.__name__} has no attribute {name!r:.60}")
    vars(made).update(state)
    return made


def _n_bitsets(state):
    """Return how many splits by categories a tree has: sets of 256 bits."""
    sets = [state[f"{kind}_left_cat_bitsets"] for kind in ("raw", "binned")]
    count = len(sets[0])
    for each in sets:
        if each.dtype != np.uint32 or each.shape != (count, 8):
            raise UnreadableError("the categories of a boosted tree are wrong")
    return count


def _nodes(columns, n_bitsets):
    """Return the nodes of a boosted tree, every way through which ends."""
    dtype = _boosted()["TreePredictor"].nodes.dtype
    if type(columns) is not dict or set(columns) != set(dtype.names):
        raise UnreadableError("the nodes of a boosted tree are wrong")
    count = len(columns["is_leaf"])
    nodes: Any = np.zeros(count, dtype)
    for name, column in columns.items():
        if np.shape(column) != (count,) or column.dtype != dtype[name]:
            raise UnreadableError(f"{name} of a boosted tree is wrong")
        nodes[name] = column
    inner, places = nodes[nodes["is_leaf"] != 1], np.flatnonzero(nodes["is_leaf"] != 1)
    leads = [(places < inner[n]) & (inner[n] < count) for n in ("left", "right")]
    fits = np.all(leads) and (inner["feature_idx"] >= 0).all()
    fits = (
        fits and (inner["bitset_idx"][inner["is_categorical"] != 0] < n_bitsets).all()
    )
    if not count or not fits:
        raise UnreadableError("the nodes of a boosted tree don't lead to its leaves")
    return nodes


INSIDE = Kind("inside", _write_inside, _read_inside, is_shared=True)


def _write_drawer(value, writer):
    state = value.bit_generator.state
    if state["bit_generator"] != "PCG64":
        writer.refuse(f"a Generator of {state['bit_generator']}", "PCG64")
    words = state["state"]
    return {
        "words": [f"{words[name]:032x}" for name in ("state", "inc")],
        "rest": [int(state["has_uint32"]), int(state["uinteger"])],
    }


def _read_drawer(node, _reader):
    first, second = (int(word, 16) for word in exactly(node, "words", list))
    has, number = exactly(node, "rest", list)
    fits = 0 <= first < _WORD and 0 <= second < _WORD and 0 <= number < 2**32
    if not fits or has not in (0, 1):
        raise UnreadableError("the state of a Generator is wrong")
    drawer = np.random.PCG64(0)
    state: Any = {"bit_generator": "PCG64", "has_uint32": has, "uinteger": number}
    drawer.state = state | {"state": {"state": first, "inc": second}}
    return np.random.Generator(drawer)


DRAWER = Kind("generator", _write_drawer, _read_drawer, is_shared=True)


def _as_numbers():
    """Return the function by which boosted trees read numbers beside categories."""
    from sklearn.utils import check_array  # noqa: PLC0415

    return partial(check_array, dtype=[np.float64], ensure_all_finite=False)


AS_NUMBERS = Kind("as_numbers", lambda *_: {}, lambda *_: _as_numbers())


def is_as_numbers(value: Any) -> bool:
    """Whether a value is that function."""
    if type(value) is not partial:
        return False
    known = _as_numbers()
    # `reduce` gives the function, its arguments, and nothing of a user's own.
    return value.__reduce__()[2] == known.__reduce__()[2]


def kind_of_learner(value: Any) -> Kind | None:
    """Return the kind of what is inside of scikit-learn's learners, or None."""
    if is_as_numbers(value):
        return AS_NUMBERS
    if type(value) is np.random.Generator:
        return DRAWER
    cls = type(value)
    is_known = cls.__module__.startswith("sklearn.") and cls.__name__ in _PARTS
    return INSIDE if is_known and _class_of(cls.__name__) is cls else None


def _loss(attribute, **tiny):
    """Return what makes a loss again: that of a tiny model with these parameters."""

    def made(estimator):
        known = inspect.signature(type(estimator)).parameters
        names = {"loss", "quantile", "alpha", "epsilon"} & known.keys()
        given = {name: getattr(estimator, name) for name in names}
        classes = getattr(estimator, "classes_", None)
        y = [1.0, 2.0] if classes is None else [*range(len(classes))]
        X = np.arange(len(y), dtype=float)[:, None]
        model = type(estimator)(**given, **tiny).fit(X, y)
        return vars(model)[attribute]

    return made


def _tree_of_neighbors(estimator):
    """Return the tree in which neighbours are looked up; None without one."""
    from sklearn.neighbors import BallTree, KDTree  # noqa: PLC0415

    found = vars(estimator)
    trees: dict[str, Any] = {"kd_tree": KDTree, "ball_tree": BallTree}
    if found[OfNeighbors.METHOD] not in trees:
        return None
    metric = {"metric": found["effective_metric_"], **found["effective_metric_params_"]}
    options = {"leaf_size": estimator.leaf_size, **metric}
    return trees[found[OfNeighbors.METHOD]](found[OfNeighbors.X], **options)


# A base of the class -> attribute -> what makes it again.
_ONCE = {"early_stopping": False, "max_iter": 1}
_MADE_AGAIN: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "BaseHistGradientBoosting": (
        OfBoosting.LOSS,
        _loss(OfBoosting.LOSS, **_ONCE),
    ),
    "BaseGradientBoosting": (OfBoosting.LOSS, _loss(OfBoosting.LOSS, n_estimators=1)),
    "BaseSGDClassifier": (
        OfBoosting.LOSS_OF_DESCENT,
        _loss(OfBoosting.LOSS_OF_DESCENT, max_iter=1, tol=None),
    ),
    "NeighborsBase": (OfNeighbors.TREE, _tree_of_neighbors),
    "TunedThresholdClassifierCV": (OfCalibration.SCORER, scorer_of_threshold),
}


def _rows(cls):
    names = (b.__name__ for b in cls.__mro__ if b.__module__.startswith("sklearn."))
    return [_MADE_AGAIN[name] for name in names if name in _MADE_AGAIN]


def without_repeated(cls: type, state: dict[str, Any]) -> dict[str, Any]:
    """Leave out of a state what is made again."""
    left_out = {name for name, _ in _rows(cls)}
    return {name: each for name, each in state.items() if name not in left_out}


def make_again(estimator: Any, is_fitted: bool) -> None:
    """Give a fitted estimator what `without_repeated` left out."""
    for name, make in _rows(type(estimator)) if is_fitted else ():
        vars(estimator)[name] = make(estimator)
