"""The public estimator that finds unusual sequences."""

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

# Values are clipped at this distance from the center, in units of the scale: one
# outlier in a window must not drive all states to their limits.
_FARTHEST = 100.0


_DOCS: dict[str, Row] = {
    "method": (
        '{"prediction", "reconstruction"}',
        """"prediction" predicts each step from the steps before it (Malhotra et al.,
        2015). "reconstruction" restores all steps of a sequence from `latent_dim`
        numbers into which an encoder compresses it (Malhotra et al., 2016).""",
    ),
    "latent_dim": (
        "int",
        """How many numbers a sequence is reconstructed from. With fewer, only sequences
        like those in training are reconstructed well. Ignored for prediction.""",
    ),
}


@dataclass(kw_only=True, eq=False, repr=False)
class BaseSelfTaught(RecurrentLayers, BaseNetwork):
    """A network that predicts the steps of X; a mixin adds what its errors mean."""

    cell: str = "lstm"
    method: str = "prediction"
    latent_dim: int = 4

    _network_docs: ClassVar[Mapping[str, Row]] = _DOCS
    _tells_X: ClassVar[bool] = True
    _rescales_X: ClassVar[bool] = True
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
        """Number of first steps of a sequence that can't be predicted."""
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

    It learns to predict each step of the training sequences from those before it, or to
    reconstruct all of them from a short code. Unusually large errors mark something
    odd.

    The score of a sequence is ``-sqrt(mean((e / error_scale_) ** 2))``, where e are the
    errors of its scored steps, for each feature, in units of `scale_`. This is the
    distance of Malhotra et al. (2015) for independent errors. All units are medians,
    which outliers in the training data don't move (Leys et al., 2013). If errors are
    normally distributed, a usual sequence scores about -1.

    With ``contamination="auto"``, outliers lie more than 5 standard deviations above
    the median size of the training scores. Sizes are compared to the power of 2/3,
    which makes mean squares nearly normal (Wilson & Hilferty, 1931).

    The rows of a series become sequences by
    :class:`~skrnn.preprocessing.SlidingWindow`, in a pipeline that gives a score for
    each row. With ``warmup="pad"`` the first rows have few rows before them to be
    predicted from.
    """
