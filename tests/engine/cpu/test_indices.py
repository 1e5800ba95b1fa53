"""The gradient of entries that an index picks: those picked twice get both parts."""

import numpy as np
import pytest

from skrnn._engine.cpu.autodiff import _may_repeat, differentiate, leaves

ROWS, RISING = np.array([2, 0, 2, 1]), np.arange(4)
KEYS = {
    "rows, once each": (np.array([0, 2]), False),
    "rows, repeated": (ROWS, True),
    "rows from the end, perhaps the same": (np.array([-4, 0]), True),
    "an entry of each column": ((ROWS, RISING), False),
    "a column of each row": ((slice(None), RISING), False),
    "a table of rows and columns": ((ROWS[:3, None], RISING), True),
    "rows of a table": (ROWS[:4].reshape(2, 2), True),
    "a mask and rows": ((ROWS > 0, RISING[:3]), True),
    "a mask": (ROWS > 0, False),
    "nothing": (ROWS[:0], False),
}


@pytest.mark.parametrize("name", KEYS)
def test_each_entry_gets_the_sum_of_its_gradients(name):
    key, may_repeat = KEYS[name]
    x = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)
    (node,) = leaves([x], [True])
    picked = node[key]
    g = np.random.default_rng(1).normal(size=x[key].shape).astype(np.float32)
    differentiate(picked, g)
    expected = np.zeros_like(x)
    np.add.at(expected, key, g)
    np.testing.assert_array_equal(node.gradient, expected)
    assert _may_repeat(key) == may_repeat
