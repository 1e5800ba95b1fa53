"""The network of a language model for Keras."""

from typing import Any

from skrnn import _engine


def as_keras(estimator: Any) -> Any:
    """Return the trained network as a ``keras.Model`` with its states in and out."""
    _engine.backend()
    # Deferred: it needs Keras, which the line above has loaded.
    from skrnn._networks.keras.language import language_model  # noqa: PLC0415

    return language_model(estimator._spec, estimator._weights)
