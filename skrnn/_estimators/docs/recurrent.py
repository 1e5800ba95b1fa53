"""The recurrent estimators' docstrings: every parameter is described once, here."""

import dataclasses
import inspect
from typing import TypeVar, dataclass_transform

from skrnn._estimators.advice import advise
from skrnn._estimators.docs.rows import (
    as_type,
    filled,
    list_of_losses,
    list_of_optimizers,
    type_of_losses,
)
from skrnn._estimators.docs.seq2seq import (
    EXAMPLES_OF_PAIRS,
    FOR_PAIRS,
    PARAMETERS_OF_PAIRS,
)
from skrnn._estimators.network_base import EARLY_STOPPING_FROM
from skrnn._networks.activations import HIDDEN_ACTIVATIONS
from skrnn._networks.cells import CELLS
from skrnn._networks.optimizers import OPTIMIZERS

T = TypeVar("T")


# Parameter -> (type, description), in the order of the documentation. The defaults are
# read from the signature.
PARAMETERS = {
    "cell": (
        as_type(CELLS),
        "Kind of the recurrent layers.",
    ),
    "units": (
        "int or tuple of int",
        "Width of the recurrent layer; a tuple stacks one layer for each entry.",
    ),
    "bidirectional": (
        "bool",
        """Read every sequence in both directions (Schuster & Paliwal, 1997), with
        `units` for each.""",
    ),
    "return_sequences": (
        "bool",
        """Predict something for every time step instead of for the whole sequence:
        tagging, or a filter of a series.""",
    ),
    "attention": (
        '{"additive", "dot", "multihead"}',
        """Let the last state (with `return_sequences` each step's state) attend to the
        states of all real steps, and give the head what it found beside it. "additive"
        is Bahdanau et al. (2015), "dot" Luong et al. (2015), scaled, "multihead"
        Vaswani et al. (2017) with 4 heads, or 2 or 1 where 4 don't divide the
        width.""",
    ),
    "embedding_dim": (
        "int or tuple of int",
        """Read X as token ids, integers from 1 with 0 as padding, and learn a vector
        of this length for each. The vocabulary is that of the
        :class:`~skrnn.preprocessing.TextSequencer` before, or else 0 to the largest id
        in ``fit``. Steps may have several ids, in channels (n, T, C): each channel has
        its own vectors, of one length or of the length that a tuple gives it, and they
        stand side by side.""",
    ),
    "embedding_matrix": (
        "array-like of shape (n_ids, embedding_dim), dict or KeyedVectors",
        """Vectors to begin with instead of random ones; they make `embedding_dim`. Of
        an array row i is for id i. A dict of vectors by word, or gensim's
        ``KeyedVectors``, needs ids from a
        :class:`~skrnn.preprocessing.TextSequencer`, and its order doesn't matter: ids
        of words that it lacks begin with random vectors of the same variance. Clones
        of the estimator share it.""",
    ),
    "embedding_trainable": (
        "bool",
        """Whether training changes the vectors, or leaves them as they began.""",
    ),
    "dense_units": (
        "int or tuple of int",
        "Widths of hidden dense layers between the recurrent layers and the output.",
    ),
    "activation": (
        as_type(HIDDEN_ACTIVATIONS),
        """Activation of the recurrent layers' candidates and of the hidden dense
        layers.""",
    ),
    "dropout": (
        "float in [0, 1)",
        """Share of every layer's outputs, embedding included, that is dropped in
        training. Inputs are never dropped: with one feature that would be the whole
        series.""",
    ),
    "recurrent_dropout": (
        "float in [0, 1)",
        """Share of the hidden state dropped between steps in training, the same units
        at every step of a sequence (Gal & Ghahramani, 2016).""",
    ),
    "layer_norm": (
        "bool",
        """Normalise the outputs of each recurrent layer over its units (Ba et al.,
        2016).""",
    ),
    **PARAMETERS_OF_PAIRS,
    "loss": (
        None,
        None,
    ),
    "quantile": (
        "float in (0, 1)",
        """What is predicted with ``loss="pinball"``: the value that y stays below with
        this probability, 0.5 the median. Other losses don't read it.""",
    ),
    "optimizer": (
        f"{as_type(OPTIMIZERS)} or keras.optimizers.Optimizer",
        filled(
            f"""How the weights are changed: {list_of_optimizers()}. By name it has
            Keras' defaults and takes steps of `learning_rate`. An instance keeps its
            own rate or schedule; each fit trains with a fresh copy."""
        ),
    ),
    "learning_rate": (
        "float > 0",
        "Step size of an optimizer that is given by name.",
    ),
    "learning_rate_schedule": (
        '{"cosine", "exponential"}, LearningRateSchedule or None',
        """How the step size changes from step to step: by name it falls from
        `learning_rate` to a hundredth of it over all `epochs`, along half a cosine
        (Loshchilov & Hutter, 2017) or by the same factor at each step. A
        ``keras.optimizers.schedules.LearningRateSchedule`` is asked at each step, and
        `learning_rate` isn't read. None leaves it as it is.""",
    ),
    "clipnorm": (
        "float > 0 or None",
        """Scale the gradient of each weight array down to at most this norm, which
        keeps long sequences from throwing training off (Pascanu et al., 2013).""",
    ),
    "global_clipnorm": (
        "float > 0 or None",
        """Scale all gradients together so that the norm of all of them is at most this,
        which keeps their direction; before `clipnorm`, which may be None then.""",
    ),
    "epochs": (
        "int",
        "How often, at most, every sequence is trained on.",
    ),
    "batch_size": (
        "int",
        "Sequences for each step of the optimizer.",
    ),
    "shuffle": (
        "bool",
        "Take the sequences in a new random order in each epoch.",
    ),
    "early_stopping": (
        'bool or "auto"',
        f"""Stop when the loss of a validation set hasn't improved for `patience`
        epochs, and keep the weights of the best epoch. The set is what ``fit`` is
        given, or else the `validation_split` of the sequences that is held out. "auto"
        does so if either is given, and from {EARLY_STOPPING_FROM} sequences on; with
        fewer, what is held out is missed more than it helps. False records the loss of
        what is given, and trains for all epochs.""",
    ),
    "validation_split": (
        None,
        None,
    ),
    "patience": (
        "int",
        "Epochs without improvement after which early stopping ends training.",
    ),
    "class_weight": (
        'dict, "balanced" or None',
        """Weight of each class in the loss; "balanced" makes it inversely proportional
        to the class's frequency, rows counted with their `sample_weight`. Multiplied
        with `sample_weight`.""",
    ),
    "normalize_y": (
        "bool",
        """Train on y with its mean subtracted and divided by its standard deviation,
        for each target by itself. Predictions are in y's units either way.""",
    ),
    "callbacks": (
        "list of keras.callbacks.Callback",
        """Called as Keras calls them, on a model that mirrors the training in units of
        y. The losses that they are told are those of `history_`. One that listens to
        batches makes training slower.""",
    ),
    "warm_start": (
        "bool",
        """Go on from the weights and the optimizer's state of the last ``fit``; the
        network must be the same.""",
    ),
    "engine": (
        '{"auto", "cpu", "keras"}',
        """What computes: "cpu" is kernels in C, without TensorFlow or Keras; "keras" is
        Keras' backend, on a GPU where that has one. "auto" takes the first, but the
        second where ``KERAS_BACKEND`` names another backend than TensorFlow, or where
        the kernels couldn't be compiled.""",
    ),
    "verbose": (
        "int",
        """1 shows one line with epoch, losses and time left; in a log about ten lines
        a fit, and with 2 one for each epoch.""",
    ),
    "random_state": (
        "int, RandomState instance or None",
        """Seed of the initial weights, of the order of the batches, of dropout and of
        what is held out. The same int gives bit-identical weights in any process of
        one machine.
        None takes a seed from the operating system; NumPy's and Python's global
        generators are never touched.""",
    ),
}

