"""Training and prediction on TensorFlow: whole runs of batches in compiled functions.

A batch is gathered inside the compiled function from the packed rows, so neither
windows nor padding ever exist for more than one batch. Batches at the end of an epoch
are filled up with rows of zero weight: the shapes never change.
"""

from functools import partial

import numpy as np
import tensorflow as tf

from skrnn._engine.keras.losses import one_a_target
from skrnn._engine.keras.programs.tensorflow_kit import Kit, Noise
from skrnn._engine.keras.variables import Variables
from skrnn._networks.forward import forward
from skrnn._networks.weights import weight_table


def device_sequences(sequences):
    """Hand `Sequences` to TensorFlow."""
    return {
        "values": tf.convert_to_tensor(sequences.values),
        "starts": tf.constant(np.asarray(sequences.starts), tf.int64),
        "lengths": tf.constant(sequences.lengths, tf.int64),
        "step": tf.constant(sequences.step, tf.int64),
    }


class Program(Variables):
    """The compiled training functions of one network, loss and optimizer.

    What varies from fit to fit is an argument: `knobs` are the seed, the number of the
    step, learning rates, the limits of gradients and the dropout rates.
    """

    def __init__(self, spec, loss, optimizer):
        super().__init__(spec, loss, optimizer)
        data, order = _dataset_signature(spec), tf.TensorSpec([None, None], tf.int64)
        self._compiled_train = _compile(self._train, [data, order, _KNOBS])
        self._compiled_evaluate = _compile(self._evaluate, [data, order])

    @staticmethod
    def load(dataset):
        """Hand a `Dataset` to TensorFlow: the rows once, without windows or padding."""
        return device_sequences(dataset.sequences) | {
            "targets": tf.convert_to_tensor(np.asarray(dataset.targets)),
            "weights": tf.convert_to_tensor(dataset.weights),
            "target_starts": tf.constant(np.asarray(dataset.target_starts), tf.int64),
        }

    def train(self, data, order, knobs):
        """Train on batches `order` (n_batches, B) of row numbers, -1 for none.

        Returns the sum of the losses, their number, and whether all was finite; from
        the first step on where it wasn't, nothing is changed any more.
        """
        given = {"global_clipnorm": np.inf} | knobs
        given |= {"rates": self.rates(knobs, len(order))}
        # Tensors, where functions run eagerly too.
        given = {
            name: tf.convert_to_tensor(given[name], spec.dtype)
            for name, spec in _KNOBS.items()
        }
        order = tf.convert_to_tensor(order, tf.int64)
        return self._compiled_train(data, order, given)

    def evaluate(self, data, order):
        """Return the sum of the losses of batches `order`, and their number."""
        order = tf.convert_to_tensor(order, tf.int64)
        return self._compiled_evaluate(data, order)

    def _train(self, data, order, knobs):
        # Double: where a run of batches is cut, by time, must not show in the loss.
        zero = tf.constant(0.0, tf.float64)

        def body(i, total, count, _finite):
            sum_, n = 0.0, 0.0
            with tf.GradientTape() as tape:
                noise = Noise(
                    knobs["seed"], knobs["step"] + tf.cast(i, tf.int64), knobs
                )
                sum_, n = self._batch_loss(data, order[i], noise)
                loss = sum_ / tf.maximum(n, 1.0)
            variables = [variable.value for variable in self.trained]
            gradients = [
                tf.convert_to_tensor(g) for g in tape.gradient(loss, variables)
            ]
            norms = tf.stack([tf.norm(g) for g in gradients])
            finite = tf.math.is_finite(loss + tf.reduce_sum(norms))
            apply = partial(self._apply, gradients, norms, knobs, knobs["rates"][i])
            tf.cond(finite, apply, lambda: None)
            total += tf.cast(sum_, tf.float64)
            return i + 1, total, count + tf.cast(n, tf.float64), finite

        _, total, count, finite = tf.while_loop(
            lambda i, _total, _count, finite: finite & (i < tf.shape(order)[0]),
            body,
            (0, zero, zero, True),
            parallel_iterations=1,
        )
        return total, count, finite

    def _apply(self, gradients, norms, knobs, rate):
        if self.rate is not None:
            self.rate.assign(rate)
        # Infinite limits of infinite norms are none.
        norm = tf.clip_by_value(tf.norm(norms), 1e-30, tf.float32.max)
        as_one = tf.minimum(1.0, knobs["global_clipnorm"] / norm)
        norms = tf.maximum(norms * as_one, 1e-30)
        scales = tf.unstack(as_one * tf.minimum(1.0, knobs["clipnorm"] / norms))
        clipped = [g * scale for g, scale in zip(gradients, scales, strict=True)]
        self.optimizer.apply(clipped, self.trained)

    def _evaluate(self, data, order):
        def body(i, total, count):
            sum_, n = self._batch_loss(data, order[i], None)
            return i + 1, total + sum_, count + n

        _, total, count = tf.while_loop(
            lambda i, *_: i < tf.shape(order)[0], body, (0, 0.0, 0.0)
        )
        return total, count

    def _batch_loss(self, data, rows, noise):
        """Return the weighted sum of a batch's losses and the number of its terms."""
        present = rows >= 0
        rows = tf.maximum(rows, 0)
        x, lengths, steps = gather(data, rows)
        weights = [tf.convert_to_tensor(variable.value) for variable in self.weights]
        outputs, _ = forward(Kit(noise), self.spec, weights, x, lengths)
        at = tf.gather(data["target_starts"], rows)
        if self.spec.return_sequences:
            at += steps
            present &= tf.range(tf.shape(x)[0], dtype=tf.int64)[:, None] < lengths
        losses = self.loss(tf.gather(data["targets"], at), outputs)
        losses = one_a_target(losses, present.shape.rank)
        present = tf.cast(present, tf.float32)
        # Absent ones may hold anything, a NaN too: `where` keeps it out.
        weighted = tf.where(present > 0, losses * tf.gather(data["weights"], at), 0.0)
        return tf.reduce_sum(weighted), tf.reduce_sum(present)


