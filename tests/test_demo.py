"""The demo, run as a user runs it; `tests/gallery` has the pages of the gallery."""

import re

from _scripts import numbers_after, printed_by


def test_demo_beats_ridge_and_the_naive_forecasts_clearly(tmp_path):
    output = printed_by("demo.py", "--quick", cwd=tmp_path)
    names = "Forecaster", "Ridge regression", "As the day before", "As a week before"
    networks, ridge, yesterday, last_week = (
        numbers_after(rf"{name}  ", output)[0] for name in names
    )
    assert networks < 0.95 * ridge
    assert networks < 0.7 * min(yesterday, last_week)
    assert "Forecaster wins: wrong by" in output
    held = int(re.search(r"(\d+)% of the hours were within their 90%", output)[1])
    assert 80 <= held <= 98
    assert (tmp_path / "demo.png").stat().st_size > 10_000
