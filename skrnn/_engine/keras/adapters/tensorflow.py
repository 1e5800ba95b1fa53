"""What is specific to TensorFlow: functions with the same names as `jax`'s."""

from functools import partial

import numpy as np
import tensorflow as tf

# The fused kernel wins while its overhead counts and loses to one large product for
# all inputs from about this many units on: measured at T=30 and T=100.
FUSED_MAX_UNITS = 96
# One function serves all sizes of batches.
FIXED_SHAPES = False


def scalars(values):
    """Return named numbers as tensors."""
    return {name: tf.convert_to_tensor(value) for name, value in values.items()}


def tensor(array):
    """Hand an array over."""
    return tf.convert_to_tensor(array)


def value(variable):
    """Return a variable of Keras as a tensor: it isn't read again at each step."""
    return tf.convert_to_tensor(variable.value)


def to_numpy(tensor):
    """Return a tensor as an array, which may share its memory."""
    return np.asarray(tensor)


def compiled(function, _changed, args):
    """Compile `function`, which is traced once for all sizes.

    Parameters
    ----------
    function : callable
        ``function(arrays, n, states, *scalars)``; it may change variables of Keras.
    args : tuple
        Those of its first call. Their types are fixed, and so are some sizes.
    """
    arrays, n, states, *scalars = args
    signature = [
        {name: _spec(array, _free_axes(name, array)) for name, array in arrays.items()},
        _spec(n),
        tuple(_spec(state, 1) for state in states),
        *tf.nest.map_structure(_spec, scalars),
    ]
    return _traced_once(function, signature)


def _traced_once(function, signature):
    # TensorFlow warns of code that is traced often, which ours is, once a network: it
    # tells functions apart by their code, which a partial doesn't show.
    return tf.function(partial(function), input_signature=signature, autograph=False)


def _free_axes(name, array):
    """Return how many axes are of any size: batches, steps and sequences."""
    return array.ndim - 1 if name in ("targets", "steps") else min(array.ndim, 3)


def _spec(like, n_free=0):
    return tf.TensorSpec([None] * n_free + like.shape[n_free:], like.dtype)


def differentiate(loss, variables):
    """Return what ``loss(values) -> value, others`` gives, and the gradients."""
    own = [variable.value for variable in variables]
    with tf.GradientTape() as tape:
        result, others = loss([tf.convert_to_tensor(each) for each in own])
    zero = tf.UnconnectedGradients.ZERO
    found = tape.gradient(result, own, unconnected_gradients=zero)
    # Those of rows that were looked up come as a list of rows.
    return result, others, [tf.convert_to_tensor(gradient) for gradient in found]


def update_if(condition, update, _changed):
    """Call `update`, which changes variables, where a condition holds."""
    tf.cond(condition, lambda: (update(), None)[1], lambda: None)


def each_batch(body, n, _size, states, go_on, _changed):
    """Call ``body(i, states) -> total, count, states, go_on`` as long as that is true.

    It is called for the first `n` batches. Returns the sums of totals and counts, the
    states, and the last `go_on`.
    """
    # Double: the loss must not depend on where a run of batches is cut, by time.
    zero = tf.constant(0.0, tf.float64)

    def step(i, total, count, states, _):
        sum_, number, after, go_on = body(i, states)
        total, count = (
            total + tf.cast(sum_, tf.float64),
            count + tf.cast(number, tf.float64),
        )
        return i + 1, total, count, _shaped_like(states, after), go_on

    _, *found = tf.while_loop(
        lambda i, _total, _count, _states, go_on: go_on & (i < n),
        step,
        (0, zero, zero, tuple(states), go_on),
        parallel_iterations=1,
    )
    return found


def entry(array, i, n_steps=None):
    """Return batch `i` of an array of batches, or its first steps."""
    # One operation, where an index takes five.
    one = tf.gather(array, i)
    return one if n_steps is None else one[:n_steps]


def scan(step, states, entries):
    """Call ``step(t, entries[t], states) -> output, states`` for all steps t.

    Returns all outputs, (T, ...), and the last states.
    """
    n_steps = tf.shape(entries[0])[0]
    entries = [
        tf.TensorArray(each.dtype, n_steps, element_shape=each.shape[1:]).unstack(each)
        for each in map(tf.convert_to_tensor, entries)
    ]

    def body(t, outputs, states):
        output, after = step(t, [each.read(t) for each in entries], states)
        shapes.append(output.shape)
        return t + 1, outputs.write(t, output), _shaped_like(states, after)

    shapes: list = []
    outputs = tf.TensorArray(states[0].dtype, n_steps, infer_shape=False)
    _, outputs, states = tf.while_loop(
        lambda t, *_: t < n_steps,
        body,
        (0, outputs, tuple(states)),
        maximum_iterations=n_steps,
    )
    return tf.ensure_shape(outputs.stack(), [None, *shapes[0]]), states


def _shaped_like(states, after):
    """Restore what is known of shapes, which a loop would lose."""
    return tuple(
        new if new.shape == old.shape else tf.ensure_shape(new, old.shape)
        for old, new in zip(states, after, strict=True)
    )


def uniform(shape, seed, counter, number):
    """Draw numbers from 0 to below 1, those of one stream of a step's."""
    seed, counter = tf.cast(seed, tf.int64), tf.cast(counter, tf.int64)
    seed = tf.stack([seed, counter * 1024 + number])
    return tf.random.stateless_uniform(shape, seed)


def take_rows(table, ids):
    """Return the rows of `table` at `ids`."""
    return tf.gather(table, ids)


def at_steps(x, steps):
    """Return step ``steps[b]`` of each sequence b of x (T, B, ...)."""
    rows = tf.range(tf.shape(x)[1], dtype=steps.dtype)
    return tf.gather_nd(x, tf.stack([steps, rows], axis=1))


def reverse(x, lengths):
    """Reverse each sequence of x (T, B, ...) within its own length."""
    return tf.reverse_sequence(x, lengths, seq_axis=0, batch_axis=1)


def fused(cell, x, states):
    """Run a whole layer as one kernel, forward and backward, where there is one.

    Returns the outputs and each state at all steps, or None.
    """
    kernel = _KERNELS.get(cell.cell.tensorflow_kernel)
    if kernel is None or cell.activation != "tanh" or cell.units > FUSED_MAX_UNITS:
        return None
    return kernel(cell, x, states)


def _block_lstm(cell, x, states):
    """Run BlockLSTM.

    It isn't BlockLSTMV2, whose order of gates is Keras': TensorFlow 2.21 gives that one
    the gradient of BlockLSTM, which takes f for g.
    """
    if states is None:
        states = (tf.zeros([tf.shape(x)[1], cell.units]),) * 2
    kernels = [cell.weights[name] for name in ("kernel", "recurrent_kernel")]
    no_peephole = tf.zeros([cell.units])
    found = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.shape(x, out_type=tf.int64)[0],
        x=x,
        cs_prev=states[1],
        h_prev=states[0],
        w=_swap_f_and_g(tf.concat(kernels, axis=0)),
        wci=no_peephole,
        wcf=no_peephole,
        wco=no_peephole,
        b=_swap_f_and_g(tf.convert_to_tensor(cell.weights["bias"])),
        forget_bias=0.0,
        cell_clip=0.0,
    )
    return found.h, found.h, found.cs


def _swap_f_and_g(gates):
    """Put the columns of the gates i, f, g, o into BlockLSTM's order i, g, f, o."""
    i, f, g, o = tf.split(gates, 4, axis=-1)
    return tf.concat([i, g, f, o], axis=-1)


# Names by which cells declare them.
_KERNELS = {"BlockLSTM": _block_lstm}
