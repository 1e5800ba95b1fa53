"""What a network answers at each step of one sequence."""

from typing import Any

import numpy as np

from skrnn.inspection._parts import Reached
from skrnn.inspection._sequences import steps_of

# Classes whose probabilities are shown: those that are the most likely anywhere.
N_CLASSES = 5


def answers_of(
    reached: Reached, X: Any, real: slice, y: Any, number: int
) -> tuple[Any, Any, Any]:
    """Return answers (T, K), the truth of the same shape, and names of the answers.

    A network that answers a whole sequence is asked as if it ended at each step. All
    three are None if it answers no steps of X, as a decoder does. Numbers are in the
    units of y.

    Parameters
    ----------
    reached : Reached
        The network, and what its y went through.
    X : array-like
        One sequence.
    real : slice
        Its steps without padding.
    y : array-like or None
        Targets of all sequences as they were given, and the number of this one.
    """
    network = reached.network
    if not hasattr(network, "return_sequences"):
        return None, None, None
    if network.return_sequences:
        outputs = np.asarray(_asked(reached, network)(X)[0], dtype=float)[real]
    else:
        steps, ask = steps_of(X)[real], _asked(reached, _without_names(network))
        outputs = ask([steps[: t + 1] for t in range(len(steps))])
    outputs = np.asarray(outputs, dtype=float).reshape(len(outputs), -1)
    if hasattr(network, "predict_proba"):
        return _of_classes(network, outputs)
    truth, n = _truth(network, outputs, y, number, real), outputs.shape[1]
    return outputs, truth, [f"target {i}" for i in range(n)] if n > 1 else None


def _asked(reached, network):
    if hasattr(network, "predict_proba"):
        return network.predict_proba
    return lambda X: reached.in_units(network.predict(X))


def _without_names(network):
    """Return the network as if fitted on arrays: parts of rows have no names."""
    other = object.__new__(type(network))
    vars(other).update(vars(network))
    vars(other).pop("feature_names_in_", None)
    return other


def _of_classes(network, probabilities):
    """Return the probabilities of the classes that tell something."""
    classes = [str(label) for label in network.classes_]
    if len(classes) == 2 and not getattr(network, "_multilabel", False):
        return probabilities[:, 1:], None, [f"probability of {classes[1]}"]
    likely = np.argsort(-probabilities.max(axis=0), kind="stable")[:N_CLASSES]
    likely = np.sort(likely)
    return probabilities[:, likely], None, [classes[i] for i in likely]


def _truth(network, outputs, y, number, real):
    """Return the targets (T, K); NaN but at the last step if they are of the whole."""
    if y is None:
        return None
    rows = y.to_numpy() if hasattr(y, "to_numpy") else y
    own = np.asarray(rows[number], dtype=float)
    if network.return_sequences:
        return own.reshape(len(own), -1)[real]
    truth = np.full(outputs.shape, np.nan)
    truth[-1] = own.ravel()
    return truth
