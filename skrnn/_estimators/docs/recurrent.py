"""The recurrent estimators' docstrings: every parameter is described once, here."""

import dataclasses
import inspect
from typing import TypeVar, dataclass_transform

from skrnn._estimators.advice import advise
from skrnn._estimators.docs.listing import lists_its_names
from skrnn._estimators.docs.rows import as_type, filled, list_of_optimizers
from skrnn._estimators.network_base import EARLY_STOPPING_FROM
from skrnn._estimators.tasks.documentation import Row
from skrnn._networks.activations import HIDDEN_ACTIVATIONS
from skrnn._networks.cells import CELLS
from skrnn._networks.layers import LAYERS
from skrnn._networks.layers.convolution import PADDINGS
from skrnn._networks.optimizers import OPTIMIZERS

T = TypeVar("T")


# Parameter -> (type, description), in the order of the documentation. The defaults are
# read from the signature. None: the task or the kind of network describes it.
PARAMETERS: dict[str, Row | None] = {
    "cell": (
        as_type(CELLS),
        """Kind of the recurrent layers. "mingru" and "minlstm" (Feng et al., 2024) and
        "indrnn" (Li et al., 2018) have no product with the state before: long
        sequences take a fraction of the time. Units of theirs read no state but their
        own; stack layers, so that they meet. "ntm" is a Neural Turing Machine (Graves
        et al., 2014): an LSTM that reads and writes a `memory`.""",
    ),
    "units": (
        "int or tuple of int",
        "Width of the recurrent layer; a tuple stacks one layer for each entry.",
    ),
    "timescales": (
        "tuple of int or None",
        """Let layer i go on from its state ``timescales[i]`` steps before, not from
        that of the step before (Chang et al., 2017): with ``units=(32, 32, 32)``,
        ``(1, 4, 16)`` reaches back far in few steps. The first is 1, as a rule: what a
        slower layer puts out at a step has read only every so many of the steps before
        by itself. None is 1 for each layer.""",
    ),
    "memory": (
        "tuple of two ints",
        """Slots of the memory of ``cell="ntm"``, and numbers in each. Other cells have
        none.""",
    ),
    "d_model": None,
    "n_heads": None,
    "n_layers": None,
    "dim_feedforward": None,
    "positional": None,
    "causal": None,
    "pooling": None,
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
        states of all real steps, and concatenate the attended context to it. "additive"
        is Bahdanau et al. (2015), "dot" Luong et al. (2015), scaled, "multihead"
        Vaswani et al. (2017) with 4 heads, or 2 or 1 where 4 don't divide the
        width.""",
    ),
    "conv_filters": (
        "int or tuple of int",
        """Widths of convolutions over time before the recurrent layers, for long series
        that are told by their shapes; a tuple stacks one for each entry. They
        are normalised over the batches of training (Ioffe & Szegedy, 2015) and
        rectified. What the last one finds on average stands beside the last state, as
        in LSTM-FCN (Karim et al., 2018).""",
    ),
    "conv_kernel_size": (
        "int",
        """Steps that each convolution reads.""",
    ),
    "conv_pool_size": (
        "int",
        """Steps after each convolution of which the greatest values go on, so that the
        recurrent layers read fewer; 1 keeps all. With `return_sequences`, `attention`
        or causal convolutions every step is kept, and each convolution reads steps so
        many times as far apart as the one before.""",
    ),
    "conv_padding": (
        as_type(PADDINGS),
        """Where the steps are that a convolution reads: "same" is around its own, so
        that every step depends on later ones and the network can't stream, "causal"
        ends with it (van den Oord et al., 2016), so that it can.""",
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
    "categorical_features": (
        "array-like of int, bool or str, slice or None",
        """Which columns of X are ids, where the others are numbers: by number, a mask,
        names or a slice, as in scikit-learn's ``HistGradientBoostingClassifier`` and
        ``ColumnTransformer``. Their vectors, of `embedding_dim` or `embedding_matrix`,
        stand beside the numbers at each step, and neither is dropped. In sequences
        (n, T, F) columns are channels, and any id from 0 on is one. In a table the ids
        are the steps of a row, 0 is padding, and the numbers are those of the row,
        which stand at each of its steps.""",
    ),
    "dense_units": (
        "int or tuple of int",
        "Widths of hidden dense layers between the recurrent layers and the output.",
    ),
    "activation": (
        as_type(HIDDEN_ACTIVATIONS),
        """Activation of the recurrent layers' candidates and of the hidden dense
        layers. That of the papers is "linear" for cells "mingru" and "minlstm", and
        "relu" for "indrnn".""",
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
        at every step of a sequence (Gal & Ghahramani, 2016). Cells "mingru" and
        "minlstm" have no weights that the state meets, and drop nothing.""",
    ),
    "layer_norm": (
        "bool",
        """Normalise the outputs of each recurrent layer over its units (Ba et al.,
        2016).""",
    ),
    "teacher_forcing": None,
    "max_length": None,
    "n_beams": None,
    "length_penalty": None,
    "loss": None,
    "quantile": None,
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
    "warmup_steps": None,
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
    "validation_split": None,
    "patience": (
        "int",
        "Epochs without improvement after which early stopping ends training.",
    ),
    "class_weight": None,
    "normalize_y": None,
    "callbacks": (
        "list of keras.callbacks.Callback",
        """Called as Keras calls them, on a model that mirrors the training in units of
        y. The losses that they are told are those of `history_`. One that listens to
        batches makes training slower.""",
    ),
    "checkpoint_path": (
        "str, path-like or None",
        """File in which ``fit`` keeps the state of training, so that one that was
        killed goes on: the same ``fit`` on the same data, called again, begins behind
        the last epoch in it, and ends with the weights that it would have had. It is
        written after epochs, at most once a second. When training has ended it stays:
        the same ``fit`` then returns at once, and any other replaces it. The file of an
        interrupted fit of other parameters or data is an error. Give a folder that is
        there, and each fit has a file of its own in it, as those of a search need.
        ``partial_fit`` keeps nothing.""",
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
weights_ : mapping of str to mapping of str to ndarray
    The weights of the trained network, by layer and name: read-only arrays. Printed, it
    tells shapes and the order of gates. See :ref:`looking_inside`.
model_ : keras.Model
    The trained network, made at first access."""


@dataclass_transform(kw_only_default=True, eq_default=False)
def recurrent_estimator(cls: type[T]) -> type[T]:
    """Give a leaf its ``__init__`` from the fields of its bases, and its docstring."""
    made = dataclasses.dataclass(kw_only=True, eq=False, repr=False)(cls)
    table = table_of(made)
    advise(made, in_order(made, table))
    if made.__doc__ is not None:
        made.__doc__ = _docstring(made, table)
    return lists_its_names(made)


def table_of(cls):
    """Return the descriptions of all parameters that an estimator may have, in order.

    Those of its task and of its kind of network go before the common ones.
    """
    own = _documentation_of_layers() | cls._network_docs | cls._task_docs.parameters
    table: dict[str, Row | None] = {}
    for name, row in PARAMETERS.items():
        if name == "callbacks":
            table |= {new: own[new] for new in own if new not in PARAMETERS}
        table[name] = own.get(name, row)
    return table


def _documentation_of_layers():
    """Return what kinds of layers say of the parameters that they bring."""
    rows = (layer.documentation for layer in LAYERS.values())
    return {name: row for each in rows for name, row in each.items()}


def in_order(cls, table):
    """Put the parameters of all bases into the one order of the documentation."""
    signature = inspect.signature(cls)
    missing = [name for name in signature.parameters if table.get(name) is None]
    if missing:
        raise LookupError(
            f"{cls.__name__} has parameters that nobody describes: {missing}. A task "
            "describes its own in the `parameters` of its `_task_docs`."
        )
    names = [name for name in table if name in signature.parameters]
    ordered = [signature.parameters[name] for name in names]
    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return signature.replace(parameters=[itself, *ordered])


def _docstring(cls, table):
    task = cls._task_docs
    sections = {
        "Parameters": described(cls, table),
        "Attributes": task.attributes + _ATTRIBUTES,
        "See Also": _see_also(cls, task),
        "Examples": task.example.format(name=cls.__name__, width=cls._width),
    }
    return with_sections(cls.__doc__, sections)


def with_sections(text, sections):
    """Put a docstring together."""
    parts = [inspect.cleandoc(text)]
    parts += [f"{name}\n{'-' * len(name)}\n{text}" for name, text in sections.items()]
    return "\n\n".join(parts) + "\n"


def described(cls, table):
    """Describe the parameters of an estimator, in the order of a table."""
    parameters = inspect.signature(cls).parameters
    rows = [
        (name, parameters[name].default, *table[name])
        for name in table
        if name in parameters
    ]
    return "\n".join(_entry(*row) for row in rows)


def _entry(name, default, kind, description):
    lines = inspect.cleandoc("\n" + description if "\n" in description else description)
    indented = "\n".join("    " + line.strip() for line in lines.splitlines())
    shown = f'"{default}"' if isinstance(default, str) else default
    return f"{name} : {kind}, default={shown}\n{indented}"


def _see_also(cls, task):
    other = task.counterpart
    if "cell" not in inspect.signature(cls).parameters:
        kind = getattr(cls, "_kind", None) or getattr(cls, "cell", None)
        other = task.counterparts.get(kind, other)
    return f"{other} : {task.relation}"
