"""Every backend of Keras computes the same network, trained in a process of its own.

`record` runs there: it predicts and trains small networks and saves what comes out.
"""

import functools
import importlib.util
import json
import tempfile
import traceback
from pathlib import Path

import numpy as np
import pytest
from _instances import FAST, in_new_process, labels, needs, numbers, sequences
from _network_cases import (
    draw_dataset,
    draw_dense,
    draw_ragged,
    draw_weights,
    pairwise,
    predict,
    spec_of,
)
from _tables import LONG

from skrnn import (
    GRUClassifier,
    GRURegressor,
    RNNRegressor,
    Seq2SeqClassifier,
    _engine,
)
from skrnn._engine.keras import backends, fork
from skrnn._engine.prediction import batches
from skrnn._networks.specs import Head

# Dropout is compiled in and its rate is zero: the numbers drawn are each backend's own.
CHOICES = {
    "cell": ("rnn", "lstm", "gru", "mingru"),
    "bidirectional": (False, True),
    "return_sequences": (False, True),
    "attention": (None, "additive", "dot", "multihead"),
    "embedding_dim": (None, 3, (3, 2)),
    "ragged": (False, True),
    "dropout": (0.0, 0.5),
    "activation": ("tanh", "relu"),
}
TOKENS = [
    dict(cell="gru", embedding_dim=2, dropout=0.0, ragged=True),
    dict(
        cell="lstm",
        embedding_dim=2,
        embedding_trainable=False,
        dropout=0.5,
        ragged=True,
    ),
]


def name_of(row):
    """Say what is special about a row, for messages."""
    return " ".join(
        name if isinstance(value, bool) else f"{name} {value}"
        for name, value in row.items()
        if value
    )


def spec_of_row(ragged, **row):
    spec = spec_of(units=(3,), recurrent_dropout=row["dropout"], **row)
    return spec, ragged


def each_value(choices):
    """Return rows that have every value of every column, as few as there are values."""
    n_rows = max(map(len, choices.values()))
    return [
        {name: values[i % len(values)] for name, values in choices.items()}
        for i in range(n_rows)
    ]


# Every pair of values meets in the tests of TensorFlow's programs. Other backends have
# the same programs, with their own functions for a step and for the batches.
TABLE = pairwise(CHOICES) if LONG else each_value(CHOICES)
ROWS = {name_of(row): spec_of_row(**row) for row in [*TABLE, *TOKENS]}
EVERY_ROW = np.arange(4)


def dataset_of(spec, ragged):
    return draw_dataset(spec, draw_ragged(spec) if ragged else draw_dense(spec, n=4)[1])


def keras_program(*args):
    """Return the training of a network on this process' backend."""
    backends.backend()
    from skrnn._engine.keras.program import Program

    return Program(*args)


def program_of(spec):
    return keras_program(spec.with_rates_as_arguments(), None, "sgd")


def train(program, dataset, order, weights, **step_inputs):
    """Train from `weights`; return mean loss, whether it was finite, and weights."""
    plain = dict(seed=0, step=0, clipnorm=np.inf, dropout=0.0, recurrent_dropout=0.0)
    program.reset(weights)
    program.optimizer.learning_rate = 0.1
    total, count, finite = program.train(
        program.load(dataset), np.array(order), plain | step_inputs
    )
    return float(total) / float(count), bool(finite), program.get_weights()


def record(path):
    """Save what this process' backend makes of every row of the table."""
    found = {}
    for name, (spec, ragged) in ROWS.items():
        dataset, weights = dataset_of(spec, ragged), draw_weights(spec)
        program = program_of(spec)
        loss, _, after = train(program, dataset, [EVERY_ROW] * 3, weights)
        outputs, states = predict(spec, weights, dataset.sequences, "compiled")
        kinds = {"loss": loss, "outputs": outputs, "states": states}
        kinds |= {f"weight {i}": weight for i, weight in enumerate(after)}
        found |= {f"{name}: {kind}": value for kind, value in kinds.items()}
    np.savez(path, **found)


