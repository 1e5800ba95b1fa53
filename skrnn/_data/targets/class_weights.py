"""What `class_weight` multiplies the weights of labels with."""

from numbers import Real

import numpy as np


def factors_of_classes(class_weight, classes, codes, weights):
    """Return the factor of the weight of each label.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
    classes : ndarray of shape (n_classes,)
    codes, weights : ndarray of shape (n,)
        Positions of the labels in `classes`, and their weights so far.
    """
    if class_weight is None:
        return np.ones(len(codes))
    if isinstance(class_weight, str):
        return balanced(codes, weights)
    check_class_weight(class_weight, classes)
    of_classes = [class_weight.get(label, 1) for label in classes.tolist()]
    return np.array(of_classes, np.float64)[codes]


def balanced(y, weights):
    """Return factors that give all labels of a column of y the same total weight.

    As in scikit-learn's linear models, weights are summed, not rows counted: a label of
    weight 0 has no part in it.
    """
    rows = np.flatnonzero(weights)
    factors = np.ones(len(y))
    for column in y[rows].T if y.ndim == 2 else [y[rows]]:
        labels, codes = np.unique(column, return_inverse=True)
        totals = np.bincount(codes, weights[rows])
        factors[rows] *= (totals.sum() / (len(labels) * totals))[codes]
    return factors


def check_class_weight(class_weight, classes):
    """Refuse weights of unknown classes, and values that are no weights."""
    known = classes.tolist()
    for label, weight in class_weight.items():
        if label not in known:
            raise ValueError(
                f"class_weight has the key {label!r}, which is none of the classes "
                f"{known}."
            )
        if not isinstance(weight, Real) or not 0 <= float(weight) < np.inf:
            raise ValueError(
                f"class_weight[{label!r}] must be a finite number of at least 0. "
                f"Got {weight!r}."
            )
