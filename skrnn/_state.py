"""What an estimator is before and after something fails."""

from contextlib import contextmanager


@contextmanager
def unchanged_on_error(estimator):
    """Give `estimator` its attributes back if what runs inside fails."""
    before = dict(vars(estimator))
    try:
        try:
            yield
        except BaseException:
            _give_back(estimator, before)
            raise
    except BaseException:
        # Once more: a second Ctrl-C may have ended the first try.
        _give_back(estimator, before)
        raise


def _give_back(estimator, before):
    """Set the attributes to those of `before`; at no time is one of them missing."""
    attributes = vars(estimator)
    attributes.update(before)
    for name in attributes.keys() - before.keys():
        del attributes[name]
