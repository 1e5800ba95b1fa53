"""The private names of Keras, TensorFlow and JAX: whether each still does its work.

Every function of ``skrnn/_engine/keras/private.py`` has a case. Where one fails, its
message says which name of which package went, and quotes what to do.
"""

import ast
import importlib.util
import inspect
import json
import pickle
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import keras
import numpy as np
import pytest
import tensorflow as tf
from _instances import in_new_process

from skrnn._engine.keras import private

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="what TensorFlow keeps"
)


@dataclass(frozen=True)
class Case:
    """What a function of the private names is tried with."""

    function: str
    # Full names: of the package, of what has the private name, and the name itself.
    names: tuple[str, ...]
    check: Callable[[ModuleType], None]


CASES: dict[str, Case] = {}


def case(function, *names):
    """Enter a check into the table: it gets a module with the function."""

    def enter(check):
        CASES[function] = Case(function, names, check)
        return check

    return enter


def what_to_do(function):
    """Return the paragraph of a docstring that says what to do when a name goes."""
    paragraphs = inspect.getdoc(function).split("\n\n")
    found = [" ".join(each.split()) for each in paragraphs if "When it goes:" in each]
    return found[0] if len(found) == 1 else ""


def run(case, module):
    """Try a function; a failure tells which names may have gone, and what to do."""
    try:
        case.check(module)
    except Exception as error:
        package = case.names[0].partition(".")[0]
        names = " and ".join(case.names)
        pytest.fail(
            f"{package} {version(package)} may have no {names} any more, or it does "
            f"something else: {type(error).__name__}: {error}\n"
            f"`{case.function}` of {Path(private.__file__).name} needs it. "
            f"{what_to_do(getattr(private, case.function))}"
        )


# Optimizers


@case("rate_or_schedule_of", "keras.optimizers.Optimizer._learning_rate")
def check_rate(private):
    number = private.rate_or_schedule_of(keras.optimizers.SGD(0.25))
    assert isinstance(number, keras.Variable)
    assert float(number) == 0.25
    schedule = keras.optimizers.schedules.CosineDecay(0.5, 10)
    assert private.rate_or_schedule_of(keras.optimizers.SGD(schedule)) is schedule


@case("averages_of", "keras.optimizers.Optimizer._model_variables_moving_average")
def check_averages(private):
    weight = keras.Variable(np.zeros(1))
    optimizer = keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    optimizer.build([weight])
    for _ in range(2):
        optimizer.apply([keras.ops.convert_to_tensor([-1.0])], [weight])
    # The first step's weight, 1, is the first average.
    (average,) = private.averages_of(optimizer)
    np.testing.assert_allclose(average.numpy(), [1.5])


@case("keep_gradients_local", "keras.optimizers.Optimizer._all_reduce_sum_gradients")
def check_local(private):
    weight = keras.Variable(np.zeros(1))
    optimizer = keras.optimizers.SGD(1.0)
    private.keep_gradients_local(optimizer)

    @tf.function(autograph=False)
    def step():
        optimizer.apply([tf.constant([-1.0])], [weight])

    optimizer.build([weight])
    graph = step.get_concrete_function().graph
    # What Keras wraps in a custom gradient stands in a graph as an IdentityN.
    assert not [each for each in graph.get_operations() if each.type == "IdentityN"]
    step()
    np.testing.assert_allclose(weight.numpy(), [1.0])


@case("trained_variables_of", "keras.optimizers.Optimizer._trainable_variables")
def check_trained(private):
    weights = [keras.Variable(np.zeros(2)), keras.Variable(np.zeros(3))]
    optimizer = keras.optimizers.Adam()
    optimizer.build(weights)
    known = private.trained_variables_of(optimizer)
    assert [id(each) for each in known] == [id(each) for each in weights]


@case("undecayed_variables_of", "keras.optimizers.Optimizer._exclude_from_weight_decay")
def check_undecayed_variables(private):
    optimizer = keras.optimizers.AdamW()
    assert not private.undecayed_variables_of(optimizer)
    optimizer.exclude_from_weight_decay(var_list=[keras.Variable(np.zeros(1))])
    assert private.undecayed_variables_of(optimizer)


@case(
    "undecayed_names_of",
    "keras.optimizers.Optimizer._exclude_from_weight_decay_pattern",
)
def check_undecayed_names(private):
    optimizer = keras.optimizers.AdamW()
    assert not private.undecayed_names_of(optimizer)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    assert private.undecayed_names_of(optimizer)


