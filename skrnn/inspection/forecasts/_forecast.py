"""A picture of forecasts: history, fan of intervals, truth and cutoffs over time."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from skrnn._sklearn import Count, StrOptions, check_arguments
from skrnn.inspection._drawing import axes_for, described, need_matplotlib
from skrnn.inspection._parts import part_with
from skrnn.inspection.forecasts._backtest_frame import checked, forecasts_of, truth_of
from skrnn.inspection.forecasts._forecast_lines import Styles, draw, explain
from skrnn.inspection.forecasts._forecast_series import Chosen, drawn_series
from skrnn.inspection.forecasts._series_forms import (
    bands_of,
    coverages_of,
    forecast_of,
    longest,
    y_of,
)

# What methods share is described once.
_DESCRIBED = {
    "n_history": """\
n_history : int, "auto" or None, default="auto"
    How many of the last values are drawn before the forecast; None draws all, and
    "auto" three times as many as the forecast has, but at least 30.""",
    "max_cutoffs": """\
max_cutoffs : int, default=12
    At most this many forecasts a series are drawn: of more cutoffs every second one,
    say, up to the last. The truth is drawn at all times.""",
    "series": """\
series : list or None, default=None
    Which series of a panel to draw.
max_series : int, default=9
    At most this many are drawn; the picture says so if there are more.""",
    "ax": """\
ax : Axes, sequence of Axes, or None, default=None
    Where to draw. One of them is divided among several series; None makes a figure.""",
    "styles": """\
line_kw, history_kw, truth_kw : dict or None, default=None
    Options of matplotlib's ``plot`` for these lines.
fill_between_kw : dict or None, default=None
    Options of matplotlib's ``fill_between`` for the intervals.""",
}


