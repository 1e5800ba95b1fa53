"""Parameters of the wrappers: ``fit`` checks those that differ from the defaults."""

import numpy as np
import pytest

from skrnn._sklearn import validate_parameter_constraints
from skrnn.scikeras import KerasClassifier, KerasRegressor

every_wrapper = pytest.mark.parametrize("cls", [KerasRegressor, KerasClassifier])


@every_wrapper
def test_defaults_are_valid(cls):
    given = cls().get_params(deep=False)
    assert given.keys() >= {"epochs", "batch_size", "validation_split"}
    validate_parameter_constraints(cls._parameter_constraints, given, cls.__name__)


@every_wrapper
@pytest.mark.parametrize(
    "wrong", [{"epochs": 0}, {"epochs": True}, {"verbose": "x"}, {"shuffle": "yes"}]
)
def test_other_values_are_checked_at_each_fit(cls, wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"'{name}' parameter of {cls.__name__}"):
        cls(lambda: None, **wrong).fit(np.ones((4, 3)), np.arange(4) % 2)


@every_wrapper
def test_a_value_set_later_is_checked(cls):
    model = cls(lambda: None).set_params(batch_size=0)
    with pytest.raises(ValueError, match=r"'batch_size' parameter of Keras\w+ must be"):
        model.fit(np.ones((4, 3)), np.arange(4) % 2)


@every_wrapper
def test_a_default_of_a_class_of_ones_own_is_checked(cls):
    class Own(cls):
        def __init__(self, model=None, *, epochs=0, **kwargs):
            super().__init__(model, epochs=epochs, **kwargs)

    with pytest.raises(ValueError, match="'epochs' parameter of Own"):
        Own(lambda: None).fit(np.ones((4, 3)), np.arange(4) % 2)