@case(
    "set_undecayed_names",
    "keras.optimizers.Optimizer._exclude_from_weight_decay_pattern",
)
def check_set_undecayed_names(private):
    given, other = (keras.optimizers.SGD(1.0, weight_decay=0.5) for _ in range(2))
    given.exclude_from_weight_decay(var_names=["bias"])
    names = given._exclude_from_weight_decay_pattern
    private.set_undecayed_names(other, names)
    weights = [keras.Variable(np.ones(1), name=name) for name in ("kernel", "bias")]
    other.build(weights)
    other.apply([tf.zeros(1)] * 2, weights)
    assert [float(w.numpy()[0]) for w in weights] == [0.5, 1.0]


# Models and layers


def dense(*layers, name="private"):
    return keras.Sequential([keras.Input((3,)), *layers], name=name)


@case("layers_of", "keras.Model._flatten_layers")
def check_layers(private):
    inner = keras.Sequential([keras.layers.Dense(2, name="within")], name="inner")
    outer = [keras.layers.Dense(3, name="before"), inner]
    names = [layer.name for layer in private.layers_of(dense(*outer, name="outer"))]
    assert names.index("before") < names.index("inner") < names.index("within")
    assert "outer" not in names
    recurrent = keras.layers.Bidirectional(keras.layers.GRU(2, name="gru"))
    model = keras.Sequential([keras.Input((3, 2)), recurrent])
    assert sum("gru" in layer.name for layer in private.layers_of(model)) >= 2


@case("functional_class", "keras.src.models.Functional")
def check_functional(private):
    x = keras.Input((3,))
    assert type(keras.Model(x, keras.layers.Dense(1)(x))) is private.functional_class()
    assert type(dense(keras.layers.Dense(1))) is not private.functional_class()


@case(
    "ends_of",
    "keras.Model._functional",
    "keras.Model._inputs_struct",
    "keras.Model._outputs_struct",
)
def check_ends(private):
    one, two = keras.Input((3,)), keras.Input((3,))
    add = keras.layers.Add()([one, two])
    inputs, outputs = private.ends_of(keras.Model([one, two], {"sum": add}))
    assert [id(each) for each in inputs] == [id(one), id(two)]
    assert outputs["sum"] is add
    inputs, outputs = private.ends_of(dense(keras.layers.Dense(1)))
    assert (tuple(inputs.shape), tuple(outputs.shape)) == ((None, 3), (None, 1))


@case("calls_of", "keras.Layer._inbound_nodes")
def check_calls(private):
    x, layer = keras.Input((4, 3)), keras.layers.GRU(2)
    assert private.calls_of(layer) == []
    y = layer(x, training=False)
    layer(keras.layers.Dense(3)(x))
    first, second = private.calls_of(layer)
    assert [id(each) for each in first.keras_tensors] == [id(x)]
    assert first.kwargs["training"] is False
    assert second.keras_tensors[0] is not x
    assert y.shape == (None, 2)


@case("is_distributed", "keras.Model._distribute_strategy")
def check_distributed(private):
    assert not private.is_distributed(dense(keras.layers.Dense(1)))
    with tf.distribute.OneDeviceStrategy("/cpu:0").scope():
        assert private.is_distributed(dense(keras.layers.Dense(1)))


@case("was_called", "keras.Layer._called")
def check_called(private):
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Dense(1)(x))
    assert not private.was_called(model)
    model(x)
    assert private.was_called(model)


@case("supports_xla", "keras.src.trainers.trainer.model_supports_jit")
def check_xla(private):
    assert private.supports_xla(dense(keras.layers.Dense(1)))
    layer = keras.layers.Dense(1)
    layer.supports_jit = False
    assert not private.supports_xla(dense(layer))


# What a model is compiled with


def compiled(*, loss="mse", **options):
    model = dense(keras.layers.Dense(1, kernel_initializer="ones"))
    model.compile("sgd", loss, **options)
    return model


@case("compile_arguments_of", "keras.Model._compile_config")
def check_compile(private):
    def loss(y, z):
        return keras.ops.mean((y - z) ** 2, axis=-1)

    told = private.compile_arguments_of(compiled(loss=loss, metrics=["mae"]))
    assert told["loss"] is loss
    assert told["metrics"] == ["mae"]
    assert "weighted_metrics" in told


