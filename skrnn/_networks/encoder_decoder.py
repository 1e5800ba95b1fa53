"""The formula of an encoder and a decoder.

The encoder reads a sequence; the decoder starts from its last states (Sutskever et al.,
2014) and, after its recurrent layers, attends to its outputs at all real steps (Luong
et al., 2015). At every step it reads the output of the step before, predicted or true.
In training all of these are known, so it runs over all steps at once.
"""

from itertools import count

from skrnn._networks.attention import attend, remember
from skrnn._networks.forward import carry
from skrnn._networks.layers import Flow, Recurrent, dense
from skrnn._networks.specs import Seq2SeqSpec


def encode(run, spec: Seq2SeqSpec, w, x, lengths):
    """Read sequences x (T, B, F), or token ids (T, B).

    Returns
    -------
    outputs : array of shape (T, B, U), or None if nobody reads them
        Of the last layer, both directions side by side.
    states : list of tuples of arrays of shape (B, ...)
        First states of each recurrent layer of the decoder.
    """
    outputs, after = carry(run, spec.layers, w, x, lengths)
    layers = zip(spec.recurrent, after, strict=True)
    return outputs, [_bridge(run, spec, w, *each) for each in layers]


def memory_of(run, spec: Seq2SeqSpec, w, outputs, mask):
    """Prepare the encoder's outputs (S, B, U) to be attended to.

    `mask` (S, B) is True at real steps.
    """
    return remember(run.ops, spec.attention, w, outputs, mask)


def decode(run, spec: Seq2SeqSpec, w, fed, future, states, memory, lengths):
    """Run the decoder over all steps at once, their inputs being known.

    Parameters
    ----------
    fed : array of shape (H, B) or (H, B, K)
        The output before each step; numbers at the first step aren't read.
    future : array of shape (H, B, F) or None
    states : list of tuples of arrays
    memory : Memory or None
    lengths : array of shape (B,)
        Of the outputs.

    Returns
    -------
    x : array of shape (H, B, units)
        For `answer`.
    weights : array of shape (H, S, B) or (H, S, B, heads), or None
    """
    x = fed if spec.n_labels is not None else _numbers_before(run, w, fed, future)
    x, _ = carry(run, spec.decoder, w, x, lengths, states)
    return consult(run, spec, w, x, memory)[:2]


def decoder_input(run, spec: Seq2SeqSpec, w, fed, future, first):
    """Return what the decoder reads at a single step, (B,) or (B, D)."""
    if spec.n_labels is not None:
        return fed
    x = w["decoder/start"] + fed * 0 if first else fed
    return x if future is None else run.ops.concatenate([x, future], axis=-1)


def states_of_layers(layers, states):
    """Put states of recurrent layers at their places among all layers of a stack."""
    of_recurrent = iter(states)
    return [next(of_recurrent) if isinstance(x, Recurrent) else None for x in layers]


def consult(run, spec: Seq2SeqSpec, w, x, memory, before=None):
    """Let the decoder's outputs x (H, B, units) attend to the memory.

    Parameters
    ----------
    before : array of shape (H, B, 2), or None
        Where single steps of H decoders have looked before. Without it, x are
        consecutive steps.

    Returns
    -------
    x : array of shape (H, B, units)
    weights : array of shape (H, S, B) or (H, S, B, heads), or None
    place : array of shape (H, B, 2), or None
        Where each looks, if the kind of attention keeps a place.
    """
    if memory is None:
        return x, None, None
    ops = run.ops
    context, *found = attend(ops, spec.attention, w, x, memory, before)
    both = ops.concatenate([x, context], axis=-1)
    x = ops.tanh(ops.matmul(both, w["combine/kernel"]))
    return run.dropout(x, "dropout") if spec.rates["dropout"] else x, *found


def answer(run, spec: Seq2SeqSpec, w, x):
    """Return the outputs (..., K), before the head's activation, of x (..., units)."""
    flow = Flow(answer=x)
    for layer in spec.answer:
        flow = layer.forward(run, w, flow, None)
    return dense(run, w, "head", flow.answer)


def _numbers_before(run, w, fed, future):
    start = w["decoder/start"] + fed[:1] * 0
    x = run.ops.concatenate([start, fed[1:]], axis=0)
    return x if future is None else run.ops.concatenate([x, future], axis=-1)


def _bridge(run, spec, w, layer, after):
    """Turn the states of all directions into those of one."""
    if len(after) == 1:
        return after[0]
    pairs = zip(*after, strict=True)
    names = (spec.bridge(layer, i) for i in count())
    return [_joined(run, w, *each) for each in zip(names, pairs, strict=False)]


def _joined(run, w, name, both):
    """Turn the states of both directions into one (B, ...)."""
    is_number = len(both[0].shape) == 1
    if is_number:
        both = [state[:, None] for state in both]
    state = dense(run, w, name, run.ops.concatenate(list(both), axis=-1))
    return state[:, 0] if is_number else state
