"""The engine: trains and predicts a network that a frozen spec describes.

This is its whole interface. `train` takes a spec, a plan and sources of batches, and
returns weights and a history; `predict` takes a spec, weights and packed data and
returns arrays. `Seq2SeqPredictor` decodes. `log_likelihoods`, `next_token` and
`IncrementalDecoder` are for language models. `Stream` predicts step by step. `trace`
and `gradient_flow` look inside. Training goes on from a `Checkpoint`. `backend` loads
Keras, unless this process was forked from one in which it ran
(`refuse_forked_process`); in such a process, objects of Keras that `pack` put into
pickles stay closed. Importing the engine loads neither Keras nor a backend of it.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from skrnn._data.token_stream import BOUNDARY, TokenStream
from skrnn._engine import choice
from skrnn._engine.choice import ENGINES, facts
from skrnn._engine.cpu.kernels.turns import in_turns
from skrnn._engine.cpu.language import LanguageProgram
from skrnn._engine.cpu.network import NetworkProgram
from skrnn._engine.cpu.seq2seq import Seq2SeqProgram
from skrnn._engine.cpu.tagging import CrfProgram
from skrnn._engine.keras import backends
from skrnn._engine.keras.fork import refuse_forked_process
from skrnn._engine.keras.packing import is_of_keras, pack, unpack
from skrnn._engine.keras.private import forget_kernels, rate_or_schedule_of
from skrnn._engine.keras.program_cache import ProgramCache
from skrnn._engine.keras.quiet import quietly
from skrnn._engine.prediction.batches import attention_of, predict
from skrnn._engine.prediction.decoding import Seq2SeqPredictor
from skrnn._engine.prediction.inspection import GradientFlow, trace
from skrnn._engine.prediction.inspection import gradient_flow as _gradient_flow
from skrnn._engine.prediction.language import (
    IncrementalDecoder,
    log_likelihoods,
    next_token,
)
from skrnn._engine.prediction.streaming import Stream
from skrnn._engine.training.checkpoints import (
    Checkpoint,
    Keeper,
    TrainingState,
    take_up,
)
from skrnn._engine.training.contracts import BatchSource, Watcher
from skrnn._engine.training.end_of_python import waited_for
from skrnn._engine.training.lines import log_begin
from skrnn._engine.training.plan import Trained, TrainPlan
from skrnn._engine.training.progress import Progress, TextProgress
from skrnn._networks.losses import loss_at_outputs
from skrnn._networks.specs import LanguageSpec, NetworkSpec, Seq2SeqSpec, Spec
from skrnn._networks.weights import weight_table

__all__ = [
    "BOUNDARY",
    "ENGINES",
    "Checkpoint",
    "GradientFlow",
    "IncrementalDecoder",
    "Progress",
    "Seq2SeqPredictor",
    "Stream",
    "TextProgress",
    "TokenStream",
    "TrainPlan",
    "Trained",
    "TrainingState",
    "attention_of",
    "backend",
    "chosen",
    "facts",
    "gradient_flow",
    "is_of_keras",
    "log_likelihoods",
    "next_token",
    "pack",
    "predict",
    "quietly",
    "rate_or_schedule_of",
    "refuse_forked_process",
    "side_by_side",
    "trace",
    "train",
    "unpack",
]

# Class of the spec -> its program on the cpu engine.
CPU_PROGRAMS: dict[type[Spec], Any] = {
    NetworkSpec: NetworkProgram,
    Seq2SeqSpec: Seq2SeqProgram,
    LanguageSpec: LanguageProgram,
}

# Each takes about 10 MB in TensorFlow, and a search tries architectures in turn.
programs = ProgramCache(size=8, after=forget_kernels)


def backend():
    """Load Keras and its backend, and return the module that trains on it.

    Raises
    ------
    RuntimeError
        In a forked process in which the backend can't run.
    """
    refuse_forked_process()
    return backends.backend()


def chosen(engine: str) -> str:
    """Return what ``train(..., engine=engine)`` would run on: "cpu" or "keras"."""
    return choice.choose(engine)


def side_by_side(function: Callable[[Any], None], items: Sequence) -> None:
    """Call `function` for each of `items`, on all cores; each call has one of them.

    If the number of items isn't a multiple of the cores, trainings take turns. Ctrl-C
    reaches only one call: `function` has to tell the others.
    """
    in_turns(function, items)


def train(
    spec: Spec,
    plan: TrainPlan,
    training: BatchSource,
    validation: BatchSource | None,
    weights: list,
    optimizer_state: list | None = None,
    *,
    engine: str = "auto",
    teacher_forcing: float = 1.0,
    progress: Callable[[Any], Progress] | None = None,
    watch: Watcher | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train the network of `spec` from `weights`.

    Parameters
    ----------
    spec : NetworkSpec, Seq2SeqSpec or LanguageSpec
    plan : TrainPlan
    training, validation : Dataset, Seq2SeqData or TokenStream
        Without a validation set the training loss decides what is best.
    weights : list of ndarray
        As `initial_weights` draws them.
    optimizer_state : list of ndarray or None
        State of the training to go on with.
    engine : {"auto", "cpu", "keras"}
    teacher_forcing : float
        Probability that a decoder reads the true previous output, not its own.
    progress : callable or None
        ``progress(program)`` returns the progress display; None shows a line of losses.
    watch : Watcher or None
        Told of each epoch.
    checkpoint : Checkpoint or None
        Where to go on from, and where to write states after epochs.
    """
    # Deferred: it may load Keras.
    from skrnn._engine.training.loop import Loop  # noqa: PLC0415

    found = None if checkpoint is None else checkpoint.found
    if found is not None and found.ended:
        return _trained_before(plan, found)
    if plan.callbacks:
        # They are shown a Keras model.
        refuse_forked_process()
    engine = choice.choose(engine)
    log_begin(plan, engine, weights, len(training))
    lend = _PROGRAMS[engine]
    shared = spec.with_rates_as_arguments()
    with lend(shared, plan, teacher_forcing) as (program, rate), waited_for():
        program.teacher_forcing = teacher_forcing
        program.reset(weights, optimizer_state, rate)
        if found is not None:
            take_up(program, found, rate)
        told = _callbacks(spec, plan, program, training)
        shown = progress(program) if progress is not None and plan.verbose else None
        heard = told, shown, watch, _keeper(checkpoint, weights, told)
        return Loop(program, spec, plan, training, validation, *heard).run()


