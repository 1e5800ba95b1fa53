"""What stands in for a Keras model where scikeras calls it: our engine, or Keras."""

from dataclasses import fields
from types import SimpleNamespace

import keras
import numpy as np

from skrnn._engine._keras_models import NotTakenError
from skrnn._engine._keras_prediction import predict_keras
from skrnn._engine._keras_training import KerasPlan, fit_keras
from skrnn._engine._seeding import global_seed, seeded
from skrnn.scikeras._reading import fill_padding

_PLANNED = {field.name for field in fields(KerasPlan)}


class RunningModel:
    """A model whose ``fit`` and ``predict`` run on the engine where it can take them.

    Parameters
    ----------
    model : keras.Model
    seed : int or None
        Of the order of the rows.

    Attributes
    ----------
    engine : {"skrnn", "keras", None}
        What has run last.
    """

    def __init__(self, model, seed=None):
        self.model, self.seed, self.engine = model, seed, None

    def __getattr__(self, name):
        return getattr(self.model, name)

    def fit(self, x, y, sample_weight=None, **arguments):
        """Train as ``Model.fit`` does."""
        x = fill_padding(self.model, x)
        try:
            seed = global_seed() if self.seed is None else self.seed
            plan = _plan(arguments, seed)
            history = fit_keras(self.model, x, y, sample_weight, plan)
            self.engine = "skrnn"
        except NotTakenError:
            with seeded(self.seed):
                found = self.model.fit(x, y, sample_weight=sample_weight, **arguments)
            history, self.engine = found.history, "keras"
        return SimpleNamespace(history=history)

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
            return np.asarray(self.model.predict(x, **arguments))


def _plan(arguments, seed):
    """Return the arguments of ``Model.fit`` as a plan, if the engine knows them all."""
    known = {k: v for k, v in arguments.items() if k in _PLANNED}
    other = {k: v for k, v in arguments.items() if k not in known and v is not None}
    if other:
        raise NotTakenError(f"{sorted(other)} are for Keras")
    known["callbacks"] = tuple(keras.tree.flatten(known.get("callbacks") or []))
    return KerasPlan(**known, seed=seed)
