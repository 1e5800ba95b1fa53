"""A function for ``model=`` that builds the networks of our own estimators."""

from typing import Any

import keras

from skrnn._networks.architecture import network_spec
from skrnn._networks.keras.models import build_model
from skrnn._networks.specs import Head
from skrnn._networks.weights import initial_weights
from skrnn.scikeras._parameters import COMPILED, naming_parameters
from skrnn.scikeras.engine.seeding import global_seed


def recurrent_network(
    meta: dict[str, Any],
    compile_kwargs: dict[str, Any],
    cell: str = "lstm",
    units: int | tuple[int, ...] = 32,
    bidirectional: bool = False,
    return_sequences: bool = False,
    attention: str | None = None,
    dense_units: int | tuple[int, ...] = (),
    activation: str = "tanh",
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    layer_norm: bool = False,
) -> keras.Model:
    """Build a recurrent network for `KerasRegressor` or `KerasClassifier`.

    It is the network of :class:`skrnn.SequenceRegressor` and
    :class:`skrnn.SequenceClassifier`. It takes their parameters, with ``model__``
    before the name. The last layer follows from y; without ``loss``, so does the loss.

    Parameters
    ----------
    meta, compile_kwargs : dict
        Given by the wrapper.
    cell : str, default="lstm"
        Kind of recurrent layer: "lstm", "gru", "rnn" and the others.
    units : int or tuple of int, default=32
        Size of each recurrent layer.
    bidirectional : bool, default=False
        Read the sequences in both directions.
    return_sequences : bool, default=False
        One answer a time step.
    attention : {"additive", "dot", "multihead"} or None, default=None
        Attention over the steps.
    dense_units : int or tuple of int, default=()
        Hidden dense layers.
    activation : str, default="tanh"
        Of recurrent and hidden dense layers.
    dropout, recurrent_dropout : float, default=0.0
        Shares dropped while training.
    layer_norm : bool, default=False
        Normalise the outputs of recurrent layers.

    Returns
    -------
    model : keras.Model
        Compiled; it takes (batch, T, F) of any T, or (batch, T) if X has two
        dimensions.

    See Also
    --------
    KerasRegressor : Takes it as ``model``. KerasClassifier : Takes it as ``model``.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.scikeras import KerasRegressor, recurrent_network
    >>> X = np.random.default_rng(0).normal(size=(40, 6, 2))
    >>> y = X[:, -1, 0]
    >>> model = KerasRegressor(
    ...     recurrent_network, model__cell="gru", model__units=4, verbose=0
    ... )
    >>> model.fit(X, y).predict(X).shape
    (40,)
    """
    shape = meta["X_shape_"]
    head, loss = _ending(meta, return_sequences)
    spec = network_spec(
        cell=cell,
        units=units,
        n_features=shape[2] if len(shape) == 3 else 1,
        head=head,
        bidirectional=bidirectional,
        return_sequences=return_sequences,
        attention=attention,
        dense_units=dense_units,
        activation=activation,
        layer_norm=layer_norm,
        dropout=dropout,
        recurrent_dropout=recurrent_dropout,
    )
    model = build_model(spec, initial_weights(spec, global_seed()))
    if len(shape) == 2:
        steps = keras.Input((shape[1],))
        model = keras.Sequential([steps, keras.layers.Reshape((-1, 1)), model])
    given = compile_kwargs["loss"]
    names = {name: compile_kwargs[name] for name in COMPILED}
    with naming_parameters("recurrent_network", names):
        model.compile(**compile_kwargs | {"loss": loss if given is None else given})
    return model


# Kind of target -> activation of the last layer, and its loss.
_ENDINGS = {
    "binary": ("sigmoid", "binary_crossentropy"),
    "multilabel-indicator": ("sigmoid", "binary_crossentropy"),
    "multiclass": ("softmax", "sparse_categorical_crossentropy"),
}


def _ending(meta, return_sequences):
    """Return the head and the loss for the y that the wrapper was given."""
    if "classes_" not in meta:
        one = return_sequences and meta["y_ndim_"] < 3
        units = 1 if one else meta["n_outputs_"]
        return Head(units, "linear"), "mean_squared_error"
    kind = meta["target_type_"]
    if return_sequences and kind == "multilabel-indicator":
        # Two classes, one label for each step.
        kind = "binary"
    activation, loss = _ENDINGS.get(kind, _ENDINGS["multiclass"])
    return Head(1 if kind == "binary" else meta["n_classes_"], activation), loss
