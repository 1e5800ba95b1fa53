"""Which steps of X are padding, for a fitted tagger, also in pipelines and searches."""

import numpy as np
from sklearn.pipeline import Pipeline

from skrnn._data.sequences import ragged_array, unpack_steps
from skrnn._data.targets.weights import rows_of


def real_steps(estimator, X):
    """Return which steps of X are real, in the form of predicted labels.

    Parameters
    ----------
    estimator : estimator
        A tagger that reads token ids, or a Pipeline or a search that ends in one.
    X : array-like or list

    Returns
    -------
    real : ndarray of bool of shape (n, T), or object array of such; or None
        None if nothing is padding, or the estimator is no tagger of token ids.
    """
    steps = list(_way_to_the_network(estimator))
    network = steps[-1]
    reads_tokens = getattr(network, "embedding_dim", None) is not None
    reads_tokens |= getattr(network, "embedding_matrix", None) is not None
    tags = getattr(network, "return_sequences", False) and hasattr(network, "_check_X")
    wraps = hasattr(network, "_real_steps")
    if not (reads_tokens and tags) and not wraps:
        return None
    for transformer in steps[:-1]:
        X = transformer.transform(X)
    if wraps:
        # A wrapper of the user's network, which may mask steps.
        return network._real_steps(X)
    sequences = network._check_X(X, reset=False)
    padded = (sequences.lengths < sequences.lengths_as_given).any()
    if not padded and sequences.empty is None:
        return None
    return unpack_steps(np.ones(sequences.lengths.sum(), bool), sequences, False)


def _way_to_the_network(estimator):
    """List the fitted transformers of X, and after them the estimator that predicts."""
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, Pipeline):
            *before, (_, last) = estimator.steps
            if before:
                yield estimator[:-1]
            estimator = last
        else:
            yield estimator
            return


def weights_at(real, sample_weight):
    """Return the weight of each step, (n, T) or an object array: 0 at padding.

    Parameters
    ----------
    real : ndarray of bool of shape (n, T), or object array of (T_i,)
    sample_weight : array-like of shape (n,) or (n, T), list of (T_i,), or None
    """
    weights = rows_of(np.ones(len(real)) if sample_weight is None else sample_weight)
    pairs = list(zip(weights, real, strict=False))
    fits = all(row.shape in ((), here.shape) for row, here in pairs)
    if not fits or len(weights) != len(real):
        # Refused later, where the labels are read.
        return sample_weight
    rows = [np.where(*each, 0) for each in zip(real, weights, strict=True)]
    return np.stack(rows) if real.dtype == bool else ragged_array(rows)
