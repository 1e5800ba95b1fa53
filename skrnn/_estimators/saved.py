"""The state of a fitted estimator in a pickle, and its validation.

A state that was changed by hand, cut off or written by another version is refused when
it is read, not by whatever fails first much later.
"""

import dataclasses
import math
from numbers import Integral, Real

import numpy as np

from skrnn._data.targets.blocks import MOST_STEPS
from skrnn._data.tokens.symbols import Symbols
from skrnn._networks.activations import ACTIVATIONS, HIDDEN_ACTIVATIONS
from skrnn._networks.attention import ATTENTIONS
from skrnn._networks.cells import CELLS
from skrnn._networks.layers import POOLINGS, POSITIONS, Embedding
from skrnn._networks.outline import Outline
from skrnn._networks.specs import Head, LanguageSpec, Seq2SeqSpec
from skrnn._networks.weights import weight_table
from skrnn._sklearn import CALLBACKS

# Raise it whenever a fitted attribute is added, renamed or changes its meaning.
VERSION = 1
_MARK = "_saved"
_NEEDED = {
    "_spec", "_weights", "_optimizer_state", "_optimizer_kind",
    "history_", "n_iter_", "best_epoch_",
}  # fmt: skip


class _UnusableError(Exception):
    """The message says what is wrong with a state."""


def mark_state(state: dict) -> dict:
    """Return a fitted state, its spec as text, with the version and all its names."""
    state = state | {"_spec": state["_spec"].to_json()}
    # A file has no callbacks: they are nothing that is learnt.
    return state | {_MARK: (VERSION, sorted(state.keys() - {CALLBACKS}))}


def read_state(estimator, state):
    """Return what `mark_state` was given; a state that isn't fitted stays as it is.

    Raises
    ------
    ValueError
        That names the class and what is wrong, if no such estimator can work.
    """
    if not isinstance(state, dict) or not state.keys() & {"_spec", "_weights", _MARK}:
        return state
    try:
        return _read(estimator, dict(state))
    except _UnusableError as error:
        raise ValueError(
            f"This isn't the state of a fitted {type(estimator).__name__}: {error}."
        ) from error


def _read(estimator, state):
    _check_names(state, state.pop(_MARK, None))
    spec = state["_spec"] = _read_spec(estimator._spec_class, state["_spec"])
    state["_weights"] = _read_weights(spec, state["_weights"])
    for name, value in state.items():
        expected, fits = _ATTRIBUTES.get(name, ("", None))
        if fits is not None and not _holds(fits, value, spec):
            raise _UnusableError(f"{name} must be {expected}, got {value!r:.80}")
    strings = getattr(state.get("_labels_like"), "form", None) == "strings"
    if strings and not all(isinstance(label, str) for label in state["classes_"]):
        raise _UnusableError("classes_ must be characters, which make strings")
    return state


def _check_names(state, mark):
    if not isinstance(mark, tuple) or len(mark) != 2 or mark[0] != VERSION:
        raise _UnusableError(
            "it was saved by another version of skrnn, whose fitted attributes were "
            "others; fit again"
        )
    missing = {*mark[1], *_NEEDED} - state.keys()
    if missing:
        raise _UnusableError(f"it lacks {sorted(missing)}")


def _read_spec(spec_class, text):
    try:
        spec = spec_class.from_json(text)
    except Exception as error:  # Text that isn't ours may raise anything.
        raise _UnusableError(f"_spec can't be read ({error})") from error
    for part in [spec, *spec.all_layers]:
        for field in dataclasses.fields(part):
            value, fits = getattr(part, field.name), _FIELDS.get(field.name)
            if fits is not None and not _holds(fits, value):
                raise _UnusableError(
                    f"its network can't have {field.name}={value!r:.80}"
                )
    if not _holds(_layers_fit, spec):
        raise _UnusableError("its layers don't fit each other, or n_features")
    return spec


