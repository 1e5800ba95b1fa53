"""Estimators in files: how they are written, checked and read."""
