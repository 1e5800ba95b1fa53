"""The private names of Keras, TensorFlow and JAX: no other file touches one.

Each function does one thing for which there is no public name. Its docstring says what
that is for. Its paragraph "When it goes" says what to do once a release has renamed or
dropped the name: ``tests/engine/keras/test_private_names.py`` tries every function on
the installed release, and quotes that paragraph where one fails.

The module imports no backend at its top: light modules use it too.
"""

import random
import sys
from contextlib import contextmanager
from typing import Any

# Optimizers


def rate_or_schedule_of(optimizer):
    """Return an optimizer's learning rate as it was given: a variable or a schedule.

    The public ``learning_rate`` answers with a schedule's rate of now, so it can't tell
    a schedule from a number.

    When it goes: look up in ``Optimizer.__init__`` where the rate is kept. Without it,
    ``get_config()["learning_rate"]`` tells a schedule (a dict) from a number, but the
    schedule has to be made anew with ``keras.optimizers.schedules.deserialize``, which
    doesn't find one that is defined in a script.
    """
    return optimizer._learning_rate


def averages_of(optimizer):
    """Return the averages that an optimizer with ``use_ema`` takes of the weights.

    Keras' ``fit`` ends by putting them in the place of the weights; its method for
    that would also do so where training goes on.

    When it goes: call ``finalize_variable_values`` on copies of the variables.
    """
    return optimizer._model_variables_moving_average


def keep_gradients_local(optimizer):
    """Skip Keras' sum of gradients over replicas, of which there is one.

    That sum is wrapped in a custom gradient, whose global registry would keep the graph
    of every compiled function for ever: about 12 MB for each (tensorflow#97697).

    When it goes: Keras sums in another place, or no more. Fit a thousand
    networks of different shapes: if the process grows by megabytes a fit, skip the sum
    where it is made now; otherwise delete this function.
    """
    if hasattr(optimizer, "_all_reduce_sum_gradients"):
        optimizer._all_reduce_sum_gradients = lambda grads_and_vars: grads_and_vars


def trained_variables_of(optimizer):
    """Return the variables of the model that an optimizer was built for.

    They tell whether layers were frozen or thawed since ``compile``.

    When it goes: look up in ``Optimizer.build`` where the variables are kept. Without
    them, compare shapes: ``optimizer.variables`` has moments of the same shapes.
    """
    return optimizer._trainable_variables


def undecayed_variables_of(optimizer):
    """Return what ``exclude_from_weight_decay(var_list=...)`` has set, or None.

    No configuration tells of it, so an optimizer that has some can't be copied.

    When it goes: look up in ``Optimizer.exclude_from_weight_decay`` what it sets.
    """
    return getattr(optimizer, "_exclude_from_weight_decay", None)


def undecayed_names_of(optimizer):
    """Return what ``exclude_from_weight_decay(var_names=...)`` has set, or None.

    When it goes: look up in ``Optimizer.exclude_from_weight_decay`` what it sets.
    """
    return getattr(optimizer, "_exclude_from_weight_decay_pattern", None)


def set_undecayed_names(optimizer, names):
    """Give an optimizer what `undecayed_names_of` has returned for another.

    The public method joins the names to one pattern, which it couldn't take again.

    When it goes: look up in ``Optimizer.exclude_from_weight_decay`` what it sets.
    """
    optimizer._exclude_from_weight_decay_pattern = names


# Models and layers


def layers_of(model):
    """Return all layers of a model, those inside of other layers too, in order.

    The public ``layers`` stops at a nested model and at a wrapper.

    When it goes: walk ``layers`` and the attributes of each layer that are layers.
    """
    return model._flatten_layers(include_self=False)


def functional_class():
    """Return the class of a model that is made of its inputs and outputs.

    ``keras.Model(inputs, outputs)`` makes one. A subclass of the user's is none.

    When it goes: take ``type(keras.Model(x, x))`` for an input ``x``. That counts up
    the automatic names of the user's models, so give it a name.
    """
    from keras.src.models import Functional  # noqa: PLC0415

    return Functional


def ends_of(model):
    """Return inputs and outputs as the model was given them: tensors, lists, dicts.

    The public ``inputs`` and ``outputs`` are flat lists: they don't tell a model of one
    array from one of a list with one array.

    When it goes: look up what ``Functional.__init__`` keeps of its arguments, and in
    which attribute a ``Sequential`` holds its ``Functional``.
    """
    inner = getattr(model, "_functional", None) or model
    return inner._inputs_struct, inner._outputs_struct


def calls_of(layer):
    """Return the arguments of each symbolic call of a layer.

    They have ``keras_tensors``, the symbols among them, and ``kwargs``.

    When it goes: look up in ``Operation.symbolic_call`` where the ``Node`` is kept.
    Without it, take only ``Sequential`` models for a chain of layers, in ``_chain`` of
    ``skrnn/scikeras/engine/specs.py``.
    """
    return [node.arguments for node in layer._inbound_nodes]


def is_distributed(model):
    """Whether a model was made under a ``tf.distribute`` strategy.

    When it goes: look up in Keras' TensorFlow trainer where it keeps the strategy.
    """
    return getattr(model, "_distribute_strategy", None) is not None


def was_called(model):
    """Whether anybody has called a model, as Keras' own ``fit`` does.

    When it goes: delete this function; the model is then called once more, which costs
    milliseconds.
    """
    return getattr(model, "_called", False)


def supports_xla(model):
    """Whether XLA can compile a model, as Keras itself decides it.

    When it goes: ask each layer for ``supports_jit``, the public attribute.
    """
    from keras.src.trainers.trainer import model_supports_jit  # noqa: PLC0415

    return model_supports_jit(model)


