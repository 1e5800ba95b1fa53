"""Every topology, with cells of any kind, trains on Keras as on the cpu engine.

`record` runs on one backend, in this process or one of its own.
"""

import functools
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from _instances import in_new_process, needs
from _network_cases import draw_dataset, draw_ragged, draw_weights, spec_of
from _tables import LONG

from skrnn import _engine
from skrnn._data.datasets import Seq2SeqData
from skrnn._data.sequences import pack_ragged
from skrnn._data.token_stream import TokenStream
from skrnn._engine.keras import backends
from skrnn._networks.architecture import language_spec, seq2seq_spec
from skrnn._networks.cells import CELLS, BaseCell, GatedCell
from skrnn._networks.specs import Head
from skrnn._networks.weights import Weight

STEP_INPUTS = dict(seed=3, step=0, rates=None, clipnorm=0.5)
STEP_INPUTS |= dict(dropout=0.0, recurrent_dropout=0.0)


def _minimal_step(ops, activation, x, r, h):
    x_f, x_n = ops.split(x, 2, axis=-1)
    r_f, r_n = ops.split(r, 2, axis=-1)
    f = ops.sigmoid(x_f + r_f)
    return ((1 - f) * h + f * activation(ops, x_n + r_n),)


class Independent(BaseCell):
    """Independently recurrent units (Li et al., 2018)."""

    def weights(self, width, units):
        shapes = {"kernel": (width, units), "recurrent": (units,), "bias": (units,)}
        return [Weight(name, shape, "uniform") for name, shape in shapes.items()]

    def step(self, ops, activation, w, projected, states, drop):
        return (activation(ops, projected[0] + w["recurrent"] * drop(states[0])),)


class MatrixCell(BaseCell):
    """A memory of outer products, whose state is a matrix beside the output."""

    def weights(self, width, units):
        shapes = {"kernel": (width, 3 * units), "bias": (3 * units,)}
        return [Weight(name, shape, "uniform") for name, shape in shapes.items()]

    def state_shapes(self, units):
        return (units,), (units, units)

    def step(self, ops, activation, w, projected, states, drop):
        query, key, value = ops.split(projected[0], 3, axis=-1)
        after = 0.5 * states[1] + activation(ops, key)[:, :, None] * value[:, None]
        return ops.einsum("bij,bi->bj", after, query), after


NEW_CELLS = {
    "minimal": GatedCell(n_gates=2, n_states=1, formula=_minimal_step),
    "independent": Independent(),
    "matrix": MatrixCell(),
}
RNG = np.random.default_rng(0)


def network(**choices):
    spec = spec_of(**choices)
    return spec, draw_dataset(spec, draw_ragged(spec, (5, 7, 4, 6, 5)))


def pairs(*, known=False, n_future=0, labels=None, **choices):
    head = Head(2) if labels is None else Head(labels + 1, "softmax")
    spec = seq2seq_spec(
        units=(3,),
        n_features=2,
        head=head,
        n_labels=labels,
        has_end=labels is not None,
        embedding_dim=None if labels is None else 3,
        n_future=n_future,
        **choices,
    )
    lengths = (3,) * 5 if n_future else (3, 5, 4, 3, 5)
    shape = (lambda n: n) if labels else (lambda n: (n, 2))
    draw = RNG.normal if labels is None else functools.partial(RNG.integers, labels)
    outputs = pack_ragged(
        [
            draw(size=shape(n)).astype(np.float32 if labels is None else np.int32)
            for n in lengths
        ]
    )
    return spec, Seq2SeqData(
        draw_ragged(spec, (5, 7, 4, 6, 5)),
        outputs,
        RNG.uniform(0.5, 2, 5).astype(np.float32),
        future=RNG.normal(size=(5, 3, n_future)).astype(np.float32)
        if n_future
        else None,
        known=RNG.random(sum(lengths)) < 0.6 if known else None,
        start=labels or 0,
    )


def text(**choices):
    spec = language_spec(units=(3,), vocabulary_size=6, embedding_dim=3, **choices)
    tokens = RNG.integers(0, 6, 42).astype(np.int32)
    return spec, TokenStream(tokens[:-1], tokens[1:], n_sequences=3, lookback=4, seed=3)


BOTH = dict(return_sequences=True, bidirectional=True)


@contextmanager
def cells_are_known():
    with pytest.MonkeyPatch.context() as patch:
        for name, cell in NEW_CELLS.items():
            patch.setitem(CELLS, name, cell)
        yield


