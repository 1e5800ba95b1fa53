"""The only place that turns the flat parameters of an estimator into layers."""

from collections.abc import Sequence
from typing import Any

from skrnn._data.typing import Widths
from skrnn._networks.attention import FREE_ATTENTIONS
from skrnn._networks.cells import MEMORY, memory_of
from skrnn._networks.layers import (
    AttentionPooling,
    Beside,
    Categories,
    Code,
    Convolution,
    Delay,
    Dense,
    Dropout,
    Embedding,
    EveryStep,
    LastState,
    LayerNorm,
    Positions,
    Recurrent,
    Repeat,
    StepPooling,
    TransformerBlock,
)
from skrnn._networks.specs import Head, LanguageSpec, NetworkSpec, Seq2SeqSpec


def as_tuple(units) -> tuple[int, ...]:
    """Return one number, or several, as a tuple."""
    units = units if isinstance(units, tuple | list) else (units,)
    return tuple(int(n) for n in units)


def network_spec(
    *,
    cell: str,
    units: Widths,
    n_features: int,
    head: Head,
    bidirectional: bool = False,
    return_sequences: bool = False,
    attention: str | None = None,
    conv_filters: Widths = (),
    conv_kernel_size: int = 8,
    conv_pool_size: int = 3,
    conv_padding: str = "same",
    vocabulary_size: int | tuple[int, ...] | None = None,
    embedding_dim: int | tuple[int, ...] | None = None,
    embedding_trainable: bool = True,
    categories: tuple[int, ...] = (),
    dense_units: Widths = (),
    activation: str = "tanh",
    layer_norm: bool = False,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    timescales: Sequence[int] | None = None,
    memory: tuple[int, int] = MEMORY,
) -> NetworkSpec:
    """Return the spec of a network that answers sequences, or each of their steps.

    Parameters are those of the estimators; sizes and dims of an embedding are tuples if
    ids have channels. `categories` are the channels of ids among numbers.
    """
    units = as_tuple(units)
    cells = _cells(cell, activation, recurrent_dropout, timescales, memory)
    tables = vocabulary_size, embedding_dim, embedding_trainable
    layers, _ = _tables(*tables, dropout, categories, n_features)
    every_step = return_sequences or attention is not None
    sizes = conv_kernel_size, conv_pool_size, conv_padding == "causal"
    layers += _convolutions(conv_filters, *sizes, every_step, return_sequences, dropout)
    steps = [i < len(units) - 1 or every_step for i in range(len(units))]
    after = layer_norm, dropout
    layers += _stack(units, steps, *after, bidirectional=bidirectional, **cells)
    layers.append(_pooling(attention, return_sequences))
    if as_tuple(conv_filters) and not return_sequences:
        layers.append(Beside("beside", as_tuple(conv_filters)[-1]))
    layers += _dense(dense_units, activation, dropout)
    return NetworkSpec(tuple(layers), head, n_features)


def transformer_spec(
    *,
    d_model: int,
    n_layers: int,
    n_features: int,
    head: Head,
    positional: str = "sinusoidal",
    pooling: str = "mean",
    n_places: int = 0,
    return_sequences: bool = False,
    vocabulary_size: int | tuple[int, ...] | None = None,
    embedding_dim: int | tuple[int, ...] | None = None,
    embedding_trainable: bool = True,
    categories: tuple[int, ...] = (),
    dense_units: Widths = (),
    activation: str = "relu",
    dropout: float = 0.0,
    **blocks: Any,
) -> NetworkSpec:
    """Return the spec of a network whose steps attend to each other.

    Parameters are those of the estimators; `n_places` is the number of steps of a
    learned table of positions, and `blocks` are further settings of its blocks.
    """
    tables = vocabulary_size, embedding_dim, embedding_trainable
    layers, width = _tables(*tables, dropout, categories, n_features)
    blocks |= {"activation": activation, "dropout": dropout}
    blocks |= {"units": d_model, "rotary": positional == "rotary"}
    if width != d_model:
        layers.append(Dense("projection", units=d_model))
    if embedding_dim is not None:
        # Vectors begin small, but given ones may be large: what blocks add must match
        # them.
        layers.append(LayerNorm("norm_0"))
    if positional != "rotary":
        n_rows = n_places if positional == "learned" else 0
        layers.append(Positions("positions", kind=positional, n_rows=n_rows))
    layers += [TransformerBlock(f"block_{i}", **blocks) for i in range(n_layers)]
    last = LayerNorm("norm_0" if embedding_dim is None else "norm_1")
    layers += [last, StepPooling("steps", kind=pooling)]
    layers.append(_pooling(None, return_sequences))
    layers += _dense(dense_units, activation, dropout)
    return NetworkSpec(tuple(layers), head, n_features)