@functools.cache
def recorded(backend):
    """Return what `record` saves on a backend, or skip if it isn't installed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "found.npz")
        if backend == backends.configured_backend():
            record(path)
        else:
            run_on(backend, "t.record(sys.argv[1])", path, **QUICKLY)
        with np.load(path) as found:
            return dict(found)


# Keras reads its own variables so, on PyTorch.
PREFIX = f"""
import sys
import warnings
warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
sys.path.append({str(Path(__file__).parent)!r})
import test_backends as t
"""


# XLA translates each function in a third less time.
QUICKLY = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}


def run_on(backend, code, *arguments, **environment):
    """Run `code` in a new process on a backend, or skip if that isn't installed."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed: it is no part of the test extra")
    environment |= {"KERAS_BACKEND": backend}
    return in_new_process(PREFIX + code, *arguments, **environment)


JAX = pytest.param("jax", marks=pytest.mark.jax)
others = pytest.mark.parametrize("backend", [JAX, "torch"])


# In one worker, so that each backend is recorded once.
@pytest.mark.xdist_group("recorded_backends")
@others
class TestSameNumbers:
    def test_predictions_are_those_of_the_formula(self, backend):
        found = recorded(backend)
        for name, (spec, ragged) in ROWS.items():
            dataset, weights = dataset_of(spec, ragged), draw_weights(spec)
            expected = predict(spec, weights, dataset.sequences, "reference")
            for kind, array in zip(("outputs", "states"), expected, strict=True):
                np.testing.assert_allclose(
                    found[f"{name}: {kind}"], array, 1e-5, 1e-5, err_msg=name
                )

    def test_three_steps_are_those_of_tensorflow(self, backend):
        found, expected = recorded(backend), recorded("tensorflow")
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            np.testing.assert_allclose(found[name], array, 1e-4, 1e-5, err_msg=name)


def check_batches():
    """Hold what the loop over batches promises; run under any backend."""
    spec = spec_of("gru", dropout=0.5, recurrent_dropout=0.5)
    _, packed = draw_dense(spec, n=8)
    dataset, weights = draw_dataset(spec, packed), draw_weights(spec)
    program, order = program_of(spec), np.arange(8).reshape(4, 2)
    rates = dict(seed=5, dropout=0.3, recurrent_dropout=0.3)

    def run(*args, **step_inputs):
        return train(program, dataset, *args, **step_inputs)[2]

    # Where a run is cut doesn't matter, and each step drops something else.
    at_once = after = run(order, weights, **rates)
    after = weights
    for step, batch in enumerate(order):
        after = run([batch], after, step=step, **rates)
    assert same(at_once, after)
    first, second = (run([order[0]], weights, step=step, **rates) for step in (0, 1))
    assert not same(first, second)
    assert not same(first, run([order[0]], weights, **rates | {"seed": 6}))
    # Evaluation drops nothing.
    loss = train(program, dataset, [order[0]], weights)[0]
    program.set_weights(weights)
    total, count = program.evaluate(program.load(dataset), order[:1])
    np.testing.assert_allclose(float(total) / float(count), loss, 1e-6)
    # Absent rows count for nothing.
    few, filled = run([[4, 5]], weights), run([[4, -1, 5, -1]], weights)
    assert all(np.allclose(a, b, 1e-6, 1e-6) for a, b in zip(few, filled, strict=True))
    # Each gradient is bounded by its own norm.
    steps = [b - a for a, b in zip(run([EVERY_ROW], weights), weights, strict=True)]
    norms = [float(np.linalg.norm(step)) / 0.1 for step in steps]
    bound = float(np.median(norms))
    clipped = run([EVERY_ROW], weights, clipnorm=bound)
    for after, before, step, norm in zip(clipped, weights, steps, norms, strict=True):
        np.testing.assert_allclose(
            before - after, step * min(1, bound / norm), 1e-4, 1e-5
        )
    # The first loss that isn't finite is the last step.
    dataset.targets[3] = np.nan
    _, finite, after = train(program, dataset, order, weights)
    assert not finite
    assert same(after, run([order[0]], weights))


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def check_optimizers():
    """Every optimizer goes on where it was."""
    from skrnn._networks.optimizers import OPTIMIZERS

    spec = spec_of("rnn")
    dataset, order = dataset_of(spec, False), EVERY_ROW.reshape(2, 2)
    for name in OPTIMIZERS:
        program = keras_program(spec, None, name)
        through = train(program, dataset, order, draw_weights(spec))[2]
        half = train(program, dataset, order[:1], draw_weights(spec))[2]
        state = program.get_optimizer_state()
        reset = program.reset
        program.reset = lambda weights, state=state, reset=reset: reset(weights, state)
        assert same(train(program, dataset, order[1:], half, step=1)[2], through), name
        assert all(np.isfinite(weight).all() for weight in through), name


