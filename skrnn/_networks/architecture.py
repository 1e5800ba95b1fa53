"""The flat parameters of an estimator as layers: the one place that turns them."""

from typing import Any

from skrnn._data.typing import Widths
from skrnn._networks.layers import (
    AttentionPooling,
    Beside,
    Code,
    Convolution,
    Delay,
    Dense,
    Dropout,
    Embedding,
    EveryStep,
    LastState,
    LayerNorm,
    Recurrent,
    Repeat,
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
    vocabulary_size: int | tuple[int, ...] | None = None,
    embedding_dim: int | tuple[int, ...] | None = None,
    embedding_trainable: bool = True,
    dense_units: Widths = (),
    activation: str = "tanh",
    layer_norm: bool = False,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
) -> NetworkSpec:
    """Return the spec of a network that answers sequences, or each of their steps.

    Parameters are those of the estimators; sizes and dims of an embedding are a tuple
    where ids have channels.
    """
    units = as_tuple(units)
    cells = _cells(cell, activation, recurrent_dropout, bidirectional=bidirectional)
    layers = _embedding(vocabulary_size, embedding_dim, embedding_trainable, dropout)
    every_step = return_sequences or attention is not None
    sizes = conv_kernel_size, conv_pool_size
    layers += _convolutions(conv_filters, *sizes, dropout, every_step=every_step)
    is_last = [i == len(units) - 1 for i in range(len(units))]
    steps = [not last or every_step for last in is_last]
    layers += _stack(units, steps, layer_norm, dropout, **cells)
    layers.append(_pooling(attention, return_sequences))
    if as_tuple(conv_filters) and not return_sequences:
        layers.append(Beside("beside", as_tuple(conv_filters)[-1]))
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
    dense_units: Widths = (),
    activation: str = "tanh",
    layer_norm: bool = False,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    n_labels: int | None = None,
    has_end: bool = False,
    n_future: int = 0,
) -> Seq2SeqSpec:
    """Return the spec of an encoder and a decoder with the same cells and widths.

    A label more stands before the first one. Without attention the decoder has only
    the last states: nobody reads the steps of the encoder's last layer.
    """
    cells = _cells(cell, activation, recurrent_dropout, state=False)
    n_layers = len(units := as_tuple(units))
    is_read = [attention is not None or i < n_layers - 1 for i in range(n_layers)]
    n_rows, after = n_labels and n_labels + 1, (layer_norm, dropout)
    return Seq2SeqSpec(
        layers=(
            *_embedding(vocabulary_size, embedding_dim, True, dropout),
            *_stack(units, is_read, *after, bidirectional=bidirectional, **cells),
        ),
        head=head,
        n_features=n_features,
        decoder=(
            *_embedding(n_rows, embedding_dim, True, dropout, name="decoder/embedding"),
            *_stack(units, [True] * len(units), *after, prefix="decoder/", **cells),
        ),
        attention=attention,
        answer=tuple(_dense(dense_units, activation, dropout)),
        n_labels=n_labels,
        has_end=has_end,
        n_future=n_future,
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
) -> LanguageSpec:
    """Return the spec of a language model over a vocabulary."""
    units = as_tuple(units)
    cells = _cells(cell, activation, recurrent_dropout, state=False)
    layers = _embedding(vocabulary_size, embedding_dim, True, dropout, late=True)
    layers += _stack(units, [True] * len(units), layer_norm, dropout, **cells)
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
) -> NetworkSpec:
    """Return the spec of a network that tells each step from the steps before it."""
    cells = _cells(cell, activation, recurrent_dropout)
    units = as_tuple(units)
    layers = [
        Delay("delay"),
        *_stack(units, [True] * len(units), layer_norm, dropout, **cells),
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
) -> NetworkSpec:
    """Return the spec of a network that tells all steps from a few numbers of them.

    An encoder reads the sequence into `latent_dim` numbers, and a decoder of the same
    layers, the last one first, reads these alone.
    """
    cells, after = _cells(cell, activation, recurrent_dropout), (layer_norm, dropout)
    units = as_tuple(units)
    is_read, back = [True] * len(units), units[::-1]
    layers = [
        *_stack(units, is_read, *after, **cells),
        Code("code", units=latent_dim),
        Repeat("repeat"),
        *_stack(back, is_read, *after, prefix="decoder/", **cells),
        EveryStep("pooling"),
        *_dense(dense_units, activation, dropout),
    ]
    return NetworkSpec(tuple(layers), head, n_features)


def _cells(cell, activation, recurrent_dropout, **options) -> dict[str, Any]:
    """Return what all recurrent layers are told."""
    options |= {"cell": cell, "activation": activation}
    return options | {"recurrent_dropout": recurrent_dropout}


def _embedding(sizes, dims, trainable, dropout, *, name="embedding", late=False):
    """Return the layers that look up token ids, if there are any."""
    if dims is None or sizes is None:
        return []
    channels = isinstance(dims, tuple)
    layer = Embedding(
        name,
        sizes=sizes if channels else (sizes,),
        dims=dims if channels else (dims,),
        channels=channels,
        trainable=trainable,
        late=late and not dropout,
    )
    return [layer, *_dropout(f"{name}_dropout", dropout)]


def _convolutions(conv_filters, kernel_size, pool_size, dropout, *, every_step):
    """Return convolutions, each of which sees more of the sequence.

    They pool steps, or where every step is needed read steps that are further apart.
    """
    layers: list = []
    for i, filters in enumerate(as_tuple(conv_filters)):
        reach = {"dilation": pool_size**i} if every_step else {"pool": pool_size}
        name = f"convolution_{i}"
        layers.append(Convolution(name, filters, kernel_size, **reach))
        layers += _dropout(f"convolution_dropout_{i}", dropout)
    return layers


def _stack(units, steps, layer_norm, dropout, *, prefix="", **cells):
    """Return recurrent layers, and what comes after each whose `steps` are read.

    The last state of a layer that is read, or of one that has no steps to read, goes
    the same way.
    """
    layers: list = []
    for i, (width, is_read) in enumerate(zip(units, steps, strict=True)):
        name = f"{prefix}recurrent_{i}"
        layers.append(Recurrent(name, units=width, steps=is_read, **cells))
        if is_read or cells.get("state", True):
            norm = [LayerNorm(f"{prefix}norm_{i}")] if layer_norm else []
            layers += [*norm, *_dropout(f"{prefix}dropout_{i}", dropout)]
    return layers


def _pooling(attention, per_step):
    if attention is not None:
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
