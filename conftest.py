"""What pytest has to know before it collects."""

from importlib.util import find_spec

# Doctests import every module, and these need what isn't installed everywhere.
collect_ignore = [
    f"skrnn/_engine/keras/{backend}.py"
    for backend in ("jax", "torch")
    if find_spec(backend) is None
]
