"""The loop over epochs: early stopping, history, callbacks, Ctrl-C and divergence."""

import numpy as np

from skrnn._engine.cpu.kernels.turns import let_others_on
from skrnn._engine.training.checkpoints import go_on, state_of
from skrnn._engine.training.contracts import BatchSource, Program
from skrnn._engine.training.end_of_python import stop_if_python_ends
from skrnn._engine.training.lines import log_end, log_epoch
from skrnn._engine.training.plan import Trained
from skrnn._engine.training.progress import Progress
from skrnn._engine.training.running import run_batches, run_epochs
from skrnn._engine.training.schedules import Schedule

# Long enough for the overhead of a call not to count, short enough for Ctrl-C.
_SECONDS_PER_CALL = 0.3
# Bounds the memory of the batches of one call, if the data has millions of rows.
_ROWS_PER_CALL = 2**16


class Loop:
    """One fit on a borrowed program; `progress` shows how it goes.

    Parameters
    ----------
    program : Program
    spec : Spec
    plan : TrainPlan
    training : BatchSource
    validation : BatchSource or None
        If None, the training loss decides which epoch is the best.
    callbacks : Callbacks or None
    progress : Progress or None
        A line of losses if it is None; nothing is shown without `plan.verbose`.
    watch : Watcher or None
        Told of each epoch.
    keeper : Keeper or None
        Keeps states after epochs; the program is already in the state that it found.
    """

    def __init__(
        self,
        program: Program,
        spec,
        plan,
        training: BatchSource,
        validation: BatchSource | None,
        callbacks=None,
        progress=None,
        watch=None,
        keeper=None,
    ):
        self.program, self.plan, self.source = program, plan, training
        self.rates = {name: np.float32(rate) for name, rate in spec.rates.items()}
        names = ["loss"] + ["val_loss"] * (validation is not None)
        self.history: dict[str, list[float]] = {name: [] for name in names}
        self.data, self.validation = program.load(training), None
        if validation is not None:
            order = validation.evaluation_order()
            self.validation = program.load(validation), order
        self.keeper = keeper or NOBODY
        self.start = self.keeper.start or program.get_weights()
        # Without one the batches stay in the order of the data.
        self.rng = np.random.default_rng(plan.seed) if plan.shuffle else None
        self.callbacks, self.progress = callbacks or NOBODY, progress or NOBODY
        self.watch = watch or NOBODY
        if plan.verbose and progress is None:
            self.progress = Progress(plan.name, plan.epochs, plan.verbose)
        self.schedule = None
        if plan.schedule is not None or plan.warmup_steps:
            self.schedule = Schedule(plan, training.n_batches(plan.batch_size))
        self.best, self.pace = Best(), Pace()
        self.step, self.restored_epoch = 0, None
        self.interrupted = self.diverged = False

    def run(self):
        """Train, and return the weights to keep, with the history."""
        try:
            self._run_epochs()
        except KeyboardInterrupt:
            if not self.step:
                raise
            self.interrupted = True
        finally:
            self.callbacks.release()
        ending, trained = self._ending(), self._trained()
        self.progress.close(ending)
        if not self.interrupted:
            self.keeper.end(trained)
        log_end(self.plan, trained, ending)
        return trained

    def _run_epochs(self):
        tell = self.callbacks.tell
        tell("on_train_begin")
        epochs = range(self._skip_epochs(), self.plan.epochs)
        run_epochs(epochs, self._run_epoch, tell, self._is_last)
        tell("on_train_end")
        self.restored_epoch = self.callbacks.restored_epoch()

    def _skip_epochs(self):
        """Skip the epochs of an interrupted fit; return the epoch to begin with."""
        if self.keeper.found is not None:
            return go_on(self, self.keeper.found)
        first = self.callbacks.first_epoch
        for epoch in range(first):
            self.step += len(self._order(epoch))
        return first

    def _is_last(self, epoch, logs):
        """Record an epoch that has ended; return whether it is the last one."""
        done = len(self.history["loss"])
        self.best.offer(logs.get("val_loss", logs["loss"]), done, self.program)
        self.progress.show(epoch + 1, 1, logs)
        log_epoch(self.plan, epoch, logs)
        # Before anything else may end training: every epoch that begins has an end.
        stop = self.watch.end(self._so_far)
        is_over = stop or self.callbacks.stop or self._has_stalled(done)
        if not is_over:
            self.keeper.offer(lambda: state_of(self))
        return is_over

    def _has_stalled(self, n_epochs):
        # The first one counts as the best if no loss was finite.
        stalled_for = n_epochs - max(self.best.epoch, 1)
        return self.plan.early_stopping and stalled_for >= self.plan.patience

    def _run_epoch(self, epoch):
        """Train and validate; return the losses, or None if they aren't finite."""
        self.watch.begin(self._so_far)
        one_by_one, tell = self.callbacks.wants_batches, self.callbacks.tell
        # A callback may have stopped training already: then run a single batch.
        is_over = self._is_over()
        batches = self._order(epoch)

        def before(batch):
            let_others_on()
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
            one_by_one=one_by_one or is_over,
            before=before,
            after=after,
            is_over=self._is_over,
        )
        logs = {"loss": total / max(count, 1)}
        # An update may overflow although its loss and gradients were finite.
        is_finite = np.isfinite(logs["loss"]) and self.program.is_finite()
        self.diverged |= not is_finite
        if self.diverged:
            return None
        # The validation loss may be infinite: that doesn't end training.
        logs |= self._evaluate()
        for name, value in logs.items():
            self.history[name].append(value)
        return logs

    def _is_over(self):
        return self.diverged or self.callbacks.stop

    def _order(self, epoch):
        return self.source.order(self.plan.batch_size, self.rng, epoch)

    def _train(self, part):
        stop_if_python_ends()
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
            **self.rates,
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
        if self.callbacks is not NOBODY:
            # A callback may have set weights that aren't finite.
            self.diverged |= not self.program.is_finite()
        weights, epoch = self._kept()
        return Trained(
            weights=weights,
            optimizer_state=self.program.get_optimizer_state(),
            history=self.history,
            best_epoch=epoch,
            interrupted=self.interrupted,
            diverged=self.diverged,
        )

    def _so_far(self):
        """Return the results that training would have if it ended now."""
        return Trained(
            weights=self.program.final_weights(),
            optimizer_state=self.program.get_optimizer_state(),
            history={name: list(losses) for name, losses in self.history.items()},
            best_epoch=self.best.epoch,
        )

    def _kept(self):
        """Return the weights to keep and the epoch, from 1, that they are of."""
        restore = self.plan.early_stopping or self.diverged or self.interrupted
        if restore and self.best.weights is not None:
            return self.best.weights, self.best.epoch
        if self.diverged:
            return self.start, 0
        n_epochs = len(self.history["loss"])
        is_best = self.best.weights is not None and self.best.epoch == n_epochs
        if is_best and self.callbacks is NOBODY:
            return self.best.weights, n_epochs
        # After an interrupted first epoch the current weights are the best.
        return self.program.final_weights(), self.restored_epoch or n_epochs


