"""Which Keras models the kernels can train and predict, and their spec.

They have recurrent layers of one kind and a dense layer on the last state, with Keras'
defaults, and a plain loss and optimizer. TensorFlow compiles all other models.
"""

from dataclasses import dataclass
from inspect import signature
from types import FunctionType
from typing import Any

import keras

from skrnn._engine.choice import runs_in_c
from skrnn._engine.keras.foreign.keys import value_key
from skrnn._engine.keras.private import (
    calls_of,
    compile_arguments_of,
    function_arguments_of,
    function_of,
)
from skrnn._networks.activations import ACTIVATIONS
from skrnn._networks.architecture import network_spec
from skrnn._networks.cells import CELLS
from skrnn._networks.losses import LOSSES
from skrnn._networks.optimizers import OPTIMIZERS
from skrnn._networks.specs import Head, NetworkSpec
from skrnn._networks.weights import weight_table
from skrnn.scikeras.engine.keys import is_keras

_CELLS = {
    getattr(keras.layers, cell.keras_layer): name
    for name, cell in CELLS.items()
    if cell.keras_layer
}
_SUPPORTED = {
    *_CELLS,
    keras.layers.Bidirectional,
    keras.layers.Dense,
    keras.layers.InputLayer,
}
# Arguments of layers and optimizers that may have any value: they are read, or change
# nothing without a mask.
_FREE = {
    "learning_rate",
    "clipnorm",
    "name",
    "units",
    "activation",
    "return_sequences",
    "go_backwards",
    "unroll",
    "unit_forget_bias",
    "use_cudnn",
    "seed",
    "dtype",
    "trainable",
    "zero_output_for_mask",
    "kernel_initializer",
    "recurrent_initializer",
    "bias_initializer",
    "batch_input_shape",
    # Of Bidirectional: the two layers in it are checked themselves.
    "layer",
    "backward_layer",
}


@dataclass(frozen=True)
class KernelLoss:
    """The kernels' name of a loss, and whether its targets are class numbers."""

    name: str
    sparse: bool = False


def _class_of(function):
    """Return the class name of a loss from the name of its function in Keras."""
    return "".join(map(str.capitalize, function.split("_")))


# Class of a loss -> the activations of its heads, and the loss of the kernels.
_LOSSES = {
    _class_of(function): (row.activations, KernelLoss(row.name, sparse))
    for row in LOSSES.values()
    for function, sparse in (
        (row.keras, row.keras_one_hot is not None),
        (row.keras_one_hot, False),
    )
    if function is not None
}
# Without optimizers whose decay excludes weights: no configuration tells which.
_OPTIMIZERS = {
    getattr(keras.optimizers, row.keras): row.name
    for row in OPTIMIZERS.values()
    if not row.decay
}


@dataclass(frozen=True)
class KernelTask:
    """What the kernels train, for which loss, and by which optimizer's name."""

    spec: NetworkSpec
    loss: KernelLoss
    optimizer: str


def task_of(model) -> KernelTask | None:
    """Return what the kernels are to do for a compiled Keras model, or None."""
    if not _SUPPORTED.issuperset(map(type, model.layers)):
        return None
    arguments = compile_arguments_of(model)
    if arguments.get("loss_weights") or arguments.get("run_eagerly"):
        return None
    activations, loss = _LOSSES.get(_loss_class(arguments["loss"]), ((), None))
    optimizer, metrics = _optimizer_of(model), metrics_of(arguments)
    if loss is None or optimizer is None or not all(map(_counts_rows, metrics)):
        return None
    if not model.layers or _activation(model.layers[-1]) not in activations:
        return None
    spec = spec_of(model, loss.name)
    return None if spec is None else KernelTask(spec, loss, optimizer)


def metrics_of(arguments):
    """Return the metrics among the arguments of ``compile``, weighted or not."""
    names = "metrics", "weighted_metrics"
    return keras.tree.flatten([arguments.get(name) or [] for name in names])


def spec_of(model, loss=None) -> NetworkSpec | None:
    """Return the spec of a Keras model, or None if there is none.

    Its weights have the order of the model's. `loss` is the name of its head's loss.
    """
    layers = _chain(model)
    if len(layers) < 2 or type(layers[-1]) is not keras.layers.Dense:
        return None
    *recurrent, head = layers
    parts = [_directions(layer) for layer in recurrent]
    kinds = {_kind(layer) for directions in parts for layer in directions}
    counts, shape = {len(directions) for directions in parts}, model.inputs[0].shape
    if len(kinds) != 1 or None in kinds or len(counts) != 1 or 0 in counts:
        return None
    if not (_has_known_activation(head) and _is_plain(head)) or len(shape) != 3:
        return None
    ((cell, activation),) = kinds
    steps = [directions[0].return_sequences for directions in parts]
    if steps != [True] * (len(parts) - 1) + [False]:
        return None
    spec = network_spec(
        cell=cell,
        units=tuple(directions[0].units for directions in parts),
        n_features=shape[-1] or 0,
        head=Head(head.units, _activation(head), loss),
        bidirectional=counts == {2},
        activation=activation,
    )
    return spec if runs_in_c(spec) and _has_weights_of(model, spec) else None


