"""The code of the README runs as it stands."""

import re
from pathlib import Path

import pytest
from _instances import in_new_process

README = Path(__file__).parents[1] / "README.md"


def test_the_code_of_the_readme_runs():
    pytest.importorskip("statsmodels")
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) == 5
    printed = in_new_process("import warnings\n" + "\n".join(blocks))
    assert "happy" in printed
    assert "dcba" in printed
