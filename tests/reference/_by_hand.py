"""Predictions of fitted networks, from `weights_` and `skrnn.reference` alone."""

import numpy as np

from skrnn import reference

ATTENTIONS = {
    "additive": reference.additive_attention,
    "dot": reference.dot_attention,
    "multihead": reference.multi_head_attention,
}


def numbered(word, n):
    """Return the names of n layers: ``lstm``, ``lstm_1``."""
    return [word if i == 0 else f"{word}_{i}" for i in range(n)]


def in_order(w, word, prefix=""):
    """Return the names of the layers that are there, without their prefix."""
    return [name for name in numbered(word, len(w)) if prefix + name in w]


def embedded(w, x, prefix=""):
    """Look up token ids, or leave numbers alone."""
    channels = [name for name in w if name.startswith("embedding_")]
    if channels:
        parts = zip(np.transpose(x), channels, strict=True)
        return np.hstack([reference.embedding(ids, **w[name]) for ids, name in parts])
    name = f"{prefix}embedding"
    return reference.embedding(x, **w[name]) if name in w else x


def recurrent(model, w, x, prefix=""):
    """Run the recurrent layers; return steps, the last output, and the last states."""
    cell, activation = getattr(reference, model.cell), model.activation
    is_both = f"{prefix}forward_{model.cell}" in w
    n_states = 2 if model.cell == "lstm" else 1
    norms, last = "layer_normalization", []
    state = None
    first = f"{prefix}forward_" if is_both else prefix
    for i, name in enumerate(in_order(w, model.cell, first)):
        run = dict(activation=activation, return_states=True)
        if is_both:
            there, one = cell(x, **w[f"{prefix}forward_{name}"], **run)
            back, other = cell(x[::-1], **w[f"{prefix}backward_{name}"], **run)
            x = np.hstack([there, back[::-1]])
            state = np.concatenate([there[-1], back[-1]])
            ends = [
                np.concatenate([a[-1], b[-1]])
                for a, b in zip(one[:n_states], other[:n_states], strict=True)
            ]
            bridges = [f"{prefix}{name}_bridge_{place}" for place in range(n_states)]
            if bridges[0] in w:
                both = zip(ends, bridges, strict=True)
                ends = [reference.dense(end, **w[bridge]) for end, bridge in both]
        else:
            x, states = cell(x, **w[prefix + name], **run)
            state, ends = x[-1], [each[-1] for each in states[:n_states]]
        last.append(ends)
        norm = prefix + numbered(norms, i + 1)[i]
        if norm in w:
            x = reference.layer_normalization(x, **w[norm])
            state = reference.layer_normalization(state, **w[norm])
    return x, state, last


def headed(model, w, x, activation):
    """Apply the hidden dense layers and the head."""
    for name in in_order(w, "dense"):
        x = reference.dense(x, **w[name], activation=model.activation)
    return reference.dense(x, **w["head"], activation=activation)


def outputs(model, x, activation="linear"):
    """Return the outputs for one sequence: (K,), or (T, K) of each step."""
    w = model.weights_
    steps, state, _ = recurrent(model, w, embedded(w, x))
    answer = steps if model.return_sequences else state
    if model.attention is not None:
        attend = ATTENTIONS[model.attention]
        context, _ = attend(answer, steps, **w.get("attention", {}))
        answer = np.concatenate([answer, context], axis=-1)
    return headed(model, w, answer, activation)


def predict(model, x):
    """Predict numbers for one sequence, in units of y."""
    return reference.rescaling(outputs(model, x), **model.weights_["units_of_y"])


def predict_proba(model, x):
    """Predict the probabilities of all classes for one sequence."""
    w = model.weights_
    if len(w["head"]["bias"]) > 1:
        return outputs(model, x, "softmax")
    second = outputs(model, x, "sigmoid")
    return np.concatenate([1 - second, second], axis=-1)


class Decoder:
    """The decoder of a fitted encoder and decoder, after one sequence was read."""

    def __init__(self, model, x):
        self.model, self.w = model, model.weights_
        x = embedded(self.w, x, "encoder_")
        self.memory, _, self.states = recurrent(model, self.w, x, "encoder_")
        self.place = None

    def step(self, x, activation="linear"):
        """Read one step; return the outputs."""
        model, w = self.model, self.w
        take = getattr(reference, f"{model.cell}_step")
        for i, states in enumerate(self.states):
            layer = w["decoder_" + numbered(model.cell, i + 1)[i]]
            after = take(x, *states, **layer, activation=model.activation)
            self.states[i], x = after[: len(states)], after.h
            norm = "decoder_" + numbered("layer_normalization", i + 1)[i]
            if norm in w:
                x = reference.layer_normalization(x, **w[norm])
        if model.attention is not None:
            context = self.context(x)
            both = np.concatenate([x, context])
            x = reference.dense(both, **w["combine"], activation="tanh")
        return headed(model, w, x, activation)

    def context(self, x):
        """Return what the decoder's output finds in the memory."""
        kernels = self.w.get("attention", {})
        if self.model.attention == "location":
            known = dict(before=self.place, return_places=True)
            given = x, self.memory
            context, _, self.place = reference.location_attention(
                *given, **kernels, **known
            )
            return context
        return ATTENTIONS[self.model.attention](x, self.memory, **kernels)[0]


def predict_steps(model, x, horizon, future=None):
    """Predict numbers at the steps of a horizon, (H, K), in units of y."""
    decoder = Decoder(model, x)
    y, found = model.weights_["decoder"]["start"][0], []
    for step in range(horizon):
        known = [] if future is None else [future[step]]
        y = decoder.step(np.concatenate([y, *known]))
        found.append(y)
    return reference.rescaling(found, **model.weights_["units_of_y"])


def probabilities_of_labels(model, ids, n_steps):
    """Return the probabilities along the greedy path, (n_steps, n_outputs)."""
    decoder, table = Decoder(model, ids), model.weights_["decoder_embedding"]
    # Before the first label stands one more, the last row.
    label, found = len(table["embeddings"]) - 1, []
    for _ in range(n_steps):
        x = reference.embedding(label, **table)
        found.append(decoder.step(x, "softmax"))
        label = int(found[-1].argmax())
    return np.array(found)


def score_of_steps(model, x):
    """Return how normal one sequence is to an outlier detector of all steps."""
    w = model.weights_
    z = (x - model.center_) / model.scale_
    if model.method == "prediction":
        # A step is told from those before it.
        told, _, _ = recurrent(model, w, np.vstack([z[:1] * 0, z[:-1]]))
        n_untold = 1
    else:
        _, state, _ = recurrent(model, w, z)
        code = reference.dense(state, **w["code"])
        told, _, _ = recurrent(model, w, np.tile(code, (len(z), 1)), "decoder_")
        n_untold = 0
    errors = (z - headed(model, w, told, "linear")) / model.error_scale_[: len(z)]
    return -np.sqrt((errors[n_untold:] ** 2).mean())


def next_token(model, ids):
    """Return the probabilities of the token after ids, which a boundary begins."""
    w = model.weights_
    steps, _, _ = recurrent(model, w, reference.embedding([0, *ids], **w["embedding"]))
    kernel = w["head"].get("kernel", w["embedding"]["embeddings"].T)
    outputs = reference.dense(steps[-1], kernel, w["head"]["bias"])
    return reference.softmax(outputs)
