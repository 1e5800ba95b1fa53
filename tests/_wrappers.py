"""Small instances of scikeras' wrappers: what `_instances` has of the others.

They have a file of their own because importing it loads Keras.
"""

import keras
from _instances import MINIBATCHES

from skrnn import scikeras


def small_network(meta, compile_kwargs):
    """Build what scikeras' wrappers wrap, for rows of numbers and any y."""
    kinds = {
        "binary": (1, "sigmoid", "binary_crossentropy"),
        "multilabel-indicator": (None, "sigmoid", "binary_crossentropy"),
        "multiclass": (None, "softmax", "sparse_categorical_crossentropy"),
    }
    units, end, loss = meta.get("n_outputs_", 1), "linear", "mse"
    if "classes_" in meta:
        units, end, loss = kinds[meta["target_type_"]]
        units = units or meta["n_classes_"]
    # One layer learns what scikit-learn's checks have, in half the time of two.
    layers = [keras.Input(meta["X_shape_"][1:]), keras.layers.Dense(units, end)]
    model = keras.Sequential(layers)
    rate = keras.optimizers.Adam(0.2)
    model.compile(**compile_kwargs | {"loss": loss, "optimizer": rate})
    return model


_WRAPPED = dict(epochs=20, verbose=0, random_state=0)
WRAPPERS = [
    scikeras.KerasRegressor(small_network, **_WRAPPED),
    scikeras.KerasClassifier(small_network, **_WRAPPED),
]

_REASON = MINIBATCHES["check_sample_weight_equivalence_on_dense_data"]
_SCIKERAS = MINIBATCHES | {
    "check_sample_weight_equivalence_on_sparse_data": _REASON,
    "check_estimator_tags_renamed": (
        "It looks at each class one by one, and one of scikeras' own has the tags of "
        "old scikit-learn alone. Ours has the new ones; scikeras' class stays as it is."
    ),
}
WRAPPERS_FAIL = {type(each): _SCIKERAS for each in WRAPPERS}
if keras.backend.backend() == "jax":
    WRAPPERS_FAIL[scikeras.KerasRegressor] = _SCIKERAS | {
        "check_methods_sample_order_invariance": (
            "Keras predicts there, and the last digits of a row's result depend on "
            "where in the batch it stands."
        )
    }
