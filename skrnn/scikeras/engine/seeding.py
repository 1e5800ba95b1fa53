"""Seeding global random generators in a context, and restoring them exactly."""

import random
import threading
from contextlib import ExitStack, contextmanager

import keras
import numpy as np

from skrnn._engine.keras.private import global_generator, tensorflow_seeded

# The generators belong to the whole process, so only one thread may seed them.
_lock = threading.RLock()


def seeded(seed):
    """Seed Python's, NumPy's, Keras' and its backend's generators while inside.

    Functions that build a Keras model draw initial weights from these. Afterwards the
    generators are as they were before. With None for `seed` they aren't seeded, but the
    lock is held, so that no other thread seeds them.
    """
    return _lock if seed is None else _all_seeded(seed)


@contextmanager
def _all_seeded(seed):
    with _lock, ExitStack() as stack:
        backend = _BACKENDS.get(keras.backend.backend(), _nothing)
        for generators in (_python, _numpy, backend, _keras):
            stack.enter_context(generators(seed))
        yield


@contextmanager
def _python(seed):
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


@contextmanager
def _numpy(seed):
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


@contextmanager
def _keras(seed):
    # With a name: an automatic one would change the numbers of the user's names.
    generator = keras.random.SeedGenerator(seed, name="seeded")
    with global_generator(generator):
        yield


@contextmanager
def _nothing(_seed):
    yield


@contextmanager
def _torch(seed):
    # Deferred: Keras may run on another backend.
    import torch  # noqa: PLC0415

    # Keras draws the order of rows from PyTorch's generators.
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


_BACKENDS = {"tensorflow": tensorflow_seeded, "torch": _torch}


def global_seed():
    """Draw a seed from Python's generator, as Keras does where none is given.

    So a script that begins with ``keras.utils.set_random_seed`` is reproducible.
    """
    with _lock:
        return random.randint(0, 2**31 - 1)
