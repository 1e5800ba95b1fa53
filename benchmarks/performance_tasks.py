"""What a process of `performance.py` can be asked to measure."""

import contextlib
import gc
import importlib
import resource
import signal
import time
from functools import cached_property
from pathlib import Path

import numpy as np
from performance_crf import Tagging
from performance_long import Recurrence
from performance_networks import Network
from performance_text import make_words
from performance_transformers import Encoding
from performance_ways import Problem

# Six candidates by five folds.
GRID = [3e-4, 1e-3, 2e-3, 3e-3, 6e-3, 1e-2]
N_FOLDS = 5
# What a fit costs besides an epoch of so many seconds is lost in it.
LONG = 5.0


class Tasks:
    """The tasks, for one way."""

    def __init__(self, make):
        self._make, self._prepared = make, {}

    @cached_property
    def way(self):
        """The library, imported when something is first asked of it."""
        return self._make()

    def step(self, problem, seconds, threads=None):
        """Return the seconds of a training step.

        It is what one epoch more costs a user, divided by its batches: the difference
        of two fits. The first call compiles, and finds how many epochs fill `seconds`;
        none stands for an epoch that is long enough to be measured alone.
        """
        self._use(threads)
        problem = Problem(**problem)

        def make():
            return self.way.trainer(problem, *problem.data())

        return self._step(problem, problem.batches, make, seconds)

    def network_step(self, network, seconds, threads=None):
        """Return the seconds of a training step of one of the many networks."""
        self._use(threads)
        network = Network(**network)

        def make():
            return self.way.network_trainer(network)

        return self._step(network.name, network.batches, make, seconds)

    def recurrence_step(self, network, seconds, threads=None):
        """Return the seconds of a training step of one layer over long sequences."""
        self._use(threads)
        network = Recurrence(**network)

        def make():
            return self.way.recurrence(network)

        return self._step(network.name, network.batches, make, seconds)

    def tagger_step(self, tagging, seconds, threads=None):
        """Return the seconds of a training step of a tagger."""
        self._use(threads)
        tagging = Tagging(**tagging)

        def make():
            return self.way.tagger(tagging)

        return self._step(tagging, tagging.batches, make, seconds)

    def transformer_step(self, encoding, seconds, threads=None):
        """Return the seconds of a training step of a Transformer."""
        self._use(threads)
        encoding = Encoding(**encoding)

        def make():
            return self.way.encoder(encoding)

        return self._step(encoding, encoding.batches, make, seconds)

    def _step(self, key, batches, make, seconds):
        train, epochs = self._once(key, warm_up, make, seconds)
        if not epochs:
            return seconds_of(train, 1) / batches
        for _ in range(5):
            few, many = seconds_of(train, 1), seconds_of(train, 1 + epochs)
            if many > few:
                return (many - few) / (epochs * batches)
        raise RuntimeError("the machine is too busy: more epochs took less time")

    def predict(self, problem, rows, seconds, threads=None):
        """Return the median seconds of a call of `predict` with `rows` sequences."""
        self._use(threads)
        problem = Problem(**problem)
        predict = self._once(problem, self.way.predictor, problem)
        shape = rows, problem.steps, problem.features
        X = np.random.default_rng(1).standard_normal(shape, np.float32)
        predict(X)
        times, until = [], time.perf_counter() + seconds
        while time.perf_counter() < until or len(times) < 3:
            times.append(seconds_of(predict, X))
        return float(np.median(times))

    def _use(self, threads):
        if threads is not None:
            self.way.use_threads(threads)

    def _once(self, key, make, *args):
        """Keep what was prepared last: its data may be large."""
        if key not in self._prepared:
            self._prepared = {}
            gc.collect()
            self._prepared[key] = make(*args)
        return self._prepared[key]

    def first_fit(self, problem, epochs):
        """Return the seconds of making and fitting a network for the first time."""
        problem, way = Problem(**problem), self.way
        data = problem.data()
        return seconds_of(lambda: way.trainer(problem, *data)(epochs))

    def script(self, problem, epochs):
        """Return the seconds of a script: a fit, a prediction and a small search."""
        from sklearn.model_selection import GridSearchCV

        problem, way = Problem(**problem), self.way
        X, y = problem.data()
        X = np.ascontiguousarray(X)

        def run():
            estimator, name = way.search(problem, epochs)
            estimator.fit(X, y).predict(X)
            GridSearchCV(estimator, {name: GRID[1:3]}, cv=3).fit(X, y)

        return seconds_of(run)

    def write(self, units, n):
        """Return the seconds of a character."""
        write = self._once(("write", units), self.way.writer, units)
        write(5)
        return seconds_of(write, n) / n

    def decode(self, units, n, n_beams=1):
        """Return the seconds of a word."""
        decode = self._once((units, n_beams), self.way.decoder, units, n_beams)
        words = make_words(n, seed=1)
        decode(words[:1])
        return seconds_of(decode, words) / n

    def search(self, problem, epochs, n_jobs, threads=False):
        """Return the seconds of a grid search, and the processor's.

        With `threads` the jobs are threads of this process, otherwise new processes.
        """
        from joblib import parallel_config
        from sklearn.model_selection import GridSearchCV

        problem = Problem(**problem)
        estimator, name = self.way.search(problem, epochs)
        X, y = problem.data()
        search = GridSearchCV(estimator, {name: GRID}, cv=N_FOLDS, n_jobs=n_jobs)
        before, started = processor_seconds(), time.perf_counter()
        with parallel_config("threading" if threads else "loky"):
            search.fit(X, y)
        wall = time.perf_counter() - started
        if n_jobs > 1 and not threads:
            end_processes()
        return wall, processor_seconds() - before

    def importing(self, module, name=None):
        """Return the seconds of an import in a new process, NumPy being there."""

        def load():
            found = importlib.import_module(module)
            return name and getattr(found, name)

        return seconds_of(load)

    def fits(self, n, early):
        """Return the memory in bytes after `early` fits and after `n` fits."""
        found = {}
        for i in range(1, n + 1):
            # As a grid would: cells and sizes change.
            cell = ("lstm", "gru", "rnn")[i % 3]
            problem = Problem(cell, 10, 8 + 8 * (i % 2), 32, 8)
            self.way.trainer(problem, *problem.data())(2)
            if i in (early, n):
                gc.collect()
                found[i] = memory()
        return found[early], found[n]

    def windows(self, rows, lookback, units, features, seconds=20):
        """Return bytes, the series' and the peaks above that of the idle process.

        A fit on all windows, stopped by Ctrl-C after a while, for its memory doesn't
        grow with the batches; then a prediction of them all, without what it returns.
        The process has fitted and predicted 50,000 windows before, so that libraries
        have been loaded. The batch is the default, 32: what it takes in the network
        isn't the windows'.
        """
        from skrnn.preprocessing import SlidingWindow

        problem = Problem(steps=lookback, units=units, batch=32, features=features)
        model = self.way.estimator(problem, epochs=1)
        # The order of all rows is longer than that of nine tenths of them.
        model.set_params(early_stopping=False)
        series = np.zeros((50_000, features), np.float32)
        X = SlidingWindow(lookback).fit_transform(series)
        model.fit(X, series[:, 0]).predict(X)
        del X, series
        idle = memory()
        reset_peak()
        series = np.empty((rows, features), np.float32)
        np.sin(np.arange(rows, dtype=np.float32), out=series[:, 0])
        series[:, 1:] = series[:, :1]
        X = SlidingWindow(lookback).fit_transform(series)
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.alarm(seconds)
        with contextlib.suppress(KeyboardInterrupt):
            model.fit(X, series[:, 0])
        found = {"series": series.nbytes, "fit": peak_memory() - idle}
        reset_peak()
        started = time.perf_counter()
        answers = model.predict(X)
        found["seconds"] = time.perf_counter() - started
        return found | {"predict": peak_memory() - idle - answers.nbytes}


def warm_up(make, seconds):
    """Return what trains, having compiled, and the epochs that fill `seconds`."""
    train = make()
    train(1)
    once = seconds_of(train, 1)
    fits = int(seconds / max(once, 1e-6))
    return train, 0 if once > LONG else min(max(fits, 1), 1000)


def seconds_of(function, *args):
    started = time.perf_counter()
    function(*args)
    return time.perf_counter() - started


def processor_seconds():
    """Return what this process and those that it has ended have computed."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def end_processes():
    """End joblib's processes, so that every search starts its own."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)


def memory():
    return _status("VmRSS")


def peak_memory():
    return _status("VmHWM")


def reset_peak():
    """Let the peak of the process begin at what it uses now."""
    Path("/proc/self/clear_refs").write_text("5")


def _status(name):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return 1024 * int(line.split()[1])
    raise OSError(f"no {name} in /proc/self/status")