def _read_weights(spec, weights):
    try:
        wanted = [row.shape for row in weight_table(spec)]
    except Exception as error:  # The sizes are valid each, but not together.
        raise _UnusableError(f"no network is like its _spec ({error})") from error
    if not isinstance(weights, list | tuple) or len(weights) != len(wanted):
        raise _UnusableError(f"_weights must be a list of {len(wanted)} arrays")
    for i, (weight, shape) in enumerate(zip(weights, wanted, strict=True)):
        found = getattr(weight, "dtype", None), np.shape(weight)
        if not isinstance(weight, np.ndarray) or found != (np.float32, shape):
            raise _UnusableError(
                f"_weights[{i}] must be a float32 array of shape {shape}, got "
                f"{found[0]} of shape {found[1]}"
            )
        if not np.isfinite(weight).all():
            raise _UnusableError(f"_weights[{i}] contains NaN or infinity")
    # As the kernels read them.
    return [np.require(weight, requirements=["C", "A"]) for weight in weights]


def _holds(fits, *values):
    """Whether a condition holds; False for values that make it raise."""
    try:
        return bool(fits(*values))
    except Exception:
        return False


def _is_int(value, least=0):
    number = isinstance(value, Integral) and not isinstance(value, bool | np.bool_)
    return number and value >= least


def _is_count(value):
    return _is_int(value, least=1)


def _is_bool(value):
    return isinstance(value, bool | np.bool_)


def _are_counts(value):
    return isinstance(value, tuple) and all(map(_is_count, value))


def _are_places(value):
    return isinstance(value, tuple) and len(value) > 0 and all(map(_is_int, value))


def _is_share(value):
    return isinstance(value, Real) and not _is_bool(value) and 0 <= float(value) < 1


def _is_head(head):
    known = isinstance(head, Head) and head.activation in ACTIVATIONS
    return known and _is_count(head.units)


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
    "units": _is_count,
    "timescale": _is_count,
    "n_features": _is_count,
    "head": _is_head,
    "attention": lambda value: value is None or value in ATTENTIONS,
    "kind": lambda value: value in (*ATTENTIONS, *POSITIONS, *POOLINGS),
    "n_heads": _is_count,
    "dim_feedforward": _is_count,
    "n_rows": _is_int,
    "dropout": _is_share,
    "columns": _are_places,
    "n_numbers": _is_int,
    "sizes": _are_counts,
    "dims": _are_counts,
    "rate": _is_share,
    "recurrent_dropout": _is_share,
    "n_labels": lambda value: value is None or _is_count(value),
    "n_future": _is_int,
    **dict.fromkeys(
        [
            "bidirectional", "channels", "trainable", "late", "per_step", "steps",
            "state", "tie_weights", "has_end", "causal", "rotary",
        ],
        _is_bool,
    ),
}  # fmt: skip


def _is_history(value, _spec):
    return (
        isinstance(value, dict)
        and "loss" in value
        and all(isinstance(losses, list) for losses in value.values())
        and all(isinstance(loss, Real) for losses in value.values() for loss in losses)
    )


def _is_optimizer_state(value, _spec):
    if value is None:
        return True
    arrays = [np.asarray(array) for array in value]
    numbers = all(a.dtype.kind in "fiub" and np.isfinite(a).all() for a in arrays)
    counts = not arrays or float(arrays[0]) >= 0
    return isinstance(value, list | tuple) and numbers and counts


def _are_classes(value, spec):
    n = len(value) + getattr(spec, "has_end", False)
    if not isinstance(value, np.ndarray) or value.ndim != 1 or not n:
        return False
    # Two classes have one output.
    either = spec.head.activation == "sigmoid" and spec.head.units == 1 and n <= 2
    return n == spec.head.units or either


def _are_numbers(value, spec):
    array = np.asarray(value)
    fits = array.ndim < 2 and array.size in (1, spec.head.n_targets)
    return fits and array.dtype.kind == "f" and np.isfinite(array).all()


def _are_factors(value):
    fits = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    return (
        fits
        and value.ndim in (1, 2)
        and np.isfinite(value).all()
        and np.all(value >= 0)
    )


def _are_units(value, spec):
    fits = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    fits = fits and value.ndim > 0 and value.shape[-1] == spec.head.units
    return fits and np.isfinite(value).all() and (value > 0).all()


def _is_multilabel(value, spec):
    of_labels = spec.head.activation == "sigmoid"
    # One output is for two classes, or for a single label.
    either = of_labels and spec.head.units == 1
    return _is_bool(value) and (either or value == of_labels)


