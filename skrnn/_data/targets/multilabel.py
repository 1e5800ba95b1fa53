"""Labels of single steps: one for each, or several at once."""

import numpy as np
from sklearn.utils.multiclass import check_classification_targets

from skrnn._data.targets.reading import check_labels
from skrnn._data.validation import is_ragged


def labels_of_steps(labels):
    """Check the labels of all steps of all sequences.

    Parameters
    ----------
    labels : ndarray of shape (n_steps,), (n_steps, 1) or (n_steps, n_labels)

    Returns
    -------
    labels : ndarray of shape (n_steps,), or (n_steps, n_labels) of 0 and 1

    Raises
    ------
    ValueError, TypeError
        If they are anything else.
    """
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim not in (1, 2) or 0 in labels.shape[1:]:
        raise ValueError(
            "With return_sequences=True every step needs one label, or an indicator of "
            f"0 and 1 for each of several; y has steps of shape {labels.shape[1:]}."
        )
    labels = check_labels(labels)
    if labels.ndim == 2:
        return _indicators(labels)
    check_classification_targets(labels)
    return labels


def _indicators(labels):
    """Return zeros and ones (n_steps, n_labels)."""
    # Strings such as '0' and '1' aren't taken for numbers.
    known = np.isin(labels, (0, 1)) & (labels.dtype.kind in "biuf")
    if not known.all():
        raise ValueError(
            f"y has steps of shape {labels.shape[1:]}, which must be indicators of 0 "
            f"and 1: several labels at once. Got {labels[~known].tolist()[0]!r}; for "
            "one label a step give y of shape (n_samples, n_timesteps)."
        )
    return labels.astype(int)


def several_a_step(y):
    """Whether y, (n, T, K) or a list of (T_i, K), has several labels at each step."""
    if is_ragged(y):
        first = next(iter(y))
        return np.ndim(first) == 2 and np.shape(first)[1] > 1
    return np.ndim(y) == 3 and np.shape(y)[2] > 1
