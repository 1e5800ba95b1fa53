"""What an estimator is before and after something fails."""

from contextlib import contextmanager


@contextmanager
def unchanged_on_error(estimator):
    """Give `estimator` its attributes back if what runs inside fails."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
