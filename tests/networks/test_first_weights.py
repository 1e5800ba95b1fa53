"""First recurrent kernels are orthogonal, and cost no more than one thread's time."""

import json
import sys

import numpy as np
import pytest
from _instances import in_new_process

from skrnn._networks.weights import _orthogonal, _product


@pytest.mark.parametrize("shape", [(1, 1), (5, 20), (50, 200), (130, 2080)])
def test_rows_are_orthogonal_and_of_length_one(shape):
    kernel = _orthogonal(np.random.default_rng(0), shape)
    assert kernel.shape == shape
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(shape[0]), atol=1e-12)


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (2000, 33, 8), (33, 2000, 8), (3, 1000, 600)]
)
def test_a_product_by_parts_is_the_whole_one(shape):
    m, k, n = shape
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((m, k)), rng.standard_normal((k, n))
    np.testing.assert_allclose(_product(a, b), a @ b, rtol=1e-9, atol=1e-9)


TIMES = """
import json, os
import numpy as np
from skrnn._networks.architecture import network_spec
from skrnn._networks.specs import Head
from skrnn._networks.weights import initial_weights

def ticks():
    found = {}
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/stat") as file:
            numbers = file.read().rpartition(") ")[2].split()
        found[int(task)] = int(numbers[11]) + int(numbers[12])
    return found

before = ticks()
for units in (50, 256, 600):
    kind = dict(cell="lstm", units=(units,), n_features=8)
    initial_weights(network_spec(**kind, head=Head(1)), 0)
used = {task: n - before.get(task, 0) for task, n in ticks().items()}
own = used.pop(os.getpid())
print(json.dumps([own, sum(used.values())]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_no_other_thread_computes():
    own, others = json.loads(in_new_process(TIMES))
    assert own > 0
    assert others <= 1
