"""Blocks of self-attention, of Keras' own layers: a saved model loads anywhere."""

from keras import layers, ops
from keras.initializers import RandomUniform

from skrnn._networks.attention import frequencies
from skrnn._networks.keras.parts import dense, softmax


def places_of(x):
    """Return the places of the steps of x (B, T, F), as floats (B, T, 1).

    Their number isn't known while a model is built.
    """
    return ops.cumsum(ops.ones_like(x[:, :, :1]), axis=1) - 1


def add_positions(layer, x, seeds):
    """Add the encoding of its position to each step of x (B, T, F)."""
    width = x.shape[-1]
    if layer.kind == "learned":
        table = layers.Embedding(
            layer.n_rows,
            width,
            embeddings_initializer=RandomUniform(seed=next(seeds)),
            name=f"{layer.name}_embeddings",
        )
        places = ops.minimum(places_of(x)[..., 0], layer.n_rows - 1.0)
        return x + table(ops.cast(places, "int32"))
    angles = places_of(x) * frequencies((width + 1) // 2)
    both = ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)
    return x + both[..., :width]


def block(layer, x, seeds, epsilon):
    """Return the output of a block for x (B, T, F)."""
    stem = layer.name.replace("/", "_")

    def norm(name, x):
        return layers.LayerNormalization(epsilon=epsilon, name=f"{stem}_{name}")(x)

    def project(name, x, units=layer.units, activation=None):
        return dense(units, activation, f"{stem}_{name}", seeds)(x)

    def drop(x):
        return (
            layers.Dropout(layer.dropout, seed=next(seeds))(x) if layer.dropout else x
        )

    h = norm("attention_norm", x)
    q, k, v = (project(name, h) for name in ("query", "key", "value"))
    x = x + drop(project("output", _heads(layer, q, k, v)))
    h = norm("dense_norm", x)
    h = project("dense", h, layer.dim_feedforward, layer.activation)
    return x + drop(project("dense_output", h))


def _heads(layer, q, k, v):
    """Attend with each head by itself, and concatenate the contexts."""
    places = places_of(q)
    sees = places >= ops.transpose(places, (0, 2, 1)) if layer.causal else None
    angles = places * frequencies(q.shape[-1] // layer.n_heads // 2)
    found = []
    for q_i, k_i, v_i in zip(
        *(ops.split(x, layer.n_heads, axis=-1) for x in (q, k, v)), strict=True
    ):
        if layer.rotary:
            q_i, k_i = _turned(q_i, angles), _turned(k_i, angles)
        scores = ops.matmul(q_i, ops.transpose(k_i, (0, 2, 1))) * q_i.shape[-1] ** -0.5
        if sees is not None:
            scores = ops.where(sees, scores, -1e9)
        found.append(ops.matmul(softmax(scores), v_i))
    return found[0] if len(found) == 1 else ops.concatenate(found, axis=-1)


def _turned(x, angles):
    cos, sin = ops.cos(angles), ops.sin(angles)
    first, second = ops.split(x, 2, axis=-1)
    return ops.concatenate(
        [first * cos - second * sin, first * sin + second * cos], axis=-1
    )
