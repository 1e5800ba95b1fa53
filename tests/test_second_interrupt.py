"""A second Ctrl-C, while the first one is still being dealt with."""

import sys

import numpy as np
import pytest

from skrnn import GRURegressor
from skrnn._estimators import one_fit

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(8, 3, 2)), RNG.normal(size=8)
# More lines than are run there.
N_LINES = 40


class SecondCtrlC:
    """Press Ctrl-C before the n-th line that `one_fit` runs after an error."""

    def __init__(self, n):
        self.n, self.seen, self.pressed = n, 0, False

    def __call__(self, frame, event, argument):
        if frame.f_code.co_filename != one_fit.__file__:
            return None
        if event == "line" and sys.exception() is not None:
            self.seen += 1
            if self.seen == self.n:
                self.pressed = True
                raise KeyboardInterrupt("the second")
        return self


def fail_halfway(model, ctrl_c):
    """Fail with half of a new fit learnt, while `ctrl_c` watches."""
    before = sys.gettrace()
    sys.settrace(ctrl_c)
    try:
        with one_fit.unchanged_on_error(model):
            model._spec, model._weights, model.new_ = None, [], 1
            del model.n_features_in_
            raise KeyboardInterrupt("the first")
    except KeyboardInterrupt as error:
        return error
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("n", range(1, N_LINES))
def test_a_second_ctrl_c_before_any_line_leaves_an_estimator_that_predicts(n):
    model = GRURegressor(units=2, epochs=1, random_state=0).fit(X, Y)
    expected, before = model.predict(X), dict(vars(model))
    ctrl_c = SecondCtrlC(n)
    error = fail_halfway(model, ctrl_c)
    assert str(error) == ("the second" if ctrl_c.pressed else "the first")
    np.testing.assert_array_equal(model.predict(X), expected)
    assert vars(model).keys() - {"new_"} == before.keys()
    assert all(vars(model)[name] is value for name, value in before.items())


def test_a_second_ctrl_c_is_pressed_somewhere():
    model = GRURegressor(units=2, epochs=1, random_state=0).fit(X, Y)
    few, many = SecondCtrlC(1), SecondCtrlC(N_LINES)
    fail_halfway(model, few)
    fail_halfway(model, many)
    assert few.pressed
    assert not many.pressed
