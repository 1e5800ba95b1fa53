"""What authors of cells and layers may use, and what they provide, as Protocols.

A formula is written once, over `Ops` and `Run`, and every engine runs it: NumPy in
double precision (the reference), NumPy with gradients, the kernels in C, and Keras on
any of its backends. Arrays are time-major, (T, B, F): a step of all sequences is
contiguous. Padding stands on the right.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeAlias

# An array of whatever computes: of NumPy, one with gradients, or a tensor.
Tensor: TypeAlias = Any


class Ops(Protocol):
    """The functions of arrays that a formula may use: all of them on every engine.

    Besides these, arrays have ``+ - * /`` with an array or a plain number on either
    side, ``-x``, ``x ** number``, ``> < >= <=``, `shape`, and indices made of slices,
    integers, None and ``...``. Steps of slices are positive, since PyTorch has no
    others. For arrays of indices there is `take`. Any argument but the first may be a
    plain number instead of an array.

    Every function has NumPy's meaning, and a gradient, except comparisons. Where two
    values are equal, the gradient of `maximum`, `minimum`, `max` and `abs` is one of
    the possible ones.
    """

    def abs(self, x: Tensor, /) -> Tensor:
        """Return absolute values."""

    def concatenate(self, arrays: list[Tensor], /, axis: int) -> Tensor:
        """Join arrays along an axis."""

    def cos(self, x: Tensor, /) -> Tensor:
        """Return cosines."""

    def cumsum(self, x: Tensor, /, axis: int) -> Tensor:
        """Return the sums of all entries so far."""

    def einsum(self, formula: str, x: Tensor, y: Tensor, /) -> Tensor:
        """Sum products of two arrays over indices: ``"qbu,sbu->qsb"``.

        No index occurs twice in one array, and each occurs in the other array or in the
        result.
        """

    def exp(self, x: Tensor, /) -> Tensor:
        """Return e to the power of x."""

    def log(self, x: Tensor, /) -> Tensor:
        """Return natural logarithms."""

    def log1p(self, x: Tensor, /) -> Tensor:
        """Return ``log(1 + x)``, exact for small x."""

    def logaddexp(self, x: Tensor, y: Tensor, /) -> Tensor:
        """Return ``log(exp(x) + exp(y))`` without overflow; both may be infinite."""

    def matmul(self, x: Tensor, w: Tensor, /) -> Tensor:
        """Multiply x (..., k) by a matrix w (k, n): (..., n)."""

    def max(self, x: Tensor, /, axis: int, *, keepdims: bool = False) -> Tensor:
        """Return the greatest entry along an axis."""

    def maximum(self, x: Tensor, y: Tensor, /) -> Tensor:
        """Return the greater one of two entries."""

    def mean(self, x: Tensor, /, axis: int, *, keepdims: bool = False) -> Tensor:
        """Return means along an axis."""

    def minimum(self, x: Tensor, y: Tensor, /) -> Tensor:
        """Return the smaller one of two entries."""

    def reshape(self, x: Tensor, shape: tuple[int, ...], /) -> Tensor:
        """Return the same numbers in another shape; one size may be -1."""

    def sigmoid(self, x: Tensor, /) -> Tensor:
        """Return ``1 / (1 + exp(-x))``."""

    def sin(self, x: Tensor, /) -> Tensor:
        """Return sines."""

    def softmax(self, x: Tensor, /, axis: int) -> Tensor:
        """Return exponentials that sum to one along an axis."""

    def split(self, x: Tensor, sections: int, /, axis: int) -> list[Tensor]:
        """Cut an axis into equal parts; a ValueError if it can't be."""

    def sqrt(self, x: Tensor, /) -> Tensor:
        """Return square roots."""

    def stack(self, arrays: list[Tensor], /, axis: int) -> Tensor:
        """Join arrays along a new axis."""

    def sum(self, x: Tensor, /, axis: int, *, keepdims: bool = False) -> Tensor:
        """Return sums along an axis."""

    def take(self, x: Tensor, indices: Tensor, /, axis: int) -> Tensor:
        """Return entries at integers, in any order and as often as they are named."""

    def tanh(self, x: Tensor, /) -> Tensor:
        """Return hyperbolic tangents."""

    def transpose(self, x: Tensor, /, axes: tuple[int, ...]) -> Tensor:
        """Put the axes into another order."""

    def where(self, condition: Tensor, x: Tensor, y: Tensor, /) -> Tensor:
        """Return x where a condition holds, and y elsewhere.

        Not a product: zero times infinity is NaN.
        """


