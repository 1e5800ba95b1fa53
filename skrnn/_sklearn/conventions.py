"""What the package adds to scikit-learn's conventions: typed decorators, one seed."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from sklearn.utils import check_random_state, metaestimators

_Method = TypeVar("_Method", bound=Callable[..., Any])


def available_if(check: Callable[[Any], bool]) -> Callable[[_Method], _Method]:
    """Decorate a method that exists only if `check(estimator)` is true."""
    return metaestimators.available_if(check)


def draw_seed(random_state, n_iter):
    """Draw the one seed of a fit; NumPy's global generator stays as it is.

    It depends on `n_iter`, the epochs done so far, so that training that goes on uses
    new shuffles.
    """
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    drawn = check_random_state(random_state).randint(2**31 - 1)
    mixed = np.random.SeedSequence([drawn, n_iter]).generate_state(1)[0]
    return int(mixed) % 2**31