def gradient_flow(
    spec: Spec, weights: list, data: Any, loss: Any = None, *, last: bool = False
) -> GradientFlow:
    """Differentiate the loss of each sequence by what the network did at each step.

    Parameters
    ----------
    data : Dataset or Seq2SeqData
    loss : callable or None
        The user's own, which needs Keras; None for that of the head.
    last : bool
        Whether a sequence's loss is only that of its last answer.
    """
    if loss is None:
        return _gradient_flow(
            spec, weights, data, loss_at_outputs(spec.head), last=last
        )
    with _loss_of_keras(spec.head, loss) as lent:
        return _gradient_flow(spec, weights, data, lent, last=last)


def _trained_before(plan, found):
    """Return the results of a training that a checkpoint has, and say so."""
    line = Progress(plan.name, plan.epochs, plan.verbose)
    line.close(f"{plan.name}: trained before, as its checkpoint tells")
    return found.trained()


def _keeper(checkpoint, weights, told):
    """Return the keeper of states after epochs, those of callbacks too; or None."""
    if checkpoint is None:
        return None
    if told is not None:
        told.require_state()
    return Keeper(checkpoint, weights)


def _callbacks(spec, plan, program, training):
    """Return the object that calls the user's callbacks; None without any."""
    if not plan.callbacks:
        return None
    backend()
    # Deferred: it needs Keras, which the line above has loaded.
    from skrnn._engine.keras.callbacks import Callbacks  # noqa: PLC0415

    return Callbacks(spec, plan, program, training.n_batches(plan.batch_size))


@contextmanager
def _program_of_cpu(spec, plan, _teacher_forcing):
    """Lend a program of the cpu engine, and tell the learning rate to set.

    It needs Keras only for a loss or an optimizer of the user's own.
    """
    with ExitStack() as stack:
        loss, optimizer, rate = None, plan.optimizer, plan.learning_rate
        if plan.loss is not None:
            loss = stack.enter_context(_loss_of_keras(spec.head, plan.loss))
        if not isinstance(optimizer, str):
            optimizer, rate = stack.enter_context(_optimizer_of_keras(spec, plan))
        program = CrfProgram if spec.head.crf else CPU_PROGRAMS[type(spec)]
        yield program(spec, loss, optimizer), rate


@contextmanager
def _loss_of_keras(head, loss):
    """Lend a loss of the user's own, as one of arrays."""
    backend()
    # Deferred: they need Keras, which the line above has loaded.
    from skrnn._engine.keras.foreign.keys import value_key  # noqa: PLC0415
    from skrnn._engine.keras.foreign.losses import LossOfArrays  # noqa: PLC0415

    key = ("loss", head, value_key(loss))
    with programs.borrow(key, lambda: LossOfArrays(loss, head)) as lent:
        yield lent


@contextmanager
def _optimizer_of_keras(spec, plan):
    """Lend an optimizer of the user's own, and tell the learning rate to set."""
    backend()
    # Deferred: it needs Keras, which the line above has loaded.
    from skrnn._engine.keras.foreign import optimizers  # noqa: PLC0415

    table = [row for row in weight_table(spec) if row.trainable]
    key = ("optimizer", *table, optimizers.optimizer_key(plan.optimizer))

    def make():
        return optimizers.OptimizerOfArrays(plan.optimizer, table)

    with programs.borrow(key, make) as optimizer:
        yield optimizer, optimizers.learning_rate(plan.optimizer, plan.learning_rate)


@contextmanager
def _program_of_keras(spec, plan, teacher_forcing):
    """Lend a program of the keras engine, and tell the learning rate to set."""
    backend()
    # Deferred: they need Keras, which the line above has loaded.
    from skrnn._engine.keras.foreign.keys import value_key  # noqa: PLC0415
    from skrnn._engine.keras.foreign.optimizers import (  # noqa: PLC0415
        learning_rate,
        optimizer_key,
    )
    from skrnn._engine.keras.program import Program  # noqa: PLC0415

    samples = teacher_forcing < 1
    key = spec, value_key(plan.loss), optimizer_key(plan.optimizer), samples

    def make():
        return Program(spec, plan.loss, plan.optimizer, samples)

    with programs.borrow(key, make) as program:
        yield program, learning_rate(plan.optimizer, plan.learning_rate)


# Engine -> what lends one of its programs.
_PROGRAMS = {"cpu": _program_of_cpu, "keras": _program_of_keras}