class Run(Protocol):
    """One pass of a network over a batch: what depends on steps, lengths and chance."""

    ops: Ops

    def take_rows(self, table: Tensor, ids: Tensor) -> Tensor:
        """Return the rows of `table` (V, D) at `ids`: (..., D); or without D."""

    def as_ids(self, x: Tensor) -> Tensor:
        """Return whole numbers as integers; no gradient goes back through them."""

    def dropout(self, x: Tensor, rate: str) -> Tensor:
        """Drop entries of x in training; prediction drops nothing.

        `rate` names the share: ``"dropout"`` or ``"recurrent_dropout"``, which are
        arguments of a training step and not of the network.
        """

    def fused(self, formula: Callable[..., Any], *given: Any) -> Any:
        """Return ``formula(run, *given)``, or what gives the same in less time.

        A layer asks for whole formulas by this. `FUSED` of the cpu engine has one row
        for each formula that it has a kernel for.
        """

    def present(self, real: Tensor) -> Tensor:
        """Return which `real` steps (T, B) are of sequences that are to be learnt from.

        In training some may only fill up the batch.
        """

    def followed(
        self,
        kept: dict[str, Tensor],
        of_batch: Callable[[], Iterable[Tensor]],
        momentum: float,
    ) -> tuple[Tensor, ...]:
        """Return statistics of the batch in training, and else the weights of `kept`.

        Parameters
        ----------
        kept : dict of arrays
            Weights by name. In training they follow the statistics.
        of_batch : callable
            Returns a statistic of this batch for each of them.
        momentum : float
            Share of a weight that is kept at each batch.
        """

    def reverse(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Reverse each sequence of x (T, B, ...) within its own length."""

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the last real step of x (T, B, U): (B, U)."""

    def real_steps(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return which steps of x (T, B, ...) aren't padding: bool, (T, B)."""

    def normalise(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        """Return x with mean 0 and variance 1 on its last axis, times gamma plus beta.

        A little is added to the variance, as in Keras.
        """

    def positions(self, x: Tensor) -> Tensor:
        """Return the numbers of the steps of x (T, B, ...), from 0, as floats: (T,)."""

    def rows_of_steps(self, table: Tensor, x: Tensor) -> Tensor:
        """Return a row of `table` (N, D) for each step of x: (T, D).

        Steps without a row get the last one.
        """

    def attend_to_steps(
        self, q: Tensor, k: Tensor, v: Tensor, lengths: Tensor, causal: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Let every step attend to all real steps of its sequence.

        Parameters
        ----------
        q, k, v : arrays of shape (T, B, heads, d)
        causal : bool
            Whether a step attends only to itself and to earlier ones; without it there
            may be fewer queries than keys.

        Returns
        -------
        context : array of shape (T, B, heads, d)
        weights : array of shape (T, T, B, heads), or None where nobody reads them
        """

    def dense(
        self, x: Tensor, kernel: Tensor, bias: Tensor, transposed: bool = False
    ) -> Tensor:
        """Return ``x @ kernel + bias``; a `transposed` kernel is (n, k)."""

    def step(
        self, cell: "CellRun", x: Tensor, states: tuple[Tensor, ...] | None
    ) -> tuple[Tensor, ...]:
        """Return the states of a cell after one step x (B, F); zeros come before."""

    def recur(
        self,
        cell: "CellRun",
        x: Tensor,
        lengths: Tensor,
        states: tuple[Tensor, ...] | None = None,
        reset_mask: Tensor | None = None,
        final: bool = False,
    ) -> tuple[Tensor, tuple[Tensor, ...] | None]:
        """Run a cell over all steps: the one loop over steps that an engine has.

        Parameters
        ----------
        cell : CellRun
            The cell with its weights.
        x : array of shape (T, B, F), or Lookup
        lengths : array of shape (B,)
            After a sequence's own length its states stay as they are.
        states : tuple of arrays, default=None
            Before the first step; zeros if None.
        reset_mask : array of bool of shape (T, B), default=None
            Where states start from zeros, whatever came before.
        final : bool, default=False
            Whether to return the states after each sequence's last step.

        Returns
        -------
        outputs : array of shape (T, B, units)
        states : tuple of arrays, or None
        """


class Cell(Protocol):
    """A recurrent cell: its weights, its projection of all inputs, its step.

    One object in `CELLS`; `GatedCell` makes one from a formula of gates.
    """

    @property
    def keras_layer(self) -> str | None:
        """The class in ``keras.layers`` with these weights and formula, or None."""

    @property
    def tensorflow_kernel(self) -> str | None:
        """A kernel for whole layers that TensorFlow's adapter knows, or None."""

    def weights(self, width: int, units: int) -> list[Any]:
        """List `Weight` rows, named within the cell, for inputs (..., width)."""

    def state_shapes(self, units: int) -> tuple[tuple[int, ...], ...]:
        """Return the shape of each state of one sequence."""

    def project(self, ops: Ops, w: dict, x: Tensor) -> tuple[Tensor, ...]:
        """Return the projection of inputs (..., F), computed for all steps at once."""

    def step(
        self,
        ops: Ops,
        activation: Any,
        w: dict,
        projected: tuple[Tensor, ...],
        states: tuple[Tensor, ...],
        drop: Any,
    ) -> tuple[Tensor, ...]:
        """Return the states (B, ...) after a step.

        ``activation(ops, x)`` is the network's; ``drop(h)`` is h with recurrent
        dropout, for products with recurrent weights.
        """

    def output(self, states: tuple[Tensor, ...]) -> Tensor:
        """Return the output of a step, (B, units)."""

    def gate_values(
        self,
        ops: Ops,
        activation: Any,
        w: dict,
        projected: tuple[Tensor, ...],
        states: tuple[Tensor, ...],
    ) -> dict[str, Tensor]:
        """Return the gates (B, units) of a step by name, for inspection.

        `states` are those before the step. A cell without gates returns none.
        """


class CellRun(Protocol):
    """A cell with its weights, as `Run.recur` takes it."""

    cell: Cell
    name: str
    activation: str
    units: int
    weights: dict[str, Tensor]
    drops: bool
    timescale: int
    memory: tuple[int, ...]


class Layer(Protocol):
    """A kind of layer: a frozen dataclass in a file of its own, in `LAYERS`.

    Its fields are numbers, strings, bools and tuples. One of them is `name`, the prefix
    of the names of its weights.
    """

    name: str

    def weights(self, width: int) -> tuple[list[Any], int]:
        """List the `Weight` rows for inputs (..., width), and return the width out."""

    def forward(self, run: Run, w: dict, flow: Any, lengths: Tensor) -> Any:
        """Return the `Flow` after the layer, exact under padding on the right."""

    def step(self, run: Run, w: dict, flow: Any, state: Any) -> tuple[Any, Any]:
        """Read one step, (B, F), and return its flow and the state after it.

        The state before the first one is None.
        """

    @property
    def streams(self) -> bool:
        """Whether `step` gives what `forward` does: nothing depends on later steps."""

    @property
    def keeps_steps(self) -> bool:
        """Whether the layers after it read as many steps as it does."""

    def lengths_after(self, lengths: Tensor) -> Tensor:
        """Return how many steps each sequence has after this layer."""

    def keras(self, flow: Any, seeds: Any) -> Any:
        """Do the same with layers of Keras, on arrays (B, T, F) without padding."""
