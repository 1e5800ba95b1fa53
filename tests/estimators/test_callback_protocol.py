"""scikit-learn's own tests of callbacks, run on a network in place of their estimator.

Their tests name the estimator in a global variable of the module, and fit it without
data; ours gets some.
"""

import numpy as np
import pytest

from skrnn import GRURegressor

of_support = pytest.importorskip("sklearn.callback.tests.test_callback_support")
of_contexts = pytest.importorskip("sklearn.callback.tests.test_callback_context")
of_pickles = pytest.importorskip("sklearn.callback.tests.test_pickle")
of_bars = pytest.importorskip("sklearn.callback.tests.test_progressbar")

X = np.random.default_rng(0).normal(size=(12, 3, 1))


class Network(GRURegressor):
    """Trains on data of its own where it is given none, or rows of a table."""

    def fit(self, X_given=None, y=None, *, X=X):
        if y is None:
            return super().fit(X, X[:, -1, 0])
        return super().fit(X if X_given is None else X_given, y)


def network(max_iter=20, computation_intensity=None):
    """Take the parameters of their estimator."""
    return Network(units=2, epochs=max_iter, random_state=0)


network.__name__ = "Network"


@pytest.fixture(autouse=True)
def ours(monkeypatch):
    for module in of_support, of_contexts, of_pickles, of_bars:
        monkeypatch.setattr(module, "MaxIterEstimator", network)


class TestSupport:
    pass
