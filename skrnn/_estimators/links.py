"""Where the documentation of the package is."""

from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

# Built by `make docs` where the package runs from a checkout.
_BUILT_HERE = Path(__file__).parents[2] / "docs" / "_build" / "html"


@cache
def documentation() -> str:
    """Return the address of the documentation, without a slash at its end.

    It is the "Documentation" address in the package's metadata, or else the pages that
    were built here, or else an empty string.
    """
    for address in _addresses():
        label, _, url = address.partition(",")
        if label.strip().lower() == "documentation":
            return url.strip().rstrip("/")
    return _BUILT_HERE.as_uri() if _BUILT_HERE.is_dir() else ""


def _addresses():
    try:
        return metadata("skrnn").get_all("Project-URL") or []
    except PackageNotFoundError:
        return []


def page_of(cls: type) -> str:
    """Return the address of a public class's page, or an empty string."""
    root = documentation()
    if not root:
        return ""
    return f"{root}/reference/generated/{public_name(cls)}.html"


def public_name(cls: type) -> str:
    """Return the name by which users import a class: `skrnn.text.TextGenerator`."""
    parts = cls.__module__.split(".")
    if parts[1] == "_estimators":
        # Users import these from public modules.
        door = {"forecasting": ["forecasting"], "language": ["text"]}.get(parts[2], [])
        return ".".join(["skrnn", *door, cls.__name__])
    public = [part for part in parts if not part.startswith("_")]
    return ".".join([*public, cls.__name__])
