"""What each fitted attribute must be, for a network like the spec."""

import math
from numbers import Real

import numpy as np

from skrnn._data.targets.blocks import MOST_STEPS
from skrnn._data.tokens.symbols import Symbols
from skrnn._estimators.saved.values import are_places, is_bool, is_count, is_int
from skrnn._networks.specs import LanguageSpec, Seq2SeqSpec


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
    return is_bool(value) and (either or value == of_labels)


def _is_shape(value, spec):
    if not isinstance(value, tuple) or not all(map(is_count, value)):
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
        return known and all(is_int(i) and i < size for i in (value or {}).values())
    texts = isinstance(value.tokens, tuple) and all(
        isinstance(token, str) for token in value.tokens
    )
    return texts and value.unit and len(value) == size


_LABELS = ("strings", "sequences", "table", "labels")
# Attribute -> what it must be, and whether a value is, for a network like the spec.
ATTRIBUTES = {
    "_optimizer_state": ("None or finite arrays", _is_optimizer_state),
    "_optimizer_kind": ("a str", lambda value, _: isinstance(value, str)),
    "history_": ("a dict of lists of losses", _is_history),
    "n_iter_": ("a number of epochs", lambda value, _: is_int(value)),
    "best_epoch_": ("a number of epochs", lambda value, _: is_int(value)),
    "_id_columns": ("columns of X", lambda value, _: are_places(value)),
    "n_features_in_": ("a positive int", lambda value, _: is_count(value)),
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
    # Targets that are constant have a scale of 0.
    "_y_scale": (
        "0 or more, and one for each output",
        lambda value, spec: (
            _are_numbers(value, spec) and np.all(np.asarray(value) >= 0)
        ),
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
        lambda value, _: is_count(value) or (isinstance(value, str) and value == "all"),
    ),
    "_has_ends": ("a bool", lambda value, _: is_bool(value)),
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
        ("a length of sequences", lambda value, _: is_count(value) and value < 2**31),
    ),
    "_longest_output": (
        f"a length of sequences, at most {MOST_STEPS}",
        lambda value, _: is_count(value) and value <= MOST_STEPS,
    ),
}
