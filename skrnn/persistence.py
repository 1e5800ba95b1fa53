"""Estimators in files, and their networks for use without skrnn."""

from skrnn._persistence.export.exporting import export, load_network

__all__ = ["export", "load_network"]