@case("compiled_metrics_of", "keras.Model._compile_metrics")
def check_metrics(private):
    assert private.compiled_metrics_of(compiled()) is None
    model = compiled(metrics=["mae"], weighted_metrics=["mse"])
    y, z, weights = tf.zeros((2, 1)), tf.constant([[1.0], [3.0]]), tf.constant([1.0, 0])
    private.compiled_metrics_of(model).update_state(y, z, weights)
    found = {name: float(value) for name, value in model.get_metrics_result().items()}
    assert (found["mae"], found["mse"]) == (2.0, 1.0)
    model.reset_metrics()
    assert float(model.get_metrics_result()["mae"]) == 0.0


@case("function_of", "keras.metrics.MeanMetricWrapper._fn")
def check_function(private):
    def mine(y, z):
        return y - z

    assert private.function_of(keras.metrics.MeanMetricWrapper(mine)) is mine
    mean = keras.metrics.Mean()
    assert private.function_of(mean) is mean


@case("function_arguments_of", "keras.losses.Loss._fn_kwargs")
def check_arguments(private):
    for kind in (keras.losses.CosineSimilarity, keras.metrics.CosineSimilarity):
        assert private.function_arguments_of(kind(axis=1))["axis"] == 1
    assert private.function_arguments_of(keras.optimizers.SGD()) is None


@case("set_function_arguments", "keras.metrics.MeanMetricWrapper._fn_kwargs")
def check_set_arguments(private):
    metric = keras.metrics.CosineSimilarity(axis=-1)
    private.set_function_arguments(metric, {"axis": 0})
    metric.update_state(np.array([[1.0, 1.0], [0.0, 0.0]]), np.ones((2, 2)))
    # Of each column; of the rows it would be 1 and 0.
    np.testing.assert_allclose(float(metric.result()), 0.5**0.5, rtol=1e-6)


@case("mask_of", "keras.KerasTensor._keras_mask")
def check_mask(private):
    x = np.array([[[1.0], [0.0]]])
    outputs = keras.layers.Masking()(x)
    assert private.mask_of(outputs).numpy().tolist() == [[True, False]]
    symbol = keras.layers.Masking()(keras.Input((2, 1)))
    assert private.mask_of(symbol).shape == (None, 2)
    assert private.mask_of(tf.zeros(3)) is None


@case("set_mask", "keras.KerasTensor._keras_mask")
def check_set_mask(private):
    y, z = tf.zeros((1, 2, 1)), tf.constant([[[1.0], [3.0]]])
    loss = keras.losses.MeanSquaredError()
    private.set_mask(z, tf.constant([[True, False]]))
    assert float(loss(y, z)) == 1.0
    private.set_mask(z, None)
    assert float(loss(y, z)) == 5.0


# Callbacks


@case("initial_epoch_of", "keras.Model._initial_epoch")
def check_initial_epoch(private):
    model = compiled()
    assert private.initial_epoch_of(model) == 0
    seen = []

    class Restores(keras.callbacks.BackupAndRestore):
        def on_train_begin(self, logs=None):
            super().on_train_begin(logs)
            seen.append(private.initial_epoch_of(self.model))

        def on_train_end(self, logs=None):
            pass

    def fit(epochs, folder):
        model.fit(
            np.zeros((2, 3)),
            np.zeros((2, 1)),
            epochs=epochs,
            callbacks=[Restores(folder)],
            verbose=0,
        )

    with TemporaryDirectory() as folder:
        fit(2, folder)
        fit(2, folder)
    assert seen == [0, 2]


@case("forget_model", "keras.callbacks.Callback._model")
def check_forget(private):
    class NotEvenThis:
        def __reduce__(self):
            raise TypeError("can't be pickled")

    callback = keras.callbacks.Callback()
    callback.set_model(NotEvenThis())
    private.forget_model(callback)
    assert callback.model is None
    assert pickle.loads(pickle.dumps(callback)).model is None


# Random generators


@case(
    "global_generator",
    "keras.src.backend.common.global_state",
    "keras.src.backend.common.global_state.global_seed_generator",
)
def check_global_generator(private):
    def drawn():
        return keras.random.normal((4,)).numpy().tolist()

    drawn()
    expected = keras.random.normal((4,), seed=keras.random.SeedGenerator(7)).numpy()
    keras_own = keras.src.backend.common.global_state
    before = keras_own.get_global_attribute("global_seed_generator")
    with private.global_generator(keras.random.SeedGenerator(7)):
        assert drawn() == expected.tolist()
    assert before is keras_own.get_global_attribute("global_seed_generator")
    assert before is not None


