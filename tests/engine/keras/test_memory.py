"""What stays of compiled networks when others have taken their places."""

import json

from _instances import in_new_process

from skrnn import _engine

ARCHITECTURES = """
import gc, json, warnings
warnings.simplefilter("ignore")
import numpy as np
from skrnn import GRURegressor, _engine

_engine.programs.size = 2
X = np.random.default_rng(0).normal(size=(8, 3, 2))
found = []
for units in range(2, 11):
    network = GRURegressor(units=units, epochs=1, optimizer="ftrl", random_state=0)
    network.fit(X, X[:, 0, 0])
    from tensorflow.python.eager import context
    from tensorflow.python.framework.func_graph import FuncGraph

    gc.collect()
    graphs = sum(type(each) is FuncGraph for each in gc.get_objects())
    names = len(context.context().list_function_names())
    memory = int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20
    found.append([graphs, names, memory])
print(json.dumps(found))
"""


def test_an_architecture_that_is_left_leaves_no_graphs_and_functions():
    found = json.loads(in_new_process(ARCHITECTURES))
    graphs, names, memory = zip(*found, strict=True)
    # Three are enough for the first one to be gone.
    assert len(set(graphs[3:])) == 1
    assert len(set(names[3:])) == 1
    # Per fit; about 2.5 MB are the allocators' own.
    assert (memory[-1] - memory[3]) / 5 < 30


def test_few_programs_are_kept():
    assert _engine.programs.size <= 8
