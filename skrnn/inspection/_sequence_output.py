"""A picture of one sequence on its way through a network."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from skrnn._data.typing import Array
from skrnn._estimators.inspected import recurrent_layers
from skrnn.inspection._drawing import (
    INK,
    PALETTE,
    SMALL,
    axes_for,
    heat_map,
    legend,
    need_matplotlib,
    set_labels,
    style,
    tidy,
    title,
)
from skrnn.inspection._parts import check_count, reach_network
from skrnn.inspection._running import answers_of
from skrnn.inspection._sequences import (
    feature_names,
    one_of,
    real_part,
    steps_of,
    tokens_of,
)
from skrnn.inspection._steps import gates as gates_of
from skrnn.inspection._steps import hidden_states

# More lines than these can't be told apart.
N_LINES = 6
# What `gates` tells besides what opens and shuts.
_NO_GATES = ("candidate", "cell_state")


class SequenceOutputDisplay:
    """Inputs, answers, hidden units and gates of one sequence over its steps.

    Make it with `from_estimator`; ``plot`` draws it again. All share the axis of time.

    Parameters
    ----------
    hidden : ndarray of shape (T, units)
        Hidden states.
    gates : dict of str to ndarray of shape (T, units), default=None
        Gates by name.
    outputs : ndarray of shape (T, K), default=None
        What the network answers at each step.
    truth : ndarray of shape (T, K), default=None
        What it should have answered; NaN where nothing is known.
    inputs : ndarray of shape (T, F), default=None
        What it reads.
    tokens : list of str, default=None
        The words that it reads; they name the steps.
    input_names, output_names : list of str, default=None
        Names of the features, and of the answers.
    layer : str, default=""
        What the hidden states are of.

    Attributes
    ----------
    ax_ : matplotlib Axes
        With the answers; with the hidden states if there are none.
    axes_ : dict of str to Axes
        "inputs", "outputs", "hidden", and one for each gate by its name, as far as they
        are drawn, from top to bottom.
    figure_ : matplotlib Figure
        The figure of the axes.
    lines_ : dict of str to list of Line2D
        The lines of each of the axes.
    images_ : dict of str to AxesImage
        The heat maps of each of the axes.

    See Also
    --------
    hidden_states : The numbers of the hidden units.
    gates : Those of the gates.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import LSTMRegressor
    >>> from skrnn.inspection import SequenceOutputDisplay
    >>> X = np.random.default_rng(0).normal(size=(40, 12, 2))
    >>> y = X[:, :, 0].cumsum(axis=1)
    >>> model = LSTMRegressor(
    ...     units=4, return_sequences=True, epochs=2, random_state=0
    ... ).fit(X, y)
    >>> display = SequenceOutputDisplay.from_estimator(model, X, y, sequence=3)
    >>> list(display.axes_)
    ['inputs', 'outputs', 'hidden', 'input', 'forget', 'output']
    """

    def __init__(
        self,
        hidden: Array,
        *,
        gates: Mapping[str, Array] | None = None,
        outputs: Array | None = None,
        truth: Array | None = None,
        inputs: Array | None = None,
        tokens: Sequence[str] | None = None,
        input_names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
        layer: str = "",
    ) -> None:
        self.hidden = hidden
        self.gates = gates
        self.outputs = outputs
        self.truth = truth
        self.inputs = inputs
        self.tokens = tokens
        self.input_names = input_names
        self.output_names = output_names
        self.layer = layer

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        sequence: int = 0,
        layer: int = -1,
        direction: str = "forward",
        gates: Sequence[str] | str | None = "auto",
        units: Sequence[int] | None = None,
        ax: Any = None,
        line_kw: dict | None = None,
        im_kw: dict | None = None,
    ) -> Self:
        """Run a fitted estimator on one sequence, and draw what it did at each step.

        A network that answers a whole sequence is asked at every step, as if the
        sequence ended there. The answers of a classifier are probabilities.

        Parameters
        ----------
        estimator : estimator
            A fitted network of skrnn, or a Pipeline or search that ends in one. For an
            encoder and decoder, only the encoder is drawn, without answers.
        X : array-like or list of array-likes
            Sequences in one of the forms that ``fit`` takes.
        y : array-like or list of array-likes, default=None
            Their targets, drawn beside the answers of a regressor, in the same units.
        sequence : int, default=0
            Which of them is drawn.
        layer : int, default=-1
            Which recurrent layer: 0 is the first one, -1 the last.
        direction : {"forward", "backward"}, default="forward"
            Which direction of a bidirectional layer.
        gates : list of str, "auto" or None, default="auto"
            Names of gates, as :func:`gates` returns them; "auto" takes those between 0
            and 1, if the cell has any.
        units : list of int or None, default=None
            Units whose hidden states are drawn as lines; None draws all of them as a
            heat map.
        ax : Axes, sequence of Axes, or None, default=None
            Where to draw. One of them is divided; None makes a figure.
        line_kw, im_kw : dict or None, default=None
            Options of matplotlib's ``plot``, for all lines, and of its ``imshow``.

        Returns
        -------
        display : SequenceOutputDisplay
            With what was drawn.

        Raises
        ------
        TypeError
            If the estimator is no network of skrnn, and ends in none.
        ValueError
            If there is no such sequence, layer, direction, gate or unit, or too few y.
        """
        need_matplotlib(f"{cls.__name__}.from_estimator")
        reached = reach_network(estimator, X, cls.__name__)
        network, one = reached.network, one_of(reached.X, sequence)
        check_count(reached.X, y, "y")
        known: dict[str, Any] = {"layer": layer, "direction": direction}
        (hidden,) = hidden_states(network, one, **known)
        tokens = tokens_of(network, one)
        real = real_part(tokens, len(hidden))
        found = _chosen_gates(network, one, gates, known)
        inputs = None
        if tokens is None:
            inputs = np.asarray(steps_of(one), dtype=float).reshape(len(hidden), -1)
        outputs, truth, names = answers_of(reached, one, real, y, sequence)
        made = cls(
            hidden[real], gates={name: gate[real] for name, gate in found.items()},
            outputs=outputs, truth=truth, output_names=names, inputs=inputs,
            tokens=tokens and tokens[real], layer=_called(network, **known),
            input_names=None if inputs is None
            else feature_names(reached.before, X, inputs.shape[1]),
        )  # fmt: skip
        return made.plot(ax, units=units, line_kw=line_kw, im_kw=im_kw)

    def plot(
        self,
        ax: Any = None,
        *,
        units: Sequence[int] | None = None,
        line_kw: dict | None = None,
        im_kw: dict | None = None,
    ) -> Self:
        """Draw the parts above each other.

        Parameters
        ----------
        ax : Axes, sequence of Axes, or None, default=None
            Where to draw. One of them is divided; None makes a figure.
        units : list of int or None, default=None
            Units whose hidden states are drawn as lines; None draws all of them as a
            heat map.
        line_kw, im_kw : dict or None, default=None
            Options of matplotlib's ``plot`` and ``imshow``.

        Returns
        -------
        display : SequenceOutputDisplay
            Itself.
        """
        need_matplotlib(f"{type(self).__name__}.plot")
        _check_units(units, np.shape(self.hidden)[1])
        parts = self._parts(units)
        heights = [height for height, _ in parts.values()]
        n_steps = len(self.hidden)
        size = float(np.clip(2 + 0.16 * n_steps, 7, 12)), sum(heights) + 0.4
        drawn = axes_for(ax, len(parts), size=size, n_columns=1, heights=heights)
        self.axes_ = dict(zip(parts, drawn, strict=True))
        self.ax_: Any = self.axes_.get("outputs", self.axes_["hidden"])
        self.figure_ = drawn[0].figure
        self.lines_: dict[str, list] = {}
        self.images_: dict[str, Any] = {}
        for name, (_, draw) in parts.items():
            draw(name, self.axes_[name], line_kw, im_kw)
        self._share_steps(n_steps)
        return self

    def _parts(self, units):
        """Return name -> its height in inches, and what draws it."""
        parts: dict[str, Any] = {}
        if self.inputs is not None:
            parts["inputs"] = 1.15, self._draw_inputs
        if self.outputs is not None:
            parts["outputs"] = 1.4, self._draw_outputs
        n_units = np.shape(self.hidden)[1]
        height = float(np.clip(0.07 * n_units, 0.85, 2.2))
        parts["hidden"] = (height, self._draw_hidden)
        if units is not None:
            parts["hidden"] = (1.4, self._lines_of_units(units))
        for name in self.gates or {}:
            parts[name] = height, self._draw_gate
        return parts

    def _draw_inputs(self, name, ax, line_kw, im_kw):
        values = np.asarray(self.inputs, dtype=float)
        names = self.input_names or [f"x{i}" for i in range(values.shape[1])]
        if values.shape[1] > N_LINES:
            self.images_[name] = heat_map(
                ax, values.T, kind="signed", first_row=0, **im_kw or {}
            )
            title(ax, f"Input: {values.shape[1]} features")
            return
        self._lines(name, ax, values, names, line_kw)
        title(ax, "Input")

    def _draw_outputs(self, name, ax, line_kw, _im_kw):
        values = np.asarray(self.outputs, dtype=float)
        names = self.output_names or [""] * values.shape[1]
        self._lines(name, ax, values, names, line_kw)
        single = f": {names[0]}" if len(names) == 1 and names[0] else ""
        title(ax, f"Answer at each step{single}")
        if self.truth is None:
            return
        truth = np.asarray(self.truth, dtype=float)
        for i in range(truth.shape[1]):
            is_single = np.isfinite(truth[:, i]).sum() == 1
            look = dict(marker="o", linestyle="none") if is_single else {}
            options: dict[str, Any] = dict(
                color=INK, linewidth=1.1, linestyle=(0, (3, 2)), markersize=5, zorder=1
            )
            ax.plot(self._steps, truth[:, i], **options | look)
        lines = self.lines_[name]
        labelled = {
            each or "answer": line for each, line in zip(names, lines, strict=True)
        }
        _legend(ax, labelled | {"truth": ax.lines[-1]})

    def _draw_hidden(self, name, ax, _line_kw, im_kw):
        values = np.asarray(self.hidden, dtype=float).T
        self.images_[name] = heat_map(
            ax, values, kind="signed", first_row=0, **im_kw or {}
        )
        title(ax, self._hidden_title())
        _name_units(ax, len(values))

    def _lines_of_units(self, units):
        def draw(name, ax, line_kw, _im_kw):
            values = np.asarray(self.hidden, dtype=float)[:, list(units)]
            names = [f"unit {unit}" for unit in units]
            self._lines(name, ax, values, names, line_kw)
            title(ax, self._hidden_title())

        return draw

    def _hidden_title(self):
        return f"Hidden states {self.layer}".strip()

    def _draw_gate(self, name, ax, _line_kw, im_kw):
        assert self.gates is not None
        values = np.asarray(self.gates[name], dtype=float).T
        is_gate = name not in _NO_GATES
        kind = "gate" if is_gate else "signed"
        self.images_[name] = heat_map(ax, values, kind=kind, first_row=0, **im_kw or {})
        called = name.replace("_", " ").capitalize()
        title(ax, f"{called} gate: 0 is shut, 1 is open" if is_gate else called)
        _name_units(ax, len(values))

    @property
    def _steps(self):
        return np.arange(1, len(self.hidden) + 1)

    def _lines(self, name, ax, values, names, line_kw):
        tidy(ax)
        # A single step is a point, as line plots have none for it.
        marker = dict(marker="o", markersize=3) if len(values) < 15 else {}
        self.lines_[name] = []
        for i, label in enumerate(names):
            defaults: dict[str, Any] = dict(linewidth=1.5, label=label, **marker)
            defaults["color"] = PALETTE[i % len(PALETTE)]
            options = style("line", defaults, line_kw)
            self.lines_[name] += ax.plot(self._steps, values[:, i], **options)
        if len(names) > 1:
            _legend(ax, dict(zip(names, self.lines_[name], strict=True)))

    def _share_steps(self, n_steps):
        """Let all axes show the same steps, which are named below the last one."""
        axes = list(self.axes_.values())
        for ax in axes:
            ax.set_xlim(0.5, n_steps + 0.5)
        for ax in axes[:-1]:
            ax.sharex(axes[-1])
            ax.tick_params(labelbottom=False)
        set_labels(axes[-1].xaxis, self.tokens, n_steps, "Step of the sequence")


def _legend(ax, labelled):
    # Beside the title, where no line is.
    at = dict(loc="lower right", bbox_to_anchor=(1, 0.98))
    legend(ax, labelled, ncols=len(labelled), **at)


def _name_units(ax, n):
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    ax.yaxis.set_major_locator(MaxNLocator(4 if n > 4 else n, integer=True))
    ax.set_ylabel("Unit", fontsize=SMALL + 0.5)


def _check_units(units, n):
    for unit in units if units is not None else ():
        if not isinstance(unit, int | np.integer) or not 0 <= unit < n:
            raise ValueError(f"units must be from 0 to {n - 1}. Got {unit!r}.")


def _chosen_gates(network, X, names, known) -> dict[str, np.ndarray]:
    """Return the gates that were asked for, by name."""
    if names is None:
        return {}
    if isinstance(names, str) and names == "auto":
        try:
            found = gates_of(network, X, **known)
        except ValueError:
            # There is such a layer, whose states are known: it has no gates.
            return {}
        return {k: gate[0] for k, gate in found.items() if k not in _NO_GATES}
    found = gates_of(network, X, **known)
    for name in names:
        if name not in found:
            known_names = ", ".join(map(repr, found))
            raise ValueError(f"gates must be of {known_names}. Got {name!r}.")
    return {name: found[name][0] for name in names}


def _called(network, layer, direction):
    """Say which layer and direction is meant, where there are several."""
    layers = recurrent_layers(network)
    parts = []
    if len(layers) > 1:
        parts.append(f"of layer {int(layer) % len(layers) + 1}")
    if len(layers[layer].directions) > 1:
        parts.append(f"reading {direction}")
    return ", ".join(parts)
