"""The loggers of skrnn, in Python's ``logging``: nothing is shown unless asked for."""

import logging

# Without a handler Python would print warnings, if there ever are any.
logging.getLogger("skrnn").addHandler(logging.NullHandler())


def logger(subject: str) -> logging.Logger:
    """Return the logger of a subject, ``skrnn.training`` say."""
    return logging.getLogger(f"skrnn.{subject}")
