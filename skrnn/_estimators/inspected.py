"""What inspection asks fitted estimators for: what networks did, and gradients."""

from copy import copy
from typing import Any

from skrnn import _engine
from skrnn._estimators.network_base import BaseNetwork


def is_network(estimator: Any) -> bool:
    """Whether an estimator is one network that reads sequences."""
    return isinstance(estimator, BaseNetwork)


def recurrent_layers(estimator: Any) -> list[Any]:
    """Return the recurrent layers of a fitted network; an encoder's, if it has one."""
    return estimator._spec.recurrent


def traced(estimator: Any, X: Any, layer: int) -> tuple[dict[str, Any], Any]:
    """Return what a recurrent layer did, by direction, and X as sequences.

    Parameters
    ----------
    layer : int
        From 0.
    """
    _refuse_pooled(estimator)
    # A copy: it may learn what it likes from the data it reads.
    sequences = copy(estimator)._check_X(X, reset=False)
    in_units = getattr(estimator, "_in_units", None)
    read = sequences if in_units is None else in_units(sequences)
    return _engine.trace(estimator._spec, estimator._weights, read, layer), sequences


def gradient_flow(estimator: Any, X: Any, y: Any, sample_weight: Any, **options) -> Any:
    """Differentiate the loss by what the network did: see the engine's.

    Nothing that the estimator has learnt changes.
    """
    _refuse_pooled(estimator)
    reader = copy(estimator)
    sequences = reader._check_X(X, reset=False)
    data = reader._dataset(sequences, y, sample_weight, True, True)
    loss = None if isinstance(estimator.loss, str) else estimator.loss
    network = estimator._spec, estimator._weights
    return _engine.gradient_flow(*network, data, loss, **options)


def _refuse_pooled(estimator):
    """Refuse to tell of steps what recurrent layers know of pooled ones."""
    if not estimator._spec.keeps_steps:
        raise ValueError(
            f"This {type(estimator).__name__} was fitted with conv_filters="
            f"{estimator.conv_filters!r} and conv_pool_size="
            f"{estimator.conv_pool_size!r}: its recurrent layers read pooled steps, "
            "and not each step of X. Fit it with conv_pool_size=1 to look at them."
        )
