"""Estimators in files: saved without fear of a crash, loaded without running code."""

from skrnn._persistence.files import load, save

__all__ = ["load", "save"]
