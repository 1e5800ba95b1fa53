"""Factors by which `class_weight` multiplies the weights of labels."""

from dataclasses import replace
from numbers import Real

import numpy as np
from sklearn.utils import compute_sample_weight

from skrnn._data.batches import row_blocks, sum_of_blocks


class WeightsOfClasses:
    """Weights of labels that are read from a table with one for each class.

    They replace an array of a weight for each label, for which ten million windows
    leave no memory.

    Parameters
    ----------
    numbers : ndarray of int of shape (n,)
        Of the classes of the labels.
    table : ndarray of shape (n_classes,)
        0 for classes without a label.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn._data.targets.class_weights import WeightsOfClasses
    >>> weights = WeightsOfClasses(np.array([1, 1, 0], np.int8), np.array([0.5, 2.0]))
    >>> weights[1:]
    array([2. , 0.5])
    """

    # No number for all.
    strides = (1,)

    def __init__(self, numbers, table):
        self._numbers, self._table = numbers, table

    def __len__(self):
        return len(self._numbers)

    def __getitem__(self, rows):
        return self._table[self._numbers[rows]]

    def of_table(self, function):
        """Return weights whose table is ``function(table)``."""
        return WeightsOfClasses(self._numbers, function(self._table))

    def any(self):
        """Whether a weight isn't 0."""
        return bool(self._table.any())

    def max(self):
        """Return the largest possible weight."""
        return self._table.max()

    def sum(self):
        """Return the sum of all weights, rounded as that of an array of them."""
        return sum_of_blocks(lambda rows: self[rows].sum(), len(self))


def weighted_by_class(weights, numbers, table):
    """Return weights times what the table has for the class of each label.

    Parameters
    ----------
    weights : ndarray of shape (n,)
        Without a stride they are one number: then no array of products is made either.
    numbers : ndarray of int of shape (n,)
    table : ndarray of shape (n_classes,)
    """
    if weights.strides == (0,):
        return WeightsOfClasses(numbers, weights[0] * table)
    found = np.empty(len(weights))
    for rows in row_blocks(len(weights)):
        found[rows] = weights[rows] * table[numbers[rows]]
    return found


def balanced_table(numbers, n_classes, weights):
    """Return factors that give all classes with labels the same total weight.

    Parameters
    ----------
    numbers : ndarray of int of shape (n,)
    n_classes : int
    weights : ndarray of shape (n,)
        Above 0.
    """
    totals, table = np.zeros(n_classes), np.zeros(n_classes)
    for rows in row_blocks(len(numbers)):
        # One after the other, so that blocks don't round in another way.
        np.add.at(totals, numbers[rows], weights[rows])
    there = totals > 0
    totals = totals[there]
    table[there] = totals.sum() / (len(totals) * totals)
    return table


def table_of_classes(factors, labels, classes):
    """Return the factors of `labels`, at their places in `classes`, and 0 for others.

    Both `labels` and `classes` are sorted, and `classes` contain all `labels`.
    """
    table = np.zeros(len(classes))
    table[np.searchsorted(classes, labels)] = factors
    return table


def factors_of_rows(estimator, y, weights):
    """Return the factor of each row, as ``compute_sample_weight`` of scikit-learn.

    Parameters
    ----------
    estimator : estimator
        Which has `class_weight` and `classes_`; named in errors.
    y : ndarray of shape (n,) or (n, n_labels)
        Labels, or an indicator matrix.
    weights : ndarray of shape (n,)
    """
    class_weight = estimator.class_weight
    if isinstance(class_weight, str):
        return balanced(y, weights)
    if isinstance(class_weight, dict):
        check_class_weight(class_weight, estimator.classes_)
    elif y.ndim == 1:
        raise ValueError(
            "class_weight is a list, which is for an indicator matrix y: one dict "
            f"for each label. {type(estimator).__name__} expects a dict of the classes "
            f"{estimator.classes_.tolist()} here."
        )
    elif len(class_weight) != y.shape[1] or not all(
        isinstance(each, dict | str) for each in class_weight
    ):
        raise ValueError(
            f"class_weight={class_weight!r:.60} is invalid for an indicator matrix y; "
            "expected one dict for each label."
        )
    with np.errstate(over="ignore"):
        factors = compute_sample_weight(class_weight, y)
    if not np.isfinite(factors).all():
        # scikit-learn multiplies the weights of all labels of a row.
        raise ValueError(
            f"class_weight={class_weight!r} gives a sequence an infinite "
            "weight; divide it by a large number."
        )
    return factors


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


