"""The text generator's docstring: parameters with a meaning of their own here."""

import dataclasses
from typing import TypeVar, dataclass_transform

from skrnn._estimators.advice import advise
from skrnn._estimators.docs.listing import lists_its_names
from skrnn._estimators.docs.recurrent import (
    PARAMETERS,
    described,
    in_order,
    with_sections,
)
from skrnn._estimators.docs.rows import as_type, filled, list_of_optimizers
from skrnn._estimators.language.base import EARLY_STOPPING_FROM
from skrnn._networks.optimizers import OPTIMIZERS

T = TypeVar("T")

_OF_TEXT = {
    "analyzer": (
        '{"char", "word"}',
        """What a token is: a character; or a word with the space before it, if there is
        one, and any other character by itself. Either way, a text is its concatenated
        tokens.""",
    ),
    "max_features": (
        "int or None",
        """Keep at most this many tokens, the most frequent ones; all others are one
        unknown token. The vocabulary never grows beyond it.""",
    ),
    "min_count": (
        "int",
        """Keep only tokens that occur at least this often in ``fit``, or in the texts
        whose tokens are added to the vocabulary.""",
    ),
    "handle_unknown": (
        '{"error", "map", "grow"}',
        """What to do after ``fit`` with a token outside the vocabulary. "error" refuses
        it. "map" reads it as the unknown token, as ``score`` and ``perplexity`` always
        do. That token is trained only if `max_features` or `min_count` leave some out,
        and never generated. With "grow", ``partial_fit``, and ``fit`` with
        `warm_start`, add new tokens to the vocabulary and to the network, whose trained
        weights stay; elsewhere it is "error".""",
    ),
    "lookback": (
        "int",
        """Number of tokens through which gradients flow back, at most those of a text.
        The state is carried on through the whole text.""",
    ),
}
_OF_TRAINING = {
    "embedding_dim": (
        "int",
        "Length of the vector that is learnt for each token.",
    ),
    "tie_weights": (
        "bool",
        """Use the embedding as the kernel of the output too (Press & Wolf, 2017);
        `embedding_dim` then is as large as the last of `units`.""",
    ),
    "dropout": (
        "float in [0, 1)",
        "Share of every layer's outputs, embedding included, dropped in training.",
    ),
    "recurrent_dropout": (
        "float in [0, 1)",
        """Share of the hidden state dropped between steps in training, the same units
        at all steps of a piece (Gal & Ghahramani, 2016).""",
    ),
    "optimizer": (
        as_type(OPTIMIZERS),
        filled(
            f"""How the weights are changed, with Keras' defaults besides the learning
            rate: {list_of_optimizers()}."""
        ),
    ),
    "learning_rate": ("float > 0", "Step size."),
    "epochs": ("int", "How often, at most, all texts are read."),
    "batch_size": (
        "int",
        """Number of sequences that the stream of texts is cut into, to be read in
        parallel; fewer if they would be shorter than `lookback`.""",
    ),
    "shuffle": (
        "bool",
        "Begin each epoch at another place of the stream, so that it is cut elsewhere.",
    ),
    "early_stopping": (
        'bool or "auto"',
        f"""Stop when the loss of validation texts hasn't improved for `patience`
        epochs, and keep the weights of the best epoch. Validation texts are those given
        to ``fit``, or else the `validation_split` of the stream. "auto" stops early if
        either is given, and from {EARLY_STOPPING_FROM:,} tokens on. False trains for
        all epochs, and records the loss of given texts.""",
    ),
    "validation_split": (
        "float in (0, 1) or None",
        """Share of the stream to hold out for validation, at its end. None holds out a
        tenth for early stopping, and nothing without it; a number is always held out.
        An X_val in ``fit`` takes its place.""",
    ),
    "verbose": (
        "int",
        """1 shows one line with epoch, bits per character (or word) and time; 2 also
        shows a sample of text after each epoch.""",
    ),
    "random_state": (
        "int, RandomState instance or None",
        """Seed of the initial weights, of where epochs begin and of dropout. The same
        int gives bit-identical weights in any process of one machine.""",
    ),
}


def _table():
    """Merge the parameters of text models with those shared with other networks."""
    shared: dict = {}
    for name, row in PARAMETERS.items():
        shared[name] = _OF_TRAINING.get(name, row)
        if name == "embedding_dim":
            shared["tie_weights"] = _OF_TRAINING["tie_weights"]
    return _OF_TEXT | shared


_SECTIONS = {
    "Attributes": """\
tokens_ : ndarray of shape (n_tokens,)
    Names of the columns of ``predict_proba``: "<end>" of a text, "<unknown>", and the
    tokens of the vocabulary, the most frequent first. Tokens that were added later
    stand at the end, so that known ones keep their columns.
history_ : dict of lists
    "loss" and, with validation texts, "val_loss" of each epoch: nats a token.
n_iter_ : int
    Number of epochs trained.
best_epoch_ : int
    Epoch, from 1, whose weights were kept.
weights_ : mapping of str to mapping of str to ndarray
    The weights of the trained network, by layer and name: read-only arrays. Printing it
    shows shapes and the order of gates. See :ref:`looking_inside`.""",
    "See Also": """\
skrnn.SequenceClassifier : With `embedding_dim`, labels texts or their tokens.""",
    "References": """\
Y. Bengio et al., "A neural probabilistic language model", JMLR 3, 2003.

T. Mikolov et al., "Recurrent neural network based language model", Interspeech 2010.

A. Graves, "Generating sequences with recurrent neural networks", arXiv:1308.0850, 2013.

J. Hewitt, "Initializing new word embeddings for pretrained language models", 2021:
first vectors of tokens that are added to a vocabulary.

R. J. Williams and J. Peng, "An efficient gradient-based algorithm for on-line training
of recurrent network trajectories", Neural Computation 2, 1990.""",
    "Examples": """\
>>> from skrnn.text import TextGenerator
>>> text = "the cat sat on the mat and the rat sat on the hat. " * 20
>>> model = TextGenerator(units=32, lookback=16, epochs=60, learning_rate=0.01,
...                       batch_size=8, random_state=0).fit(text)
>>> model.generate("the cat", max_new_tokens=28, temperature=0)
'the cat sat on the mat and the rat '
>>> model.perplexity(text) < 1.5
True""",
}


@dataclass_transform(kw_only_default=True, eq_default=False)
def text_estimator(cls: type[T]) -> type[T]:
    """Give a class its ``__init__`` from the fields of its bases, and its docstring."""
    made = dataclasses.dataclass(kw_only=True, eq=False, repr=False)(cls)
    table = _table()
    advise(made, in_order(made, table))
    if made.__doc__ is not None:
        sections = {"Parameters": described(made, table)} | _SECTIONS
        made.__doc__ = with_sections(made.__doc__, sections)
    return lists_its_names(made)
