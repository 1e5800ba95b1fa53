"""Activations: plain formulas, named as in Keras; each is ``activation(ops, x)``."""

# The constants of Klambauer et al. (2017), "Self-normalizing neural networks".
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805


# Not by `maximum` and `minimum`, whose slope at 0 differs by backend: a unit whose
# inputs are all zero is exactly there.


def _relu(ops, x):
    return ops.where(x <= 0, 0.0, x)


def _elu(ops, x):
    return ops.where(x > 0, x, ops.exp(ops.where(x > 0, 0.0, x)) - 1)


def _selu(ops, x):
    negative = _SELU_ALPHA * (ops.exp(ops.where(x > 0, 0.0, x)) - 1)
    return _SELU_SCALE * ops.where(x > 0, x, negative)


ACTIVATIONS = {
    "tanh": lambda ops, x: ops.tanh(x),
    "relu": _relu,
    "sigmoid": lambda ops, x: ops.sigmoid(x),
    "softmax": lambda ops, x: ops.softmax(x, axis=-1),
    "linear": lambda ops, x: x,
    "elu": _elu,
    "selu": _selu,
    "silu": lambda ops, x: x * ops.sigmoid(x),
    "softplus": lambda ops, x: ops.logaddexp(x, x * 0),
    "softsign": lambda ops, x: x / (1 + ops.abs(x)),
}
# With these, states can't overflow, however many steps follow.
BOUNDED_ACTIVATIONS = ("tanh", "sigmoid", "softsign")
HIDDEN_ACTIVATIONS = tuple(name for name in ACTIVATIONS if name != "softmax")
