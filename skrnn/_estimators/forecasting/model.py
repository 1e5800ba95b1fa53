"""A fitted ensemble with everything that its forecasts need, but the series."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from skrnn._estimators.forecasting.answers import Drawn
from skrnn._estimators.forecasting.ensemble import Ensemble, EnsemblePlan, train
from skrnn._estimators.forecasting.intervals import (
    Calibration,
    Shifts,
    calibrated,
    shifts_of,
)
from skrnn._estimators.forecasting.members import roll
from skrnn._estimators.forecasting.normalizers import NORMALIZERS
from skrnn._estimators.forecasting.panel import (
    Ahead,
    Panel,
    ranges,
    series_of,
)
from skrnn._estimators.forecasting.planning import check_counts
from skrnn._estimators.forecasting.sampling import (
    Dependence,
    dependence_of,
    roll_paths,
)
from skrnn._estimators.forecasting.spreading import spread_out
from skrnn._estimators.forecasting.table import Room, series_table, tails
from skrnn._estimators.forecasting.transforms import TargetTransform

# Origins whose forecasts are computed at once.
_BLOCK = 2048


@dataclass(frozen=True)
class Model:
    """What was trained, and how the series were prepared for it.

    Attributes
    ----------
    ensemble : Ensemble
    plan : EnsemblePlan
    transform : TargetTransform
    marks : bool
        Whether members read marks of missing values: they do if some were missing in
        training.
    calibration : Calibration or None
    shifts : Shifts or None
        Of quantiles, by the same calibration part.
    dependence : tuple of Dependence
        Of each member's steps, if members answer with distributions.
    """

    ensemble: Ensemble
    plan: EnsemblePlan
    transform: TargetTransform
    marks: bool
    calibration: Calibration | None = None
    shifts: Shifts | None = None
    dependence: tuple[Dependence, ...] = ()

    @property
    def gap(self) -> int:
        """Steps that no member forecasts, before the first one that is asked for."""
        return 0 if self.plan.strategy == "recursive" else self.plan.gap

    def check_steps(self, n_steps: int) -> None:
        """Refuse more steps than the horizon where there is a gap.

        Raises
        ------
        ValueError
        """
        horizon = self.plan.horizon
        if self.gap and n_steps > horizon:
            raise ValueError(
                f"{n_steps} steps are to be forecast, but with gap={self.gap} only "
                f"horizon={horizon} can be: the next ones would need the steps of the "
                "gap. Take a longer horizon, or strategy='recursive'."
            )

    def check_values(self, panel: Panel) -> None:
        """Refuse values that members can't read: without a transform, or no counts.

        Raises
        ------
        ValueError
        """
        self.transform.forward(panel.y)
        check_counts(self.plan.answer, None, panel.y)

    def forecast(self, panel: Panel, ahead: Ahead) -> np.ndarray:
        """Return forecasts (H, n, K) of the steps behind the series that are asked for.

        H is the largest of ``ahead.lengths``; what is beyond a series' own is to be
        ignored.
        """
        found, ends = self._at_ends(panel, ahead)
        z = self._median(self._table(found.panel), ends, ahead)
        return self._undone(found, z, ends)

    def quantiles(self, panel: Panel, ahead: Ahead, levels) -> np.ndarray:
        """Return quantiles (H, n, K, Q); forecasts beyond the horizon follow medians.

        Of several members it is the median of their quantiles, level by level. A
        calibration part moves them.
        """
        answer, asked = self.plan.answer, levels
        if self.shifts is not None:
            # One mustn't depend on which others are asked for: it is moved among all.
            levels = sorted({*asked, *answer.compared})
        found, ends = self._at_ends(panel, ahead)
        z = self._median(self._table(found.panel), ends, ahead, levels)
        z = self._undone(found, z, ends)
        if self.shifts is None:
            return z
        scale = self.scale(panel, (panel.starts + panel.lengths)[ahead.series])
        z = answer.possible(self.shifts.moved(z, levels, scale))
        return z[..., [levels.index(level) for level in asked]]

    def paths(self, panel: Panel, ahead: Ahead, n_samples: int, rng) -> np.ndarray:
        """Draw paths (n_samples, H, n, K), the members in turn.

        A calibration part moves them as it moves quantiles.
        """
        paths, levels = self._drawn(panel, ahead, n_samples, rng)
        paths = self.transform.backward(paths)
        if self.shifts is None:
            return paths
        scale = self.scale(panel, (panel.starts + panel.lengths)[ahead.series])
        return self.plan.answer.possible(paths + self.shifts.at(levels) * scale)

    def _drawn(self, panel, ahead, n_samples, rng):
        """Return paths before they are undone, and which quantiles their values are."""
        transformed, ends = self._at_ends(panel, ahead)
        table, n_steps = self._table(transformed.panel), int(ahead.lengths.max())
        members, found = self.ensemble.members, []
        for i, member in enumerate(members):
            own = len(range(i, n_samples, len(members)))
            if not own:
                continue
            behind, skipped = self._behind(
                table, np.tile(ends, own), _repeated(ahead, own), member
            )
            given = self.gap, skipped + n_steps, self.dependence[i], rng
            drawn = np.stack(roll_paths(member, behind, *given))[:, skipped:]
            parts = drawn.reshape(2, n_steps, own, len(ends), drawn.shape[-1])
            found.append(parts.swapaxes(1, 2))
        return np.concatenate(found, axis=1)

    def _at_ends(self, panel, ahead):
        """Return a panel transformed, and the rows behind the series asked for."""
        found = self.transform.of(panel)
        return found, (found.panel.starts + found.panel.lengths)[ahead.series]

    def _table(self, panel):
        """Return a transformed panel as what members read."""
        return series_table(panel, self.plan.season).marked(self.marks)

    def _median(self, table, ends, ahead, levels=None):
        """Return the forecasts (H, n, K) behind the rows before `ends`.

        With `levels` they are quantiles (H, n, K, Q). The steps of a gap that members
        forecast are among them.
        """
        n_steps, found = int(ahead.lengths.max()), []
        for member in self.ensemble.members:
            behind, skipped = self._behind(table, ends, ahead, member)
            found.append(roll(member, behind, self.gap, skipped + n_steps, levels))
        return self.plan.answer.possible(np.median(found, axis=0))

    def _behind(self, table, ends, ahead, member):
        """Return the ends of series for a member, and the steps to skip before."""
        plan = self.plan
        skipped = plan.gap - self.gap
        rounds = -(-(skipped + int(ahead.lengths.max())) // member.horizon)
        room = Room(member.lookback, self.gap, rounds * member.horizon)
        ahead = _with_gap(ahead) if skipped else ahead
        return tails(table, ends, ahead, season=plan.season, room=room), skipped

    def at_origins(
        self, panel: Panel, origins: np.ndarray, behind=None, levels=None
    ) -> np.ndarray:
        """Return forecasts (H, n, K) of the horizon behind rows of a panel.

        Parameters
        ----------
        panel : Panel
        origins : ndarray of int of shape (n,)
            Rows of the panel that are taken for the first one behind the present.
        behind : ndarray of shape (n_series, n_rows, F) or None
            What is known of the rows behind each series, if they are in a horizon.
        levels : sequence of float or None
            Return quantiles (H, n, K, Q) instead.
        """
        found = self.transform.of(panel)
        table = self._table(found.panel)
        blocks = range(0, len(origins), _BLOCK)
        parts = [
            self._at(panel, found, table, origins[at : at + _BLOCK], behind, levels)
            for at in blocks
        ]
        return np.concatenate(parts, axis=1)

    def _at(self, panel, found, table, origins, behind, levels):
        plan, n = self.plan, len(origins)
        series = series_of(panel.starts, origins)
        steps = origins[:, None] + np.arange(plan.gap + plan.horizon)
        known = _known_at(panel, series, steps, behind).reshape(*steps.shape, -1)
        asked = known[:, plan.gap :].reshape(n * plan.horizon, -1)
        lengths, order = np.full(n, plan.horizon), np.arange(len(asked))
        between = known[:, : plan.gap]
        ahead = Ahead(series, lengths, asked, order, between=between)
        # Each series has lost its first rows to the differences.
        ends = origins - (series + 1) * self.transform.n_lost
        return self._undone(found, self._median(table, ends, ahead, levels), ends)

    def _undone(self, transformed, z, ends):
        """Return forecasts, or quantiles with an axis more, in units of y.

        Those of a gap are left out when they have been added up.
        """
        if z.ndim == 3:
            found = transformed.undo(z, ends)
        else:
            each = [transformed.undo(one, ends) for one in np.moveaxis(z, -1, 0)]
            found = np.stack(each, axis=-1)
        return found[self.plan.gap - self.gap :]

    def scale(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return the spread (n, K) of the windows before rows of a panel."""
        season = self.plan.season
        table = series_table(panel, season)
        n = np.minimum(
            max(self.plan.lookbacks),
            origins - panel.starts[series_of(panel.starts, origins)],
        )
        rows = origins - np.minimum(np.arange(max(n), 0, -1)[:, None], n)
        # Of windows of one value the scale is 1, whatever the unit of y.
        return NORMALIZERS["window"](table.values[rows], season).drawn_scale

    def calibrated(self, panel: Panel, n_rows: int) -> "Model":
        """Return the same with the errors on the last `n_rows` rows of each series."""
        if not n_rows or self.ensemble.interrupted:
            return self
        plan = self.plan
        first = panel.starts + np.maximum(panel.lengths - n_rows, 1)
        counts = panel.starts + panel.lengths - plan.gap - plan.horizon + 1 - first
        origins = ranges(first, np.maximum(counts, 0))
        forecasts = self.at_origins(panel, origins)
        truth = panel.y[origins + plan.gap + np.arange(plan.horizon)[:, None]]
        scale = self.scale(panel, origins)
        found = replace(self, calibration=calibrated(truth, forecasts, scale))
        levels = plan.answer.compared
        if not levels:
            return found
        # Enough to tell a quantile by, evenly spread over time and series.
        some = slice(None, None, -(-len(origins) // _BLOCK))
        quantiles = self.at_origins(panel, origins[some], levels=levels)
        shifts = shifts_of(truth[:, some], quantiles, scale[some], levels)
        return replace(found, shifts=shifts)

    def interval(self, panel, ahead, forecasts, coverage: float) -> np.ndarray:
        """Return bounds (H, n, K, 2) of forecasts (H, n, K)."""
        assert self.calibration is not None
        horizon = len(self.calibration.scores)
        if len(forecasts) > horizon:
            raise ValueError(
                f"Intervals are calibrated for {horizon} steps, the horizon, but "
                f"{len(forecasts)} are asked for; fit with horizon={len(forecasts)}."
            )
        ends = (panel.starts + panel.lengths)[ahead.series]
        width = self.calibration.width(coverage)[: len(forecasts), None]
        width = width * self.scale(panel, ends)
        bounds = np.stack([forecasts - width, forecasts + width], axis=-1)
        return self.plan.answer.possible(bounds)

    def fitted(self, panel: Panel, behind: np.ndarray) -> np.ndarray:
        """Return the forecast (n_rows, K) of each row by the horizon's first step.

        `behind` is what is known of the rows behind each series.
        """
        found = np.full(panel.y.shape, np.nan)
        before = min(self.plan.lookbacks) + self.transform.n_lost + self.plan.gap
        before = np.minimum(before, panel.lengths)
        rows = ranges(panel.starts + before, panel.lengths - before)
        if len(rows):
            found[rows] = self.at_origins(panel, rows - self.plan.gap, behind)[0]
        return found


def fit_model(
    estimator,
    panel: Panel,
    plan: EnsemblePlan,
    transform,
    watch,
    checkpoints: Callable[[int], str] | None = None,
) -> Model:
    """Train the members on a panel, and tell `watch` of each.

    Their checkpoints are at ``checkpoints(i)``.
    """
    table = series_table(transform.of(panel).panel, plan.season)
    table = table.lengthened(plan.rows_needed, plan.season)
    marks = table.observed is not None
    ensemble = train(estimator, table, plan, watch, checkpoints)
    if not ensemble.members:
        # Ctrl-C came before any was there.
        raise KeyboardInterrupt
    ensemble = spread_out(ensemble, estimator, table, plan)
    if not isinstance(plan.answer, Drawn):
        return Model(ensemble, plan, transform, marks)
    rng = np.random.default_rng(plan.seed)
    joined = tuple(dependence_of(m, table, rng) for m in ensemble.members)
    return Model(ensemble, plan, transform, marks, dependence=joined)


def without_last(panel: Panel, n_rows: int) -> Panel:
    """Return a panel without the last rows of each series."""
    lengths = panel.lengths - n_rows
    return panel.taken(ranges(panel.starts, lengths), lengths)


def _known_at(panel, series, steps, behind):
    """Return the known channels of rows `steps` (n, H) of series (n,), (n * H, F)."""
    last = (panel.starts + panel.lengths - 1)[series][:, None]
    known = panel.known[np.minimum(steps, last).ravel()]
    beyond = steps - last
    if behind is not None and (beyond > 0).any():
        i, h = np.nonzero(beyond > 0)
        known[i * steps.shape[1] + h] = behind[series[i], beyond[i, h] - 1]
    return known


def _with_gap(ahead):
    """Ask for the steps of the gap as well, each with its own covariates."""
    gap = ahead.between.shape[1]
    lengths = ahead.lengths + gap
    steps = ranges(np.zeros_like(lengths), lengths)
    rows = np.repeat(ahead.starts, lengths) + np.maximum(steps - gap, 0)
    known = ahead.known[rows]
    known[steps < gap] = ahead.between.reshape(len(lengths) * gap, -1)
    return replace(ahead, lengths=lengths, known=known)


def _repeated(ahead, n):
    """Ask for the same series `n` times over."""
    between = None if ahead.between is None else np.tile(ahead.between, (n, 1, 1))
    return Ahead(
        np.tile(ahead.series, n),
        np.tile(ahead.lengths, n),
        np.tile(ahead.known, (n, 1)),
        np.arange(n * len(ahead.known)),
        between=between,
    )
