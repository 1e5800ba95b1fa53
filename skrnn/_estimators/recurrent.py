"""The public recurrent estimators: each is a task, a network and a cell."""

from skrnn._estimators.base import BaseRecurrent
from skrnn._estimators.docs.recurrent import recurrent_estimator
from skrnn._estimators.tasks import SequenceClassifierMixin, SequenceRegressorMixin


@recurrent_estimator
class RNNRegressor(SequenceRegressorMixin, BaseRecurrent):
    """Simple recurrent network (Elman, 1990) that predicts numbers from sequences.

    The cheapest cell, and the one that forgets first: for long dependencies take
    :class:`GRURegressor` or :class:`LSTMRegressor`.
    """

    cell = "rnn"


@recurrent_estimator
class LSTMRegressor(SequenceRegressorMixin, BaseRecurrent):
    """Long short-term memory that predicts numbers from sequences.

    The cell of Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al.
    (2000).
    """

    cell = "lstm"


@recurrent_estimator
class GRURegressor(SequenceRegressorMixin, BaseRecurrent):
    """Gated recurrent units that predict numbers from sequences.

    The cell of Cho et al. (2014), with three quarters of an LSTM's weights.
    """

    cell = "gru"


@recurrent_estimator
class SequenceRegressor(SequenceRegressorMixin, BaseRecurrent):
    """Recurrent network with any cell that predicts numbers from sequences.

    The same as :class:`RNNRegressor`, :class:`LSTMRegressor` and :class:`GRURegressor`
    with the cell as a parameter, so that a search can choose it.
    """

    cell: str = "lstm"


@recurrent_estimator
class RNNClassifier(SequenceClassifierMixin, BaseRecurrent):
    """Simple recurrent network (Elman, 1990) that classifies sequences.

    The cheapest cell, and the one that forgets first: for long dependencies take
    :class:`GRUClassifier` or :class:`LSTMClassifier`.
    """

    cell = "rnn"


@recurrent_estimator
class LSTMClassifier(SequenceClassifierMixin, BaseRecurrent):
    """Long short-term memory that classifies sequences.

    The cell of Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al.
    (2000).
    """

    cell = "lstm"


@recurrent_estimator
class GRUClassifier(SequenceClassifierMixin, BaseRecurrent):
    """Gated recurrent units that classify sequences.

    The cell of Cho et al. (2014), with three quarters of an LSTM's weights.
    """

    cell = "gru"


@recurrent_estimator
class SequenceClassifier(SequenceClassifierMixin, BaseRecurrent):
    """Recurrent network with any cell that classifies sequences.

    The same as :class:`RNNClassifier`, :class:`LSTMClassifier` and
    :class:`GRUClassifier` with the cell as a parameter, so that a search can choose it.
    """

    cell: str = "lstm"
