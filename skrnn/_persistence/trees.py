"""The trees of scikit-learn, whose nodes compiled code walks through unchecked."""

from functools import cache
from typing import Any

import numpy as np

from skrnn._persistence.container import UnreadableError
from skrnn._persistence.nodes import Kind, exactly


@cache
def _class():
    """Return the class of ``tree_``, which has no public name."""
    # Deferred: few files have trees.
    from sklearn.tree import DecisionTreeRegressor  # noqa: PLC0415

    return type(DecisionTreeRegressor(max_depth=1).fit([[0.0], [1.0]], [0, 1]).tree_)


def _write(value, writer):
    _, arguments, state = value.__reduce__()
    n_features, n_classes, n_outputs = arguments
    nodes = state["nodes"]
    return {
        "n_features": int(n_features),
        "n_outputs": int(n_outputs),
        "n_classes": writer.value(np.asarray(n_classes), ".n_classes"),
        "max_depth": int(state["max_depth"]),
        "values": writer.value(state["values"], ".values"),
        "nodes": {
            name: writer.value(np.ascontiguousarray(nodes[name]), f".{name}")
            for name in nodes.dtype.names
        },
    }


def _read(node, reader):
    n_features, n_outputs = (exactly(node, n, int) for n in ("n_features", "n_outputs"))
    n_classes, values = reader.value(node["n_classes"]), reader.value(node["values"])
    columns = {n: reader.value(v) for n, v in exactly(node, "nodes", dict).items()}
    if n_features < 1 or n_outputs < 1 or np.shape(n_classes) != (n_outputs,):
        raise UnreadableError("the sizes of a tree are wrong")
    if n_classes.dtype != np.intp or not ((n_classes > 0) & (n_classes < 2**31)).all():
        raise UnreadableError("the sizes of a tree are wrong")
    _check_nodes(columns, n_features)
    count = len(columns["left_child"])
    if np.shape(values) != (count, n_outputs, n_classes.max()):
        raise UnreadableError("the values of a tree are wrong")
    nodes: Any = np.zeros(count, dtype=_nodes_type())
    for name, column in columns.items():
        if column.shape != (count,) or column.dtype != nodes.dtype[name]:
            raise UnreadableError(f"{name} of the nodes of a tree is wrong")
        nodes[name] = column
    tree = _class()(n_features, n_classes, n_outputs)
    depth = exactly(node, "max_depth", int)
    state = {"max_depth": depth, "node_count": count, "nodes": nodes, "values": values}
    tree.__setstate__(state)
    return tree


@cache
def _nodes_type():
    tree = _class()(1, np.ones(1, dtype=np.intp), 1)
    return tree.__getstate__()["nodes"].dtype


def _check_nodes(columns, n_features):
    """Check that every path through a tree ends, at a node that exists."""
    if set(columns) != set(_nodes_type().names):
        raise UnreadableError("the nodes of a tree are wrong")
    left, right, feature = (
        columns[name] for name in ("left_child", "right_child", "feature")
    )
    count, places = len(left), np.arange(len(left))
    if not count or len(right) != count or len(feature) != count:
        raise UnreadableError("the nodes of a tree are wrong")
    is_leaf = left == -1
    inner = (places < left) & (left < count) & (places < right) & (right < count)
    inner &= (feature >= 0) & (feature < n_features)
    if not (is_leaf | inner).all():
        raise UnreadableError("the nodes of a tree don't lead to its leaves")


TREE = Kind("tree", _write, _read, is_shared=True)


def kind_of_tree(value: Any) -> Kind | None:
    """Return the kind of a tree of scikit-learn, or None."""
    is_one = type(value).__name__ == "Tree" and type(value) is _class()
    return TREE if is_one else None
