"""Accuracies of label sequences: what they count."""

import numpy as np
import pandas as pd
import pytest
from _metrics_cases import FORMS, P, T, assert_refused
from sklearn.metrics import accuracy_score

from skrnn.metrics import sequence_accuracy_score, span_f1_score, token_accuracy_score


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_labels_is_read(form):
    tags = [["B-x", "I-x", "O"], ["O"], ["B-x"]]
    found = [["B-x", "O", "O"], ["O"], ["B-x"]]
    pair = FORMS[form](tags), FORMS[form](found)
    assert token_accuracy_score(*pair) == 4 / 5
    assert sequence_accuracy_score(*pair) == 2 / 3
    assert span_f1_score(*pair) == 1 / 2


@pytest.mark.parametrize("as_frame", [np.asarray, pd.DataFrame])
def test_arrays_are_sequences_of_one_length(as_frame):
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 2, (2, 6, 4))
    expected = np.mean(truth == predicted)
    assert token_accuracy_score(as_frame(truth), as_frame(predicted)) == expected
    expected = np.mean((truth == predicted).all(axis=1))
    assert sequence_accuracy_score(as_frame(truth), as_frame(predicted)) == expected


def test_token_accuracy_is_that_of_all_labels():
    weights = [1, 3]
    flat = [label for labels in T for label in labels]
    other = [label for labels in P for label in labels]
    assert token_accuracy_score(T, P) == accuracy_score(flat, other)
    found = token_accuracy_score(T, P, sample_weight=weights)
    assert found == accuracy_score(flat, other, sample_weight=[1, 1, 1, 3])


NULS = {
    "at an end": ([["a\0", "b"]], [["a", "b"]], 0.5),
    "nothing but one": ([["\0"], ["b"]], [[""], ["b"]], 0.5),
    "in one of the sequences": ([["a"], ["b\0"]], [["a"], ["b\0"]], 1.0),
    "as a tuple": ([("a\0",)], [("a\0\0",)], 0.0),
}


@pytest.mark.parametrize("key", NULS)
def test_labels_are_compared_to_their_last_character(key):
    y_true, y_pred, score = NULS[key]
    assert token_accuracy_score(y_true, y_pred) == score
    assert token_accuracy_score(y_pred, y_true) == score
    assert sequence_accuracy_score(y_true, y_pred) == (score if len(y_true) > 1 else 0)


def test_ignored_labels_do_not_count():
    truth, predicted = [[1, 2, 0], [3, 0, 0]], [[1, 1, 0], [3, 0, 1]]
    assert token_accuracy_score(truth, predicted, ignore_label=0) == 2 / 3
    assert token_accuracy_score(truth, predicted) == 4 / 6
    with pytest.raises(ValueError, match="ignore_label=0 or has weight 0"):
        token_accuracy_score([[0, 0]], [[0, 0]], ignore_label=0)
    # Of the same type it needn't be there.
    assert token_accuracy_score([["a", "b"]], [["a", "a"]], ignore_label="PAD") == 0.5
    assert token_accuracy_score([[True, False]], [[True] * 2], ignore_label=-1.0) == 0.5


OTHER_TYPES = {
    "text": ([[1, 2]], "1", "ignore_label='1' is of another type than the labels of"),
    "bytes": ([[1, 2]], b"1", "such as 1: expected a number."),
    "a number": ([["a", "b"]], 0, "y_true, such as 'a': expected text."),
    "a list": ([["a", "b"]], ["a"], "such as 'a': expected text."),
    "a number beside objects": ([["a\0", "b"]], 0, "expected text."),
}


@pytest.mark.parametrize("key", OTHER_TYPES)
def test_a_label_of_another_type_is_not_ignored(key):
    y, label, message = OTHER_TYPES[key]
    assert_refused(TypeError, message, token_accuracy_score, y, y, ignore_label=label)


def test_sequences_of_another_length_are_wrong():
    assert sequence_accuracy_score([[1, 2], [3], []], [[1], [3], []]) == 2 / 3
    assert sequence_accuracy_score(["ab", "", "c"], ["ab", "", "cd"]) == 2 / 3
    assert sequence_accuracy_score(["ab", "c"], [["a", "b"], ["d"]]) == 1 / 2
    weights = [3, 1]
    assert sequence_accuracy_score(["a", "b"], ["a", ""], sample_weight=weights) == 0.75