@case(
    "tensorflow_seeded",
    "tensorflow.python.eager.context.Context._seed",
    "tensorflow.python.eager.context.Context._rng",
    "tensorflow.python.eager.context.Context.clear_kernel_cache",
)
def check_tensorflow_seeded(private):
    def drawn():
        return tf.random.uniform((3,)).numpy().tolist()

    try:
        tf.random.set_seed(7)
        expected = drawn()
        tf.random.set_seed(3)
        drawn()
        third = [drawn(), drawn()]
        tf.random.set_seed(3)
        drawn()
        with private.tensorflow_seeded(7):
            assert drawn() == expected
        # It goes on where it was.
        assert [drawn(), drawn()] == third
    finally:
        tf.random.set_seed(None)


# What a backend keeps


def tensorflow_has_run():
    assert float(tf.constant(1.0) + 1.0) == 2.0


@case("forget_kernels", "tensorflow.python.eager.context.Context.clear_kernel_cache")
def check_kernels(private):
    @tf.function
    def twice(x):
        return 2 * x

    assert float(twice(tf.constant(2.0))) == 4.0
    context = private._tensorflow_context()
    forgotten = []
    # The cache itself can't be looked at from Python.
    clear = type(context).clear_kernel_cache
    context.clear_kernel_cache = lambda: forgotten.append(clear(context))
    try:
        private.forget_kernels()
    finally:
        del context.clear_kernel_cache
    assert forgotten == [None]
    assert float(twice(tf.constant(2.0))) == 4.0


@case(
    "tensorflow_runs",
    "tensorflow.python.eager.context._context",
    "tensorflow.python.eager.context.Context._context_handle",
)
def check_tensorflow_runs(private):
    tensorflow_has_run()
    assert private.tensorflow_runs()


# A private module from a file, in a process of its own: a backend runs there or not.
LOADED = """
import importlib.util, json, sys, warnings
warnings.simplefilter("ignore")
spec = importlib.util.spec_from_file_location("private", sys.argv[1])
private = importlib.util.module_from_spec(spec)
spec.loader.exec_module(private)
said = []
"""


@case("jax_runs", "jax._src.xla_bridge._backends")
def check_jax_runs(private):
    said = in_new_process(
        f"""{LOADED}
import jax
said.append(private.jax_runs())
jax.numpy.zeros(2) + 1
said.append(private.jax_runs())
print(json.dumps(said))
""",
        private.__file__,
        JAX_PLATFORMS="cpu",
    )
    assert json.loads(said) == [False, True]


# The tests


has_jax = importlib.util.find_spec("jax") is not None


def marks_of(function):
    skip = function == "jax_runs" and not has_jax
    return pytest.mark.skipif(skip, reason="JAX isn't installed")


every_case = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=marks_of(name)) for name in CASES]
)


@every_case
def test_a_private_name_does_its_work(name):
    run(CASES[name], private)


def functions():
    found = inspect.getmembers(private, inspect.isfunction)
    ours = [f for f in found if inspect.unwrap(f[1]).__module__ == private.__name__]
    return {name: function for name, function in ours if not name.startswith("_")}


def test_every_function_has_a_case_and_says_what_to_do():
    assert functions().keys() == CASES.keys()
    assert not [name for name, found in functions().items() if not what_to_do(found)]


def names_of(case):
    """Return the private names of a case without what has them."""
    return [name.rpartition(".")[2] for name in case.names]


def test_every_private_name_has_a_case():
    told = {name for case in CASES.values() for name in names_of(case)}
    found = set()
    for node in ast.walk(ast.parse(Path(private.__file__).read_text())):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        if isinstance(node, ast.ImportFrom) and ".src." in f"{node.module}.":
            assert {alias.name for alias in node.names} <= told
    is_private = re.compile(r"_[a-z]\w*").fullmatch
    assert {name for name in found if is_private(name)} <= told


# Each private name with the functions that need it.
GONE = [
    pytest.param(
        case, name, marks=marks_of(case.function), id=f"{case.function}-{name}"
    )
    for case in CASES.values()
    for name in names_of(case)
]


@pytest.mark.parametrize(("case", "name"), GONE)
def test_a_name_that_goes_is_missed(case, name, tmp_path):
    """The case fails where the name is another, and says what to do."""
    source = Path(private.__file__).read_text()
    path = tmp_path / "private.py"
    path.write_text(re.sub(rf"\b{name}\b", f"{name}_that_went", source))
    spec = importlib.util.spec_from_file_location("private_names_that_went", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.raises(pytest.fail.Exception) as failure:
        run(case, module)
    message = str(failure.value)
    package = case.names[0].partition(".")[0]
    assert message.startswith(f"{package} {version(package)} may have no")
    assert name in message
    assert "When it goes: " in message
