"""What to paste into a bug report: versions, platform, backend."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

# The packages that skrnn needs or that its extras add.
_PACKAGES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "narwhals",
    "polars",
    "pyarrow",
    "joblib",
    "safetensors",
    "keras",
    "tensorflow",
    "scikeras",
    "jax",
    "torch",
    "onnx",
    "onnxruntime",
    "tf2onnx",
)


def show_versions() -> None:
    """Print what a bug report should contain.

    That is Python, the platform, the versions of the packages underneath, the backend
    that Keras uses, whether the kernels in C were compiled where skrnn was installed,
    the instructions that they use, and how many threads compute. Nothing heavy is
    loaded: versions are read from what is installed.

    See Also
    --------
    sklearn.show_versions : Also tells which libraries NumPy computes with.

    Examples
    --------
    >>> import skrnn
    >>> skrnn.show_versions()  # doctest: +ELLIPSIS
    System
            python: 3...
    """
    for title, rows in _report().items():
        print(title)
        width = max(map(len, rows))
        for name, value in rows.items():
            print(f"    {name:>{width}}: {value}")
        print()


def _report():
    """Return title -> name -> value."""
    return {
        "System": {
            "python": sys.version.replace("\n", " "),
            "executable": sys.executable,
            "machine": platform.platform(),
        },
        # The version of the running code, which may differ from the installed package.
        "Packages": {"skrnn": sys.modules["skrnn"].__version__}
        | {name: _version(name) for name in _PACKAGES},
        "Engine": _engine_rows(),
    }


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _engine_rows():
    # Deferred: importing skrnn loads next to nothing, and this loads NumPy.
    from skrnn import _engine  # noqa: PLC0415

    return _engine.facts()
