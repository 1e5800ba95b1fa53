"""scikeras' encoders of y, for sequences of answers and for a single row too."""

import numpy as np
from scikeras.utils.transformers import ClassifierLabelEncoder, RegressorTargetEncoder


class NumbersEncoder(RegressorTargetEncoder):
    """Numbers: one or several a row, or a time step."""

    def fit(self, y):
        """Remember the form of y."""
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
    """Labels; probabilities have a row for each sequence, be it only one."""

    n_classes_: int | None

    def fit(self, y):
        """Learn the classes; one-hot steps (n, T, C) have those of their last axis."""
        if y.ndim < 3:
            super().fit(y)
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
        return y if y.ndim > 2 else super().transform(y)

    def inverse_transform(self, y, return_proba=False):
        """Return labels, or probabilities, for what the network gives."""
        if y.ndim < 3:
            found = super().inverse_transform(y, return_proba=return_proba)
            # scikeras squeezes: a single row loses its axis.
            return found.reshape(len(y), -1) if return_proba else found
        if return_proba:
            return y
        labels = y.argmax(-1) if y.shape[-1] > 1 else (y[..., 0] > 0.5).astype(int)
        return labels if self._target_type != "steps" else np.eye(y.shape[-1])[labels]


def _n_outputs(y):
    return 1 if y.ndim == 1 else y.shape[-1]
