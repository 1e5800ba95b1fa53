"""A program as a model of ONNX, with its own operations for whole recurrent layers.

Operators are those of version 17 of the standard:
https://github.com/onnx/onnx/blob/main/docs/Operators.md
"""

import json
from itertools import count
from typing import Any

import numpy as np
from onnx import AttributeProto, TensorProto, checker, helper, numpy_helper

from skrnn._persistence.export.tracing import BOOL, FLOAT, INT

OPSET, IR_VERSION = 17, 9
# Behind the end of any axis.
_END = np.iinfo(np.int64).max
# Whole layers that ONNX has, and its names for their activations.
_ACTIVATIONS = {"tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu"}
# Cell -> its operator, and the order of its gates in ours.
_CELLS: dict[str, tuple[str, list[int]]] = {
    "rnn": ("RNN", [0]),
    # Input, output, forget, cell: ours are input, forget, cell, output.
    "lstm": ("LSTM", [0, 3, 1, 2]),
    "gru": ("GRU", [0, 1, 2]),
}
FUSED = {(cell, activation) for cell in _CELLS for activation in _ACTIVATIONS}
_TYPES = {FLOAT: TensorProto.FLOAT, INT: TensorProto.INT64, BOOL: TensorProto.BOOL}


def as_onnx(network: Any) -> bytes:
    """Return the content of a file of ONNX."""
    program = network.trace(FUSED)
    writer = _Writer(program.arrays)
    for node in program.nodes:
        writer.write(node)
    inputs = [_described(port) for port in program.inputs]
    outputs = [writer.finish(port) for port in program.outputs]
    if "lengths" not in {port.name for port in program.inputs}:
        # One number, below 1, for sequences of as many steps as there are.
        writer.arrays["lengths"] = np.zeros(1, np.int64)
    used = set(_names_read(writer.nodes))
    arrays = {name: array for name, array in writer.arrays.items() if name in used}
    kept = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = helper.make_graph(writer.nodes, "network", inputs, outputs, kept)
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="skrnn",
    )
    helper.set_model_props(model, {k: json.dumps(v) for k, v in network.about.items()})
    checker.check_model(model, full_check=True)
    return model.SerializeToString()


def _described(port):
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(port.dtype))
    return helper.make_tensor_value_info(port.name, kind, port.shape)


def _names_read(nodes):
    """Yield the names of arrays that nodes read, also in graphs inside of them."""
    for node in nodes:
        yield from node.input
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                yield from _names_read(attribute.g.node)


class _Writer:
    """Translates nodes; `arrays` are constants, shared by the graphs inside of it."""

    def __init__(self, arrays, numbers=None):
        self.arrays, self.nodes = arrays, list[Any]()
        self._numbers = numbers or count()

    def write(self, node):
        """Translate one node."""
        given = list(node.inputs), list(node.outputs)
        if node.operation in _SIMPLE:
            self.add(_SIMPLE[node.operation], *given)
        else:
            _TRANSLATIONS[node.operation](self, *given, **node.options)

    def new_name(self):
        """Return a name that nothing else has."""
        return f"o{next(self._numbers)}"

    def add(self, operator, inputs, outputs=None, **attributes):
        """Add an operation of ONNX; return the name of its result."""
        outputs = [self.new_name()] if outputs is None else list(outputs)
        made = helper.make_node(operator, list(inputs), outputs, **attributes)
        self.nodes.append(made)
        return outputs[0]

    def constant(self, value, dtype=np.int64):
        """Return the name of an array."""
        name = f"c{next(self._numbers)}"
        self.arrays[name] = np.asarray(value, dtype)
        return name

    def inside(self):
        """Return a writer for a graph inside of this one."""
        return _Writer(self.arrays, self._numbers)

    def finish(self, port):
        """Give an answer its name and its type."""
        described = _described(port)
        kind = described.type.tensor_type.elem_type
        self.add("Cast", [port.inner], [port.name], to=kind)
        return described


_SIMPLE = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "power": "Pow",
    "maximum": "Max",
    "minimum": "Min",
    "greater": "Greater",
    "less": "Less",
    "greater_equal": "GreaterOrEqual",
    "less_equal": "LessOrEqual",
    "negative": "Neg",
    "abs": "Abs",
    "cos": "Cos",
    "exp": "Exp",
    "log": "Log",
    "sin": "Sin",
    "sqrt": "Sqrt",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "matmul": "MatMul",
    "where": "Where",
}


def _log1p(to, given, out):
    one = to.constant(1.0, np.float32)
    to.add("Log", [to.add("Add", [*given, one])], out)


def _concatenate(to, given, out, axis):
    to.add("Concat", given, out, axis=axis)


