"""The TensorFlow backend of the network's formula: same methods as `reference`."""

from types import SimpleNamespace

import tensorflow as tf

from skrnn._networks.activations import ACTIVATIONS
from skrnn._networks.cells import CELLS, hold

ops = SimpleNamespace(
    abs=tf.abs,
    concatenate=tf.concat,
    einsum=tf.einsum,
    exp=tf.exp,
    logaddexp=lambda x, y: tf.maximum(x, y) + tf.math.log1p(tf.exp(-tf.abs(x - y))),
    matmul=tf.matmul,
    maximum=tf.maximum,
    mean=lambda x, axis, keepdims: tf.reduce_mean(x, axis, keepdims),
    minimum=tf.minimum,
    sigmoid=tf.sigmoid,
    softmax=tf.nn.softmax,
    split=tf.split,
    sqrt=tf.sqrt,
    stack=tf.stack,
    tanh=tf.tanh,
    where=tf.where,
)

# The fused kernel wins while its overhead counts and loses to one large product for
# all inputs from about this many units on: measured at T=30 and T=100.
FUSED_MAX_UNITS = 96


class Kit:
    """One trace of the network; `noise` is None for prediction."""

    ops = ops

    def __init__(self, noise=None):
        self.noise = noise

    def take_rows(self, table, ids):
        return tf.gather(table, ids)

    def dropout(self, x, enabled):
        if self.noise is None or not enabled:
            return x
        return x * self.noise.mask(tf.shape(x), "dropout")

    def reverse(self, x, lengths):
        return tf.reverse_sequence(x, lengths, seq_axis=0, batch_axis=1)

    def last(self, x, lengths):
        rows = tf.range(tf.shape(x)[1], dtype=lengths.dtype)
        return tf.gather_nd(x, tf.stack([lengths - 1, rows], axis=1))

    def attendable(self, x, lengths):
        return x, tf.range(tf.shape(x)[0], dtype=lengths.dtype)[:, None] < lengths

    def run_cell(
        self, cell, activation, x, kernel, recurrent_kernel, biases, held, dropout
    ):
        """Run a cell over x (T, B, F) from a zero state: (T, B, U)."""
        plain = self.noise is None or not dropout
        units = recurrent_kernel.shape[0]
        fused = cell == "lstm" and activation == "tanh" and units <= FUSED_MAX_UNITS
        if fused and plain:
            return _fused_lstm(x, kernel, recurrent_kernel, biases[0])
        mask = None
        if not plain:
            mask = self.noise.mask([tf.shape(x)[1], units], "recurrent_dropout")
        kernels = kernel, recurrent_kernel
        return _loop(CELLS[cell], activation, x, *kernels, biases, mask, held)


class Noise:
    """Dropout masks from one seed: the same numbers wherever a step is computed.

    Every mask asked for in a trace gets its own stream; `counter` is the number of the
    training step.
    """

    def __init__(self, seed, counter, rates):
        self.seed, self.counter, self.rates = seed, counter, rates
        self.n_masks = 0

    def mask(self, shape, kind):
        """Return zeros with the probability of `kind`, and 1 / (1 - it) elsewhere."""
        self.n_masks += 1
        rate = self.rates[kind]
        seed = [tf.cast(self.seed, tf.int64), self.counter * 1024 + self.n_masks]
        drawn = tf.random.stateless_uniform(shape, tf.stack(seed))
        return tf.where(drawn >= rate, 1.0 / (1.0 - rate), 0.0)


def _fused_lstm(x, kernel, recurrent_kernel, bias):
    """Run a whole LSTM layer as one kernel, forward and backward.

    It isn't BlockLSTMV2, whose order of gates is Keras': TensorFlow 2.21 gives that one
    the gradient of BlockLSTM, which takes f for g.
    """
    units = recurrent_kernel.shape[0]
    zeros = tf.zeros([tf.shape(x)[1], units])
    no_peephole = tf.zeros([units])
    return tf.raw_ops.BlockLSTM(
        seq_len_max=tf.shape(x, out_type=tf.int64)[0],
        x=x,
        cs_prev=zeros,
        h_prev=zeros,
        w=_swap_f_and_g(tf.concat([kernel, recurrent_kernel], axis=0)),
        wci=no_peephole,
        wcf=no_peephole,
        wco=no_peephole,
        b=_swap_f_and_g(tf.convert_to_tensor(bias)),
        forget_bias=0.0,
        cell_clip=0.0,
    ).h


def _swap_f_and_g(gates):
    """Put the columns of the gates i, f, g, o into BlockLSTM's order i, g, f, o."""
    i, f, g, o = tf.split(gates, 4, axis=-1)
    return tf.concat([i, g, f, o], axis=-1)


def _loop(cell, activation, x, kernel, recurrent_kernel, biases, mask, held=None):
    bias, recurrent_bias = biases
    activate = ACTIVATIONS[activation]
    units = recurrent_kernel.shape[0]
    n_steps, n_sequences = tf.shape(x)[0], tf.shape(x)[1]
    # All inputs in one product: only the recurrent one must wait for its turn.
    x = tf.TensorArray(tf.float32, n_steps).unstack(tf.matmul(x, kernel) + bias)
    recurrent_kernel = tf.convert_to_tensor(recurrent_kernel)

    def step(t, outputs, *states):
        h = states[0] if mask is None else states[0] * mask
        recurrent = tf.matmul(h, recurrent_kernel)
        if recurrent_bias is not None:
            recurrent += recurrent_bias
        after = cell.step(ops, activate, x.read(t), recurrent, *states)
        if held is not None:
            after = hold(ops, tf.cast(t, held.dtype) < held, after, states)
        return (t + 1, outputs.write(t, after[0]), *after)

    outputs = tf.TensorArray(tf.float32, n_steps, element_shape=[None, units])
    zeros = (tf.zeros([n_sequences, units]),) * cell.n_states
    loop = tf.while_loop(
        lambda t, *_: t < n_steps,
        step,
        (0, outputs, *zeros),
        maximum_iterations=n_steps,
    )
    return tf.ensure_shape(loop[1].stack(), [None, None, units])
