"""The formula of a network, written once for every engine.

Padding is on the right. A cell can't see what comes after a step, so the forward
direction is exact without any mask; the backward one reads each sequence reversed
within its own length. Three things remain: to take the last *real* step, to give
padding no attention, and to hold states that could overflow in the padding, because 0
times infinity is no gradient.
"""

from typing import Any

from skrnn._networks.layers import Flow, Recurrent, dense
from skrnn._networks.specs import NetworkSpec, Spec
from skrnn._networks.weights import weight_table


def named_weights(spec: Spec, weights) -> dict[str, Any]:
    """Return the weights of a network by their names."""
    pairs = zip(weight_table(spec), weights, strict=True)
    return {row.name: weight for row, weight in pairs}


def forward(run, spec: NetworkSpec, weights, x, lengths):
    """Run the network.

    Parameters
    ----------
    run : Run
    spec : NetworkSpec
    weights : list of arrays
    x : array of shape (T, B, F), or (T, B) or (T, B, C) token ids
        Padded on the right; what the padding holds doesn't matter.
    lengths : array of shape (B,)

    Returns
    -------
    outputs : array of shape (B, K), or (T, B, K) with an answer for each step
        Before the head's activation.
    flow : Flow
        The flow that has reached the head.
    """
    w, flow = named_weights(spec, weights), Flow(x)
    for layer in spec.layers:
        flow = layer.forward(run, w, flow, lengths)
        lengths = layer.lengths_after(lengths)
    return dense(run, w, "head", flow.answer), flow


def carry(run, layers, w, x, lengths, states=None, reset_mask=None):
    """Run layers, the recurrent ones from given states.

    Parameters
    ----------
    layers : tuple of layers
    states : list of tuples of arrays, default=None
        One for each recurrent layer; zeros if None.
    reset_mask : array of bool of shape (T, B), default=None

    Returns
    -------
    steps : array of shape (T, B, U), or None if nobody reads them
    states : list of lists of tuples of arrays
        After each sequence's last step: of each recurrent layer, of each direction.
    """
    flow, after = Flow(x), list[Any]()
    for layer in layers:
        if isinstance(layer, Recurrent):
            before = None if states is None else states[len(after)]
            given = flow, lengths, before, reset_mask
            flow, found = layer.carry(run, w, *given, final=True)
            after.append(found)
        else:
            flow = layer.forward(run, w, flow, lengths)
    return flow.steps, after


def step(run, layers, w, x, states):
    """Read one step with layers of one direction.

    Parameters
    ----------
    x : array of shape (B, F), or (B,) token ids, or a Flow
    states : list
        One for each layer: None before the first step.

    Returns
    -------
    flow : Flow
    states : list
        After the step.
    """
    flow, after = x if isinstance(x, Flow) else Flow(x), []
    for layer, state in zip(layers, states, strict=True):
        flow, state = layer.step(run, w, flow, state)
        after.append(state)
    return flow, after
