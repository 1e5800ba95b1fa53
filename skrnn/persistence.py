"""Fitted estimators in files that run no code."""

__all__: list[str] = []
