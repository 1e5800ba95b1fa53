"""The only place that decides what runs where.

====================  ==============  =====================  ===========
``engine``            kernels in C    Keras' backend         what runs
====================  ==============  =====================  ===========
``"cpu"``             any             any                    cpu
``"keras"``           any             any                    keras
``"auto"``            there           TensorFlow (default)   cpu
``"auto"``            there           another one            keras
``"auto"``            not there       any                    keras
====================  ==============  =====================  ===========

Every network, loss and optimizer runs on either engine. If "auto" finds no kernels, a
warning says so once per process. Whatever `engine` is, the cpu engine computes small
predictions, and all predictions of a forked process, in which a backend of Keras can't
run. It also computes decoders and language models, step by step.
"""

from dataclasses import dataclass
from functools import cache

from skrnn._data.warn import warn
from skrnn._engine.cpu.kernels.layer import IN_C
from skrnn._engine.cpu.kernels.matmul import ARE_COMPILED, WHY_NOT, kernels
from skrnn._engine.cpu.kernels.threads import n_threads
from skrnn._engine.keras.backends import (
    BACKENDS,
    configured_backend,
    is_default_backend,
)
from skrnn._engine.keras.fork import is_forked

# What the estimators' parameter may be.
ENGINES = ("auto", "cpu", "keras")


@dataclass(frozen=True)
class Rule:
    """What runs where an estimator asks for `engine`; None stands for either case."""

    engine: str
    has_kernels: bool | None
    has_default_backend: bool | None
    runs: str


# The first rule that fits decides.
RULES = (
    Rule("cpu", None, None, "cpu"),
    Rule("keras", None, None, "keras"),
    Rule("auto", True, True, "cpu"),
    Rule("auto", True, False, "keras"),
    Rule("auto", False, None, "keras"),
)


def choose(engine="auto"):
    """Return the engine that trains, ``"cpu"`` or ``"keras"``."""
    if engine == "auto" and not ARE_COMPILED:
        _warn_without_kernels()
    return _decide(engine)


def predicts_on(is_small, engine="auto"):
    """Return the name of what predicts: a key of the table of runners."""
    if not (is_small or is_forked()) and _decide(engine) == "keras":
        return "compiled"
    return "kernels" if ARE_COMPILED else "reference"


def _decide(engine):
    """Return what the first rule that fits says."""
    has_kernels, has_default_backend = ARE_COMPILED, is_default_backend()
    for rule in RULES:
        fits = rule.has_kernels in (None, has_kernels)
        fits &= rule.has_default_backend in (None, has_default_backend)
        if rule.engine == engine and fits:
            return rule.runs
    raise ValueError(f"engine must be one of {list(ENGINES)}, got {engine!r}.")


def runs_in_c(spec):
    """Whether there are kernels for all recurrent layers of a network."""
    return all((layer.cell, layer.activation) in IN_C for layer in spec.recurrent)


@cache
def _warn_without_kernels():
    """Warn, once a process, that training is slow."""
    warn(
        "skrnn was installed without its kernels in C, which couldn't be compiled or "
        f"can't be loaded ({WHY_NOT}). Training runs on Keras, several times slower. "
        "GCC or clang and a new installation help; skrnn.show_versions() tells whether "
        "the kernels are there."
    )


def facts():
    """Return facts for a bug report by their names."""
    backend = configured_backend()
    known = "" if backend in BACKENDS else f" (none of {', '.join(BACKENDS)})"
    return {
        "kernels in C": "yes" if ARE_COMPILED else f"no: {WHY_NOT}",
        "instructions": kernels.instructions() if ARE_COMPILED else "NumPy's",
        "threads": n_threads(),
        "Keras' backend": f"{backend}{known}",
    }
