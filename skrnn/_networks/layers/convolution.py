"""Convolutions over time, before the recurrent layers and beside them."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._networks.layers.base import BaseLayer, Flow
from skrnn._networks.outline import numbered
from skrnn._networks.weights import Weight

# Added to variances; Keras' default.
EPSILON = 1e-3
# Share of a statistic that is kept at each batch. Fits of few batches need less than
# Keras' 0.99.
MOMENTUM = 0.9
# Where zeros stand before a sequence is convolved; names of Keras.
PADDINGS = ("same", "causal")


@dataclass(frozen=True)
class Convolution(BaseLayer):
    """A convolution over time, normalised and rectified: (T, B, F) -> (T, B, filters).

    Each step reads those around it, with zeros outside of the sequence, so that no
    answer depends on padding. Filters are normalised over all real steps of a batch
    (Ioffe & Szegedy, 2015); prediction takes the statistics that followed the batches
    of training. `dilation` is the distance between the steps of a window (van den Oord
    et al., 2016); a `causal` window ends with the step itself. Each `pool` steps become
    their greatest values. If it `tells_mean`, the mean of its steps is passed on too.
    """

    filters: int
    kernel_size: int
    dilation: int = 1
    pool: int = 1
    tells_mean: bool = False
    causal: bool = False

    parameter = "conv_filters"
    parameters = {
        "filters": "conv_filters",
        "kernel_size": "conv_kernel_size",
        "dilation": None,
        "pool": None,
        "tells_mean": None,
        "causal": None,
    }
    reads_ahead = "conv_filters and conv_padding='same'"

    @property
    def streams(self):
        return self.causal and self.keeps_steps

    @property
    def keeps_steps(self):
        return self.pool == 1

    def lengths_after(self, lengths):
        return (lengths + (self.pool - 1)) // self.pool

    @property
    def label(self):
        return numbered(self.name, "conv1d")

    @property
    def title(self):
        apart = "" if self.dilation == 1 else f", dilation {self.dilation}"
        pooled = "" if self.pool == 1 else f", pooled by {self.pool}"
        causal = "Causal " if self.causal else ""
        return f"{causal}Conv1D, {self.kernel_size} steps{apart}{pooled}"

    def names_of(self, weight):
        # Keras has a layer of its own for the normalisation.
        label, name = super().names_of(weight)
        return label, name.removeprefix("norm_")

    def weights(self, width):
        shape = self.kernel_size, width, self.filters
        table = [
            Weight(f"{self.name}/kernel", shape, "he"),
            # Not trained: the normalisation takes it away again, so that its gradient
            # is rounding. Files have it, and earlier versions trained it.
            Weight(f"{self.name}/bias", (self.filters,), "zeros", trainable=False),
            Weight(f"{self.name}/norm/gamma", (self.filters,), "ones"),
            Weight(f"{self.name}/norm/beta", (self.filters,), "zeros"),
        ]
        for name, first in (("mean", "zeros"), ("variance", "ones")):
            name = f"{self.name}/norm/moving_{name}"
            table.append(Weight(name, (self.filters,), first, False, follows=True))
        return table, self.filters

    def forward(self, run, w, flow, lengths):
        x = flow.steps
        kernel, bias = self._of(w, "kernel", "bias")
        reads = self.dilation, self.causal
        y = run.fused(convolve_steps, x, lengths, kernel, bias, *reads)
        y = self._normalised(run, w, y, run.real_steps(x, lengths))
        if not self.tells_mean:
            return Flow(y)
        real = run.real_steps(y, self.lengths_after(lengths))[..., None]
        return Flow(y, aside=mean_step(run.ops, y, real)[0])

    def step(self, run, w, flow, state):
        x = flow.steps[None]
        kernel, bias = self._of(w, "kernel", "bias")
        size, width, filters = kernel.shape
        reach = (size - 1) * self.dilation
        before, total, n = state or (np.zeros((reach, *x.shape[1:])), 0.0, 0)
        read = np.concatenate([before, x])
        window = np.concatenate(list(read[:: self.dilation]), axis=-1)
        y = run.dense(window[None], np.reshape(kernel, (size * width, filters)), bias)
        y = self._normalised(run, w, y, np.ones(x.shape[:2], bool))[0]
        total, n = total + y, n + 1
        aside = total / n if self.tells_mean else None
        return Flow(y, aside=aside), (read[1:], total, n)

    def _of(self, w, *names):
        return [w[f"{self.name}/{name}"] for name in names]

    def _normalised(self, run, w, y, real):
        names = [f"{self.name}/norm/moving_{name}" for name in ("mean", "variance")]
        kept = {name: w[name] for name in names}
        gamma, beta = self._of(w, "norm/gamma", "norm/beta")
        return run.fused(normalise_batch, y, real, gamma, beta, kept, self.pool)

    def keras(self, flow, seeds):
        from keras import layers, ops  # noqa: PLC0415
        from keras.initializers import HeUniform  # noqa: PLC0415

        name = self.name.replace("/", "_")
        convolved = layers.Conv1D(
            self.filters,
            self.kernel_size,
            padding="causal" if self.causal else "same",
            dilation_rate=self.dilation,
            kernel_initializer=HeUniform(seed=next(seeds)),
            name=name,
        )(flow.steps)
        norm = layers.BatchNormalization(
            momentum=MOMENTUM, epsilon=EPSILON, name=f"{name}_norm"
        )
        y = ops.relu(norm(convolved))
        if self.pool > 1:
            # Keras' "same" would pad the start too; nothing here is below 0.
            y = layers.ZeroPadding1D((0, self.pool - 1))(y)
            y = layers.MaxPooling1D(self.pool)(y)
        return Flow(y, aside=ops.mean(y, axis=1) if self.tells_mean else None)


@dataclass(frozen=True)
class Beside(BaseLayer):
    """Concatenate the last convolution's mean to the answer: (B, U) -> (B, U + F).

    As in LSTM-FCN (Karim et al., 2018), but its recurrent branch reads the series and
    not the convolutions.
    """

    width: int

    parameter = "conv_filters"
    parameters = {"width": "conv_filters"}
    # Users see no layer in it.
    title = ""

    def has_steps(self, before):
        return False

    def weights(self, width):
        return [], width + self.width

    def forward(self, run, w, flow, lengths):
        joined = run.ops.concatenate([flow.answer, flow.aside], axis=-1)
        return replace(flow, answer=joined)

    def keras(self, flow, seeds):
        from keras import ops  # noqa: PLC0415

        joined = ops.concatenate([flow.answer, flow.aside], axis=-1)
        return replace(flow, answer=joined)


def convolve_steps(run, x, lengths, kernel, bias, dilation, causal):
    """Convolve x (T, B, F) with a kernel (size, F, C): (T, B, C).

    The steps of a window are `dilation` apart, and zeros outside of the sequence. It
    stands around its step, or ends with it if `causal`. What stands in the padding
    means nothing.
    """
    real = run.real_steps(x, lengths)
    return convolve(run.ops, x, real, kernel, bias, dilation, causal)


def convolve(ops, x, real, kernel, bias, dilation=1, causal=False):
    """Return x (T, B, F) convolved with a kernel (size, F, C), where `real` (T, B)."""
    size, width, filters = kernel.shape
    read = windows(ops, ops.where(real[..., None], x, 0.0), size, dilation, causal)
    return ops.matmul(read, ops.reshape(kernel, (size * width, filters))) + bias


def steps_before(size, dilation, causal):
    """Return how many steps before its own a window begins."""
    reach = (size - 1) * dilation
    return reach if causal else reach // 2


def windows(ops, x, size, dilation=1, causal=False):
    """Return what a convolution reads at each step of x (T, B, F): (T, B, size * F).

    Zeros stand before the first step and after the last one.
    """
    if size == 1:
        return x
    before = steps_before(size, dilation, causal)
    after = (size - 1) * dilation - before
    nothing = x[:1] * 0
    whole = ops.concatenate([nothing] * before + [x] + [nothing] * after, axis=0)
    ends = [(i - size + 1) * dilation or None for i in range(size)]
    parts = [whole[i * dilation : end] for i, end in enumerate(ends)]
    return ops.concatenate(parts, axis=-1)


def greatest(ops, x, pool):
    """Return the greatest of each `pool` steps of x (T, B, C), which isn't below 0."""
    if pool == 1:
        return x
    whole = ops.concatenate([x] + [x[:1] * 0] * (pool - 1), axis=0)
    found = whole[: 1 - pool : pool]
    for i in range(1, pool):
        found = ops.maximum(found, whole[i : i + 1 - pool or None : pool])
    return found