def check_losses():
    """Give a loss of Keras and a function activated predictions, steps as well."""
    import keras

    losses = keras.losses
    spec = spec_of("rnn", head=Head(1, loss="huber"), return_sequences=True)
    dataset = dataset_of(spec, True)
    found = [
        train(
            keras_program(spec, loss, "sgd"),
            dataset,
            [EVERY_ROW],
            draw_weights(spec),
        )
        for loss in (None, losses.Huber(), lambda y, z: losses.huber(y, z))
    ]
    for _, _, weights in found[1:]:
        for a, b in zip(weights, found[0][2], strict=True):
            np.testing.assert_allclose(a, b, 1e-6, 1e-7)


def check_own():
    """Compute a loss's gradient at the outputs, and an optimizer's step, for arrays."""
    import keras

    from skrnn._engine.cpu.optimizers import Optimizer
    from skrnn._engine.keras.foreign.losses import (
        OUTPUTS_OF,
        LossOfArrays,
        loss_function,
    )
    from skrnn._engine.keras.foreign.optimizers import OptimizerOfArrays
    from skrnn._networks.losses import LOSSES, loss_at_outputs
    from skrnn._networks.weights import Weight

    rng = np.random.default_rng(0)
    values = {"quantile": 0.8, "quantiles": (0.1, 0.5, 0.9)}
    for name, row in LOSSES.items():
        loss = (name, *(values[each] for each in row.parameters))
        # A number of outputs that every loss can share out among targets.
        head = Head(6, row.activations[0], loss)
        formula = loss_function(None, head)
        back = OUTPUTS_OF[head.activation]
        made = LossOfArrays(lambda y, p, f=formula, back=back: f(y, back(p)), head)
        for n in (1, 5, 8, 13):
            z = rng.normal(size=(n, 6)).astype(np.float32)
            z[0] = 0
            y = rng.integers(0, 2, size=(n, head.target_width)).astype(np.float32)
            # No window has a scale of 0.
            y[:, head.n_targets :] += 1
            y = y.astype(np.int32) if head.activation == "softmax" else y
            found, expected = made(y, z), loss_at_outputs(head)(y, z)
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_allclose(a, b, 1e-4, 1e-5)
    table = [Weight("kernel", (3, 4), "zeros"), Weight("bias", (4,), "zeros")]
    one = rng.normal(size=16).astype(np.float32)
    other = one.copy()
    ours = Optimizer("nadam", [other[:12].reshape(3, 4), other[12:]])
    own = OptimizerOfArrays(keras.optimizers.Nadam(0.01), table)
    own.reset(None)
    ours.learning_rate = 0.01
    for _ in range(4):
        g = rng.normal(size=16).astype(np.float32)
        own.apply(one, g.copy())
        ours.apply(other, g)
    np.testing.assert_allclose(one, other, 1e-4, 1e-5)


def check_callbacks():
    """Let a callback set the learning rate: to zero, so nothing is learnt."""
    import keras

    X = sequences("ragged")
    rate = keras.callbacks.LearningRateScheduler(lambda epoch: 0.0)

    def fit(**options):
        return GRURegressor(**FAST | options).fit(X, numbers(X))

    one, model = (fit(epochs=n, callbacks=[rate]) for n in (1, 3))
    assert same(model._weights, one._weights)
    assert not same(model._weights, fit()._weights)
    batches.SMALL = -1
    found = model.model_(np.stack([x[:3] for x in X]).astype(np.float32))
    found = keras.ops.convert_to_numpy(keras.ops.stop_gradient(found)).ravel()
    np.testing.assert_allclose(model.predict([x[:3] for x in X]), found, 1e-4, 1e-5)


