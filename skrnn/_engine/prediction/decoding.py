"""Decoding by an encoder and a decoder, in blocks of bounded size."""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import softmax

from skrnn._engine.cpu.decoder_state import DecoderState
from skrnn._engine.cpu.kernels.layer import Workspace
from skrnn._engine.cpu.kernels.threads import for_each
from skrnn._engine.cpu.run import PredictingRun
from skrnn._engine.prediction.beam_search import search
from skrnn._networks.encoder_decoder import encode, memory_of
from skrnn._networks.forward import named_weights

# Sequences that are decoded at once: enough that a step's many small operations don't
# count, few enough that a long output holds up the memory of few others.
BLOCK = 256


@dataclass
class Path:
    """One output, as it was decoded.

    Attributes
    ----------
    labels : ndarray of shape (H,)
        Without the end; H may be 0.
    probabilities : ndarray of shape (H, K) or (H + 1, K), or None
        Of every class at every step, with that of the end if it was reached.
    attended : ndarray of shape (H, T) or (H + 1, T), or None
        Attention of each step, a mean over heads.
    log_probability, score : float
        Log-probability of the labels and the end, and the score that compares paths.
    """

    labels: np.ndarray
    probabilities: Any = None
    attended: Any = None
    log_probability: float = 0.0
    score: float = 0.0


class Seq2SeqPredictor:
    """An encoder and a decoder with their weights; threads may share it."""

    def __init__(self, spec, weights):
        self.spec, self._of_thread = spec, threading.local()
        arrays = [np.ascontiguousarray(weight, np.float32) for weight in weights]
        self._w = named_weights(spec, arrays)

    def values(self, inputs, n_steps, future=None, *, attention=False):
        """Predict numbers (n, H, K), each from the one before.

        With `attention`, return the attention of each step instead: for every sequence
        an array (H, T).
        """
        shape = len(inputs), n_steps, self.spec.head.units
        found: Any = [None] * len(inputs) if attention else np.empty(shape, np.float32)

        def keep(rows, steps):
            own = np.zeros((len(rows), self.spec.head.units), np.float32)
            attended = []
            for t in range(n_steps):
                known = None if future is None else future[rows, t]
                own = steps.next(own, known, first=t == 0)
                if attention:
                    attended.append(mean_over_heads(steps.attended[0]))
                else:
                    found[rows, t] = own
            if attention:
                shares = np.stack(attended)
                for i, row in enumerate(rows):
                    found[row] = shares[:, : inputs.lengths[row], i]

        self._for_blocks(inputs, n_steps, keep)
        return found

    def greedy(self, inputs, limits, *, probabilities=False, attention=False):
        """Take the most likely label at every step: a `Path` for each sequence.

        `limits` (n,) are the most labels that each may have.
        """
        found: list = [None] * len(inputs)

        def keep(rows, steps):
            wanted = probabilities, attention
            for row, path in zip(
                rows, _greedy_paths(steps, limits[rows], *wanted), strict=True
            ):
                if attention:
                    path.attended = path.attended[:, : inputs.lengths[row]]
                found[row] = path

        self._for_blocks(inputs, limits.max(), keep)
        return found

    def beams(self, inputs, limits, n_beams, length_penalty, n_best):
        """Return the at most `n_best` best paths of a beam search for each sequence."""
        found: list = [None] * len(inputs)

        def keep(rows, steps):
            options = n_beams, length_penalty, n_best
            for row, best in zip(
                rows, search(steps, limits[rows], *options), strict=True
            ):
                found[row] = [
                    Path(labels, log_probability=log_p, score=score)
                    for labels, log_p, score in best
                ]

        self._for_blocks(inputs, limits.max() * n_beams, keep)
        return found

    def _for_blocks(self, inputs, n_steps, keep):
        """Call ``keep(rows, steps)`` for all sequences, similar lengths at once."""
        order = np.argsort(-inputs.lengths, kind="stable")
        blocks = [order[at : at + BLOCK] for at in range(0, len(order), BLOCK)]
        n_steps = inputs.n_steps + len(inputs) * n_steps
        work = self.spec.products * n_steps

        def run(rows):
            with np.errstate(all="ignore"):
                keep(rows, self._encode(inputs.take(rows)))

        for_each(run, blocks, work)

    def _encode(self, inputs):
        """Return a decoder that is ready for sequences, the longest first."""
        spec, w = self.spec, self._w
        mine = vars(self._of_thread)
        if not mine:
            mine["reading"], mine["writing"] = Workspace(), Workspace()
        mine["reading"].rewind()
        run = PredictingRun(inputs.lengths, mine["reading"])
        outputs, states = encode(run, spec, w, inputs.padded(), inputs.lengths)
        memory = None
        if spec.attention is not None:
            mask = run.real_steps(outputs, inputs.lengths)
            memory = memory_of(run, spec, w, outputs, mask)
        return DecoderState(spec, w, memory, states, mine["writing"])


def mean_over_heads(attended):
    """Return weights (S, B) of (S, B) or (S, B, heads)."""
    return attended.mean(axis=-1) if attended.ndim == 3 else attended


def _greedy_paths(steps, limits, probabilities, attention):
    """Decode all sequences of `steps`, a decoder that was just made."""
    which, labels, outputs, attended = [], [], [], []
    for rows, at, best, found in _greedy_steps(steps, limits):
        which.append(rows)
        labels.append(best)
        if probabilities:
            outputs.append(found[at])
        if attention:
            attended.append(mean_over_heads(steps.attended[0]).T[at])
    labels = _of_each(which, labels, len(limits))
    paths = [Path(each[each != steps.spec.end]) for each in labels]
    if probabilities:
        for path, each, z in zip(
            paths, labels, _of_each(which, outputs, len(limits)), strict=True
        ):
            path.probabilities = softmax(z.astype(np.float64), axis=-1)
            chosen = path.probabilities[np.arange(len(each)), each]
            path.log_probability = np.log(chosen).sum()
    if attention:
        for path, each in zip(
            paths, _of_each(which, attended, len(limits)), strict=True
        ):
            path.attended = each
    return paths


def _greedy_steps(steps, limits):
    """Yield at each step which sequences go on, their places, labels and all outputs.

    Sequences that have ended are left out in time.
    """
    end, rows = steps.spec.end, np.arange(len(limits))
    fed, going = np.full(len(rows), steps.spec.start, np.int32), rows >= 0
    for t in range(limits.max()):
        outputs = steps.next(fed)
        best, at = outputs.argmax(axis=1), np.flatnonzero(going)
        yield rows[at], at, best[at], outputs
        going &= (best != end) & (t + 1 < limits[rows])
        if not going.any():
            return
        fed = steps.best(outputs).astype(np.int32)
        # A smaller batch is worth its copying only if it is much smaller.
        if going.mean() < 0.75:
            rows, fed = rows[going], fed[going]
            steps.take(np.flatnonzero(going))
            going = rows >= 0


def _of_each(which, parts, n):
    """Concatenate the parts of each of `n` sequences in their order."""
    rows = np.concatenate(which)
    ordered = np.concatenate(parts)[np.argsort(rows, kind="stable")]
    return np.split(ordered, np.cumsum(np.bincount(rows, minlength=n))[:-1])
