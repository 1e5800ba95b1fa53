"""What the pages are written with beside Sphinx' own directives."""

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

from skrnn._estimators.docs.rows import rows_as_rst


class Rows(SphinxDirective):
    """``.. rows:: losses``: all rows of a table, each with its source."""

    required_arguments = 1

    def run(self):
        return self.parse_text_to_nodes("\n".join(rows_as_rst(self.arguments[0])))


class Drawing(SphinxDirective):
    """``.. drawing:: folds``: what ``drawings.py`` drew, for light and dark pages."""

    required_arguments = 1
    has_content = True
    option_spec = {"alt": directives.unchanged_required}

    def run(self):
        name, alt = self.arguments[0], " ".join(self.options["alt"].split())
        figure = nodes.figure(classes=["drawing"])
        for file, theme in ((name, "only-light"), (f"{name}-dark", "only-dark")):
            figure += nodes.image(uri=f"{file}.svg", alt=alt, classes=[theme])
        for paragraph in self.parse_content_to_nodes():
            figure += nodes.caption("", "", *paragraph.children)
        return [figure]
