"""The likelihood of a chain of labels, and the probability of each label in it.

The score of labels y_1 ... y_T is

    start[y_1] + x_1[y_1] + sum over t > 1 of (transitions[y_(t-1), y_t] + x_t[y_t])
    + end[y_T]

with emissions x, and their probability is proportional to its exponential (Lafferty et
al., 2001). The forward algorithm sums over all sequences of labels. Here it is a cell:
its state is, for each label, the logarithm of the sum over all sequences that end with
it. So each engine computes it with its loop over steps, exact for any lengths.
"""

from dataclasses import dataclass, field
from typing import Any

from skrnn._networks.weights import Weight

# The score of what is excluded, among the weights. It is no lower, because some
# optimizers make steps as long as their weights are.
EXCLUDED = -1e4
# What it counts as, and the score of other labels where the true one is known. It is
# finite, because infinity minus infinity is NaN, and no emission makes up for it: those
# of large inputs behind an activation without bounds exceed EXCLUDED.
_NEVER = -1e30


def crf_weights(n_labels: int) -> list[Weight]:
    """List the weights of a chain of `n_labels` labels."""
    return [
        Weight("crf/transitions", (n_labels, n_labels), "zeros"),
        Weight("crf/start", (n_labels,), "zeros"),
        Weight("crf/end", (n_labels,), "zeros"),
    ]


@dataclass(frozen=True)
class Chain:
    """The weights of a chain.

    Attributes
    ----------
    transitions : array of shape (K, K)
        Score of label j after label i, at [i, j].
    start, end : array of shape (K,)
        Scores of the first and of the last label.
    """

    transitions: Any
    start: Any
    end: Any

    @classmethod
    def of(cls, w) -> "Chain":
        """Return the chain in a network's weights by name."""
        return cls(w["crf/transitions"], w["crf/start"], w["crf/end"])

    def excluding(self, ops) -> "Chain":
        """Return the chain with scores that no emission makes up for."""
        scores = self.transitions, self.start, self.end
        # No network learns such a score, whatever the decay of weights.
        return Chain(*(ops.where(x < EXCLUDED / 10, x * 0 + _NEVER, x) for x in scores))

    def reversed(self, ops) -> "Chain":
        """Return the chain of the same labels read backwards."""
        return Chain(ops.transpose(self.transitions, (1, 0)), self.end, self.start)


class _SumOfPaths:
    """A cell: its state is the log of the sum over all labels before, for each label.

    A second state, one number, is 0 before the first step and 1 after it.
    """

    keras_layer = None
    tensorflow_kernel = None

    def state_shapes(self, units):
        return ((units,), (1,))

    def project(self, ops, w, x):
        return (x,)

    def step(self, ops, activation, w, projected, states, drop):
        (x,), (sums, begun) = projected, states
        n = w["start"].shape[0]
        paths = ops.reshape(sums, (-1, n, 1)) + w["transitions"]
        before = begun * _logsumexp(ops, paths, 1) + (1 - begun) * w["start"]
        return before + x, begun * 0 + 1

    def output(self, states):
        return states[0]

    def gate_values(self, ops, activation, w, projected, states):
        return {}


SUM_OF_PATHS = _SumOfPaths()


@dataclass(frozen=True)
class _ChainRun:
    """The cell with its weights, as `Run.recur` takes it."""

    units: int
    weights: dict[str, Any] = field(repr=False)
    name: str = "crf"
    activation: str = "linear"
    drops: bool = False
    cell: Any = SUM_OF_PATHS

    def zeros(self, make, n_sequences):
        """Return the states before the first step, each by ``make(shape)``."""
        shapes = self.cell.state_shapes(self.units)
        return tuple(make((n_sequences, *shape)) for shape in shapes)


def _sums(run, chain, x, lengths, *, final=False):
    """Return the log of the sum over all labels up to each step, (T, B, K)."""
    weights = {"transitions": chain.transitions, "start": chain.start}
    return run.recur(_ChainRun(x.shape[-1], weights), x, lengths, final=final)


def log_partition(run, chain: Chain, x, lengths):
    """Return the log of the sum over all sequences of labels.

    Parameters
    ----------
    run : Run
    chain : Chain
    x : array of shape (T, B, K)
        Emissions; values at padding don't matter, as long as they are finite.
    lengths : array of shape (B,)

    Returns
    -------
    logarithms : array of shape (B,)
    """
    chain = chain.excluding(run.ops)
    _, states = _sums(run, chain, x, lengths, final=True)
    return _logsumexp(run.ops, states[0] + chain.end, -1)


def losses(run, chain: Chain, x, is_allowed, lengths):
    """Return the negative log-likelihood of each sequence's labels.

    Parameters
    ----------
    x : array of shape (T, B, K)
        Emissions.
    is_allowed : array of bool of shape (T, B, K)
        Which labels each step may have: only the true one, or all of them where it
        isn't known. Then the likelihood is the sum over all of them (Tsuboi et al.,
        2008).
    lengths : array of shape (B,)

    Returns
    -------
    losses : array of shape (B,)
    """
    ops = run.ops
    known = ops.where(is_allowed, x, _NEVER + 0 * x)
    # Both sums in one loop over the steps.
    both = ops.concatenate([x, known], axis=1)
    lengths = ops.concatenate([lengths, lengths], axis=0)
    of_all, of_known = ops.split(log_partition(run, chain, both, lengths), 2, axis=0)
    return of_all - of_known


def marginals(run, chain: Chain, x, lengths):
    """Return the probability of each label at each step, by forward-backward.

    Parameters
    ----------
    x : array of shape (T, B, K)
        Emissions.
    lengths : array of shape (B,)

    Returns
    -------
    probabilities : array of shape (T, B, K)
        Of each real step; they sum to 1.
    """
    chain = chain.excluding(run.ops)
    until, _ = _sums(run, chain, x, lengths)
    backwards = run.reverse(x, lengths)
    since, _ = _sums(run, chain.reversed(run.ops), backwards, lengths)
    # Both have the step's own emission.
    return run.ops.softmax(until + run.reverse(since, lengths) - x, axis=-1)


def _logsumexp(ops, x, axis):
    highest = ops.max(x, axis=axis, keepdims=True)
    sums = ops.sum(ops.exp(x - highest), axis=axis)
    return ops.log(sums) + ops.max(x, axis=axis)
