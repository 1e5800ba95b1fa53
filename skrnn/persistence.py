"""Estimators in files: saved without fear, loaded without code, carried elsewhere."""

from skrnn._persistence.export.exporting import export, load_network
from skrnn._persistence.files import load, save

__all__ = ["export", "load", "load_network", "save"]
