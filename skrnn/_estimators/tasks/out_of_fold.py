"""Probabilities out of fold that scikit-learn would get wrong are refused beforehand.

``cross_val_predict`` numbers the labels of y itself if it is asked for probabilities:
those of a table column by column, and a string as one label. The labels of time steps,
and the characters of strings, mean something else then. Nobody tells an estimator who
fits it, nor on what; but before the first fit scikit-learn asks for its tags and for a
clone.

That relies on variables of scikit-learn's functions: `X`, `y`, `method` and `le` (its
encoder of labels) of ``cross_val_predict``, and on ``_fit_and_predict``, which it calls
for each fold. Where one of them has another name nothing is refused any more, and
nothing else changes. ``tests/estimators/tasks/test_cross_val_predict.py`` tells: put
the new names into `_NAMES` then, or take all of this out once an estimator is told what
it is fitted for.
"""

import inspect
import sys

import numpy as np

_MODULE = "sklearn.model_selection._validation"
_NAMES = {"X", "y", "method"}
_ENCODES = {"predict_proba", "predict_log_proba", "decision_function"}


class OutOfFoldMixin:
    """Classifiers for which scikit-learn must not number the labels of y itself."""

    def _may_be_numbered(self, X, y):
        """Whether numbering the labels column by column would keep their meaning."""
        return True

    def __sklearn_clone__(self):
        _refuse_numbered_labels(self)
        return super().__sklearn_clone__()  # type: ignore[misc]

    def __sklearn_tags__(self):
        _refuse_numbered_labels(self)
        return super().__sklearn_tags__()  # type: ignore[misc]


def one_number_each(_X, y):
    """Whether y has one number for each sequence as its label."""
    if isinstance(y, list | tuple):
        return not any(isinstance(x, str | bytes) or np.ndim(x) for x in y)
    y = np.asarray(y)
    return y.ndim == 1 and y.dtype.kind in "iufb"


def _refuse_numbered_labels(estimator):
    call = _call_of_cross_val_predict()
    if not call.keys() >= _NAMES:
        return
    if call["y"] is None or call["method"] not in _ENCODES:
        return
    # If y was numbered already, the encoder has the labels.
    y = getattr(call.get("le"), "classes_", call["y"])
    if estimator._may_be_numbered(call["X"], y):
        return
    name, method = type(estimator).__name__, call["method"]
    # A Pipeline that is asked for its tags swallows a ValueError of its last step.
    raise NotImplementedError(
        f"cross_val_predict with method={method!r} would number the labels in each "
        f"column of y by itself, but {name} predicts a sequence of labels for each "
        "sequence of X. Expected method='predict'; for probabilities, fit and predict "
        "in a loop over the folds of a splitter."
    )


def _call_of_cross_val_predict():
    """Return the variables of the ``cross_val_predict`` that asks, if one does."""
    module = sys.modules.get(_MODULE)
    asks = _code(module, "cross_val_predict")
    # A clone made inside of a fit isn't the estimator that is validated.
    fits = _code(module, "_fit_and_predict")
    if asks is None or fits is None:
        return {}
    frame = sys._getframe(1)
    while frame is not None and frame.f_code not in (asks, fits):
        frame = frame.f_back  # type: ignore[assignment]
    return frame.f_locals if frame is not None and frame.f_code is asks else {}


def _code(module, name):
    function = getattr(module, name, None)
    if function is None:
        return None
    return getattr(inspect.unwrap(function), "__code__", None)