def gather(data, rows):
    """Return a time-major batch of sequences `rows`: x, lengths, steps (T, B)."""
    lengths = tf.gather(data["lengths"], rows)
    steps = tf.range(tf.reduce_max(lengths))[:, None]
    # The last step stands for the padding: it is always there to be read.
    steps = tf.minimum(steps, lengths - 1)
    at = tf.gather(data["starts"], rows) + steps * data["step"]
    return tf.gather(data["values"], at), lengths, steps


def predictor(spec):
    """Compile ``f(weights, data, rows) -> outputs, state`` for `spec`."""

    def run(weights, data, rows):
        x, lengths, _ = gather(data, rows)
        return forward(Kit(), spec, weights, x, lengths)

    weights = [tf.TensorSpec(row.shape, tf.float32) for row in weight_table(spec)]
    rows = tf.TensorSpec([None], tf.int64)
    return _compile(run, [weights, _sequences_signature(spec), rows])


# What varies from fit to fit of the same network.
_KNOBS = {
    "seed": tf.TensorSpec([], tf.int32),
    "step": tf.TensorSpec([], tf.int64),
    "rates": tf.TensorSpec([None], tf.float32),
    "clipnorm": tf.TensorSpec([], tf.float32),
    "global_clipnorm": tf.TensorSpec([], tf.float32),
    "dropout": tf.TensorSpec([], tf.float32),
    "recurrent_dropout": tf.TensorSpec([], tf.float32),
}


def _compile(function, signature):
    """Trace `function` once for all shapes."""
    # TensorFlow warns of code that is traced often, which ours is, once a network: it
    # tells functions apart by their code, which a partial doesn't show.
    function = partial(function)
    return tf.function(function, input_signature=signature, autograph=False)


def _sequences_signature(spec):
    dtype = tf.float32 if spec.embedding_dim is None else tf.int32
    # Token ids of one channel have no axis for it.
    flat = isinstance(spec.embedding_dim, int)
    rows = tf.TensorSpec([None], tf.int64)
    return {
        "values": tf.TensorSpec([None] if flat else [None, spec.n_features], dtype),
        "starts": rows,
        "lengths": rows,
        "step": tf.TensorSpec([], tf.int64),
    }


def _dataset_signature(spec):
    classes = spec.head.activation == "softmax"
    targets = (
        tf.TensorSpec([None, 1], tf.int32)
        if classes
        else tf.TensorSpec([None, spec.head.units], tf.float32)
    )
    return _sequences_signature(spec) | {
        "targets": targets,
        "weights": tf.TensorSpec([None], tf.float32),
        "target_starts": tf.TensorSpec([None], tf.int64),
    }
