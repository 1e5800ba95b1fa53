"""What is warned about, and what is odd and makes no difference."""

from copy import deepcopy
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from _bad_input import (
    BOTH,
    FLAT,
    FRAME,
    IDS,
    LABELS,
    NUMBERS,
    RAGGED,
    TARGETS,
    TINY,
    TOKENS,
    F,
    N,
    T,
    X,
    fitted,
    untrained,
)
from sklearn.exceptions import DataConversionWarning

import skrnn._engine
from skrnn import GRUClassifier, GRURegressor
from skrnn._data.holdout import hold_out


@pytest.mark.parametrize("estimator", BOTH)
def test_names_in_fit_alone_or_in_predict_alone_are_warned_about(estimator):
    name = estimator.__name__
    with pytest.warns(UserWarning, match=f"valid feature names, but {name} was fitted"):
        fitted(estimator, "frame").predict(FLAT)
    with pytest.warns(UserWarning, match=f"X has feature names, but {name} was fitted"):
        fitted(estimator, "2-D").predict(FRAME)


@pytest.mark.parametrize("estimator", BOTH)
def test_a_column_of_targets_is_warned_about_and_read_as_a_row(estimator, monkeypatch):
    monkeypatch.setattr(skrnn._engine, "train", untrained)
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        column = estimator(**TINY).fit(X, TARGETS[estimator][:, None])
    assert column.predict(X).shape == (N,)
    np.testing.assert_array_equal(column.predict(X), fitted(estimator).predict(X))


# Another warning, which every network has of such numbers.
LARGE = pytest.mark.filterwarnings("ignore:Feature .* of X has values around")
BIG = 2**24
ROUNDED = {
    "array": np.full((N, T, F), BIG + 1),
    "2-D": np.full((N, T), -BIG - 1),
    "unsigned": np.full((N, T), BIG + 1, np.uint32),
    "list": np.full((N, T), BIG + 1).tolist(),
    "ragged": [np.full(1 + i % T, BIG + 1) for i in range(N)],
    "frame": FRAME.assign(b=BIG + 1),
    "nullable": FRAME.assign(b=pd.array([BIG + 1] * N, dtype="Int64")),
}
NOT_ROUNDED = {
    "below": np.full((N, T, F), BIG - 1),
    "floats": np.full((N, T, F), BIG * 8.0),
    "frame": FRAME.assign(a=BIG * 8.0, b=BIG - 1),
}


@LARGE
@pytest.mark.parametrize("key", ROUNDED)
def test_integers_that_float32_rounds_are_warned_about(key, monkeypatch):
    monkeypatch.setattr(skrnn._engine, "train", untrained)
    with pytest.warns(
        UserWarning, match=r"X holds integers from 2\*\*24 = 16777216 on"
    ):
        GRURegressor(**TINY).fit(ROUNDED[key], NUMBERS)


@LARGE
@pytest.mark.parametrize("key", NOT_ROUNDED)
def test_other_large_numbers_are_not_warned_about(key, monkeypatch):
    monkeypatch.setattr(skrnn._engine, "train", untrained)
    GRURegressor(**TINY).fit(NOT_ROUNDED[key], NUMBERS)


# Odd, but it works and makes no difference


