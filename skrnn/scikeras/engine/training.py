"""Training of a user's Keras model: the loop of ``Model.fit``."""

import math
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np

from skrnn._data.batches import batches_in_order, shuffled_batches
from skrnn._engine.keras.callbacks import BATCH_EVENTS
from skrnn._engine.keras.callbacks import listens as _listens
from skrnn._engine.keras.private import (
    forget_kernels,
    initial_epoch_of,
    layers_of,
    trained_variables_of,
    was_called,
)
from skrnn._engine.keras.program_cache import ProgramCache
from skrnn._engine.training.loop import Pace
from skrnn._engine.training.running import run_batches, run_epochs
from skrnn.scikeras.engine.kernels import kernel_program
from skrnn.scikeras.engine.keys import NotTakenError, refuse_others
from skrnn.scikeras.engine.program import KerasProgram, recipe_for, takes_columns
from skrnn.scikeras.engine.seeding import seeded

keras_programs = ProgramCache(size=8, after=forget_kernels)


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
        If Keras must train; nothing has changed then.
    """
    data = _data_of(model, x, y, sample_weight)
    if not model.built:
        model.build((None, *data["x"].shape[1:]))
    layers = layers_of(model)
    refuse_others(model, layers)
    training, validation = _split(model, data, plan)
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    elif not _trains_all(model):
        raise NotTakenError("layers were frozen or thawed since it was compiled")
    program = kernel_program(model, training, validation)
    lend = nullcontext(program) if program else _borrow(model, layers, plan, training)
    with lend as program:
        history = KerasLoop(program, model, plan, training, validation).run()
    call_once(model)
    return history


def _trains_all(model):
    """Whether the optimizer was built for all variables that are trainable now."""
    known = trained_variables_of(model.optimizer)
    return list(map(id, known)) == list(map(id, model.trainable_variables))


def call_once(model):
    """Call a model on its own symbols, if nobody has called it, as Keras' fit does.

    Keras exports as ONNX only a model that was called.
    """
    if was_called(model) or not getattr(model, "inputs", None):
        return
    is_sequential = isinstance(model, keras.Sequential)
    model(model.inputs[0] if is_sequential else model.input)


def _borrow(model, layers, plan, training):
    """Lend a compiled program that trains the model."""
    n_steps = -(-len(training["x"]) // (plan.batch_size or 32)) * plan.epochs
    recipe = recipe_for(model, layers, training, n_steps)

    def make():
        # Restore the generators: the copy's draws are overwritten.
        with seeded(0):
            return KerasProgram(model, recipe)

    return keras_programs.borrow(recipe.key, make)


class EpochRecord(keras.callbacks.History):
    """A history that is told after each epoch.

    Parameters
    ----------
    tell : callable or None
        ``tell(history)``, of the epochs so far.
    """

    def __init__(self, tell=None):
        super().__init__()
        self.tell = tell

    def on_epoch_end(self, epoch, logs=None):
        """Keep the logs of an epoch, and tell them."""
        super().on_epoch_end(epoch, logs)
        if self.tell is not None:
            self.tell(self.history)


# They only read logs; a class derived from one of them may do more.
_QUIET = (
    keras.callbacks.Callback,
    keras.callbacks.History,
    keras.callbacks.ProgbarLogger,
    EpochRecord,
)


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
        given = keras.tree.flatten(list(plan.callbacks))
        self.listeners = [each for each in given if not _is_quiet(each)]
        self.callbacks = keras.callbacks.CallbackList(
            given,
            add_history=True,
            add_progbar=plan.verbose != 0,
            model=model,
            verbose=plan.verbose,
            epochs=plan.epochs,
            steps=-(-self.n_rows // self.batch_size),
        )
        self.pace = Pace()

    def run(self):
        """Train, and return the history."""
        self.model.stop_training = False
        self.program.copy_from(self.model)
        ended = False
        try:
            self._tell("on_train_begin")
            # A callback may restore an interrupted training, and set its epoch.
            first = initial_epoch_of(self.model) or self.plan.initial_epoch
            epochs = range(first, self.plan.epochs)
            logs = run_epochs(epochs, self._run_epoch, self._tell, self._is_over)
            ended = True
        finally:
            self.program.copy_to(self.model, ended=ended)
        self._tell("on_train_end", logs)
        return self.model.history.history

    def _is_over(self, *_):
        return self.model.stop_training

    def _run_epoch(self, epoch):
        run = self._train
        if self.program.padded:
            run = partial(self.program.train, self.data)
        logs = self._run_batches(run, self._order(), "train", is_over=self._is_over)
        if self._is_validated(epoch):
            logs |= self._validate()
        return logs

    def _order(self):
        if not self.plan.shuffle:
            return batches_in_order(self.n_rows, self.batch_size)
        alike = np.broadcast_to(1, self.n_rows)
        return shuffled_batches(alike, self.batch_size, self.rng)

    def _train(self, part):
        """Train on batches; the last one may have fewer rows than the others."""
        if part[-1, -1] >= 0:
            return self.program.train(self.data, part)
        last = part[-1][part[-1] >= 0]
        parts = [part[:-1], last[None]] if len(part) > 1 else [last[None]]
        found = [self.program.train(self.data, each) for each in parts]
        return tuple(map(sum, zip(*found, strict=True)))

    def _is_validated(self, epoch):
        every = self.plan.validation_freq
        if self.validation is None:
            return False
        due = (epoch + 1) % every == 0 if isinstance(every, int) else epoch + 1 in every
        return due

    def _validate(self):
        # `self.batch_size` is bounded by the number of training rows.
        batch_size = self.plan.validation_batch_size or self.plan.batch_size or 32
        batches = batches_in_order(self.n_validation_rows, batch_size)
        self._tell("on_test_begin")
        run = partial(self.program.evaluate, self.validation)
        logs = self._run_batches(run, batches, "test")
        self._tell("on_test_end", logs)
        return {f"val_{name}": value for name, value in logs.items()}

    def _run_batches(self, step, batches, mode, is_over=lambda: False):
        """Run all batches in few calls, or one by one if a callback listens to each."""
        one_by_one = any(self._listens(event) for event in BATCH_EVENTS[mode])
        begin, end = BATCH_EVENTS[mode][:2]
        counts = self.program.has_metrics
        if counts:
            self.program.start_metrics()
        logs: dict = {}

        def after(batch, total, count):
            nonlocal logs
            # Keras, too, runs one batch if it is stopped before the first.
            last = batch + 1 == len(batches) or is_over()
            # Only a progress bar hears of a call of several batches.
            if counts and (one_by_one or last):
                logs = self.program.logs(total, count)
            else:
                logs = {"loss": total / max(count, 1)}
            self._tell(end, batch, logs)

        run_batches(
            batches,
            step,
            self.pace,
            # A callback may have stopped training already: then run a single batch.
            one_by_one=one_by_one or is_over(),
            before=partial(self._tell, begin) if one_by_one else None,
            after=after,
            is_over=is_over,
        )
        return dict(logs)

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


def _is_quiet(callback):
    # A user may have set methods on the object.
    own = [name for name in vars(callback) if name.startswith("on_")]
    return type(callback) in _QUIET and not own


def listens(callback, event) -> bool:
    """Whether `callback` does more at `event` than read logs."""
    return _listens(callback, event, only_tell=_QUIET)


def _data_of(model, x, y, sample_weight):
    """Read arrays as Keras does; refuse anything else."""
    given = {"x": x, "y": y, "weights": sample_weight}
    arrays = {name: value for name, value in given.items() if value is not None}
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
            raise NotTakenError(f"{name} is no array of numbers")
    if len({len(array) for array in arrays.values()}) > 1:
        raise NotTakenError("arrays differ in length")
    floatx = keras.config.floatx()
    for name, array in arrays.items():
        # As Keras converts them.
        if array.dtype.kind == "f":
            arrays[name] = array.astype(floatx, copy=False)
    if len(getattr(model, "inputs", None) or ()) == 1:
        arrays["x"] = as_model_reads(arrays["x"], model)
    return arrays


def as_model_reads(x, model):
    """Return X with the type and the number of dimensions of a model's input."""
    (wanted,) = model.inputs
    rank = len(wanted.shape)
    if x.ndim == rank - 1 and wanted.shape[-1] == 1:
        x = x[..., None]
    elif x.ndim == rank + 1 and x.shape[-1] == 1:
        x = x[..., 0]
    return x.astype(wanted.dtype, copy=False)


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
        # Keras raises the error.
        raise NotTakenError("validation_split leaves nothing")
    training = {name: array[:n] for name, array in data.items()}
    return training, {name: array[n:] for name, array in data.items()}


def _labels_like(known, y, model):
    """Return the y of a validation set in the form of the `known` one, if it can be.

    A wrapper may have turned the integers of the training set into a column of floats.
    """
    if y.ndim == 1 and known.shape[1:] == (1,) and takes_columns(model):
        y = y[:, None]
    same = y.astype(known.dtype)
    return same if np.array_equal(same, y) else y


def _with_weights_like(data, validation):
    """Return a validation set with the same arrays and forms as the training set."""
    same = {k: validation[k] for k in data if k in validation}
    shapes = [(k, v.shape[1:], v.dtype) for k, v in same.items()]
    if shapes != [(k, v.shape[1:], v.dtype) for k, v in data.items()]:
        raise NotTakenError("validation_data has another form than X, y and weights")
    if len(same) != len(validation):
        raise NotTakenError("only validation_data has weights")
    return same
