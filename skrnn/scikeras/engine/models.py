"""Cache keys of Keras models that the engine trains itself, and copies of them.

Two models with equal keys share compiled functions, so a key holds everything that is a
constant in these. A model without a key is left to Keras.
"""

import hashlib
import json
import re
from types import FunctionType

import keras
import numpy as np

from skrnn._engine.keras.foreign.keys import value_key
from skrnn._engine.keras.foreign.optimizers import copy_of_optimizer
from skrnn._engine.keras.private import (
    compile_arguments_of,
    ends_of,
    function_arguments_of,
    functional_class,
    is_distributed,
    layers_of,
    mask_of,
    set_function_arguments,
    set_undecayed_names,
    supports_xla,
    undecayed_names_of,
    undecayed_variables_of,
    was_called,
)
from skrnn.scikeras.engine.normalization import follow_variables
from skrnn.scikeras.engine.origin import (
    NotTakenError,
    is_keras,
    refuse_foreign_configuration,
    refuse_foreign_parts,
)

# Training steps times time steps. Below this, plain TensorFlow has finished before XLA
# has compiled.
_XLA_FROM = 5_000
# Layers with `adapt` whose statistics are all in their configuration or variables.
_ADAPTED_LAYERS = {"Normalization", "Discretization"}
# In training, the output of a row depends on the other rows of its batch.
_MIX_ROWS = {"BatchNormalization", "SpectralNormalization"}
# Operations between layers that don't mix rows.
_ROWWISE_OPERATIONS = {"GetItem", "ExpandDims", "Concatenate"}
# Losses with one value a row: a row of weight 0 doesn't change the others.
_ROWWISE_LOSSES = {
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
}
_FULL_MEAN = {"sum_over_batch_size", "mean"}


def architecture_key(model):
    """Return a key that is equal for models which compute the same from equal weights.

    Raises
    ------
    NotTakenError
        If that can't be known, or the model has several inputs or outputs.
    """
    _refuse_other_forms(model)
    refuse_foreign_parts(model)
    try:
        config = model.get_config()
    except Exception as error:  # Whatever a layer of the user's raises.
        raise NotTakenError(f"a layer has no configuration: {error}") from error
    refuse_foreign_configuration(config)
    for layer in layers_of(model):
        _refuse_other_influence(layer)
    text = json.dumps(_without_seeds(config), sort_keys=True, default=_digest)
    told = [part for v in model.variables for part in (v.constraint, v.regularizer)]
    keys = tuple(part and _part_key(part) for part in told)
    return type(model).__name__, _without_numbered_names(text), forms(model), keys


def compile_key(model):
    """Return a key that is equal for models which are trained by the same step."""
    arguments = compile_arguments_of(model)
    if arguments.get("run_eagerly"):
        raise NotTakenError("run_eagerly is set")
    items = keras.tree.flatten({k: v for k, v in arguments.items() if v is not None})
    # Keras wraps it where the model computes in half precision.
    optimizer = type(model.optimizer).__name__
    types = str(keras.tree.map_structure(type, arguments))
    return optimizer, types, *map(_part_key, items)


def copy_of(model):
    """Make an independent model of the same architecture, compiled the same way."""
    copied = _like(model)
    arguments = compile_arguments_of(model)
    # "auto" was resolved for the first model.
    arguments.pop("jit_compile", None)
    copied.compile(**keras.tree.map_structure(_fresh, arguments))
    if type(copied.optimizer) is not type(model.optimizer):
        raise NotTakenError("it was compiled under another policy of types")
    return copied


def share_names(copied, model):
    """Give the metrics of a copy the names of those of `model`; Keras numbers them."""
    pairs = zip(metrics_of(copied), metrics_of(model), strict=True)
    for own, others in pairs:
        if isinstance(others, keras.metrics.Metric):
            own.name = others.name


def metrics_of(model):
    """Return the metrics that ``compile`` was called with, weighted or not."""
    arguments = compile_arguments_of(model)
    names = "metrics", "weighted_metrics"
    return keras.tree.flatten([arguments.get(name) or [] for name in names])


