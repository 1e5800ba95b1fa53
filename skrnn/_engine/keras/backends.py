"""The table of Keras' backends that the engine runs on."""

import importlib
import json
import os
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

from skrnn._engine.keras.quiet import quietly

# Name in KERAS_BACKEND -> usual name, and the module with the code for this backend.
BACKENDS = {
    "tensorflow": ("TensorFlow", "skrnn._engine.keras.adapters.tensorflow"),
    "jax": ("JAX", "skrnn._engine.keras.adapters.jax"),
    "torch": ("PyTorch", "skrnn._engine.keras.adapters.torch"),
}


def backend():
    """Import the module of the backend that Keras uses."""
    # Before Keras is imported: its own error for a backend that it can't load is long.
    _check(os.environ.get("KERAS_BACKEND") or "tensorflow")
    with quietly(), _generator_kept():
        try:
            return importlib.import_module(BACKENDS[_name_of_backend()][1])
        except ModuleNotFoundError as error:
            chosen = configured_backend()
            if error.name != chosen:
                raise
            raise ModuleNotFoundError(
                f"Keras' backend is {chosen!r}, by KERAS_BACKEND or Keras' own file, "
                f"but {chosen} isn't installed. Install it, choose another backend, or "
                "train with engine='cpu', which needs none.",
                name=chosen,
            ) from error


def is_default_backend() -> bool:
    """Whether Keras runs, or would run, on TensorFlow; nothing is loaded to find out.

    Only then do the kernels train: a user who sets another backend wants to use it.
    """
    chosen = os.environ.get("KERAS_BACKEND") or "tensorflow"
    return chosen == configured_backend() == "tensorflow"


def configured_backend() -> str:
    """Return the name of the backend that Keras uses, or would use; load nothing."""
    config = getattr(sys.modules.get("keras"), "config", None)
    if config is not None:
        return config.backend()
    home = os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")
    return os.environ.get("KERAS_BACKEND") or _configured(home)


@cache
def _configured(home):
    """Read the backend from Keras' own file, as Keras will when it is imported."""
    try:
        return json.loads(Path(home, "keras.json").read_text())["backend"]
    except (OSError, ValueError, KeyError, TypeError):
        return "tensorflow"


def title_of_backend():
    """Return the usual name of the backend that Keras uses, such as PyTorch."""
    name = configured_backend()
    return BACKENDS[name][0] if name in BACKENDS else name


@contextmanager
def _generator_kept():
    """Leave NumPy's global generator alone: the first import of JAX draws from it.

    So does that of TensorFlow, which imports JAX if it is installed.
    """
    first_time = "keras" not in sys.modules
    state = np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        if first_time:
            np.random.set_state(state)  # noqa: NPY002


def _name_of_backend():
    # Deferred: it loads the backend.
    import keras  # noqa: PLC0415

    # Without the variable, Keras reads a file of its own.
    return _check(keras.config.backend())


def _check(name):
    if name not in BACKENDS:
        raise ValueError(
            f"The environment variable KERAS_BACKEND must be one of {list(BACKENDS)} "
            f"for networks to be trained; Keras' backend is {name!r} here."
        )
    return name
