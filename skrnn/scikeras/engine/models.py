"""Copies of Keras models and of their parts, for the engine to train and to run."""

import keras

from skrnn._engine.keras.foreign.optimizers import copy_of_optimizer
from skrnn._engine.keras.private import (
    compile_arguments_of,
    function_arguments_of,
    layers_of,
    set_function_arguments,
    set_undecayed_names,
    undecayed_names_of,
    undecayed_variables_of,
)
from skrnn.scikeras.engine.keys import NotTakenError, adapted_layers, forms


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
    """Return a copy of an optimizer, or itself if it can't be copied."""
    decays = getattr(optimizer, "weight_decay", None) is not None
    if decays and undecayed_variables_of(optimizer):
        # It knows the variables of one network.
        return optimizer
    try:
        copied = copy_of_optimizer(optimizer)
    except Exception:  # Whatever a schedule of the user's raises.
        return optimizer
    if decays:
        set_undecayed_names(copied, undecayed_names_of(optimizer))
    return copied


def follow_variables(model):
    """Make the adapted layers of a copied model always compute from their variables.

    Keras' own layer turns its variables into tensors once, in ``adapt``, and
    ``set_weights`` changes only the variables. A fit copies statistics into the
    variables, but the tensors would be constants in what Keras compiles.
    """
    for layer in adapted_layers(layers_of(model)):
        layer.__class__ = _LiveNormalization


class _LiveNormalization(keras.layers.Normalization):
    """Normalization by the statistics in its variables."""

    def call(self, inputs):
        self.finalize_state()
        return super().call(inputs)


def compute_by_variables(model):
    """Make all ``Normalization`` layers compute from their current variables."""
    for layer in layers_of(model):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
