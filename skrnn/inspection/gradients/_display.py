"""A picture of gradients that flow back through the steps."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils import Bunch

from skrnn.inspection._drawing import (
    INK,
    PALETTE,
    SMALL,
    axes_for,
    legend,
    need_matplotlib,
    paragraphs,
    set_labels,
    style,
    tidy,
    wrapped,
)
from skrnn.inspection._parts import reach_network
from skrnn.inspection.gradients._diagnosis import diagnose
from skrnn.inspection.gradients._gradient_flow import gradient_flow

# Of the layers and directions of one estimator.
_DASHES: list[Any] = ["-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.2, 1.2, 1.2))]

# Marks the text, which later displays in the same axes write anew with their own.
_SENTENCES = "skrnn-diagnoses"


class GradientFlowDisplay:
    """How far back the gradient of the loss reaches, in one or several estimators.

    Make it with `from_estimator`; ``plot`` draws it again.

    Parameters
    ----------
    flows : dict of str to Bunch
        Name -> what :func:`gradient_flow` returns.
    diagnoses : dict of str to str, default=None
        Name -> what to write below the picture; None says whether a gradient vanishes
        or explodes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        With the norms over the steps, logarithmic.
    figure_ : matplotlib Figure
        The figure of the axes.
    lines_ : dict of str to list of Line2D
        Name -> a line for each recurrent layer, and each direction of it.
    diagnoses_ : dict of str to str
        Name -> the sentence.
    text_ : matplotlib artist or None
        The sentences below the axes.

    See Also
    --------
    gradient_flow : The numbers.
    TrainingHistoryDisplay : How the losses went down.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import LSTMRegressor, RNNRegressor
    >>> from skrnn.inspection import GradientFlowDisplay
    >>> X = np.random.default_rng(0).normal(size=(64, 80, 1))
    >>> y = X[:, 0, 0]
    >>> models = [
    ...     cls(units=8, epochs=1, random_state=0).fit(X, y)
    ...     for cls in (RNNRegressor, LSTMRegressor)
    ... ]
    >>> display = GradientFlowDisplay.from_estimator(models, X, y)
    >>> list(display.lines_)
    ['RNNRegressor', 'LSTMRegressor']
    >>> print(display.diagnoses_["RNNRegressor"][:22])
    The gradient vanishes:
    """

    def __init__(
        self, flows: Mapping[str, Bunch], *, diagnoses: Mapping[str, str] | None = None
    ) -> None:
        self.flows = flows
        self.diagnoses = diagnoses

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        answers: str = "last",
        relative: bool = False,
        explain: bool | str = "auto",
        ax: Any = None,
        line_kw: dict | None = None,
    ) -> Self:
        """Measure gradients, and draw them.

        Parameters
        ----------
        estimator : estimator, list of estimators, or dict of str to estimator
            Fitted networks of skrnn, or Pipelines or searches that end in one. A dict
            names them.
        X : array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.
        y : array-like or list of array-likes, default=None
            Their targets.
        sample_weight : array-like, default=None
            Weights in the loss, in a form that ``fit`` takes.
        answers : {"all", "last"}, default="last"
            If a network answers at each step, which loss to differentiate. That of the
            last answer shows how far back the gradient reaches; with "all" the gradient
            of each step's own answer would hide it.
        relative : bool, default=False
            Whether norms are drawn in units of the largest one of a line, so that
            networks with different losses can be compared.
        explain : bool or "auto", default="auto"
            Whether to write the diagnosis below the axes. "auto" does so if there is
            room: in a new figure, or in one with a layout that makes room. True makes
            the axes less high if no layout makes room.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure. In the axes of another display the
            lines get other colours, and the sentences stand below each other.
        line_kw : dict or None, default=None
            Options of matplotlib's ``plot`` for all lines.

        Returns
        -------
        display : GradientFlowDisplay
            With what was drawn.

        Raises
        ------
        TypeError
            If an estimator is no network of skrnn, and ends in none.
        ValueError
            If there is no estimator, or for X and y that ``fit`` wouldn't take.
        """
        need_matplotlib(f"{cls.__name__}.from_estimator")
        flows, diagnoses = {}, {}
        for name, each in _named(estimator).items():
            options: dict[str, Any] = {"sample_weight": sample_weight}
            flows[name] = gradient_flow(each, X, y, answers=answers, **options)
            network = reach_network(each, X, cls.__name__).network
            diagnoses[name] = diagnose(flows[name], network).text
        made = cls(flows, diagnoses=diagnoses)
        return made.plot(ax, relative=relative, explain=explain, line_kw=line_kw)

    def plot(
        self,
        ax: Any = None,
        *,
        relative: bool = False,
        explain: bool | str = "auto",
        line_kw: dict | None = None,
    ) -> Self:
        """Draw the norms over the steps, on a logarithmic axis.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        relative : bool, default=False
            Whether norms are drawn in units of the largest one of a line.
        explain : bool or "auto", default="auto"
            Whether the diagnosis is written below the axes.
        line_kw : dict or None, default=None
            Options of matplotlib's ``plot`` for all lines.

        Returns
        -------
        display : GradientFlowDisplay
            Itself.
        """
        need_matplotlib(f"{type(self).__name__}.plot")
        if not self.flows:
            raise ValueError("flows has no entry: there is nothing to draw.")
        self.diagnoses_ = dict(self.diagnoses or {}) or {
            name: diagnose(flow).text for name, flow in self.flows.items()
        }
        height = 3.3 + (0.45 * len(self.diagnoses_) if explain else 0)
        (self.ax_,) = axes_for(ax, 1, size=(7.5, height), n_columns=1)
        self.figure_, self.text_ = self.ax_.figure, None
        # Those of other displays in the same axes are left out.
        used = {line.get_color() for line in self.ax_.lines}
        colors = [each for each in PALETTE if each not in used] or PALETTE
        self.lines_ = {
            name: self._draw(name, flow, colors[i % len(colors)], relative, line_kw)
            for i, (name, flow) in enumerate(self.flows.items())
        }
        self._finish(relative)
        if explain == "auto":
            explain = self.figure_.get_layout_engine() is not None
        if explain:
            self._explain()
        return self

    def _draw(self, name, flow, color, relative, line_kw):
        """Draw a line for each layer and direction of one estimator."""
        lines: list[Any] = []
        for i, (what, norms) in enumerate(_rows(flow)):
            defaults = dict(
                color=color, linewidth=1.8, linestyle=_DASHES[i % len(_DASHES)],
                label=f"{name}{what}",
            )  # fmt: skip
            # There is no logarithm of nothing.
            drawn = np.where(norms > 0, norms, np.nan)
            if relative:
                drawn = drawn / np.nanmax(drawn, initial=0)
            steps = np.arange(1, len(drawn) + 1)
            if np.isfinite(drawn).sum() < 2:
                defaults |= dict(marker="o", markersize=4)
            lines += self.ax_.plot(steps, drawn, **style("line", defaults, line_kw))
        return lines

    def _finish(self, relative):
        from matplotlib.ticker import LogLocator, NullLocator  # noqa: PLC0415

        ax = self.ax_
        tidy(ax)
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(numticks=8))
        ax.yaxis.set_minor_locator(NullLocator())
        n_steps = max(len(flow.n_sequences) for flow in self.flows.values())
        set_labels(ax.xaxis, None, n_steps, "Step of the sequence")
        ax.set_xlim(1 - 0.02 * n_steps, n_steps + 0.02 * n_steps)
        of = "in units of the largest" if relative else "of the loss by the state"
        ax.set_ylabel(f"Norm of the gradient\n{of}", fontsize=SMALL + 0.5)
        handles, labels = ax.get_legend_handles_labels()
        at: dict[str, Any] = dict(loc="best")
        if len(labels) > 4:
            at = dict(loc="upper left", bbox_to_anchor=(1.01, 1))
        # A single line is named by the text below.
        if len(labels) > 1:
            legend(ax, dict(zip(labels, handles, strict=True)), **at)

    def _explain(self):
        """Write the sentences, below those of other displays in the same axes."""
        ax, rows = self.ax_, []
        for text in [each for each in ax.artists if each.get_gid() == _SENTENCES]:
            rows += text.rows
            if self.figure_.get_layout_engine() is None:
                ax.set_position(text.place)
            text.remove()
        for name, text in self.diagnoses_.items():
            lines = self.lines_.get(name)
            rows.append((name, text, lines[0].get_color() if lines else INK))
        place, width = ax.get_position(), ax.get_window_extent().width / ax.figure.dpi
        several = len(rows) > 1
        parts = [
            (wrapped(f"{name}. {text}" if several else text, width), color)
            for name, text, color in rows
        ]
        made = paragraphs(ax, parts if several else [(parts[0][0], INK)])
        made.set_gid(_SENTENCES)
        made.rows, made.place = rows, place
        self.text_ = made


def _named(estimator: Any) -> dict[str, Any]:
    """Return estimators by name; those of one class get numbers."""
    if isinstance(estimator, Mapping):
        found = {str(name): each for name, each in estimator.items()}
    else:
        is_several = isinstance(estimator, Sequence) and not hasattr(estimator, "fit")
        several = list(estimator) if is_several else [estimator]
        kinds = [_kind(each) for each in several]
        found = {}
        for i, (kind, each) in enumerate(zip(kinds, several, strict=True)):
            number = kinds[: i + 1].count(kind)
            found[f"{kind} {number}" if kinds.count(kind) > 1 else kind] = each
    if not found:
        raise ValueError("estimator must have at least one estimator. Got none.")
    return found


def _kind(estimator):
    """Return the name of the class of the network inside."""
    steps = getattr(estimator, "steps", None)
    inside = getattr(estimator, "best_estimator_", None)
    if inside is not None:
        return _kind(inside)
    return _kind(steps[-1][1]) if steps else type(estimator).__name__


def _rows(flow):
    """Yield the norms of each layer and direction, with what they are called."""
    n_layers = len(flow.hidden)
    for layer in range(n_layers):
        of_layer = f", layer {layer + 1}" if n_layers > 1 else ""
        if len(flow.directions) == 1:
            yield of_layer, flow.hidden[layer]
            continue
        for direction, norms in flow.directions.items():
            yield f"{of_layer}, {direction}", norms[layer]
