"""What the docstrings say of the parameters that networks of self-attention have."""

from skrnn._estimators.docs.rows import as_type
from skrnn._networks.activations import HIDDEN_ACTIVATIONS
from skrnn._networks.layers import POOLINGS, POSITIONS

Row = tuple[str, str]

BLOCKS: dict[str, Row] = {
    "d_model": (
        "int",
        """Width of the network at each step, a multiple of `n_heads`. Numbers are
        projected to it, and vectors of tokens where their length is another.""",
    ),
    "n_heads": (
        "int",
        """Heads of each block: each attends by itself, with ``d_model / n_heads``
        columns.""",
    ),
    "n_layers": ("int", "Number of blocks, one after the other."),
    "dim_feedforward": (
        "int",
        "Width of the hidden dense layer in each block.",
    ),
    "positional": (
        as_type(POSITIONS),
        """How a step's place is told. "rotary" turns queries and keys by their places
        (Su et al., 2021), so that what is compared depends on the distance;
        "sinusoidal" adds waves (Vaswani et al., 2017). "learned" adds a row of a table,
        which ends with the longest sequence of ``fit``: longer ones are refused.""",
    ),
    "causal": (
        "bool",
        """Whether a step attends to itself and to earlier steps alone. An answer for
        each step then knows nothing of what comes later, and ``stream`` works.""",
    ),
    "pooling": (
        as_type(POOLINGS),
        """What a sequence's steps become: their mean, the greatest value of each
        column, or the last step. With `return_sequences` only ``transform`` reads
        it.""",
    ),
    "activation": (
        as_type(HIDDEN_ACTIVATIONS),
        """Activation of the dense layers: those in the blocks, and those of
        `dense_units`.""",
    ),
    "dense_units": (
        "int or tuple of int",
        "Widths of hidden dense layers between the pooled steps and the output.",
    ),
    "dropout": (
        "float in [0, 1)",
        """Share that is dropped in training: of what each half of a block adds, of the
        vectors of tokens, and of the outputs of dense layers.""",
    ),
    "warmup_steps": (
        "int",
        """Steps of the optimizer over which the step size grows from near zero to what
        it is otherwise (Vaswani et al., 2017), but at most a tenth of all that are
        planned. An instance of an optimizer has its own rate, and no warm-up.""",
    ),
}
