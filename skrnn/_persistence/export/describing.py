"""What of a fitted estimator is exported, by the kind of its network."""

import json
from typing import Any

import numpy as np

from skrnn._estimators.language.base import LanguageModel
from skrnn._estimators.language.vocabulary import patterns
from skrnn._estimators.seq2seq import BaseSeq2Seq
from skrnn._persistence.export.decoders import EncoderDecoder
from skrnn._persistence.export.networks import Network
from skrnn._persistence.export.texts import LanguageNetwork


def described(estimator: Any) -> Any:
    """Return the network of a fitted estimator, with facts for the user."""
    if isinstance(estimator, LanguageModel):
        return _text_of(estimator)
    if isinstance(estimator, BaseSeq2Seq):
        return _pair_of(estimator)
    return _network_of(estimator)


def _as_json(value):
    """Return plain values; text for what JSON can't hold."""
    return json.loads(json.dumps(value, default=str))


def _text_of(estimator) -> LanguageNetwork:
    vocabulary = estimator._vocabulary
    facts = {
        "estimator": type(estimator).__name__,
        "analyzer": vocabulary.analyzer,
        "vocabulary": list(vocabulary.names),
        "has_ends": bool(estimator._has_ends),
        # Outside of training nothing grows.
        "handle_unknown": "map" if estimator.handle_unknown == "map" else "error",
        "patterns": patterns() if vocabulary.analyzer == "word" else {},
    }
    return LanguageNetwork(estimator._spec, estimator._weights, facts)


def _pair_of(estimator) -> EncoderDecoder:
    tokens = estimator._spec.embedding is not None
    facts: dict[str, Any] = {"estimator": type(estimator).__name__, "tokens": tokens}
    if estimator._vocabulary is not None:
        facts["symbols"] = dict(estimator._vocabulary)
    told: dict[str, Any] = {}
    if hasattr(estimator, "classes_"):
        _refuse_beams(estimator)
        facts["classes"] = _as_json(estimator.classes_.tolist())
        told = {"dtype": "int64", "longest": _longest(estimator)}
    else:
        told = {"dtype": np.dtype(estimator._y_dtype).name}
        told |= {"scale": estimator._y_scale, "offset": estimator._y_offset}
        told |= {"shape": estimator._y_shape}
    return EncoderDecoder(
        spec=estimator._spec,
        weights=estimator._weights,
        n_dimensions=2 if tokens or estimator._form == "columns" else 3,
        reads_lengths=not tokens and estimator._form == "ragged",
        facts=facts,
        **told,
    )


def _refuse_beams(estimator):
    if estimator.n_beams > 1:
        raise ValueError(
            f"n_beams={estimator.n_beams} can't be exported: networks elsewhere take "
            "the likeliest label at each step. Set n_beams=1, which changes no weight."
        )


def _longest(estimator):
    """Return the most labels, and from how many steps of X on there may be more."""
    if not estimator._has_end:
        return int(estimator._longest_output), 0
    if estimator.max_length is not None:
        return int(estimator.max_length), 0
    return int(estimator._longest_output), int(estimator._longest_input)


def _network_of(estimator) -> Network:
    spec, tokens = estimator._spec, estimator._spec.embedding is not None
    channels = tokens and spec.embedding.channels
    if spec.categories is not None and estimator._form == "columns":
        raise ValueError(
            "A network that was fitted on a table with categorical_features can't be "
            "exported: networks elsewhere don't tell its columns apart. Fit it on ids "
            "and numbers in channels (n, T, F)."
        )
    as_columns = estimator._form == "columns" and not channels
    facts = {
        "estimator": type(estimator).__name__,
        "tokens": tokens,
        "return_sequences": bool(spec.return_sequences),
    }
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None and not as_columns:
        facts["features"] = list(map(str, names))
    answer = _of_classes if hasattr(estimator, "classes_") else _of_numbers
    told, more = answer(estimator)
    return Network(
        spec=spec,
        weights=estimator._weights,
        n_dimensions=2 if as_columns or (tokens and not channels) else 3,
        reads_lengths=not tokens and estimator._form == "ragged",
        facts=facts | more,
        **told,
    )


def _of_classes(estimator):
    """Return what is told of probabilities, and the facts beside it."""
    classes = estimator.classes_.tolist()
    told: dict[str, Any] = {"scale": None, "offset": None, "dtype": "float64"}
    told |= {"shape": (len(classes),), "answer": "probabilities"}
    return told, {"classes": _as_json(classes)}


def _of_numbers(estimator):
    told: dict[str, Any] = {"scale": None, "offset": None, "answer": "y"}
    told |= {"dtype": np.dtype(estimator._y_dtype).name}
    if estimator._spec.head.outputs_per_target > 1:
        # Quantiles or parameters, in units of a Forecaster's windows.
        return told | {"shape": (estimator._spec.head.units,)}, {}
    units = {"scale": estimator._y_scale, "offset": estimator._y_offset}
    return told | units | {"shape": estimator._y_shape}, {}
