"""What docstrings and the user guide say of the tables' rows: losses and optimizers."""

import textwrap

from skrnn._estimators.names import NAMES, names_of_losses
from skrnn._networks.losses import LOSSES
from skrnn._networks.optimizers import OPTIMIZERS

# Those of forecasts aren't chosen by name.
_BY_NAME = NAMES["loss of numbers"] + NAMES["loss of labels"]
_TABLES: dict[str, dict] = {
    "losses": {name: LOSSES[name] for name in _BY_NAME},
    "optimizers": OPTIMIZERS,
}


def as_type(names) -> str:
    """Write names as the type of a parameter."""
    return "{" + ", ".join(f'"{name}"' for name in names) + "}"


def type_of_losses(targets, activation=None) -> str:
    """Write the names of losses of "numbers" or "labels": all, or for one head."""
    return as_type(["auto", *names_of_losses(targets, activation)])


def list_of_losses(targets, activation=None) -> str:
    """Describe these losses in running text."""
    return _listed(LOSSES[name] for name in names_of_losses(targets, activation))


def list_of_optimizers() -> str:
    """Describe all optimizers in running text."""
    return _listed(OPTIMIZERS.values())


def filled(text) -> str:
    """Break text into lines, as long as the others of a docstring."""
    return "\n".join(textwrap.wrap(" ".join(text.split()), 80))


def rows_as_rst(table) -> list[str]:
    """Return the lines of the user guide's table of "losses" or "optimizers"."""
    lines = [
        ".. list-table::", "   :header-rows: 1", "", "   * - name", "     - what it is",
        "     - source",
    ]  # fmt: skip
    for row in _TABLES[table].values():
        lines += [f'   * - "{row.name}"', f"     - {row.description}"]
        lines.append(f"     - {row.source}")
    return lines


def _listed(rows):
    return "; ".join(f'"{row.name}", {row.description} ({row.source})' for row in rows)
