"""The engine: trains and predicts a network that a frozen spec describes.

This is its whole border. `train` takes a spec, a plan and packed data and returns
weights and a history; `predict` takes a spec, weights and packed data and returns
arrays; `train_pairs` and `PairPredictor` do so for an encoder and a decoder, and
`train_language`, `log_likelihoods`, `next_token` and `IncrementalDecoder` for language models;
`Stream` predicts step by step; `backend` loads Keras, unless this process was forked
from one in which it ran (`refuse_forked_process`), and `pack` keeps objects of Keras in
pickles closed there. Importing it loads neither Keras nor a backend of it; training
does where `choice` says so.
"""

from collections.abc import Callable
from contextlib import contextmanager, nullcontext

from skrnn._data.datasets import Dataset, Seq2SeqData
from skrnn._data.token_stream import BOUNDARY, TokenStream
from skrnn._engine import choice
from skrnn._engine.choice import facts
from skrnn._engine.cpu import network
from skrnn._engine.cpu.kernels.matmul import warn_without_kernels
from skrnn._engine.cpu.language import LanguageProgram
from skrnn._engine.cpu.optimizers import has_formula
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
    """Load Keras and its backend, and return the engine's module of that.

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
    *,
    engine: str = "auto",
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
    engine : {"auto", "cpu", "keras"}
        As `skrnn._engine.choice` reads it.
    """
    warn_without_kernels(engine)
    by_name = choice.have_formulas(plan.loss, plan.optimizer)
    if choice.trains_on(engine, by_name=by_name) == "keras":
        lent = _keras_program(spec, plan, plan.loss)
    else:
        lent = _cpu_program(spec, plan)
    return _run(lent, spec, plan, training, validation, weights, optimizer_state)


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
    engine: str = "auto",
) -> Trained:
    """Train a language model from `weights`, as `train` does other networks.

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
    engine : {"auto", "cpu", "keras"}
    """
    warn_without_kernels(engine)
    if choice.trains_on(engine) == "keras":
        lent = _keras_program(spec, plan, "auto")
    else:
        made = LanguageProgram(spec.with_rates_as_arguments(), plan.optimizer)
        lent = nullcontext((made, plan.learning_rate))

    def progress(program):
        shown = unit, lambda: sample(program.get_weights())
        return TextProgress(plan.name, plan.epochs, plan.verbose, *shown)

    given = spec, plan, training, validation, weights, optimizer_state
    return _run(lent, *given, progress)


def train_pairs(
    spec: Seq2SeqSpec,
    plan: TrainPlan,
    training: Seq2SeqData,
    validation: Seq2SeqData | None,
    weights: list,
    optimizer_state: list | None = None,
    *,
    teacher_forcing: float = 1.0,
    engine: str = "auto",
) -> Trained:
    """Train the encoder and decoder of `spec`, as `train` does other networks.

    `teacher_forcing` is how often the decoder reads the true output before, and not its
    own.
    """
    warn_without_kernels(engine)
    if choice.trains_on(engine) == "keras":
        samples = teacher_forcing < 1
        lent = _keras_program(spec, plan, plan.loss, samples, teacher_forcing)
    else:
        lent = _cpu_pair_program(spec, plan, weights, teacher_forcing)
    return _run(lent, spec, plan, training, validation, weights, optimizer_state)


def _run(
    lent, spec, plan, training, validation, weights, state, progress=lambda _program: None
):
    """Run the loop on a program that is lent with the learning rate to set, or None."""
    from skrnn._engine.training.loop import Loop  # noqa: PLC0415

    with lent as (program, rate):
        program.reset(weights, state)
        if rate is not None:
            program.optimizer.learning_rate = rate
        shown = progress(program)
        return Loop(program, spec, plan, training, validation, shown).run()


def _cpu_program(spec, plan):
    """Make a program that needs no compiling, and tell the learning rate to set."""
    if plan.callbacks:
        # They are shown a Keras model.
        refuse_forked_process()
    made = network.Program(spec.with_rates_as_arguments(), plan.loss, plan.optimizer)
    return nullcontext((made, plan.learning_rate))


@contextmanager
def _cpu_pair_program(spec, plan, weights, teacher_forcing):
    """Make a program that needs no backend, but for an optimizer of Keras' own."""
    from skrnn._engine.cpu.seq2seq import PairProgram  # noqa: PLC0415

    if plan.callbacks:
        refuse_forked_process()
    lent = (
        nullcontext((plan.optimizer, plan.learning_rate))
        if has_formula(plan.optimizer)
        else _optimizer_of_keras(plan, [weight.shape for weight in weights])
    )
    with lent as (optimizer, rate):
        yield PairProgram(spec, plan.loss, optimizer, teacher_forcing), rate


@contextmanager
def _optimizer_of_keras(plan, shapes):
    """Lend an optimizer for weights of `shapes`, and tell the learning rate to set."""
    backend()
    # Deferred: it needs Keras, which the line above has loaded.
    from skrnn._engine.keras import optimizers  # noqa: PLC0415

    key = ("optimizer", *shapes, optimizers.optimizer_key(plan.optimizer))

    def make():
        return optimizers.OptimizerOfArrays(plan.optimizer, shapes)

    with programs.borrow(key, make) as optimizer:
        yield optimizer, optimizers.learning_rate(plan.optimizer, plan.learning_rate)


@contextmanager
def _keras_program(spec, plan, loss, samples=False, teacher_forcing=1.0):
    """Lend a program of the keras engine, and tell the learning rate to set."""
    backend()
    # Deferred: it needs Keras, which the line above has loaded.
    from skrnn._engine.keras.keys import value_key  # noqa: PLC0415
    from skrnn._engine.keras.optimizers import (  # noqa: PLC0415
        learning_rate,
        optimizer_key,
    )
    from skrnn._engine.keras.program import Program  # noqa: PLC0415

    spec = spec.with_rates_as_arguments()
    key = (spec, value_key(loss), optimizer_key(plan.optimizer), samples)

    def make():
        return Program(spec, loss, plan.optimizer, samples)

    with programs.borrow(key, make) as program:
        program.teacher_forcing = teacher_forcing
        yield program, learning_rate(plan.optimizer, plan.learning_rate)
