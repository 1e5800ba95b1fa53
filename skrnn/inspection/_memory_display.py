"""A picture of where a network with a memory writes, and where it reads."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from skrnn._data.typing import Array
from skrnn.inspection._drawing import (
    SMALL,
    axes_for,
    heat_map,
    need_matplotlib,
    set_labels,
)
from skrnn.inspection._parts import reach_network
from skrnn.inspection._sequences import one_of, real_part, tokens_of
from skrnn.inspection._steps import hidden_states


class MemoryDisplay:
    """Where the heads of a Neural Turing Machine write and read, step by step.

    Make it with `from_estimator`; ``plot`` draws it again.

    Parameters
    ----------
    write_weights, read_weights : ndarray of shape (T, slots)
        Shares of the slots that either head writes to, and reads, at each step.
    inputs : list of str, default=None
        The words or characters that were read; None numbers the steps.

    Attributes
    ----------
    axes_ : ndarray of two matplotlib Axes
        With what is written above, and what is read below.
    figure_ : matplotlib Figure
        The figure of the axes.
    images_ : list of two AxesImage
        The shares of the slots.

    See Also
    --------
    hidden_states : The numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import SequenceRegressor
    >>> from skrnn.inspection import MemoryDisplay
    >>> X = np.random.default_rng(0).normal(size=(40, 6, 2))
    >>> model = SequenceRegressor(cell="ntm", memory=(8, 4), units=5, epochs=2)
    >>> model = model.set_params(random_state=0).fit(X, X[:, 0, 0])
    >>> display = MemoryDisplay.from_estimator(model, X)
    >>> display.write_weights.shape
    (6, 8)
    """

    def __init__(
        self,
        write_weights: Array,
        read_weights: Array,
        *,
        inputs: Sequence[str] | None = None,
    ) -> None:
        self.write_weights = write_weights
        self.read_weights = read_weights
        self.inputs = inputs

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        sequence: int = 0,
        layer: int = -1,
        direction: str = "forward",
        ax: Any = None,
        im_kw: dict | None = None,
    ) -> Self:
        """Draw where a fitted estimator writes and reads in one sequence.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``cell="ntm"``, or a Pipeline or search that ends in one.
        X : array-like or list of array-likes
            Sequences in one of the forms that ``fit`` takes.
        sequence : int, default=0
            Which of them is drawn.
        layer : int, default=-1
            Which recurrent layer: 0 is the first one, -1 the last.
        direction : {"forward", "backward"}, default="forward"
            Which direction of a bidirectional layer.
        ax : matplotlib Axes, two of them, or None, default=None
            Where to draw; None makes a figure.
        im_kw : dict or None, default=None
            Options of matplotlib's ``imshow``.

        Returns
        -------
        display : MemoryDisplay
            With what was drawn.

        Raises
        ------
        TypeError
            If the estimator is no network of skrnn, and ends in none.
        ValueError
            If the network has no memory, or there is no such sequence, layer or
            direction.
        """
        need_matplotlib(f"{cls.__name__}.from_estimator")
        reached = reach_network(estimator, X, cls.__name__)
        network, one = reached.network, one_of(reached.X, sequence)
        where: dict[str, Any] = {"layer": layer, "direction": direction}
        weights = [
            hidden_states(network, one, state=f"{head}_weights", **where)[0]
            for head in ("write", "read")
        ]
        inputs = tokens_of(network, one)
        # Padding has no address.
        there = np.flatnonzero(weights[0].any(axis=1))
        real = real_part(inputs, len(weights[0]))
        if inputs is None:
            real = slice(there[0], there[-1] + 1)
        inputs = inputs and inputs[real]
        return cls(*(each[real] for each in weights), inputs=inputs).plot(
            ax, im_kw=im_kw
        )

    def plot(self, ax: Any = None, *, im_kw: dict | None = None) -> Self:
        """Draw the shares.

        Parameters
        ----------
        ax : matplotlib Axes, two of them, or None, default=None
            Where to draw; None makes a figure.
        im_kw : dict or None, default=None
            Options of matplotlib's ``imshow``.

        Returns
        -------
        display : MemoryDisplay
            Itself.
        """
        need_matplotlib(f"{type(self).__name__}.plot")
        shares = [np.asarray(w, float) for w in (self.write_weights, self.read_weights)]
        self._check(*shares)
        n, slots = shares[0].shape
        size = np.clip(1.8 + 0.12 * n, 4.5, 13), 2 * np.clip(0.9 + 0.06 * slots, 1.7, 4)
        self.axes_ = axes_for(ax, 2, size=size, n_columns=1)
        self.figure_ = self.axes_[0].figure
        titles = "Written to", "Read from"
        self.images_ = [
            self._draw(ax, each, title, im_kw or {})
            for ax, each, title in zip(self.axes_, shares, titles, strict=True)
        ]
        set_labels(self.axes_[1].xaxis, self.inputs, n, "Step")
        self.axes_[0].set_xticklabels([])
        return self

    def _draw(self, ax, shares, title, options):
        label = "Share of the slots"
        image = heat_map(ax, shares.T, kind="gate", label=label, **options)
        set_labels(ax.yaxis, None, shares.shape[1], "Slot")
        ax.set_title(title, fontsize=SMALL + 0.5, loc="left")
        return image

    def _check(self, written, read):
        if written.ndim != 2 or not written.size or written.shape != read.shape:
            raise ValueError(
                "write_weights and read_weights must both have shape (T, slots), as "
                f"those of one sequence. Got {written.shape} and {read.shape}."
            )
        if self.inputs is not None and len(self.inputs) != len(written):
            raise ValueError(
                f"inputs must have {len(written)} labels. Got {len(self.inputs)}."
            )