def check_pairs():
    """Train an encoder and a decoder by the kernels, with what Keras adds to them."""
    import keras

    words = ["abc", "cab", "bb", "ca"] * 8
    rate = keras.callbacks.LearningRateScheduler(lambda epoch: 0.01)
    options = FAST | dict(learning_rate=0.01)
    plain, *others = (
        Seq2SeqClassifier(**options | more).fit(words, words)
        for more in (
            {},
            dict(learning_rate=0.5, callbacks=[rate]),
            dict(optimizer=keras.optimizers.Adam(0.01)),
        )
    )
    for other in others:
        for a, b in zip(plain._weights, other._weights, strict=True):
            np.testing.assert_allclose(a, b, 1e-3, 1e-5)
    (expected,) = plain.predict_proba(["abc"])
    places = {"a": 0, "b": 1, "c": 2}
    before = [3, *(places[label] for label in plain.predict(["abc"])[0])]
    found = plain.model_([np.array([[2, 3, 4]]), np.array([before[: len(expected)]])])
    found = keras.ops.convert_to_numpy(keras.ops.stop_gradient(found))
    np.testing.assert_allclose(found[0], expected, 1e-4, 1e-5)


CHECKS = "batches", "optimizers", "losses", "own", "callbacks", "pairs"


def check_all():
    """Print how each check fails, or that it doesn't."""
    found = {}
    for name in CHECKS:
        try:
            with pytest.MonkeyPatch.context() as patch:
                # It is set by some.
                patch.setattr(batches, "SMALL", batches.SMALL)
                globals()[f"check_{name}"]()
            found[name] = "holds"
        except Exception:
            found[name] = traceback.format_exc()
    print(json.dumps(found))


@functools.cache
def checked(backend):
    """Return what `check_all` prints on a backend."""
    return json.loads(run_on(backend, "t.check_all()", **QUICKLY).splitlines()[-1])


# In one worker, so that one process does them all.
@pytest.mark.xdist_group("checked_backends")
@others
@pytest.mark.parametrize("check", CHECKS)
def test_training(backend, check):
    assert checked(backend)[check] == "holds"


def fits():
    """Fit what draws numbers or depends on how training is cut; return the weights."""
    R = sequences("ragged")
    rich = dict(bidirectional=True, dropout=0.2, recurrent_dropout=0.2)
    models = {
        "dropout": GRUClassifier(**FAST, **rich, batch_size=5).fit(R, labels(R)),
        "stopped": RNNRegressor(**FAST, early_stopping=True).fit(R, numbers(R)),
    }
    return {
        name: [model.history_, [weight.tobytes().hex() for weight in model._weights]]
        for name, model in models.items()
    }


@others
def test_one_seed_gives_the_same_bits_in_two_processes(backend):
    code = "import json, test_backends; print(json.dumps(test_backends.fits()))"
    # Each process compiles for itself, whatever JAX has kept.
    alone = dict(JAX_ENABLE_COMPILATION_CACHE="false")
    one = run_on(backend, code, **alone)
    # The clock decides how training is cut into calls.
    slowly = "import skrnn._engine.training.loop as t\nt._SECONDS_PER_CALL = 0\n"
    environment = alone | dict(PYTHONHASHSEED="7", OMP_NUM_THREADS="1")
    if backend == "torch":
        # The guide says so: its sums depend on the number of threads.
        del environment["OMP_NUM_THREADS"]
    other = run_on(backend, slowly + code, **environment)
    assert json.loads(one) == json.loads(other)


