"""Whole formulas of layers that have kernels in C, each by one function.

A function takes what its formula takes, and gives the same: arrays, or nodes of a tape
where the weights are such. A run asks for them by `Run.fused`.
"""

from typing import Any

from skrnn._engine.cpu.autodiff import Node
from skrnn._engine.cpu.kernels.attention import BlockRun, block_rule
from skrnn._engine.cpu.kernels.convolution import convolve_rule, rectify, rectify_rule
from skrnn._engine.cpu.kernels.layer import ARE_COMPILED
from skrnn._networks.layers.convolution import (
    EPSILON,
    MOMENTUM,
    convolve_steps,
    normalise_batch,
)
from skrnn._networks.layers.self_attention import transform


def _transform(run, block, w, x, lengths):
    if not ARE_COMPILED:
        return transform(run, block, w, x, lengths)
    weights = [w[name] for name in block.names_of_weights]
    rotation = block.rotation(x.shape[0]) if block.rotary else None
    masks = (None, None)
    if run.masks is not None and block.dropout:
        masks = tuple(run.masks.mask(x.shape, "dropout") for _ in masks)

    def begin(x, weights):
        known = lengths, rotation, masks, run.workspace
        return BlockRun(block, x, weights, *known)

    keeps = any(isinstance(each, Node) for each in (x, *weights))
    return run.apply(block_rule, x, *weights, run=begin, keeps=keeps), None


def _convolve_steps(run, x, lengths, kernel, bias, dilation, causal):
    known = {"lengths": lengths, "dilation": dilation, "causal": causal}
    known["space"] = run.workspace
    return run.apply(convolve_rule, x, kernel, bias, **known)


def _normalise_batch(run, x, real, gamma, beta, kept, pool):
    given, found = (x, gamma, beta), list[Any]()
    if run.masks is None and any(isinstance(each, Node) for each in given):
        # Only inspection asks for gradients with fixed statistics.
        return normalise_batch(run, x, real, gamma, beta, kept, pool)
    real = run.present(real)
    known = {"real": None if real.all() else real, "epsilon": EPSILON}
    known |= {"pool": pool, "space": run.workspace}
    if run.masks is None:
        return rectify(*given, *kept.values(), **known)
    y = run.apply(rectify_rule, *given, found=found, **known)
    run.followed(kept, lambda: found, MOMENTUM)
    return y


# Formula -> what does the same by kernels.
FUSED = {
    transform: _transform,
    convolve_steps: _convolve_steps,
    normalise_batch: _normalise_batch,
}
