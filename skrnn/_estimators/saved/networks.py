"""Whether a spec and its weights are those of a network."""

import dataclasses

import numpy as np

from skrnn._estimators.saved.values import (
    UnusableError,
    are_counts,
    are_places,
    holds,
    is_bool,
    is_count,
    is_int,
    is_share,
)
from skrnn._networks.activations import ACTIVATIONS, HIDDEN_ACTIVATIONS
from skrnn._networks.attention import ATTENTIONS, FREE_ATTENTIONS
from skrnn._networks.cells import CELLS
from skrnn._networks.layers import POOLINGS, POSITIONS, Embedding
from skrnn._networks.outline import Outline
from skrnn._networks.specs import Head, LanguageSpec, Seq2SeqSpec
from skrnn._networks.weights import weight_table


def read_spec(spec_class, text):
    try:
        spec = spec_class.from_json(text)
    except Exception as error:  # Text that isn't ours may raise anything.
        raise UnusableError(f"_spec can't be read ({error})") from error
    for part in [spec, *spec.all_layers]:
        for field in dataclasses.fields(part):
            value, fits = getattr(part, field.name), _FIELDS.get(field.name)
            if fits is not None and not holds(fits, value):
                raise UnusableError(
                    f"its network can't have {field.name}={value!r:.80}"
                )
    if not holds(_layers_fit, spec):
        raise UnusableError("its layers don't fit each other, or n_features")
    return spec


def read_weights(spec, weights):
    try:
        wanted = [row.shape for row in weight_table(spec)]
    except Exception as error:  # The sizes are valid each, but not together.
        raise UnusableError(f"no network is like its _spec ({error})") from error
    if not isinstance(weights, list | tuple) or len(weights) != len(wanted):
        raise UnusableError(f"_weights must be a list of {len(wanted)} arrays")
    for i, (weight, shape) in enumerate(zip(weights, wanted, strict=True)):
        found = getattr(weight, "dtype", None), np.shape(weight)
        if not isinstance(weight, np.ndarray) or found != (np.float32, shape):
            raise UnusableError(
                f"_weights[{i}] must be a float32 array of shape {shape}, got "
                f"{found[0]} of shape {found[1]}"
            )
        if not np.isfinite(weight).all():
            raise UnusableError(f"_weights[{i}] contains NaN or infinity")
    # As the kernels read them.
    return [np.require(weight, requirements=["C", "A"]) for weight in weights]


def _is_memory(value):
    return are_counts(value) and len(value) in (0, 2)


def _is_head(head):
    known = isinstance(head, Head) and head.activation in ACTIVATIONS
    return known and is_count(head.units)


def _layers_fit(spec):
    names = [layer.name for layer in spec.all_layers]
    layer = spec.embedding
    if layer is not None:
        n_channels = {len(layer.sizes), len(layer.dims), spec.n_features}
        if n_channels != {spec.n_features if layer.channels else 1}:
            return False
        # Ids of one channel have no axis for it.
        if layer.channels and spec.n_features == 1:
            return False
        if layer.late and not isinstance(spec, LanguageSpec):
            return False
    if spec.categories is not None and not spec.categories.fit(spec.n_features):
        return False
    if isinstance(spec, Seq2SeqSpec) and not _decoder_fits(spec):
        return False
    return len(set(names)) == len(names) and _blocks_fit(spec)


def _blocks_fit(spec):
    """Whether steps are read by recurrent layers, or by blocks of one width."""
    blocks = spec.blocks
    if not blocks:
        return len(spec.recurrent) > 0
    (width,) = {block.units for block in blocks}
    widths = Outline(spec.n_features)
    widths.add(layer for layer in spec.layers[: spec.layers.index(blocks[0])])
    heads_fit = all(
        width % (block.n_heads * (2 if block.rotary else 1)) == 0 for block in blocks
    )
    return heads_fit and widths.width == width and not spec.recurrent


def _decoder_fits(spec):
    states = [layer.state_shapes for layer in spec.recurrent]
    if states != [layer.state_shapes for layer in spec.decoder_recurrent]:
        return False
    first = spec.decoder[0]
    if spec.n_labels is None:
        return not isinstance(first, Embedding)
    # The start of an output has a row, and its end an output of the head.
    rows, outputs = spec.n_labels + 1, spec.n_labels + spec.has_end
    known = isinstance(first, Embedding) and first.sizes == (rows,)
    known = known and not (first.channels or first.late)
    return known and spec.head.units == outputs


# Field of a spec -> whether a value can be one.
_FIELDS = {
    "name": lambda value: isinstance(value, str) and len(value) > 0,
    "cell": lambda value: value in CELLS,
    "activation": lambda value: value in HIDDEN_ACTIVATIONS,
    "units": is_count,
    "timescale": is_count,
    "memory": _is_memory,
    "n_features": is_count,
    "head": _is_head,
    "attention": lambda value: value is None or value in ATTENTIONS,
    "kind": lambda value: value in (*FREE_ATTENTIONS, *POSITIONS, *POOLINGS),
    "n_heads": is_count,
    "dim_feedforward": is_count,
    "n_rows": is_int,
    "dropout": is_share,
    "columns": are_places,
    "n_numbers": is_int,
    "sizes": are_counts,
    "dims": are_counts,
    "rate": is_share,
    "recurrent_dropout": is_share,
    "n_labels": lambda value: value is None or is_count(value),
    "n_future": is_int,
    **dict.fromkeys(
        [
            "bidirectional", "channels", "trainable", "late", "per_step", "steps",
            "state", "tie_weights", "has_end", "causal", "rotary",
        ],
        is_bool,
    ),
}  # fmt: skip