_FOR_REGRESSORS = {
    "loss": (
        f"{type_of_losses('numbers')} or callable",
        filled(
            f"""What is minimised, in units of the normalised y:
            {list_of_losses("numbers")}. "auto" is the first of them. A
            ``keras.losses.Loss`` or a function ``f(y_true, y_pred)`` that returns a
            loss for each row works too."""
        ),
    ),
    "validation_split": (
        "float in (0, 1) or None",
        """Share of the sequences that is held out to validate on: the last ones, which
        in a series are the latest. None holds out a tenth for early
        stopping, and nothing without it; a number holds out so much in any case. An
        X_val in ``fit`` takes its place.""",
    ),
}
_FOR_CLASSIFIERS = {
    "loss": (
        f"{type_of_losses('labels')} or callable",
        filled(
            f"""What is minimised: {list_of_losses("labels")}. "auto" is the first of
            them that fits the labels. A ``keras.losses.Loss`` or a function
            ``f(y_true, y_pred)`` of class numbers (or 0 and 1) and probabilities that
            returns a loss for each row works too."""
        ),
    ),
    "validation_split": (
        "float in (0, 1) or None",
        """Share of the sequences that is held out to validate on, at random and, where
        a sequence has one label, the same share of every class. None holds out a tenth
        for early stopping, and nothing without it; a number holds out so much in any
        case. An X_val in ``fit`` takes its place.""",
    ),
}

