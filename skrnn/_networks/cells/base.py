"""What most cells have in common, and states that are held after the end."""


class BaseCell:
    """What most cells have in common: one state (B, units), which is the output."""

    keras_layer: str | None = None
    tensorflow_kernel: str | None = None
    gate_order: tuple[str, ...] = ()

    def state_shapes(self, units):
        return ((units,),)

    def project(self, ops, w, x):
        return (ops.matmul(x, w["kernel"]) + w["bias"],)

    def output(self, states):
        return states[0]

    def gate_values(self, ops, activation, w, projected, states):
        return {}


def hold(ops, going_on, after, before):
    """Return the states `after` a step of the sequences (B,) that are still going on.

    The others keep those `before`. For every engine: `ops` are its functions.
    """
    return tuple(
        ops.where(_as_wide_as(going_on, new), new, old)
        for new, old in zip(after, before, strict=True)
    )


def _as_wide_as(mask, array):
    """Give a mask (B,) the dimensions of an array (B, ...)."""
    return mask[(slice(None),) + (None,) * (len(array.shape) - 1)]
