"""Names from other libraries, and what they are called here.

One table for each kind of name. A parameter stays as it was typed: its name is looked
up wherever it is used.
"""

import difflib

from skrnn._networks.activations import ACTIVATIONS
from skrnn._networks.attention import ATTENTIONS
from skrnn._networks.cells import CELLS
from skrnn._networks.losses import LOSSES
from skrnn._networks.optimizers import OPTIMIZERS
from skrnn._sklearn import StrOptions


def names_of_losses(targets, activation=None):
    """Return the names of losses of "numbers" or "labels": all, or for a head."""
    return tuple(
        row.name
        for row in LOSSES.values()
        if row.targets == targets and activation in (None, *row.activations)
    )


def names_without_parameters(targets):
    """Return the names of the losses of "numbers" or "labels" without parameters."""
    names = names_of_losses(targets)
    return tuple(name for name in names if not LOSSES[name].parameters)


# Kind -> our names.
NAMES = {
    "loss of numbers": names_of_losses("numbers"),
    "loss of labels": names_of_losses("labels"),
    "optimizer": tuple(OPTIMIZERS),
    "schedule": ("cosine", "exponential"),
    "activation": tuple(ACTIVATIONS),
    "cell": tuple(CELLS),
    "attention": tuple(ATTENTIONS),
}


def _aliases(rows, kind):
    return {alias: name for name in NAMES[kind] for alias in rows[name].aliases}


# "auto" picks the crossentropy that fits the labels.
_OF_ANY_LABELS = dict.fromkeys(
    ["crossentropy", "crossentropyloss", "logloss", "nll", "nllloss"], "auto"
)
# Kind -> a spelling without case, spaces, dashes and underscores -> our name. A name of
# ours that is spelt otherwise in these alone needs no row.
_ALIASES = {
    "loss of numbers": _aliases(LOSSES, "loss of numbers"),
    "loss of labels": _aliases(LOSSES, "loss of labels") | _OF_ANY_LABELS,
    "optimizer": _aliases(OPTIMIZERS, "optimizer"),
    "schedule": {
        "cosinedecay": "cosine",
        "cosineannealing": "cosine",
        "cosineannealinglr": "cosine",
        "exponentialdecay": "exponential",
        "exponentiallr": "exponential",
    },
    "activation": {"swish": "silu", "identity": "linear", "logistic": "sigmoid"},
    "cell": {"simplernn": "rnn", "elman": "rnn"},
    "attention": {
        "bahdanau": "additive",
        "luong": "dot",
        "dotproduct": "dot",
        "multiheadattention": "multihead",
        "multiheaded": "multihead",
        "locationrelative": "location",
    },
}

# Parameter -> what it names, if that is called differently.
_KINDS = {"learning_rate_schedule": "schedule"}

# Kind -> a name that Keras has and we don't -> its class in Keras, or None. Such a name
# may look like one of ours.
_OTHERS: dict[str, dict[str, str | None]] = {
    "loss of numbers": {
        **dict.fromkeys(
            ["mape", "meanabsolutepercentageerror"], "MeanAbsolutePercentageError"
        ),
        **dict.fromkeys(
            ["msle", "meansquaredlogarithmicerror"], "MeanSquaredLogarithmicError"
        ),
        "cosinesimilarity": "CosineSimilarity",
        "poisson": "Poisson",
        "tversky": "Tversky",
    },
    "activation": dict.fromkeys(
        [
            "gelu", "hardsigmoid", "hardsilu", "hardswish", "hardtanh", "hardshrink",
            "celu", "glu", "leakyrelu", "logsigmoid", "logsoftmax", "mish", "prelu",
            "relu6", "sparsemax", "sparseplus", "sparsesigmoid", "tanhshrink",
            "threshold",
        ]
    ),
}  # fmt: skip

