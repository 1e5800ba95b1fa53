"""What pytest has to know before it collects."""

from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import settings

pytest_plugins = ["_worker_memory"]

# How long an example takes depends on what else the machine does.
settings.register_profile("skrnn", deadline=None)
settings.load_profile("skrnn")

# Doctests import every module. JAX takes 110 MB of every worker, and its module has no
# examples; PyTorch isn't installed everywhere.
# These take minutes: `make faults` and `make gallery` run them.
collect_ignore = [
    "skrnn/_engine/keras/adapters/jax.py",
    "tests/faults",
    "tests/gallery",
]
if find_spec("torch") is None:
    collect_ignore.append("skrnn/_engine/keras/adapters/torch.py")


GENERATORS = pytest.StashKey[dict]()


def pytest_collection_finish(session):
    """Note where the generators of random numbers of test modules begin."""
    found = session.config.stash[GENERATORS] = {}
    for module in {getattr(item, "module", None) for item in session.items}:
        for value in vars(module).values() if module else ():
            if isinstance(value, np.random.Generator):
                found.setdefault(module, []).append((value, value.bit_generator.state))


def pytest_runtest_setup(item):
    """Let them begin there in each test, whatever ran before it in the same process."""
    module = getattr(item, "module", None)
    for generator, state in item.config.stash[GENERATORS].get(module, ()):
        generator.bit_generator.state = state
