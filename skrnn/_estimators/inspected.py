"""What inspection asks fitted estimators for: states, gates, and gradients."""

from copy import copy
from typing import Any

import numpy as np

from skrnn import _engine
from skrnn._data.sequences import Sequences
from skrnn._data.targets.class_weights import with_class_factors
from skrnn._estimators.language.base import LanguageModel
from skrnn._estimators.language.reading import check_texts
from skrnn._estimators.language.vocabulary import END
from skrnn._estimators.network_base import BaseNetwork
from skrnn._estimators.one_fit import of_one_moment


def is_network(estimator: Any) -> bool:
    """Whether an estimator is one network that reads sequences."""
    return isinstance(estimator, BaseNetwork)


def reads_texts(estimator: Any) -> bool:
    """Whether an estimator is a language model."""
    return isinstance(estimator, LanguageModel)


def recurrent_layers(estimator: Any) -> list[Any]:
    """Return the recurrent layers of a fitted network; an encoder's, if it has one.

    Raises
    ------
    TypeError
        If it has none.
    """
    layers = estimator._spec.recurrent
    if not layers:
        raise TypeError(
            f"{type(estimator).__name__} has no recurrent layers, whose states these "
            "would be; attention_weights shows where its steps look."
        )
    return layers


def traced(estimator: Any, X: Any, layer: int) -> tuple[dict[str, Any], Any]:
    """Return what a recurrent layer did, by direction, and X as sequences.

    Parameters
    ----------
    layer : int
        From 0.
    """
    if isinstance(estimator, LanguageModel):
        sequences = _texts(estimator, X)
        network = estimator._spec, estimator._weights
        return _engine.trace(*network, sequences, layer), sequences
    # A copy, because reading data may set attributes.
    estimator = of_one_moment(estimator)
    _refuse_pooled(estimator)
    sequences = copy(estimator)._check_X(X, reset=False)
    in_units = getattr(estimator, "_in_units", None)
    read = sequences if in_units is None else in_units(sequences)
    return _engine.trace(estimator._spec, estimator._weights, read, layer), sequences


def gradient_flow(estimator: Any, X: Any, y: Any, sample_weight: Any, **options) -> Any:
    """Differentiate the loss by what the network did: see the engine's function.

    Nothing that the estimator has learnt changes.
    """
    estimator = of_one_moment(estimator)
    recurrent_layers(estimator)
    _refuse_pooled(estimator)
    reader = copy(estimator)
    # The factors of training: y may have other shares of classes.
    factors = vars(reader).pop("_class_factors", None)
    if factors is not None:
        reader.class_weight = None
    sequences = reader._check_X(X, reset=False)
    data = reader._dataset(sequences, y, sample_weight, True, True)
    if factors is not None:
        data = with_class_factors(data, factors)
    loss = None if isinstance(estimator.loss, str) else estimator.loss
    network = estimator._spec, estimator._weights
    return _engine.gradient_flow(*network, data, loss, **options)


def _refuse_pooled(estimator):
    """Refuse networks that pool steps before their recurrent layers."""
    if not estimator._spec.keeps_steps:
        raise ValueError(
            f"This {type(estimator).__name__} was fitted with conv_filters="
            f"{estimator.conv_filters!r} and conv_pool_size="
            f"{estimator.conv_pool_size!r}: its recurrent layers read pooled steps, "
            "and not each step of X. Fit it with conv_pool_size=1 to look at them."
        )


def _texts(estimator, texts):
    """Return texts as sequences of token ids, each after the one that begins it."""
    read = estimator._encode(check_texts(texts), "X")
    lengths = np.array([1 + len(ids) for ids in read])
    begin = np.array([END], np.int32)
    return Sequences(
        values=np.concatenate([part for ids in read for part in (begin, ids)]),
        starts=np.cumsum(lengths) - lengths,
        lengths=lengths,
        form="ragged",
        n_timesteps=int(lengths.max()),
    )
