"""Predictions for a sequence that is still coming in."""

from copy import copy
from typing import Any, Self

import numpy as np

from skrnn import _engine
from skrnn._data.frames.as_arrays import step_as_array
from skrnn._data.typing import ArrayLike

# Name of the method -> the hook that turns outputs into what it returns.
_DECODERS = {"predict": "_decode", "predict_proba": "_decode_proba"}


class StreamingPredictor:
    """Follows one sequence; made by the ``stream`` method of a fitted estimator.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import GRURegressor
    >>> X = np.random.default_rng(0).normal(size=(40, 6, 2))
    >>> model = GRURegressor(units=4, epochs=2, random_state=0).fit(X, X[:, -1, 0])
    >>> stream = model.stream()
    >>> predictions = [stream.update(x) for x in X[0]]
    >>> bool(np.isclose(predictions[-1], model.predict(X[:1])[0]))
    True
    """

    def __init__(self, estimator: Any, method: str) -> None:
        self._name = type(estimator).__name__
        spec = estimator._spec
        ahead = [layer.reads_ahead for layer in spec.layers if not layer.streams]
        if ahead:
            raise ValueError(
                "stream needs a network that reads forward only, but this "
                f"{self._name} was fitted with {ahead[0]}: its outputs depend on steps "
                "that are still to come."
            )
        if spec.head.crf:
            raise ValueError(
                f"stream isn't for crf=True, with which this {self._name} was fitted: "
                "each label depends on steps that are still to come."
            )
        decoder = _DECODERS.get(method, "") if isinstance(method, str) else ""
        if not hasattr(estimator, decoder):
            known = [name for name in _DECODERS if hasattr(estimator, _DECODERS[name])]
            raise ValueError(
                f"The 'method' parameter of stream must be one of {known} for "
                f"{self._name}. Got {method!r} instead."
            )
        self._tokens, self._spec = spec.embedding is not None, spec
        # A copy, because fitting again changes how outputs are read.
        self._estimator = copy(estimator)
        self._decode = getattr(self._estimator, decoder)
        self._stream = _engine.Stream(spec, estimator._weights)
        self.n_steps_ = 0

    def update(self, x: ArrayLike) -> Any:
        """Read the next step and return the prediction for the sequence so far.

        Parameters
        ----------
        x : array-like of shape (n_features,), float or int
            The features of the step; a number where there is only one. With an
            embedding, the id of a token (not 0, which is padding), or one per channel.
            With `categorical_features`, ids and numbers. A row of a frame (as a frame,
            a Series or a named tuple) must have the names of ``fit``; a dict is read by
            them.

        Returns
        -------
        prediction : ndarray or scalar
            What the method would return for the sequence of all steps so far, without
            the axis of sequences; with ``return_sequences=True``, only its last step.
        """
        x = step_as_array(self._estimator, x)
        x = self._read_token(x) if self._tokens else self._read_features(x)
        outputs = self._stream.step(x)
        self.n_steps_ += 1
        return self._decode(outputs[None])[0]

    def reset(self) -> Self:
        """Begin a new sequence.

        Returns
        -------
        self : object
        """
        self._stream.reset()
        self.n_steps_ = 0
        return self

    def _read_features(self, x):
        x = np.atleast_1d(np.asarray(x, dtype=np.float32))
        if x.ndim != 1:
            raise ValueError(
                f"update takes the features of one step, an array of shape "
                f"(n_features,). Got one of shape {x.shape}."
            )
        if len(x) != self._spec.n_features:
            raise ValueError(
                f"x has {len(x)} features, but {self._name} is expecting "
                f"{self._spec.n_features} features as input."
            )
        if not np.isfinite(x).all():
            raise ValueError(f"x contains NaN or infinity. Got {x.tolist()}.")
        known = self._spec.categories
        if known is not None:
            self._refuse_no_ids(x[list(known.columns)], known)
        return x.astype(np.float64)

    def _refuse_no_ids(self, ids, known):
        """Refuse what can't be ids beside numbers."""
        sizes = np.array(known.sizes)
        if (ids != np.floor(ids)).any() or (ids < 0).any() or (ids >= sizes).any():
            raise ValueError(
                f"update takes whole numbers from 0 on below {sizes.tolist()} in the "
                f"channels {list(known.columns)}, which are ids. Got {ids.tolist()}."
            )

    def _read_token(self, x):
        token = np.asarray(x)
        if self._spec.embedding.channels:
            return self._read_channels(token)
        if token.size != 1 or token.dtype.kind not in "iu":
            raise ValueError(f"update takes one token id, an integer. Got {x!r}.")
        (size,) = self._spec.embedding.sizes
        if not 0 < token.item() < size:
            raise ValueError(
                f"update takes a token id from 1 to {size - 1}, those known from fit. "
                f"Got {token.item()}."
            )
        return token.item()

    def _read_channels(self, ids):
        sizes = np.array(self._spec.embedding.sizes)
        if ids.shape != sizes.shape or ids.dtype.kind not in "iu":
            raise ValueError(
                f"update takes {len(sizes)} token ids, an integer for each channel. "
                f"Got {ids.tolist()}."
            )
        if not ids.any() or (ids < 0).any() or (ids >= sizes).any():
            raise ValueError(
                f"update takes a token id below {sizes.tolist()} for each channel, "
                f"those known from fit, and not 0 in all. Got {ids.tolist()}."
            )
        return ids
