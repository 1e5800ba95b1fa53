"""Training of a user's Keras model: the loop of ``Model.fit``, an epoch a call."""

import math
import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from skrnn._engine.keras.fork import refuse_forked_process
from skrnn._engine.keras.private import (
    forget_kernels,
    initial_epoch_of,
    trained_variables_of,
)
from skrnn._engine.keras.program_cache import Pool
from skrnn.scikeras.engine.kernels import kernel_program
from skrnn.scikeras.engine.models import (
    architecture_key,
    compile_key,
    gains_from_xla,
    takes_columns,
)
from skrnn.scikeras.engine.normalization import refuse_stale_statistics
from skrnn.scikeras.engine.origin import NotTakenError
from skrnn.scikeras.engine.program import (
    KerasProgram,
    as_keras_reads,
    as_model_reads,
    signature_of,
)
from skrnn.scikeras.engine.seeding import seeded

# Long enough for the overhead of a call not to count, short enough for Ctrl-C.
_SECONDS_PER_CALL = 0.3

keras_programs = Pool(size=8, after=forget_kernels)


@dataclass(frozen=True)
class KerasPlan:
    """How to train: the arguments of ``Model.fit`` that the engine knows."""

    batch_size: int | None = None
    epochs: int = 1
    initial_epoch: int = 0
    verbose: Any = "auto"
    callbacks: tuple = ()
    validation_split: float = 0.0
    validation_data: Any = None
    validation_batch_size: int | None = None
    validation_freq: Any = 1
    shuffle: bool = True
    seed: int | None = None


def fit_keras(model, x, y, sample_weight, plan: KerasPlan) -> dict:
    """Train a compiled Keras model in place, as its own ``fit`` would.

    Parameters
    ----------
    model : keras.Model
    x, y : ndarray
    sample_weight : ndarray or None
    plan : KerasPlan

    Returns
    -------
    history : dict of lists
        Of the loss, the metrics and, with a validation set, theirs.

    Raises
    ------
    NotTakenError
        Before anything has changed, if Keras has to do it.
    """
    refuse_forked_process()
    data = _data_of(model, x, y, sample_weight)
    if not model.built:
        model.build((None, *data["x"].shape[1:]))
    refuse_stale_statistics(model)
    training, validation = _split(model, data, plan)
    # Needed for the kernels too: a model without a key is left to Keras.
    keys = architecture_key(model), compile_key(model)
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    known = map(id, trained_variables_of(model.optimizer))
    if list(known) != list(map(id, model.trainable_variables)):
        raise NotTakenError("layers were frozen or thawed since it was compiled")
    with _borrow(model, keys, plan, training, validation) as program:
        return KerasLoop(program, model, plan, training, validation).run()


