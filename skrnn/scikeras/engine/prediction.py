"""Prediction with any Keras model of one input, compiled once per architecture."""

import threading
import weakref
from collections import OrderedDict
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from skrnn._data.sequences import pack_block
from skrnn._engine.keras.private import layers_of
from skrnn._engine.prediction.batches import predict
from skrnn._networks.specs import NetworkSpec
from skrnn.scikeras.engine.keys import (
    NotTakenError,
    adapted_layers,
    architecture_key,
    forms,
    refuse_stale_statistics,
)
from skrnn.scikeras.engine.models import architecture_copy
from skrnn.scikeras.engine.program import compiled
from skrnn.scikeras.engine.seeding import seeded
from skrnn.scikeras.engine.specs import spec_of
from skrnn.scikeras.engine.training import as_model_reads, listens

# A block holds at most this many numbers of X, about 4 MB, and this many rows.
_BLOCK = 1_000_000
_MOST_ROWS = 1024
# Blocks have multiples of this many rows: then a row's output doesn't depend on n.
_ROWS = 32

_MAX_COMPILED = 16
_compiled: OrderedDict = OrderedDict()
_lock = threading.Lock()
_facts: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def predict_keras(model, x, *, batch_size=None, verbose=0, callbacks=()):
    """Return the outputs of a Keras model, as its own ``predict`` would.

    Parameters
    ----------
    model : keras.Model
    x : ndarray
    batch_size : int or None
        Used only if a callback listens to batches; otherwise blocks of bounded size
        are run.
    verbose : int or "auto"
    callbacks : sequence of keras.callbacks.Callback

    Returns
    -------
    outputs : ndarray

    Raises
    ------
    NotTakenError
        If Keras must predict.
    """
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "fiub" or not len(x):
        raise NotTakenError("x is no array of numbers")
    if not model.built:
        raise NotTakenError("the model isn't built")
    facts = _facts_of(model)
    if facts.is_adapted:
        refuse_stale_statistics(layers_of(model))
    x = as_model_reads(x, model)
    alike = facts.spec is not None and x.ndim == 3
    if alike and not callbacks and verbose == 0:
        return _by_kernels(facts.spec, model, x)
    run = _compiled_for(model, facts, x.shape[1:])
    size = _block_size(x)
    if any(listens(callback, event) for callback in callbacks for event in _EVENTS):
        size = batch_size or 32
    return _run_blocks(model, run, x, size, _callback_list(model, callbacks, verbose))


_EVENTS = ("on_predict_batch_begin", "on_predict_batch_end")


@dataclass(frozen=True)
class _Facts:
    """Facts about a model that are slow to find."""

    key: tuple
    # None if the kernels don't support it.
    spec: NetworkSpec | None
    # Weak references; the layers of a model may change later.
    layers: tuple
    # A layer may be given other variables, as by ``quantize``.
    forms: tuple
    # Whether it can be compiled for any number of time steps.
    any_length: bool
    # Whether a layer has learnt in ``adapt``.
    is_adapted: bool


def _facts_of(model):
    layers = layers_of(model)
    known, variables = _facts.get(model), forms(model)
    if (
        known is None
        or [layer() for layer in known.layers] != layers
        or known.forms != variables
    ):
        # TensorFlow can't compile TimeDistributed's loop over unknown steps.
        loops = [isinstance(each, keras.layers.TimeDistributed) for each in layers]
        known = _facts[model] = _Facts(
            key=architecture_key(model),
            spec=spec_of(model),
            layers=tuple(map(weakref.ref, layers)),
            forms=variables,
            any_length=not any(loops),
            is_adapted=bool(adapted_layers(layers)),
        )
    return known


def _by_kernels(spec, model, x):
    weights = [np.asarray(variable.value) for variable in model.weights]
    x = x.astype(np.float32, copy=False)
    sequences = pack_block(x)
    return predict(spec, weights, sequences, dtype=np.float32)


def _callback_list(model, callbacks, verbose):
    if not callbacks and verbose == 0:
        return None
    return keras.callbacks.CallbackList(
        list(callbacks),
        add_progbar=verbose != 0,
        model=model,
        verbose=verbose,
        epochs=1,
        steps=None,
    )


def _run_blocks(model, run, x, size, callbacks):
    weights = [variable.value for variable in model.trainable_variables]
    state = [variable.value for variable in model.non_trainable_variables]
    parts = []
    if callbacks:
        callbacks.set_params({**callbacks.params, "steps": -(-len(x) // size)})
        callbacks.on_predict_begin()
    for step, first in enumerate(range(0, len(x), size)):
        if callbacks:
            callbacks.on_predict_batch_begin(step)
        block = x[first : first + size]
        outputs = run(weights, state, _filled_up(block)).numpy()[: len(block)]
        parts.append(outputs)
        if callbacks:
            callbacks.on_predict_batch_end(step, {"outputs": outputs})
    if callbacks:
        callbacks.on_predict_end()
    return np.concatenate(parts)


def _compiled_for(model, facts, shape):
    """Return ``f(weights, state, x) -> outputs`` for models like `model`."""
    key = facts.key if facts.any_length else (*facts.key, shape)
    with _lock:
        run = _compiled.get(key)
        if run is not None:
            _compiled.move_to_end(key)
            return run
    # Not under this lock: a copy needs the lock of the seeds, whose holder may be
    # about to predict.
    run = _compile(model, model.inputs[0].shape[1:] if facts.any_length else shape)
    with _lock:
        run = _compiled.setdefault(key, run)
        while len(_compiled) > _MAX_COMPILED:
            _compiled.popitem(last=False)
    return run


def _compile(model, shape):
    with seeded(0):
        copied = architecture_copy(model)

    def run(weights, state, x):
        return copied.stateless_call(weights, state, x, training=False)[0]

    def like(variables):
        return [tf.TensorSpec(v.shape, v.dtype) for v in variables]

    signature = [
        like(copied.trainable_variables),
        like(copied.non_trainable_variables),
        tf.TensorSpec([None, *shape], model.inputs[0].dtype),
    ]
    return compiled(run, input_signature=signature)


def _block_size(x):
    rows = _BLOCK // max(int(np.prod(x.shape[1:])), 1)
    return int(np.clip(rows // _ROWS * _ROWS, _ROWS, _MOST_ROWS))


def _filled_up(block):
    missing = -len(block) % _ROWS
    if not missing:
        return block
    return np.concatenate([block, np.repeat(block[-1:], missing, axis=0)])
