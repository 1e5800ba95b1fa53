"""A plugin of pytest: its workers stay small, and say what they took.

TensorFlow and Keras take 0.7 GB as soon as they are loaded, and keep much of every
network that was trained. Here that is let go of between tests, and JAX isn't loaded
where no test asks for it.
"""

import ctypes
import gc
import os
import sys
from importlib.abc import MetaPathFinder

import pytest

# In MB, of 2**20 bytes. The goal is 1,000; this is what a whole run may not exceed.
LIMIT = 1700
# How glibc numbers it.
M_ARENA_MAX = -8
# What may come together, in MB, until it is looked through: in a file, and at its end.
WITHIN, BETWEEN = 30, 10

_small = 0


class WithoutJax(MetaPathFinder):
    """TensorFlow and Keras load JAX, if it is there, without using it: 110 MB."""

    def find_spec(self, name, path, target=None):
        """Hide JAX from both, but where Keras runs on it."""
        if name != "jax" or os.environ.get("KERAS_BACKEND") == "jax":
            return
        frame = sys._getframe()
        while frame is not None:
            module = frame.f_globals.get("__name__", "").partition(".")[0]
            if module in ("tensorflow", "keras"):
                raise ModuleNotFoundError("hidden from " + module, name=name)
            frame = frame.f_back


def memory(name="VmRSS"):
    """Return what this process takes in MB, or took at most: "VmHWM"; 0 if unknown."""
    try:
        with open("/proc/self/status") as file:
            lines = dict(line.split(":", 1) for line in file)
    except OSError:
        return 0
    return int(lines[name].split()[0]) // 1024


def forget_traces():
    """Let go of functions that TensorFlow compiled for networks that are gone.

    Keras' optimizers reduce gradients by a function with a gradient of its own, and
    TensorFlow keeps that for ever, with the whole step that it is part of: 10 MB a
    `fit` of Keras. What is trained by skrnn's own programs leaves none.
    """
    ops = sys.modules.get("tensorflow.python.framework.ops")
    gradients = getattr(getattr(ops, "gradient_registry", None), "_registry", {})
    for name in [name for name in gradients if name.startswith("CustomGradient-")]:
        del gradients[name]
    gc.collect()
    private = sys.modules.get("skrnn._engine.keras.private")
    if private is not None:
        private.forget_kernels()
    # What is free stays with the process otherwise.
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


def forget_networks():
    """Let go of what skrnn, its tests and Keras keep for the next network."""
    for name in [name for name in sys.modules if name.startswith("skrnn.")]:
        for cache in list(vars(sys.modules[name]).values()):
            if hasattr(type(cache), "borrow"):
                cache._idle.clear()
    predicting = sys.modules.get("skrnn.scikeras.engine.prediction")
    if predicting is not None:
        predicting._compiled.clear()
    cases = sys.modules.get("_network_cases")
    if cases is not None:
        cases.program.cache_clear()
    keras = sys.modules.get("keras")
    if keras is not None:
        keras.backend.clear_session()
    forget_traces()


def pytest_collection_finish():
    """Take what all tests need for ever out of what is looked through for garbage."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_protocol(item, nextitem):
    """Keep the process small after a test."""
    global _small
    result = yield
    ends = nextitem is None or nextitem.path != item.path
    if memory() > _small + (BETWEEN if ends else WITHIN):
        forget_networks()
        _small = memory()
    return result


def pytest_configure(config):
    """Hide JAX, and make room for what workers tell."""
    sys.meta_path.insert(0, WithoutJax())
    # A pool of memory for each thread, each with holes of its own, takes more.
    if limit_pools := getattr(ctypes.CDLL(None), "mallopt", None):
        limit_pools(M_ARENA_MAX, 2)
    config.stash[TAKEN] = {}


TAKEN = pytest.StashKey[dict]()


def pytest_sessionfinish(session):
    """Tell how much a worker took; in the process that has workers, judge it."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["peak_memory"] = memory("VmHWM")
    elif too_large(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    """Note what a worker took."""
    peak = getattr(node, "workeroutput", {}).get("peak_memory")
    if peak:
        node.config.stash[TAKEN][node.gateway.id] = peak


def too_large(config):
    """List the workers that took too much of a whole run."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    whole = whole and not (config.option.keyword or config.option.markexpr)
    taken = config.stash[TAKEN].items()
    return [name for name, peak in taken if whole and peak > LIMIT]


def pytest_terminal_summary(terminalreporter, config):
    """Print what each worker took."""
    taken = sorted(config.stash[TAKEN].items())
    if taken:
        told = ", ".join(f"{name} {peak:,} MB" for name, peak in taken)
        terminalreporter.write_line(f"Memory at most: {told} (limit {LIMIT:,} MB)")
    for name in too_large(config):
        terminalreporter.write_line(f"FAILED: worker {name} took too much", red=True)
