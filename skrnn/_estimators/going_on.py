"""How training goes on from an earlier one: by `warm_start`, or from a checkpoint."""

import inspect
from typing import Any

import numpy as np

from skrnn import _engine
from skrnn._estimators.checkpoints import (
    FitCheckpoint,
    fit_checkpoint,
    parameters_of,
)
from skrnn._networks.weights import initial_weights
from skrnn._sklearn import draw_seed


class GoesOn:
    """What a ``fit`` starts from: first weights, or those of an earlier training."""

    checkpoint_path: Any
    engine: str
    random_state: Any
    n_iter_: int
    _spec: Any
    _weights: Any
    _optimizer_state: Any
    _optimizer_kind: str

    def _seed(self, resume, checkpoint=None):
        """Return the seed of this fit: that of an earlier try to go on with, or new."""
        if checkpoint is not None and checkpoint.seed is not None:
            return checkpoint.seed
        return draw_seed(self.random_state, self.n_iter_ if resume else 0)

    def _checkpoint(self, resume, *data) -> FitCheckpoint | None:
        """Return the checkpoint of a fit on these data; None if none is asked for."""
        if self.checkpoint_path is None:
            return None
        before = (self._weights, self._optimizer_state) if resume else ()
        known = parameters_of(self, engine=_engine.chosen(self.engine))
        return fit_checkpoint(self.checkpoint_path, self, known, *data, before)

    def _start(self, spec, plan, resume):
        """Return the weights and the optimizer's state to start from."""
        if resume:
            same = self._optimizer_kind == kind_of(plan.optimizer)
            return self._weights, self._optimizer_state if same else None
        return initial_weights(spec, plan.seed), None

    def _changes(self, spec):
        """Name the parameters that make other weights now, in their own order."""
        known = list(inspect.signature(type(self)).parameters)
        places = {name: place for place, name in enumerate(known)}
        changed = self._spec.changes_to(spec)
        return sorted(changed, key=lambda name: places.get(name, len(known)))

    def _refuse_changes(self, spec):
        """Refuse to continue training if the network would be another one."""
        changed = self._changes(spec)
        if changed:
            # Training can only go on with the same weights.
            raise refused_change(self, changed)


def refused_change(estimator, changed) -> ValueError:
    """Return the error of parameters that make another network now."""
    return ValueError(
        f"{type(estimator).__name__} cannot go on training: {', '.join(changed)} "
        "changed since the network was built. Fit with warm_start=False."
    )


def kind_of(optimizer) -> str:
    """Name an optimizer: the state of one isn't that of another."""
    return optimizer if isinstance(optimizer, str) else type(optimizer).__name__


def going_on(checkpoint: FitCheckpoint | None, spec, plan) -> Any:
    """Return a checkpoint in the form that training takes, or None."""
    return None if checkpoint is None else checkpoint.for_training(spec, plan.seed)


def finite_or_none(state):
    """Return an optimizer's state; None if something in it has overflowed.

    Training that goes on from such numbers keeps them, and nothing reads them back.
    """
    is_finite = all(np.isfinite(array).all() for array in state)
    return state if is_finite else None