def count_compilations():
    """Compile for one fit and one prediction, and again for none of a grid's."""
    from skrnn._engine.keras import prediction, topologies

    traced, forward = [], topologies.forward
    for module in (prediction, topologies):
        module.forward = lambda *args: traced.append(1) or forward(*args)
    batches.SMALL = -1
    X = np.random.default_rng(0).normal(size=(60, 5, 2))
    needed = []
    for rate in (0.01, 0.1):
        for n in (60, 45, 33):
            model = RNNRegressor(units=2, epochs=2, batch_size=8, learning_rate=rate)
            model.set_params(clipnorm=rate, early_stopping=True, random_state=n)
            model.fit(X[:n], X[:n, 0, 0]).predict(X[:n])
            needed.append(len(traced))
    assert needed[0] > 0
    assert _engine.programs.made == 1
    print(needed)


@pytest.mark.jax
def test_jax_compiles_once_for_a_grid():
    needed = json.loads(run_on("jax", "t.count_compilations()", **QUICKLY))
    assert set(needed) == {needed[0]}


def test_few_sizes_and_little_padding():
    needs("jax")
    from skrnn._engine.keras.runs import batch_class, size_class

    sizes = [size_class(n) for n in range(1, 1025)]
    assert sizes == sorted(sizes)
    assert all(n <= size <= 1.25 * n for n, size in enumerate(sizes, start=1))
    assert len(set(sizes)) < 40
    batches = [batch_class(n) for n in range(1, 257)]
    assert batches == sorted(batches)
    assert len(set(batches)) < 20
    # The usual sizes of a batch are not padded.
    assert {8, 16, 32, 48, 64, 96, 128, 256} <= set(batches)


FIT = """
import sys
import numpy as np
from skrnn import GRURegressor
X = np.random.default_rng(0).normal(size=(3000, 20, 2))
model = GRURegressor(units=8, engine="keras", epochs=1, random_state=0)
model.fit(X[:8], X[:8, 0, 0]).predict(X)
print(*sys.modules)
"""


# `test_quiet.py` has that of TensorFlow.
@pytest.mark.parametrize("backend", [b for b in backends.BACKENDS if b != "tensorflow"])
def test_only_the_backend_in_use_is_loaded(backend):
    assert_only_loads(set(run_on(backend, FIT).split()), backend)


def assert_only_loads(loaded, backend):
    modules = {name: module for name, (_, module) in backends.BACKENDS.items()}
    assert set(modules.values()) & loaded == {modules[backend]}
    # TensorFlow's own converter imports JAX if it is there, and so does Keras on torch.
    allowed = {backend} | ({"jax"} if backend != "jax" else set())
    assert set(backends.BACKENDS) & loaded <= allowed


@pytest.mark.parametrize("name", ["numpy", "openvino", "theano"])
def test_a_backend_that_is_not_supported_is_named(name, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", name)
    X = sequences("3-D")
    with pytest.raises(ValueError, match=rf"KERAS_BACKEND .*'jax'.* '{name}'"):
        RNNRegressor(**FAST).fit(X, numbers(X))


def test_a_backend_of_the_configuration_file_is_checked_too(monkeypatch):
    import keras

    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(keras.config, "backend", lambda: "numpy")
    with pytest.raises(ValueError, match="'numpy'"):
        backends.backend()


@pytest.mark.parametrize("name", backends.BACKENDS)
def test_a_forked_process_is_told_of_the_backend_in_use(name, monkeypatch):
    import keras

    monkeypatch.setattr(keras.config, "backend", lambda: name)
    monkeypatch.setattr(fork, "_lost", set(fork._RUNS))
    with pytest.raises(RuntimeError, match=f"used {backends.BACKENDS[name][0]},"):
        fork.refuse_forked_process()


def test_a_backend_that_is_not_there_is_named():
    if importlib.util.find_spec("torch") is not None:
        pytest.skip("PyTorch is installed")
    in_new_process(
        """
import numpy as np
from skrnn import GRURegressor
X, y = np.zeros((4, 3, 1)), np.arange(4.0)
GRURegressor(units=2, epochs=1, engine="cpu").fit(X, y)
try:
    GRURegressor(units=2, epochs=1).fit(X, y)
except ModuleNotFoundError as error:
    assert "backend is 'torch'" in str(error) and "engine='cpu'" in str(error)
else:
    raise AssertionError("it trains")
""",
        KERAS_BACKEND="torch",
    )