def mean_step(ops, x, real):
    """Return means (1, B, C) over the real steps of x (T, B, C), 0 elsewhere."""
    of_steps = ops.where(real, x[..., :1] * 0 + 1, 0.0)
    n_real = ops.sum(of_steps, axis=0, keepdims=True)
    return ops.sum(x, axis=0, keepdims=True) / n_real


def batch_statistics(ops, x, real):
    """Return means and variances (C,) over the real steps of x (T, B, C)."""
    real = real[..., None]
    of_steps = ops.where(real, x[..., :1] * 0 + 1, 0.0)
    n_real = ops.maximum(_sum(ops, of_steps), 1.0)
    mean = _sum(ops, ops.where(real, x, 0.0)) / n_real
    centred = ops.where(real, x - mean, 0.0)
    return mean, _sum(ops, centred * centred) / n_real


def normalise_batch(run, x, real, gamma, beta, kept, pool):
    """Normalise x (T, B, C), rectify it, and return the greatest of each `pool` steps.

    In training by means and variances (C,) of the batch's real steps, which the weights
    of `kept` follow; otherwise by these weights.
    """
    real = run.present(real)

    def of_batch():
        return batch_statistics(run.ops, x, real)

    statistics = run.followed(kept, of_batch, MOMENTUM)
    return rectify(run.ops, x, real, gamma, beta, *statistics, pool=pool)


def rectify(ops, x, real, gamma, beta, mean, variance, *, pool=1):
    """Normalise x (T, B, C) by means and variances (C,), rectify it, and pool it.

    Padding gets zeros: no rectified value is below them.
    """
    y = (x - mean) * (gamma / ops.sqrt(variance + EPSILON)) + beta
    y = ops.where(real[..., None], ops.maximum(y, 0.0), 0.0)
    return greatest(ops, y, pool)


def _sum(ops, x):
    """Sum x (T, B, C) over all but its last axis."""
    return ops.sum(ops.sum(x, axis=0), axis=0)