class ArrayLike:
    """What another library's array may look like."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


def read_only(array, path):
    np.save(path / "X.npy", array)
    return np.load(path / "X.npy", mmap_mode="r")


# Numbers that every type can hold.
BITS = (X > 0).astype(np.float32)
BIT_FRAME = pd.DataFrame(BITS[:, :, 0], columns=list("abcd"))
DTYPES = ["?", "i1", "u1", "<i8", ">i4", "<f2", ">f8", "<f8", "g", "O"]
ODD_X = {dtype: lambda X, _, dtype=dtype: X.astype(dtype) for dtype in DTYPES} | {
    "Fortran order": lambda X, _: np.asfortranarray(X),
    "negative strides": lambda X, _: X[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1],
    "every other": lambda X, _: np.repeat(X, 2, axis=1)[:, ::2],
    "read-only": read_only,
    "lists": lambda X, _: X.tolist(),
    "tuples": lambda X, _: tuple(map(tuple, X.tolist())),
    "decimals": lambda X, _: [
        [[Decimal(int(v)) for v in step] for step in x] for x in X
    ],
    "list of arrays": lambda X, _: list(X),
    "list of frames": lambda X, _: [pd.DataFrame(x) for x in X],
    "array of arrays": lambda X, _: np.array([*X, None], dtype=object)[:-1],
    "another library's": lambda X, _: ArrayLike(X),
    "masked, nothing of it": lambda X, _: np.ma.array(X, mask=np.zeros(X.shape, bool)),
}
ODD_FRAMES = {
    dtype: lambda X, dtype=dtype: X.astype(dtype)
    for dtype in ["bool", "boolean", "int8", "Int64", "UInt8", "Float32", "float64"]
} | {
    "objects": lambda X: X.astype(object),
    "categories": lambda X: X.astype("category"),
    "mixed": lambda X: X.astype({"a": "bool", "b": "Int64", "c": "float64"}),
    "with an index": lambda X: X.set_index(pd.Index([f"row {i}" for i in range(N)])),
}


def assert_equal_fits(one, X_one, other, X_other):
    for weight, same_weight in zip(one._weights, other._weights, strict=True):
        np.testing.assert_array_equal(weight, same_weight)
    np.testing.assert_array_equal(one.predict(X_one), other.predict(X_other))
    np.testing.assert_array_equal(one.predict(X_one), one.predict(X_other))


@pytest.mark.parametrize("key", ODD_X)
def test_an_odd_array_makes_no_difference(key, tmp_path):
    odd = ODD_X[key](BITS, tmp_path)
    plain = GRURegressor(**TINY).fit(BITS, NUMBERS)
    assert_equal_fits(plain, BITS, GRURegressor(**TINY).fit(odd, NUMBERS), odd)


@pytest.mark.parametrize("key", ODD_FRAMES)
def test_an_odd_frame_makes_no_difference(key):
    odd = ODD_FRAMES[key](BIT_FRAME)
    plain = GRUClassifier(**TINY).fit(BIT_FRAME, LABELS)
    assert_equal_fits(plain, BIT_FRAME, GRUClassifier(**TINY).fit(odd, LABELS), odd)


UNTOUCHED = {
    "float32": X.astype("f4"),
    "float64": X,
    "2-D": FLAT,
    "windows": np.lib.stride_tricks.sliding_window_view(np.ones((N + 3, 2)), 4, axis=0),
    "ragged": RAGGED,
    "frame": FRAME,
    "ids": IDS,
    "32-bit ids": IDS.astype("i4"),
}


def contents(data):
    arrays = data if isinstance(data, list) else [np.asarray(data)]
    return [(array.dtype, array.tobytes()) for array in arrays]


@pytest.mark.parametrize("key", UNTOUCHED)
def test_nothing_that_is_passed_is_changed(key):
    data = UNTOUCHED[key], NUMBERS.astype("f4"), LABELS * 1.0
    before = [contents(each) for each in data]
    params = TINY | (TOKENS if "ids" in key else {})
    estimator = GRURegressor(**params).fit(*data)
    estimator.predict(data[0])
    estimator.transform(data[0])
    estimator.score(*data)
    assert [contents(each) for each in data] == before


ODD_LABELS = {
    "0 and 2": np.array([0, 2]),
    "-1 and 1": np.array([-1, 1]),
    "floats": np.array([1.0, 2.0]),
    "bools": np.array([False, True]),
    "unsigned": np.array([3, 250], np.uint8),
    "strings": np.array(["no", "yes, indeed"]),
}
CONTAINERS = {
    "array": lambda y: y,
    "list": list,
    "objects": lambda y: np.array(y.tolist(), object),
    "Series": pd.Series,
    "Categorical": pd.Categorical,
    "nullable": lambda y: pd.Series(pd.array(y)),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("key", ODD_LABELS)
def test_odd_labels_come_back_as_they_went_in(key, container):
    classes = ODD_LABELS[key]
    plain = GRUClassifier(**TINY).fit(X, LABELS)
    y = CONTAINERS[container](classes[LABELS])
    odd = GRUClassifier(**TINY).fit(X, y)
    assert odd.classes_.tolist() == classes.tolist()
    assert type(odd.classes_.tolist()[0]) is type(classes.tolist()[0])
    assert odd.predict(X).tolist() == classes[plain.predict(X)].tolist()
    np.testing.assert_array_equal(odd.predict_proba(X), plain.predict_proba(X))
    assert odd.score(X, y) == plain.score(X, LABELS)


CONSTANTS = [0.0, 0.1, -1e-12, 1e9 + 0.1, 1e300, np.float32(0.1)]


@pytest.mark.parametrize("value", CONSTANTS)
def test_a_constant_target_is_predicted_exactly(value):
    constant = GRURegressor(**TINY).fit(X, np.full(N, value))
    np.testing.assert_array_equal(constant.predict(X), np.full(N, value))
    # Once it varies, so does what is predicted.
    later = constant.set_params(warm_start=True).fit(X, value + NUMBERS)
    assert np.ptp(later.predict(X)) > 0 or value > 1e100


def test_a_constant_among_targets_is_predicted_exactly():
    y = np.column_stack([NUMBERS, np.full(N, 0.1)])
    predicted = GRURegressor(**TINY).fit(X, y).predict(X)
    np.testing.assert_array_equal(predicted[:, 1], y[:, 1])
    assert np.ptp(predicted[:, 0]) > 0


@pytest.mark.parametrize(
    ("scale", "offset"), [(1, 1e9), (1e6, 1e9), (1e300, 0), (1e-300, 0), (1e-9, 1)]
)
def test_the_unit_of_a_target_makes_no_difference(scale, offset):
    plain = GRURegressor(**TINY).fit(X, NUMBERS)
    other = GRURegressor(**TINY).fit(X, scale * NUMBERS + offset)
    back = (other.predict(X) - offset) / scale
    np.testing.assert_allclose(back, plain.predict(X), rtol=1e-4, atol=1e-4)


def test_a_batch_may_be_larger_than_the_data():
    whole = GRURegressor(**TINY, batch_size=N).fit(X, NUMBERS)
    larger = GRURegressor(**TINY, batch_size=10**9).fit(X, NUMBERS)
    assert_equal_fits(whole, X, larger, X)


@pytest.mark.parametrize("estimator", BOTH)
def test_other_lengths_and_forms_are_predicted(estimator):
    known = fitted(estimator)
    assert known.predict(np.ones((3, 9, F))).shape == (3,)
    np.testing.assert_array_equal(known.predict(list(X)), known.predict(X))
    np.testing.assert_allclose(known.predict(X[:1]), known.predict(X)[:1])
    univariate = fitted(estimator, "2-D")
    expected = univariate.predict(FLAT)
    np.testing.assert_array_equal(univariate.predict(FLAT[:, :, None]), expected)
    np.testing.assert_array_equal(univariate.predict(list(FLAT)), expected)


def test_weights_of_classes_and_of_sequences_are_multiplied():
    weights = np.linspace(0.5, 2, N)
    both = GRUClassifier(**TINY, class_weight={0: 3})
    both.fit(X, LABELS, sample_weight=weights)
    weights = weights * np.where(LABELS == 0, 3, 1)
    product = GRUClassifier(**TINY).fit(X, LABELS, sample_weight=weights)
    assert_equal_fits(both, X, product, X)


def test_a_weight_counts_for_every_step_of_its_sequence():
    each = GRURegressor(**TINY, return_sequences=True)
    weights = np.where(LABELS, 1.0, 0.0)
    weighted = deepcopy(each).fit(X, FLAT, sample_weight=5 * weights)
    assert weighted.predict(X).shape == FLAT.shape
    alone = each.fit(X[LABELS == 1], FLAT[LABELS == 1])
    np.testing.assert_allclose(weighted.predict(X), alone.predict(X), atol=1e-6)


def test_a_rare_class_is_never_held_out_altogether():
    strata = np.array([0] * 30 + [1])
    for seed in range(20):
        training, validation = hold_out(31, 0.5, strata, seed)
        assert 30 in training
        assert len(training) + len(validation) == 31
        assert len(validation) in (15, 16)
