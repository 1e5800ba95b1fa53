"""What the mixin of outlier detectors gives to a network, and what it gets."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from skrnn._data.sequences import Sequences
from skrnn._data.typing import SequenceData
from skrnn._estimators.tasks.contracts import Network
from skrnn._estimators.tasks.documentation import TaskDocs
from skrnn._networks.specs import Head


class OutlierTask(Protocol):
    """What a task without targets has.

    Attributes
    ----------
    _task_docs : TaskDocs
        What the documentation says of it.
    _task_constraints : mapping of str to list
        What its parameters may be, `loss` among them.
    """

    _task_docs: ClassVar[TaskDocs]
    _task_constraints: ClassVar[Mapping[str, list[Any]]]

    def _learn_input(self, sequences: Sequences, /) -> None:
        """Learn the units of X, before training."""

    def _learn_errors(self, sequences: Sequences, /) -> None:
        """Learn which errors are usual, after training on `sequences`."""

    def _head(self) -> Head:
        """Return the head of the network, once the units of X are known."""
        ...

    def _rescaling(self) -> Mapping[str, Any]:
        """Return the scale and the offset of outputs that ``model_`` has."""
        ...

    def _validation_strata(self, dataset: Any, /) -> Any:
        """Return the groups to hold out from alike; None for the last rows."""
        ...


class OutlierNetwork(Network, Protocol):
    """What the detector's network has for its task.

    Attributes
    ----------
    _n_untold : int
        First steps of a sequence that the network can't predict.
    """

    _n_untold: int

    def _check_X(self, X: SequenceData, *, reset: bool) -> Sequences:
        """Read X as sequences."""
        ...

    def _in_units(self, sequences: Sequences, /) -> Sequences:
        """Return sequences as the network reads them."""
        ...


if TYPE_CHECKING:
    OutlierContract = OutlierTask
else:
    OutlierContract = object
