"""Keras callbacks around the engine's training."""

import keras

from skrnn._engine.keras import callback_state
from skrnn._engine.keras.foreign.losses import is_saved_with_a_model, loss_in_keras
from skrnn._engine.keras.private import forget_model, initial_epoch_of
from skrnn._networks.keras import models

# Mode -> methods of CallbackList before and after a batch, then those of callbacks.
BATCH_EVENTS = {
    "train": (
        "on_train_batch_begin",
        "on_train_batch_end",
        "on_batch_begin",
        "on_batch_end",
    ),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
}


class Callbacks:
    """Run a user's callbacks on a Keras model with the program's weights.

    Attributes
    ----------
    wants_batches : bool
        Whether one of them listens to single batches.
    """

    def __init__(self, spec, plan, program, n_batches):
        self._spec, self._program, self._own = spec, program, plan.callbacks
        # In units of y, as `predict` is, and able to evaluate.
        self.model = models.build_model(spec, None, plan.scale, plan.offset)
        optimizer = program.keras_optimizer(_make)
        if not optimizer.built:
            # A model that is loaded from a file looks for these variables.
            optimizer.build(self.model.trainable_variables)
        loss = loss_in_keras(plan.loss, spec.head)
        self.model.compile(optimizer=optimizer, loss=loss)
        if not is_saved_with_a_model(loss):
            # With such a loss in its configuration, the model couldn't be loaded again.
            self.model.get_compile_config = lambda: None
        # Keras' own `fit` would set it.
        self.model.stop_training = False
        self._list = keras.callbacks.CallbackList(
            list(plan.callbacks),
            model=self.model,
            epochs=plan.epochs,
            verbose=plan.verbose,
            steps=n_batches,
        )
        self.wants_batches = any(
            listens(callback, event)
            for callback in plan.callbacks
            for event in BATCH_EVENTS["train"]
        )

    @property
    def stop(self):
        """Whether a callback has asked to stop training."""
        return bool(self.model.stop_training)

    @property
    def first_epoch(self):
        """The epoch, from 0, to begin with: a callback may have restored a backup."""
        return initial_epoch_of(self.model)

    def restored_epoch(self):
        """Return the epoch of this fit, from 1, whose weights a callback restored.

        None if none did, or if it is unknown.
        """
        epochs = [
            callback.best_epoch + 1 - self.first_epoch
            for callback in self._list.callbacks
            if getattr(callback, "restore_best_weights", False)
            and getattr(callback, "best_weights", None) is not None
            and hasattr(callback, "best_epoch")
        ]
        return epochs[-1] if epochs else None

    def tell(self, event, *args):
        """Call `event` of every callback, with the weights as they are now."""
        mirror = self.model, self._spec
        models.set_weights(*mirror, self._program.get_weights())
        # Update the number of steps that callbacks see.
        self._program.keras_optimizer(_make)
        getattr(self._list, event)(*args)
        # A callback may have changed them: averaging, restoring the best.
        self._program.set_weights(models.get_weights(*mirror))

    def require_state(self):
        """Refuse callbacks whose state can't be kept, before training begins."""
        callback_state.refuse_rivals(self._own)
        self.state()

    def state(self):
        """Return what each callback remembers, for a checkpoint."""
        return tuple(map(callback_state.state_of, self._own))

    def set_state(self, state):
        """Let callbacks remember what `state` returned.

        Raises
        ------
        ValueError
            If there were others.
        """
        if len(state) != len(self._own):
            raise ValueError(
                f"The checkpoint has the state of {len(state)} callbacks, but there "
                f"are {len(self._own)}. Remove the file."
            )
        for callback, own in zip(self._own, state, strict=True):
            callback_state.restore(callback, own)

    def release(self):
        """Take the model from the callbacks, so that they can be pickled and reused."""
        for callback in self._list.callbacks:
            forget_model(callback)


def _make(name, rate):
    """Return an optimizer of Keras by the name of its class."""
    return getattr(keras.optimizers, name)(rate)


def listens(callback, event, only_tell=()) -> bool:
    """Whether a callback does anything at an event.

    Parameters
    ----------
    callback : keras.callbacks.Callback
    event : str
    only_tell : tuple of classes
        Methods of these classes don't count; those of derived classes do.
    """
    # Look at the object, not its class: LambdaCallback sets methods on the object.
    own = getattr(getattr(callback, event), "__func__", None)
    quiet = (keras.callbacks.Callback, *only_tell)
    return own not in [getattr(each, event) for each in quiet]
