"""What the mixin of a task gives to an estimator, and what it gets: written down.

An estimator is a task on the left and a network on the right:
``class GRUClassifier(SequenceClassifierMixin, BaseRecurrent)``. The network reads X,
trains and runs; the task turns y into arrays and a head, and outputs into predictions.
Each calls methods of the other, and the protocols here are the list of them. All are
called by position: the arguments may have other names.

A mixin derives from `SequenceContract`, `LabelContract` or `Seq2SeqContract`. Type
checkers take these for the protocols, and tell of a hook that takes other arguments. At
run time they are no bases, which would hide that a hook is missing.

Where there is no y the steps of X are the targets: `contracts_of_outliers`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from skrnn._data.datasets import Dataset, Seq2SeqData
from skrnn._data.sequences import Sequences
from skrnn._data.typing import Array, SequenceData, Targets, Weights
from skrnn._estimators.tasks.documentation import TaskDocs
from skrnn._networks.specs import Head

# What a task gives


class Task(Protocol):
    """What every task has.

    Attributes
    ----------
    _task_docs : TaskDocs
        What the documentation says of it.
    _task_constraints : mapping of str to list
        What its parameters may be, `loss` among them.
    """

    _task_docs: ClassVar[TaskDocs]
    _task_constraints: ClassVar[Mapping[str, list[Any]]]

    def _begin_partial_fit(self, y: Any, classes: Any, /) -> None:
        """Learn what can't be learnt from one batch of data.

        Called by every ``partial_fit`` before y is read, and before anything else is
        learnt; an error leaves the estimator as it was.

        Parameters
        ----------
        y : array-like
            As the user gave it.
        classes : array-like or None
            What ``partial_fit`` was given; None for tasks without classes.

        Raises
        ------
        ValueError
            If `classes` are needed and missing, or aren't those of an earlier call.
        """
        ...

    def _head(self) -> Head:
        """Return the last layer: its units, its activation and its loss.

        Called after y was read.

        Raises
        ------
        ValueError
            If the loss doesn't fit what was learnt of y.
        """
        ...

    def _rescaling(self) -> dict[str, list[float]]:
        """Return how outputs become predictions, as arguments of ``TrainPlan``.

        Returns
        -------
        rescaling : dict
            Outputs times "scale" plus "offset", a number for each output, are in the
            user's units. Empty where outputs are in them already.
        """
        ...

    def _validation_strata(self, data: Dataset | Seq2SeqData, /) -> Array | None:
        """Decide which sequences are held out for validation.

        Parameters
        ----------
        data : Dataset or Seq2SeqData
            All that `fit` was given, but for sequences of weight 0.

        Returns
        -------
        strata : ndarray of shape (n,) or None
            The same share of each of its values is held out, at random. None holds out
            the last sequences.
        """
        ...


class SequenceTask(Task, Protocol):
    """A task of ``BaseRecurrent``: a target for each sequence, or for each step."""

    def _encode_target(
        self,
        X: Sequences,
        y: Targets,
        weights: Array,
        known: bool,
        sample_weight: Weights | None,
        /,
    ) -> tuple[Array, Array]:
        """Turn y into arrays that can be trained on.

        Parameters
        ----------
        X : Sequences
            Already read.
        y : array-like or list of array-likes
            As the user gave it. Where the weight is 0 it may be anything.
        weights : ndarray of shape (n,) or (n_real_steps,)
            Weight of each sequence, or with ``return_sequences`` of each real step.
        known : bool
            Whether the form of y, its classes and its units are learnt already.
        sample_weight : array-like or None
            As the user gave it. That of a single step masks the step if it is 0.

        Returns
        -------
        targets : ndarray of shape (n, K) or (n_real_steps, K)
            float32, or int32 numbers of classes (., 1) for a softmax. May be an object
            that makes the rows of it that are read: `ScaledTargets` or `Codes`.
        weights : ndarray of shape (n,) or (n_real_steps,)
            Times what the task weights its targets with. May be `WeightsOfClasses`.

        Raises
        ------
        ValueError, TypeError
            That name what is wrong with y.
        """
        ...

    def _decode(self, outputs: Array, /) -> Array:
        """Turn outputs into what ``predict`` returns.

        Parameters
        ----------
        outputs : ndarray of shape (n, K)
            After the head's activation; may be overwritten.

        Returns
        -------
        y : ndarray of shape (n, ...)
        """
        ...


class LabelTask(SequenceTask, Protocol):
    """A task that also has a probability for each class."""

    def _decode_proba(self, outputs: Array, /) -> Array:
        """Turn outputs into what ``predict_proba`` returns.

        Parameters
        ----------
        outputs : ndarray of shape (n, K)
            After the head's activation.

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes)
        """
        ...


class Seq2SeqTask(Task, Protocol):
    """A task of ``BaseSeq2Seq``: a sequence of targets for each sequence."""

    def _encode_outputs(
        self, X: Sequences, y: Targets, sample_weight: Any, known: bool, told: bool, /
    ) -> tuple[Sequences, Array]:
        """Turn y into packed sequences that can be trained on.

        Parameters
        ----------
        X : Sequences
            Already read.
        y : array-like or list of sequences
            As the user gave it. Where the weight is 0 it may be anything.
        sample_weight : array-like or None
            As the user gave it.
        known : bool
            Whether the form of y was learnt before. Otherwise it is learnt here.
        told : bool
            Whether the classes were learnt before, or told to ``partial_fit``.

        Returns
        -------
        outputs : Sequences
            Numbers (n_steps, K), or numbers of labels (n_steps,), ends included.
        weights : ndarray of shape (n_steps,)
            Weight of each step of `outputs`.

        Raises
        ------
        ValueError, TypeError
            That name what is wrong with y.
        """
        ...

    def _decoder(self) -> dict[str, Any]:
        """Return what the spec of an encoder and a decoder says of the decoder alone.

        Returns
        -------
        fields : dict
            "n_future" (of numbers), or "n_labels" and "has_end" (of labels).
        """
        ...

    def _attention(self, X: SequenceData, /) -> tuple[list[Array], Sequences]:
        """Return what every step of each prediction attends to, and the sequences.

        Returns
        -------
        attended : list of ndarray of shape (H_i, T_i)
        sequences : Sequences
        """
        ...


class OptionalHooks(Protocol):
    """What a task may have: every network has a default for it.

    Attributes
    ----------
    _kind_of_loss : str
        Which table of names `loss` is looked up in.
    _advice : str
        First words of the hint in the warning that training diverged.
    """

    _kind_of_loss: ClassVar[str]
    _advice: str


class OptionalSeq2SeqHooks(OptionalHooks, Protocol):
    """What a task of ``BaseSeq2Seq`` may have besides."""

    def _read_future(self, X: Sequences, future: Any, known: bool, /) -> Array | None:
        """Read what is known about the steps of y beforehand; by default nothing is.

        Parameters
        ----------
        X : Sequences
        future : array-like or None
            As the user gave it.
        known : bool
            Whether its form was learnt before. Otherwise it is learnt here.

        Returns
        -------
        future : ndarray of shape (n, H, F) or None
        """
        ...

    def _step_weights(self, outputs: Sequences, weights: Array, /) -> Array | None:
        """Return what the weight of each step is multiplied with; by default nothing.

        Parameters
        ----------
        outputs : Sequences
            As `_encode_outputs` returned them.
        weights : ndarray of shape (n_steps,)

        Returns
        -------
        factors : ndarray of shape (n_steps,) or None
        """
        ...


# What a task gets


class Network(Protocol):
    """What every network has for the task beside it.

    Attributes
    ----------
    loss : object
        The parameter of the user's.
    engine : str
        The parameter of the user's.
    _is_fitted : bool
        Whether the network was trained before.
    _spec : Spec
        Of the trained network.
    _weights : list of ndarray
    """

    loss: Any
    epochs: int
    engine: str
    _spec: Any
    _weights: list[Any]

    @property
    def _is_fitted(self) -> bool: ...

    def _require_fit(self) -> None:
        """Raise NotFittedError before ``fit``."""

    def _validate_params(self) -> None:
        """Check the parameters."""

    def _train_on(self, source: Any, watch: Any, /) -> Any:
        """Train on a source of batches that needs no reading; return how it ended."""
        ...

    def _fit(
        self, X: SequenceData, y: Targets, sample_weight: Weights | None, **known: Any
    ) -> Any:
        """Train; with ``warm_start`` go on.

        Parameters
        ----------
        X, y, sample_weight : array-like
            As the user gave them.
        **known : dict
            What ``fit`` of the task is given besides: "validation", "future".

        Returns
        -------
        trained : Trained
            For `_report`.
        """
        ...

    def _partial_fit(
        self,
        X: SequenceData,
        y: Targets,
        sample_weight: Weights | None,
        classes: Any = None,
        **known: Any,
    ) -> Self:
        """Train for one more epoch, and report how that ended."""
        ...

    def _report(self, trained: Any, /) -> Self:
        """Return the estimator; warn if training diverged, raise if it was stopped."""
        ...


class SequenceNetwork(Network, Protocol):
    """What ``BaseRecurrent`` has for a task.

    Attributes
    ----------
    return_sequences, optimizer
        The parameters. The first tells whether there is a target for each step.
    """

    return_sequences: bool
    optimizer: Any

    def _run(self, X: SequenceData, /, **wanted: Any) -> tuple[Sequences, Array]:
        """Return X as sequences, and the outputs: (n, K) or (n_real_steps, K)."""
        ...


class Seq2SeqNetwork(Network, Protocol):
    """What ``BaseSeq2Seq`` has for a task.

    Attributes
    ----------
    _vocabulary : dict or None
        The symbols of X and their ids, if X holds strings.
    """

    _vocabulary: dict[Any, int] | None

    def _sequences(self, X: SequenceData, /) -> Sequences:
        """Return X as sequences, read as in ``fit``."""
        ...

    def _predictor(self) -> Any:
        """Return the ``PairPredictor`` of the trained network."""
        ...


if TYPE_CHECKING:
    SequenceContract = SequenceTask
    LabelContract = LabelTask
    Seq2SeqContract = Seq2SeqTask
else:
    SequenceContract = LabelContract = Seq2SeqContract = object
