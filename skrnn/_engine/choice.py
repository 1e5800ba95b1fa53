"""What runs where: the one place that decides."""

from skrnn._engine.cpu.kernels.layer import has_kernels
from skrnn._engine.cpu.kernels.matmul import ARE_COMPILED, WHY_NOT, kernels
from skrnn._engine.cpu.kernels.threads import n_threads
from skrnn._engine.keras.backends import (
    BACKENDS,
    configured_backend,
    is_default_backend,
)


def has_fast_layers(spec):
    """Whether there are kernels for a network."""
    return has_kernels(spec.cell, spec.activation)


def trains_on_cpu(spec):
    """Whether the cpu engine trains a network, whatever its loss and optimizer are."""
    return has_fast_layers(spec) and is_default_backend()


def facts():
    """Return what a report of a fault should tell: names, and what is so here."""
    backend = configured_backend()
    known = "" if backend in BACKENDS else f" (none of {', '.join(BACKENDS)})"
    return {
        "kernels in C": "yes" if ARE_COMPILED else f"no: {WHY_NOT}",
        "instructions": kernels.instructions() if ARE_COMPILED else "NumPy's",
        "threads": n_threads(),
        "Keras' backend": f"{backend}{known}",
    }
