"""Labels, weights, scores and held out rows, whose blocks give what the whole gives."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from skrnn import RNNClassifier
from skrnn._data.batches import row_blocks, sum_of_blocks
from skrnn._data.holdout import hold_out
from skrnn._data.sequences import Multiples
from skrnn._data.targets.class_weights import (
    WeightsOfClasses,
    balanced,
    balanced_table,
    table_of_classes,
    weighted_by_class,
)
from skrnn._data.targets.codes import Codes, different, encode, few_like
from skrnn._data.targets.scores import mean_r2, share_right
from skrnn._data.targets.weights import constant, scaled_down

WORDS = np.array(["no", "yes", "maybe", "never"])
NUMBERS = np.random.default_rng(0).integers(0, 4, 1000)
KINDS = {
    "int64": NUMBERS,
    "uint8": NUMBERS.astype(np.uint8),
    "bool": NUMBERS > 2,
    "float": NUMBERS - 2.0,
    "strings": WORDS[NUMBERS],
    "objects": WORDS[NUMBERS].astype(object),
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr("skrnn._data.batches._BLOCK", 136)


def test_blocks_hold_every_row_once():
    rows = [np.arange(1000)[block] for block in row_blocks(1000)]
    assert max(map(len, rows)) == 136
    np.testing.assert_array_equal(np.concatenate(rows), np.arange(1000))


@pytest.mark.parametrize("n", [1, 135, 137, 1000, 9999])
def test_sums_are_rounded_as_those_of_the_whole(n):
    numbers = np.random.default_rng(n).normal(size=n)
    assert sum_of_blocks(lambda rows: numbers[rows].sum(), n) == numbers.sum()


@pytest.mark.parametrize("y", KINDS.values(), ids=KINDS)
def test_labels_are_found_and_numbered(y):
    classes, codes = np.unique(y, return_inverse=True)
    found, numbers = different(y), encode(y, classes)
    np.testing.assert_array_equal(found, classes)
    assert found.dtype == y.dtype
    np.testing.assert_array_equal(numbers, codes)
    assert numbers.dtype == np.int8


def test_a_label_that_comes_last_is_found():
    y = np.zeros(1000, int)
    y[-1] = -5
    assert different(y).tolist() == [-5, 0]


@pytest.mark.parametrize("n", [128, 129, 2**15 + 1])
def test_numbers_of_classes_have_the_smallest_type(n):
    classes = np.arange(n) * 3
    numbers = encode(classes, classes)
    np.testing.assert_array_equal(numbers, np.arange(n))
    assert numbers.dtype.itemsize == (1 if n <= 128 else 2 if n <= 2**15 else 4)


@pytest.mark.parametrize("n", [2**15, 2**15 + 1, 40_000])
def test_very_many_labels_are_found_too(n):
    assert len(different(np.arange(n))) == n


@pytest.mark.parametrize("bad", [9, -1, 1.5])
def test_a_label_that_is_no_class_is_refused_in_any_block(bad):
    y = np.zeros(1000)
    y[[500, 999]] = bad, bad + 20
    with pytest.raises(
        ValueError, match=f"unknown label {float(bad)}; the classes are"
    ):
        encode(y, np.arange(2))


@pytest.mark.parametrize("y", KINDS.values(), ids=KINDS)
def test_a_few_labels_stand_for_all(y):
    for each in (y, y[:, None]):
        few = few_like(each)
        assert len(few) <= 8
        assert few.ndim == each.ndim
        assert type_of_target(few) == type_of_target(each)
        check_classification_targets(few)


def test_what_scikit_learn_warns_of_it_warns_of():
    few = few_like(np.arange(999) // 3)
    assert len(few) == 2 * 333
    check_classification_targets(few)
    most = few_like(np.r_[np.arange(600), np.zeros(400, int)])
    with pytest.warns(UserWarning, match="unique classes is greater than 50%"):
        check_classification_targets(most)


@pytest.mark.parametrize("y", [np.arange(1000) / 7, np.array([b"a", b"b"] * 500)])
def test_what_is_no_label_is_none_of_a_few_either(y):
    with pytest.raises((ValueError, TypeError)) as of_all:
        check_classification_targets(y)
    with pytest.raises((ValueError, TypeError)) as of_few:
        check_classification_targets(few_like(y))
    assert str(of_few.value) == str(of_all.value)


def test_codes_are_read_in_another_type():
    codes = Codes(np.array([[1], [0], [2]], np.int8), np.int32)
    rows = np.array([[2, 0], [1, 1]])
    assert codes[rows].tolist() == [[[2], [1]], [[0], [0]]]
    assert codes.take(rows, axis=0).tolist() == codes[rows].tolist()
    assert codes[rows].dtype == codes.take(rows).dtype == np.int32
    assert np.asarray(codes).dtype == codes.dtype == np.int32
    assert codes.shape == (3, 1)
    assert np.asarray(codes, np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="uncopied"):
        np.array(codes, copy=False)


@pytest.mark.parametrize("drawn", [False, True])
def test_balanced_weights_are_those_of_every_label(drawn):
    rng = np.random.default_rng(3)
    weights = rng.uniform(0.1, 1, 1000) if drawn else constant(0.5, 1000)
    # There is a class without labels.
    numbers = np.array([0, 1, 3, 4], np.int8)[NUMBERS]
    table = balanced_table(numbers, 5, weights)
    whole = weights * balanced(numbers, weights)
    found = weighted_by_class(weights, numbers, table)
    np.testing.assert_array_equal(found[:], whole)
    assert isinstance(found, WeightsOfClasses) != drawn
    assert found.sum() == whole.sum()
    np.testing.assert_array_equal(scaled_down(found)[:], scaled_down(whole))


def test_classes_without_labels_weigh_nothing():
    table = table_of_classes([2.0, 3.0], np.array([10, 30]), np.array([10, 20, 30]))
    assert table.tolist() == [2, 0, 3]
    numbers = np.array([2, 2], np.int8)
    assert WeightsOfClasses(numbers, table).any()
    assert not WeightsOfClasses(numbers, np.zeros(3)).any()


@pytest.mark.parametrize("share", [0.1, 0.37, 0.9])
@pytest.mark.parametrize("n_strata", [1, 2, 40])
def test_the_same_rows_are_held_out(share, n_strata):
    strata = (np.random.default_rng(5).uniform(size=3000) ** 3 * n_strata).astype(int)
    training, validation = hold_out(3000, share, strata.astype(np.int8), 7)
    order = np.random.default_rng(7).permutation(3000)
    order = order[np.argsort(strata[order], kind="stable")]
    n_validation = int(np.ceil(3000 * share))
    at = np.linspace(0, 3000, n_validation, endpoint=False)
    held = np.zeros(3000, bool)
    held[order[(at + 3000 / n_validation / 2).astype(int)]] = True
    held &= np.isin(strata, strata[~held])
    np.testing.assert_array_equal(training, np.flatnonzero(~held))
    np.testing.assert_array_equal(validation, np.flatnonzero(held))
    assert training.dtype == validation.dtype == np.int32


def test_strata_may_be_any_numbers():
    given = 300, 0.2, np.arange(300) % 2, 0
    for strata in (np.arange(300) % 2 - 0.5, np.arange(300) % 2 > 0):
        found = hold_out(300, 0.2, strata, 0)
        np.testing.assert_array_equal(found[1], hold_out(*given)[1])


def test_numbers_of_rows_are_their_own_multiples():
    rows = np.array([4, 2], np.int32)
    assert Multiples(1, 9)[rows] is rows
    assert Multiples(1, 9, 3)[rows].tolist() == [7, 5]
    numbers = np.arange(20)
    assert Multiples(3, 5, 1).of(numbers).tolist() == [1, 4, 7, 10, 13]
    assert Multiples(1, 9)[2:].of(numbers).base is numbers


@pytest.mark.parametrize("drawn", [False, True])
@pytest.mark.parametrize("y", KINDS.values(), ids=KINDS)
def test_the_accuracy_is_that_of_scikit_learn(y, drawn):
    rng = np.random.default_rng(1)
    predicted, weights = rng.permutation(y), rng.uniform(size=1000) if drawn else None
    found = share_right(y, predicted, weights)
    assert found == accuracy_score(y, predicted, sample_weight=weights)
    assert type(found) is float


@pytest.mark.parametrize(
    ("truth", "predicted"),
    [
        (NUMBERS, WORDS[NUMBERS]),
        (NUMBERS, NUMBERS[1:]),
        (NUMBERS / 3, NUMBERS),
        (NUMBERS[:0], NUMBERS[:0]),
    ],
)
def test_scikit_learn_refuses_what_has_no_accuracy(truth, predicted):
    with pytest.raises((ValueError, TypeError)) as whole:
        accuracy_score(truth, predicted)
    with pytest.raises(type(whole.value)) as found:
        share_right(truth, predicted)
    # Its own sentence, after what it is about.
    assert str(found.value).startswith("y has shape ")
    assert str(found.value).endswith(str(whole.value))


@pytest.mark.parametrize("drawn", [False, True])
@pytest.mark.parametrize("n_columns", [1, 3])
def test_r2_is_that_of_scikit_learn(n_columns, drawn):
    rng = np.random.default_rng(2)
    truth = rng.normal(40, 3, (1000, n_columns))
    predicted = truth + rng.normal(0, 1, truth.shape)
    weights = rng.uniform(size=1000) if drawn else None
    whole = r2_score(truth, predicted, sample_weight=weights)
    np.testing.assert_allclose(mean_r2(truth, predicted, weights), whole, rtol=1e-13)
    # Squares that float64 can't hold.
    large = mean_r2(truth * 1e200, predicted * 1e200, weights)
    np.testing.assert_allclose(large, whole, rtol=1e-12)


@pytest.mark.parametrize(("off", "score"), [(0.0, 1.0), (0.5, 0.0)])
def test_r2_of_a_constant_is_one_or_zero(off, score):
    truth = np.full(1000, 0.1)
    assert mean_r2(truth, truth + off) == score
    both = np.stack([truth, np.arange(1000)], axis=1)
    assert mean_r2(both, both + np.array([off, 0])) == (1 + score) / 2


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_isnt_finite_has_no_r2(bad):
    truth, predicted = np.arange(1000.0), np.arange(1000.0)
    predicted[900] = bad
    with pytest.raises(ValueError, match=r"Input contains (NaN|infinity)"):
        mean_r2(truth, predicted)


@pytest.mark.parametrize("class_weight", [None, "balanced", {"no": 3.0}])
def test_training_doesnt_depend_on_the_blocks(class_weight, monkeypatch):
    X = np.random.default_rng(4).normal(size=(700, 3, 1))
    y = WORDS[NUMBERS[:700]]
    options = {"units": 2, "epochs": 2, "random_state": 0}
    small = RNNClassifier(**options, class_weight=class_weight).fit(X, y)
    probabilities, score = small.predict_proba(X), small.score(X, y)
    monkeypatch.setattr("skrnn._data.batches._BLOCK", 2**16)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = RNNClassifier(**options, class_weight=class_weight).fit(X, y)
    np.testing.assert_array_equal(whole.predict_proba(X), probabilities)
    assert whole.score(X, y) == score
