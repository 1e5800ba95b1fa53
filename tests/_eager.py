"""Keras step by step: it compiles a network for seconds, which few tests are about."""

from contextlib import contextmanager


@contextmanager
def uncompiled(really=True):
    """Let TensorFlow run what it would compile; with False, nothing changes."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(really)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)
