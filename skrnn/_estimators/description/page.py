"""What the HTML representation says of an estimator besides its parameters.

scikit-learn draws a box with tables. These functions put more into it, in its own look.
"""

import html
import inspect
from typing import Any

import numpy as np

from skrnn._estimators.description.summary import HEADINGS, Summary
from skrnn._sklearn import AttrsDict, VisualBlock

_TABLE = """
<div class="estimator-table">
    <details{opened}>
        <summary>{title}</summary>
        <table class="parameters-table">
            <tbody>
                <tr>{headings}</tr>
                {rows}
            </tbody>
        </table>
    </details>
</div>
"""


def box(estimator: Any, summary: Summary | None) -> Any:
    """Return the box of an estimator, with its network in a line below its name."""
    name, told = type(estimator).__name__, None
    if summary is not None:
        told = f"{summary.architecture}; {summary.training.words()}"
    details = {"names": name, "name_details": str(estimator), "name_caption": told}
    return VisualBlock("single", estimator, **details)


def network_table(
    summary: Summary, title: str = "Network", *, is_open: bool = True
) -> str:
    """Return the layers of a network as a table of HTML, unfolded or not."""
    told = f"{title}: {summary.n_parameters:,} parameters, {summary.training.words()}"
    rows = [(layer, shape, f"{n:,}") for layer, shape, n in summary.rows]
    return _TABLE.format(
        title=html.escape(told),
        opened=" open" if is_open else "",
        headings="".join(f"<th>{html.escape(each)}</th>" for each in HEADINGS),
        rows="\n".join(map(_row, rows)),
    )


def _row(cells):
    layer, shape, n = (html.escape(cell) for cell in cells)
    return (
        f'<tr class="default"><td class="param">{layer}</td><td>{shape}</td>'
        f'<td style="text-align: right !important">{n}</td></tr>'
    )


class FittedAttributes(AttrsDict):
    """The table of fitted attributes, with other tables before it."""

    before = ""

    def _html_repr(self):
        return self.before + super()._html_repr()


def fitted_attributes(
    estimator: Any, doc_link: str, *, without: tuple[str, ...] = (), before: str = ""
) -> Any:
    """Return what the box of an estimator shows of what it has learnt.

    scikit-learn would read every attribute, even those that take long to make.

    Parameters
    ----------
    doc_link : str
        Address of the estimator's page.
    without : tuple of str
        Names of attributes that aren't read.
    before : str
        HTML of tables that stand before that of the attributes.
    """
    shown = {}
    for name in sorted({*vars(estimator), *_properties(type(estimator))} - {*without}):
        if name.endswith("_") and not name.startswith("_"):
            # A property may be missing where it has nothing to say.
            value = getattr(estimator, name, None)
            if value is not None:
                shown[name] = _as_shown(value)
    page: Any = FittedAttributes(
        fitted_attrs=shown, estimator_class=type(estimator), doc_link=doc_link
    )
    page.before = before
    return page


def _properties(cls):
    members = ((name, inspect.getattr_static(cls, name)) for name in dir(cls))
    return [name for name, member in members if isinstance(member, property)]


def _as_shown(value):
    row = {"type_name": type(value).__name__, "value": value}
    if isinstance(value, np.ndarray):
        row |= {"shape": value.shape, "dtype": value.dtype}
    return row
