"""Time a training step on each backend, ours beside that of Keras' own `fit`.

Each backend has a process of its own, and all are asked in turn, so that a busy machine
slows them alike. A line is the median of the rounds, in milliseconds.

    .venv/bin/python benchmarks/backends.py --backends tensorflow jax
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

import numpy as np

CELLS = "lstm", "gru", "rnn"


def main():
    args = parse_arguments()
    if args.serve:
        serve(args)
        return
    asked = [(name, way) for name in args.backends for way in MEASURED]
    workers = {key: start(args, *key) for key in asked}
    print(f"T={args.steps}, {args.units} units, batch {args.batch}: ms a training step")
    for cell in CELLS:
        rounds = [
            [ask(workers[key], cell) for key in asked] for _ in range(args.rounds)
        ]
        for key, times in zip(asked, zip(*rounds, strict=True), strict=True):
            spread = f"{min(times):.2f} to {max(times):.2f}"
            print(
                f"{cell:5} {' '.join(key):18} {statistics.median(times):6.2f}  {spread}"
            )
    for worker in workers.values():
        worker.stdin.close()
        worker.wait()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--backends", nargs="+", default=["tensorflow", "jax"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--units", type=int, default=50)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--features", type=int, default=8)
    parser.add_argument("--serve", choices=MEASURED, help=argparse.SUPPRESS)
    return parser.parse_args()


def start(args, backend, way):
    """Start the process that measures one way on one backend."""
    options = [
        f"--{name}={getattr(args, name)}"
        for name in ("batches", "steps", "units", "batch", "features")
    ]
    return subprocess.Popen(
        [sys.executable, __file__, "--serve", way, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def ask(worker, cell):
    """Have one round measured: milliseconds a step."""
    print(cell, file=worker.stdin, flush=True)
    return float(worker.stdout.readline())


def serve(args):
    """Measure one round for each line of input; the first is preceded by a warm-up."""
    ready = {}
    for line in sys.stdin:
        cell = line.strip()
        if cell not in ready:
            ready[cell] = {"engine": by_engine, "keras": by_keras}[args.serve](
                args, cell
            )
            ready[cell]()
        started = time.perf_counter()
        ready[cell]()
        print(1e3 * (time.perf_counter() - started) / args.batches, flush=True)


def draw(args):
    from skrnn._networks.architecture import network_spec
    from skrnn._networks.specs import Head

    rng = np.random.default_rng(0)
    shape = args.batches * args.batch, args.steps, args.features
    X = rng.normal(size=shape).astype(np.float32)
    y = X[:, -1:, 0]
    sizes = dict(units=(args.units,), n_features=args.features, head=Head(1))
    return X, y, lambda cell: network_spec(cell=cell, **sizes)


def by_engine(args, cell):
    """Return what trains one epoch by the keras engine."""
    from skrnn._data.datasets import Dataset, first_targets
    from skrnn._data.sequences import pack_dense
    from skrnn._engine.keras.backends import backend
    from skrnn._networks.weights import initial_weights

    X, y, spec = draw(args)
    backend()
    # It needs Keras, which the line above has loaded.
    from skrnn._engine.keras.program import Program

    program = Program(spec(cell), None, "adam")
    program.reset(initial_weights(spec(cell), seed=0))
    program.optimizer.learning_rate = 1e-3
    packed, ones = pack_dense(X, "dense"), np.ones(len(X), np.float32)
    source = Dataset(packed, y, ones, first_targets(packed, False))
    step_inputs = dict(seed=0, step=0, rates=None, clipnorm=1.0)
    data = program.load(source)
    order = source.order(args.batch, np.random.default_rng(0), 0)
    return lambda: float(program.train(data, order, step_inputs)[0])


def by_keras(args, cell):
    """Return what trains one epoch by Keras' `fit`."""
    import keras

    from skrnn._networks.keras.models import build_model

    X, y, spec = draw(args)
    model = build_model(spec(cell))
    model.compile(keras.optimizers.Adam(clipnorm=1.0), "mean_squared_error")
    return lambda: model.fit(X, y, batch_size=args.batch, verbose=0)


MEASURED = {"engine": by_engine, "keras": by_keras}


if __name__ == "__main__":
    main()