class Nobody:
    """Stands for a missing callback list, watcher, keeper or progress bar."""

    stop = wants_batches = False
    first_epoch = 0
    found = start = None

    def begin(self, so_far):
        pass

    def end(self, what):
        return False

    def tell(self, event, *args):
        pass

    def show(self, epoch, share, logs):
        pass

    def close(self, message):
        pass

    def restored_epoch(self):
        pass

    def release(self):
        pass

    def skip(self, n_epochs):
        pass

    def state(self):
        return ()

    def set_state(self, state):
        pass

    def offer(self, make):
        pass


NOBODY = Nobody()


class Best:
    """The weights of the epoch with the lowest loss, among those that are finite."""

    def __init__(self):
        self.loss, self.epoch, self.weights = np.inf, 0, None

    def offer(self, loss, epoch, program):
        weights = program.final_weights() if loss < self.loss else []
        if weights and all(np.isfinite(weight).all() for weight in weights):
            self.loss, self.epoch, self.weights = loss, epoch, weights


def _limit(norm):
    """Return a limit of norms; infinite for None and for what float32 can't hold."""
    with np.errstate(over="ignore"):
        return np.float32(np.inf if norm is None else norm)


class Pace:
    """The number of batches of a call; results don't depend on it."""

    # Of the first call.
    batches_per_call = 1

    def adapt(self, seconds, n_batches):
        """Learn from a call that took `seconds` for `n_batches`."""
        wanted = int(n_batches * _SECONDS_PER_CALL / max(seconds, 1e-6))
        self.batches_per_call = min(max(wanted, 1), 8 * self.batches_per_call)

    def most(self, batches, one_by_one=False):
        """Return how many of `batches` the next call may take."""
        if one_by_one or not len(batches):
            return 1
        return min(self.batches_per_call, max(1, _ROWS_PER_CALL // len(batches[0])))
