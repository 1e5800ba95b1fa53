"""What parameters can't be, with what is said of it."""

import numpy as np
from _bad_input import LABELS, N, X, without_address
from sklearn.utils._param_validation import InvalidParameterError

A_BOOL = "an instance of 'bool' or an instance of 'numpy.bool'"
BELOW_1 = "a float in the range [0.0, 1.0)"
BETWEEN = "a float in the range (0.0, 1.0)"
COUNT = "an int in the range [1, inf)"
POSITIVE = "a float in the range (0.0, inf)"
NOT_POSITIVE = [0, -1, np.nan, np.inf, "0.1"]
NOT_COUNTS = [0, -1, 2.5, "8", True]
NOT_BOOLS = ["yes", 2, None]
NOT_SHARES = [1.0, -0.1, 1.5, np.nan, "a", None]
OPTIMIZERS = (
    "a str among {'adadelta', 'adafactor', 'adagrad', 'adam', 'adamax', 'adamw', "
    "'ftrl', 'lamb', 'lion', 'nadam', 'rmsprop', 'sgd'} or an instance of "
    "keras.optimizers.Optimizer"
)
ACTIVATIONS = (
    "a str among {'elu', 'linear', 'relu', 'selu', 'sigmoid', 'silu', 'softplus', "
    "'softsign', 'tanh'}"
)
REGRESSION_LOSSES = (
    "a str among {'auto', 'huber', 'log_cosh', 'mean_absolute_error', "
    "'mean_squared_error', 'pinball'} or a callable"
)
CLASSIFICATION_LOSSES = (
    "a str among {'auto', 'binary_crossentropy', 'categorical_crossentropy'} or a "
    "callable"
)
CALLBACKS = "a list of instances of keras.callbacks.Callback or None"
SEEDS = (
    "an int in the range [0, 4294967295], an instance of "
    "'numpy.random.mtrand.RandomState' or None"
)
CLASS_WEIGHTS = (
    "an instance of 'dict', an instance of 'list', a str among {'balanced'} or None"
)
BAD_PARAMS = {
    "units": (
        f"{COUNT} or a non-empty tuple of positive ints",
        [*NOT_COUNTS, (), [], [8, 0], (8, 2.5), (True,), None],
    ),
    "bidirectional": (A_BOOL, NOT_BOOLS),
    "return_sequences": (A_BOOL, NOT_BOOLS),
    "attention": (
        "a str among {'additive', 'dot', 'multihead'} or None",
        # Only a decoder has places that move on.
        ["additve", "location", True, 3],
    ),
    "conv_filters": (
        f"{COUNT} or a tuple of positive ints",
        [0, -1, (0,), (8, 0), 2.5, "8", None],
    ),
    "conv_kernel_size": (COUNT, [*NOT_COUNTS, (3, 3), None]),
    "conv_pool_size": (COUNT, [*NOT_COUNTS, (3, 3), None]),
    "conv_padding": ("a str among {'causal', 'same'}", ["valid", "Causal", None, 1]),
    "categorical_features": (
        "an array-like, an instance of 'slice' or None",
        [1, "price", True, 2.5],
    ),
    "embedding_dim": (
        f"{COUNT}, a non-empty tuple of positive ints or None",
        [*NOT_COUNTS, (), (8, 0), (8, 2.5), (True,)],
    ),
    "dense_units": (f"{COUNT} or a tuple of positive ints", [0, -1, (0,), 2.5, "8"]),
    "activation": (ACTIVATIONS, ["tanhh", "softmax", None, np.tanh]),
    "dropout": (BELOW_1, NOT_SHARES),
    "recurrent_dropout": (BELOW_1, NOT_SHARES),
    "layer_norm": (A_BOOL, NOT_BOOLS),
    "optimizer": (OPTIMIZERS, ["adm", "Adamm", None, 3, int]),
    "learning_rate": (POSITIVE, [*NOT_POSITIVE, None]),
    "clipnorm": (f"{POSITIVE} or None", NOT_POSITIVE),
    "epochs": (COUNT, [*NOT_COUNTS, None]),
    "batch_size": (COUNT, [*NOT_COUNTS, None]),
    "shuffle": (A_BOOL, NOT_BOOLS),
    "early_stopping": (f"{A_BOOL} or a str among {{'auto'}}", NOT_BOOLS),
    "validation_split": (f"{BETWEEN} or None", [0, 0.0, 1, *NOT_SHARES[:-1]]),
    "patience": (COUNT, [*NOT_COUNTS, np.nan]),
    "callbacks": (CALLBACKS, [3, "a", [3], object(), [object]]),
    "warm_start": (A_BOOL, NOT_BOOLS),
    "verbose": (f"an int in the range [0, inf), {A_BOOL}", [-1, "x"]),
    "random_state": (SEEDS, ["a", -1, 2**32, np.random.default_rng(0)]),
}
BAD_REGRESSOR_PARAMS = {
    "loss": (REGRESSION_LOSSES, ["msee", "binary_crossentropy", None, 3]),
    "normalize_y": (A_BOOL, NOT_BOOLS),
}
LABELS_APART = (
    "an instance of 'list', an instance of 'tuple', a str among {'bio'} or None"
)
BAD_CLASSIFIER_PARAMS = {
    "loss": (CLASSIFICATION_LOSSES, ["mean_squared_error", "crossentropies", None]),
    "class_weight": (CLASS_WEIGHTS, ["balancd", 3]),
    "crf": (A_BOOL, NOT_BOOLS),
    "illegal_transitions": (LABELS_APART, ["iob", 3, {"a": "b"}]),
}
BAD_CELLS = {
    "cell": (
        "a str among {'gru', 'indrnn', 'lstm', 'mingru', 'minlstm', 'ntm', 'rnn'}",
        ["lstn", "LSTMs", int],
    )
}


def parameters(rows):
    return {
        f"{name}={without_address(value)}": (
            InvalidParameterError,
            f"The '{name}' parameter of {{name}} must be {expected}. Got {value!r} "
            "instead.",
            {"params": {name: value}},
        )
        for name, (expected, values) in rows.items()
        for value in values
    }


STOP = {"early_stopping": True}
BAD_SPLITS = {
    "validation_split leaves nothing": (
        ValueError,
        f"validation_split=0.95 leaves none of {N} sequences to train on; make it "
        "smaller, or set early_stopping=False and validation_split=None.",
        {"params": STOP | {"validation_split": 0.95}},
    ),
}
BAD_CLASS_SPLITS = {
    "validation_split takes the only one of a class": (
        ValueError,
        "validation_split=0.1 of 2 sequences leaves none to validate on without taking "
        "all of a class; make it larger, or set early_stopping=False and "
        "validation_split=None.",
        {"params": STOP, "X": X[:2], "y": [0, 1]},
    ),
}
BAD_CLASS_LOSSES = {
    "loss of two classes": (
        ValueError,
        "loss='binary_crossentropy' is for two classes or an indicator matrix, but y "
        "has 3 classes; use 'auto' or 'categorical_crossentropy'.",
        {"params": {"loss": "binary_crossentropy"}, "y": np.arange(N) % 3},
    ),
    "loss of one label": (
        ValueError,
        "loss='categorical_crossentropy' is for one label a sequence, but y is an "
        "indicator matrix; use 'auto' or 'binary_crossentropy', or if y is one-hot "
        "pass y.argmax(axis=1).",
        {
            "params": {"loss": "categorical_crossentropy"},
            "y": np.eye(2, dtype=int)[LABELS],
        },
    ),
}
