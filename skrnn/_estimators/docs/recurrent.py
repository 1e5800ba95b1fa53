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
        "indrnn" (Li et al., 2018) have no product with the previous state, so long
        sequences take a fraction of the time. Their units read no other units of the
        same layer: stack layers to combine them. "ntm" is a Neural Turing Machine
        (Graves et al., 2014): an LSTM that reads and writes a `memory`.""",
    ),
    "units": (
        "int or tuple of int",
        "Width of the recurrent layer; a tuple stacks one layer for each entry.",
    ),
    "timescales": (
        "tuple of int or None",
        """Layer i continues from its state ``timescales[i]`` steps earlier instead of
        the previous one (Chang et al., 2017). With ``units=(32, 32, 32)``, ``(1, 4,
        16)`` reaches far back in few steps. Keep the first at 1, because a slower layer
        by itself reads only some of the steps before. None is 1 for each layer.""",
    ),
    "memory": (
        "tuple of two ints",
        """Number of slots of the memory of ``cell="ntm"``, and numbers in each slot.
        Other cells have no memory.""",
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
        """Predict a value or label for every time step instead of one for the whole
        sequence, as in tagging.""",
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
        """Number of filters of convolutions over time before the recurrent layers, for
        long series whose shape matters; a tuple stacks one convolution for each entry.
        They are followed by batch normalisation (Ioffe & Szegedy, 2015) and a
        rectifier. The mean over time of the last one is concatenated to the last state,
        as in LSTM-FCN (Karim et al., 2018).""",
    ),
    "conv_kernel_size": (
        "int",
        """Steps that each convolution reads.""",
    ),
    "conv_pool_size": (
        "int",
        """Each convolution is followed by the maximum over this many steps, so that the
        recurrent layers read fewer steps; 1 keeps all. With `return_sequences`,
        `attention` or causal convolutions all steps are kept, and each convolution
        reads steps this many times as far apart as the one before it.""",
    ),
    "conv_padding": (
        as_type(PADDINGS),
        """Which steps a convolution reads. "same": those around its own step, so that
        every step depends on later ones and the network can't stream. "causal": its own
        step and those before it (van den Oord et al., 2016), so that it can.""",
    ),
    "embedding_dim": (
        "int or tuple of int",
        """Read X as token ids, integers from 1 with 0 as padding, and learn a vector of
        this length for each. The vocabulary is that of the
        :class:`~skrnn.preprocessing.TextSequencer` before, or the ids from 0 to the
        largest one in ``fit``. A step may have several ids, in channels (n, T, C). Each
        channel then has its own vectors, which are concatenated; a tuple gives each its
        own length.""",
    ),
    "embedding_matrix": (
        "array-like of shape (n_ids, embedding_dim), dict or KeyedVectors",
        """Initial vectors instead of random ones; their length replaces
        `embedding_dim`. Row i of an array is for id i. A dict of vectors by word, or
        gensim's ``KeyedVectors``, needs ids from a
        :class:`~skrnn.preprocessing.TextSequencer`; its order doesn't matter. Words
        that it lacks begin with random vectors of the same variance. Clones of the
        estimator share it.""",
    ),
    "embedding_trainable": (
        "bool",
        """Whether training changes the vectors or keeps the initial ones.""",
    ),
    "categorical_features": (
        "array-like of int, bool or str, slice or None",
        """Which columns of X are ids, if the others are numbers: positions, a mask,
        names or a slice, as in scikit-learn's ``HistGradientBoostingClassifier`` and
        ``ColumnTransformer``. At each step the vectors of the ids, from
        `embedding_dim` or `embedding_matrix`, are concatenated to the numbers. In
        sequences (n, T, F) columns are channels, and ids start at 0. In a table the
        ids are the steps of a row, with 0 as padding, and the numbers of the row are
        repeated at each step.""",
    ),
    "dense_units": (
        "int or tuple of int",
        "Widths of hidden dense layers between the recurrent layers and the output.",
    ),
    "activation": (
        as_type(HIDDEN_ACTIVATIONS),
        """Activation of the recurrent layers' candidates and of the hidden dense
        layers. The papers use "linear" for the cells "mingru" and "minlstm", and "relu"
        for "indrnn".""",
    ),
    "dropout": (
        "float in [0, 1)",
        """Share of the outputs of each layer, embedding included, that is dropped in
        training. Inputs are never dropped, because with one feature that would drop the
        whole series.""",
    ),
    "recurrent_dropout": (
        "float in [0, 1)",
        """Share of the hidden state dropped between steps in training, the same units
        at every step of a sequence (Gal & Ghahramani, 2016). It has no effect on the
        cells "mingru" and "minlstm", which have no weights on the state.""",
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
        """How the step size changes from step to step. By name it falls from
        `learning_rate` to a hundredth of it over all `epochs`, along half a cosine
        (Loshchilov & Hutter, 2017) or by the same factor at each step. A
        ``keras.optimizers.schedules.LearningRateSchedule`` replaces `learning_rate`.
        None keeps it constant.""",
    ),
    "warmup_steps": None,
    "clipnorm": (
        "float > 0 or None",
        """Scale the gradient of each weight array down to at most this norm, because
        long sequences can make gradients explode (Pascanu et al., 2013).""",
    ),
    "global_clipnorm": (
        "float > 0 or None",
        """Scale all gradients together so that their joint norm is at most this, which
        keeps their direction. It comes before `clipnorm`, which you can then set to
        None.""",
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
        """Called as Keras calls them, with a model that mirrors the training in the
        units of y. The losses they get are those of `history_`. Callbacks on batches
        slow down training.""",
    ),
    "checkpoint_path": (
        "str, path-like or None",
        """File in which ``fit`` keeps the state of training. If it is interrupted, even
        killed, call the same ``fit`` on the same data again: it continues after the
        last saved epoch and ends with the same weights as without the interruption. The
        file is written after epochs, at most once a second. It stays when training has
        ended: the same ``fit`` then returns at once, and any other replaces it. The
        file of an interrupted fit with other parameters or data is an error. If the
        path is an existing folder, each fit has a file of its own in it, as a search
        needs. ``partial_fit`` saves nothing.""",
    ),
    "warm_start": (
        "bool",
        """Continue from the weights and the optimizer's state of the last ``fit``; the
        network must be the same.""",
    ),
    "engine": (
        '{"auto", "cpu", "keras"}',
        """What computes the network. "cpu" uses kernels in C, without TensorFlow or
        Keras. "keras" uses Keras' backend, on a GPU if it has one. "auto" is "cpu",
        unless ``KERAS_BACKEND`` names another backend than TensorFlow or the kernels
        couldn't be compiled.""",
    ),
    "verbose": (
        "int",
        """1 shows one line with epoch, losses, the time that has passed and that of the
        whole fit. In a log these are about ten lines a fit, and with 2 one for each
        epoch.""",
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
    The weights of the trained network, by layer and name: read-only arrays. Printing it
    shows shapes and the order of gates. See :ref:`looking_inside`.
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
