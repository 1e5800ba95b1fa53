"""What the pages are written with beside Sphinx' own directives."""

from pathlib import Path

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


class Examples(SphinxDirective):
    """``.. examples::``, then ``name: what its picture shows``; cards in this order."""

    has_content = True

    def run(self):
        lines = [".. grid:: 1 2 2 3", "   :gutter: 3", "   :class-container: examples"]
        for each in filter(None, self.content):
            name, _, shows = each.partition(": ")
            script = Path(self.env.srcdir).parent / "examples" / f"{name}.py"
            lines += [
                "",
                f"   .. grid-item-card:: {title_of(script)}",
                f"      :link: {name}",
                "      :link-type: doc",
                f"      :img-top: images/thumb/sphx_glr_{name}_thumb.png",
                f"      :img-alt: {shows}",
            ]
        hidden = ["", ".. toctree::", "   :hidden:", ""]
        names = [each.partition(": ")[0] for each in filter(None, self.content)]
        lines += hidden + [f"   {name}" for name in names]
        return self.parse_text_to_nodes("\n".join(lines))


def title_of(script):
    """Return the title of an example, the first line of its docstring with text."""
    return script.read_text().removeprefix('"""').strip().partition("\n")[0]
