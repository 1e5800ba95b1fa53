"""What attributes of machines and boosted trees must be: C code trusts their sizes."""

import warnings

import numpy as np

from skrnn._persistence.learners import is_as_numbers
from skrnn._sklearn.private import OfBoosting, OfClusters, OfMachines, OfNeighbors

_KERNELS = ("linear", "poly", "rbf", "sigmoid")
_MOST_THREADS = 1024


def of_machine(state):
    """Find a fault in a support vector machine, whose arrays libsvm reads."""
    if {OfMachines.KIND, OfMachines.SPARSE_KERNELS} & state.keys():
        return "another kind of machine"
    if "support_" not in state:
        return None
    if state[OfMachines.IS_SPARSE] or state["kernel"] not in _KERNELS:
        return "sparse vectors, or a kernel of its own"
    vectors, n_support = state["support_vectors_"], state[OfMachines.N_SUPPORT]
    n, width = vectors.shape
    k = len(state["classes_"]) if "classes_" in state else 2
    pairs = k * (k - 1) // 2
    total = n_support.sum() if "classes_" in state else n_support[0]
    probabilities = {np.shape(state[name]) for name in OfMachines.PROBABILITIES}
    expected = (pairs,) if state[OfMachines.HAS_PROBABILITIES] else (0,)
    fits = (
        width == state["n_features_in_"]
        and np.shape(state["support_"]) == (n,)
        and np.shape(n_support) == (k,)
        and (n_support >= 0).all()
        and total == n
        and probabilities == {expected}
    )
    for name in ("dual_coef_", OfMachines.DUAL_COEF):
        fits = fits and np.shape(state[name]) == (k - 1, n)
    for name in ("intercept_", OfMachines.INTERCEPT):
        fits = fits and np.shape(state[name]) == (pairs,)
    return None if fits else "support vectors that don't fit each other"


def of_means(state):
    """Find a fault in clusters by their means."""
    if "cluster_centers_" not in state:
        return None
    n, width = state["cluster_centers_"].shape
    fits = width == state["n_features_in_"] and n == state["n_clusters"]
    fits = fits and 1 <= state[OfClusters.N_THREADS] <= _MOST_THREADS
    fits = fits and np.shape(state.get(OfClusters.COUNTS, np.zeros(n))) == (n,)
    return None if fits else "cluster_centers_ of another size"


def of_neighbors(state):
    """Find a fault in neighbours: labels are counted by their numbers."""
    if OfNeighbors.X not in state:
        return None
    X, y = state[OfNeighbors.X], np.asarray(state[OfNeighbors.Y])
    classes = state.get("classes_")
    fits = X.ndim == 2 and X.dtype.kind == "f" and X.shape[1] == state["n_features_in_"]
    fits = fits and len(X) == len(y) == state["n_samples_fit_"]
    if classes is not None:
        columns = classes if y.ndim == 2 else [classes]
        y = y.reshape(len(y), -1)
        fits = fits and y.dtype.kind == "i" and y.shape[1] == len(columns)
        for column, known in zip(y.T, columns, strict=True):
            fits = fits and column.min() >= 0 and column.max() < len(known)
    return None if fits else "neighbours that don't fit each other"


def of_boosting(state):
    """Find a fault in boosted trees of nodes."""
    if "estimators_" not in state:
        return None
    trees, init = state["estimators_"], state["init_"]
    k, classes = state["n_trees_per_iteration_"], state.get("classes_")
    fits = k == (1 if classes is None or len(classes) == 2 else len(classes))
    fits = fits and trees.ndim == 2 and trees.shape[1] == k
    for tree in trees.ravel():
        fits = fits and type(tree).__name__ == "DecisionTreeRegressor"
        fits = fits and tree.n_features_in_ == state["n_features_in_"]
        fits = fits and tree.tree_.n_features == state["n_features_in_"]
        fits = fits and tree.tree_.value.shape[1:] == (1, 1)
    if type(init).__name__ == "DummyClassifier":
        same = np.shape(init.class_prior_) == (len(classes),) == (init.n_classes_,)
        fits = fits and same and init.strategy == "prior"
    elif type(init).__name__ != "DummyRegressor" and not isinstance(init, str):
        return "an init of its own"
    return None if fits else "trees that don't fit each other"


def of_histograms(state):
    """Find a fault in boosted trees of histograms."""
    if OfBoosting.TREES not in state:
        return None
    n, bins = state["n_features_in_"], vars(state[OfBoosting.MAPPER])
    fits = _reads_columns(state[OfBoosting.PREPROCESSOR], n, state["is_categorical_"])
    has_categories = bins["is_categorical_"] != 0
    for known, is_one in zip(bins["bin_thresholds_"], has_categories, strict=True):
        fits = fits and (not is_one or ((known >= 0) & (known < 256)).all())
    fits = fits and state[OfBoosting.N_FEATURES] == n
    fits = fits and len(bins["bin_thresholds_"]) == n
    for name in ("is_categorical_", "n_bins_non_missing_"):
        fits = fits and np.shape(bins[name]) == (n,)
    fits = fits and 0 <= bins["missing_values_bin_idx_"] <= 255
    fits = fits and 1 <= bins["n_threads"] <= _MOST_THREADS
    fits = fits and (bins["n_bins_non_missing_"] <= 255).all()
    for trees in state[OfBoosting.TREES]:
        fits = fits and len(trees) == state["n_trees_per_iteration_"]
        for tree in trees:
            splits = tree.nodes[tree.nodes["is_leaf"] != 1]
            columns, by_category = splits["feature_idx"], splits["is_categorical"] != 0
            fits = fits and (columns < n).all()
            fits = fits and has_categories[columns[by_category]].all()
    return None if fits else "trees that don't fit each other"


def _reads_columns(reader, n, is_categorical):
    """Whether what numbers categories gives trees as many columns as they expect."""
    if reader is None:
        return True
    steps = {name: each for name, each, _ in reader.transformers_}
    encoder, numbers, rest = steps["encoder"], steps["numerical"], set(steps.values())
    rest -= {encoder, numbers}
    if rest - {"drop"} or not is_as_numbers(numbers.func):
        return False
    row = np.zeros((1, n), object)
    firsts = [known[0] for known in encoder.categories_]
    row[0, np.flatnonzero(is_categorical)] = firsts
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = reader.transform(row)
    return found.shape == (1, n) and found.dtype == np.float64