def seq2seq_spec(
    *,
    cell: str,
    units: Widths,
    n_features: int,
    head: Head,
    bidirectional: bool = False,
    attention: str | None = None,
    vocabulary_size: int | None = None,
    embedding_dim: int | None = None,
    embedding_trainable: bool = True,
    label_dim: int | None = None,
    dense_units: Widths = (),
    activation: str = "tanh",
    layer_norm: bool = False,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    timescales: Sequence[int] | None = None,
    memory: tuple[int, int] = MEMORY,
    n_labels: int | None = None,
    has_end: bool = False,
    n_future: int = 0,
) -> Seq2SeqSpec:
    """Return the spec of an encoder and a decoder with the same cells and widths.

    One more label, the start, comes before the first one. By default, vectors of labels
    are as long as those of ids. Without attention the encoder's steps aren't read.
    """
    cells = _cells(cell, activation, recurrent_dropout, timescales, memory, state=False)
    units, after = as_tuple(units), (layer_norm, dropout)
    written: Any = {"n_labels": n_labels, "has_end": has_end, "n_future": n_future}
    written |= {"head": head, "n_features": n_features}
    is_read = [attention is not None or i < len(units) - 1 for i in range(len(units))]
    return Seq2SeqSpec(
        layers=(
            *_embedding(vocabulary_size, embedding_dim, embedding_trainable, dropout),
            *_stack(units, is_read, *after, bidirectional=bidirectional, **cells),
        ),
        decoder=_decoder(n_labels, label_dim or embedding_dim, units, after, cells),
        attention=attention,
        answer=tuple(_dense(dense_units, activation, dropout)),
        **written,
    )


def _decoder(n_labels, dim, units, after, cells):
    """Return the layers of a decoder, which looks up labels if there are any."""
    n_rows, (_, dropout) = n_labels and n_labels + 1, after
    return (
        *_embedding(n_rows, dim, True, dropout, name="decoder/embedding"),
        *_stack(units, [True] * len(units), *after, prefix="decoder/", **cells),
    )


def language_spec(
    *,
    cell: str,
    units: Widths,
    vocabulary_size: int,
    embedding_dim: int,
    tie_weights: bool = False,
    activation: str = "tanh",
    layer_norm: bool = False,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    timescales: Sequence[int] | None = None,
    memory: tuple[int, int] = MEMORY,
) -> LanguageSpec:
    """Return the spec of a language model over a vocabulary."""
    units = as_tuple(units)
    cells = _cells(cell, activation, recurrent_dropout, timescales, memory, state=False)
    layers = _embedding(vocabulary_size, embedding_dim, True, dropout, late=True)
    is_read = [True] * len(units)
    layers += _stack(units, is_read, layer_norm, dropout, **cells)
    head = Head(vocabulary_size, "softmax")
    return LanguageSpec(tuple(layers), head, 1, tie_weights)


def prediction_spec(
    *,
    cell: str,
    units: Widths,
    n_features: int,
    head: Head,
    dense_units: Widths = (),
    activation: str = "tanh",
    layer_norm: bool = False,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    timescales: Sequence[int] | None = None,
    memory: tuple[int, int] = MEMORY,
) -> NetworkSpec:
    """Return the spec of a network that predicts each step from those before it."""
    cells = _cells(cell, activation, recurrent_dropout, timescales, memory)
    units = as_tuple(units)
    is_read = [True] * len(units)
    layers = [
        Delay("delay"),
        *_stack(units, is_read, layer_norm, dropout, **cells),
        EveryStep("pooling"),
        *_dense(dense_units, activation, dropout),
    ]
    return NetworkSpec(tuple(layers), head, n_features)


def reconstruction_spec(
    *,
    cell: str,
    units: Widths,
    n_features: int,
    head: Head,
    latent_dim: int,
    dense_units: Widths = (),
    activation: str = "tanh",
    layer_norm: bool = False,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    timescales: Sequence[int] | None = None,
    memory: tuple[int, int] = MEMORY,
) -> NetworkSpec:
    """Return the spec of a network that reconstructs all steps from a few numbers.

    An encoder turns the sequence into `latent_dim` numbers. A decoder with the same
    layers in reverse order reads only these.
    """
    cells = _cells(cell, activation, recurrent_dropout, timescales, memory)
    units, after = as_tuple(units), (layer_norm, dropout)
    is_read, back = [True] * len(units), units[::-1]
    backwards = cells | {"timescales": timescales and timescales[::-1]}
    layers = [
        *_stack(units, is_read, *after, **cells),
        Code("code", units=latent_dim),
        Repeat("repeat"),
        *_stack(back, is_read, *after, prefix="decoder/", **backwards),
        EveryStep("pooling"),
        *_dense(dense_units, activation, dropout),
    ]
    return NetworkSpec(tuple(layers), head, n_features)


