"""Learning rates that change from step to step."""

import numpy as np

from skrnn._engine.keras.fork import refuse_forked_process

# Factor of the rate at the end of a named schedule.
_LEFT = 0.01
# Name -> factor of the rate after a share of the planned steps, as in Keras'
# CosineDecay and ExponentialDecay.
_NAMED = {
    # Loshchilov & Hutter (2017), without restarts.
    "cosine": lambda share: _LEFT + (1 - _LEFT) * (1 + np.cos(np.pi * share)) / 2,
    "exponential": lambda share: _LEFT**share,
}


class Schedule:
    """The learning rates of one training whose plan has a schedule or a warm-up."""

    def __init__(self, plan, n_batches):
        self._given, self._rate = plan.schedule, plan.learning_rate
        self._first = plan.first_epoch * n_batches
        self._planned = plan.planned_epochs * n_batches
        self._warmup = min(plan.warmup_steps, self._planned // 10)
        if not isinstance(plan.schedule, str | None):
            # It computes with the backend of Keras.
            refuse_forked_process()
        self._last = plan.learning_rate
        self._says = f"learning_rate_schedule={plan.schedule!r}"
        if plan.schedule is None:
            self._says = f"warmup_steps={plan.warmup_steps}"

    def go_on(self, rate):
        """Go on after a step that had this learning rate."""
        self._last = rate

    def next(self, step, n_steps, optimizer):
        """Return the rates of the steps from `step` on, as float32.

        Raises
        ------
        ValueError
            If a callback has set another learning rate in `optimizer`.
        """
        self._refuse_other_rate(float(optimizer.learning_rate))
        steps = self._first + np.arange(step, step + n_steps)
        rates = self._rates(steps) * np.minimum((steps + 1) / (self._warmup + 1), 1.0)
        with np.errstate(over="ignore"):
            rates = np.asarray(rates, np.float32)
        self._last = rates[-1]
        return rates

    def _rates(self, steps):
        if self._given is None:
            return np.full(len(steps), self._rate)
        if isinstance(self._given, str):
            share = np.minimum(steps / self._planned, 1.0)
            return self._rate * _NAMED[self._given](share)
        return np.array([float(self._given(int(step))) for step in steps])

    def _refuse_other_rate(self, rate):
        with np.errstate(over="ignore"):
            changed = np.float32(rate) != np.float32(self._last)
        if changed:
            raise ValueError(
                f"A callback has set the learning rate to {rate:.6g}, but "
                f"{self._says} decides on it at every step; use one of the two."
            )
