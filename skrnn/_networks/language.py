"""The formula of language models: networks that predict, at each token, the next one.

Their states are carried from one piece of a text to the next. Token 0 separates
documents: it ends one and begins the next, whose states start from zeros.
"""

from skrnn._data.token_stream import BOUNDARY
from skrnn._networks.forward import carry, named_weights
from skrnn._networks.specs import LanguageSpec


def read(run, spec: LanguageSpec, weights, ids, states, lengths):
    """Run the network over token ids (T, B) of int32 from given states.

    Returns
    -------
    outputs : array of shape (T, B, vocabulary_size)
        Before the softmax.
    states : list of tuples of arrays of shape (B, ...)
        Of each recurrent layer, after each sequence's last token.
    """
    w = named_weights(spec, weights)
    given = ids, lengths, states, ids == BOUNDARY
    x, after = carry(run, spec.layers, w, *given)
    outputs = run.dense(x, *head_of(spec, w), transposed=spec.tie_weights)
    return outputs, [one_direction for (one_direction,) in after]


def head_of(spec, w):
    """Return the kernel and the bias of the head."""
    name = spec.embedding.name if spec.tie_weights else "head/kernel"
    return w[name], w["head/bias"]
