"""What a network does at each step: its hidden states and its gates."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skrnn._data.typing import Array, SequenceData
from skrnn._estimators.inspected import recurrent_layers, traced
from skrnn.inspection._found import Found
from skrnn.inspection._parts import reach_network


def hidden_states(
    estimator: Any,
    X: SequenceData,
    *,
    layer: int = -1,
    direction: str | None = None,
    state: str | None = None,
) -> Array:
    """Return the output of a recurrent layer at every step, or another of its states.

    Parameters
    ----------
    estimator : estimator
        A fitted network of skrnn, or a Pipeline or search that ends in one. Of an
        encoder and decoder the encoder's layers are meant.
    X : array-like or list of array-likes
        Sequences of any length, in one of the forms that ``fit`` takes. Texts of a
        :class:`~skrnn.text.TextGenerator`: its first step is the beginning, and each
        token is a step after it.
    layer : int, default=-1
        Which recurrent layer: 0 is the first one, -1 the last.
    direction : {"forward", "backward"} or None, default=None
        One direction of a bidirectional layer; None puts both side by side.
    state : str or None, default=None
        Another one of those that :func:`gates` returns by name, such as the
        "cell_state" of an LSTM; None is the output. Of ``cell="ntm"`` "read_weights"
        and "write_weights" are the addresses: each slot's share, (n, T, slots), of what
        is read from the memory and of what is written to it.

    Returns
    -------
    states : ndarray of shape (n, T, units)
        Between -1 and 1 with ``activation="tanh"``; of both directions (n, T,
        2 * units). The backward one has read a step and all that follow it. Sequences
        of different lengths are filled up with zeros, as those of
        :func:`attention_weights` are; padding stays where X has it.

    Raises
    ------
    TypeError
        If the estimator is no network of skrnn, and ends in none.
    ValueError
        If there is no such layer, direction or state.

    See Also
    --------
    gates : How the layer came to its states.
    MemoryDisplay : Draw the addresses of ``cell="ntm"``.
    SequenceOutputDisplay : Draw them for one sequence.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import LSTMRegressor
    >>> from skrnn.inspection import hidden_states
    >>> X = np.random.default_rng(0).normal(size=(40, 6, 2))
    >>> model = LSTMRegressor(units=3, epochs=2, random_state=0).fit(X, X[:, -1, 0])
    >>> states = hidden_states(model, X)
    >>> states.shape
    (40, 6, 3)
    >>> np.allclose(states[:, -1], model.transform(X))  # the last step's
    True
    """
    reached = reach_network(estimator, X, "hidden_states", texts=True)
    layer = _number_of_layer(reached.network, layer)
    known = recurrent_layers(reached.network)[layer].directions
    wanted = known if direction is None else (_known(direction, known),)
    found, sequences = traced(reached.network, reached.X, layer)
    states = [_state(found[each], state, reached.network) for each in wanted]
    return filled_up(np.concatenate(states, axis=-1), sequences)


def gates(
    estimator: Any,
    X: SequenceData,
    *,
    layer: int = -1,
    direction: str = "forward",
) -> Bunch:
    """Return the gates of an LSTM or GRU at every step.

    Of an LSTM these are the gates of Hochreiter & Schmidhuber (1997) and Gers et al.
    (2000), where s is the sigmoid and a the activation, tanh if not told otherwise::

        input      i = s(W_i x + U_i h + b_i)      how much of the candidate is let in
        forget     f = s(W_f x + U_f h + b_f)      how much of the cell state is kept
        candidate  g = a(W_g x + U_g h + b_g)      what may be let in
        output     o = s(W_o x + U_o h + b_o)      how much of the cell state is shown
        cell_state c' = f * c + i * g              and h' = o * a(c')

    Of a GRU those of Cho et al. (2014)::

        update     z = s(W_z x + U_z h + b_z)      how much of the state is kept
        reset      r = s(W_r x + U_r h + b_r)      how much of it the candidate sees
        candidate  g = a(W_g x + b_g + r * (U_g h + d_g))
                                                   and h' = z * h + (1 - z) * g

    Of a Neural Turing Machine (Graves et al., 2014) those of its LSTM, and what its
    heads do with the memory: the shares of the slots, "read_weights" and
    "write_weights", and what is written, "erase" and "add". :func:`skrnn.reference.ntm`
    has the equations.

    Parameters
    ----------
    estimator : estimator
        A fitted network of skrnn whose cell has gates, or a Pipeline or search that
        ends in one. Of an encoder and decoder the encoder's layers are meant.
    X : array-like or list of array-likes
        Sequences of any length, in one of the forms that ``fit`` takes. Texts of a
        :class:`~skrnn.text.TextGenerator`: its first step is the beginning, and each
        token is a step after it.
    layer : int, default=-1
        Which recurrent layer: 0 is the first one, -1 the last.
    direction : {"forward", "backward"}, default="forward"
        Which direction of a bidirectional layer.

    Returns
    -------
    gates : :class:`~sklearn.utils.Bunch`
        Name -> ndarray of shape (n, T, units), as above; of a memory's heads (n, T,
        slots) or (n, T, width). Gates are between 0 (shut) and 1 (open). Sequences
        of different lengths are filled up with zeros.

    Raises
    ------
    TypeError
        If the estimator is no network of skrnn, and ends in none.
    ValueError
        If the cell has no gates, or there is no such layer or direction.

    See Also
    --------
    hidden_states : What the layer puts out.
    SequenceOutputDisplay : Draw them for one sequence.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import LSTMRegressor
    >>> from skrnn.inspection import gates
    >>> X = np.random.default_rng(0).normal(size=(40, 6, 2))
    >>> model = LSTMRegressor(units=3, epochs=2, random_state=0).fit(X, X[:, -1, 0])
    >>> found = gates(model, X)
    >>> sorted(found)
    ['candidate', 'cell_state', 'forget', 'input', 'output']
    >>> found.forget.shape
    (40, 6, 3)
    >>> bool(found.forget.mean() > 0.5)  # it starts with a bias of 1: to keep
    True
    """
    reached = reach_network(estimator, X, "gates", texts=True)
    layer = _number_of_layer(reached.network, layer)
    chosen = recurrent_layers(reached.network)[layer]
    direction = _known(direction, chosen.directions)
    found, sequences = traced(reached.network, reached.X, layer)
    of_steps = found[direction].gates
    if not of_steps:
        raise ValueError(
            f"The cell of this {type(reached.network).__name__} is {chosen.cell!r}, "
            "which has no gates: expected 'lstm' or 'gru'."
        )
    return Found(**{name: filled_up(g, sequences) for name, g in of_steps.items()})


def _state(steps, name, network):
    """Return a state of a direction (n_real_steps, U) by its name."""
    if name is None:
        return steps.hidden
    if name not in steps.gates:
        raise ValueError(
            f"state must be None or one of {sorted(steps.gates)} for this "
            f"{type(network).__name__}. Got {name!r}."
        )
    return steps.gates[name]


def _number_of_layer(network, layer):
    """Return the number of a recurrent layer from 0."""
    n = len(recurrent_layers(network))
    if not isinstance(layer, Integral) or isinstance(layer, bool):
        raise TypeError(f"layer must be an integer. Got {layer!r}.")
    if not -n <= int(layer) < n:
        raise ValueError(
            f"layer must be from {-n} to {n - 1}: this {type(network).__name__} has "
            f"{n} recurrent layer{'s' if n > 1 else ''}. Got {layer}."
        )
    return int(layer) % n


def _known(direction, directions):
    if direction not in directions:
        known = " or ".join(map(repr, directions))
        hint = "" if len(directions) > 1 else ": the network isn't bidirectional"
        raise ValueError(f"direction must be {known}{hint}. Got {direction!r}.")
    return direction


def filled_up(steps: np.ndarray, sequences: Any) -> np.ndarray:
    """Put real steps (n_real_steps, U) to their places in X: (n, T, U), else zeros."""
    n, n_steps, offsets = len(sequences), sequences.n_timesteps, sequences.offsets
    if offsets is None and sequences.is_uniform and sequences.lengths[0] == n_steps:
        return steps.reshape(n, n_steps, -1)
    whole = np.zeros((n, n_steps, steps.shape[-1]))
    ends = np.cumsum(sequences.lengths)
    for i, (end, length) in enumerate(zip(ends, sequences.lengths, strict=True)):
        if sequences.empty is not None and sequences.empty[i]:
            continue
        first = 0 if offsets is None else offsets[i]
        whole[i, first : first + length] = steps[end - length : end]
    return whole
