"""Attributes that somebody overwrites: an error or an answer, never a crash.

The kernels in C get arrays from Python. Whatever stands in an estimator's attributes,
fitted or not, they must not reach memory that isn't theirs: a crash of this file is a
hole at their border.
"""

import contextlib
import copy
import warnings
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from test_tampered_states import KINDS, learnt

import skrnn
from skrnn.text import TextGenerator

# One of each kind: the others differ in their cell.
NAMES = [
    name for name in KINDS if name not in (
        "LSTMRegressor", "SequenceRegressor", "RNNClassifier", "LSTMClassifier",
        "SequenceClassifier", "Seq2SeqClassifier", "multilabel", "steps", "prediction",
    )
]  # fmt: skip
every = pytest.mark.parametrize("name", NAMES)


@cache
def fitted(name):
    model, X, y = KINDS[name]
    return clone(model).fit(X, y), X, y


def tried(call, *args, **options):
    """Call something that may raise anything but must not end the process."""
    with warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        call(*args, **options)


def use(model, X, y):
    for method in ("predict", "predict_proba", "transform", "score_samples"):
        if hasattr(model, method):
            tried(getattr(model, method), X)
    if isinstance(model, TextGenerator):
        tried(model.generate, "a", max_new_tokens=3, random_state=0)
    if hasattr(model, "partial_fit"):
        tried(model.partial_fit, X, y)


# What stands in the place of an array of weights.
ODD_ARRAYS = {
    "float64": lambda w: w.astype(np.float64),
    "int32": lambda w: w.astype(np.int32),
    "objects": lambda w: w.astype(object),
    "texts": lambda w: w.astype("U4"),
    "complex": lambda w: w.astype(np.complex64),
    "bytes the other way": lambda w: w.astype(">f4"),
    "one row": lambda w: w[:1],
    "no rows": lambda w: w[:0],
    "more axes": lambda w: w[None, None],
    "a number": lambda w: np.float32(w.flat[0]),
    "twice as large": lambda w: np.concatenate([w, w], axis=-1),
    "by columns": np.asfortranarray,
    "every second": lambda w: np.repeat(w, 2, axis=-1)[..., ::2],
    "backwards": lambda w: w[::-1],
    "one number everywhere": lambda w: np.broadcast_to(np.float32(0.1), w.shape),
    "read only": lambda w: np.frombuffer(w.tobytes(), np.float32).reshape(w.shape),
    "not aligned": lambda w: (
        np.frombuffer(b"\0" + w.tobytes(), np.uint8)[1:]
        .view(np.float32)
        .reshape(w.shape)
    ),
    "NaN": lambda w: np.full_like(w, np.nan),
    "infinite": lambda w: np.full_like(w, np.inf),
    "huge": lambda w: np.broadcast_to(np.float32(0), (2**40, *w.shape[1:])),
    "a list": lambda w: w.tolist(),
    "None": lambda w: None,
    "masked": lambda w: np.ma.MaskedArray(w, mask=True),
    "of a subclass": lambda w: w.view(type("Own", (np.ndarray,), {})),
}


