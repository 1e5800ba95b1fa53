import re
import sys
import warnings
from pathlib import Path

import skrnn

sys.path.insert(0, str(Path(__file__).parent / "_pictures"))
sys.path.insert(0, str(Path(__file__).parent / "_sphinx"))
from directives import Drawing, Examples, Rows
from elsewhere import LinksElsewhere, write_inventories
from papers import PaperLinks
from themes import add_themes

project = "skrnn"
author = "The skrnn developers"
copyright = f"2026, {author}"
version = release = skrnn.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "result_directives",
]
# Of the names that the pages cite: a build asks nothing of the network.
intersphinx_mapping = write_inventories(Path(__file__).parent / "_build/inventories")
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
html_title = "skrnn"
html_static_path = ["_static"]
html_css_files = ["skrnn.css"]
# Single pages: a sidebar of their section would be empty.
html_sidebars = {
    page: [] for page in ("getting_started", "quality/index", "performance/index")
}
html_favicon = "_static/favicon.svg"
html_show_sourcelink = False
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "logo": {
        "text": "skrnn",
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
    },
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
    # The examples by subject, in an order of our own.
    "copyfile_regex": r"index\.rst",
    "thumbnail_size": (640, 448),
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    # What a block prints, and tables: not that its last line made a display.
    "capture_repr": ("_repr_html_",),
}

# What an example prints belongs on its page; a figure needs no window.
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")


def plain_references(app, what, name, obj, options, lines):
    """Make text of the links that inherited methods have into scikit-learn's guide."""
    if str(getattr(obj, "__module__", "")).startswith("sklearn."):
        lines[:] = [
            re.sub(r":ref:`([^`<]+?) *<[^`>]+>`", r"\1", line) for line in lines
        ]


def setup(app):
    app.add_directive("drawing", Drawing)
    app.add_directive("examples", Examples)
    app.add_directive("rows", Rows)
    app.add_transform(LinksElsewhere)
    app.add_transform(PaperLinks)
    app.connect("autodoc-process-docstring", plain_references)
    # After numpydoc has made lists of the sections.
    app.connect("autodoc-process-docstring", add_themes, priority=900)
