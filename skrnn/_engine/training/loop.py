"""The loop over epochs: early stopping, history, callbacks, Ctrl-C and divergence."""

import time

import numpy as np

from skrnn._engine.training.batches import cut, shuffled_batches
from skrnn._engine.training.callbacks import Callbacks
from skrnn._engine.training.plan import Trained
from skrnn._engine.training.progress import Progress
from skrnn._engine.training.schedules import Schedule

# Long enough for the overhead of a call not to count, short enough for Ctrl-C.
_SECONDS_PER_CALL = 0.3
_EVALUATION_BATCH = 256


class Loop:
    """One fit on a borrowed program; `progress` shows how it goes."""

    def __init__(self, program, spec, plan, training, validation, progress=None):
        self.program, self.spec, self.plan = program, spec, plan
        self.data = program.load(training)
        self.lengths = training.lengths
        self.validation = None
        if validation is not None:
            # Sorted, because nothing is padded further than to a batch's longest.
            rows = np.argsort(validation.lengths, kind="stable")
            self.validation = program.load(validation), cut(rows, _EVALUATION_BATCH)
        names = ["loss"] + ["val_loss"] * (validation is not None)
        self.history: dict[str, list[float]] = {name: [] for name in names}
        self.rng = np.random.default_rng(plan.seed)
        self.progress = progress or Progress(plan.name, plan.epochs, plan.verbose)
        n_batches = -(-len(self.lengths) // plan.batch_size)
        self.callbacks = Callbacks(spec, plan, program, n_batches)
        self.schedule = None if plan.schedule is None else Schedule(plan, n_batches)
        self.best = Best()
        self.start = program.get_weights()
        self.batches_per_call = 1
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
        self.callbacks.tell("on_train_begin")
        for epoch in range(self._skip_epochs(), self.plan.epochs):
            self.callbacks.tell("on_epoch_begin", epoch)
            logs = self._run_epoch(epoch)
            if self.diverged:
                break
            for name, value in logs.items():
                self.history[name].append(value)
            self.callbacks.tell("on_epoch_end", epoch, logs)
            done = len(self.history["loss"])
            self.best.offer(logs.get("val_loss", logs["loss"]), done, self.program)
            self.progress.show(epoch + 1, 1, logs)
            if self.callbacks.stop or self._has_stalled(done):
                break
        self.callbacks.tell("on_train_end")
        self.restored_epoch = self.callbacks.restored_epoch()

    def _skip_epochs(self):
        """Go past what an interrupted fit has done; return the epoch to begin with."""
        first = self.callbacks.first_epoch
        for _ in range(first):
            self.step += len(self._order())
        return first

    def _has_stalled(self, n_epochs):
        # The first one counts as the best if no loss was finite.
        stalled_for = n_epochs - max(self.best.epoch, 1)
        return self.plan.early_stopping and stalled_for >= self.plan.patience

    def _run_epoch(self, epoch):
        batches = self._order()
        total = count = done = 0
        # One batch at least, as in Keras, even if a callback has asked to stop before.
        while not done or (done < len(batches) and not self._is_over()):
            part = batches[done : done + self._call_size()]
            if self.callbacks.wants_batches:
                self.callbacks.tell("on_train_batch_begin", done)
            total_part, count_part = self._train(part)
            total, count = total + total_part, count + count_part
            logs = {"loss": total / max(count, 1)}
            if self.callbacks.wants_batches:
                self.callbacks.tell("on_train_batch_end", done, dict(logs))
            done += len(part)
            if done < len(batches):
                self.progress.show(epoch + 1, done / len(batches), logs)
        # An update may overflow although its loss and gradients were finite.
        values = [*logs.values(), *self.program.get_weights()]
        self.diverged |= not _all_finite(values)
        # Whatever the loss of other data is, the network is none the worse for it.
        return logs | self._evaluate()

    def _is_over(self):
        return self.diverged or self.callbacks.stop

    def _order(self):
        """Return the batches of an epoch, (n_batches, batch_size) row numbers."""
        if self.plan.shuffle:
            return shuffled_batches(self.lengths, self.plan.batch_size, self.rng)
        return cut(np.arange(len(self.lengths)), self.plan.batch_size)

    def _call_size(self):
        one = self.callbacks.wants_batches or self.callbacks.stop
        return 1 if one else self.batches_per_call

    def _train(self, part):
        started = time.monotonic()
        knobs = self._knobs(len(part))
        total, count, finite = self.program.train(self.data, part, knobs)
        total, count = float(total), float(count)
        self.diverged = not bool(finite)
        self._adapt(time.monotonic() - started, len(part))
        self.step += len(part)
        return total, count

    def _adapt(self, seconds, n_batches):
        """Choose how many batches a call takes; the numbers don't depend on it."""
        wanted = int(n_batches * _SECONDS_PER_CALL / max(seconds, 1e-6))
        self.batches_per_call = min(max(wanted, 1), 8 * self.batches_per_call)

    def _knobs(self, n_steps):
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