def _counts_rows(metric):
    """Whether a metric doesn't depend on which rows make up a batch.

    One of the user's may depend on it, such as the root of a batch's mean.
    """
    if metric is None:
        return True
    metric = keras.metrics.get(metric) if isinstance(metric, str) else metric
    # A loss as a metric would give the mean of a batch.
    known = isinstance(metric, keras.metrics.Metric | FunctionType)
    if not (known and is_keras(metric) and is_keras(function_of(metric))):
        return False
    return (function_arguments_of(metric) or {}).get("axis", -1) == -1


def _loss_class(loss):
    """Return the class name of a loss of Keras with its defaults; else None."""
    loss = keras.losses.get(loss) if isinstance(loss, str) else loss
    if isinstance(loss, keras.losses.Loss):
        name = type(loss).__name__
        own = type(loss) is getattr(keras.losses, name, None) and name in _LOSSES
        return name if own and value_key(loss) == value_key(type(loss)()) else None
    if not getattr(loss, "__module__", "").startswith("keras."):
        return None
    return _class_of(loss.__name__)


def _optimizer_of(model):
    """Return the name of the optimizer that a model is compiled with, or None."""
    optimizer = model.optimizer
    name = _OPTIMIZERS.get(type(optimizer))
    if name is None:
        return None
    try:
        config = optimizer.get_config()
    except Exception:  # Whatever a schedule of the user's raises.
        return None
    has_schedule = isinstance(config["learning_rate"], dict)
    return None if has_schedule or not _has_defaults(optimizer, config) else name


def _chain(model) -> list[Any]:
    """Return the layers of a model if each feeds only the next one, else []."""
    layers = [x for x in model.layers if not isinstance(x, keras.layers.InputLayer)]
    if isinstance(model, keras.Sequential):
        return layers
    if len(model.inputs) != 1 or len(layers) != len(model.operations) - 1:
        return []
    x = model.inputs[0]
    for layer in layers:
        (given, *others) = calls_of(layer)
        # The supported layers compute the same in training and prediction.
        extras = [given.kwargs[k] for k in given.kwargs if k != "training"]
        extras = [value for value in extras if value is not None]
        if others or extras or list(map(id, given.keras_tensors)) != [id(x)]:
            return []
        x = layer.output
    return layers if x is model.outputs[0] else []


def _directions(layer) -> list[Any]:
    """Return the layer of each direction, one or two; [] if it isn't supported."""
    if type(layer) is not keras.layers.Bidirectional:
        return [] if getattr(layer, "go_backwards", True) else [layer]
    forward, backward = layer.forward_layer, layer.backward_layer
    reverse = not forward.go_backwards and backward.go_backwards
    alike = forward.units == backward.units
    return [forward, backward] if reverse and alike and _is_plain(layer) else []


def _kind(layer):
    """Return the cell and the activation of a layer; None if it isn't supported."""
    if type(layer) not in _CELLS or not _has_known_activation(layer):
        return None
    return (_CELLS[type(layer)], _activation(layer)) if _is_plain(layer) else None


def _is_plain(layer):
    """Whether a layer is trainable, and has Keras' defaults for all that isn't free."""
    single = layer.dtype_policy.name == "float32"
    return single and layer.trainable and _has_defaults(layer, layer.get_config())


def _has_defaults(part, config):
    """Whether all arguments of a layer or optimizer that aren't free are defaults."""
    # Read from the signature: making an object would use up a name and a seed.
    defaults = signature(type(part)).parameters
    return all(
        key in defaults and value == defaults[key].default
        for key, value in config.items()
        if key not in _FREE
    )


def _has_known_activation(layer):
    return _activation(layer) in ACTIVATIONS


def _activation(layer):
    """Return the name of an activation of Keras' own, or None."""
    activation = getattr(layer, "activation", None)
    name = getattr(activation, "__name__", "")
    known = activation is not None
    return name if known and getattr(keras.activations, name, 0) is activation else None


def _has_weights_of(model, spec):
    shapes = [row.shape for row in weight_table(spec)]
    variables = model.weights
    plain = [v.trainable and not (v.constraint or v.regularizer) for v in variables]
    return [tuple(v.shape) for v in variables] == shapes and all(plain)
