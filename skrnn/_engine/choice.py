"""What runs where: the one place that decides."""

from skrnn._engine.cpu.kernels.layer import has_kernels
from skrnn._engine.cpu.kernels.matmul import ARE_COMPILED, WHY_NOT, kernels
from skrnn._engine.cpu.kernels.threads import n_threads
from skrnn._engine.cpu.optimizers import has_formula
from skrnn._engine.keras.backends import (
    BACKENDS,
    configured_backend,
    is_default_backend,
)
from skrnn._engine.keras.fork import is_forked
from skrnn._networks.losses import Pinball


def runs_in_c(spec):
    """Whether there are kernels for all recurrent layers of a network."""
    return all(has_kernels(layer.cell, layer.activation) for layer in spec.recurrent)


def trains_on(engine, *, by_name=True):
    """Return the engine that trains a network: "cpu" or "keras".

    ========  ==========================================  =======
    `engine`  and                                         trains
    ========  ==========================================  =======
    "cpu"                                                 cpu
    "keras"                                               keras
    "auto"    Keras' backend isn't TensorFlow             keras
    "auto"    there are no kernels                        keras
    "auto"    the loss or the optimizer has no name       keras
    "auto"    otherwise                                   cpu
    ========  ==========================================  =======

    Parameters
    ----------
    engine : {"auto", "cpu", "keras"}
    by_name : bool
        Whether the cpu engine has formulas for the loss and the optimizer.
    """
    if engine != "auto":
        return engine
    return "cpu" if ARE_COMPILED and by_name and is_default_backend() else "keras"


def have_formulas(loss, optimizer):
    """Whether the cpu engine has formulas for a loss and an optimizer."""
    return isinstance(loss, str | Pinball) and has_formula(optimizer)


def predicts_on(is_small, engine="auto"):
    """Return the name of what predicts: a key of the table of runners.

    A few sequences are done before a backend begins, whatever the engine is.
    """
    # In a forked process a backend would hang; the others work.
    if is_small or is_forked() or trains_on(engine) == "cpu":
        return "kernels" if ARE_COMPILED else "reference"
    return "compiled"


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
