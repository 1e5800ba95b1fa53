"""A plugin of pytest: its workers stay small, and say what they took.

TensorFlow and Keras take 0.5 GB as soon as they are loaded, and keep much of every
network that was trained. Here that is let go of between tests, and so is what was read
of their libraries and is needed no more. JAX isn't loaded where no test asks for it.
"""

import ctypes
import gc
import linecache
import os
import re
import sys
from importlib.abc import MetaPathFinder

import pytest

# What a worker may take at most in a whole run, in MB of 2**20 bytes. The goal is
# 1,000; machines differ by a tenth.
LIMIT = 1100
# How glibc numbers it, and how Linux does.
M_ARENA_MAX = -8
MADV_DONTNEED = 4
# What may come together, in MB, until it is let go of: in a file, whose next test may
# need the same network, which takes seconds to compile, and at its end.
WITHIN, BETWEEN = 80, 10
# How much more is read of libraries, in MB, when a large one was loaded.
LOADED = 100

# In /proc/self/smaps: what is read of a file, and that some of it has changed since.
UNWRITABLE = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ \d+ +/.*\n((?:[A-Z].*\n)+)", re.MULTILINE
)
WRITTEN = re.compile(r"^(Anonymous|Swap): +[1-9]", re.MULTILINE)

_own = _most = _read = 0


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


def memory(name="RssAnon"):
    """Return what this process takes in MB; 0 if unknown.

    "RssAnon" is its own, which nobody shares. "RssFile" is read of files, and the
    system has it once for all processes. "VmHWM" is both, at most so far.
    """
    try:
        with open("/proc/self/status") as file:
            lines = dict(line.split(":", 1) for line in file)
    except OSError:
        return 0
    return int(lines[name].split()[0]) // 1024


def forget_libraries():
    """Let go of what was read of libraries, most of it only while they were loaded.

    It is 0.3 GB of TensorFlow. What is needed again comes back by itself, from what the
    system keeps of the file; so only what nobody can have written to is let go of.
    """
    try:
        with open("/proc/self/smaps") as file:
            mappings = UNWRITABLE.findall(file.read())
    except OSError:
        return
    advise = ctypes.CDLL(None).madvise
    for start, end, sizes in mappings:
        start, end = int(start, 16), int(end, 16)
        if not WRITTEN.search(sizes):
            advise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_DONTNEED)


def share_one_trace():
    """Give all operations of TensorFlow one stack trace, of no use but in its errors.

    Each has its own otherwise, which stays when the operation is gone: 0.3 MB a `fit`
    of Keras, in between what is free, which can't be given back then.
    """
    module = sys.modules.get("tensorflow.python.util.tf_stack")
    extract = getattr(module, "extract_stack", None)
    if extract is not None and extract.__module__ != __name__:
        trace = extract()
        module.extract_stack = lambda stacklevel=1: trace


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


def make_small():
    """Make a library small that was loaded since the last time."""
    global _read
    share_one_trace()
    if memory("RssFile") > _read + LOADED:
        forget_libraries()
        _read = memory("RssFile")


def pytest_collectreport():
    """Make a library small that a file of tests has loaded."""
    make_small()


def pytest_collection_finish():
    """Take what all tests need for ever out of what is looked through for garbage."""
    # The text of every module, which the search for doctests has read.
    linecache.clearcache()
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_protocol(item, nextitem):
    """Keep the process small after a test."""
    global _own, _most
    result = yield
    _most = max(_most, memory())
    ends = nextitem is None or nextitem.path != item.path
    if memory() > _own + (BETWEEN if ends else WITHIN):
        forget_networks()
        _own = memory()
    make_small()
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
        output["peak_memory"] = memory("VmHWM"), _most
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
    return [name for name, (peak, _) in taken if whole and peak > LIMIT]


def pytest_terminal_summary(terminalreporter, config):
    """Print what each worker took."""
    taken = sorted(config.stash[TAKEN].items())
    if taken:
        told = ", ".join(
            f"{name} {peak:,} MB ({own:,} its own)" for name, (peak, own) in taken
        )
        terminalreporter.write_line(f"Memory at most: {told}; limit {LIMIT:,} MB")
    for name in too_large(config):
        terminalreporter.write_line(f"FAILED: worker {name} took too much", red=True)