def _cells(cell, activation, recurrent_dropout, timescales, memory, **options):
    """Return the settings that all recurrent layers share, and `_stack` of them."""
    options |= {"cell": cell, "activation": activation, "timescales": timescales}
    options["memory"] = memory_of(cell, memory)
    return options | {"recurrent_dropout": recurrent_dropout}


def _embedding(sizes, dims, trainable, dropout, *, name="embedding", late=False):
    """Return the layers that look up token ids, if there are any."""
    if dims is None or sizes is None:
        return []
    channels = isinstance(dims, tuple)
    layer = Embedding(
        name,
        sizes=as_tuple(sizes),
        dims=as_tuple(dims),
        channels=channels,
        trainable=trainable,
        late=late and not dropout,
    )
    return [layer, *_dropout(f"{name}_dropout", dropout)]


def _tables(sizes, dims, trainable, dropout, categories, n_features):
    """Return the layers that look up ids, and the width of their output.

    Either everything is ids, or some channels are. Numbers beside ids, like all inputs,
    get no dropout, and neither do the vectors then. Without ids the width is 0.
    """
    width = sum(as_tuple(dims or 0))
    if not categories:
        return _embedding(sizes, dims, trainable, dropout), width
    n_numbers = n_features - len(categories)
    given = categories, as_tuple(sizes), as_tuple(dims), n_numbers, trainable
    return [Categories("embedding", *given)], width + n_numbers


def _convolutions(
    conv_filters, kernel_size, pool_size, causal, every_step, per_step, dropout
):
    """Return convolutions that see more and more of the sequence.

    They pool steps; if every step is needed, they read steps further apart instead.
    Causal ones keep every step too: a pool would have to wait for its last step.
    """
    keeps_steps, layers = every_step or causal, list[Any]()
    # NumPy's integers would wrap around.
    kernel_size, pool_size = int(kernel_size), int(pool_size)
    widths = as_tuple(conv_filters)
    for i, filters in enumerate(widths):
        options = {"dilation": pool_size**i} if keeps_steps else {"pool": pool_size}
        options["tells_mean"] = not per_step and i == len(widths) - 1
        options["causal"] = causal
        layers.append(Convolution(f"convolution_{i}", filters, kernel_size, **options))
        layers += _dropout(f"convolution_dropout_{i}", dropout)
    return layers


def _timescales(timescales, units) -> tuple[int, ...]:
    """Return how many steps lie between two states of each layer that follow."""
    if timescales is None:
        return (1,) * len(units)
    if len(timescales) != len(units):
        raise ValueError(
            f"timescales={timescales!r} must have one entry for each recurrent layer, "
            f"of which units={units!r} makes {len(units)}."
        )
    return tuple(int(n) for n in timescales)


def _stack(units, steps, layer_norm, dropout, *, timescales, prefix="", **cells):
    """Return recurrent layers, and what comes after each one whose `steps` are read.

    A last state that is read, or that is all a layer puts out, goes through the same
    layers.
    """
    layers: list = []
    rows = zip(units, _timescales(timescales, units), steps, strict=True)
    for i, (width, timescale, is_read) in enumerate(rows):
        own = {"units": width, "timescale": timescale, "steps": is_read}
        layers.append(Recurrent(f"{prefix}recurrent_{i}", **own, **cells))
        if is_read or cells.get("state", True):
            norm = [LayerNorm(f"{prefix}norm_{i}")] if layer_norm else []
            layers += [*norm, *_dropout(f"{prefix}dropout_{i}", dropout)]
    return layers


def _pooling(attention, per_step):
    if attention is not None:
        if attention not in FREE_ATTENTIONS:
            known = ", ".join(map(repr, FREE_ATTENTIONS))
            raise ValueError(
                f"attention must be one of {known} or None; got {attention!r}."
            )
        return AttentionPooling("pooling", kind=attention, per_step=per_step)
    return EveryStep("pooling") if per_step else LastState("pooling")


def _dense(dense_units, activation, dropout):
    layers: list = []
    for i, width in enumerate(as_tuple(dense_units)):
        layers.append(Dense(f"dense_{i}", units=width, activation=activation))
        layers += _dropout(f"dense_dropout_{i}", dropout)
    return layers


def _dropout(name, rate):
    return [Dropout(name, rate)] if rate else []
