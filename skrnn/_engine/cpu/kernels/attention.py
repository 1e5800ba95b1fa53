"""Transformer blocks and layer normalisation with the kernels, in float32."""

from typing import Any

import numpy as np

from skrnn._engine.cpu.kernels.layer import KERNEL_ACTIVATIONS
from skrnn._engine.cpu.kernels.matmul import kernels, outer
from skrnn._engine.cpu.kernels.threads import divide
from skrnn._networks.layers.normalization import EPSILON

# Cost of an exponential, in multiplications.
_EXPONENTIAL = 10


class BlockRun:
    """One forward pass of a block, and its backward pass.

    Parameters
    ----------
    block : TransformerBlock
    x : ndarray of shape (T, B, d_model)
    weights : list of ndarray
        In the order of ``block.weights``.
    lengths : ndarray of shape (B,)
        Later steps aren't read, and become zeros.
    rotation : ndarray of shape (T, d_model / heads) or None
        Cosines, then sines, of the rotation angles of each step.
    masks : tuple of ndarray of shape (T, B, d_model), or of None
        Dropout masks of both sublayers' outputs.
    space : Workspace
    """

    def __init__(self, block, x, weights, lengths, rotation, masks, space):
        self.block, self.space = block, space
        self.x = np.ascontiguousarray(x, np.float32)
        self.n_rows = int(lengths.sum())
        self._work = self.n_rows * (
            block.products
            + x.shape[0] * (2 * block.units + block.n_heads * _EXPONENTIAL)
        )
        self._sizes = (*x.shape[:2], block.n_heads, block.units, block.dim_feedforward)
        self._kind = KERNEL_ACTIVATIONS.index(block.activation), int(block.causal)
        lengths = np.ascontiguousarray(lengths, np.int32)
        self._known = lengths, self.x, *_joined(weights), rotation, *masks

    def forward(self, kept=None):
        """Return the block's output. Store in `kept` what `backward` needs."""
        out = self._out = self.space.empty(*self.x.shape)
        self._run(self._work, out, kept, *(None,) * 4)
        return out

    def kept(self):
        """Return an empty array for what `backward` needs."""
        block = self.block
        hidden = block.dim_feedforward * (2 if block.activation == "silu" else 1)
        width = 7 * block.units + hidden + 4 + 2 * block.n_heads
        return self.space.empty(self.n_rows * width)

    def backward(self, g, kept):
        """Return the gradients of x and the weights; g is that of the output."""
        units, hidden = self.block.units, self.block.dim_feedforward
        d_products = self.space.empty(self.n_rows * (5 * units + hidden))
        d_norms = self.space.empty(self.x.shape[1], 4, units)
        g, dx = np.ascontiguousarray(g, np.float32), self.space.empty(*self.x.shape)
        self._run(2 * self._work, self._out, kept, g, d_products, d_norms, dx)
        return dx, *self._of_weights(kept, d_products, d_norms.sum(axis=0))

    def _of_weights(self, kept, d_products, norms):
        units, hidden = self.block.units, self.block.dim_feedforward
        read = _parts(kept, self.n_rows, *(units, 3 * units), *(units,) * 3)
        active = _parts(kept[-(self.n_rows * self._behind) :], self.n_rows, hidden)[0]
        given = _parts(d_products, self.n_rows, 3 * units, units, hidden, units)
        lefts = read[0], read[2], read[4], active
        found = [self._outer(*pair) for pair in zip(lefts, given, strict=True)]
        (project, bias), output, *dense = found
        thirds = [slice(i * units, (i + 1) * units) for i in range(3)]
        first = [part for at in thirds for part in (project[:, at], bias[at])]
        return [*norms[:2], *first, *output, *norms[2:], *dense[0], *dense[1]]

    @property
    def _behind(self):
        """Numbers per step in `kept` from the values of the activation on."""
        return self.block.dim_feedforward + 4 + 2 * self.block.n_heads

    def _outer(self, left, given):
        m, n = left.shape[-1], given.shape[-1]
        kernel, bias = np.empty((m, n), np.float32), np.empty(n, np.float32)
        rows = 1, self.n_rows, np.array([self.n_rows], np.int32)
        outer(rows, given, n, 0, bias, left, m, kernel)
        return kernel, bias

    def _run(self, work, *arrays: Any):
        def run(first, last):
            kernels.transformer(
                *self._sizes, *self._kind, first, last, EPSILON, *self._known, *arrays
            )

        divide(run, self.x.shape[1], work)


def block_rule(x, *weights, run, keeps):
    """Return the output of a block, and a function that returns its gradients.

    Parameters
    ----------
    x : ndarray of shape (T, B, d_model)
    weights : ndarrays
    run : callable
        ``run(x, weights)`` returns a `BlockRun`.
    keeps : bool
        Whether gradients will be needed.
    """
    block = run(x, weights)
    kept = block.kept() if keeps else None
    return block.forward(kept), lambda g: block.backward(g, kept)


def _joined(weights):
    """Return the kernel's arguments: weights used together are in one array."""
    gamma, beta, q, q_bias, k, k_bias, v, v_bias = weights[:8]
    output, output_bias, other_gamma, other_beta, *dense = weights[8:]
    return (
        np.concatenate([gamma, beta, other_gamma, other_beta]),
        np.concatenate([q, k, v], axis=1),
        np.concatenate([q_bias, k_bias, v_bias]),
        output,
        output_bias,
        *dense,
    )


def _parts(numbers, n_rows, *widths):
    """Return consecutive arrays (n_rows, width) from the start of `numbers`."""
    found = []
    for width in widths:
        found.append(numbers[: n_rows * width].reshape(n_rows, width))
        numbers = numbers[n_rows * width :]
    return found


def normalise_rule(x, gamma, beta, *, space):
    """Return x normalised over its last axis, and a function for its gradients."""
    x, n = np.ascontiguousarray(x, np.float32), x.shape[-1]
    known, y = (x.size // n, n, x), space.empty(*x.shape)
    found = space.empty(x.size // n, 2)
    kernels.normalise(*known, gamma, beta, EPSILON, y, found)

    def pull(g):
        dx, d_gamma, d_beta = (
            space.empty(*x.shape),
            np.empty_like(gamma),
            np.empty_like(beta),
        )
        g = np.ascontiguousarray(g, np.float32)
        kernels.normalise_back(*known, g, gamma, found, dx, d_gamma, d_beta)
        return dx, d_gamma, d_beta

    return y, pull
