"""The engine: trains and predicts a network that a frozen spec describes.

This is its whole border. `train` takes a spec, a plan and packed data and returns
weights and a history; `predict` takes a spec, weights and packed data and returns
arrays. `train_pairs` and `PairPredictor` do so for an encoder and a decoder, and
`train_language`, `log_likelihoods`, `next_token` and `IncrementalDecoder` for language
models; `Stream` predicts step by step. `backend` loads Keras, unless this process was
forked from one in which it ran (`refuse_forked_process`); `pack` keeps objects of Keras
closed in pickles there. Importing the engine loads neither Keras nor a backend of it.
"""

from collections.abc import Callable
from contextlib import ExitStack, contextmanager

from skrnn._data.datasets import Dataset, Seq2SeqData
from skrnn._data.token_stream import BOUNDARY, TokenStream
from skrnn._engine import choice
from skrnn._engine.choice import facts
from skrnn._engine.cpu import network
from skrnn._engine.cpu.kernels.matmul import warn_without_kernels
from skrnn._engine.cpu.language import LanguageProgram
from skrnn._engine.keras import backends
from skrnn._engine.keras.fork import refuse_forked_process
from skrnn._engine.keras.packing import is_of_keras, pack, unpack
from skrnn._engine.keras.program_cache import ProgramCache
from skrnn._engine.prediction.batches import attention_of, predict
from skrnn._engine.prediction.decoding import PairPredictor
from skrnn._engine.prediction.language import (
    IncrementalDecoder,
    log_likelihoods,
    next_token,
)
from skrnn._engine.prediction.streaming import Stream
from skrnn._engine.training.plan import Trained, TrainPlan
from skrnn._engine.training.progress import TextProgress
from skrnn._networks.specs import LanguageSpec, NetworkSpec, Seq2SeqSpec
from skrnn._networks.weights import weight_table

__all__ = [
    "BOUNDARY",
    "IncrementalDecoder",
    "PairPredictor",
    "Stream",
    "TokenStream",
    "TrainPlan",
    "Trained",
    "attention_of",
    "backend",
    "facts",
    "is_of_keras",
    "log_likelihoods",
    "next_token",
    "pack",
    "predict",
    "refuse_forked_process",
    "train",
    "train_language",
    "train_pairs",
    "unpack",
]

# One takes about 10 MB in TensorFlow, and a search goes through architectures in turn.
programs = ProgramCache(size=8, after=backends.forget_kernels)


def backend():
    """Load Keras and its backend, and return the module that trains on it.

    Raises
    ------
    RuntimeError
        In a forked process in which the backend can't run.
    """
    refuse_forked_process()
    return backends.backend()


def train(
    spec: NetworkSpec,
    plan: TrainPlan,
    training: Dataset,
    validation: Dataset | None,
    weights: list,
    optimizer_state: list | None = None,
) -> Trained:
    """Train the network of `spec` from `weights`.

    Parameters
    ----------
    spec : NetworkSpec
    plan : TrainPlan
    training, validation : Dataset
        Without a validation set the training loss decides what is best.
    weights : list of ndarray
        As `initial_weights` draws them.
    optimizer_state : list of ndarray or None
        Of the training to go on with.
    """
    from skrnn._engine.training.loop import Loop  # noqa: PLC0415

    warn_without_kernels()
    borrow = _direct if choice.trains_on_cpu() else _compiled
    with borrow(spec.with_rates_as_arguments(), plan) as (program, rate):
        program.reset(weights, optimizer_state)
        if rate is not None:
            program.optimizer.learning_rate = rate
        return Loop(program, spec, plan, training, validation).run()


def train_language(
    spec: LanguageSpec,
    plan: TrainPlan,
    training: TokenStream,
    validation: TokenStream | None,
    weights: list,
    optimizer_state: list | None = None,
    *,
    unit: str = "token",
    sample: Callable[[list], str] = lambda weights: "",
) -> Trained:
    """Train a language model from `weights`; it needs neither Keras nor a backend.

    Parameters
    ----------
    spec : LanguageSpec
    plan : TrainPlan
        Its loss, batch size and shuffling aren't read: a stream decides on its pieces.
    training, validation : TokenStream
    weights : list of ndarray
    optimizer_state : list of ndarray or None
        Of the training to go on with.
    unit : str
        What progress calls a token.
    sample : callable
        ``sample(weights) -> text`` for progress to show.
    """
    from skrnn._engine.training.loop import Loop  # noqa: PLC0415

    warn_without_kernels()
    program = LanguageProgram(spec.with_rates_as_arguments(), plan.optimizer)
    program.reset(weights, optimizer_state)
    program.optimizer.learning_rate = plan.learning_rate
    shown = unit, lambda: sample(program.get_weights())
    progress = TextProgress(plan.name, plan.epochs, plan.verbose, *shown)
    return Loop(program, spec, plan, training, validation, progress).run()