def _borrow(model, keys, plan, training, validation):
    """Lend a program that trains the model: the kernels', or a compiled one."""
    given = [training] if validation is None else [training, validation]
    program = kernel_program(model, *given)
    if program is not None:
        return nullcontext(program)
    signature = signature_of(training)
    shapes = tuple((k, tuple(v.shape), v.dtype.name) for k, v in signature.items())
    steps = -(-len(training["x"]) // (plan.batch_size or 32)) * plan.epochs
    fast = gains_from_xla(model, steps, math.prod(training["x"].shape[1:2]))

    def make():
        # Restore the generators: the copy's draws are overwritten.
        with seeded(0):
            return KerasProgram(model, signature, fast=fast)

    return keras_programs.borrow((*keys, shapes, fast), make)


class KerasLoop:
    """One fit on a borrowed program."""

    def __init__(self, program, model, plan, training, validation):
        self.program, self.model, self.plan = program, model, plan
        self.n_rows = len(training["x"])
        self.batch_size = min(plan.batch_size or 32, self.n_rows)
        self.data = program.load(training)
        self.n_validation_rows = 0 if validation is None else len(validation["x"])
        self.validation = validation and program.load(validation)
        self.rng = np.random.default_rng([plan.seed, plan.initial_epoch])
        self.listeners = tuple(keras.tree.flatten(list(plan.callbacks)))
        self.callbacks = keras.callbacks.CallbackList(
            list(self.listeners),
            add_history=True,
            add_progbar=plan.verbose != 0,
            model=model,
            verbose=plan.verbose,
            epochs=plan.epochs,
            steps=-(-self.n_rows // self.batch_size),
        )
        self.batches_per_call = 1

    def run(self):
        """Train, and return the history."""
        self.model.stop_training = False
        self.program.copy_from(self.model)
        logs: dict = {}
        try:
            self._tell("on_train_begin")
            # A callback that restores an interrupted training says where it was.
            first = initial_epoch_of(self.model) or self.plan.initial_epoch
            for epoch in range(first, self.plan.epochs):
                logs = self._run_epoch(epoch)
                if self.model.stop_training:
                    break
            self.program.finish()
        finally:
            self.program.copy_to(self.model)
        self._tell("on_train_end", logs)
        return self.model.history.history

    def _run_epoch(self, epoch):
        self._tell("on_epoch_begin", epoch)
        rows = np.arange(self.n_rows)
        if self.plan.shuffle:
            self.rng.shuffle(rows)
        batches = _batches(rows, self.batch_size, filled=self.program.padded)
        logs = self._run_batches(self.program.train, self.data, batches, "train")
        if self._is_validated(epoch):
            logs |= self._validate()
        self._tell("on_epoch_end", epoch, logs)
        return logs

    def _is_validated(self, epoch):
        every = self.plan.validation_freq
        if self.validation is None:
            return False
        due = (epoch + 1) % every == 0 if isinstance(every, int) else epoch + 1 in every
        return due

    def _validate(self):
        # Not as many as for training, where there may be fewer rows.
        asked = self.plan.validation_batch_size or self.plan.batch_size or 32
        batch_size = min(asked, self.n_validation_rows)
        rows = np.arange(self.n_validation_rows)
        self._tell("on_test_begin")
        batches = _batches(rows, batch_size, filled=True)
        run = self.program.evaluate
        logs = self._run_batches(run, self.validation, batches, "test")
        self._tell("on_test_end", logs)
        return {f"val_{name}": value for name, value in logs.items()}

    def _run_batches(self, run, data, batches, mode):
        """Run all batches in few calls, or one by one for who wants to hear of each."""
        one_by_one = any(self._listens(event) for event in _BATCH_EVENTS[mode])
        if mode == "train" and self.model.stop_training:
            # Keras stops after a batch, even who was told before the first.
            batches = batches[:1]
        begin, end = _BATCH_EVENTS[mode][:2]
        self.program.start_metrics()
        total, count, done = 0.0, 0, 0
        logs: dict = {}
        while done < len(batches):
            part = _next_part(batches, done, 1 if one_by_one else self.batches_per_call)
            self._tell(begin, done)
            started = time.monotonic()
            total_part, count_part = run(data, part)
            total, count = total + float(total_part), count + int(count_part)
            self._adapt(time.monotonic() - started, len(part))
            done += len(part)
            last = done == len(batches)
            # Nobody but a progress bar hears of a call.
            logs = self.program.logs(total, count) if one_by_one or last else {}
            logs = logs or {"loss": total / count}
            self._tell(end, done - 1, logs)
            if mode == "train" and one_by_one and self.model.stop_training:
                break
        return dict(logs)

    def _adapt(self, seconds, n_batches):
        """Choose how many batches a call takes; the numbers don't depend on it."""
        wanted = int(n_batches * _SECONDS_PER_CALL / max(seconds, 1e-6))
        self.batches_per_call = min(max(wanted, 1), 8 * self.batches_per_call)

    def _tell(self, event, *args):
        """Call `event` of every callback, with the weights as they are now."""
        heard = self._listens(event)
        if heard:
            self.program.copy_to(self.model)
        getattr(self.callbacks, event)(*args)
        if heard:
            # A callback may have changed them, or the learning rate.
            self.program.copy_from(self.model)

    def _listens(self, event):
        """Whether a callback of the user's has a method of its own for `event`."""
        return any(listens(callback, event) for callback in self.listeners)


# Mode -> what CallbackList calls before and after a batch, and what callbacks hear.
_BATCH_EVENTS = {
    "train": (
        "on_train_batch_begin",
        "on_train_batch_end",
        "on_batch_begin",
        "on_batch_end",
    ),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
}


def listens(callback, event) -> bool:
    """Whether `callback` does anything at `event`."""
    # Asked of the object: LambdaCallback's methods aren't its class's.
    own = getattr(getattr(callback, event), "__func__", None)
    return own not in [getattr(each, event) for each in _ONLY_TELL]


# Their own methods look at logs alone; those of a class derived from them may do more.
_ONLY_TELL = (
    keras.callbacks.Callback,
    keras.callbacks.History,
    keras.callbacks.ProgbarLogger,
)


def _data_of(model, x, y, sample_weight):
    """Read arrays as Keras does; anything else is for Keras."""
    given = {"x": x, "y": y, "weights": sample_weight}
    arrays = {name: value for name, value in given.items() if value is not None}
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
            raise NotTakenError(f"{name} is no array of numbers")
    if len({len(array) for array in arrays.values()}) > 1:
        raise NotTakenError("arrays differ in length")
    arrays = {name: as_keras_reads(array) for name, array in arrays.items()}
    if len(getattr(model, "inputs", None) or ()) == 1:
        arrays["x"] = as_model_reads(arrays["x"], model)
    return arrays


def _split(model, data, plan):
    """Return what to train and to validate on: Keras takes the last rows."""
    if plan.validation_data is not None:
        given = plan.validation_data
        if not isinstance(given, tuple | list) or len(given) not in (2, 3):
            raise NotTakenError("validation_data is no tuple of arrays")
        weights = given[2] if len(given) > 2 else None
        validation = _data_of(model, given[0], given[1], weights)
        validation["y"] = _labels_like(data["y"], validation["y"], model)
        return data, _with_weights_like(data, validation)
    if not plan.validation_split:
        return data, None
    n = math.floor(len(data["x"]) * (1.0 - plan.validation_split))
    if not 0 < n < len(data["x"]):
        # Keras has the words for it.
        raise NotTakenError("validation_split leaves nothing")
    training = {name: array[:n] for name, array in data.items()}
    return training, {name: array[n:] for name, array in data.items()}


def _labels_like(known, y, model):
    """Return the y of a validation set in the form of the `known` one, if it can be.

    A wrapper has made a column of floats of the integers that it trains on.
    """
    if y.ndim == 1 and known.shape[1:] == (1,) and takes_columns(model):
        y = y[:, None]
    same = y.astype(known.dtype)
    return same if np.array_equal(same, y) else y


def _with_weights_like(data, validation):
    """Both go through one signature."""
    same = {k: validation[k] for k in data if k in validation}
    shapes = [(k, v.shape[1:], v.dtype) for k, v in same.items()]
    if shapes != [(k, v.shape[1:], v.dtype) for k, v in data.items()]:
        raise NotTakenError("validation_data has another form than X, y and weights")
    if len(same) != len(validation):
        raise NotTakenError("only validation_data has weights")
    return same


def _batches(rows, batch_size, *, filled):
    """Cut rows into arrays (n, B), the last filled up with -1 or one of its own."""
    n_left = len(rows) % batch_size
    if filled and n_left:
        rows = np.append(rows, np.full(batch_size - n_left, -1))
        n_left = 0
    n_full = len(rows) - n_left
    full = list(rows[:n_full].reshape(-1, batch_size))
    return full + ([rows[n_full:]] if n_left else [])


def _next_part(batches, first, size):
    """Stack the next batches, as many of one length as there are."""
    part = batches[first : first + size]
    same = [batch for batch in part if len(batch) == len(part[0])]
    return np.stack(same)