def _cumsum(to, given, out, axis):
    to.add("CumSum", [*given, to.constant(axis)], out)


def _einsum(to, given, out, formula):
    to.add("Einsum", given, out, equation=formula)


def _softmax(to, given, out, axis):
    to.add("Softmax", given, out, axis=axis)


def _reduction(operator):
    def reduce(to, given, out, axis, keepdims):
        to.add(operator, given, out, axes=[axis], keepdims=int(keepdims))

    return reduce


def _sum(to, given, out, axis, keepdims):
    to.add("ReduceSum", [*given, to.constant([axis])], out, keepdims=int(keepdims))


def _take(to, given, out, axis):
    to.add("Gather", given, out, axis=axis)


def _transpose(to, given, out, axes):
    to.add("Transpose", given, out, perm=axes)


def _reshape(to, given, out, sizes):
    to.add("Reshape", [*given, to.constant(sizes)], out)


def _tail(to, given, out, keep, sizes):
    # 0 keeps what is there.
    to.add("Reshape", [*given, to.constant([0] * keep + sizes)], out)


def _units(to, given, out, scale, offset):
    # In double precision: an offset may be far larger than the differences that matter.
    x = to.add("Cast", given, to=TensorProto.DOUBLE)
    x = to.add("Mul", [x, to.constant(scale, np.float64)])
    x = to.add("Add", [x, to.constant(offset, np.float64)])
    to.add("Identity", [x], out)


def _masked(to, given, out):
    # Units of y are in double precision, probabilities aren't.
    zero = to.add("CastLike", [to.constant(0.0, np.float32), given[1]])
    to.add("Where", [*given, zero], out)


def _cast(kind):
    return lambda to, given, out: to.add("Cast", given, out, to=kind)


def _index(to, given, out, key):
    (x,) = given
    parts = [part for part in key if part is not None]
    cut = [
        (i, *p)
        for i, p in enumerate(parts)
        if isinstance(p, list) and any(each is not None for each in p)
    ]
    if cut:
        axes = [axis for axis, *_ in cut]
        starts = [start or 0 for _, start, _, _ in cut]
        stops = [_END if stop is None else stop for _, _, stop, _ in cut]
        steps = [step or 1 for *_, step in cut]
        x = to.add("Slice", [x, *map(to.constant, (starts, stops, axes, steps))])
    # From the last one on, so that the places of those before stay.
    for axis, part in reversed(list(enumerate(parts))):
        if isinstance(part, int):
            x = to.add("Gather", [x, to.constant(part)], axis=axis)
    kept = [part for part in key if not isinstance(part, int)]
    new = [place for place, part in enumerate(kept) if part is None]
    if new:
        x = to.add("Unsqueeze", [x, to.constant(new)])
    to.add("Identity", [x], out)


def _size(to, x, axis):
    """Return the size of an axis, of shape (1,)."""
    return to.add("Gather", [to.add("Shape", [x]), to.constant([axis])], axis=0)


def _steps(to, given, out):
    n = to.add("Squeeze", [_size(to, given[0], 0)])
    to.add("Range", [to.constant(0), n, to.constant(1)], out)


def _zeros(to, given, out, sizes):
    parts = [_size(to, given[0], 1), to.constant(sizes)]
    to.add("ConstantOfShape", [to.add("Concat", parts, axis=0)], out)


def _last(to, given, out):
    x, lengths = given
    x = to.add("Transpose", [x], perm=[1, 0, 2])
    at = to.add("Sub", [lengths, to.constant(1)])
    at = to.add("Unsqueeze", [at, to.constant([1])])
    to.add("GatherND", [x, at], out, batch_dims=1)


def _reverse(to, given, out):
    to.add("ReverseSequence", given, out, time_axis=0, batch_axis=1)


def _roll(to, given, out):
    x, shift = given
    sizes = to.add("Shape", [x])
    n = _size(to, x, 0)
    steps = to.add("Range", [to.constant(0), to.add("Squeeze", [n]), to.constant(1)])
    steps = to.add("Unsqueeze", [steps, to.constant([1])])
    at = to.add("Mod", [to.add("Sub", [steps, shift]), n])
    # (T, B), and an axis of 1 for each other one.
    two = to.add("Slice", [sizes, *map(to.constant, ([0], [2], [0]))])
    ones = to.add("Sub", [to.add("Size", [sizes]), to.constant(2)])
    ones = to.add("Unsqueeze", [ones, to.constant([0])])
    one = numpy_helper.from_array(np.ones(1, np.int64))
    ones = to.add("ConstantOfShape", [ones], value=one)
    at = to.add("Reshape", [at, to.add("Concat", [two, ones], axis=0)])
    to.add("GatherElements", [x, to.add("Expand", [at, sizes])], out, axis=0)