# A parameter of Keras, PyTorch, scikit-learn or skorch -> ours.
PARAMETERS_ELSEWHERE = {
    "hidden_size": "units",
    "hidden_dim": "units",
    "hidden_units": "units",
    "hidden_layer_sizes": "units",
    "n_units": "units",
    "num_units": "units",
    "neurons": "units",
    "n_layers": "units",
    "num_layers": "units",
    "cell_type": "cell",
    "rnn_type": "cell",
    "embedding_size": "embedding_dim",
    "embed_dim": "embedding_dim",
    "output_dim": "embedding_dim",
    "dropout_rate": "dropout",
    "layer_normalization": "layer_norm",
    "lr": "learning_rate",
    "learning_rate_init": "learning_rate",
    "eta": "learning_rate",
    "lr_schedule": "learning_rate_schedule",
    "lr_scheduler": "learning_rate_schedule",
    "scheduler": "learning_rate_schedule",
    "clip_norm": "clipnorm",
    "max_norm": "clipnorm",
    "max_grad_norm": "global_clipnorm",
    "gradient_clip_val": "global_clipnorm",
    "n_epochs": "epochs",
    "num_epochs": "epochs",
    "nb_epoch": "epochs",
    "max_epochs": "epochs",
    "max_iter": "epochs",
    "n_iter": "epochs",
    "criterion": "loss",
    "loss_fn": "loss",
    "loss_function": "loss",
    "objective": "loss",
    "alpha": "quantile",
    "tau": "quantile",
    "solver": "optimizer",
    "optim": "optimizer",
    "n_iter_no_change": "patience",
    "validation_fraction": "validation_split",
    "seed": "random_state",
    "random_seed": "random_state",
    "window": "lookback",
    "window_size": "lookback",
    "window_length": "lookback",
    "n_steps": "lookback",
    "timesteps": "lookback",
    "sequence_length": "lookback",
    "seq_length": "lookback",
    "seq_len": "lookback",
    "maxlen": "lookback",
    "look_back": "lookback",
    "lags": "lookback",
    "input_chunk_length": "lookback",
    "context_length": "lookback",
    "fh": "horizon",
    "h": "horizon",
    "steps": "horizon",
    "n_ahead": "horizon",
    "n_periods": "horizon",
    "forecast_horizon": "horizon",
    "output_chunk_length": "horizon",
    "prediction_length": "horizon",
    "season_length": "seasonal_periods",
    "season": "seasonal_periods",
    "sp": "seasonal_periods",
    "m": "seasonal_periods",
    "beam_width": "n_beams",
    "num_beams": "n_beams",
}
# An argument of a method of Keras, scikit-learn, XGBoost or Transformers -> ours.
_ARGUMENTS_ELSEWHERE = {
    **dict.fromkeys(
        ["validation_data", "validation_set", "eval_set", "val_data", "valid_sets"],
        ("X_val", "y_val"),
    ),
    **dict.fromkeys(
        ["max_length", "length", "max_tokens", "n_tokens", "num_tokens", "n_chars"],
        ("max_new_tokens",),
    ),
    "num_return_sequences": ("n_samples",),
    "stop_sequences": ("stop",),
    "inputs": ("X",),
    "targets": ("y",),
    "labels": ("y",),
    # For language models, whose targets are the texts.
    "y_val": ("X_val",),
}
# Parameter of another library -> what to do instead, where we have no such parameter.
_NOTES = {
    "n_layers": " A tuple of them stacks one layer for each entry.",
    "num_layers": " A tuple of them stacks one layer for each entry.",
}
# Parameter that an estimator doesn't have -> what does it.
_BY_OTHERS = {
    "lookback": (
        " A network reads sequences of any length. SlidingWindow(lookback=...) makes "
        "them of a series, and so does Forecaster(lookback=...)."
    ),
    "horizon": (
        " As many steps as y has columns are predicted: see "
        "make_supervised(horizon=...) and Forecaster(horizon=...)."
    ),
    "input_shape": " It is that of the X given to fit.",
    "input_size": " It is that of the X given to fit.",
    "metrics": " Scores are those of score(X, y) and cross_validate(scoring=...).",
    "cell": (
        " SequenceRegressor(cell=...) and SequenceClassifier(cell=...) take any cell; "
        "GRURegressor and LSTMRegressor, say, are one cell each."
    ),
    "units": " The width of a Transformer is d_model.",
    "recurrent_dropout": " A Transformer has dropout alone.",
    "bidirectional": " LSTMRegressor has it; a Transformer reads both ways.",
    **dict.fromkeys(
        ["d_model", "n_heads", "dim_feedforward", "pooling", "positional", "causal"],
        " It is a parameter of TransformerRegressor and TransformerClassifier. The "
        "width of recurrent layers is units.",
    ),
    "class_weight": (
        " It is a parameter of classifiers. Elsewhere fit(X, y, sample_weight=...) "
        "gives weights, if it takes them."
    ),
    **dict.fromkeys(
        ["crf", "illegal_transitions"],
        " It is a parameter of classifiers, such as LSTMClassifier.",
    ),
    **dict.fromkeys(
        ["n_beams", "max_length", "length_penalty"],
        " It is a parameter of Seq2SeqClassifier.",
    ),
    **dict.fromkeys(
        ["contamination", "scored_steps"],
        " It is a parameter of SequenceOutlierDetector.",
    ),
    **dict.fromkeys(
        ["quantiles", "distribution", "n_members", "n_windows", "past_features"],
        " It is a parameter of Forecaster, which trains networks on a series.",
    ),
    **dict.fromkeys(
        ["freq", "frequency"], " The dates of y tell it: give y an index of dates."
    ),
}
# Parameters of networks, of which a Forecaster trains some.
_OF_NETWORKS = {
    "units", "cell", "epochs", "batch_size", "dropout", "recurrent_dropout", "loss",
    "optimizer", "learning_rate", "learning_rate_schedule", "bidirectional",
    "activation", "clipnorm", "global_clipnorm", "engine", "callbacks",
}  # fmt: skip


