"""Language models: networks that are trained on text and write more of it."""

from skrnn.text._generator import TextGenerator

__all__ = ["TextGenerator"]