@contextmanager
def _direct(spec, plan):
    """Lend a program that needs no compiling, and tell the learning rate to set."""
    with _parts(spec, plan, weight_table(spec)) as (loss, optimizer, rate):
        yield network.Program(spec, loss, optimizer), rate


def train_pairs(
    spec: Seq2SeqSpec,
    plan: TrainPlan,
    training: Seq2SeqData,
    validation: Seq2SeqData | None,
    weights: list,
    optimizer_state: list | None = None,
    *,
    teacher_forcing: float = 1.0,
) -> Trained:
    """Train the encoder and decoder of `spec`, as `train` does other networks.

    They need no backend of Keras, but for an optimizer or a loss of its own.
    `teacher_forcing` is how often the decoder reads the true output before, not its
    own.
    """
    from skrnn._engine.cpu.seq2seq import PairProgram  # noqa: PLC0415
    from skrnn._engine.training.loop import Loop  # noqa: PLC0415

    warn_without_kernels()
    with _parts(spec, plan, weight_table(spec)) as (loss, optimizer, rate):
        program = PairProgram(spec, loss, optimizer, teacher_forcing)
        program.reset(weights, optimizer_state)
        if rate is not None:
            program.optimizer.learning_rate = rate
        return Loop(program, spec, plan, training, validation).run()


@contextmanager
def _parts(spec, plan, table):
    """Lend what a program of the cpu engine needs, of Keras what is the user's own.

    That are a loss or None, an optimizer, and the learning rate to set.
    """
    if plan.callbacks:
        # They are shown a Keras model.
        refuse_forked_process()
    with ExitStack() as stack:
        loss, optimizer, rate = None, plan.optimizer, plan.learning_rate
        if plan.loss is not None:
            loss = stack.enter_context(_loss_of_keras(spec.head, plan.loss))
        if not isinstance(optimizer, str):
            lent = _optimizer_of_keras(plan, [row for row in table if row.trainable])
            optimizer, rate = stack.enter_context(lent)
        yield loss, optimizer, rate


@contextmanager
def _loss_of_keras(head, loss):
    """Lend a loss of the user's own, as one of arrays."""
    backend()
    # Deferred: they need Keras, which the line above has loaded.
    from skrnn._engine.keras.keys import value_key  # noqa: PLC0415
    from skrnn._engine.keras.losses import LossOfArrays  # noqa: PLC0415

    key = ("loss", head, value_key(loss))
    with programs.borrow(key, lambda: LossOfArrays(loss, head)) as lent:
        yield lent


@contextmanager
def _optimizer_of_keras(plan, table):
    """Lend an optimizer for the weights of `table`, and tell the rate to set."""
    backend()
    # Deferred: it needs Keras, which the line above has loaded.
    from skrnn._engine.keras import optimizers  # noqa: PLC0415

    key = ("optimizer", *table, optimizers.optimizer_key(plan.optimizer))

    def make():
        return optimizers.OptimizerOfArrays(plan.optimizer, table)

    with programs.borrow(key, make) as optimizer:
        yield optimizer, optimizers.learning_rate(plan.optimizer, plan.learning_rate)


@contextmanager
def _compiled(spec, plan):
    """Lend a compiled program, and tell the learning rate to set."""
    # This is where Keras and its backend are loaded.
    program_of_backend = backend().Program
    # Deferred for the same reason.
    from skrnn._engine.keras.keys import value_key  # noqa: PLC0415
    from skrnn._engine.keras.optimizers import (  # noqa: PLC0415
        learning_rate,
        optimizer_key,
    )

    key = (spec, value_key(plan.loss), optimizer_key(plan.optimizer))

    def make():
        return program_of_backend(spec, plan.loss, plan.optimizer)

    with programs.borrow(key, make) as program:
        yield program, learning_rate(plan.optimizer, plan.learning_rate)
