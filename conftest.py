"""What pytest has to know before it collects."""

from importlib.util import find_spec

pytest_plugins = ["_worker_memory"]

# Doctests import every module. JAX takes 110 MB of every worker, and its module has no
# examples; PyTorch isn't installed everywhere.
# Tests of faults take minutes: `make faults` runs them.
collect_ignore = ["skrnn/_engine/keras/adapters/jax.py", "tests/faults"]
if find_spec("torch") is None:
    collect_ignore.append("skrnn/_engine/keras/adapters/torch.py")
