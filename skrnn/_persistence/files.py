"""`save` and `load`.

Why scikit-learn's estimators aren't written by skops: its file is a zip, which may be
compressed, so that less than a megabyte took 780 in memory (skops 0.16). It imports
classes by their names in a file if these are on its lists, sets their attributes and
calls what pickle would; compiled code then trusts these attributes, such as the nodes
of a tree. It has no index of pandas, and two formats in one file would need two sets of
promises. Some of its ideas are here: a node for each value, names that are looked up in
lists, and `trusted` for the user's own.
"""

import importlib.metadata
import os
import sys
from collections.abc import Iterable
from typing import Any

from sklearn.base import BaseEstimator

from skrnn._persistence import container
from skrnn._persistence.arrays import (
    ARRAY,
    DTYPE,
    GENERATOR,
    MASKED,
    SCALAR,
    kind_of_numpy,
)
from skrnn._persistence.atomic import name_of_file, write_atomically
from skrnn._persistence.container import UnreadableError
from skrnn._persistence.functions import (
    DISTRIBUTION,
    FUNCTION,
    SCORER,
    TYPE,
    kind_of_function,
)
from skrnn._persistence.keras_objects import OF_KERAS, kind_of_keras
from skrnn._persistence.learners import AS_NUMBERS, DRAWER, INSIDE, kind_of_learner
from skrnn._persistence.nodes import Kind, Reader, Writer
from skrnn._persistence.objects import (
    BUNCH,
    ESTIMATOR,
    MADE,
    PART,
    REQUESTS,
    kind_of_object,
)
from skrnn._persistence.plain import PLAIN
from skrnn._persistence.times import KINDS_OF_PANDAS, kind_of_pandas
from skrnn._persistence.trees import TREE, kind_of_tree
from skrnn._persistence.wrappers import WRAPPER, kind_of_wrapper

# Raise it when files change in a way that earlier versions can't read.
FORMAT = 1
_FIRST = "those that skrnn writes are numbered from 1 on"
_KINDS = (
    *PLAIN.values(), *KINDS_OF_PANDAS, ARRAY, SCALAR, MASKED, DTYPE, GENERATOR,
    FUNCTION, TYPE, SCORER, DISTRIBUTION, ESTIMATOR, MADE, PART, REQUESTS, BUNCH, TREE,
    OF_KERAS, INSIDE, DRAWER, AS_NUMBERS, WRAPPER,
)  # fmt: skip
_PACKAGES = ("numpy", "pandas", "scikit-learn", "scipy")


def save(
    estimator: Any, path: str | os.PathLike[str], *, trusted: Iterable[Any] = ()
) -> None:
    """Write an estimator to a file that holds no code and no pickle.

    The file has parameters and structure as JSON, and weights as safetensors. The
    estimator may be fitted or not. It is one of skrnn, or a ``Pipeline``, a search, a
    ``ColumnTransformer`` or another estimator of scikit-learn that the guide lists,
    with estimators of skrnn in it.

    Parameters
    ----------
    estimator : estimator
        Of skrnn, or of scikit-learn with estimators of skrnn in it; fitted or not.
        Callbacks from ``set_callbacks`` are left out.
    path : str or path-like
        Where to write the file. An existing file is replaced once the new one is whole
        and on the disk: a crash or a full disk leaves it as it was.
    trusted : iterable of functions and classes, default=()
        Functions and classes of your own that occur in the estimator, such as a
        ``loss``, or the function that builds the network of a wrapper of
        `skrnn.scikeras`. The file has only their names: `load` needs them too.

    Raises
    ------
    TypeError
        If something in the estimator can't be in such a file. The error names the
        attribute, such as ``Pipeline.steps[0][1].func``, and its type. Nothing is
        written then.
    OSError
        If the file can't be written.

    See Also
    --------
    load : Read it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import skrnn
    >>> X = np.random.default_rng(0).normal(size=(40, 6, 2))
    >>> model = skrnn.GRURegressor(units=4, epochs=2, random_state=0)
    >>> model = model.fit(X, X[:, -1, 0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "model.skrnn"
    ...     skrnn.save(model, path)
    ...     again = skrnn.load(path)
    >>> np.array_equal(again.predict(X), model.predict(X))
    True
    """
    path = name_of_file(path)
    data = to_bytes(estimator, _functions_and_classes(trusted))
    write_atomically(path, lambda file: file.write(data))


