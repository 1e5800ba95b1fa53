"""scikeras' encoders of y, extended to a target for each step and to single rows."""

import numpy as np
from scikeras.utils.transformers import ClassifierLabelEncoder, RegressorTargetEncoder

from skrnn._sklearn import naming


class NumbersEncoder(RegressorTargetEncoder):
    """Encoder of numbers: one or several for each row or time step."""

    def fit(self, y):
        """Learn the form of y."""
        super().fit(y)
        self.n_outputs_ = _n_outputs(y)
        return self

    def transform(self, y):
        """Return y, having checked its last axis."""
        if _n_outputs(y) != self.n_outputs_:
            raise ValueError(
                f"y has {_n_outputs(y)} outputs (shape={y.shape}), but "
                f"{self.n_outputs_} were expected, as in the first fit."
            )
        return y

    def inverse_transform(self, y):
        """Return outputs in the form and with the precision of y."""
        ndim = len(self._y_shape)
        if y.ndim == ndim + 1 and y.shape[-1] == 1:
            y = y[..., 0]
        elif y.ndim != ndim:
            y = super().inverse_transform(y)
        return y.astype(np.float32 if self._y_dtype == np.float32 else np.float64)


class LabelsEncoder(ClassifierLabelEncoder):
    """Encoder of labels; probabilities keep their first axis for a single sequence.

    Parameters
    ----------
    loss, categories : object
        As scikeras has them.
    steps : bool, default=False
        Whether an array (n, T) has a label for each of T time steps.
    """

    n_classes_: int | None

    def __init__(self, loss=None, categories="auto", steps=False):
        super().__init__(loss=loss, categories=categories)
        self.steps = steps

    def fit(self, y):
        """Learn the classes; for one-hot steps (n, T, C) they number the last axis."""
        with naming("y"):
            return self._learn(y)

    def _learn(self, y):
        if y.ndim < 3:
            super().fit(y.ravel() if self.steps else y)
            if self.n_classes_ is None and y.dtype.kind in "iu":
                # Labels of steps, counted from 0.
                self.n_classes_ = int(y.max()) + 1
            return self
        self.classes_ = np.arange(y.shape[-1])
        self.n_classes_, self.n_outputs_ = y.shape[-1], 1
        self.n_outputs_expected_ = 1
        self._y_shape, self._y_dtype, self._target_type = y.shape, y.dtype, "steps"
        return self

    def transform(self, y):
        """Return y as the network learns it."""
        if y.ndim > 2:
            return y
        if not self.steps:
            with naming("y"):
                return super().transform(y)
        self._refuse_unknown(y)
        # Without a last axis of length 1, Keras' losses would take steps for classes.
        return super().transform(y.ravel()).reshape(*y.shape, -1)

    def _refuse_unknown(self, y):
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y contains the unknown label {unknown.tolist()[0]!r}; the classes "
                f"are {np.asarray(self.classes_).tolist()}."
            )

    def inverse_transform(self, y, return_proba=False):
        """Return labels, or probabilities, for the network's outputs."""
        if y.ndim < 3:
            found = super().inverse_transform(y, return_proba=return_proba)
            # scikeras squeezes, so that a single row loses its axis.
            return found.reshape(len(y), -1) if return_proba else found
        if self.steps and y.shape[-1] == 1:
            y = np.concatenate([1 - y, y], axis=-1)
        if return_proba:
            return y
        if self.steps:
            n_classes = len(self.classes_)
            return np.asarray(self.classes_)[y[..., :n_classes].argmax(-1)]
        labels = y.argmax(-1) if y.shape[-1] > 1 else (y[..., 0] > 0.5).astype(int)
        return labels if self._target_type != "steps" else np.eye(y.shape[-1])[labels]


def _n_outputs(y):
    return 1 if y.ndim == 1 else y.shape[-1]