with cells_are_known():
    # A spec, its data, and how often a decoder is told what was before.
    CASES = {
        "matrix": (*network(cell="matrix", attention="dot"), 1.0),
        "independent steps": (
            *network(cell="independent", activation="relu", **BOTH),
            1.0,
        ),
        "minimal tokens": (
            *network(cell="minimal", embedding_dim=3, layer_norm=True),
            1.0,
        ),
        "labels, some unknown": (*pairs(cell="lstm", labels=3, known=True), 1.0),
        "numbers of its own": (*pairs(cell="matrix", n_future=2), 0.0),
        "numbers, attention": (*pairs(cell="minimal", attention="additive"), 1.0),
        "labels, by place": (
            *pairs(cell="gru", labels=3, attention="location", bidirectional=True),
            1.0,
        ),
        "text": (*text(cell="lstm", tie_weights=True), 1.0),
    }
    if LONG:
        # Choices of those above, together in other ways.
        CASES |= {
            "labels": (
                *pairs(cell="gru", labels=3, attention="dot", bidirectional=True),
                1.0,
            ),
            "numbers of its own, by place": (
                *pairs(cell="gru", attention="location"),
                0.0,
            ),
            "text of matrices": (*text(cell="matrix"), 1.0),
        }
# One of each topology. Each backend compiles once more for a part.
CUT = "independent steps", "labels, some unknown", "numbers of its own", "text"


@pytest.fixture(scope="module", autouse=True)
def new_cells():
    with cells_are_known():
        yield


def order_of(data):
    """Return the batches of two epochs, the last one of each with absent rows."""
    rng = np.random.default_rng(0)
    return np.concatenate([data.order(3, rng, epoch) for epoch in (0, 1)])


def trained(program, spec, data, order, parts=1):
    """Train and evaluate: the arrays that tell what came out."""
    program.reset(draw_weights(spec))
    program.optimizer.learning_rate = 0.1
    loaded, totals, step = program.load(data), [], 0
    for part in np.array_split(order, parts):
        total, _, finite = program.train(loaded, part, STEP_INPUTS | {"step": step})
        totals.append(float(total))
        step += len(part)
        assert finite
    after = program.get_weights()
    program.set_weights(draw_weights(spec))
    sums = map(float, program.evaluate(loaded, data.evaluation_order()))
    return [np.array(sum(totals)), *map(np.array, sums), *after]


def keras_program(spec, teacher_forcing=1.0, optimizer="adam"):
    backends.backend()
    from skrnn._engine.keras.program import Program

    program = Program(spec, None, optimizer, samples=teacher_forcing < 1)
    program.teacher_forcing = teacher_forcing
    return program


def record(path):
    """Save what this process' backend makes of every case, of some twice."""
    found = {}
    for name, (spec, data, forcing) in CASES.items():
        program, order = keras_program(spec, forcing, "sgd"), order_of(data)
        times = {"at once": 1} | ({"cut": 2} if name in CUT else {})
        for time, parts in times.items():
            arrays = trained(program, spec, data, order, parts)
            found |= {f"{name}: {time} {i}": each for i, each in enumerate(arrays)}
    np.savez(path, **found)


@functools.cache
def recorded(backend):
    """Return what `record` saves on a backend, or skip if it isn't installed."""
    needs(backend)
    code = f"""
import sys, warnings
warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
sys.path.append({str(Path(__file__).parent)!r})
import test_topologies as t
t.CELLS.update(t.NEW_CELLS)
t.record(sys.argv[1])
"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "found.npz")
        if backend == "tensorflow":
            record(path)
        else:
            # XLA translates each function in a third less time.
            quickly = "--xla_backend_optimization_level=0"
            in_new_process(code, path, KERAS_BACKEND=backend, XLA_FLAGS=quickly)
        with np.load(path) as found:
            return dict(found)


JAX = pytest.param("jax", marks=pytest.mark.jax)
EACH = [JAX if name == "jax" else name for name in backends.BACKENDS]


# In one worker, so that each backend is recorded once.
@pytest.mark.xdist_group("recorded_topologies")
@pytest.mark.parametrize("backend", EACH)
@pytest.mark.parametrize("name", CASES)
def test_training_is_that_of_the_cpu_engine(backend, name):
    spec, data, forcing = CASES[name]
    of_case = {k: v for k, v in recorded(backend).items() if k.startswith(f"{name}: ")}
    at_once = [v for k, v in of_case.items() if ": at once" in k]
    cut = [v for k, v in of_case.items() if ": cut" in k]
    made = _engine.CPU_PROGRAMS[type(spec)](spec, None, "sgd")
    made.teacher_forcing = forcing
    expected = trained(made, spec, data, order_of(data))
    assert len(at_once) == len(expected)
    for a, b in zip(at_once, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)
    assert bool(cut) == (name in CUT)
    if cut:
        # Bit by bit, however training is cut into calls.
        np.testing.assert_allclose(at_once[0], cut[0], rtol=1e-12)
        for a, b in zip(at_once[1:], cut[1:], strict=True):
            np.testing.assert_array_equal(a, b)
