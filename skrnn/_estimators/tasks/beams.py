"""Several label sequences for each sequence, and their scores."""

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin

from skrnn._data.typing import SequenceData
from skrnn._estimators.one_fit import of_one_fit
from skrnn._sklearn import Count


class BeamsMixin(ClassifierMixin):
    """What a beam search finds, for classifiers that write label sequences."""

    @of_one_fit
    def predict_beams(
        self, X: SequenceData, n_best: int | None = None
    ) -> list[list[tuple[Any, float]]]:
        """Predict several label sequences for each sequence of X, and their scores.

        Parameters
        ----------
        X : list of str, array-like or list of array-likes
            Sequences of any length, in one of the forms that ``fit`` takes.
        n_best : int, default=None
            How many, at most `n_beams`; None means `n_beams`.

        Returns
        -------
        beams : list of lists of tuples
            For each sequence of X at most `n_best` pairs ``(labels, score)``, the best
            first, labels in the form of the y of ``fit``. The score is the logarithm of
            the sequence's probability, its end included, divided by
            ``((5 + length) / 6) ** length_penalty`` (Wu et al., 2016), the end counted
            in the length.

        Raises
        ------
        ValueError
            If `n_best` isn't from 1 to `n_beams`.
        """
        sequences = self._sequences(X)
        n_best = self.n_beams if n_best is None else n_best
        if not Count().is_satisfied_by(n_best) or n_best > self.n_beams:
            raise ValueError(
                f"n_best must be an int from 1 to n_beams={self.n_beams}. "
                f"Got {n_best!r}."
            )
        found = self._search(sequences, n_best)
        ends = np.cumsum([len(beams) for beams in found])
        labels = self._restored([beam.labels for beams in found for beam in beams])
        return [
            [(labels[end - len(beams) + i], b.score) for i, b in enumerate(beams)]
            for end, beams in zip(ends, found, strict=True)
        ]

    def _search(self, sequences, n_best):
        """Return the `n_best` best paths of each sequence."""
        limits = self._limits(sequences)
        if self.n_beams > 1:
            # Of NumPy's small types 2 * n_beams may be another number.
            options = int(self.n_beams), self.length_penalty, int(n_best)
            return self._predictor().beams(sequences, limits, *options)
        # One beam is the greedy path.
        paths = self._predictor().greedy(sequences, limits, probabilities=True)
        for path in paths:
            penalty = ((5 + len(path.probabilities)) / 6) ** self.length_penalty
            path.score = path.log_probability / penalty
        return [[path] for path in paths]
