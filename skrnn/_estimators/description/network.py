"""What every network tells about itself once it is trained."""

from collections.abc import Callable
from typing import Any

from sklearn.utils.validation import check_is_fitted

from skrnn._estimators.advice import AdvisedEstimator
from skrnn._estimators.description.page import box, fitted_attributes, network_table
from skrnn._estimators.description.summary import (
    Summary,
    Training,
    members_in_lines,
    summary_of,
)
from skrnn._estimators.description.weights import NetworkWeights, weights_by_layer
from skrnn._sklearn import check_arguments

# Reading them takes a while, or loads Keras.
_NOT_SHOWN = ("model_", "weights_")


class DescribedNetwork(AdvisedEstimator):
    """An estimator with a trained network that can be read: `_spec` and `_weights`."""

    _spec: Any
    _weights: list[Any]
    n_iter_: int
    best_epoch_: int
    history_: dict[str, list[float]]

    def _rescaling(self) -> dict[str, Any]:
        """Return how outputs become predictions; by default they are predictions."""
        return {}

    @property
    def weights_(self) -> NetworkWeights:
        """The weights of the trained network: layer -> name -> read-only array.

        Layers are named as in Keras: "lstm", "lstm_1"; "forward_lstm" and
        "backward_lstm" where both directions are read; "decoder_lstm"; "attention";
        "dense"; "head". Printing it shows names, shapes, and the order of the gates:
        input, forget, candidate and output of an LSTM; update, reset and candidate of a
        GRU. ``weights_["lstm"].gate("forget")`` returns the columns of one gate. The
        last layer of a regressor, "units_of_y", has the scale and the offset that turn
        outputs into predictions.

        :mod:`skrnn.reference` computes with them:
        ``reference.lstm(x, **model.weights_["lstm"])``.
        """
        check_is_fitted(self)
        return weights_by_layer(self._spec, self._weights, self._rescaling())

    def summary(self, print_fn: Callable[[str], Any] | None = None) -> None:
        """Print the layers of the network, their outputs and numbers of parameters.

        As ``keras.Model.summary`` does, but without Keras. In shapes, n is the number
        of sequences, T the number of their steps, and H the number of steps that a
        decoder predicts.

        Parameters
        ----------
        print_fn : callable or None, default=None
            Function to call with the text instead of ``print``.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import GRUClassifier
        >>> X = np.random.default_rng(0).normal(size=(40, 5, 2))
        >>> model = GRUClassifier(units=8, epochs=3, random_state=0)
        >>> model.fit(X, X[:, -1, 0] > 0).summary()
        GRUClassifier
        Layer (type)           Output shape  Parameters
        -----------------------------------------------
        input                  (n, T, 2)              0
        gru (GRU)              (n, 8)               288
        head (Dense, sigmoid)  (n, 1)                 9
        -----------------------------------------------
        Parameters: 297 (1.19 kB), all trainable
        Training: 3 epochs, loss 0.72...
        """
        check_arguments(
            {"print_fn": [callable, None]}, {"print_fn": print_fn}, "summary"
        )
        (print_fn or print)("\n".join(self._summary_lines()))

    def _summary_lines(self):
        check_is_fitted(self)
        return [type(self).__name__, *self._summary().lines()]

    def _summary(self) -> Summary:
        rescales = bool(self._rescaling())
        return summary_of(self._spec, self._training, rescales=rescales)

    @property
    def _training(self):
        return Training(self.n_iter_, self.best_epoch_, self.history_)

    def _get_fitted_attr_html(self, doc_link=""):
        if not hasattr(self, "_weights"):
            return fitted_attributes(self, doc_link, without=_NOT_SHOWN)
        table = network_table(self._summary())
        return fitted_attributes(self, doc_link, without=_NOT_SHOWN, before=table)

    def _sk_visual_block_(self):
        return box(self, self._summary() if hasattr(self, "_weights") else None)


class DescribedEnsemble(AdvisedEstimator):
    """An estimator with fitted members, `estimators_`, most of them networks."""

    estimators_: list[Any]

    def _facts(self) -> dict[str, Any]:
        """Return what was chosen for all members, by its name."""
        return {}

    def _inputs(self) -> dict[str, str]:
        """Return what the members read beside the series, by when it is known."""
        return {}

    def summary(self, print_fn: Callable[[str], Any] | None = None) -> None:
        """Print what was chosen, what is read, and the layers of each member's network.

        Members that are equal but for their weights are printed once.

        Parameters
        ----------
        print_fn : callable or None, default=None
            Function to call with the text instead of ``print``.
        """
        check_arguments(
            {"print_fn": [callable, None]}, {"print_fn": print_fn}, "summary"
        )
        (print_fn or print)("\n".join(self._summary_lines()))

    def _summary_lines(self):
        check_is_fitted(self)
        chosen = ", ".join(f"{name} {value}" for name, value in self._facts().items())
        n = len(self.estimators_)
        first = f"{type(self).__name__}: {chosen}, {n} member{'s' if n > 1 else ''}"
        inputs = [f"{known}: {names}" for known, names in self._inputs().items()]
        return [first, *inputs, *members_in_lines(self.estimators_)]

    def _get_fitted_attr_html(self, doc_link=""):
        tables = ""
        if hasattr(self, "estimators_"):
            for number, member in enumerate(self.estimators_, start=1):
                if isinstance(member, DescribedNetwork):
                    summary = member._summary()
                    title, is_first = f"Network of member {number}", number == 1
                    tables += network_table(summary, title, is_open=is_first)
        return fitted_attributes(self, doc_link, before=tables)