def _functions_and_classes(trusted):
    """Return what a user trusts, if it is that."""
    if isinstance(trusted, str | bytes) or not isinstance(trusted, Iterable):
        raise TypeError(
            "trusted must be a list of functions and classes of your own; got "
            f"{trusted!r:.80}."
        )
    trusted = tuple(trusted)
    for each in trusted:
        if not callable(each):
            raise TypeError(
                "trusted must have functions and classes themselves, not their names "
                f"or values; got {each!r:.80} in it."
            )
    return trusted


def to_bytes(estimator: Any, trusted: Iterable[Any] = ()) -> bytes:
    """Return the bytes of the file of an estimator."""
    if isinstance(estimator, type) or not isinstance(estimator, BaseEstimator):
        kind = "a class" if isinstance(estimator, type) else type(estimator).__name__
        raise TypeError(f"estimator is {kind}; expected an estimator.")
    writer = Writer(_kind_finder(trusted), type(estimator).__name__, trusted)
    written = writer.value(estimator, "")
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    described = {
        "format": FORMAT,
        "skrnn": sys.modules["skrnn"].__version__,
        "versions": versions | {"python": ".".join(map(str, sys.version_info[:3]))},
        "estimator": written,
    }
    return container.to_bytes(described, writer.arrays)


def _kind_finder(trusted):
    names = Writer(lambda _: None, "", trusted).trusted

    def kind_of(value: Any) -> Kind | None:
        return (
            PLAIN.get(type(value))
            or kind_of_numpy(value)
            or kind_of_pandas(value)
            or kind_of_wrapper(value, names)
            or kind_of_object(value, names)
            or kind_of_tree(value)
            or kind_of_learner(value)
            or kind_of_function(value, names)
            or kind_of_keras(value)
        )

    return kind_of


def load(path: str | os.PathLike[str], *, trusted: Iterable[Any] = ()) -> Any:
    """Read an estimator that `save` wrote.

    Nothing in a file is run, imported by name or unpickled, whoever made it: a file may
    only name what is in skrnn's tables. Weights are checked against the network.

    Parameters
    ----------
    path : str or path-like
        A file that `save` wrote, of this version or an earlier one.
    trusted : iterable of functions and classes, default=()
        Your own functions and classes that the file names, as for `save`. A function
        that builds a network is called with the parameters in the file.

    Returns
    -------
    estimator : estimator
        It predicts what the saved one did, to the last bit, and can go on training.

    Raises
    ------
    ValueError
        That names the file and what is wrong: it was cut off, altered, isn't a file of
        `save`, or a later version wrote it in a format that this one doesn't know.
    OSError
        If there is no such file, or it can't be read.

    Warns
    -----
    InconsistentVersionWarning
        If the file has estimators of scikit-learn that another version of it wrote.

    See Also
    --------
    save : Write it.

    Notes
    -----
    Although no code is run, the predictions of a stranger's file may be bad ones. The
    SHA-256 in a file shows damage, not who made it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skrnn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "model.skrnn"
    ...     skrnn.save(skrnn.LSTMRegressor(units=8), path)
    ...     skrnn.load(path)
    LSTMRegressor(units=8)
    """
    name, trusted = name_of_file(path), _functions_and_classes(trusted)
    try:
        return from_bytes(container.read_file(name), trusted)
    except UnreadableError as error:
        raise ValueError(f"{name} can't be loaded: {error}.") from error


def from_bytes(data: bytes, trusted: Iterable[Any] = ()) -> Any:
    """Return the estimator of the bytes of a file.

    Raises
    ------
    UnreadableError
    """
    described, arrays = container.from_bytes(data)
    if "checkpoint" in described:
        raise UnreadableError("it is a checkpoint: give it to fit as checkpoint_path")
    by = f"skrnn {described.get('skrnn')!s:.40}"
    if described["format"] < 1:
        raise UnreadableError(f"its format is {described['format']!s:.20}; {_FIRST}")
    if described["format"] > FORMAT:
        raise UnreadableError(
            f"{by} wrote it in format {described['format']!s:.20}, and this is skrnn "
            f"{sys.modules['skrnn'].__version__}, which knows formats up to {FORMAT}; "
            "install a later version"
        )
    try:
        found = Reader(_KINDS, arrays, trusted).value(described["estimator"])
    except UnreadableError as error:
        raise UnreadableError(f"{error} ({by} wrote it)") from error
    except Warning:
        # The user made errors of warnings: they say nothing of the file.
        raise
    # Attributes that `save` never writes may fail in any way.
    except Exception as error:
        raise UnreadableError(
            f"it holds no estimator as {by} writes it ({type(error).__name__}: "
            f"{error!s:.300})"
        ) from error
    if not isinstance(found, BaseEstimator):
        raise UnreadableError(f"it holds a {type(found).__name__}, and no estimator")
    return found