class ForecastDisplay:
    """A forecast over time, with what was known before, and what came.

    Make it with `from_estimator`, with `from_backtest` or of arrays and Series;
    ``plot`` draws it again. Several series, or targets, are small multiples.

    Parameters
    ----------
    forecast : Series, DataFrame or array-like, or a list of such
        Forecasts of the times in the index. A frame has a column for each target; a
        MultiIndex (series, time) makes a panel. An array (H,) follows the history. A
        list has a forecast for each cutoff.
    history : Series, DataFrame or array-like, default=None
        The values before the forecast, in the same form.
    intervals : dict, or list of dict, default=None
        Coverage -> bounds of the forecast: a frame with columns "lower" and "upper",
        or an array (H, 2). For a list of forecasts it is a list.
    truth : Series, DataFrame or array-like, default=None
        The values that came. Rows after the last forecast aren't drawn.
    cutoffs : list, default=None
        The last time that was known, for each of several forecasts. None is the end of
        the history.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The first of the axes.
    axes_ : ndarray of Axes
        The axes of each series.
    figure_ : matplotlib Figure
        The figure of the axes.
    series_ : list of str
        Names of the series that were drawn; empty if there is only one.
    lines_ : list of Line2D
        The forecasts, cutoff by cutoff, series after series.
    history_lines_, truth_lines_ : list of Line2D
        What was known, and what came.
    fill_between_ : list of PolyCollection
        The intervals, the widest of a forecast first. That of a single step is a
        LineCollection.
    cutoff_lines_ : list of Line2D
        The cutoffs.

    See Also
    --------
    TrainingHistoryDisplay : How the networks of the forecast learned.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skrnn.inspection import ForecastDisplay
    >>> months = pd.period_range("2024-01", periods=30, freq="M")
    >>> y = pd.Series(np.sin(np.arange(30) / 2), index=months)
    >>> display = ForecastDisplay(y[24:] * 0.9, history=y[:24], truth=y[24:])
    >>> display = display.plot()
    >>> len(display.lines_), len(display.truth_lines_[0].get_xdata())
    (1, 6)
    """

    def __init__(
        self,
        forecast: Any,
        *,
        history: Any = None,
        intervals: Mapping[float, Any] | Sequence[Mapping[float, Any]] | None = None,
        truth: Any = None,
        cutoffs: Sequence[Any] | None = None,
    ) -> None:
        self.forecast = forecast
        self.history = history
        self.intervals = intervals
        self.truth = truth
        self.cutoffs = cutoffs

    @classmethod
    @described(_DESCRIBED)
    def from_estimator(
        cls,
        forecaster: Any,
        y: Any = None,
        *,
        steps: int | None = None,
        X: Any = None,
        history: Any = None,
        n_history: int | str | None = "auto",
        coverage: float | Sequence[float] | str | None = "auto",
        series: Sequence[Hashable] | None = None,
        max_series: int = 9,
        ax: Any = None,
        line_kw: dict | None = None,
        history_kw: dict | None = None,
        truth_kw: dict | None = None,
        fill_between_kw: dict | None = None,
    ) -> Self:
        """Forecast, and draw the forecast after what the forecaster was fitted on.

        Parameters
        ----------
        forecaster : Forecaster
            Fitted.
        y : Series, DataFrame or array-like, default=None
            The truth: the values that came, if they are known.
        steps : int or None, default=None
            How many steps to forecast. None is as many as y or X has, or the
            forecaster's own horizon.
        X : frame or array-like, default=None
            Covariates of the steps to forecast.
        history : Series, DataFrame or array-like, or tuple (X, y), default=None
            Of new series that the forecaster hasn't seen; None continues what it was
            fitted on.
        {n_history}
        coverage : float, tuple of float, "auto" or None, default="auto"
            Shares of the truth that the intervals are meant to hold; None draws none.
            "auto" is 0.5 and 0.9, each if the forecaster has such intervals, or those
            between its `quantiles`: without these and a calibration part it has none.
        {series}
        {ax}
        {styles}

        Returns
        -------
        display : ForecastDisplay
            With what was drawn.

        Raises
        ------
        TypeError
            If it is no forecaster.
        NotFittedError
            If the forecaster isn't fitted.
        ValueError
            If a coverage isn't between 0 and 1, or y has none of the forecast's times.
        """
        need_matplotlib(f"{cls.__name__}.from_estimator")
        found = part_with(forecaster, "forecast", "a Forecaster")
        coverages_of(coverage)
        if steps is None and X is None and y is not None:
            steps = longest(y)
        forecast, intervals = _forecast(found, steps, X, history, coverage)
        before = found._history_frame() if history is None else y_of(history)
        made = cls(forecast, history=before, intervals=intervals, truth=y)
        return made.plot(
            ax, n_history=n_history, series=series, max_series=max_series,
            line_kw=line_kw, history_kw=history_kw, truth_kw=truth_kw,
            fill_between_kw=fill_between_kw,
        )  # fmt: skip

    @classmethod
    @described(_DESCRIBED)
    def from_backtest(
        cls,
        frame: Any,
        *,
        history: Any = None,
        n_history: int | str | None = "auto",
        max_cutoffs: int = 12,
        series: Sequence[Hashable] | None = None,
        max_series: int = 9,
        ax: Any = None,
        line_kw: dict | None = None,
        history_kw: dict | None = None,
        truth_kw: dict | None = None,
        fill_between_kw: dict | None = None,
    ) -> Self:
        """Draw the forecasts of a backtest, cutoff by cutoff, and the truth.

        Parameters
        ----------
        frame : DataFrame
            What `backtest` returns: "cutoff", "step", "time", "y_true", "y_pred", of a
            panel "series", of several targets "target". Quantiles that belong
            together, as "q0.05" and "q0.95", are drawn as intervals, and so are "lower"
            and "upper".
        history : Series, DataFrame or array-like, default=None
            y with its index. What is in it before the first cutoff is drawn.
        {n_history}
        {max_cutoffs}
        {series}
        {ax}
        {styles}

        Returns
        -------
        display : ForecastDisplay
            With what was drawn.

        Raises
        ------
        TypeError
            If it is no frame.
        ValueError
            If the frame lacks columns or rows.
        """
        need_matplotlib(f"{cls.__name__}.from_backtest")
        frame = checked(frame)
        found = forecasts_of(frame)
        made = cls(
            [forecast for forecast, _ in found.values()],
            history=history,
            intervals=[bounds for _, bounds in found.values()],
            truth=truth_of(frame),
            cutoffs=list(found),
        )
        return made.plot(
            ax, n_history=n_history, series=series, max_series=max_series,
            max_cutoffs=max_cutoffs, line_kw=line_kw, history_kw=history_kw,
            truth_kw=truth_kw, fill_between_kw=fill_between_kw,
        )  # fmt: skip

    @described(_DESCRIBED)
    def plot(
        self,
        ax: Any = None,
        *,
        n_history: int | str | None = "auto",
        series: Sequence[Hashable] | None = None,
        max_series: int = 9,
        max_cutoffs: int = 12,
        line_kw: dict | None = None,
        history_kw: dict | None = None,
        truth_kw: dict | None = None,
        fill_between_kw: dict | None = None,
    ) -> Self:
        """Draw the forecasts.

        Parameters
        ----------
        {ax}
        {n_history}
        {series}
        {max_cutoffs}
        {styles}

        Returns
        -------
        display : ForecastDisplay
            Itself.
        """
        need_matplotlib(f"{type(self).__name__}.plot")
        numbers = dict(max_series=max_series, max_cutoffs=max_cutoffs)
        _check(type(self), n_history=n_history, **numbers)
        chosen = Chosen(series, max_series, max_cutoffs, n_history)
        shown, n_series = self._series(chosen)
        n_columns, size = _layout(len(shown))
        self.axes_ = axes_for(ax, len(shown), size=size, n_columns=n_columns)
        self.ax_, self.figure_ = self.axes_[0], self.axes_[0].figure
        self.series_ = [each.name for each in shown if each.name is not None]
        styles = Styles(line_kw, history_kw, truth_kw, fill_between_kw)
        artists = draw(self.axes_, shown, styles)
        explain(self.axes_, shown, n_series, whole_figure=ax is None)
        self.lines_, self.fill_between_ = artists.forecasts, artists.areas
        self.history_lines_, self.truth_lines_ = artists.history, artists.truth
        self.cutoff_lines_ = artists.cutoffs
        return self

    def _series(self, chosen):
        """Take what there is to draw apart into single series."""
        forecasts: Any = self.forecast
        intervals: Any = self.intervals
        if not _is_list_of_forecasts(forecasts):
            forecasts, intervals = [forecasts], [intervals]
        n = len(forecasts)
        intervals = [None] * n if intervals is None else intervals
        cutoffs = [None] * n if self.cutoffs is None else list(self.cutoffs)
        for name, given in (("intervals", intervals), ("cutoffs", cutoffs)):
            if isinstance(given, Mapping) or len(given) != n:
                raise ValueError(
                    f"{name} must be a list with one for each of {n} forecasts. "
                    f"Got {type(given).__name__} of length {len(given)}."
                )
        bands = [bands_of(each) for each in intervals]
        return drawn_series(self.history, forecasts, bands, self.truth, cutoffs, chosen)


