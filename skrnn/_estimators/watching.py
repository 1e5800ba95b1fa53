"""What scikit-learn's callbacks are told of a fit: its tasks, data and network."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import wraps
from typing import Any, ClassVar, Self, cast

from sklearn.callback import CallbackSupportMixin

from skrnn._estimators.advice import Method
from skrnn._estimators.one_fit import lasting
from skrnn._sklearn import begin_callbacks, has_callbacks

# Arguments of `fit` that a score may need beside X and y.
_METADATA = ("sample_weight", "future")


class WatchedFit(CallbackSupportMixin):
    """An estimator whose ``fit`` scikit-learn's callbacks can follow."""

    # Whether the network learns to predict X itself, where there is no y.
    _tells_X: ClassVar[bool] = False

    def set_callbacks(self, *callbacks: Any) -> Self:
        """Set callbacks of scikit-learn, which follow ``fit`` and ``partial_fit``.

        Parameters
        ----------
        *callbacks : objects
            Of :mod:`sklearn.callback`, such as ``ProgressBar()`` and
            ``ScoringMonitor(scoring="r2")``, or of the same protocol. They replace
            those set before; no arguments at all remove them. Callbacks of Keras go to
            the parameter `callbacks` instead. A call of ``partial_fit`` counts as a fit
            of one epoch. Files of :func:`skrnn.save` have no callbacks.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError
            If one doesn't follow the protocol.
        """
        try:
            return super().set_callbacks(*callbacks)
        except TypeError as error:
            kinds = [type(each) for each in callbacks]
            if not any(hasattr(kind, "on_epoch_end") for kind in kinds):
                raise
            names = ", ".join(kind.__name__ for kind in kinds)
            raise TypeError(
                f"{error} Got {names}. Callbacks of Keras are for the parameter "
                f"callbacks: write {type(self).__name__}(callbacks=[...])."
            ) from None

    def __copy__(self):
        # Copied like an object without __getstate__: ours makes what a pickle needs,
        # and refuses an estimator amid its `fit`.
        copied = type(self).__new__(type(self))
        copied.__dict__.update(lasting(dict(vars(self))))
        return copied

    def _as_if_ended(self, X, spec, plan, resume, trained):
        """Return the attributes that `fit` on X would leave if training ended now."""
        ended: Any = copy(self)
        ended._keep(spec, plan, trained, resume)
        return vars(ended)


def watch_fit(
    estimator: Any,
    X: Any,
    y: Any,
    n_tasks: int | None,
    *,
    in_order: bool = True,
    **metadata: Any,
) -> "Watch":
    """Set up the callbacks for a fit.

    Call it outside of `unchanged_on_error`, which would forget what is to be torn down.

    Parameters
    ----------
    estimator : WatchedFit
    X, y : object
        The training data as the user gave them, or a function that makes them when
        they are asked for.
    n_tasks : int or None
        Tasks of the fit, at most: epochs, or members. None if `Watch.begin` tells.
    in_order : bool
        Whether one comes after the other.
    **metadata : object
        Other arguments of ``fit``; callbacks get those that scores may need.
    """
    context = begin_callbacks(estimator, n_tasks, in_order)
    given = {k: metadata[k] for k in _METADATA if metadata.get(k) is not None}
    y = X if y is None and estimator._tells_X else y
    data = {"X": X, "y": y, "metadata": given or None}
    return Watch(estimator, context, data)


def told(fit: Method) -> Method:
    """Let callbacks hear of a ``fit`` that has no tasks.

    Decorate it so below `fit_context`, which tears callbacks down.
    """

    @wraps(fit)
    def telling(self, X, *given, **options):
        y = given[0] if given else options.get("y")
        with watch_fit(self, X, y, 0):
            return fit(self, X, *given, **options)

    return cast(Method, telling)


class Watch:
    """One fit that callbacks are told of.

    Its tasks are `epochs`, or `subtasks` that fit estimators.
    """

    def __init__(self, estimator, context, data):
        self._estimator, self._context, self._data = estimator, context, data
        self._epochs: Epochs | None = None
        self._subtasks: list[Any] = []

    def begin(self, n_tasks: int | None = None) -> None:
        """Tell that the fit begins; `n_tasks` is their number, if it is known now."""
        if n_tasks is not None:
            self._context.max_subtasks = n_tasks
        self._context.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def end(self, **fitted: Any) -> None:
        """Tell that the fit has ended and, by ``fitted``, what it has learnt."""
        if self._epochs is not None:
            self._epochs.close()
        self._context.call_on_fit_task_end(
            estimator=self._estimator, **self._data, **fitted
        )

    def __enter__(self):
        self.begin()
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            # The estimator is fitted: nothing is to be added to it.
            self.end(reconstruction_attributes={})

    def epochs(self, spec: Any, plan: Any, resume: bool) -> "Epochs | None":
        """Return what the engine tells of epochs; None where nobody listens."""
        if not has_callbacks(self._estimator):
            return None

        # With what the fit has learnt of the data, which the estimator itself hasn't
        # while it trains.
        begun = copy(self._estimator)

        def as_if_ended(trained):
            how = spec, plan, resume, trained
            return begun._as_if_ended(self._data["X"], *how)

        told = {"estimator": self._estimator, **self._data}
        self._epochs = Epochs(self._context, told, as_if_ended)
        return self._epochs

    def subtasks(self, n: int, name: str) -> None:
        """Begin, with so many subtasks; they may be run in any order, and at once."""
        self.begin(n)
        self._subtasks = [
            self._context.subcontext(task_name=name, task_id=i) for i in range(n)
        ]

    @contextmanager
    def subtask(self, i: int, estimator: Any) -> Iterator[None]:
        """Tell of a subtask, in which `estimator` is fitted."""
        context, told = self._subtasks[i], {"estimator": self._estimator, **self._data}
        with context.propagate_callback_context(estimator):
            context.call_on_fit_task_begin(**told)
            yield
        context.call_on_fit_task_end(**told)


class Epochs:
    """Tells callbacks of the epochs of one training."""

    def __init__(self, context, told, as_if_ended):
        self._context, self._told, self._as_if_ended = context, told, as_if_ended
        self._open: Any = None

    def begin(self, so_far: Callable[[], Any]) -> None:
        """Tell that an epoch begins; ``so_far()`` are the results before it."""
        self._open = self._context.subcontext(task_name="epoch")
        self._open.call_on_fit_task_begin(**self._told, **self._network(so_far))

    def end(self, so_far: Callable[[], Any]) -> bool:
        """Tell that it has ended; return whether a callback asks to stop."""
        ended, self._open = self._open, None
        return ended.call_on_fit_task_end(**self._told, **self._network(so_far))

    def close(self) -> None:
        """End an epoch that was cut off: of a training that diverged, say."""
        if self._open is not None:
            self._open.call_on_fit_task_end(estimator=self._told["estimator"])
            self._open = None

    def _network(self, so_far):
        # scikit-learn calls it if one of the callbacks wants an estimator.
        return {"reconstruction_attributes": lambda: self._as_if_ended(so_far())}
