"""What all kinds of layers share: the flow between them, and what most of them do."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from skrnn._networks.outline import numbered

# Name of the class -> the class: every kind of layer, as soon as its file is imported.
LAYERS: dict[str, Any] = {}


@dataclass(frozen=True)
class Flow:
    """What layers pass on to the next one.

    Attributes
    ----------
    steps : array of shape (T, B, F), or of one step (B, F), or None
        None where nobody reads them.
    state : array of shape (B, U), or None
        The output at each sequence's last step.
    answer : array of shape (B, U) or (T, B, U), or None
        The pooled output, for the layers up to the head.
    aside : array of shape (B, C), or None
        The mean of the last convolution's steps, which goes past the recurrent layers.
    attended : array or None
        The weights of an attention, for `skrnn.inspection`: (Q, T, B, ...).
    """

    steps: Any = None
    state: Any = None
    answer: Any = None
    attended: Any = None
    aside: Any = None

    def answered(self, answer: Any) -> "Flow":
        """Return the flow with an answer."""
        # `dataclasses.replace` takes as long as a small product, for each prediction.
        return Flow(self.steps, self.state, answer, self.attended, self.aside)

    def map(self, function: Callable) -> "Flow":
        """Apply a function of each step to the answer, or to steps and state."""
        if self.answer is not None:
            return self.answered(function(self.answer))
        steps = None if self.steps is None else function(self.steps)
        if self.state is self.steps:
            return replace(self, steps=steps, state=steps)
        state = None if self.state is None else function(self.state)
        return replace(self, steps=steps, state=state)


@dataclass(frozen=True)
class Lookup:
    """Rows of a table that aren't looked up yet, so the table can be projected first.

    Attributes
    ----------
    table : array of shape (V, D)
    ids : array of int32 of shape (T, B)
    """

    table: Any
    ids: Any

    @property
    def shape(self):
        return *self.ids.shape, self.table.shape[-1]


@dataclass(frozen=True)
class BaseLayer:
    """A layer without weights and without a state; kinds of layers derive from it.

    Attributes
    ----------
    name : str
        The names of its weights begin with it.
    """

    name: str
    # The parameter of the estimators that decides whether there is such a layer, or how
    # many.
    parameter: ClassVar[str] = ""
    # Field -> the parameter of the estimators that it is, if that is called otherwise;
    # None where it changes no weights, so that training may go on after a change.
    parameters: ClassVar[dict[str, str | None]] = {}
    # Parameter of the estimators that this kind of layer brings -> its type, and its
    # description.
    documentation: ClassVar[dict[str, tuple[str, str]]] = {}

    # The setting by which a layer's answers depend on later steps:
    # "bidirectional=True".
    reads_ahead: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        LAYERS[cls.__name__] = cls

    def described(self) -> dict[str, Any] | None:
        """Map those parameters that decide on the weights to their values.

        None for a layer without weights, which may be added or left out.
        """
        named = ((self.parameters.get(f.name, f.name), f) for f in fields(self))
        return {
            name: getattr(self, field.name)
            for name, field in named
            if name is not None and field.name != "name"
        }

    @property
    def streams(self) -> bool:
        """Whether `step` gives what `forward` does: nothing depends on later steps."""
        return True

    @property
    def rates(self) -> dict[str, float]:
        """Shares that it drops in training, by name."""
        return {}

    def with_any_rate(self) -> Any:
        """Return the layer with 1 for every share that it drops."""
        return self

    def without_rates(self) -> Any:
        """Return the layer as it predicts; None if it then does nothing."""
        return self

    def weights(self, width):
        return [], width

    @property
    def label(self) -> str:
        """Its name for users: ``dense_1`` for the second dense layer."""
        return numbered(self.name)

    @property
    def title(self) -> str:
        """What kind of layer it is, in Keras' words where it has some."""
        return type(self).__name__

    @property
    def gate_order(self) -> tuple[str, ...]:
        """The gates that the columns of its kernels belong to, if it has any."""
        return ()

    def names_of(self, weight) -> tuple[str, str]:
        """Return the names of layer and weight by which users know a weight."""
        within = weight.name.removeprefix(f"{self.name}/")
        return self.label, within.replace("/", "_")

    def has_steps(self, before: bool) -> bool:
        """Whether it has an output for each step, if the layers before it have."""
        return before

    @property
    def keeps_steps(self) -> bool:
        """Whether the layers after it read as many steps as it does."""
        return True

    def lengths_after(self, lengths):
        """Return how many steps each sequence has after this layer."""
        return lengths

    def forward(self, run, w, flow, lengths):
        raise NotImplementedError

    def step(self, run, w, flow, state):
        return self.forward(run, w, flow, None), state

    def keras(self, flow, seeds):
        raise NotImplementedError
