"""Beam search: the most likely outputs among those that a few decoders find."""

from bisect import insort

import numpy as np


def search(steps, limits, n_beams, length_penalty, n_best):
    """Find outputs for every sequence of `steps`, a decoder that was just made.

    At every step each sequence has `n_beams` unfinished outputs, the most likely ones.
    An output is finished if its end is among the `n_beams` most likely continuations,
    or if it reaches its sequence's limit. A sequence is done when no unfinished output
    can still become one of its `n_best`, so nothing is lost by stopping there.

    Returns
    -------
    found : list of lists of tuples
        For every sequence labels, log-probability and score of at most `n_best`
        outputs, the best first.
    """
    beams = Beams(steps, limits, n_beams, length_penalty, n_best)
    for t in range(limits.max()):
        beams.step(t)
        if not beams.going.any():
            break
    return beams.found


class Beams:
    """The unfinished outputs, one and then up to `n_beams`, and the finished ones.

    Attributes
    ----------
    rows : ndarray of shape (B,)
        The sequences that are still worked on.
    going : ndarray of bool of shape (B,)
        Whether they must be continued.
    found : list of lists
        For every sequence ``(labels, log_probability, score)``, the best first.
    """

    def __init__(self, steps, limits, n_beams, length_penalty, n_best):
        self.steps, self.limits = steps, limits
        self.n_beams, self.n_best = n_beams, n_best
        self.length_penalty = length_penalty
        n = len(limits)
        self.rows, self.going = np.arange(n), np.ones(n, bool)
        self.found: list[list] = [[] for _ in range(n)]
        # The score that is to be beaten.
        self._least = np.full(n, -np.inf)
        # Their log-probabilities (k, B), labels (k, B, H), and the last of these.
        self._alive = np.zeros((1, n), np.float32)
        self._paths = np.zeros((1, n, limits.max()), np.int32)
        self._fed = np.full(n, steps.spec.start, np.int32)

    def step(self, t):
        """Make every unfinished output one label longer."""
        outputs = self.steps.next(self._fed, n=len(self._alive))
        values, parents, labels = self._candidates(outputs)
        is_end = labels == self.steps.spec.end
        self._finish(t, values, parents, is_end)
        order = np.argsort(is_end, axis=1, kind="stable")[:, : self.n_beams]
        values, parents, labels = (
            np.take_along_axis(each, order, axis=1).T
            for each in (values, parents, labels)
        )
        columns = np.arange(len(self.rows))
        is_end = labels == self.steps.spec.end
        self._alive = np.where(is_end, np.float32(-np.inf), values)
        self._paths = self._paths[parents, columns]
        self._paths[:, :, t] = labels
        self._cut(t)
        self._stop()
        self._go_on(parents, labels)

    def _candidates(self, outputs):
        """Return the best continuations, (B, m) each: log-probability, parent, label.

        Twice as many as beams, because half of them may be ends.
        """
        outputs = outputs.reshape(*self._alive.shape, -1)
        n_classes = outputs.shape[-1]
        outputs = outputs - outputs.max(axis=-1, keepdims=True)
        outputs -= np.log(np.exp(outputs).sum(axis=-1, keepdims=True))
        outputs += self._alive[..., None]
        flat = np.moveaxis(outputs, 0, 1).reshape(len(self.rows), -1)
        m = min(2 * self.n_beams, flat.shape[1])
        best = np.argpartition(flat, -m, axis=1)[:, -m:]
        # Sorted by number first, so that the order of equal ones isn't random.
        best.sort(axis=1)
        values = np.take_along_axis(flat, best, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        best, values = (np.take_along_axis(a, order, axis=1) for a in (best, values))
        return values, best // n_classes, best % n_classes

    def _finish(self, t, values, parents, is_end):
        values = values[:, : self.n_beams]
        is_end = is_end[:, : self.n_beams] & self.going[:, None]
        for i, j in np.argwhere(is_end & self._is_better(t, values.T).T):
            path = self._paths[parents[i, j], i, :t]
            self._add(self.rows[i], path, values[i, j], t + 1)

    def _cut(self, t):
        """Finish what has reached its limit."""
        is_over = self.going & (self.limits[self.rows] == t + 1)
        for k, i in np.argwhere(is_over & self._is_better(t, self._alive)):
            path = self._paths[k, i, : t + 1]
            self._add(self.rows[i], path, self._alive[k, i], t + 1)
        self.going &= ~is_over

    def _is_better(self, t, log_p):
        """Whether outputs (k, B) that end at step `t` are better than those found."""
        return log_p / self._penalty(t + 1) > self._least[self.rows]

    def _add(self, row, path, log_p, n_steps):
        found, log_p = self.found[row], float(log_p)
        score = log_p / self._penalty(n_steps)
        insort(found, (path.copy(), log_p, score), key=lambda entry: -entry[2])
        del found[self.n_best :]
        if len(found) == self.n_best:
            self._least[row] = found[-1][2]

    def _penalty(self, n_steps):
        """Return what divides a log-probability (Wu et al., 2016, equation 14)."""
        return ((5 + n_steps) / 6) ** self.length_penalty

    def _stop(self):
        """Find the sequences whose outputs can't improve any more."""
        most = self._alive.max(axis=0) / self._penalty(self.limits[self.rows])
        self.going &= most > self._least[self.rows]

    def _go_on(self, parents, labels):
        keep = np.arange(len(self.rows))
        # A smaller batch is worth its copying only if it is much smaller.
        if self.going.mean() < 0.75:
            keep = np.flatnonzero(self.going)
            if self.steps.memory is not None:
                self.steps.memory = self.steps.memory.take(keep)
        columns = parents * len(self.rows) + np.arange(len(self.rows))
        self.steps.continue_from(columns[:, keep].ravel())
        self._fed = labels[:, keep].astype(np.int32).ravel()
        self._alive, self._paths = self._alive[:, keep], self._paths[:, keep]
        self.rows, self.going = self.rows[keep], self.going[keep]
