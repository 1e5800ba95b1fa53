"""A fit changes all of an estimator or nothing, and answers are wholly of one fit."""

from collections.abc import Callable
from contextlib import contextmanager
from functools import wraps
from threading import get_ident
from typing import Any, TypeVar

from skrnn._sklearn.private import CALLBACKS, CALLBACKS_AMID_FIT, VERSION

# An attribute while a fit runs: its thread, and the attributes from before.
FITTING = "_fitting"
# Marks what `of_one_moment` returns: its attributes no longer change.
_SETTLED = "_settled"
_PASSING = {FITTING, _SETTLED, *CALLBACKS_AMID_FIT}
# What no fit learns.
_NOT_FITTED = {*_PASSING, CALLBACKS}
_Method = TypeVar("_Method", bound=Callable[..., Any])


def of_one_fit(method: _Method) -> _Method:
    """Decorate a method that answers: it reads what was fitted once, at its start."""

    @wraps(method)
    def answer(self, *args, **kwargs):
        return method(of_one_moment(self), *args, **kwargs)

    return answer  # type: ignore[return-value]


def of_one_moment(estimator: Any) -> Any:
    """Return an estimator with the attributes that this one has now.

    While another thread fits it, these are those from before that fit.
    """
    attributes = vars(estimator)
    if _SETTLED in attributes:
        return estimator
    # A copy of a dict is one step: no other thread comes in between.
    attributes = attributes.copy()
    fitting = attributes.pop(FITTING, None)
    if fitting is not None and fitting[0] != get_ident():
        attributes = fitting[1].copy()
    attributes[_SETTLED] = True
    found = object.__new__(type(estimator))
    found.__dict__ = attributes
    return found


def lasting(state: Any) -> Any:
    """Return a state without what is only there while something runs."""
    if isinstance(state, dict) and not _PASSING.isdisjoint(state):
        fitting = state.get(FITTING)
        own = {name: state[name] for name in state.keys() & {VERSION}}
        if fitting is not None and fitting[0] != get_ident():
            state = fitting[1] | own
        return {name: value for name, value in state.items() if name not in _PASSING}
    return state


@contextmanager
def unchanged_on_error(estimator):
    """Restore the attributes of `estimator` if the body raises.

    While the body runs, other threads get answers from the attributes of before.
    """
    before = dict(vars(estimator))
    thread, known = (get_ident(), before.get(FITTING))
    is_outermost = known is None or known[0] != thread
    if is_outermost:
        before = dict(known[1]) if known else before
    try:
        try:
            if is_outermost:
                vars(estimator)[FITTING] = thread, before
            yield
            if is_outermost:
                vars(estimator).pop(FITTING, None)
        except BaseException:
            _give_back(estimator, before)
            raise
    except BaseException:
        # Once more: a second Ctrl-C may have ended the first try.
        _give_back(estimator, before)
        raise


@contextmanager
def undisturbed(estimator):
    """Give an estimator its attributes back when the body ends; parameters stay.

    The body trains, and so runs code of the user, such as callbacks, which may fit the
    same estimator.
    """
    begun = vars(estimator).copy()
    yield
    _exchange(estimator, begun)


@contextmanager
def as_before_fit(estimator):
    """Give an estimator its attributes from before the fit while the body runs.

    What code of the user asks of the estimator, saves of it or fits it on stays apart
    from the fit: what that has learnt so far, say of y, would be mixed with the network
    of an earlier fit. Parameters that the body sets stay.
    """
    with undisturbed(estimator):
        _exchange(estimator, vars(estimator)[FITTING][1])
        yield


def _exchange(estimator, others):
    """Replace all that a fit learns."""
    attributes = vars(estimator)
    kept = _NOT_FITTED.union(estimator._get_param_names())
    for name in attributes.keys() - others.keys() - kept:
        del attributes[name]
    attributes.update({name: others[name] for name in others.keys() - kept})


def _give_back(estimator, before):
    """Restore the attributes of `before`; none of them is ever missing meanwhile."""
    attributes = vars(estimator)
    attributes.update(before)
    for name in attributes.keys() - before.keys() - {FITTING}:
        del attributes[name]
    if FITTING not in before:
        # The last one: meanwhile other threads read what was before.
        attributes.pop(FITTING, None)
