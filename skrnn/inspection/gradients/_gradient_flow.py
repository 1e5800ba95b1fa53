"""The norms of a loss's gradients at every step of a network."""

import math
from typing import Any

from sklearn.utils import Bunch

from skrnn._data.typing import SequenceData, Targets, Weights
from skrnn._estimators import inspected
from skrnn._sklearn import StrOptions, check_arguments
from skrnn.inspection._found import Found
from skrnn.inspection._parts import reach_network


def gradient_flow(
    estimator: Any,
    X: SequenceData,
    y: Targets | None = None,
    *,
    sample_weight: Weights | None = None,
    answers: str = "all",
) -> Bunch:
    """Measure how the gradient of the loss flows back through the steps.

    A network learns from an early step only through the gradient that reaches it: the
    derivative of the loss with respect to the hidden state there. Each step back
    multiplies the gradient by the derivative of the state with respect to the previous
    state. In a plain network these factors are similar, so their product vanishes or
    explodes (Bengio et al., 1994; Pascanu et al., 2013). An LSTM or a GRU adds to its
    state, so a gradient passes unchanged through an open gate (Hochreiter &
    Schmidhuber, 1997).

    Parameters
    ----------
    estimator : estimator
        A fitted network of skrnn, or a Pipeline or search that ends in one. To see how
        a network starts out, fit it with ``epochs=1`` and a tiny `learning_rate`.
    X : array-like or list of array-likes
        Sequences of any length, in one of the forms that ``fit`` takes.
    y : array-like or list of array-likes, default=None
        Their targets; a :class:`~skrnn.SequenceOutlierDetector` has none.
    sample_weight : array-like, default=None
        Weights in the loss, in a form that ``fit`` takes.
    answers : {"all", "last"}, default="all"
        If a network answers at each step: differentiate the loss of all answers, as in
        training, or that of the last answer only. With "all" each step has the gradient
        of its own answer, which hides how little comes back from later ones.

    Returns
    -------
    flow : :class:`~sklearn.utils.Bunch`
        Norms are Euclidean, of each sequence's own loss in the units that training
        minimises, with the weights of classes that ``fit`` had, and means over the
        sequences that have the step. Steps are those of X; no sequence reads a step of
        NaN.

        hidden : ndarray of shape (n_layers, T)
            Norm of the derivative of the loss by the hidden state h_t of a recurrent
            layer, through all later steps and layers. Of both directions together, if
            it has two. Of an encoder and decoder the encoder's.
        directions : dict of str to ndarray of shape (n_layers, T)
            The same for "forward" and "backward" by itself.
        inputs : ndarray of shape (T,)
            Norm of the derivative by what the network reads at a step: the features,
            or the vectors of token ids.
        saturated : dict of str to ndarray of shape (n_layers, T)
            Gate -> share of its units that are below .1 or above .9 (Karpathy et al.,
            2015), where a sigmoid is flat. What an activation bounds counts where that
            is as flat: tanh beyond .8. A plain network has "hidden" alone.
        weights : dict of str to float
            Norm of the gradient of the mean loss by each array of weights that is
            trained, before `clipnorm` and `global_clipnorm` cut it. "lstm/kernel" is
            that of ``weights_["lstm"]["kernel"]``.
        clipped : dict of str to float
            The same norms after `clipnorm` and `global_clipnorm` of the network, as the
            optimizer would get them for this batch.
        loss : float
            The mean loss of the sequences.
        n_sequences : ndarray of int of shape (T,)
            Number of sequences that are long enough to have the step.

    Raises
    ------
    TypeError
        If the estimator is no network of skrnn, and ends in none.
    ValueError
        For X and y that ``fit`` wouldn't take.

    See Also
    --------
    GradientFlowDisplay : Draw it for several estimators, with what would help.
    gates : The gates themselves.

    Notes
    -----
    The gradients are computed in double precision with NumPy, for any `engine`: without
    dropout, and behind convolutions with the statistics that predictions use. For an
    LSTM they are those of h_t; the cell state isn't a separate variable.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.inspection import gradient_flow
    >>> X = np.random.default_rng(0).normal(size=(64, 60, 1))
    >>> y = X[:, 0, 0]  # what counts is at the very beginning
    >>> model = RNNRegressor(units=8, epochs=1, random_state=0).fit(X, y)
    >>> flow = gradient_flow(model, X, y)
    >>> flow.hidden.shape, flow.inputs.shape
    ((1, 60), (60,))
    >>> bool(flow.hidden[0, 0] < 0.01 * flow.hidden[0, -1])  # it vanishes
    True
    """
    check_arguments(
        {"answers": [StrOptions({"all", "last"})]},
        {"answers": answers},
        "gradient_flow",
    )
    reached = reach_network(estimator, X, "gradient_flow", y)
    given = reached.network, reached.X, reached.y, sample_weight
    flow = inspected.gradient_flow(*given, last=answers == "last")
    clipped = _clipped(flow.weights, reached.network)
    return Found(**vars(flow), clipped=clipped)


def _clipped(norms, network):
    """Return the norms of arrays after training has cut them.

    Clipping scales an array, so its norm is all that counts; that of all of them
    together is cut first.
    """
    limit, limit_of_all = (
        math.inf if each is None else float(each)
        for each in (network.clipnorm, network.global_clipnorm)
    )
    of_all = math.hypot(*norms.values())
    share = limit_of_all / of_all if of_all > limit_of_all else 1.0
    return {name: min(share * norm, limit) for name, norm in norms.items()}
