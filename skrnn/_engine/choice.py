"""What runs where: the one place that decides."""

from skrnn._engine.cpu.kernels.layer import has_kernels
from skrnn._engine.cpu.kernels.matmul import ARE_COMPILED, WHY_NOT, kernels
from skrnn._engine.cpu.kernels.threads import n_threads
from skrnn._engine.keras.backends import (
    BACKENDS,
    configured_backend,
    is_default_backend,
)
from skrnn._engine.keras.fork import is_forked


def runs_in_c(spec):
    """Whether there are kernels for all recurrent layers of a network."""
    return all(has_kernels(layer.cell, layer.activation) for layer in spec.recurrent)


def trains_on_cpu():
    """Whether the cpu engine trains networks."""
    return ARE_COMPILED and is_default_backend()


def predicts_on(is_small):
    """Return the name of what predicts: a key of the table of runners."""
    # In a forked process a backend would hang; the others work.
    small = is_small or is_forked()
    if ARE_COMPILED and (small or is_default_backend()):
        return "kernels"
    return "reference" if small else "compiled"


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
