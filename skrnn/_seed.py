"""The one seed of a fit."""

import numpy as np
from sklearn.utils import check_random_state


def draw_seed(random_state, n_iter):
    """Draw the one seed of a fit; NumPy's global generator stays as it is.

    Training that goes on continues with other shuffles: the epochs done so far count.
    """
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    drawn = check_random_state(random_state).randint(2**31 - 1)
    mixed = np.random.SeedSequence([drawn, n_iter]).generate_state(1)[0]
    return int(mixed) % 2**31