@every
def test_weights_that_are_replaced(name):
    model, X, y = fitted(name)
    n = len(model._weights)
    for turn, make in enumerate(ODD_ARRAYS.values()):
        # Each kind of array in two places.
        for i in {turn % n, (turn + n // 2) % n}:
            weight = model._weights[i]
            other = copy.copy(model)
            other._weights = list(model._weights)
            other._weights[i] = make(weight)
            use(other, X, y)


def test_weights_of_the_right_form_in_another_layout_are_read():
    model, X, _ = fitted("GRURegressor")
    for odd in ("by columns", "read only", "every second", "float64"):
        other = copy.copy(model)
        other._weights = [ODD_ARRAYS[odd](weight) for weight in model._weights]
        np.testing.assert_array_equal(other.predict(X), model.predict(X))


@every
def test_weights_changed_in_place_are_read_as_they_are(name):
    model = copy.deepcopy(fitted(name)[0])
    _, X, y = KINDS[name]
    for weight in model._weights:
        weight[...] = np.nan
    use(model, X, y)
    # To give an array another shape in place is numpy's own way to lie.
    for weight in model._weights:
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            weight.shape = weight.shape[::-1]
    use(model, X, y)
    model._weights.pop()
    use(model, X, y)
    model._weights.clear()
    use(model, X, y)


ODD = [
    None, True, -1, 0, 1, 10**6, 2**62, -(2**63), 10**30, 0.5, np.nan, "", "x", [], (),
    [1], [[1], [1, 2]], {}, {"a": 1}, object(), np.zeros(0), np.zeros((2, 2)),
    np.array(["a"]), np.array([10**6]), np.array([-1]), lambda *_: None,
]  # fmt: skip
# Sizes of what is computed: large ones are right, and take their time.
SLOW = {
    "epochs", "batch_size", "n_beams", "units", "n_iter_", "max_length", "max_length_",
    "_longest_output", "_longest_input", "_y_shape",
}  # fmt: skip
FEW = [None, -1, 2**62, "x", np.array([10**6])]


@every
def test_attributes_that_are_overwritten(name):
    model, X, y = fitted(name)
    # Parameters are checked against their constraints.
    for attribute in learnt(vars(model)):
        for odd in FEW:
            if attribute in SLOW and isinstance(odd, int | np.ndarray):
                continue
            other = copy.copy(model)
            vars(other)[attribute] = odd
            use(other, X, y)


@every
@settings(
    max_examples=15,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_specs_of_other_networks(name, data):
    # The spec of one network and the weights of another.
    model, X, y = fitted(name)
    kind = type(model)._spec_class
    others = [n for n in NAMES if type(fitted(n)[0])._spec_class is kind]
    other = copy.copy(model)
    other._spec = fitted(data.draw(st.sampled_from(others)))[0]._spec
    if data.draw(st.booleans()):
        other._optimizer_state = fitted(data.draw(st.sampled_from(others)))[
            0
        ]._optimizer_state
    use(other, X, y)


IDS = [
    np.full((2, 3), 10**6), np.full((2, 3), -1), np.full((2, 3), 2**31),
    np.full((2, 3), 2**40), np.full((2, 3), -(2**62)),
    np.full((2, 3), 2**64 - 1, np.uint64),
    np.zeros((2, 3), int), np.zeros((0, 3), int), np.full((1, 1), 255, np.uint8),
    [[1, 2], [10**30]], [[]], [[1.5, 2]], [["a"]],
]  # fmt: skip


def test_token_ids_out_of_the_vocabulary():
    model, _, y = fitted("ids")
    for ids in IDS:
        tried(model.predict, ids)
        tried(copy.deepcopy(model).partial_fit, ids, y[: len(ids)])
        stream = model.stream()
        for each in ids:
            tried(stream.update, each)
            for one in each:
                tried(stream.update, one)
    with pytest.raises(ValueError, match="token id"):
        model.predict(IDS[0])


def test_states_of_streams():
    model, X, _ = fitted("GRURegressor")
    for odd in [*ODD, [np.zeros((1, 9))], [(np.zeros((1, 9)),)] * 3]:
        stream = model.stream()
        stream.update(X[0, 0])
        inner = stream._stream
        for attribute in vars(inner):
            tampered = copy.copy(stream)
            tampered._stream = copy.copy(inner)
            vars(tampered._stream)[attribute] = odd
            tried(tampered.update, X[0, 1])


OF_WINDOWS = {
    "table": [None, np.zeros(0), np.zeros((2, 2)), np.zeros((16, 9)), np.array(["a"])],
    "starts": [None, np.full(12, 10**9), np.full(12, -5), np.array(["a"]), np.zeros(0)],
    "step": [None, -1, 0, 7, 2**62, "x"],
    "shape": [None, (12, 3, 99), (12, 99, 2), (12, -3, 2), (99, 3, 2), ()],
}


def test_windows_whose_attributes_are_overwritten():
    rows = np.random.default_rng(0).normal(size=(12, 2))
    window = skrnn.SlidingWindow(3).fit(rows, groups=[0, 1] * 6)
    model = skrnn.GRURegressor(units=2, epochs=1).fit(
        window.transform(rows, groups=[0, 1] * 6), rows[:, 0]
    )
    for attribute, odds in OF_WINDOWS.items():
        for odd in odds:
            windows = window.transform(rows, groups=[0, 1] * 6)
            setattr(windows, attribute, odd)
            tried(np.asarray, windows)
            tried(model.predict, windows)
            tried(clone(model).fit, windows, rows[:, 0])
