"""The formula of a network, run on names of arrays: `Run`, noted on a tape."""

from dataclasses import replace

from skrnn._networks.activations import ACTIVATIONS
from skrnn._networks.attention import Memory, attend_by_heads
from skrnn._networks.cells import hold
from skrnn._networks.layers.normalization import normalise
from skrnn._persistence.export.tracing import FLOAT, INT, Node, Tape, Traced, ops


class TracedRun:
    """One pass of a network over names of arrays; `Run` says what it does."""

    ops = ops

    def __init__(self, tape, fused=()):
        self._tape, self._fused = tape, fused

    def as_ids(self, x):
        return cast(x, INT)

    def take_rows(self, table, ids):
        return ops.take(table, ids, axis=0)

    # It only predicts.
    def dropout(self, x, rate):
        return x

    def present(self, real):
        return real

    def followed(self, kept, of_batch, momentum):
        return tuple(kept.values())

    def fused(self, formula, *given):
        return formula(self, *given)

    def reverse(self, x, lengths):
        return self._tape.note("reverse", [x, lengths], x.shape)

    def last(self, x, lengths):
        return self._tape.note("last", [x, lengths], x.shape[1:])

    def real_steps(self, x, lengths):
        return cast(steps_of(self._tape, x), INT)[:, None] < lengths

    def normalise(self, x, gamma, beta):
        return normalise(ops, x, gamma, beta)

    def positions(self, x):
        return cast(steps_of(self._tape, x), FLOAT)

    def rows_of_steps(self, table, x):
        places = ops.minimum(self.positions(x), table.shape[0] - 1.0)
        return self.take_rows(table, cast(places, INT))

    def attend_to_steps(self, q, k, v, lengths, causal):
        memory = Memory(k, v, self.real_steps(k, lengths))
        places = self.positions(k) if causal else None
        return attend_by_heads(ops, q, memory, places)

    def dense(self, x, kernel, bias, transposed=False):
        kernel = ops.transpose(kernel, axes=(1, 0)) if transposed else kernel
        return ops.matmul(x, kernel) + bias

    def recur(self, cell, x, lengths, states=None, reset_mask=None, final=False):
        if reset_mask is not None:
            raise NotImplementedError("States that begin anew within a sequence.")
        known = (cell.name, cell.activation) in self._fused and cell.timescale == 1
        recur = self._layer if known else self._scan
        outputs, after = recur(cell, x, lengths, states)
        return outputs, after if final else None

    def step(self, cell, x, states):
        projected = cell.cell.project(ops, cell.weights, x)
        activation = ACTIVATIONS[cell.activation]
        given = cell.weights, projected, tuple(states)
        return cell.cell.step(ops, activation, *given, lambda h: h)

    def _layer(self, cell, x, lengths, states):
        """Note a whole layer as one operation."""
        names = "kernel", "recurrent_kernel", "bias"
        given = [x, *(cell.weights[name] for name in names)]
        given += [] if lengths is None else [lengths]
        options = {
            "cell": cell.name,
            "activation": cell.activation,
            "units": cell.units,
            "has_lengths": lengths is not None,
        }
        shapes = [(None, *each) for each in cell.cell.state_shapes(cell.units)]
        inputs = [each.name for each in (*given, *(states or ()))]
        return self._looped("layer", inputs, options, x, cell, shapes)

    def _looped(self, operation, inputs, options, x, cell, shapes):
        """Note what has an output for each step, and states after the last one."""
        names = [self._tape.new_name() for _ in range(1 + len(shapes))]
        node = Node(operation, tuple(inputs), options, tuple(names))
        self._tape.nodes.append(node)
        outputs = Traced(self._tape, names[0], (*x.shape[:2], cell.units))
        pairs = zip(names[1:], shapes, strict=True)
        return outputs, tuple(Traced(self._tape, *each) for each in pairs)

    def _scan(self, cell, x, lengths, states):
        """Note a loop over the steps of any cell."""
        tape = self._tape
        read = [
            *cell.cell.project(ops, cell.weights, x),
            tape.note("steps", [x], (None,), INT),
        ]
        if states is None:
            shapes = cell.cell.state_shapes(cell.units)
            states = [
                tape.note("zeros", [x], (None, *shape), sizes=list(shape))
                for shape in shapes
            ]
        inner = Tape(tape)
        before = [inside(inner, each, each.shape) for each in states]
        step = [inside(inner, each, each.shape[1:]) for each in read]
        after, output = _one_step(cell, inner, before, step, lengths)
        options = {
            "states": [each.name for each in before],
            "steps": [each.name for each in step],
            "nodes": inner.nodes,
            "after": [each.name for each in after],
            "outputs": [output.name],
        }
        names = [each.name for each in (*states, *read)]
        shapes = [each.shape for each in states]
        return self._looped("scan", names, options, x, cell, shapes)


def inside(tape, outer, shape):
    """Return a new name for what an array has at one step of a loop."""
    return Traced(tape, tape.new_name(), tuple(shape), outer.dtype)


def _one_step(cell, tape, states, step, lengths):
    """Note one step of a cell; return the states after it, and the output."""
    *projected, t = step
    weights = {name: each.on(tape) for name, each in cell.weights.items()}
    own = replace(cell, weights=weights)
    activation = ACTIVATIONS[cell.activation]
    given = own.weights, tuple(projected), tuple(states)
    found = own.cell.step(ops, activation, *given, lambda h: h)
    if lengths is not None:
        found = hold(ops, t < lengths.on(tape), found, states)
    return found, own.cell.output(found)


def steps_of(tape, x):
    """Return the numbers of the steps of x (T, B, ...)."""
    return cast(tape.note("steps", [x], (None,), INT), FLOAT)


def cast(x, dtype):
    """Return the same numbers as integers or floats."""
    name = "as_int" if dtype == INT else "as_float"
    return x.tape.note(name, [x], x.shape, dtype)
