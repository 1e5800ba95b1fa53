"""Fitted generators."""

import pytest
from _texts import NAMES, TEXT, TINY

from skrnn.text import TextGenerator


@pytest.fixture(scope="module")
def writer():
    return TextGenerator(**TINY).fit(TEXT)


@pytest.fixture(scope="module")
def namer():
    return TextGenerator(**TINY | dict(epochs=80)).fit(NAMES)
