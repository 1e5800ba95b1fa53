"""Where ``help`` and documentation find what a class can do: in the class itself."""

import inspect
from typing import TypeVar

T = TypeVar("T")


def lists_its_names(cls: type[T]) -> type[T]:
    """Make what a class inherits its own, as far as it is public.

    ``help`` shows first what a class defines, and then what it inherits, base by base.
    A reader would find ``fit`` in one of nine bases, whose names mean nothing to them.
    Nothing else changes, because each name is found in the same base.
    """
    for name in dir(cls):
        if not name.startswith("_") and name not in vars(cls):
            setattr(cls, name, inspect.getattr_static(cls, name))
    return cls
