"""The loop over epochs: early stopping, history, callbacks, Ctrl-C and divergence."""

import numpy as np

from skrnn._engine.training.callbacks import Callbacks
from skrnn._engine.training.contracts import BatchSource, Program
from skrnn._engine.training.epochs import Pace, run_batches, run_epochs
from skrnn._engine.training.plan import Trained
from skrnn._engine.training.progress import Progress
from skrnn._engine.training.schedules import Schedule


class Loop:
    """One fit on a borrowed program; `progress` shows how it goes.

    Parameters
    ----------
    program : Program
    spec : Spec
    plan : TrainPlan
    training : BatchSource
    validation : BatchSource or None
        Without one the training loss decides what is best.
    progress : Progress or None
    """

    def __init__(
        self,
        program: Program,
        spec,
        plan,
        training: BatchSource,
        validation: BatchSource | None,
        progress=None,
    ):
        self.program, self.spec, self.plan = program, spec, plan
        self.source, self.data = training, program.load(training)
        self.validation = None
        if validation is not None:
            order = validation.evaluation_order()
            self.validation = program.load(validation), order
        names = ["loss"] + ["val_loss"] * (validation is not None)
        self.history: dict[str, list[float]] = {name: [] for name in names}
        # Without one the batches stay in the order of the data.
        self.rng = np.random.default_rng(plan.seed) if plan.shuffle else None
        self.progress = progress or Progress(plan.name, plan.epochs, plan.verbose)
        n_batches = training.n_batches(plan.batch_size)
        self.callbacks = Callbacks(spec, plan, program, n_batches)
        self.schedule = None if plan.schedule is None else Schedule(plan, n_batches)
        self.best = Best()
        self.start = program.get_weights()
        self.pace = Pace()
        self.step, self.restored_epoch = 0, None
        self.interrupted = self.diverged = False

    def run(self):
        """Train, and return what is to be kept."""
        try:
            self._run_epochs()
        except KeyboardInterrupt:
            if not self.step:
                raise
            self.interrupted = True
        finally:
            self.callbacks.release()
        self.progress.close(self._ending())
        return self._trained()

    def _run_epochs(self):
        tell = self.callbacks.tell
        tell("on_train_begin")
        epochs = range(self._skip_epochs(), self.plan.epochs)
        run_epochs(epochs, self._run_epoch, tell, self._is_last)
        tell("on_train_end")
        self.restored_epoch = self.callbacks.restored_epoch()

    def _skip_epochs(self):
        """Go past what an interrupted fit has done; return the epoch to begin with."""
        first = self.callbacks.first_epoch
        for epoch in range(first):
            self.step += len(self._order(epoch))
        return first

    def _is_last(self, epoch, logs):
        """Look at an epoch that was told; whether training ends with it."""
        done = len(self.history["loss"])
        self.best.offer(logs.get("val_loss", logs["loss"]), done, self.program)
        self.progress.show(epoch + 1, 1, logs)
        return self.callbacks.stop or self._has_stalled(done)

    def _has_stalled(self, n_epochs):
        # The first one counts as the best if no loss was finite.
        stalled_for = n_epochs - max(self.best.epoch, 1)
        return self.plan.early_stopping and stalled_for >= self.plan.patience

    def _run_epoch(self, epoch):
        """Train and validate; return the losses, or None if they aren't finite."""
        batches, tell = self._order(epoch), self.callbacks.tell
        one_by_one = self.callbacks.wants_batches

        def before(batch):
            if one_by_one:
                tell("on_train_batch_begin", batch)

        def after(batch, total, count):
            logs = {"loss": total / max(count, 1)}
            if one_by_one:
                tell("on_train_batch_end", batch, dict(logs))
            if batch + 1 < len(batches):
                self.progress.show(epoch + 1, (batch + 1) / len(batches), logs)

        total, count = run_batches(
            batches,
            self._train,
            self.pace,
            one_by_one=one_by_one,
            before=before,
            after=after,
            is_over=self._is_over,
        )
        logs = {"loss": total / max(count, 1)}
        # An update may overflow although its loss and gradients were finite.
        values = [*logs.values(), *self.program.get_weights()]
        self.diverged |= not _all_finite(values)
        if self.diverged:
            return None
        # Whatever the loss of other data is, the network is none the worse for it.
        logs |= self._evaluate()
        for name, value in logs.items():
            self.history[name].append(value)
        return logs

    def _is_over(self):
        return self.diverged or self.callbacks.stop

    def _order(self, epoch):
        return self.source.order(self.plan.batch_size, self.rng, epoch)

    def _train(self, part):
        step_inputs = self._step_inputs(len(part))
        total, count, finite = self.program.train(self.data, part, step_inputs)
        self.diverged = not bool(finite)
        self.step += len(part)
        return total, count

    def _step_inputs(self, n_steps):
        rates = None
        if self.schedule is not None:
            rates = self.schedule.next(self.step, n_steps, self.program.optimizer)
        return {
            "seed": np.int32(self.plan.seed),
            "step": np.int64(self.step),
            "rates": rates,
            "clipnorm": _limit(self.plan.clipnorm),
            "global_clipnorm": _limit(self.plan.global_clipnorm),
            **{name: np.float32(rate) for name, rate in self.spec.rates.items()},
        }

    def _evaluate(self):
        if self.validation is None:
            return {}
        total, count = self.program.evaluate(*self.validation)
        return {"val_loss": float(total) / float(count)}

    def _ending(self):
        if self.interrupted:
            return "interrupted"
        if self.diverged:
            return "the loss is not finite"
        n_epochs = len(self.history["loss"])
        return f"stopped after epoch {n_epochs}" if n_epochs < self.plan.epochs else ""

    def _trained(self):
        # What a callback has set may be anything.
        self.diverged |= not _all_finite(self.program.get_weights())
        weights, epoch = self._kept()
        return Trained(
            weights=weights,
            optimizer_state=self.program.get_optimizer_state(),
            history=self.history,
            best_epoch=epoch,
            interrupted=self.interrupted,
            diverged=self.diverged,
        )

    def _kept(self):
        """Return the weights to keep and the epoch, from 1, that they are of."""
        restore = self.plan.early_stopping or self.diverged or self.interrupted
        if restore and self.best.weights is not None:
            return self.best.weights, self.best.epoch
        if self.diverged:
            return self.start, 0
        # What an interrupted first epoch has learnt is the best so far.
        n_epochs = len(self.history["loss"])
        return self.program.final_weights(), self.restored_epoch or n_epochs


class Best:
    """The weights of the epoch with the lowest loss, among those that are finite."""

    def __init__(self):
        self.loss, self.epoch, self.weights = np.inf, 0, None

    def offer(self, loss, epoch, program):
        if loss < self.loss and _all_finite(program.final_weights()):
            self.loss, self.epoch, self.weights = loss, epoch, program.final_weights()


def _limit(norm):
    """Return a limit of norms; what float32 can't hold limits nothing, as None."""
    with np.errstate(over="ignore"):
        return np.float32(np.inf if norm is None else norm)


def _all_finite(values):
    return all(np.isfinite(value).all() for value in values)
