"""Which steps of X are padding, for a fitted tagger inside of whatever."""

import numpy as np
from sklearn.pipeline import Pipeline

from skrnn._sequences import ragged_array, unpack_steps
from skrnn._targets._weights import are_of_steps


def real_steps(estimator, X):
    """Return where the rows of X have steps, in the form that labels come back in.

    Parameters
    ----------
    estimator : estimator
        A tagger that reads token ids, or a Pipeline or a search that ends in one.
    X : array-like or list

    Returns
    -------
    real : ndarray of bool of shape (n, T), or object array of such; or None
        None where nothing is padding, or the estimator is another one.
    """
    steps = list(_way_to_the_network(estimator))
    network = steps[-1]
    reads_tokens = getattr(network, "embedding_dim", None) is not None
    reads_tokens |= getattr(network, "embedding_matrix", None) is not None
    if not (reads_tokens and getattr(network, "return_sequences", False)):
        return None
    for transformer in steps[:-1]:
        X = transformer.transform(X)
    sequences = network._check_X(X, reset=False)
    if not (sequences.lengths < sequences.lengths_as_given).any():
        return None if sequences.empty is None else _real(sequences)
    return _real(sequences)


def _real(sequences):
    return unpack_steps(np.ones(sequences.lengths.sum(), bool), sequences, False)


def _way_to_the_network(estimator):
    """List what transforms X, fitted, and behind it what predicts."""
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
    if sample_weight is None:
        sample_weight = np.ones(len(real))
    elif not are_of_steps(sample_weight):
        sample_weight = np.asarray(sample_weight)
    if len(sample_weight) != len(real):
        # To be refused beside the labels.
        return sample_weight
    rows = [
        np.where(here, np.asarray(weights), 0)
        for here, weights in zip(real, sample_weight, strict=True)
        if np.ndim(weights) == 0 or np.shape(weights) == np.shape(here)
    ]
    if len(rows) < len(real):
        return sample_weight
    return np.stack(rows) if real.dtype == bool else ragged_array(rows)
