"""Quick fits of the recurrent estimators, and marks for all of them."""

import pytest
from _instances import NETWORKS
from sklearn.base import clone, is_classifier, is_regressor

# No more than it takes to see that something happens.
QUICK = dict(units=3, epochs=2, random_state=0)
# Enough to learn the tasks below.
LEARNS = dict(units=8, epochs=40, learning_rate=0.03, batch_size=16, random_state=0)

CLOSE = dict(rtol=1e-5, atol=1e-5)


def name_of(estimator):
    return type(estimator).__name__


REGRESSORS = [each for each in NETWORKS if is_regressor(each)]
CLASSIFIERS = [each for each in NETWORKS if is_classifier(each)]
every_estimator = pytest.mark.parametrize("estimator", NETWORKS, ids=name_of)
every_regressor = pytest.mark.parametrize("estimator", REGRESSORS, ids=name_of)
every_classifier = pytest.mark.parametrize("estimator", CLASSIFIERS, ids=name_of)


def quick(estimator, **parameters):
    return clone(estimator).set_params(**QUICK | parameters)