def _is_shape(value, spec):
    if not isinstance(value, tuple) or not all(map(_is_count, value)):
        return False
    if isinstance(spec, Seq2SeqSpec):
        # An encoder and a decoder answer with several steps.
        steps, value = (*value, 1)[0], value[1:]
        if steps > MOST_STEPS:
            return False
    return math.prod(value) == spec.head.n_targets


def _is_vocabulary(value, spec):
    size = spec.embedding and spec.embedding.sizes[0]
    if not isinstance(spec, LanguageSpec):
        # The symbols of X, if an encoder reads strings.
        known = value is None or (isinstance(value, dict) and len(value) > 0)
        return known and all(_is_int(i) and i < size for i in (value or {}).values())
    texts = isinstance(value.tokens, tuple) and all(
        isinstance(token, str) for token in value.tokens
    )
    return texts and value.unit and len(value) == size


_LABELS = ("strings", "sequences", "table", "labels")
# Attribute -> what it must be, and whether a value is, for a network like the spec.
_ATTRIBUTES = {
    "_optimizer_state": ("None or finite arrays", _is_optimizer_state),
    "_optimizer_kind": ("a str", lambda value, _: isinstance(value, str)),
    "history_": ("a dict of lists of losses", _is_history),
    "n_iter_": ("a number of epochs", lambda value, _: _is_int(value)),
    "best_epoch_": ("a number of epochs", lambda value, _: _is_int(value)),
    "_id_columns": ("columns of X", lambda value, _: _are_places(value)),
    "n_features_in_": ("a positive int", lambda value, _: _is_count(value)),
    "_form": ("a str", lambda value, _: isinstance(value, str)),
    "classes_": ("an array of labels, as many as the network tells", _are_classes),
    "_class_factors": (
        "finite numbers from 0 on",
        lambda value, _: _are_factors(value),
    ),
    "_labels_like": (
        "a form of labels",
        lambda value, _: isinstance(value, Symbols) and value.form in _LABELS,
    ),
    "_multilabel": ("a bool that fits the network", _is_multilabel),
    "_y_dtype": ("a type", lambda value, _: np.dtype(value).kind == "f"),
    "_y_shape": ("the shape of an answer of the network", _is_shape),
    "_y_offset": ("finite, and one for each output", _are_numbers),
    "_y_scale": (
        "positive, and one for each output",
        lambda value, spec: _are_numbers(value, spec) and np.all(np.asarray(value) > 0),
    ),
    "offset_": (
        "a finite float",
        lambda value, _: isinstance(value, float) and math.isfinite(value),
    ),
    "center_": (
        "finite, and one for each output",
        lambda value, spec: _are_numbers(value, spec) and np.ndim(value) == 1,
    ),
    "scale_": (
        "positive, and one for each output",
        lambda value, spec: _are_units(value, spec) and value.ndim == 1,
    ),
    "error_scale_": (
        "positive, and one for each step and output",
        lambda value, spec: _are_units(value, spec) and value.ndim == 2 and len(value),
    ),
    "scored_steps_": (
        'a number of steps, or "all"',
        lambda value, _: (
            _is_count(value) or (isinstance(value, str) and value == "all")
        ),
    ),
    "_has_ends": ("a bool", lambda value, _: _is_bool(value)),
    "_has_end": ("that of the network", lambda value, spec: value == spec.has_end),
    "_n_future": ("that of the network", lambda value, spec: value == spec.n_future),
    "_tokens": (
        "True for a network that reads tokens",
        lambda value, spec: value == (spec.embedding is not None),
    ),
    "_vocabulary": ("that of the network", _is_vocabulary),
    "tokens_": (
        "an array of all tokens",
        lambda value, spec: np.shape(value) == spec.embedding.sizes,
    ),
    **dict.fromkeys(
        ["max_length_", "_longest_input"],
        ("a length of sequences", lambda value, _: _is_count(value) and value < 2**31),
    ),
    "_longest_output": (
        f"a length of sequences, at most {MOST_STEPS}",
        lambda value, _: _is_count(value) and value <= MOST_STEPS,
    ),
}
