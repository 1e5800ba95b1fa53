"""Directives that show the results of benchmarks on a page."""

from docutils import nodes
from docutils.parsers.rst import directives
from plots import COLOURS, PLOTS, draw_all
from result_tables import TABLES
from sphinx.util.docutils import SphinxDirective


class PlotOf(SphinxDirective):
    """``.. plot-of:: name`` with its ``:alt:``: for light pages and for dark ones."""

    required_arguments = 1
    option_spec = {"alt": directives.unchanged_required}

    def run(self):
        name, alt = self.arguments[0], self.options["alt"]
        if name not in PLOTS:
            raise self.error(f"{name!r} is none of the plots: {', '.join(PLOTS)}")
        return [
            nodes.image(
                uri=f"/_build/plots/{name}_{theme}.svg",
                alt=alt, classes=[f"only-{theme}", "dark-light"], width="100%",
            )
            for theme in COLOURS
        ]  # fmt: skip


class TableOf(SphinxDirective):
    """``.. table-of:: name``: the rows that a plot is made of."""

    required_arguments = 1

    def run(self):
        rows = TABLES[self.arguments[0]]()
        widths, lines = next(rows), []
        for row in rows:
            lines += [
                f"{'* -' if not i else '  -'} {cell}" for i, cell in enumerate(row)
            ]
        head = [".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", ""]
        text = "\n".join([*head, *(f"   {line}" for line in lines)])
        return self.parse_text_to_nodes(text)


def setup(app):
    """Add the directives to the documentation, and draw before its pages are read."""
    app.add_directive("plot-of", PlotOf)
    app.add_directive("table-of", TableOf)
    app.connect("builder-inited", lambda app: draw_all())
    return {"parallel_read_safe": True}
