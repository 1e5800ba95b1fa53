import re
import sys
import warnings
from pathlib import Path

from sphinx.util.docutils import SphinxDirective

import skrnn
from skrnn._estimators.docs.rows import rows_as_rst

# Extensions of our own stand beside this file.
sys.path.insert(0, str(Path(__file__).parent))

project = "skrnn"
author = "The skrnn developers"
copyright = f"2026, {author}"
version = release = skrnn.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "_result_directives",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "sg_execution_times.rst"]
# As in scikit-learn, whose docstrings the estimators inherit.
default_role = "literal"
python_maximum_signature_line_length = 88

autodoc_typehints = "none"
autosummary_generate = True
# The page template lists the methods.
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = f"skrnn {release}"
html_static_path = ["_static"]
html_css_files = ["skrnn.css"]
html_favicon = "_static/favicon.svg"
html_show_sourcelink = False
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "logo": {"text": "skrnn", "image_light": "_static/logo.svg"},
}

# A button copies what one would type: no prompts and no output.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"[/\\]plot_",
    "ignore_pattern": r"(__init__|demo)\.py$",
    "backreferences_dir": "reference/generated/backreferences",
    "doc_module": ("skrnn",),
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
}

# What an example prints belongs on its page; a figure needs no window.
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")


def plain_references(app, what, name, obj, options, lines):
    """Make text of the links that inherited methods have into scikit-learn's guide."""
    if str(getattr(obj, "__module__", "")).startswith("sklearn."):
        lines[:] = [
            re.sub(r":ref:`([^`<]+?) *<[^`>]+>`", r"\1", line) for line in lines
        ]


class Rows(SphinxDirective):
    """``.. rows:: losses``: all rows of a table, each with its source."""

    required_arguments = 1

    def run(self):  # noqa: D102
        return self.parse_text_to_nodes("\n".join(rows_as_rst(self.arguments[0])))


def setup(app):
    app.add_directive("rows", Rows)
    app.connect("autodoc-process-docstring", plain_references)
