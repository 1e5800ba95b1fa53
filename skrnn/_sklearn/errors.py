"""Errors that name what the user passed, where scikit-learn's or NumPy's don't."""

import re
from contextlib import contextmanager

import numpy as np

from skrnn._sklearn import private


def check_feature_names_in(estimator, input_features=None, **options):
    """Return the names of the columns of X; of another number or form they are refused.

    Raises
    ------
    ValueError
        In scikit-learn's words, or one that names `input_features`.
    """
    refuse_no_names(input_features)
    return private.check_feature_names_in(estimator, input_features, **options)


def refuse_no_names(input_features):
    """Refuse `input_features` that are no array of names, nor None."""
    if input_features is not None and np.asarray(input_features, object).ndim != 1:
        raise ValueError(
            f"input_features={input_features!r:.60} is no list of names; expected one "
            "for each column of X, or None."
        )


def refuse_no_output(transform):
    """Refuse a `transform` of ``set_output`` that names no kind of output."""
    if transform is not None and not isinstance(transform, str):
        raise ValueError(
            f"transform={transform!r:.60} is no output; expected 'default', 'pandas', "
            "'polars' or None."
        )


@contextmanager
def naming(*names):
    """Put the names of arguments before an error that tells none of them.

    NumPy, pandas and scikit-learn describe what they couldn't read, and not where it
    came from.
    """
    what = " and ".join(names)
    try:
        yield
    except OverflowError as error:
        raise ValueError(
            f"{what} holds an integer beyond 1.8e308, the largest float64."
        ) from error
    except (TypeError, ValueError, NotImplementedError) as error:
        if is_named(names, str(error)):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{what} can't be read: {error}") from error


def is_named(names, text):
    """Whether a text has one of some names as a word."""
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in names)
