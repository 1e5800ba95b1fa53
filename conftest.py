"""What pytest has to know before it collects."""

from importlib.util import find_spec

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
