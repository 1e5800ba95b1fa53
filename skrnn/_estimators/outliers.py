"""The public estimator that tells unusual sequences from the others."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from skrnn._data.datasets import of_own_steps
from skrnn._data.validation import check_sequences
from skrnn._estimators.docs.recurrent import recurrent_estimator
from skrnn._estimators.names import Names, named
from skrnn._estimators.network_base import BaseNetwork
from skrnn._estimators.recurrent_layers import RecurrentLayers
from skrnn._estimators.tasks import SequenceOutlierMixin
from skrnn._estimators.tasks.documentation import Row
from skrnn._networks.architecture import prediction_spec, reconstruction_spec
from skrnn._networks.cells import CELLS
from skrnn._sklearn import Count, StrOptions

# Further from the center a network reads every value as so far, in units of the scale:
# one outlier in a window must not drive all of its states to their limits.
_FARTHEST = 100.0


_DOCS: dict[str, Row] = {
    "method": (
        '{"prediction", "reconstruction"}',
        """What the network tells: each step from the steps before it (Malhotra et al.,
        2015), or all steps of a sequence from `latent_dim` numbers that an encoder
        makes of it (Malhotra et al., 2016).""",
    ),
    "latent_dim": (
        "int",
        """Numbers that a sequence is reconstructed from. The fewer, the more a sequence
        has to be like the others. Prediction doesn't read it.""",
    ),
}


@dataclass(kw_only=True, eq=False, repr=False)
class BaseSelfTaught(RecurrentLayers, BaseNetwork):
    """A network that tells the steps of X; a mixin adds what its errors mean."""

    cell: str = "lstm"
    method: str = "prediction"
    latent_dim: int = 4

    _network_docs: ClassVar[Mapping[str, Row]] = _DOCS
    _tells_X: ClassVar[bool] = True
    _network_constraints = {
        "cell": [Names("cell", CELLS.keys())],
        "method": [StrOptions({"prediction", "reconstruction"})],
        "latent_dim": [Count()],
    }

    def _check_X(self, X, *, reset, min_samples=1, trains=False):
        """Read X as packed sequences of numbers."""
        return check_sequences(
            self,
            X,
            reset=reset,
            dtype=[np.float64, np.float32],
            ensure_min_samples=min_samples,
            trains=trains,
            tokens=False,
            each_row_is_one=True,
        )

    def _train(self, X, y, sample_weight, **options):
        trained = super()._train(X, y, sample_weight, **options)
        self._learn_errors(self._check_X(X, reset=False))
        return trained

    def _as_if_ended(self, X, *how):
        ended = copy(self)
        ended.__dict__.update(super()._as_if_ended(X, *how))
        ended._learn_errors(ended._check_X(X, reset=False))
        return vars(ended)

    def _dataset(self, X, y, sample_weight, known, known_target):
        if not known:
            self._learn_input(X)
        return of_own_steps(self._in_units(X))

    def _in_units(self, sequences):
        """Return the sequences as the network reads them."""
        with np.errstate(over="ignore"):
            values = (sequences.values - self.center_) / self.scale_
        values = np.clip(values, -_FARTHEST, _FARTHEST).astype(np.float32)
        return replace(sequences, values=values)

    @property
    def _n_untold(self):
        """Steps at the start of a sequence that there is nothing to tell from."""
        return 1 if self.method == "prediction" else 0

    def _network(self, X, resume):
        cell, activation = named(self, "cell", "activation")
        common = dict(
            cell=cell,
            units=self.units,
            n_features=X.n_features,
            head=self._head(),
            dense_units=self.dense_units,
            activation=activation,
            layer_norm=bool(self.layer_norm),
            dropout=float(self.dropout),
            recurrent_dropout=float(self.recurrent_dropout),
            timescales=self.timescales,
            memory=self.memory,
        )
        if self.method == "prediction":
            return prediction_spec(**common), None
        return reconstruction_spec(latent_dim=int(self.latent_dim), **common), None


@recurrent_estimator
class SequenceOutlierDetector(SequenceOutlierMixin, BaseSelfTaught):
    """Recurrent network that finds odd sequences, or odd rows of a series.

    It learns to tell the steps of the training sequences, each from those before it or
    all from a short code. Where it errs more than it usually does, something is odd.

    The score of a sequence is ``-sqrt(mean((e / error_scale_) ** 2))``, where e are the
    errors of its scored steps, each feature by itself, in units of `scale_`: the
    distance of Malhotra et al. (2015) for errors that are independent. All units are
    medians, which outliers in the training data don't move (Leys et al., 2013). Where
    errors are normal a usual sequence scores about -1.

    With ``contamination="auto"`` an outlier is what lies 5 standard deviations above
    the median of the training scores, in the power of them (2/3) that makes mean
    squares nearly normal (Wilson & Hilferty, 1931).

    The rows of a series become sequences by
    :class:`~skrnn.preprocessing.SlidingWindow`, in a pipeline that gives a score for
    each row. With ``warmup="pad"`` its first rows have little to be told from.
    """