_ATTRIBUTES = """\
history_ : dict of lists
    "loss" and, with a validation set, "val_loss" of each epoch.
n_iter_ : int
    Number of epochs trained.
best_epoch_ : int
    Epoch, from 1, whose weights were kept.
n_features_in_ : int
    Features of each step; for a 2-D X its number of columns, that is, of steps; 1
    for token ids.
feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Names of the columns of a frame, or of each frame of a list, if they all are
    strings.
model_ : keras.Model
    The trained network, made at first access."""

_CLASSES = """classes_ : ndarray of shape (n_classes,)
    Labels, sorted; for an indicator matrix the numbers of its columns.
"""

_EXAMPLES = {
    "regressor": """\
>>> import numpy as np
>>> from skrnn import {name}
>>> rng = np.random.default_rng(0)
>>> X = rng.normal(size=(200, 8, 2))  # 200 sequences, 8 steps, 2 features
>>> y = X[:, -3:, 0].sum(axis=1)
>>> model = {name}(units=16, epochs=40, random_state=0).fit(X[:150], y[:150])
>>> model.predict(X[150:]).shape
(50,)
>>> model.score(X[150:], y[150:]) > 0.5
True""",
    "classifier": """\
>>> import numpy as np
>>> from skrnn import {name}
>>> rng = np.random.default_rng(0)
>>> lengths = rng.integers(4, 12, size=200)
>>> X = [rng.normal(size=(length, 2)) for length in lengths]  # of different lengths
>>> y = np.array(["up" if x[-3:, 0].sum() > 0 else "down" for x in X])
>>> model = {name}(units=16, epochs=60, random_state=0).fit(X[:150], y[:150])
>>> model.predict_proba(X[150:]).shape
(50, 2)
>>> model.score(X[150:], y[150:]) > 0.7
True""",
}


@dataclass_transform(kw_only_default=True, eq_default=False)
def recurrent_estimator(cls: type[T]) -> type[T]:
    """Give a leaf its ``__init__`` from the fields of its bases, and its docstring."""
    made = dataclasses.dataclass(kw_only=True, eq=False, repr=False)(cls)
    advise(made, in_order(inspect.signature(made), PARAMETERS))
    if made.__doc__ is not None:
        made.__doc__ = _docstring(made)
    return made


def in_order(signature, table):
    """Put the parameters of all bases into the one order of the documentation."""
    names = [name for name in table if name in signature.parameters]
    ordered = [signature.parameters[name] for name in names]
    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return signature.replace(parameters=[itself, *ordered])


def _docstring(cls):
    kind = "classifier" if cls.__name__.endswith("Classifier") else "regressor"
    is_pair = cls.__name__.startswith("Seq2Seq")
    table = PARAMETERS | (_FOR_CLASSIFIERS if kind == "classifier" else _FOR_REGRESSORS)
    if is_pair:
        table |= FOR_PAIRS[kind]
    examples = EXAMPLES_OF_PAIRS if is_pair else _EXAMPLES
    attributes = (_CLASSES if kind == "classifier" else "") + _ATTRIBUTES
    sections = {
        "Parameters": described(cls, table),
        "Attributes": attributes,
        "See Also": _see_also(cls, kind),
        "Examples": examples[kind].format(name=cls.__name__),
    }
    return with_sections(cls.__doc__, sections)


def with_sections(text, sections):
    """Put a docstring together."""
    parts = [inspect.cleandoc(text)]
    parts += [f"{name}\n{'-' * len(name)}\n{text}" for name, text in sections.items()]
    return "\n\n".join(parts) + "\n"


def described(cls, table):
    """Describe the parameters of an estimator, in the order of a table."""
    names = inspect.signature(cls).parameters
    rows = [
        (name, names[name].default, *table[name]) for name in table if name in names
    ]
    return "\n".join(_entry(*row) for row in rows)


def _entry(name, default, kind, description):
    lines = inspect.cleandoc("\n" + description if "\n" in description else description)
    indented = "\n".join("    " + line.strip() for line in lines.splitlines())
    shown = f'"{default}"' if isinstance(default, str) else default
    return f"{name} : {kind}, default={shown}\n{indented}"


def _see_also(cls, kind):
    other = "Regressor" if kind == "classifier" else "Classifier"
    stem = cls.__name__[: -len("Classifier" if kind == "classifier" else "Regressor")]
    return f"{stem}{other} : The same network for the other task."
