"""The kernels in C refuse sizes that no array has, whatever their product wraps to."""

import numpy as np
import pytest

from skrnn._engine.cpu.kernels.matmul import ARE_COMPILED, kernels

pytestmark = pytest.mark.skipif(not ARE_COMPILED, reason="there are no kernels in C")

F, IDS, STARTS = np.zeros(4, np.float32), np.zeros(1, np.int32), np.zeros(1, np.int64)
MOST, BIG = 2**63 - 1, 2**62
NONE = [None] * 9


def train(steps=1, units=1, features=1, outputs=1, stride=1, ends=(1, 2, 3, 4, 5)):
    rows, w = np.zeros((4, features if features < 9 else 1), np.float32), np.zeros(64)
    w = w.astype(np.float32)
    return kernels.train(
        0, 0, 0, 0.0, steps, units, features, outputs, stride,
        np.ones(1, np.int64), STARTS, rows, F, F, w, w, None, None,
        np.array(ends, np.int64), np.zeros(4096, np.float32), np.zeros(1),
        None, None, 1.0, 1.0, 0.9, 0.99, 1e-7, 0,
    )  # fmt: skip


D, LENGTH = np.zeros(4), np.ones(1, np.int64)


def chain(steps=1, sequences=1, k=1, groups=1, last=1):
    sizes = steps, sequences, k, groups, 0, last
    return kernels.chain(
        *sizes, D, LENGTH, D, D, D, IDS, D, D.copy(), D.copy(), D.copy()
    )


CALLS = {
    "chain, steps": lambda: chain(steps=BIG, k=4),
    "chain, none": lambda: chain(steps=BIG, sequences=0),
    "chain, labels": lambda: chain(k=2**32),
    "chain, groups": lambda: chain(groups=BIG, k=2),
    "chain, last": lambda: chain(last=2),
    "viterbi, steps": lambda: kernels.viterbi(
        BIG, 4, 1, 0, 1, D, LENGTH, D, D, D, IDS.copy()
    ),
    "project, k": lambda: kernels.project(1, 1, IDS, F, BIG, F, 0, 4, None, F),
    "project, steps": lambda: kernels.project(BIG, 4, IDS, F, 1, F, 0, 1, None, F),
    "project, n": lambda: kernels.project(1, 1, IDS, F, 4, F, 0, BIG, None, F),
    "stacked, stack": lambda: kernels.stacked(BIG, 4, 1, F, F, 1, F),
    "stacked, m": lambda: kernels.stacked(1, BIG, 4, F, F, 1, F),
    "narrow, m": lambda: kernels.narrow(BIG, 4, F, F, 1, None, F),
    "narrow, all": lambda: kernels.narrow(2**32, 2**32, F, F, 2**32, None, F),
    "layer, units": lambda: kernels.layer(
        0, 0, 0, 1, 2**61, 0, 1, IDS, F, F, F, F, F, F, *NONE[:-1]
    ),
    "layer, steps": lambda: kernels.layer(
        0, 0, BIG, 4, 1, 0, 1, IDS, F, F, F, F, F, F, *NONE[:-1]
    ),
    "layer, last step": lambda: kernels.layer(
        0, 0, MOST, 1, 1, 0, 1, IDS, F, F, F, F, F, F, *NONE[:-1]
    ),
    "scatter": lambda: kernels.scatter(IDS, F, 4, BIG, 0, 1, F),
    "crossentropy": lambda: kernels.crossentropy(F, IDS, F, 0, 4, BIG, 1.0),
    "outer, first": lambda: kernels.outer(
        1, 1, IDS, F, 4, MOST, 2, 0, 4, None, F, 1, F, None, 0, None, None
    ),
    "outer, column": lambda: kernels.outer(
        1, 1, IDS, F, 4, 0, 2, MOST, 4, None, F, 1, F, None, 0, None, None
    ),
    "outer, ldb": lambda: kernels.outer(
        1, 4, IDS, F, BIG, 0, 2, 0, 4, None, F, 1, F, None, 0, None, None
    ),
    "train, steps": lambda: train(steps=2**60, stride=0),
    "train, all steps": lambda: train(steps=MOST, stride=0),
    "train, stride": lambda: train(steps=3, stride=BIG),
    "train, units": lambda: train(units=2**31, ends=(2**31, 2**31, 2**32, 0, 1)),
    "train, ends": lambda: train(ends=(1, 2, 3, 4, MOST)),
}


@pytest.mark.parametrize("name", CALLS)
def test_sizes_that_no_array_has_are_refused(name):
    with pytest.raises(
        ValueError, match=r"bytes where|size|columns|weights, sequences"
    ):
        CALLS[name]()


def test_the_arrays_of_these_calls_are_fine_otherwise():
    assert train()[1] == 1
    assert chain() is None
