"""Export of fitted estimators: which can be, in which formats, and their files."""

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skrnn._estimators.language.base import LanguageModel
from skrnn._estimators.language.keras_model import as_keras
from skrnn._estimators.network_base import BaseNetwork
from skrnn._estimators.seq2seq import BaseSeq2Seq
from skrnn._estimators.tasks import SequenceClassifierMixin, SequenceRegressorMixin
from skrnn._persistence.atomic import name_of_file, write_atomically
from skrnn._persistence.export import predictor
from skrnn._persistence.export.describing import described
from skrnn._persistence.export.text_writer import TextWriter

# What writes step by step.
_WRITING = BaseSeq2Seq, LanguageModel
# The tokens of a language model in a .keras file, and in a SavedModel, where other
# programs leave room for what isn't theirs.
_VOCABULARY = "vocabulary.json"
_EXTRA = "assets.extra"
# What the end of a path tells of the format. A SavedModel is a folder of any name.
_ENDINGS = {".onnx": "onnx", ".npz": "numpy", ".keras": "keras"}
# What is in every SavedModel.
_SAVED_MODEL = "saved_model.pb"


def export(
    estimator: Any, path: str | os.PathLike[str], format: str | None = None
) -> None:
    """Write the network of a fitted estimator for use without skrnn.

    A file at `path` is replaced only once the new one is whole. It has only the
    network: the earlier steps of a Pipeline stay outside.

    Parameters
    ----------
    estimator : estimator
        A fitted network: a recurrent regressor or classifier, such as
        :class:`~skrnn.LSTMRegressor` or one of a Forecaster's ``estimators_`` (its
        answers are in units of the windows); :class:`~skrnn.Seq2SeqRegressor`,
        :class:`~skrnn.Seq2SeqClassifier`, :class:`~skrnn.text.TextGenerator`.
    path : str or path-like
        A file; for "saved_model" a folder.
    format : {"onnx", "numpy", "keras", "saved_model"} or None, default=None
        None goes by the end of `path`: ".onnx", ".npz" for "numpy", ".keras".

        "onnx" is a model of ONNX for ONNX Runtime and others. It reads "X", float32 (n,
        T, F); or (n, T) if ``fit`` read that. If ``fit`` read sequences of several
        lengths, X is padded on the right, and "lengths", int64 (n,), has their lengths.
        Token ids are int64 (n, T), with 0 as padding before or after, or (n, T, C). It
        returns "y" as ``predict`` does, in units and type of y, or "probabilities" as
        ``predict_proba`` does, in float32; padding gets 0. n and T may have any size.
        It needs the package onnx: ``pip install "skrnn[onnx]"``.

        "numpy" is one npz file of JSON and arrays, without pickles, for the module
        ``skrnn/_persistence/export/predictor.py``, which needs only NumPy and may be
        copied. It returns the same as "onnx", in float64.

        "keras" is ``model_`` as a .keras file, made of Keras' own layers, for
        ``keras.models.load_model``. "saved_model" is ``model_`` as a SavedModel of
        TensorFlow. Both read sequences without padding; with two classes they return
        the probability of the second one.

    Raises
    ------
    NotFittedError
        If the estimator isn't fitted.
    TypeError
        If it isn't one that can be exported in that format.
    ValueError
        If `format` isn't one of these, or `path` doesn't fit it or tells none.
    OSError
        If the file can't be written.
    ImportError
        If the package onnx is missing.

    See Also
    --------
    load_network : Read a file of NumPy alone.
    skrnn.save : Write an estimator for skrnn itself.

    Notes
    -----
    An encoder and decoder decodes greedily, all in one file, in "onnx" and "numpy". A
    regressor also reads "future", float32 (n, H, F2), if ``fit`` did. A classifier
    returns "labels", int64 (n, H), class indices into ``classes_`` with -1 after the
    end, and "probabilities" (n, H, K) of every step, the last of K being the end. For
    strings in X, the metadata "symbols" have the ids of symbols; 1 is any other symbol.
    In "keras" and "saved_model" the network reads the output before each step as an
    input, as ``model_`` does.

    In all formats, a text generator reads "ids", int64 (n, T), and its states,
    "state_0" (n, units) and so on. It returns the "probabilities" (n, T, V) of the
    token after each id, and "next_state_0" and so on; T is 1 to go on by one token. A
    text begins with id 0 and states of zeros. The tokens of ids are in "vocabulary": in
    the metadata, in ``about``, in ``vocabulary.json`` of the .keras file, which is a
    zip, or in ``assets.extra`` of the SavedModel. ``text_writer.py``, beside
    ``predictor.py``, writes texts with any of these, by NumPy alone.

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
    path = name_of_file(path)
    if format is None:
        format = _format_of(path)
    if not isinstance(format, str) or format not in _FORMATS:
        known = ", ".join(map(repr, _FORMATS))
        raise ValueError(f"format must be one of {known}, got {format!r}.")
    _check_estimator(estimator, format)
    _FORMATS[format](estimator, path)


def _format_of(path):
    ending = os.path.splitext(path)[1].lower()
    if ending not in _ENDINGS:
        known, written = (", ".join(map(repr, each)) for each in (_ENDINGS, _FORMATS))
        raise ValueError(
            f"The end of path={path!r} tells no format, as {known} do; write "
            f"export(model, path, format=...) with one of {written}."
        )
    return _ENDINGS[ending]


def _check_estimator(estimator, format):
    name = type(estimator).__name__
    if isinstance(estimator, Pipeline):
        raise TypeError(
            "A Pipeline can't be exported: its transformers are no networks. Export "
            "its last step, pipeline[-1], and prepare X as its other steps do."
        )
    if not isinstance(estimator, (BaseNetwork, LanguageModel)):
        raise TypeError(
            f"{name} can't be exported: give a network of skrnn, such as one of the "
            "estimators_ of a Forecaster."
        )
    takes: tuple[type, ...] = (BaseNetwork, LanguageModel)
    if format in ("onnx", "numpy"):
        takes = SequenceRegressorMixin, SequenceClassifierMixin, *_WRITING
    if not isinstance(estimator, takes):
        raise TypeError(
            f"{name} can't be exported with format={format!r}: its answers aren't "
            "those of its network. That has format='keras' and 'saved_model'."
        )
    check_is_fitted(estimator)


def _write_onnx(estimator, path):
    if find_spec("onnx") is None:
        raise ImportError(
            "format='onnx' needs the package onnx: pip install 'skrnn[onnx]'."
        )
    # Deferred: it needs that package.
    from skrnn._persistence.export.onnx_file import as_onnx  # noqa: PLC0415

    content = as_onnx(described(estimator))
    write_atomically(path, lambda file: file.write(content))


def _write_numpy(estimator, path):
    from skrnn._persistence.export.numpy_file import as_npz  # noqa: PLC0415

    content = as_npz(described(estimator))
    write_atomically(path, lambda file: file.write(content))


def _model_of(estimator):
    """Return the network as a ``keras.Model``."""
    is_text = isinstance(estimator, LanguageModel)
    return as_keras(estimator) if is_text else estimator.model_


def _vocabulary_of(estimator):
    """Return the facts about a language model as JSON."""
    return json.dumps(described(estimator).about)


def _write_keras(estimator, path):
    if not path.endswith(".keras"):
        raise ValueError(
            f"path must end with '.keras' for format='keras', by which Keras knows its "
            f"files; got {path!r}."
        )
    with tempfile.TemporaryDirectory() as folder:
        made = os.path.join(folder, "network.keras")
        _model_of(estimator).save(made)
        if isinstance(estimator, LanguageModel):
            with zipfile.ZipFile(made, "a") as whole:
                whole.writestr(_VOCABULARY, _vocabulary_of(estimator))
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
        model = _model_of(estimator)
        model.export(made, format="tf_saved_model", verbose=False)
        if isinstance(estimator, LanguageModel):
            os.mkdir(os.path.join(made, _EXTRA))
            beside = os.path.join(made, _EXTRA, _VOCABULARY)
            with open(beside, "w", encoding="utf-8") as file:
                file.write(_vocabulary_of(estimator))
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


def load_network(path: str | os.PathLike[str]) -> Any:
    """Read a network that `export` wrote with ``format="numpy"``.

    It is ``load`` of ``predictor.py``, the module to copy to a place without skrnn. No
    code in the file is run.

    Parameters
    ----------
    path : str or path-like
        Of the file.

    Returns
    -------
    network : object
        ``network.predict(X, lengths=None)`` returns what the estimator's ``predict``,
        or ``predict_proba`` of a classifier, does. X is (n, T, F), or token ids (n, T)
        with 0 as padding; `lengths` (n,) are the lengths of sequences that are padded
        on the right. ``network.about`` is a dict with "classes" and other facts. A
        Seq2SeqClassifier returns indices into "classes", -1 after the end.
        ``network.run(X=X)`` returns all outputs by name.

        The network of a TextGenerator has ``predict_proba(text)`` and
        ``generate(prompt)`` instead. ``generate`` writes what the estimator writes for
        the same `random_state`.

    Raises
    ------
    ValueError
        If it is another kind of file.
    OSError
        If it can't be read.

    See Also
    --------
    export : Write such a file.
    skrnn.load : Read an estimator that ``save`` wrote.

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
    path = name_of_file(path)
    try:
        network = predictor.load(path)
        if "vocabulary" in network.about:
            return TextWriter(network.about, network.run)
        return network
    except OSError:
        raise
    except Exception as error:  # Other files may raise anything.
        # Of what is no zip NumPy says how to unpickle it.
        what = error if zipfile.is_zipfile(path) else "no npz file, or one cut off"
        raise ValueError(
            f"{path!r} is no network that export wrote with format='numpy' ({what})."
        ) from None
