"""A fitted ensemble with everything that its forecasts need, but the series."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._estimators.forecasting.answers import Drawn
from skrnn._estimators.forecasting.ensemble import Ensemble, EnsemblePlan, train
from skrnn._estimators.forecasting.intervals import Calibration, calibrated
from skrnn._estimators.forecasting.members import roll
from skrnn._estimators.forecasting.normalizers import NORMALIZERS
from skrnn._estimators.forecasting.panel import Ahead, Panel
from skrnn._estimators.forecasting.sampling import (
    Dependence,
    dependence_of,
    roll_paths,
)
from skrnn._estimators.forecasting.table import series_table, tails
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
    calibration : Calibration or None
    dependence : tuple of Dependence
        Of each member's steps, if members answer with distributions.
    """

    ensemble: Ensemble
    plan: EnsemblePlan
    transform: TargetTransform
    calibration: Calibration | None = None
    dependence: tuple[Dependence, ...] = ()

    @property
    def gap(self) -> int:
        """Steps that no member forecasts, before the first one that is asked for."""
        return 0 if self.plan.strategy == "recursive" else self.plan.gap

    def forecast(self, panel: Panel, ahead: Ahead) -> np.ndarray:
        """Return forecasts (H, n, K) of the steps behind the series that are asked for.

        H is the largest of ``ahead.lengths``; what is beyond a series' own is to be
        ignored.
        """
        return self._undone(panel, ahead, roll, 0)

    def quantiles(self, panel: Panel, ahead: Ahead, levels) -> np.ndarray:
        """Return quantiles (H, n, K, Q); forecasts beyond the horizon follow medians.

        Of several members it is the median of their quantiles, level by level.
        """

        def run(member, ends, gap, n_steps):
            z = roll(member, ends, gap, n_steps, levels)
            return np.moveaxis(z, -1, 0)

        found = self._undone(panel, ahead, run, 1)
        return np.moveaxis(found, 0, -1)

    def paths(self, panel: Panel, ahead: Ahead, n_samples: int, rng) -> np.ndarray:
        """Draw paths (n_samples, H, n, K), the members in turn."""
        members = self.ensemble.members
        series, n_steps = self._prepared(panel), int(ahead.lengths.max())
        n = len(ahead.series)
        found = []
        for i, member in enumerate(members):
            own = len(range(i, n_samples, len(members)))
            if not own:
                continue
            many = _repeated(ahead, own)
            ends, skipped = self._ends(series, many, member, n_steps)
            given = self.gap, skipped + n_steps, self.dependence[i], rng
            drawn = roll_paths(member, ends, *given)[skipped:]
            found.append(drawn.reshape(n_steps, own, n, -1).swapaxes(0, 1))
        return self.transform.backward(np.concatenate(found))

    def _undone(self, panel, ahead, run, n_extra):
        """Return the median of what ``run(member, ends, gap, n_steps)`` returns.

        It may have `n_extra` axes before those of forecasts (H, n, K).
        """
        transformed = self.transform.of(panel)
        series = transformed.panel
        table = self._table(series)
        n_steps, found = int(ahead.lengths.max()), []
        for member in self.ensemble.members:
            ends, skipped = self._ends(table, ahead, member, n_steps)
            z = run(member, ends, self.gap, skipped + n_steps)
            found.append(z[(slice(None),) * n_extra + (slice(skipped, None),)])
        z = np.median(found, axis=0)
        origins = (series.starts + series.lengths)[ahead.series]
        if not n_extra:
            return transformed.undo(z, origins)
        return np.stack([transformed.undo(each, origins) for each in z])

    def _prepared(self, panel):
        return self._table(self.transform.of(panel).panel)

    def _table(self, panel):
        plan = self.plan
        table = series_table(panel, plan.season)
        return table.lengthened(max(plan.lookbacks), plan.season)

    def _ends(self, table, ahead, member, n_steps):
        """Return the ends of series for a member, and the steps to skip before."""
        skipped = self.plan.gap - self.gap
        rounds = -(-(skipped + n_steps) // member.horizon)
        ends = tails(
            table,
            _with_steps(ahead, skipped),
            lookback=member.lookback,
            gap=self.gap,
            n_steps=rounds * member.horizon,
        )
        return ends, skipped

    def at_origins(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return forecasts (H, n, K) of the horizon behind rows of a panel.

        Parameters
        ----------
        panel : Panel
        origins : ndarray of int of shape (n,)
            Rows of the panel that are taken for the first one behind the present.
        """
        blocks = range(0, len(origins), _BLOCK)
        parts = [self._at(panel, origins[at : at + _BLOCK]) for at in blocks]
        return np.concatenate(parts, axis=1)

    def _at(self, panel, origins):
        """Cut the series at origins, and forecast each as one of its own."""
        plan = self.plan
        needed = max(plan.lookbacks) + self.transform.n_lost
        series = np.searchsorted(panel.starts, origins, side="right") - 1
        lengths = np.minimum(origins - panel.starts[series], needed)
        rows = _ranges(origins - lengths, lengths)
        cut = replace(
            panel,
            y=panel.y[rows],
            known=panel.known[rows],
            past=panel.past[rows],
            lengths=lengths,
            keys=None,
            labels=None,
            places=None,
        )
        last = (panel.starts + panel.lengths - 1)[series]
        steps = origins[:, None] + plan.gap + np.arange(plan.horizon)
        known = panel.known[np.minimum(steps, last[:, None]).ravel()]
        n = len(origins)
        ahead = Ahead(
            np.arange(n), np.full(n, plan.horizon), known, np.arange(len(known))
        )
        return self.forecast(cut, ahead)

    def scale(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return the spread (n, K) of the windows before rows of a panel."""
        season = self.plan.season
        table = series_table(panel, season)
        n = np.minimum(max(self.plan.lookbacks), origins - _start(panel, origins))
        rows = origins - np.minimum(np.arange(max(n), 0, -1)[:, None], n)
        return NORMALIZERS["window"](table.values[rows], season).scale

    def calibrated(self, panel: Panel, n_rows: int) -> "Model":
        """Return the same with the errors on the last `n_rows` rows of each series."""
        plan = self.plan
        first = panel.starts + np.maximum(panel.lengths - n_rows, 1)
        counts = panel.starts + panel.lengths - plan.gap - plan.horizon + 1 - first
        origins = _ranges(first, np.maximum(counts, 0))
        forecasts = self.at_origins(panel, origins)
        truth = panel.y[origins + plan.gap + np.arange(plan.horizon)[:, None]]
        scale = self.scale(panel, origins)
        return replace(self, calibration=calibrated(truth, forecasts, scale))

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
        return np.stack([forecasts - width, forecasts + width], axis=-1)

    def fitted(self, panel: Panel) -> np.ndarray:
        """Return the forecast (n_rows, K) of each row by the horizon's first step."""
        found = np.full(panel.y.shape, np.nan)
        before = min(self.plan.lookbacks) + self.transform.n_lost + self.plan.gap
        before = np.minimum(before, panel.lengths)
        rows = _ranges(panel.starts + before, panel.lengths - before)
        if len(rows):
            found[rows] = self.at_origins(panel, rows - self.plan.gap)[0]
        return found


def fit_model(estimator, panel: Panel, plan: EnsemblePlan, transform) -> Model:
    """Train the members on a panel."""
    table = series_table(transform.of(panel).panel, plan.season)
    table = table.lengthened(plan.rows_needed, plan.season)
    ensemble = train(estimator, table, plan)
    if not isinstance(plan.answer, Drawn):
        return Model(ensemble, plan, transform)
    rng = np.random.default_rng(plan.seed)
    joined = tuple(dependence_of(m, table, rng) for m in ensemble.members)
    return Model(ensemble, plan, transform, dependence=joined)


def without_last(panel: Panel, n_rows: int) -> Panel:
    """Return a panel without the last rows of each series."""
    lengths = panel.lengths - n_rows
    rows = _ranges(panel.starts, lengths)
    return replace(
        panel,
        y=panel.y[rows],
        known=panel.known[rows],
        past=panel.past[rows],
        lengths=lengths,
        labels=None,
        places=None,
    )


def _with_steps(ahead, n):
    """Put `n` steps in front, of which the first one's covariates are assumed."""
    if not n:
        return ahead
    lengths = ahead.lengths + n
    steps = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    rows = np.repeat(ahead.starts, lengths) + np.maximum(steps - n, 0)
    return replace(ahead, lengths=lengths, known=ahead.known[rows])


def _repeated(ahead, n):
    """Ask for the same series `n` times over."""
    return Ahead(
        np.tile(ahead.series, n),
        np.tile(ahead.lengths, n),
        np.tile(ahead.known, (n, 1)),
        np.arange(n * len(ahead.known)),
    )


def _ranges(firsts, counts):
    """Return ``firsts[i], firsts[i] + 1, ...``, counts[i] of them, for each i."""
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(firsts, counts) + within


def _start(panel, origins):
    """Return the first row of the series that ends before each origin, or goes on."""
    return panel.starts[np.searchsorted(panel.starts, origins - 1, side="right") - 1]