def _plain(name):
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def resolve(kind, name):
    """Return our name for what was typed, or what was typed if it isn't a known name.

    Parameters
    ----------
    kind : str
        What is named: a key of `NAMES`.
    name : object
        Anything but a str is returned as it is.
    """
    if not isinstance(name, str) or name in NAMES[kind]:
        return name
    plain = _plain(name)
    same = (ours for ours in NAMES[kind] if _plain(ours) == plain)
    return next(same, None) or _ALIASES[kind].get(plain, name)


def named(estimator, *parameters) -> list:
    """Return parameters of an estimator by our names: they may be another library's."""
    return [
        resolve(_KINDS.get(parameter, parameter), getattr(estimator, parameter))
        for parameter in parameters
    ]


def loss_of(estimator):
    """Return the loss of an estimator as a head names it; None without a name."""
    if not isinstance(estimator.loss, str):
        return None
    name = resolve(estimator._kind_of_loss, estimator.loss)
    parameters = LOSSES[name].parameters if name in LOSSES else ()
    values = [float(getattr(estimator, each)) for each in parameters]
    return (name, *values) if values else name


def refuse_one_hot(loss, n_classes):
    """Refuse a loss of Keras that compares rows, where targets are class numbers.

    It would broadcast the numbers (n, 1) against the outputs (n, n_classes).
    """
    kind = type(loss).__qualname__
    is_of_keras = type(loss).__module__.split(".")[0] == "keras"
    if is_of_keras and kind != "SparseCategoricalCrossentropy":
        raise ValueError(
            f"loss={kind}() compares rows of numbers, but the targets of "
            f"{n_classes} classes are class numbers: use 'categorical_crossentropy', "
            "keras.losses.SparseCategoricalCrossentropy(), or a function of class "
            "numbers (n, 1), which may make rows of them with keras.ops.one_hot."
        )


def closest(name, options, kind=None):
    """Return the option that looks most like a name, or None.

    With a `kind` other spellings of the options are compared too.
    """
    if _plain(name) in _OTHERS.get(kind, ()):
        return None
    aliases = _ALIASES[kind] if kind else {}
    spelt = {alias: name for alias, name in aliases.items() if name in options}
    spelt |= {_plain(option): option for option in options}
    found = difflib.get_close_matches(_plain(name), spelt, n=1, cutoff=0.75)
    return spelt[found[0]] if found else None


def class_of_keras(kind, name):
    """Return the class in Keras for a name that we don't have, or None."""
    return _OTHERS.get(kind, {}).get(_plain(name))


def meant_parameter(name, parameters):
    """Return which of an estimator's parameters was meant, or None."""
    meant = PARAMETERS_ELSEWHERE.get(name)
    return meant if meant in parameters else closest(name, parameters)


def advice(name, parameters):
    """Say which of an estimator's parameters was meant, or nothing."""
    if meant := meant_parameter(name, parameters):
        return f" Did you mean {meant!r}?{_NOTES.get(name, '')}"
    ours = PARAMETERS_ELSEWHERE.get(name, name)
    if ours in _OF_NETWORKS and {"estimator", "horizon"} <= set(parameters):
        return _of_networks(ours)
    return _BY_OTHERS.get(ours, "")


def _of_networks(name):
    if name == "epochs":
        return " n_windows says how long each network is trained."
    cls = "SequenceRegressor" if name == "cell" else "LSTMRegressor"
    return (
        f" It is a parameter of the networks: set_params(estimator__{name}=...), or "
        f"estimator={cls}({name}=...)."
    )


def meant_argument(name, arguments):
    """Say which of a method's arguments was meant, or nothing."""
    meant = [each for each in _ARGUMENTS_ELSEWHERE.get(name, ()) if each in arguments]
    if not meant:
        found = closest(name, arguments)
        meant = [found] if found else []
    if name == "y_val" and meant:
        return " Texts are their own targets: X_val alone is the validation set."
    return f" Did you mean {' and '.join(map(repr, meant))}?" if meant else ""


class Names(StrOptions):
    """One of several names, in any of the spellings above."""

    def __init__(self, kind, options):
        super().__init__(options)
        self.kind = kind

    def is_satisfied_by(self, val):
        return super().is_satisfied_by(resolve(self.kind, val))


def check_loss_of_labels(loss, n_classes, multilabel):
    """Refuse a loss by name that is for a head of the other kind."""
    loss = resolve("loss of labels", loss)
    if n_classes > 2 and not multilabel:
        refuse_one_hot(loss, n_classes)
    head = "sigmoid" if multilabel else "softmax"
    fit = ["auto", *names_of_losses("labels", head)]
    if not isinstance(loss, str) or loss in fit or not (multilabel or n_classes > 2):
        return
    choice = f"use {' or '.join(map(repr, fit))}"
    if multilabel:
        raise ValueError(
            f"loss={loss!r} is for one label a sequence, but y is an indicator matrix; "
            f"{choice}, or if y is one-hot pass y.argmax(axis=1)."
        )
    raise ValueError(
        f"loss={loss!r} is for two classes or an indicator matrix, but y has "
        f"{n_classes} classes; {choice}."
    )
