"""The reference and the guide have all that is public, and what it leads to."""

import importlib
import inspect
import re
import sys
from pathlib import Path

import pytest
from numpydoc.docscrape import NumpyDocString
from sklearn.experimental import enable_halving_search_cv  # noqa: F401

import skrnn

DOCS = Path(__file__).parents[1] / "docs"
EXAMPLES = DOCS.parent / "examples"
MODULES = [
    "skrnn",
    *(
        f"skrnn.{name}"
        for name in skrnn.__dir__()
        if inspect.ismodule(getattr(skrnn, name))
    ),
]


@pytest.fixture(autouse=True)
def modules_of_docs(monkeypatch):
    monkeypatch.syspath_prepend(DOCS / "_sphinx")
    yield
    for name in ("elsewhere", "papers", "themes"):
        sys.modules.pop(name, None)


def names_on_the_page():
    """List the names of the reference's tables, each with its module."""
    module = ""
    for line in (DOCS / "reference" / "index.rst").read_text().splitlines():
        if found := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = found[1]
        elif found := re.fullmatch(r"   ([A-Za-z]\w*)", line):
            yield f"{module}.{found[1]}"


ON_THE_PAGE = [*names_on_the_page()]


def public(name):
    module, _, last = name.rpartition(".")
    return getattr(importlib.import_module(module), last)


@pytest.mark.parametrize("module", MODULES)
def test_all_public_names_are_on_the_page(module):
    shown = {id(public(name)) for name in ON_THE_PAGE}
    module = importlib.import_module(module)
    values = {name: getattr(module, name) for name in module.__all__}
    missing = [
        name
        for name, value in values.items()
        if not inspect.ismodule(value) and id(value) not in shown
    ]
    assert not missing


def test_nothing_stands_there_twice():
    assert len(ON_THE_PAGE) == len({id(public(name)) for name in ON_THE_PAGE})


@pytest.mark.parametrize("name", ON_THE_PAGE)
def test_a_docstring_leads_on(name):
    doc = NumpyDocString(inspect.getdoc(public(name)))
    assert doc["See Also"]


@pytest.mark.parametrize("name", ON_THE_PAGE)
def test_a_type_of_two_lines_is_joined_by_one_blank(name):
    # A backslash joins them, and the blanks in front of the second line stay.
    value = public(name)
    members = inspect.getmembers(value) if inspect.isclass(value) else []
    named = {
        name: value,
        **{each: member for each, member in members if each[0] != "_"},
    }
    apart = re.compile(r"^ *\w[\w, ]* : .*\S {2,}\S.*$", re.M)
    found = {
        each: apart.findall(inspect.getdoc(member) or "")
        for each, member in named.items()
        if "skrnn" in str(getattr(member, "__module__", ""))
    }
    assert not {each: lines for each, lines in found.items() if lines}


@pytest.mark.parametrize(
    "name", [name for name in ON_THE_PAGE if inspect.isclass(public(name))]
)
def test_every_parameter_has_a_theme(name):
    from themes import ENOUGH, THEMES, by_theme, parameters_of

    themes = [each for known in THEMES.values() for each in known.split()]
    assert len(themes) == len({*themes})
    names = parameters_of(public(name))
    # Those of Keras' wrappers are scikeras'.
    if len(names) > ENOUGH and "scikeras" not in name:
        assert {each for found in by_theme(names).values() for each in found} == {
            *names
        }


def docstrings():
    for name in ON_THE_PAGE:
        yield inspect.getdoc(public(name))
        if inspect.isclass(public(name)):
            for _, method in inspect.getmembers(public(name), callable):
                if (getattr(method, "__module__", "") or "").startswith("skrnn"):
                    yield inspect.getdoc(method) or ""


def pages():
    folders = DOCS, DOCS / "user_guide", DOCS / "performance", DOCS / "quality"
    yield from (path.read_text() for each in folders for path in each.glob("*.rst"))
    for path in EXAMPLES.glob("plot_*.py"):
        yield path.read_text()


# A thesis and a book, which nobody has online.
NO_PAPERS = {("Saito", "1994"), ("Prado", "2018")}


def test_every_paper_has_an_address():
    from papers import CITATION, PAPERS, TITLES, address

    cited = {
        (found[1], found[3])
        for text in [*pages(), *docstrings()]
        for found in CITATION.finditer(text)
    }
    known = {(author, str(year)) for author, year in PAPERS}
    assert len(cited) > 50
    assert cited - known - NO_PAPERS == set()
    for where in [*TITLES.values(), *PAPERS.values()]:
        assert re.fullmatch(r"https://\S+\.\S+/\S+", address(where))


def test_names_of_other_packages_are_theirs():
    from elsewhere import pages

    for package, names in pages().items():
        importlib.import_module(package)
        for name in names:
            try:
                importlib.import_module(name)
            except ImportError:
                assert inspect.isroutine(public(name)) or inspect.isclass(public(name))


def test_every_example_has_its_place():
    listed = re.findall(
        r"^   (plot_\w+): .", (EXAMPLES / "index.rst").read_text(), re.M
    )
    assert sorted(listed) == sorted(path.stem for path in EXAMPLES.glob("plot_*.py"))


def test_every_page_of_the_guide_has_its_line():
    index = (DOCS / "user_guide" / "index.rst").read_text()
    index += (DOCS / "user_guide" / "coming_from.rst").read_text()
    shown = re.findall(r"   \* - :doc:`(\w+)`\n     - \w", index)
    kept = {path.stem for path in (DOCS / "user_guide").glob("*.rst")} - {"index"}
    assert sorted(shown) == sorted(kept)
