"""A private name of scikit-learn: what it is for, and what to do when it goes."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from numbers import Integral
from typing import Any

import pytest
from sklearn.base import BaseEstimator


@dataclass(frozen=True)
class Case:
    """One private name of scikit-learn."""

    # With its module, or with the class that has it.
    name: str
    needed_for: str
    when_it_goes: str
    check: Callable[[Any], None]


CASES: dict[str, Case] = {}


def case(name, needed_for, when_it_goes):
    """Enter a check into the table: it gets what has the name."""

    def enter(check):
        CASES[name] = Case(f"sklearn.{name}", needed_for, when_it_goes, check)
        return check

    return enter


def named(name):
    """Return the object of a full name."""
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError:
        owner, _, cls = module.rpartition(".")
        return getattr(getattr(importlib.import_module(owner), cls), attribute)


def run(case):
    """Try a name; a failure tells which it is, and what to do."""
    try:
        case.check(named(case.name))
    except Exception as error:
        pytest.fail(
            f"scikit-learn {version('scikit-learn')} may have no {case.name} any more, "
            f"or it does something else: {type(error).__name__}: {error}\n"
            f"skrnn/_sklearn/private.py needs it for {case.needed_for}. "
            f"When it goes: {case.when_it_goes}"
        )


class Tiny(BaseEstimator):
    """What scikit-learn's functions are asked about."""

    _parameter_constraints = {"units": [Integral]}

    def __init__(self, units=1):
        self.units = units
