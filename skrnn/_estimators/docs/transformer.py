"""What the docstrings say of the parameters that networks of self-attention have."""

from skrnn._estimators.docs.rows import as_type
from skrnn._networks.activations import HIDDEN_ACTIVATIONS
from skrnn._networks.layers import POOLINGS, POSITIONS

Row = tuple[str, str]

BLOCKS: dict[str, Row] = {
    "d_model": (
        "int",
        """Width of the network at each step, a multiple of `n_heads`. Numbers are
        projected to it, and so are vectors of tokens if their length differs.""",
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
        """How the network knows a step's position. "rotary" rotates queries and keys
        (Su et al., 2021), so that only distances matter; "sinusoidal" adds waves
        (Vaswani et al., 2017). "learned" adds a row of a table as long as the longest
        sequence of ``fit``: longer ones are refused.""",
    ),
    "causal": (
        "bool",
        """Whether a step attends to itself and to earlier steps alone. An answer for
        each step then knows nothing of what comes later, and ``stream`` works.""",
    ),
    "pooling": (
        as_type(POOLINGS),
        """How a sequence's steps are pooled: their mean, the maximum of each column, or
        the last step. With `return_sequences` only ``transform`` pools.""",
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
        """Steps of the optimizer over which the step size grows from near zero to its
        full value (Vaswani et al., 2017); at most a tenth of all planned steps. An
        instance of an optimizer has its own rate, and no warm-up.""",
    ),
}
