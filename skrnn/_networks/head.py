"""The last layer of a network: its outputs, their meaning, and the loss."""

from dataclasses import dataclass

from skrnn._networks.activations import ACTIVATIONS
from skrnn._networks.losses import NamedLoss, loss_of_head, row_of


@dataclass(frozen=True)
class Head:
    """The last layer: `units` outputs, what turns them into predictions, and the loss.

    Attributes
    ----------
    loss : str or tuple
        A name of ``LOSSES``, followed by the values of its parameters if it has any:
        ``("pinball", 0.9)``. None is the default of the activation. The loss also
        decides how many outputs belong to a target, and what they mean: a head of
        ``("quantiles", (0.1, 0.5, 0.9))`` has three for each. A decoder, which reads
        its own outputs, can't have several.
    crf : bool
        Whether the outputs are the emissions of a chain of labels, trained by its
        likelihood as a whole: `skrnn._networks.crf`. Its weights come after the head's.
    """

    units: int
    activation: str = "linear"
    loss: NamedLoss | None = None
    crf: bool = False

    def __post_init__(self):
        # Only here: heads with the same loss are equal, however it was named.
        object.__setattr__(self, "loss", loss_of_head(self.loss, self.activation))
        n_outputs = self.outputs_per_target
        if n_outputs and self.units % n_outputs:
            raise ValueError(
                f"units={self.units} must be a multiple of {n_outputs}, the outputs "
                f"that each target has with the loss {self.loss!r}"
            )

    @classmethod
    def for_targets(cls, n_targets: int, loss: NamedLoss) -> "Head":
        """Return a linear head with the outputs that a loss needs of each target."""
        row, values = row_of(loss)
        per_target = row.outputs_per_target
        n_outputs = 1 if per_target is None else per_target(*values)
        return cls(n_targets * n_outputs, "linear", loss)

    @property
    def outputs_per_target(self) -> int:
        """The number of outputs that belong to each target."""
        row, values = self._row
        if row is None:
            return 1
        per_target = row.outputs_per_target
        return self.units if per_target is None else per_target(*values)

    @property
    def n_targets(self) -> int:
        """The number of targets; 1 where outputs are the classes of one."""
        return self.units // self.outputs_per_target

    @property
    def target_width(self) -> int:
        """The columns of the targets in a batch."""
        row, _ = self._row
        return self.n_targets * (1 if row is None else row.target_columns)

    @property
    def _row(self):
        return (None, ()) if self.loss is None else row_of(self.loss)

    def predictions(self, ops, z):
        """Return what is predicted for outputs (..., units) before the activation."""
        return self.meaning(ops, ACTIVATIONS[self.activation](ops, z))

    def meaning(self, ops, outputs):
        """Return what outputs (..., units), after the activation, mean to the loss.

        Quantiles in order, or parameters of a distribution; for most losses they
        already are the predictions.
        """
        row, values = self._row
        if row is None or row.predictions is None:
            return outputs
        return row.predictions(ops, outputs, *values)

    def by_target(self, predictions):
        """Return predictions (..., units) as (..., K, P): P of each of K targets."""
        shape = *predictions.shape[:-1], self.outputs_per_target, self.n_targets
        return predictions.reshape(shape).swapaxes(-1, -2)
