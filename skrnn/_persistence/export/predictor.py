"""Predict with a network that ``skrnn.persistence.export`` wrote, by NumPy alone.

This file may be copied. X is (n, T, F), padded on the right, or token ids (n, T) with 0
as padding; an answer for each step is 0 there. No code of the file is run.

    network = load("network.npz")
    y = network.predict(X)  # or predict(X, lengths=[5, 3]) of padded sequences
"""

import json

import numpy as np


def load(path):
    """Read a network from a file that ``export(..., format="numpy")`` wrote."""
    with open(path, "rb") as source, np.load(source, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    program = json.loads(arrays.pop("program").tobytes())
    if program.get("format") != "skrnn numpy 1":
        raise ValueError(f"{path} is no network for this version of the predictor.")
    return Network(program, arrays)


class Network:
    """A network; `about` says what it reads and what it answers."""

    def __init__(self, program, arrays):
        self.about, self._program = program["about"], program
        self._arrays = {name: _in_double(array) for name, array in arrays.items()}

    def predict(self, X, lengths=None, **more):
        """Return what the estimator's ``predict``, or ``predict_proba``, returns."""
        X, lengths = _checked(X, lengths, self.about)
        found = self.run(X=X, lengths=lengths, **more)
        return next(iter(found.values())).astype(self.about["dtype"])

    def run(self, **given):
        """Return all that the network answers, by name."""
        given = {name: _in_double(np.asarray(x)) for name, x in given.items()}
        _run(self._program["nodes"], names := self._arrays | given)
        return {name: names[v] for name, v in self._program["outputs"].items()}

    def predict_labels(self, X, lengths=None):
        """Return places in ``about["classes"]`` of the best labels, -1 at padding."""
        if "labels" not in self._program["outputs"]:
            raise ValueError("This network has no chain of labels: take predict.")
        X, lengths = _checked(X, lengths, self.about)
        found = self.run(X=X, lengths=lengths)
        return found["labels"][..., 0] - 1


def _run(nodes, names):
    for operation, inputs, options, outputs in nodes:
        values = [names[name] for name in inputs]
        one = OPERATIONS.get(operation)
        found = (one(*values, **options),) if one else _loop(names, values, **options)
        names.update(zip(outputs, found, strict=True))


def _loop(names, values, states, steps, nodes, after, outputs, going_on="", kinds=()):
    """Run nodes step by step, from states (B, ...) on; return outputs and states."""
    current, read = values[: len(states)], values[len(states) :]
    found, t, goes_on = [], 0, True
    while goes_on:
        given = *current, *(each[t] for each in read)
        inner = names | dict(zip((*states, *steps), given, strict=True))
        _run(nodes, inner)
        current = [inner[name] for name in after]
        found.append([inner[name] for name in outputs])
        t += 1
        goes_on = inner[going_on] if going_on else t < len(read[0])
    return *map(np.stack, zip(*found, strict=True)), *current


def _in_double(x):
    return x.astype(np.float64) if x.dtype.kind == "f" else x


def _checked(X, lengths, about):
    """Return X and its lengths; raise a ValueError if the network can't read them."""
    if np.ma.is_masked(X) or (type(X) is list and len({*map(np.shape, X)}) > 1):
        raise ValueError("X is masked or ragged: pad to one length, and pass lengths=.")
    tokens, shape = about["tokens"], (X := np.asarray(X)).shape
    axes = ("n", "T", about["n_features"])[: about["n_dimensions"]]
    X = X[..., None] if X.ndim == 2 and len(axes) == 3 else X
    if X.ndim != len(axes) or X.shape[2:] != axes[2:] or 0 in shape:
        raise ValueError(f"X has shape {shape}; expected {axes}, and none of it 0.")
    if X.dtype.kind not in ("iu" if tokens else "biuf") or (tokens and X.min() < 0):
        raise ValueError(f"X must hold {'token ids' if tokens else 'numbers'}.")
    if lengths is not None:
        lengths, n = np.asarray(lengths), X.shape[1]
        right = lengths.shape == shape[:1] and lengths.dtype.kind in "iu" and not tokens
        if not right or lengths.min() < 1 or lengths.max() > n:
            raise ValueError(f"lengths must be integers (n,) from 1 to {n}, of no ids.")
        X = X.copy()
        X[np.arange(n) >= lengths[:, None]] = 0
    if not np.isfinite(X).all():
        raise ValueError("X has a NaN or an infinite value.")
    return X, np.array([0]) if lengths is None else lengths


def _at(x, steps):
    return x[steps % len(x), np.arange(x.shape[1])]


def _best_labels(x, lengths, transitions, start, end):
    """Return numbers from 1 of the likeliest labels (T, B, 1) (Viterbi, 1967)."""
    found = np.zeros((*x.shape[:2], 1), np.int64)
    for b, n in enumerate(np.broadcast_to(lengths, x.shape[1:2])):
        best, before = start + x[0, b], []
        for emission in x[1:n, b]:
            scores = best[:, None] + transitions
            before.append(scores.argmax(axis=0))
            best = scores.max(axis=0) + emission
        labels = [(best + end).argmax()]
        for places in reversed(before):
            labels.append(places[labels[-1]])
        found[:n, b, 0] = np.array(labels[::-1]) + 1
    return found


_OF_NUMPY = """add subtract multiply divide power maximum minimum negative greater less
greater_equal less_equal abs exp log log1p cos sin sqrt tanh matmul where take max
mean sum cumsum transpose"""
OPERATIONS = {name: getattr(np, name) for name in _OF_NUMPY.split()} | {
    "argmax": lambda x: x.argmax(-1),
    "reshape": lambda x, sizes: x.reshape(sizes),
    "sigmoid": lambda x: np.exp(-np.logaddexp(0, -x)),
    "softmax": lambda x, axis: np.exp(x - np.logaddexp.reduce(x, axis, keepdims=True)),
    "concatenate": lambda *arrays, axis: np.concatenate(arrays, axis),
    "einsum": lambda x, y, formula: np.einsum(formula, x, y),
    "index": lambda x, key: x[tuple(slice(*k) if type(k) is list else k for k in key)],
    "as_int": lambda x: x.astype(np.int64),
    "as_float": lambda x: x.astype(np.float64),
    "steps": lambda x: np.arange(len(x)),
    "zeros": lambda x, sizes: np.zeros((x.shape[1], *sizes)),
    "last": lambda x, lengths: _at(x, lengths - 1),
    "reverse": lambda x, n: _at(x, n - 1 - np.arange(len(x))[:, None]),
    "roll": lambda x, shift: _at(x, np.arange(len(x))[:, None] - shift),
    "best_labels": _best_labels,
    "tail": lambda x, keep, sizes: x.reshape(*x.shape[:keep], *sizes),
    "masked": lambda real, x: np.where(real, x, 0),
    "units": lambda x, scale, offset: x * scale + offset,
}
