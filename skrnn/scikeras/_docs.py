"""What both wrappers have in common, described once."""

import textwrap
from typing import TypeVar

from sklearn.base import ClassifierMixin

T = TypeVar("T")

_PARAMETERS = """
Parameters
----------
model : callable or keras.Model
    Function that returns a network, compiled or not; it may take ``meta`` (what is
    known of X and y), ``compile_kwargs``, ``params`` and parameters of its own,
    given here as ``model__name``.
build_fn : callable, default=None
    Old name of `model`.
warm_start : bool, default=False
    Go on training at the next ``fit``.
random_state : int, RandomState instance or None, default=None
    Seed of the first weights, of dropout and of the order of the rows. No global
    generator is changed.
optimizer : str, class or instance, default="rmsprop"
    Keras' optimizer; ``optimizer__learning_rate`` and others are given to it.
loss : str, class, instance or function, default=None
    Keras' loss.
metrics : list, default=None
    Keras' metrics, which ``history_`` then has.
batch_size : int, default=None
    Rows a step, 32 if None, all of them if -1.
validation_batch_size : int, default=None
    The same for validation.
verbose : int, default=1
    Keras' progress bar; 0 for none.
callbacks : list, dict or callback, default=None
    Keras' callbacks, or their classes with ``callbacks__patience`` and others.
validation_split : float, default=0.0
    Share of the rows, the last ones, to validate on.
shuffle : bool, default=True
    Train on the rows in another order in each epoch.
run_eagerly : bool, default=False
    Run without compiling, for debugging; on Keras.
epochs : int, default=1
    How often to go through the rows.
"""

_OF_CLASSIFIERS = """
class_weight : dict or "balanced", default=None
    Weights of the classes in the loss, by label.
"""

_ROUTED = """
**kwargs : dict
    Parameters of the function in `model`, and routed ones such as ``fit__name``.
"""

_ATTRIBUTES = """
Attributes
----------
model_ : keras.Model
    The trained network.
engine_ : {"skrnn", "keras"}
    What has trained it: Keras does where the network has several inputs or outputs,
    layers or a training step of your own, or is stateful.
history_ : dict of lists
    Loss and metrics of each epoch.
n_features_in_ : int
    Features of X; of a time step if X has three dimensions.
"""

_CLASSES = """
classes_ : ndarray of shape (n_classes,)
    Labels.
n_classes_ : int
    Number of labels.
"""


def documented(cls: type[T]) -> type[T]:
    """Fill in the parameters and attributes of a wrapper's description."""
    labels = issubclass(cls, ClassifierMixin)
    parts = {
        "parameters": [_PARAMETERS, _OF_CLASSIFIERS if labels else "", _ROUTED],
        "attributes": [_ATTRIBUTES, _CLASSES if labels else ""],
    }
    for name, texts in parts.items():
        text = "\n".join(each.strip() for each in texts if each)
        indented = textwrap.indent(text, "    ").strip()
        cls.__doc__ = (cls.__doc__ or "").replace("{" + name + "}", indented)
    return cls
