"""A picture of how networks learned: losses over epochs, and a search's scores."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from skrnn._sklearn import StrOptions, check_arguments
from skrnn.inspection._drawing import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    SMALL,
    axes_for,
    described,
    legend,
    need_matplotlib,
    style,
    tidy,
    title,
)
from skrnn.inspection._parts import found_in, part_with
from skrnn.inspection.training._epochs import set_epochs, set_scale
from skrnn.inspection.training._learning import (
    best_of,
    curve,
    histories_of,
    learned_by,
    need_metric,
)
from skrnn.inspection.training._search_scores import draw_scores, scores_of

# Points this few are seen as points.
N_WITH_MARKERS = 12

History = Mapping[str, Sequence[float]]

# What methods share is described once.
_DESCRIBED = {
    "yscale": """\
yscale : {"auto", "linear", "log"}, default="auto"
    Scale of the losses. "auto" is logarithmic where they are positive and the largest
    is at least 20 times the smallest.""",
    "styles": """\
line_kw, validation_line_kw : dict or None, default=None
    Options of matplotlib's ``plot`` for the training and validation losses.""",
}


class TrainingHistoryDisplay:
    """The losses of a network over its epochs, with the best epoch marked.

    Make it with `from_estimator` or `from_search`; ``plot`` draws it again.

    Parameters
    ----------
    history : dict of lists, list of such dicts, or None
        What ``history_`` has: "loss" and, with a validation set, "val_loss" of each
        epoch. A list has one history for each network of an ensemble.
    best_epoch : int, list of int or None, default=None
        Epoch, from 1, whose weights were kept. One for each network.
    metric : str, default="loss"
        What of the history is drawn; its validation is called ``"val_"`` and this.
    scores : DataFrame or None, default=None
        The candidates of a search, as `from_search` finds them.
    name : str or None, default=None
        Name of the estimator in the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        With the losses; the scores' axes if there are no losses.
    axes_ : ndarray of Axes
        All axes: those of a search's scores, then those of the losses.
    figure_ : matplotlib Figure
        The figure of the axes.
    lines_ : list of Line2D
        The training losses, one line a network.
    validation_lines_ : list of Line2D
        The validation losses.
    best_ : Line2D or None
        The dots at the best epochs.
    errorbar_ : ErrorbarContainer or None
        Of the best candidate of a search.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores over sizes of training sets.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import GRURegressor
    >>> from skrnn.inspection import TrainingHistoryDisplay
    >>> X = np.random.default_rng(0).normal(size=(60, 5, 1))
    >>> model = GRURegressor(units=4, epochs=8, validation_split=0.2, random_state=0)
    >>> display = TrainingHistoryDisplay.from_estimator(model.fit(X, X[:, -1, 0]))
    >>> len(display.lines_[0].get_ydata()), display.ax_.get_xlabel()
    (8, 'Epoch')
    """

    def __init__(
        self,
        history: History | Sequence[History] | None,
        *,
        best_epoch: int | Sequence[int | None] | None = None,
        metric: str = "loss",
        scores: pd.DataFrame | None = None,
        name: str | None = None,
    ) -> None:
        self.history = history
        self.best_epoch = best_epoch
        self.metric = metric
        self.scores = scores
        self.name = name

    @classmethod
    @described(_DESCRIBED)
    def from_estimator(
        cls,
        estimator: Any,
        *,
        metric: str = "loss",
        name: str | None = None,
        ax: Any = None,
        yscale: str = "auto",
        line_kw: dict | None = None,
        validation_line_kw: dict | None = None,
    ) -> Self:
        """Draw how a fitted estimator learned.

        Parameters
        ----------
        estimator : estimator
            A fitted network of skrnn, a wrapper of `skrnn.scikeras`, a `Forecaster`
            (whose members are thin lines), or a Pipeline or search that ends in one.
        metric : str, default="loss"
            What is drawn; the wrappers of Keras' networks know their metrics too.
        name : str or None, default=None
            Name in the legend, to tell apart several estimators in the same axes.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        {yscale}
        {styles}

        Returns
        -------
        display : TrainingHistoryDisplay
            With what was drawn.

        Raises
        ------
        TypeError
            If nothing in the estimator has a ``history_``.
        NotFittedError
            If the estimator isn't fitted.
        ValueError
            If the history lacks the metric, or has no epochs.
        """
        need_matplotlib(f"{cls.__name__}.from_estimator")
        expected = "a network of skrnn, or a Pipeline or search that ends in one"
        network = part_with(estimator, "history_", expected)
        history, best = learned_by(network)
        made = cls(history, best_epoch=best, metric=metric, name=name)
        return made.plot(
            ax, yscale=yscale, line_kw=line_kw, validation_line_kw=validation_line_kw
        )

    @classmethod
    @described(_DESCRIBED)
    def from_search(
        cls,
        search: Any,
        *,
        scoring: str | None = None,
        metric: str = "loss",
        ax: Any = None,
        yscale: str = "auto",
        line_kw: dict | None = None,
        validation_line_kw: dict | None = None,
    ) -> Self:
        """Draw the scores of a search, and how its best estimator learned.

        On the left are the mean scores of the twelve best candidates, with the standard
        deviation over the folds. For a halving search they are those of all candidates
        against the resource. On the right are the losses of ``best_estimator_``, fitted
        again on all rows, because a search doesn't keep the networks of its folds. With
        ``refit=False``, or a best estimator without ``history_``, only the scores are
        drawn.

        Parameters
        ----------
        search : GridSearchCV, RandomizedSearchCV, HalvingGridSearchCV or the like
            Fitted.
        scoring : str or None, default=None
            Which score, if the search has several; None is that of ``refit``. Negated
            scores, such as "neg_mean_squared_error", are drawn as errors.
        metric : str, default="loss"
            What of the history is drawn.
        ax : Axes, sequence of two Axes, or None, default=None
            Where to draw. One of them is divided; None makes a figure.
        {yscale}
        {styles}

        Returns
        -------
        display : TrainingHistoryDisplay
            With what was drawn.

        Raises
        ------
        TypeError
            If it is no search.
        NotFittedError
            If the search isn't fitted.
        ValueError
            If it has several scores and `scoring` names none of them.
        """
        need_matplotlib(f"{cls.__name__}.from_search")
        found = part_with(search, "cv_results_", "a search, as GridSearchCV")
        network = found_in(getattr(found, "best_estimator_", None), "history_")
        history, best = (None, None) if network is None else learned_by(network)
        scores = scores_of(found, scoring)
        made = cls(history, best_epoch=best, metric=metric, scores=scores)
        return made.plot(
            ax, yscale=yscale, line_kw=line_kw, validation_line_kw=validation_line_kw
        )

    @described(_DESCRIBED)
    def plot(
        self,
        ax: Any = None,
        *,
        yscale: str = "auto",
        line_kw: dict | None = None,
        validation_line_kw: dict | None = None,
    ) -> Self:
        """Draw the losses, and the scores of a search beside them.

        Parameters
        ----------
        ax : Axes, sequence of Axes, or None, default=None
            Where to draw; None makes a figure.
        {yscale}
        {styles}

        Returns
        -------
        display : TrainingHistoryDisplay
            Itself.
        """
        need_matplotlib(f"{type(self).__name__}.plot")
        check_arguments(
            {"yscale": [StrOptions({"auto", "linear", "log"})]},
            {"yscale": yscale},
            f"{type(self).__name__}.plot",
        )
        histories = None if self.history is None else self._histories()
        self.axes_ = self._make_axes(ax)
        self.ax_, self.figure_ = self.axes_[-1], self.axes_[-1].figure
        self.lines_: list[Any] = []
        self.validation_lines_: list[Any] = []
        self.best_ = self.errorbar_ = None
        if self.scores is not None:
            self.errorbar_ = draw_scores(self.axes_[0], self.scores)
        if histories is not None:
            self._draw(histories, line_kw, validation_line_kw)
            self._finish(histories, yscale)
        return self

    def _histories(self):
        histories = histories_of(self.history)
        need_metric(histories, self.metric)
        best_of(self.best_epoch, len(histories))
        return histories

    def _make_axes(self, ax):
        n = (self.history is not None) + (self.scores is not None)
        if n == 0:
            raise ValueError("There is nothing to draw: history and scores are None.")
        size = (6, 3.5) if n == 1 else (9.5, 3.6)
        return axes_for(ax, n, size=size, n_columns=n)

    def _draw(self, histories, line_kw, validation_line_kw):
        """Draw the losses of each network; members of an ensemble are thin."""
        n = len(histories)
        look = dict(linewidth=1.8) if n == 1 else dict(linewidth=0.9, alpha=0.8)
        kinds = (
            ("training", self.metric, BLUE, line_kw, self.lines_),
            ("validation", f"val_{self.metric}", ORANGE, validation_line_kw,
             self.validation_lines_),
        )  # fmt: skip
        for kind, metric, color, given, lines in kinds:
            for history in histories:
                n_epochs = len(history[self.metric])
                epochs, values = curve(history, metric, n_epochs)
                if not np.isfinite(values).any():
                    continue
                defaults: dict[str, Any] = dict(color=color, **look)
                if n_epochs <= N_WITH_MARKERS:
                    defaults |= dict(marker="o", markersize=3.5)
                if not lines:
                    defaults["label"] = self._label(kind, n)
                options = style("line", defaults, given)
                lines += self.ax_.plot(epochs, values, **options)

    def _label(self, kind, n):
        text = kind if n == 1 else f"{kind} of {n} networks"
        return text if self.name is None else f"{self.name}: {text}"

    def _finish(self, histories, yscale):
        ax, n_epochs = self.ax_, max(len(each[self.metric]) for each in histories)
        self._mark_best(histories)
        tidy(ax)
        set_scale(ax, yscale, [*self.lines_, *self.validation_lines_])
        set_epochs(ax, n_epochs)
        ax.set_xlabel("Epoch", fontsize=SMALL + 0.5)
        name = self.metric.replace("_", " ")
        ax.set_ylabel(name[:1].upper() + name[1:], fontsize=SMALL + 0.5)
        if self.scores is not None:
            title(ax, "The best, fitted on all rows")
        handles, labels = ax.get_legend_handles_labels()
        legend(ax, dict(zip(labels, handles, strict=True)), loc="best")

    def _mark_best(self, histories):
        """Put dots at the epochs whose weights were kept."""
        points: list[Any] = []
        is_best = True
        validation = f"val_{self.metric}"
        for history, best in zip(
            histories, best_of(self.best_epoch, len(histories)), strict=True
        ):
            n_epochs = len(history[self.metric])
            for metric in (validation, self.metric):
                epochs, values = curve(history, metric, n_epochs)
                at = np.flatnonzero((epochs == best) & np.isfinite(values))
                if len(at):
                    points.append((best, values[at[0]]))
                    is_best &= values[at[0]] <= np.nanmin(values)
                    break
        if not points:
            return
        # Without early stopping the last epoch is kept, however good it was.
        which = "best epoch" if is_best else "epoch kept"
        where = (
            f"{which}: {points[0][0]}"
            if len(histories) == 1
            else which.replace("epoch", "epochs")
        )
        label = where if self.name is None else f"{self.name}: {where}"
        (self.best_,) = self.ax_.plot(
            *np.transpose(points), "o", color=INK, markersize=6, zorder=4,
            markeredgecolor="white", label=label,
        )  # fmt: skip
        if len(histories) == 1:
            self.ax_.axvline(
                points[0][0], color=GREY, linewidth=0.8, linestyle=(0, (3, 3)), zorder=1
            )
