"""Log lines of a training, under "skrnn.training"."""

import logging

from skrnn._data.logs import logger
from skrnn._engine.training.plan import Trained, TrainPlan

_log = logger("training")


def log_begin(plan: TrainPlan, engine: str, weights: list, n: int) -> None:
    """Say what is about to be trained, and on which engine."""
    if _log.isEnabledFor(logging.INFO):
        n_weights = sum(weight.size for weight in weights)
        _log.info(
            "%s: training %d weights on %d sequences, for up to %d epochs of batches "
            "of %d, on the %s engine",
            *(plan.name, n_weights, n, plan.epochs, plan.batch_size, engine),
        )


def log_epoch(plan: TrainPlan, epoch: int, losses: dict[str, float]) -> None:
    """Say how an epoch, from 0, went."""
    if _log.isEnabledFor(logging.DEBUG):
        told = _written(losses)
        _log.debug("%s: epoch %d/%d: %s", plan.name, epoch + 1, plan.epochs, told)


def log_end(plan: TrainPlan, trained: Trained, ending: str) -> None:
    """Say how training ended; `ending` is empty where it went on to its last epoch."""
    if _log.isEnabledFor(logging.INFO):
        n_epochs = len(trained.history["loss"])
        last = {name: losses[-1] for name, losses in trained.history.items() if losses}
        how = ending or f"all {n_epochs} epochs done"
        kept, told = trained.best_epoch, _written(last)
        _log.info("%s: %s: %s; epoch %d kept", plan.name, how, told, kept)


def _written(losses):
    return ", ".join(f"{name} {value:.6g}" for name, value in losses.items())
