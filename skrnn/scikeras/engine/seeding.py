"""Seeds for what draws from global generators, which are put back exactly."""

import random
import threading
from contextlib import ExitStack, contextmanager

import keras
import numpy as np

try:
    from keras.src.backend.common import global_state
except ImportError:  # Another Keras: models then go by its own generator.
    global_state = None

_KERAS_GENERATOR = "global_seed_generator"
# The generators belong to the whole process: one after the other.
_lock = threading.RLock()


@contextmanager
def seeded(seed):
    """Seed Python's, NumPy's, Keras' and its backend's generators while inside.

    Functions that build a Keras model take their first weights from these. Afterwards
    all are as they were before. With None for `seed` whoever is inside draws from the
    generators as they are, but while nobody has them seeded.
    """
    with _lock, ExitStack() as stack:
        if seed is not None:
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
    if global_state is None:
        yield
        return
    before = global_state.get_global_attribute(_KERAS_GENERATOR)
    # A name of its own: an automatic one would count up the user's.
    generator = keras.random.SeedGenerator(seed, name="seeded")
    global_state.set_global_attribute(_KERAS_GENERATOR, generator)
    try:
        yield
    finally:
        global_state.set_global_attribute(_KERAS_GENERATOR, before)


@contextmanager
def _nothing(_seed):
    yield


@contextmanager
def _torch(seed):
    # Deferred: Keras may run on another backend.
    import torch  # noqa: PLC0415

    # Keras draws the order of rows from them.
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


@contextmanager
def _tensorflow(seed):
    # Deferred: Keras may run on another backend.
    from tensorflow.python.eager import context  # noqa: PLC0415

    state = context.context()
    # Not only the seed: the generator has a place in its sequence too.
    names = "_seed", "_rng"
    before = {name: vars(state)[name] for name in names if name in vars(state)}
    # As tf.random.set_seed does, which also has every compiled function be optimised
    # anew: that takes most of a second, and is needed only after a seed was drawn.
    state._seed, state._rng = seed, random.Random(seed)
    unused = state._rng.getstate()
    try:
        yield
    finally:
        if state._rng.getstate() != unused:
            state.clear_kernel_cache()
        for name in names:
            vars(state).pop(name, None)
        vars(state).update(before)


_BACKENDS = {"tensorflow": _tensorflow, "torch": _torch}


def global_seed():
    """Draw a seed from Python's generator, as Keras does for what has none.

    So a script that begins with ``keras.utils.set_random_seed`` gives the same again.
    """
    with _lock:
        return random.randint(0, 2**31 - 1)
