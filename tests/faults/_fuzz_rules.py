"""What is allowed to happen, whatever is passed."""

import re
import signal
import warnings

import numpy as np

# Exceptions that say that something passed is wrong; AttributeError is one where a
# method isn't there, which is asked before.
ALLOWED = ValueError, TypeError
# How long anything may take.
SECONDS = 60
# Warnings that are about what the user passed, or how training went.
OWN_WARNINGS = UserWarning
# Others that are let through -> the place where they come from, and why.
OTHER_WARNINGS = {
    # What the user gave SequenceWise to apply: StandardScaler alone warns so, too.
    "overflow encountered in square": "/sklearn/",
    "invalid value encountered in subtract": "/sklearn/",
    # NaT among what scikit-learn's scores are given.
    "invalid value encountered in cast": "/sklearn/externals/",
}
# scikit-learn's sentences about arrays, whose numbers are the user's.
KNOWN = re.compile(
    "Found (array|input variables)|Expected [12]D|Unknown label type|could not convert "
    "string|Invalid parameter|Reshape your data|feature names|Sample weights must|"
    "Iterable over raw text documents|Expected a 2-dimensional container|output "
    "config|Cannot have number of (splits|folds)"
)


class Broken(AssertionError):
    """Something happened that never may."""


class Hangs(Exception):
    """Something takes very long."""


def _hang(*_):
    raise Hangs(f"takes more than {SECONDS} s")


signal.signal(signal.SIGALRM, _hang)


def attempt(function, names, *args, **kwargs):
    """Call a function; return its result, or the error that it may raise.

    Raises
    ------
    Broken
        For any other error, for one that names nothing that was passed, and for a
        warning that isn't meant for users.
    """
    error = result = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            result = function(*args, **kwargs)
        except ALLOWED as found:
            error = found
        except Exception as found:
            raise Broken(f"{type(found).__name__}: {found}") from found
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    if error is not None:
        _judge(error, names)
    for each in caught:
        place = OTHER_WARNINGS.get(str(each.message), "?")
        is_theirs = place in each.filename
        if not (is_theirs or issubclass(each.category, OWN_WARNINGS)):
            where = f"{each.filename}:{each.lineno}"
            raise Broken(f"{each.category.__name__} at {where}: {each.message}")
    return result, error


def _judge(error, names):
    """Refuse an error that names nothing of what was passed."""
    text = "\n".join([str(error), *getattr(error, "__notes__", ())])
    named = any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in names)
    if not (named or KNOWN.search(text)):
        raise Broken(f"{type(error).__name__} names nothing: {text}") from error


def state(estimator):
    """Return what an estimator holds, to be compared with `assert_unchanged`."""
    held = dict(vars(estimator))
    return held, {name: _frozen(value) for name, value in held.items()}


def _frozen(value):
    if isinstance(value, list | tuple):
        return [_frozen(each) for each in value]
    if isinstance(value, dict):
        return list(value), [_frozen(each) for each in value.values()]
    return contents(value)


def assert_unchanged(before, estimator, what):
    """Nothing is half-changed after an error, what an attribute holds neither."""
    (held, frozen), after = before, vars(estimator)
    changed = [k for k in {*held, *after} if held.get(k) is not after.get(k)]
    if changed or held.keys() != after.keys():
        raise Broken(f"{what} failed and changed {sorted(changed)}")
    changed = [name for name, value in after.items() if _frozen(value) != frozen[name]]
    if changed:
        raise Broken(f"{what} failed and changed what {sorted(changed)} hold")


def contents(value):
    """Return the bytes of an array, which nobody may change."""
    if type(value) is np.ndarray and value.dtype != object:
        return value.dtype, value.shape, value.tobytes()
    return None