def table_of_columns(class_weight, y, weights):
    """Return the factor of 0 and of 1 for each column of an indicator matrix.

    That of a row is the product over its columns.
    """
    if isinstance(class_weight, list):
        known = [[each.get(0, 1), each.get(1, 1)] for each in class_weight]
        return np.array(known, np.float64)
    table = np.ones((y.shape[1], 2))
    for column, row in zip(y.T, table, strict=True):
        factors = balanced(column, weights)
        for label in (0, 1):
            row[label] = factors[(column == label) & (weights > 0)].max(initial=0)
    return table


def balanced(y, weights):
    """Return factors that give all labels of a column of y the same total weight.

    As in scikit-learn's linear models, weights are summed instead of counting rows:
    labels of weight 0 don't count.
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


def factors_in_training(table, weights, weighted):
    """Return factors of classes so that those of all targets together are of mean 1.

    Parameters
    ----------
    table : ndarray of shape (n_classes,) or (n_labels, 2)
        Factors as they are given, or balanced.
    weights, weighted : ndarray
        Weights of the targets without these factors, and with them.
    """
    # The sum of very large weights would be infinite.
    _, exponent = np.frexp(weighted.max())
    total = _divided(weighted, exponent).sum()
    # If nothing is left to train with, another check says so.
    share = np.ldexp(weights.sum() / total, -exponent) if total > 0 else 1.0
    # A row of an indicator matrix has the product of the factors of its labels.
    return table * share ** (1 / len(table) if table.ndim == 2 else 1)


def _divided(weights, exponent):
    if isinstance(weights, WeightsOfClasses):
        return weights.of_table(lambda table: np.ldexp(table, -exponent))
    return np.ldexp(weights, -exponent)


def weighted_by_columns(estimator, y, weights):
    """Return the weights of the rows of an indicator matrix, and factors of labels.

    The weights include those that `class_weight` gives; the factors are those of
    training.
    """
    found = weights * factors_of_rows(estimator, y, weights)
    table = table_of_columns(estimator.class_weight, y, weights)
    return found, factors_in_training(table, weights, found)


def factors_of_steps(class_weight, classes, codes, weights):
    """Return the factor of the weight of each step, and those of classes in training.

    A code past those of the classes is the end of a sequence, whose weight stays.
    """
    factors, steps = np.ones(len(codes)), codes < len(classes)
    given = class_weight, classes, codes[steps], weights[steps]
    factors[steps] = factors_of_classes(*given)
    table = np.ones(len(classes) + 1)
    table[codes] = factors
    return factors, factors_in_training(table, weights, weights * factors)


def with_class_factors(data, table):
    """Return a dataset whose weights have the factors of classes that ``fit`` used.

    Parameters
    ----------
    data : Dataset or Seq2SeqData
        Without any: its weights are of mean 1.
    table : ndarray of shape (n_classes,) or (n_labels, 2)
        A factor for each class; for each label of an indicator matrix that of 0 and 1.
        Those of all targets of ``fit`` together are of mean 1.
    """
    if hasattr(data, "outputs"):
        factors = table[data.outputs.values]
        if data.step_weights is not None:
            factors = factors * data.step_weights
        return replace(data, step_weights=factors.astype(np.float32))
    numbers = np.asarray(data.targets).astype(int)
    if table.ndim == 1:
        factors = table[numbers[:, 0]]
    else:
        factors = np.take_along_axis(table.T, numbers, axis=0).prod(axis=1)
    return replace(data, weights=(data.weights * factors).astype(np.float32))
