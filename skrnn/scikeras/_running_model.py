"""A Keras model that trains and predicts on our engine, if that can run it."""

from contextlib import contextmanager
from dataclasses import fields
from types import SimpleNamespace

import keras

from skrnn.scikeras.engine.keys import NotTakenError
from skrnn.scikeras.engine.masks import fill_padding
from skrnn.scikeras.engine.models import compute_by_variables
from skrnn.scikeras.engine.prediction import predict_keras
from skrnn.scikeras.engine.seeding import global_seed, seeded
from skrnn.scikeras.engine.training import EpochRecord, KerasPlan, fit_keras

_PLANNED = {field.name for field in fields(KerasPlan)}


class RunningModel:
    """A model whose ``fit`` and ``predict`` run on our engine if that can run them.

    Parameters
    ----------
    model : keras.Model
    seed : int or None
        Seed of the order of the rows.
    tell : callable or None
        It is given the history after each epoch.

    Attributes
    ----------
    engine : {"skrnn", "keras", None}
        The one that ran last.
    interrupted : KeyboardInterrupt or None
        Ctrl-C, if it ended training after the first step.
    """

    def __init__(self, model, seed=None, tell=None):
        self.model, self.seed, self.engine = model, seed, None
        self.tell = tell
        self.interrupted = None
        # Read whenever X is checked.
        self.inputs = getattr(model, "inputs", None)

    def __getattr__(self, name):
        return getattr(self.model, name)

    def fit(self, x, y, sample_weight=None, **arguments):
        """Train as ``Model.fit`` does; after Ctrl-C the training so far is kept."""
        x = fill_padding(self.model, x)
        record = EpochRecord(self.tell)
        given = keras.tree.flatten(arguments.get("callbacks") or [])
        arguments["callbacks"] = [*given, record]
        before = _n_steps(self.model)
        try:
            self._train(x, y, sample_weight, arguments)
        except KeyboardInterrupt as interrupt:
            if _n_steps(self.model) == before:
                raise
            self.interrupted = interrupt
        return SimpleNamespace(history=getattr(record, "history", {}))

    def _train(self, x, y, sample_weight, arguments):
        try:
            seed = global_seed() if self.seed is None else self.seed
            plan = _plan(arguments, seed)
            self.engine = "skrnn"
            fit_keras(self.model, x, y, sample_weight, plan)
        except NotTakenError:
            self.engine = "keras"
            with seeded(self.seed):
                self.model.fit(x, y, sample_weight=sample_weight, **arguments)

    def predict(self, x, callbacks=(), steps=None, **arguments):
        """Predict as ``Model.predict`` does."""
        x = fill_padding(self.model, x)
        callbacks = keras.tree.flatten(callbacks or [])
        try:
            if steps is not None:
                raise NotTakenError(f"steps={steps}")
            return predict_keras(self.model, x, callbacks=callbacks, **arguments)
        except NotTakenError:
            arguments = arguments | {"callbacks": callbacks, "steps": steps}
            # A list or a dict for several outputs, which the user's encoder may read.
            return self.model.predict(x, **arguments)


@contextmanager
def unchanged_weights_on_error(model):
    """Restore the weights and the optimizer's state of `model` if the body raises."""
    if not model.built:
        # The model is new, so there is nothing to restore.
        yield
        return
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    before = [keras.ops.copy(variable.value) for variable in variables]
    try:
        try:
            yield
        except BaseException:
            _give_back(model, variables, before)
            raise
    except BaseException:
        # Once more: a second Ctrl-C may have ended the first try.
        _give_back(model, variables, before)
        raise


def _give_back(model, variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    compute_by_variables(model)


def _plan(arguments, seed):
    """Return the arguments of ``Model.fit`` as a plan, if the engine knows them all."""
    known = {k: v for k, v in arguments.items() if k in _PLANNED}
    other = {k: v for k, v in arguments.items() if k not in known and v is not None}
    if other:
        raise NotTakenError(f"{sorted(other)} are for Keras")
    known["callbacks"] = tuple(keras.tree.flatten(known.get("callbacks") or []))
    return KerasPlan(**known, seed=seed)


def _n_steps(model):
    return int(model.optimizer.iterations)
