"""scikeras' wrappers for a Keras network of your own, corrected and faster.

A script written for scikeras needs one import changed. Unlike ``import skrnn``,
importing this module loads Keras and TensorFlow, and scikeras with what it adds to
Keras.
"""

from skrnn._engine import quietly

with quietly():
    from skrnn.scikeras._networks import recurrent_network
    from skrnn.scikeras._wrappers import KerasClassifier, KerasRegressor

__all__ = ["KerasClassifier", "KerasRegressor", "recurrent_network"]
