"""Numbers so large that a network learns little from them: a warning says so."""

import numpy as np

from skrnn._data.warn import warn

# GRURegressor on sums of noise explains .99 of the variance, with X times 30 .80 and
# with X times 100 .44; with 30 added to X .69, and with 100 added nothing.
_LARGE = 50


def warn_of_large_numbers(estimator, sequences, categories=None):
    """Warn if a feature of X is far from the size that networks learn from.

    Parameters
    ----------
    estimator : estimator
        It has learned names of features if X has them, and is named in the warning.
    sequences : Sequences
        Of numbers.
    categories : Categories or None
        The layer of the channels of ids, whose size means nothing.
    """
    values = sequences.values.reshape(len(sequences.values), -1)
    # Without a copy of the values: a series may be most of the memory.
    squares = np.einsum("ij,ij->j", values, values, dtype=np.float64, casting="unsafe")
    sizes = np.sqrt(squares / max(len(values), 1))
    sizes[list(categories.columns) if categories else []] = 0
    if not sizes.max() > _LARGE:
        return
    worst = int(sizes.argmax())
    names = getattr(estimator, "feature_names_in_", range(len(sizes)))
    name = names[worst] if len(names) == len(sizes) else worst
    warn(
        f"Feature {name!r} of X has values around {sizes[worst]:.3g} (root mean "
        f"square). Networks learn best from values around 1, and "
        f"{type(estimator).__name__} may learn little: scale X, for instance by "
        "skrnn.preprocessing.SequenceWise(StandardScaler()), or by StandardScaler() "
        "before SlidingWindow, in a Pipeline."
    )
