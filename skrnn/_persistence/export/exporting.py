"""Export of fitted estimators: which can be, in which formats, and their files."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skrnn._estimators.network_base import BaseNetwork
from skrnn._estimators.tasks import SequenceClassifierMixin, SequenceRegressorMixin
from skrnn._persistence.atomic import write_atomically
from skrnn._persistence.export import predictor
from skrnn._persistence.export.networks import Network

# What is in every SavedModel.
_SAVED_MODEL = "saved_model.pb"


def export(estimator: Any, path: str | os.PathLike[str], format: str) -> None:
    """Write the network of a fitted estimator for use without skrnn.

    What was at `path` is replaced when the new file is whole, and not before. The
    network is all there is in it: what a Pipeline does before stays outside.

    Parameters
    ----------
    estimator : estimator
        A fitted recurrent regressor or classifier, such as
        :class:`~skrnn.LSTMRegressor` or one of a Forecaster's ``estimators_``, whose
        answers are in units of its windows. "keras" and "saved_model" also take
        :class:`~skrnn.Seq2SeqRegressor` and :class:`~skrnn.Seq2SeqClassifier`, whose
        network is told what came before each step, as ``model_`` is.
    path : str or path-like
        A file; for "saved_model" a folder.
    format : {"onnx", "numpy", "keras", "saved_model"}
        "onnx" is a model of ONNX for ONNX Runtime and others. It reads "X", float32
        (n, T, F); or (n, T) if ``fit`` read that. If ``fit`` read sequences of several
        lengths, X is padded on the right, and "lengths", int64 (n,), tells how long
        they are. Token ids are int64 (n, T), with 0 as padding before or after, or
        (n, T, C). It answers "y" as ``predict`` does, in units and type of y, or
        "probabilities" as ``predict_proba`` does, in float32; 0 stands at padding.
        n and T are free. It needs the package onnx: ``pip install "skrnn[onnx]"``.

        "numpy" is one npz file of JSON and arrays, without pickles, for the module
        ``skrnn/_persistence/export/predictor.py``, which needs NumPy alone and may be
        copied. It answers as the one of ONNX does, in float64.

        "keras" is ``model_`` as a .keras file, made of Keras' own layers, for
        ``keras.models.load_model``. "saved_model" is ``model_`` as a SavedModel of
        TensorFlow. Both read sequences without padding, and of two classes they answer
        the probability of the second one.

    Raises
    ------
    NotFittedError
        If the estimator isn't fitted.
    TypeError
        If it isn't one that can be exported in that format.
    ValueError
        If `format` isn't one of these, or `path` doesn't fit it.
    OSError
        If the file can't be written.
    ImportError
        If the package onnx is missing.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skrnn import GRURegressor
    >>> from skrnn.persistence import export, load_network
    >>> X = np.random.default_rng(0).normal(size=(30, 5, 2))
    >>> y = 100 + X[:, -1, 0]
    >>> model = GRURegressor(units=4, epochs=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "network.npz"
    ...     export(model, path, format="numpy")
    ...     network = load_network(path)
    >>> np.allclose(network.predict(X), model.predict(X), rtol=1e-6)
    True
    """
    if not isinstance(format, str) or format not in _FORMATS:
        known = ", ".join(map(repr, _FORMATS))
        raise ValueError(f"format must be one of {known}, got {format!r}.")
    _check_estimator(estimator, format)
    _FORMATS[format](estimator, os.fspath(path))


def _check_estimator(estimator, format):
    name = type(estimator).__name__
    if isinstance(estimator, Pipeline):
        raise TypeError(
            "A Pipeline can't be exported: its transformers are no networks. Export "
            "its last step, pipeline[-1], and prepare X as its other steps do."
        )
    if not isinstance(estimator, BaseNetwork):
        raise TypeError(
            f"{name} can't be exported: give a recurrent regressor or classifier of "
            "skrnn, or one of the estimators_ of a Forecaster."
        )
    takes: tuple[type, ...] = (BaseNetwork,)
    if format in ("onnx", "numpy"):
        takes = SequenceRegressorMixin, SequenceClassifierMixin
    if not isinstance(estimator, takes):
        raise TypeError(
            f"{name} can't be exported with format={format!r}: that is for recurrent "
            "regressors and classifiers, which answer from the whole sequence at once. "
            "An encoder and a decoder have format='keras' and 'saved_model'."
        )
    check_is_fitted(estimator)


def network_of(estimator) -> Network:
    """Return the network of a fitted regressor or classifier."""
    spec, tokens = estimator._spec, estimator._spec.embedding is not None
    channels = tokens and spec.embedding.channels
    as_columns = estimator._form == "columns" and not channels
    facts = {
        "estimator": type(estimator).__name__,
        "tokens": tokens,
        "return_sequences": bool(spec.return_sequences),
    }
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None and not as_columns:
        facts["features"] = list(map(str, names))
    answer = _of_classes if hasattr(estimator, "classes_") else _of_numbers
    told, more = answer(estimator)
    return Network(
        spec=spec,
        weights=estimator._weights,
        n_dimensions=2 if as_columns or (tokens and not channels) else 3,
        reads_lengths=estimator._form == "ragged" and not tokens,
        facts=facts | more,
        **told,
    )


def _of_classes(estimator):
    """Return what is told of probabilities, and the facts beside it."""
    classes = estimator.classes_.tolist()
    told: dict[str, Any] = {"scale": None, "offset": None, "dtype": "float64"}
    told |= {"shape": (len(classes),), "answer": "probabilities"}
    return told, {"classes": json.loads(json.dumps(classes, default=str))}


def _of_numbers(estimator):
    told: dict[str, Any] = {"scale": None, "offset": None, "answer": "y"}
    told |= {"dtype": np.dtype(estimator._y_dtype).name}
    if estimator._spec.head.outputs_per_target > 1:
        # Quantiles or parameters, in units of a Forecaster's windows.
        return told | {"shape": (estimator._spec.head.units,)}, {}
    units = {"scale": estimator._y_scale, "offset": estimator._y_offset}
    return told | units | {"shape": estimator._y_shape}, {}


def _write_onnx(estimator, path):
    if find_spec("onnx") is None:
        raise ImportError(
            "format='onnx' needs the package onnx: pip install 'skrnn[onnx]'."
        )
    # Deferred: it needs that package.
    from skrnn._persistence.export.onnx_file import as_onnx  # noqa: PLC0415

    content = as_onnx(network_of(estimator))
    write_atomically(path, lambda file: file.write(content))


def _write_numpy(estimator, path):
    from skrnn._persistence.export.numpy_file import as_npz  # noqa: PLC0415

    content = as_npz(network_of(estimator))
    write_atomically(path, lambda file: file.write(content))


def _write_keras(estimator, path):
    if not path.endswith(".keras"):
        raise ValueError(
            f"path must end with '.keras' for format='keras', by which Keras knows its "
            f"files; got {path!r}."
        )
    with tempfile.TemporaryDirectory() as folder:
        made = os.path.join(folder, "network.keras")
        estimator.model_.save(made)
        with open(made, "rb") as source:
            write_atomically(path, lambda file: shutil.copyfileobj(source, file))


def _write_saved_model(estimator, path):
    path = os.path.abspath(path)
    _require_replaceable(path)
    parent, name = os.path.split(path)
    # In the same folder: only there a new name is all that it takes.
    folder = tempfile.mkdtemp(prefix=f".{name[:32]}.", dir=parent)
    try:
        made, before = os.path.join(folder, "new"), os.path.join(folder, "old")
        estimator.model_.export(made, format="tf_saved_model", verbose=False)
        is_there = os.path.isdir(path)
        if is_there:
            os.rename(path, before)
        try:
            os.rename(made, path)
        except BaseException:
            if is_there:
                os.rename(before, path)
            raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _require_replaceable(path):
    """Refuse a folder with anything else in it: it would be deleted."""
    if not os.path.exists(path):
        return
    is_folder = os.path.isdir(path)
    if not is_folder or (os.listdir(path) and _SAVED_MODEL not in os.listdir(path)):
        raise FileExistsError(
            f"path={path!r} is there and is no SavedModel, and won't be replaced by "
            "one; give the name of a new folder."
        )


_FORMATS: dict[str, Callable[[Any, str], None]] = {
    "onnx": _write_onnx,
    "numpy": _write_numpy,
    "keras": _write_keras,
    "saved_model": _write_saved_model,
}


def load_network(path: str | os.PathLike[str]) -> predictor.Network:
    """Read a network that `export` wrote with ``format="numpy"``.

    It is ``load`` of ``predictor.py``, the file to copy to where skrnn isn't. No code
    of the file is run.

    Parameters
    ----------
    path : str or path-like
        Of the file.

    Returns
    -------
    network : object
        ``network.predict(X, lengths=None)`` answers as the estimator's ``predict``, or
        ``predict_proba`` of a classifier. X is (n, T, F), or token ids (n, T) with 0 as
        padding; `lengths` (n,) are the steps of sequences that are padded on the right.
        ``network.about`` is a dict with "classes" and what else there is to know.

    Raises
    ------
    ValueError
        If it is another kind of file.
    OSError
        If it can't be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skrnn import GRUClassifier
    >>> from skrnn.persistence import export, load_network
    >>> X = np.random.default_rng(0).normal(size=(30, 5, 2))
    >>> y = np.where(X[:, -1, 0] > 0, "up", "down")
    >>> model = GRUClassifier(units=4, epochs=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "network.npz"
    ...     export(model, path, format="numpy")
    ...     network = load_network(path)
    >>> network.about["classes"]
    ['down', 'up']
    >>> np.allclose(network.predict(X), model.predict_proba(X), atol=1e-6)
    True
    """
    path = os.fspath(path)
    try:
        return predictor.load(path)
    except OSError:
        raise
    except Exception as error:  # What isn't such a file may raise anything.
        raise ValueError(
            f"{path!r} is no network that export wrote with format='numpy' ({error})."
        ) from None
