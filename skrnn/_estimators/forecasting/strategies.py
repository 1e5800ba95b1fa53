"""Strategies: which models a horizon is forecast with, and what each of them reads."""

from collections.abc import Callable
from dataclasses import dataclass

from skrnn._estimators.forecasting.layouts import Aligned, Folded, Layout


@dataclass(frozen=True)
class Strategy:
    """How the steps of a horizon are forecast.

    Attributes
    ----------
    description : str
        What it is, to be read behind its name.
    layouts : callable
        ``f(horizon, gap, season, lookback, normalize)`` returns the layouts of the
        models: one for the horizon, or one for each of its steps.
    answers_steps : bool
        Whether the model answers each step of the sequence that it reads.
    """

    description: str
    layouts: Callable[..., list[Layout]]
    answers_steps: bool = False


def _aligned(horizon, gap, *window):
    return [Aligned(horizon, gap, *window)]


def _multioutput(horizon, gap, *window):
    return [Folded(horizon, gap, *window)]


def _recursive(horizon, gap, *window):
    # It rolls on from step to step, and so it does through the gap.
    return [Folded(1, 0, *window)]


def _direct(horizon, gap, *window):
    return [Folded(1, gap + h, *window) for h in range(horizon)]


STRATEGIES = {
    "aligned": Strategy(
        "one network that runs over the horizon, and at each step reads what is known "
        "about it",
        _aligned,
        answers_steps=True,
    ),
    "multioutput": Strategy(
        "one model that reads the window and answers the whole horizon", _multioutput
    ),
    "recursive": Strategy(
        "one model of one step, which reads its own forecasts as further values",
        _recursive,
    ),
    "direct": Strategy("a model for each step of the horizon", _direct),
}