def _argmax(to, given, out):
    to.add("ArgMax", given, out, axis=-1, keepdims=0)


def _layer(to, given, out, cell, activation, units, has_lengths):
    x, *names = given[:4]
    lengths, states = given[4 : 4 + has_lengths], given[4 + has_lengths :]
    operator, gates = _CELLS[cell]
    arrays = [
        to.constant(array[None], np.float32) for array in _turned(to, names, gates)
    ]
    lengths = [to.add("Cast", lengths, to=TensorProto.INT32)] if lengths else [""]
    states = [to.add("Unsqueeze", [each, to.constant([0])]) for each in states]
    own = _ACTIVATIONS[activation]
    activations = {"RNN": [own], "GRU": ["Sigmoid", own]}
    more = {"linear_before_reset": 1} if operator == "GRU" else {}
    found = [to.new_name() for _ in out]
    to.add(
        operator,
        [x, *arrays, *lengths, *states],
        found,
        hidden_size=units,
        activations=activations.get(operator, ["Sigmoid", own, own]),
        **more,
    )
    for axis, name, each in zip((1, 0, 0), found, out, strict=False):
        to.add("Squeeze", [name, to.constant([axis])], [each])


def _turned(to, names, gates):
    """Return the weights of a layer in ONNX's order of gates."""
    kernel, recurrent, bias = (to.arrays[name] for name in names)

    def turned(array):
        parts = np.split(array, len(gates), axis=-1)
        return np.concatenate([parts[i] for i in gates], axis=-1)

    both = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
    return turned(kernel).T, turned(recurrent).T, turned(both).ravel()


def _body(to, nodes, inputs, given_back):
    """Return the graph of one step.

    `inputs` and `given_back` are names, each with a type and a shape.
    """
    inner = to.inside()
    for node in nodes:
        inner.write(node)
    made = helper.make_tensor_value_info
    # What a graph gives back has names of its own.
    outputs = [made(inner.add("Identity", [x]), *rest) for x, *rest in given_back]
    inputs = [made(*each) for each in inputs]
    return helper.make_graph(inner.nodes, "step", inputs, outputs)


def _of_any_shape(names, kinds):
    return [(*each, None) for each in zip(names, kinds, strict=True)]


def _scan(to, given, out, states, steps, nodes, after, outputs):
    # All are floats but the number of the step.
    kinds = [TensorProto.FLOAT] * (len(states) + len(steps) - 1) + [TensorProto.INT64]
    inputs = _of_any_shape((*states, *steps), kinds)
    back = *after, *outputs
    body = _body(
        to, nodes, inputs, _of_any_shape(back, [TensorProto.FLOAT] * len(back))
    )
    n = len(outputs)
    options = {"body": body, "num_scan_inputs": len(steps)}
    to.add("Scan", given, [*out[n:], *out[:n]], **options)


def _loop(to, given, out, states, steps, nodes, after, outputs, going_on, kinds):
    of_states, of_outputs = ([_TYPES[each] for each in names] for names in kinds)
    # The loop itself has two: how often it ran, and whether it was to go on.
    ran, went_on = (TensorProto.INT64, ()), (TensorProto.BOOL, ())
    inputs = [(to.new_name(), *ran), (to.new_name(), *went_on)]
    inputs += _of_any_shape(states, of_states)
    back = [(going_on, *went_on), *_of_any_shape(after, of_states)]
    back += _of_any_shape(outputs, of_outputs)
    n, begin = len(outputs), to.constant(True, np.bool_)
    body = _body(to, nodes, inputs, back)
    to.add("Loop", ["", begin, *given], [*out[n:], *out[:n]], body=body)


_TRANSLATIONS: dict[str, Any] = {
    "log1p": _log1p,
    "concatenate": _concatenate,
    "cumsum": _cumsum,
    "einsum": _einsum,
    "softmax": _softmax,
    "max": _reduction("ReduceMax"),
    "mean": _reduction("ReduceMean"),
    "sum": _sum,
    "take": _take,
    "transpose": _transpose,
    "reshape": _reshape,
    "tail": _tail,
    "masked": _masked,
    "units": _units,
    "as_int": _cast(TensorProto.INT64),
    "as_float": _cast(TensorProto.FLOAT),
    "index": _index,
    "steps": _steps,
    "zeros": _zeros,
    "last": _last,
    "reverse": _reverse,
    "roll": _roll,
    "argmax": _argmax,
    "layer": _layer,
    "scan": _scan,
    "loop": _loop,
}