def _forecast(forecaster, steps, X, history, coverage):
    """Return a forecast, and its intervals by coverage, as far as there are any."""
    frames = {}
    for each in _coverages(forecaster, coverage):
        try:
            frames[each] = forecaster.forecast(steps, X, history=history, coverage=each)
        except ValueError:
            # If it isn't for want of intervals, it fails again below.
            if coverage != "auto":
                raise
    first = next(iter(frames.values()), None)
    if first is None:
        first = forecaster.forecast(steps, X, history=history, coverage=None)
    return forecast_of(first), frames


def _coverages(forecaster, coverage):
    """Return the coverages to draw; by itself those of quantiles that were trained."""
    levels = getattr(forecaster, "quantiles", None)
    is_free = getattr(forecaster, "calibration_size", None) is not None
    if not isinstance(coverage, str) or levels is None or is_free:
        return coverages_of(coverage)
    levels = np.atleast_1d(levels)
    pairs = levels[(levels < 0.5) & np.isclose(levels[:, None], 1 - levels).any(axis=0)]
    return [round(float(1 - 2 * level), 9) for level in pairs[::-1]]


def _layout(n):
    """Return how many of `n` axes stand side by side, and the figure's inches."""
    if n == 1:
        return 1, (6, 3.5)
    n_columns = {2: 2, 4: 2}.get(n, 3)
    n_rows = -(-n // n_columns)
    return n_columns, (3 * n_columns, max(1.75 * n_rows + 0.5, 2.6))


def _is_list_of_forecasts(forecast):
    """Whether it is a list of forecasts, and not one as a list of numbers."""
    is_list = isinstance(forecast, list | tuple)
    return is_list and not all(np.isscalar(each) for each in forecast)


def _check(cls, **given):
    """Check the arguments of ``plot`` that are numbers."""
    kinds: dict[str, list] = {name: [Count()] for name in given}
    kinds["n_history"] = [Count(), StrOptions({"auto"}), None]
    check_arguments(kinds, given, f"{cls.__name__}.plot")
