"""The weights of a network and the state of its optimizer, as variables of Keras."""

import keras
import numpy as np

from skrnn._engine.keras.foreign.losses import loss_function
from skrnn._engine.keras.foreign.optimizers import make_optimizer
from skrnn._engine.keras.private import averages_of, rate_or_schedule_of
from skrnn._engine.keras.run import adapter
from skrnn._networks.weights import weight_table


class Variables:
    """The weights of one network and an optimizer's state, as variables of Keras.

    They are overwritten by each fit, so a program serves one fit at a time.
    """

    def __init__(self, spec, loss, optimizer):
        self.spec = spec
        self.loss = loss_function(loss, spec.head)
        self.weights = [
            keras.Variable(
                np.zeros(row.shape, np.float32),
                trainable=row.trainable,
                name=row.name.split("/")[-1],
            )
            for row in weight_table(spec)
        ]
        # Trainable weights: they have gradients and an optimizer's state.
        self.trained = [variable for variable in self.weights if variable.trainable]
        self.optimizer = make_optimizer(optimizer, self.trained)
        self._fresh = self._arrays(self.optimizer.variables)
        # None if the optimizer has its own schedule.
        rate = rate_or_schedule_of(self.optimizer)
        self.rate = rate if isinstance(rate, keras.Variable) else None

    def reset(self, weights, optimizer_state=None, learning_rate=None):
        """Start from `weights` and, if given, an optimizer's state and a rate."""
        self.set_weights(weights)
        state = self._fresh
        # A changed option, momentum say, changes the layout of the state.
        if optimizer_state is not None and _shapes(state) == _shapes(optimizer_state):
            state = optimizer_state
        assign(self.optimizer.variables, state)
        if learning_rate is not None:
            self.optimizer.learning_rate = learning_rate

    def set_weights(self, weights):
        assign(self.weights, weights)

    def get_weights(self):
        return self._arrays(self.weights)

    def is_finite(self):
        return all(np.isfinite(weight).all() for weight in self.get_weights())

    def final_weights(self):
        """Return the weights to keep: averages of them, if the optimizer takes such."""
        if not self.optimizer.use_ema:
            return self.get_weights()
        averages = dict(
            zip(map(id, self.trained), averages_of(self.optimizer), strict=True)
        )
        return self._arrays([averages.get(id(each), each) for each in self.weights])

    def get_optimizer_state(self):
        return self._arrays(self.optimizer.variables)

    def rates(self, step_inputs, n_steps):
        """Return the learning rate of each step: of a schedule, or as it is now."""
        rates = step_inputs.get("rates")
        if rates is None:
            rates = np.full(n_steps, float(self.optimizer.learning_rate))
        with np.errstate(over="ignore"):
            return rates.astype(np.float32)

    def keras_optimizer(self, _make):
        """Return what callbacks see as the model's optimizer."""
        return self.optimizer

    @staticmethod
    def _arrays(variables):
        # In two steps: tensors warn about NumPy 2's argument `copy`.
        return [np.array(adapter.to_numpy(variable.value)) for variable in variables]


def assign(variables, values):
    """Set each variable to its value."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _shapes(arrays):
    return [array.shape for array in arrays]
