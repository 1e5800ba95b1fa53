"""The functions that formulas may use: all of them on every engine, with gradients."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn._engine.cpu import ops as cpu
from skrnn._engine.cpu import reference
from skrnn._engine.cpu.autodiff import Node, differentiate, leaves
from skrnn._engine.cpu.kernels.layer import Workspace
from skrnn._engine.cpu.run import CpuRun
from skrnn._networks.contracts import Ops

NAMES = sorted(name for name in vars(Ops) if not name.startswith("_"))
# What is done -> ``f(ops, x, y)`` of arrays of one shape (m, n).
OPERATORS = {
    "x + y": lambda o, x, y: x + y,
    "x + 2": lambda o, x, y: x + 2,
    "2 + x": lambda o, x, y: 2 + x,
    "x - y": lambda o, x, y: x - y,
    "x - 2": lambda o, x, y: x - 2,
    "2 - x": lambda o, x, y: 2 - x,
    "x * y": lambda o, x, y: x * y,
    "x * x": lambda o, x, y: x * x,
    "2 * x": lambda o, x, y: 2 * x,
    "x / y": lambda o, x, y: x / y,
    "x / 2": lambda o, x, y: x / 2,
    "2 / x": lambda o, x, y: 2 / x,
    "-x": lambda o, x, y: -x,
    "x ** 2": lambda o, x, y: x**2,
    "x ** 0.5": lambda o, x, y: x**0.5,
    "x ** -1": lambda o, x, y: x**-1,
    "x[0]": lambda o, x, y: x[0],
    "x[..., -1]": lambda o, x, y: x[..., -1],
    "x[1:, None]": lambda o, x, y: x[1:, None],
    "x[::2]": lambda o, x, y: x[::2],
    "x > y": lambda o, x, y: o.where(x > y, x, y),
    "x >= 1": lambda o, x, y: o.where(x >= 1, x, 2.0),
    "x < y": lambda o, x, y: o.where(x < y, 2 * x, y),
    "x <= 1": lambda o, x, y: o.where(x <= 1, 0.0, x),
    "row + column": lambda o, x, y: x[:1] + y[:, :1],
    "row * matrix": lambda o, x, y: x[0] * y,
}
FUNCTIONS = {
    "abs": lambda o, x, y: o.abs(x - y),
    "concatenate": lambda o, x, y: o.concatenate([x, y, x], axis=-1),
    "cos": lambda o, x, y: o.cos(x),
    "cumsum": lambda o, x, y: o.cumsum(x, axis=0),
    "einsum": lambda o, x, y: o.einsum("ij,ij->i", x, y),
    "exp": lambda o, x, y: o.exp(x),
    "log": lambda o, x, y: o.log(x),
    "log1p": lambda o, x, y: o.log1p(x),
    "logaddexp": lambda o, x, y: o.logaddexp(x, y),
    "matmul": lambda o, x, y: o.matmul(x, o.transpose(y, (1, 0))),
    "max": lambda o, x, y: o.max(x, axis=-1),
    "maximum": lambda o, x, y: o.maximum(x, y) + o.maximum(x, 1),
    "mean": lambda o, x, y: o.mean(x, axis=0, keepdims=True),
    "minimum": lambda o, x, y: o.minimum(x, y) + o.minimum(x, 1),
    "reshape": lambda o, x, y: o.reshape(x, (-1, 1)) * o.reshape(y, (1, -1)),
    "sigmoid": lambda o, x, y: o.sigmoid(x),
    "sin": lambda o, x, y: o.sin(x),
    "softmax": lambda o, x, y: o.softmax(x, axis=-1) + o.softmax(y, axis=0),
    "split": lambda o, x, y: o.split(o.concatenate([x, y], axis=0), 2, axis=0)[1] * x,
    "sqrt": lambda o, x, y: o.sqrt(x),
    "stack": lambda o, x, y: o.stack([x, y, y], axis=1),
    "sum": lambda o, x, y: o.sum(x, axis=-1, keepdims=True),
    "take": lambda o, x, y: o.take(x, np.array([0, -1, 0]) % x.shape[1], axis=1),
    "tanh": lambda o, x, y: o.tanh(x),
    "transpose": lambda o, x, y: (
        o.transpose(o.stack([x, y], axis=0), (2, 0, 1))
        + 2 * o.transpose(o.stack([y, x], axis=0), (-1, 0, 1))
    ),
    "where": lambda o, x, y: o.where(x > y, x, 1.0) * y,
}
CASES = OPERATORS | FUNCTIONS
every_case = pytest.mark.parametrize("name", CASES)
# Products are the kernels', in single precision.
SINGLE = {"matmul", "einsum"}


def draw(shape, seed, dtype):
    """Draw two arrays of positive numbers that differ everywhere."""
    rng = np.random.default_rng(seed)
    numbers = rng.permutation(2 * int(np.prod(shape))) * 0.13 + 0.3
    return [part.reshape(shape).astype(dtype) for part in np.split(numbers, 2)]


@pytest.mark.parametrize("ops", [reference.ops, cpu.ops], ids=["reference", "cpu"])
def test_the_list_is_complete(ops):
    assert sorted(vars(ops)) == NAMES
    assert sorted(FUNCTIONS) == NAMES


def test_the_list_is_complete_on_keras():
    from skrnn._engine.keras.ops import ops

    assert sorted(name for name in dir(ops) if not name.startswith("_")) == NAMES


def test_every_function_is_documented():
    for name in NAMES:
        assert inspect.getdoc(getattr(Ops, name))


@every_case
@settings(max_examples=15)
@given(m=st.integers(2, 5), n=st.integers(1, 5), seed=st.integers(0, 99))
def test_values_and_gradients_are_those_of_numpy(name, m, n, seed):
    """The slope along any direction is the difference of a step there and back."""
    dtype = np.float32 if name in SINGLE else np.float64
    x, y = draw((m, n), seed, dtype)
    tape: list = []
    nodes = [Node(x, tape), Node(y, tape)]
    output = CASES[name](cpu.ops, *nodes)
    expected = CASES[name](reference.ops, x, y)
    rounding = 1e-5 if name in SINGLE else 1e-12
    np.testing.assert_allclose(output.value, expected, rtol=rounding)
    np.testing.assert_allclose(CASES[name](cpu.ops, x, y), expected, rtol=rounding)
    rng = np.random.default_rng(seed + 1)
    weights = rng.normal(size=output.shape).astype(dtype)
    differentiate(output, weights)
    directions = [rng.normal(size=(m, n)) for _ in nodes]

    def value(step):
        moved = [
            each.astype(float) + step * direction
            for each, direction in zip((x, y), directions, strict=True)
        ]
        return float((CASES[name](reference.ops, *moved) * weights).sum())

    slope = sum(
        float((node.gradient * direction).sum())
        for node, direction in zip(nodes, directions, strict=True)
        if node.gradient is not None
    )
    difference = (value(1e-6) - value(-1e-6)) / 2e-6
    np.testing.assert_allclose(slope, difference, rtol=1e-4, atol=1e-4)


@every_case
def test_keras_computes_the_same_with_the_same_gradients(name):
    import tensorflow as tf

    from skrnn._engine.keras.ops import ops

    x, y = draw((3, 4), 0, np.float32)
    tape: list = []
    nodes = [Node(x, tape), Node(y, tape)]
    output = CASES[name](cpu.ops, *nodes)
    tensors = [tf.constant(x), tf.constant(y)]
    with tf.GradientTape() as recorded:
        recorded.watch(tensors)
        found = CASES[name](ops, *tensors)
    np.testing.assert_allclose(found, output.value, rtol=1e-5)
    weights = np.random.default_rng(1).normal(size=output.shape).astype(np.float32)
    differentiate(output, weights)
    gradients = recorded.gradient(found, tensors, output_gradients=weights)
    for node, gradient in zip(nodes, gradients, strict=True):
        expected = np.zeros_like(x) if node.gradient is None else node.gradient
        gradient = (
            np.zeros_like(x) if gradient is None else tf.convert_to_tensor(gradient)
        )
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


INDICES = {
    "a repeated row": [0, 0, 1],
    "an array": np.array([[1, 1], [0, 1]]),
    "rows and columns": (np.array([0, 0, 1]), np.array([1, 1, 0])),
    "a mask": np.array([True, False, True]),
    "a slice": slice(0, 2),
    "one entry": (1, 0),
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_an_entry_taken_twice_has_both_gradients(index):
    x = np.arange(6.0).reshape(3, 2)
    node = Node(x, [])
    taken = node[index]
    np.testing.assert_array_equal(taken.value, x[index])
    differentiate(taken, np.ones_like(taken.value))
    expected = np.zeros_like(x)
    np.add.at(expected, index, 1)
    np.testing.assert_array_equal(node.gradient, expected)


@settings(max_examples=30)
@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    keepdims=st.booleans(),
    data=st.data(),
)
@pytest.mark.parametrize("name", ["sum", "mean", "max", "cumsum", "softmax"])
def test_any_axis_of_any_shape(name, shape, keepdims, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    options = {"keepdims": keepdims} if name in ("sum", "mean", "max") else {}
    x, _ = draw(shape, 0, np.float64)
    node = Node(x, [])
    found = getattr(cpu.ops, name)(node, axis=axis, **options)
    expected = getattr(reference.ops, name)(x, axis=axis, **options)
    np.testing.assert_allclose(found.value, expected)
    # A constant more moves sums by as much, and a softmax not at all.
    differentiate(found, np.ones_like(found.value))
    step = getattr(reference.ops, name)(x + 1e-6, axis=axis, **options)
    slope = ((step - expected) / 1e-6).sum()
    np.testing.assert_allclose(node.gradient.sum(), slope, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("key", [[0, 0, 2], (np.array([0, 0]),), ((0, 0), (1, 1))])
def test_an_entry_that_is_taken_twice_has_both_gradients(key):
    (node,) = leaves([np.ones((3, 2), np.float32)], [True])
    taken = node[key]
    differentiate(taken, np.ones(taken.shape, np.float32))
    expected = np.zeros((3, 2), np.float32)
    np.add.at(expected, key, 1)
    np.testing.assert_array_equal(node.gradient, expected)


CONSTANTS = {
    "root": lambda o, x: x / np.sqrt(7.0),
    "numbers alone": lambda o, x: o.where(x > 0, 1.0, 0.1) * x,
    "array": lambda o, x: np.linspace(0, 1, 3) + x,
    "share": lambda o, x: o.mean(x > 0, axis=0) * x,
}


@pytest.mark.parametrize("name", CONSTANTS)
def test_constants_of_double_precision_change_no_type(name):
    x, w = np.array([[1, -2, 3], [-1, 2, 4]], "f4"), np.ones((3, 2), np.float32)
    node, weight = leaves([x, w], [True, True])
    found = cpu.ops.matmul(CONSTANTS[name](cpu.ops, node), weight)
    assert found.dtype == np.float32
    differentiate(found, np.ones(found.shape))
    assert node.gradient.dtype == weight.gradient.dtype == np.float32
    plain = cpu.plain_ops.matmul(CONSTANTS[name](cpu.plain_ops, x), w)
    np.testing.assert_allclose(plain, found.value, rtol=1e-6)


def test_equality_is_no_operator():
    (node,) = leaves([np.ones(2, np.float32)], [True])
    for compare in (lambda x: x == 1, lambda x: x != 1, lambda x: np.ones(2) == x):
        with pytest.raises(TypeError, match="== of arrays with gradients"):
            compare(node)


def test_a_product_of_no_rows_has_no_gradient():
    x, w = leaves([np.ones((0, 3), "f4"), np.ones((3, 2), "f4")], [True, True])
    found = cpu.ops.matmul(x, w)
    differentiate(found, np.ones(found.shape, "f4"))
    np.testing.assert_array_equal(w.gradient, np.zeros((3, 2)))


@pytest.mark.parametrize("name", ["max", "mean", "sum"])
def test_keepdims_goes_by_name(name):
    (node,) = leaves([np.ones((2, 3), np.float32)], [True])
    with pytest.raises(TypeError):
        getattr(cpu.ops, name)(node, -1, True)


@pytest.mark.parametrize("transposed", [False, True])
def test_a_dense_layer_takes_gradients_of_any_layout(transposed):
    kernel = np.ones((3, 2), np.float32).T if transposed else np.ones((3, 2), "f4")
    given = np.ones((4, 5, 3), "f4"), np.ascontiguousarray(kernel), np.zeros(2, "f4")
    x, kernel, bias = leaves(given, [True, True, True])
    run = CpuRun(np.full(5, 4), Workspace(), None)
    outputs = run.dense(x, kernel, bias, transposed=transposed)
    found = cpu.ops.mean(cpu.ops.transpose(outputs, (2, 0, 1)), axis=0)
    differentiate(found, np.ones(found.shape, "f4"))
    np.testing.assert_allclose(x.gradient, np.ones((4, 5, 3)))
    np.testing.assert_allclose(kernel.gradient, np.full(kernel.shape, 10.0))


@pytest.mark.parametrize("axis", [0, -1])
def test_an_axis_that_has_no_equal_parts_is_not_split(axis):
    x = np.ones((7, 7), np.float32)
    for ops, array in [(reference.ops, x), (cpu.ops, x), (cpu.ops, Node(x, []))]:
        with pytest.raises(ValueError, match="equal"):
            ops.split(array, 3, axis=axis)


def test_the_exponent_is_a_plain_number():
    x = Node(np.ones(2), [])
    for exponent in (x, np.ones(2), Node(np.float64(2), [])):
        with pytest.raises(TypeError, match="plain number"):
            x**exponent


def test_equal_infinite_numbers_have_a_sum_of_exponentials():
    x = np.array([-np.inf, np.inf, -np.inf, 1, 1], np.float32)
    y = np.array([-np.inf, np.inf, 0, 1, np.inf], np.float32)
    expected = np.logaddexp(x, y)
    tape: list = []
    nodes = [Node(x, tape), Node(y, tape)]
    found = cpu.ops.logaddexp(*nodes)
    np.testing.assert_array_equal(found.value, expected)
    differentiate(found, np.ones(5, np.float32))
    np.testing.assert_allclose(nodes[0].gradient, [0.5, 0.5, 0, 0.5, 0])
    np.testing.assert_allclose(nodes[1].gradient, [0.5, 0.5, 1, 0.5, 1])


def test_equal_infinite_numbers_on_keras():
    import tensorflow as tf

    from skrnn._engine.keras.ops import ops

    x = tf.constant([-np.inf, np.inf, -np.inf, 1, 1])
    y = tf.constant([-np.inf, np.inf, 0, 1, np.inf])
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        found = ops.logaddexp(x, y)
    np.testing.assert_allclose(found, np.logaddexp(x, y), rtol=1e-6)
    gradients = np.array(tape.gradient(found, [x, y]))
    assert np.isfinite(gradients).all()
    np.testing.assert_allclose(gradients.sum(axis=0), np.ones(5))


def test_keras_multiplies_arrays_of_no_columns():
    from skrnn._engine.keras.ops import ops

    found = ops.matmul(np.ones((3, 0, 2, 0), "f4"), np.ones((0, 4), "f4"))
    assert found.shape == (3, 0, 2, 4)
