"""Pictures are drawn without a screen, closed, and change nothing for others."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def pictures_leave_nothing_behind():
    # Before the tests, for where another one would open windows.
    plt.switch_backend("agg")
    before = dict(mpl.rcParams)
    yield
    plt.close("all")
    assert dict(mpl.rcParams) == before