def architecture_copy(model):
    """Make a model of the same architecture for prediction."""
    return _like(model)


def _like(model):
    copied = type(model).from_config(model.get_config())
    if not copied.built:
        copied.build(model.input_shape)
    if forms(copied) != forms(model):
        # For example, a part of a layer was frozen, which no configuration records.
        raise NotTakenError("its configuration doesn't give the same variables")
    for own, given in zip(copied.variables, model.variables, strict=True):
        # They may have been set on a variable, which no configuration records.
        own.constraint, own.regularizer = given.constraint, given.regularizer
    follow_variables(copied)
    return copied


def forms(model):
    """Return what kinds of variables a model has."""
    return tuple((tuple(v.shape), v.dtype, v.trainable) for v in model.variables)


def may_be_padded(model):
    """Whether rows of weight 0 don't change the gradients of the others."""
    layers = layers_of(model)
    operations = [
        operation
        for each in [model, *layers]
        for operation in getattr(each, "operations", ())
        if not isinstance(operation, keras.Layer)
    ]
    return (
        all(type(each).__name__ in _ROWWISE_OPERATIONS for each in operations)
        and not any(type(layer).__name__ in _MIX_ROWS for layer in layers)
        and all(getattr(x, "activity_regularizer", None) is None for x in layers)
        # A masked mean counts the steps of the whole batch.
        and mask_of(model.outputs[0]) is None
        and _loss_class(model.loss) in _ROWWISE_LOSSES
    )


def gains_from_xla(model, n_steps, n_timesteps):
    """Whether XLA, whose compiling takes about a second, pays in one fit.

    Decide from this fit alone, not from the number of fits before: XLA and plain
    TensorFlow round differently, and equal seeds must give equal weights.
    """
    layers = layers_of(model)
    loops = any(isinstance(layer, keras.layers.RNN) for layer in layers)
    return loops and n_steps * n_timesteps >= _XLA_FROM and supports_xla(model)


def divides_by_rows(model):
    """Whether the loss of a batch is a sum divided by the number of its rows."""
    loss = _only(model.loss)
    return getattr(loss, "reduction", "sum_over_batch_size") in _FULL_MEAN


def takes_columns(model):
    """Whether losses and metrics are the same for a y (n,) and for its column (n, 1).

    Keras' own are. A user's function may broadcast one of them and not the other.
    """
    metrics = [each for each in metrics_of(model) if not isinstance(each, str)]
    own = _loss_class(model.loss) in _ROWWISE_LOSSES
    return own and all(map(is_keras, metrics)) and len(model.output_shape) == 2


def _only(loss):
    flat = keras.tree.flatten(loss)
    return flat[0] if len(flat) == 1 else None


def _loss_class(loss):
    """Return the class name of a loss of Keras, given by name or not; else None."""
    loss = _only(loss)
    loss = keras.losses.get(loss) if isinstance(loss, str) else loss
    if not is_keras(loss) or getattr(loss, "ignore_class", None) is not None:
        return None
    if (function_arguments_of(loss) or {}).get("axis", -1) != -1:
        return None
    if isinstance(loss, FunctionType):
        return "".join(map(str.capitalize, loss.__name__.split("_"))).replace(
            "KlDivergence", "KLDivergence"
        )
    return type(loss).__name__


def _refuse_other_forms(model):
    if keras.backend.backend() != "tensorflow":
        raise NotTakenError(f"the backend is {keras.backend.backend()}")
    if type(model) not in _FORMS:
        raise NotTakenError(f"the model is a {type(model).__name__}")
    if any(map(keras.tree.is_nested, ends_of(model))):
        raise NotTakenError("the model has several inputs or outputs")
    if is_distributed(model):
        raise NotTakenError("the model is distributed")


_FORMS = {keras.Sequential, functional_class()}


def _refuse_other_influence(layer):
    """Refuse a layer whose output depends on more than its variables and the row."""
    if getattr(layer, "stateful", False):
        raise NotTakenError("a layer is stateful")
    if 0 in keras.tree.flatten(getattr(layer, "axis", None)):
        raise NotTakenError(f"{layer.name} mixes the rows of a batch")
    # Layers with `adapt` make tables and the like in `finalize_state`.
    adapted = hasattr(layer, "finalize_state")
    if adapted and type(layer).__name__ not in _ADAPTED_LAYERS:
        raise NotTakenError(f"{type(layer).__name__} keeps a state of its own")