# What a model is compiled with


def compile_arguments_of(model):
    """Return the arguments that ``compile`` was called with, as objects.

    The public ``get_compile_config`` makes text of them, which leaves out functions and
    classes of the user's.

    When it goes: look up in ``Trainer.compile`` what it keeps of its arguments.
    """
    return dict(model._compile_config.config)


def compiled_metrics_of(model):
    """Return the one metric that counts all those of ``compile``; None if none.

    The public ``metrics`` lists them, but each may belong to another output and count
    weights or not; ``update_state`` of this one knows.

    When it goes: look up in ``Trainer.compute_metrics`` what it updates, or call that
    method, which the user's own class may have replaced.
    """
    return model._compile_metrics


def function_of(metric):
    """Return the function that a metric takes the mean of; itself if there is none.

    When it goes: look up in ``MeanMetricWrapper.__init__`` where the function is kept.
    """
    return getattr(metric, "_fn", metric)


def function_arguments_of(part):
    """Return what a loss or metric tells its function besides y; None if it has none.

    Not all of it is in a configuration: the axis of a cosine isn't.

    When it goes: look up in ``LossFunctionWrapper.__init__`` and
    ``MeanMetricWrapper.__init__`` where the arguments are kept.
    """
    return getattr(part, "_fn_kwargs", None)


def set_function_arguments(part, arguments):
    """Give a loss or metric what `function_arguments_of` has returned for another.

    When it goes: as for `function_arguments_of`.
    """
    part._fn_kwargs = arguments


def mask_of(tensor):
    """Return the mask that a layer has left at its output, or None.

    Keras' losses and metrics read it there, and leave out what is masked.

    When it goes: look up ``get_keras_mask`` in Keras' ``backend/common/masking.py``.
    """
    return getattr(tensor, "_keras_mask", None)


def set_mask(tensor, mask):
    """Leave a mask at a tensor for Keras' losses and metrics; None takes it away.

    When it goes: look up ``set_keras_mask`` in Keras' ``backend/common/masking.py``.
    """
    tensor._keras_mask = mask


# Callbacks


def initial_epoch_of(model):
    """Return the epoch, from 0, that a callback wants training to begin with, or 0.

    ``BackupAndRestore`` sets it, and Keras' own ``fit`` reads it.

    When it goes: look up what ``BackupAndRestore.on_train_begin`` sets.
    """
    return getattr(model, "_initial_epoch", None) or 0


def forget_model(callback):
    """Take its model from a callback, so that it can be pickled and used again.

    The public ``model`` can't be set.

    When it goes: look up what ``Callback.set_model`` sets. ``set_model(None)`` would
    do, but the user's own class may look at the model there.
    """
    callback._model = None


# Random generators


@contextmanager
def global_generator(generator):
    """Let Keras' layers and functions without a seed draw from `generator` inside.

    The public ``keras.utils.set_random_seed`` sets the generators of Python, NumPy and
    the backend as well, and doesn't put them back.

    When it goes: look up in ``draw_seed`` of Keras' ``random/seed_generator.py`` where
    the generator is kept. Until then a seed has no effect on what Keras draws itself.
    """
    try:
        from keras.src.backend.common import global_state  # noqa: PLC0415
    except ImportError:
        yield
        return
    name = "global_seed_generator"
    before = global_state.get_global_attribute(name)
    global_state.set_global_attribute(name, generator)
    try:
        yield
    finally:
        global_state.set_global_attribute(name, before)


@contextmanager
def tensorflow_seeded(seed):
    """Seed TensorFlow's global generator while inside; put it back as it was.

    The public ``tf.random.set_seed`` can't put it back: a generator has a place in its
    sequence too. It also has every compiled function be optimised anew, which takes
    most of a second and is needed only after a seed was drawn.

    When it goes: look up in ``Context._set_global_seed`` of TensorFlow's
    ``python/eager/context.py`` what it sets.
    """
    from tensorflow.python.eager import context  # noqa: PLC0415

    state = context.context()
    names = "_seed", "_rng"
    before = {name: vars(state)[name] for name in names if name in vars(state)}
    state._seed, state._rng = seed, random.Random(seed)
    unused = state._rng.getstate()
    try:
        yield
    finally:
        if state._rng.getstate() != unused:
            state.clear_kernel_cache()
        for name in names:
            vars(state).pop(name, None)
        vars(state).update(before)


# What a backend keeps


def forget_kernels():
    """Let TensorFlow forget the kernels of operations that have run.

    It keeps those of functions that are gone, about 2 MB a network, and makes what is
    needed again.

    When it goes: look up in TensorFlow's ``python/eager/context.py`` what empties the
    cache of kernels. Until then 1,000 networks of different shapes keep about 2 GB.
    """
    context = _tensorflow_context()
    if context is not None:
        context.clear_kernel_cache()


def tensorflow_runs():
    """Whether something has computed on TensorFlow; importing it starts no threads.

    When it goes: look up in TensorFlow's ``python/eager/context.py`` what
    ``Context.ensure_initialized`` sets. Until then a forked process may hang.
    """
    return _tensorflow_context() is not None


def _tensorflow_context():
    """Return what TensorFlow computes in, or None if it never has computed."""
    module = sys.modules.get("tensorflow.python.eager.context")
    context: Any = getattr(module, "_context", None)
    started = getattr(context, "_context_handle", None) is not None
    return context if started else None


def jax_runs():
    """Whether something has computed on JAX; importing it starts no threads.

    When it goes: look up what ``jax.extend.backend.backends`` fills: that function
    itself would start JAX. Until then a forked process may hang.
    """
    return bool(getattr(sys.modules.get("jax._src.xla_bridge"), "_backends", None))
