"""Estimators in files, safe from crashes and code, and networks for use elsewhere."""

from skrnn._persistence.export.exporting import export, load_network
from skrnn._persistence.files import load, save

__all__ = ["export", "load", "load_network", "save"]