def _digest(value):
    """Return a digest of an array for a key: as text it would lose digits."""
    try:
        array = np.asarray(value)
    except Exception as error:  # Whatever an object of the user's raises.
        raise NotTakenError(f"{value!r} can't be told from others") from error
    if array.dtype.kind not in "fiub":
        raise NotTakenError(f"{value!r} can't be told from others")
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    return [array.dtype.name, list(array.shape), digest]


def _without_seeds(config):
    """Leave out seeds: weights and states of generators are copied in."""
    if isinstance(config, dict):
        return {k: _without_seeds(v) for k, v in config.items() if k != "seed"}
    if isinstance(config, list | tuple):
        return [_without_seeds(v) for v in config]
    return config


def _without_numbered_names(text):
    """Replace automatic names such as ``lstm_7`` by their order in the text."""
    numbers: dict[str, str] = {}

    def number(match):
        name = match.group(0)
        return numbers.setdefault(name, f'"{match.group(1)} #{len(numbers)}"')

    classes = set(re.findall(r'"class_name": "([A-Za-z0-9]+)"', text))
    stems = {"keras_tensor", "sequential", "functional", "input_layer"}
    stems |= {_snake_case(name) for name in classes}
    pattern = "|".join(sorted(map(re.escape, stems), key=len, reverse=True))
    return re.sub(rf'"({pattern})(?:_\d+)?"', number, text)


def _snake_case(name):
    # As Keras makes a name from a class.
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _part_key(part):
    """Return the key of an optimizer, a loss or a metric."""
    if isinstance(part, str | int | float | bool | FunctionType | keras.losses.Loss):
        # Some losses lack their numbers in their configuration, as Huber its delta.
        return value_key(part)
    if not is_keras(part) or not hasattr(part, "get_config"):
        raise NotTakenError(f"{part!r} isn't Keras' own")
    if undecayed_variables_of(part) or undecayed_names_of(part):
        raise NotTakenError("the optimizer treats some variables in another way")
    try:
        config = dict(part.get_config())
    except Exception as error:  # Whatever a schedule of the user's raises.
        raise NotTakenError(f"a part has no configuration: {error}") from error
    refuse_foreign_configuration(config)
    # Keras numbers names, and they don't change what is computed.
    config.pop("name", None)
    config["told"] = function_arguments_of(part)
    if isinstance(part, keras.optimizers.Optimizer) and _has_fixed_rate(config):
        config.pop("learning_rate", None)
    text = json.dumps(config, sort_keys=True, default=str)
    return f"{type(part).__module__}.{type(part).__name__} {text}"


def _has_fixed_rate(config):
    return not isinstance(config.get("learning_rate"), dict)


def _fresh(part):
    """Copy a part that has variables; return any other as it is."""
    if not isinstance(part, keras.optimizers.Optimizer | keras.metrics.Metric):
        return part
    if isinstance(part, keras.optimizers.Optimizer):
        return copy_of_optimizer(part)
    copied = type(part).from_config(part.get_config())
    told = function_arguments_of(part)
    if told is not None:
        set_function_arguments(copied, told)
    return copied


def own_optimizer(optimizer):
    """Return an optimizer told the same, or itself where it can't be copied."""
    if undecayed_variables_of(optimizer):
        # It knows the variables of one network.
        return optimizer
    try:
        copied = copy_of_optimizer(optimizer)
    except Exception:  # Whatever a schedule of the user's raises.
        return optimizer
    set_undecayed_names(copied, undecayed_names_of(optimizer))
    return copied


def call_once(model):
    """Call a model on its own symbols, if nobody has called it, as Keras' fit does.

    Keras exports as ONNX only a model that was called.
    """
    if was_called(model) or not getattr(model, "inputs", None):
        return
    is_sequential = isinstance(model, keras.Sequential)
    model(model.inputs[0] if is_sequential else model.input)
