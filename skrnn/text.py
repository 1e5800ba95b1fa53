"""Language models: networks that are trained on text and write more of it."""

from skrnn._estimators.language.generator import TextGenerator

__all__ = ["TextGenerator"]
