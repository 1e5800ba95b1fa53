"""Memory that is lacking inside the kernels is a MemoryError, and nothing else."""

import json

import pytest
from _instances import in_new_process

pytest.importorskip("resource", reason="needs limits of Unix")

# While a kernel runs, the process may have one more megabyte than it has. What's asked
# of the system by itself can't come from what was given back before.
LIMITED = """
import json, resource, warnings
import numpy as np
from skrnn import RNNRegressor
from skrnn._engine.cpu import fused_step
from skrnn._engine.cpu.kernels import _kernels, matmul


def limited(kernel):
    def run(*arguments):
        room = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        before = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (room + 2**20, before[1]))
        try:
            return kernel(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)
    return run


def said(call, *arguments):
    try:
        call(*arguments)
    except BaseException as error:
        return type(error).__name__
    return "done"
"""
environment = {"MALLOC_MMAP_THRESHOLD_": "65536", "OMP_NUM_THREADS": "1"}


def run(code):
    try:
        open("/proc/self/statm").close()
    except OSError:
        pytest.skip("needs Linux")
    return json.loads(in_new_process(LIMITED + code, **environment))


def test_every_kernel_says_so():
    found = run("""
F, N, L = np.float32, np.int32, np.int64
n, big = 2**20, 2**17
one, all_run = np.array([1], N), np.array([n], N)
kernel, column = np.ones((1, 1), F), np.ones((1, n, 1), F)
states = np.zeros((2, n, 1), F)
layer = 0, 0, 1, n, 1, 0, n, all_run, column.copy(), states, None, None, kernel
nothing, d_states = [None] * 6, (np.ones((1, n, 1), F), np.ones((n, 1), F), None)
wide, tall = np.ones((1, big), F), np.ones((big, 1), F)
masked = *[None], np.ones((n, 1), F), *[None] * 4
sizes = np.array([big, 1, 1, 1, 1])
parts = [np.zeros(sizes.sum(), F) for _ in range(4)]
training = [
    0, 0, 0, 0.0, 1, 1, big, 1, 1, np.ones(1, L), np.zeros((1, 1), L), wide,
    np.ones((1, 1, 1), F), np.ones((1, 1), F), *parts, np.cumsum(sizes, dtype=L),
    np.zeros(4 * big, F), np.full(1, 0.1), None, None, np.inf, np.inf,
    0.9, 0.999, 1e-7, 0,
]
few = np.ones(4, F)
block = (
    1, 1, 1, 1, big, 0, 0, 0, 1, 1e-3, one, *[few] * 6, wide, wide, tall, few,
    None, None, None, np.ones(1, F),
)
calls = {
    "forward": ("layer", *layer, *nothing, None, None, None),
    "forward, masked": ("layer", *layer, *masked, None, None, None),
    "backward": ("layer", *layer, *nothing, *d_states),
    "project": ("project", 1, 1, one, wide, big, tall, 0, 1, None, np.ones(1, F)),
    "outer": ("outer", 1, 1, one, wide, big, 0, big, 0, big, None, kernel, 1,
              np.zeros((1, big), F), None, 0, None, None),
    "stacked": ("stacked", 1, 1, big, wide, tall, 1, np.ones(1, F)),
    "train": ("train", *training),
    "transformer": ("transformer", *block, None, *[None] * 4),
    "transformer, backward": (
        "transformer", *block, np.zeros(big + 13, F), few, np.zeros(big + 5, F),
        np.zeros(4, F), np.zeros(1, F),
    ),
}
found = {}
for name, (kernel, *arguments) in calls.items():
    plain = getattr(_kernels, kernel)
    found[name] = said(limited(plain), *arguments), said(plain, *arguments)
print(json.dumps(found))
""")
    assert found == {name: ["MemoryError", "done"] for name in found}
    assert len(found) == 9


def test_an_estimator_is_as_it_was():
    found = run("""
X = np.random.default_rng(0).normal(size=(4, 1, 2**17)).astype(np.float32)
y = X[:, 0, 0]
real = matmul.kernels


class Kernels:
    def __getattr__(self, name):
        kernel = getattr(real, name)
        return limited(kernel) if name in ("train", "project") else kernel


def as_it_was(optimizer):
    options = dict(units=1, epochs=1, random_state=0, optimizer=optimizer)
    model = RNNRegressor(**options).fit(X, y)
    new = RNNRegressor(**options)
    expected, kept = model.predict(X), {**vars(model)}
    weights = [w.copy() for w in model._weights]
    matmul.kernels = fused_step.kernels = Kernels()
    said_by = [said(call, X, y) for call in (new.fit, model.partial_fit, model.fit)]
    matmul.kernels = fused_step.kernels = real
    same = [np.array_equal(a, b) for a, b in zip(model._weights, weights, strict=True)]
    again = RNNRegressor(**options).fit(X, y).predict(X)
    return [
        said_by, all(same), bool((model.predict(X) == expected).all()),
        vars(model).keys() == kept.keys(), [k for k in vars(new) if k.endswith("_")],
        bool((again == expected).all()),
    ]


warnings.simplefilter("error")
# Steps in C, and on the tape.
print(json.dumps([as_it_was(optimizer) for optimizer in ("adam", "sgd")]))
""")
    assert found == [[["MemoryError"] * 3, True, True, True, [], True]] * 2
