"""What attributes of scikit-learn's estimators must be: compiled code trusts some.

Most of them compute by NumPy, which refuses what doesn't fit. Some make sparse arrays
or walk through trees: there a wrong number would read memory that isn't theirs.
"""

from typing import Any

import numpy as np

from skrnn._persistence.machines import (
    of_boosting,
    of_histograms,
    of_machine,
    of_means,
    of_neighbors,
)
from skrnn._sklearn.private import OfClusters, OfEncoders, OfForests


def fault_of(estimator: Any) -> str | None:
    """Return what is wrong with an estimator of scikit-learn, or None."""
    for cls in type(estimator).__mro__:
        find = _CHECKS.get(f"{cls.__module__.split('.')[0]}.{cls.__name__}")
        if find is None:
            continue
        try:
            fault = find(vars(estimator))
        except Exception:
            fault = "attributes that don't fit each other"
        if fault:
            return f"{type(estimator).__name__} with {fault}"
    return None


def _of_pipeline(state):
    # Its pickles would be read in ``fit``.
    return "a memory on disk" if state.get("memory") is not None else None


def _of_counts(state):
    if "vocabulary_" not in state:
        return None
    columns = sorted(state["vocabulary_"].values())
    fits = columns == list(range(len(columns)))
    return None if fits else "a vocabulary_ that doesn't count the columns"


def _of_one_hot(state):
    if "categories_" not in state:
        return None
    expected = []
    for i, categories in enumerate(state["categories_"]):
        n, drop = _n_codes(state, i, len(categories)), state.get("drop_idx_")
        dropped = None if drop is None else drop[i]
        inner = state.get(OfEncoders.DROPPED)
        inner = None if inner is None else inner[i]
        if (dropped is None) != (inner is None):
            return "a drop_idx_ that isn't there twice"
        if inner is not None and not 0 <= inner < n:
            return "a drop_idx_ out of range"
        expected.append(n - (inner is not None))
    fits = list(state[OfEncoders.N_COLUMNS]) == expected
    return None if fits else "another number of columns than categories_"


def _n_codes(state, i, n):
    """Return how many numbers stand for the categories of column `i`."""
    mappings = state.get(OfEncoders.RARE)
    if not state.get(OfEncoders.HAS_RARE) or mappings is None or mappings[i] is None:
        return n
    mapping = np.asarray(mappings[i])
    if mapping.dtype.kind not in "iu" or mapping.shape != (n,) or mapping.min() < 0:
        raise ValueError("not a mapping of all categories")
    return int(mapping.max()) + 1


def _of_tree(state):
    if "tree_" not in state:
        return None
    fits = state["tree_"].n_features == state["n_features_in_"]
    return None if fits else "a tree_ of other features"


def _of_forest(state):
    if "estimators_" not in state:
        return None
    trees = np.ravel(np.asarray(state["estimators_"], dtype=object))
    fits = all(each.n_features_in_ == state["n_features_in_"] for each in trees)
    return None if fits else "trees of other features"


def _of_isolation(state):
    if "estimators_" not in state:
        return None
    n, width = state["n_features_in_"], state[OfForests.MAX_FEATURES]
    trees, columns = state["estimators_"], state["estimators_features_"]
    fits = len(trees) == len(columns) and all(
        type(tree).__name__ == "ExtraTreeRegressor"
        and tree.n_features_in_ == width
        and np.shape(chosen) == (width,)
        and 0 <= np.min(chosen) <= np.max(chosen) < n
        for tree, chosen in zip(trees, columns, strict=True)
    )
    return None if fits else "trees of other features"


# Package and class, or a class that it derives from -> what finds a fault.
_CHECKS = {
    "sklearn.Pipeline": _of_pipeline,
    "sklearn.CountVectorizer": _of_counts,
    "sklearn.OneHotEncoder": _of_one_hot,
    "sklearn.BaseDecisionTree": _of_tree,
    "sklearn.BaseForest": _of_forest,
    "sklearn.IsolationForest": _of_isolation,
    "sklearn.BaseGradientBoosting": of_boosting,
    "sklearn.BaseHistGradientBoosting": of_histograms,
    "sklearn.BaseLibSVM": of_machine,
    "sklearn.NeighborsBase": of_neighbors,
    f"sklearn.{OfClusters.BASE}": of_means,
}
