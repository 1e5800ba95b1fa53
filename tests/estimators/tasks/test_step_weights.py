"""Weights of single steps: in fit, in scores and in metrics, equal to Keras' own."""

import keras
import numpy as np
import pandas as pd
import pytest
from _instances import FAST, NETWORKS, assert_same_network
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, KFold, cross_validate

from skrnn import GRUClassifier, GRURegressor, Seq2SeqClassifier, Seq2SeqRegressor
from skrnn.metrics import (
    get_scorer,
    perplexity,
    sequence_accuracy_score,
    span_f1_score,
    token_accuracy_score,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 5, 2))
RAGGED = [x[: 2 + i % 4] for i, x in enumerate(X)]
W = RNG.integers(0, 3, (24, 5)) * 1.0
W[:, 0], W[3] = 1, 0
W_RAGGED = [w[: len(x)] for w, x in zip(W, RAGGED, strict=True)]
STEPS = [clone(each).set_params(return_sequences=True, epochs=2) for each in NETWORKS]
FORECASTER = Seq2SeqRegressor(**FAST)
WRITER = Seq2SeqClassifier(**FAST)


def name(estimator):
    return type(estimator).__name__


def target(estimator, x):
    steps = x[..., 0].cumsum(axis=-1)
    return np.where(steps > 0, "up", "down") if is_classifier(estimator) else steps


def placeholder(estimator, y, weights):
    """Put what is no target where the weight is 0."""
    if is_classifier(estimator):
        return np.where(weights > 0, y.astype(object), None)
    return np.where(weights > 0, y, np.nan)


def assert_close_networks(one, other):
    for left, right in zip(one._weights, other._weights, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5)


# The weights of a fit


@pytest.mark.parametrize("network", STEPS, ids=name)
def test_every_form_of_them_is_the_same(network):
    y = target(network, X)
    fitted = clone(network).fit(X, y, sample_weight=W)
    for weights in (W.tolist(), pd.DataFrame(W), list(W), W.astype(object)):
        assert_same_network(clone(network).fit(X, y, sample_weight=weights), fitted)
    # Only the proportions count.
    assert_same_network(clone(network).fit(X, y, sample_weight=4 * W), fitted)
    ones = clone(network).fit(X, y, sample_weight=np.ones((24, 5)))
    assert_same_network(ones, clone(network).fit(X, y))
    rows = np.arange(24) % 3 + 1.0
    of_rows = clone(network).fit(X, y, sample_weight=rows)
    by_step = np.repeat(rows[:, None], 5, axis=1)
    assert_same_network(clone(network).fit(X, y, sample_weight=by_step), of_rows)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("form", ["dense", "ragged"])
@pytest.mark.parametrize("network", STEPS, ids=name)
def test_a_zero_leaves_a_step_out_whatever_its_target_is(network, form, method):
    y = target(network, X)
    masked = placeholder(network, y, W)
    x, weights, other = X, W, np.where(W > 0, y, y[::-1])
    if form == "ragged":
        x, weights = RAGGED, W_RAGGED
        y, masked, other = (
            [each[: len(r)] for each, r in zip(a, x, strict=True)]
            for a in (y, masked, other)
        )
    options = {"sample_weight": weights}
    if method == "partial_fit" and is_classifier(network):
        options["classes"] = ["down", "up"]
    models = [
        getattr(clone(network), method)(x, t, **options) for t in (y, masked, other)
    ]
    for model in models[1:]:
        assert_same_network(model, models[0])
        assert model.score(x, masked, weights) == models[0].score(x, y, weights)
    # A sequence of zeros is no sequence at all.
    kept = [i for i in range(24) if i != 3]
    options["sample_weight"] = [weights[i] for i in kept]
    without = getattr(clone(network), method)(
        [x[i] for i in kept] if form == "ragged" else x[kept],
        [y[i] for i in kept],
        **options,
    )
    assert_same_network(without, models[0])


def test_labels_of_weight_0_are_no_classes():
    y = np.where(W > 0, X[..., 0] > 0, -100)
    model = GRUClassifier(return_sequences=True, **FAST).fit(X, y, sample_weight=W)
    assert model.classes_.tolist() == [0, 1]
    model.partial_fit(X, y, sample_weight=W)
    # One weight a sequence: a missing label is ignored, any other is a class.
    once, rows = GRUClassifier(**FAST), np.arange(24) % 3
    y = np.array(["a", "b", "c"], object)[rows]
    assert once.fit(X, y, rows).classes_.tolist() == ["a", "b", "c"]
    y[rows == 0] = None
    assert once.fit(X, y, rows).classes_.tolist() == ["b", "c"]
    assert 0 <= once.score(X, y, rows) <= 1


def test_weight_0_of_a_sequence_leaves_a_missing_target_out():
    rows = np.arange(24) % 3
    kept = rows > 0
    y = np.where(kept, X[:, 0, 0], np.nan)
    model = GRURegressor(**FAST).fit(X, y, sample_weight=rows)
    same = GRURegressor(**FAST).fit(X[kept], y[kept], sample_weight=rows[kept])
    assert_same_network(model, same)
    expected = model.score(X[kept], y[kept], rows[kept])
    assert model.score(X, y, rows) == pytest.approx(expected)


KERAS = {
    "numbers": (
        GRURegressor,
        lambda y: y,
        "mean_squared_error",
        {"normalize_y": False},
    ),
    "two classes": (GRUClassifier, lambda y: (y > 0) * 1, "binary_crossentropy", {}),
    "classes": (
        GRUClassifier,
        lambda y: np.digitize(y, [-1, 1]),
        "sparse_categorical_crossentropy",
        {},
    ),
}


@pytest.mark.parametrize("key", KERAS)
def test_training_and_its_history_are_those_of_keras(key):
    estimator, make, loss, options = KERAS[key]
    y, weights = make(X[..., 0].cumsum(axis=1)), W / W[W.any(axis=1)].mean()
    kept = W.any(axis=1)
    model = estimator(
        units=4, return_sequences=True, optimizer="sgd", learning_rate=0.1,
        clipnorm=None, shuffle=False, batch_size=12, epochs=1, warm_start=True,
        random_state=0, **options,
    ).fit(X, y, sample_weight=weights)  # fmt: skip
    twin = keras.models.clone_model(model.model_)
    twin.set_weights(model.model_.get_weights())
    twin.compile(keras.optimizers.SGD(0.1), loss, run_eagerly=True)
    data = X[kept], y[kept][..., None]
    options = {"batch_size": 12, "epochs": 2, "shuffle": False, "verbose": 0}
    history = twin.fit(*data, sample_weight=weights[kept], **options).history
    model.set_params(epochs=2).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(model.history_["loss"][1:], history["loss"], rtol=1e-5)
    for one, other in zip(model.model_.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_balanced_classes_count_weights():
    y = X[..., 0] > 0.8
    plain = GRUClassifier(return_sequences=True, **FAST)
    balanced = clone(plain).set_params(class_weight="balanced")
    alike = np.where(y, (~y).sum() / y.sum(), 1)
    assert_close_networks(
        balanced.fit(X, y, sample_weight=alike), plain.fit(X, y, sample_weight=alike)
    )


def test_masked_numbers_have_no_part_in_the_units_of_y():
    y, weights = X[..., 0].copy(), np.ones((24, 5))
    y[::2, 3:], weights[::2, 3:] = 1e6, 0
    model = GRURegressor(return_sequences=True, **FAST).fit(X, y, sample_weight=weights)
    assert abs(model.predict(X)).max() < 10
    pair = clone(FORECASTER).fit(X, y, sample_weight=weights)
    assert abs(pair.predict(X)).max() < 10


def test_padded_tokens_have_padded_weights():
    ids = np.where(
        np.arange(5) < np.arange(24)[:, None] % 4 + 2, (X[..., 0] > 0) + 1, 0
    )
    weights = np.where(ids, W, np.nan)
    model = GRUClassifier(embedding_dim=3, return_sequences=True, **FAST)
    padded = clone(model).fit(ids, ids, sample_weight=weights)
    rows = [row[row > 0] for row in ids]
    steps = [w[row > 0] for w, row in zip(W, ids, strict=True)]
    ragged = clone(model).fit(rows, rows, sample_weight=steps)
    assert_same_network(padded, ragged)
    assert padded.score(ids, ids, weights) == ragged.score(rows, rows, steps)


def test_early_stopping_and_other_cells_of_the_table_take_them():
    y = X[..., 0] * np.where(W > 0, 1, np.nan)
    model = GRURegressor(return_sequences=True, **FAST | {"early_stopping": True})
    model.fit(X, y, sample_weight=W)
    assert np.isfinite(model.history_["val_loss"]).all()
    model.set_params(loss="huber", optimizer="adamax", epochs=1, attention="dot")
    assert np.isfinite(model.fit(X, y, sample_weight=W).history_["loss"]).all()


# Sequences that answer sequences


Y = np.stack([X[:, 0, 0], 5 * X[:, 1, 1], X[:, 2, 0]], axis=1)
WY = RNG.integers(0, 3, (24, 3)) * 1.0
WY[3] = 0
WORDS = np.where(Y > 0, "a", "b")


@pytest.mark.parametrize("teacher_forcing", [1.0, 0.5])
@pytest.mark.parametrize("shape", ["(n, H)", "(n, H, K)", "labels", "lists", "strings"])
def test_masked_outputs_are_never_read(shape, teacher_forcing):
    model = FORECASTER if shape.startswith("(") else WRITER
    model = clone(model).set_params(teacher_forcing=teacher_forcing)
    make = {
        "(n, H)": lambda y, fill: np.where(WY > 0, y, fill),
        "(n, H, K)": lambda y, fill: np.where(WY > 0, y, fill)[..., None] * [1, 2],
        "labels": lambda _, fill: np.where(WY > 0, WORDS.astype(object), fill),
    }
    make["lists"] = lambda _, fill: make["labels"](_, fill).tolist()
    make["strings"] = lambda _, fill: [
        "".join(map(str, r)) for r in make["labels"](_, fill)
    ]
    fills = (np.nan, 1e6) if not is_classifier(model) else ("z", "y")
    y, other = (make[shape](Y, fill) for fill in fills)
    one, two = (clone(model).fit(X, t, sample_weight=WY) for t in (y, other))
    assert_same_network(one, two)
    assert one.history_ == two.history_
    one.partial_fit(X, y, sample_weight=WY)
    assert_same_network(one, two.partial_fit(X, other, sample_weight=WY))
    assert one.score(X, y, WY) == two.score(X, other, WY)
    if is_classifier(model):
        assert one.classes_.tolist() == ["a", "b"]
    # A row of zeros is no row.
    kept = WY.any(axis=1)
    rows = (
        y[kept] if isinstance(y, np.ndarray) else [y[i] for i in np.flatnonzero(kept)]
    )
    same = clone(model).fit(X[kept], rows, sample_weight=WY[kept])
    assert_same_network(same, clone(model).fit(X, y, sample_weight=WY))


@pytest.mark.parametrize("model", [FORECASTER, WRITER], ids=name)
def test_weights_of_all_steps_are_that_of_the_sequence(model):
    y = Y if model is FORECASTER else WORDS
    rows = np.arange(24) % 3 * 1.0
    by_step = np.repeat(rows[:, None], 3, axis=1)
    one = clone(model).fit(X, y, sample_weight=rows)
    two = clone(model).fit(X, y, sample_weight=by_step)
    assert_same_network(one, two)
    assert one.score(X, y, rows) == pytest.approx(one.score(X, y, by_step))


def test_padding_at_the_end_is_as_good_as_a_shorter_horizon():
    # Nothing is fed back from what is masked, and nothing is learnt of it.
    weights, y = np.ones((24, 3)), Y.copy()
    weights[:, 2], y[:, 2] = 0, np.nan
    masked = clone(FORECASTER).fit(X, y, sample_weight=weights)
    short = clone(FORECASTER).fit(X, Y[:, :2])
    np.testing.assert_allclose(masked.predict(X)[:, :2], short.predict(X), rtol=1e-3)
    assert masked.score(X, y, weights) == pytest.approx(short.score(X, Y[:, :2]), 1e-3)


def test_only_labels_that_count_must_be_right():
    model = clone(WRITER).fit(X, WORDS)
    predicted = model.predict(X)
    wrong = np.where(WY > 0, predicted, "z")
    assert model.score(X, wrong, WY) == 1
    wrong[0, 0], weights = "z", np.ones((24, 3))
    assert model.score(X, wrong, weights) < 1


# Scores


def test_scores_of_steps_are_those_of_scikit_learn():
    y = X[..., 0] > 0
    model = GRUClassifier(return_sequences=True, **FAST).fit(X, y)
    flat = y.ravel(), model.predict(X).ravel()
    expected = accuracy_score(*flat, sample_weight=W.ravel())
    assert model.score(X, y, W) == pytest.approx(expected)
    assert token_accuracy_score(y, model.predict(X), sample_weight=W) == pytest.approx(
        expected
    )
    ragged = [t[: len(x)] for t, x in zip(y, RAGGED, strict=True)]
    expected = accuracy_score(
        np.concatenate(ragged),
        np.concatenate(model.predict(RAGGED)),
        sample_weight=np.concatenate(W_RAGGED),
    )
    assert model.score(RAGGED, ragged, W_RAGGED) == pytest.approx(expected)


TRUE = [["B-a", "I-a", "O", "B-b"], ["O", "B-a"], ["B-b"]]
PRED = [["B-a", "O", "O", "B-b"], ["O", "B-a"], ["O"]]


def test_metrics_leave_out_what_has_weight_0():
    weights = [[1, 0, 1, 1], [1, 1], [0]]
    masked = [["B-a", None, "O", "B-b"], ["O", "B-a"], [np.nan]]
    kept = [["B-a", "O", "B-b"], ["O", "B-a"]]
    for score in (token_accuracy_score, sequence_accuracy_score, span_f1_score):
        expected = score(kept, kept)
        assert score(masked, PRED, sample_weight=weights) == expected == 1
        assert score(TRUE, PRED) < 1
    # The pieces of a word: those beside one that doesn't count are neighbours.
    pieces = ["B-a", "-", "I-a"], ["B-a", "-", "I-a"]
    assert span_f1_score(*([p] for p in pieces), sample_weight=[[1, 0, 1]]) == 1


def test_metrics_weigh_steps():
    weights = [[1, 2, 3, 4], [5, 6], [7]]
    flat = [label for row in TRUE for label in row], [p for row in PRED for p in row]
    of_steps = [w for row in weights for w in row]
    expected = accuracy_score(*flat, sample_weight=of_steps)
    found = token_accuracy_score(TRUE, PRED, sample_weight=weights)
    assert found == pytest.approx(expected)
    # Spans of weights 1.5, 4, 6 and 7; the right ones 4 and 6; predicted 1, 4 and 6.
    expected = 2 * 10 / (18.5 + 11)
    assert span_f1_score(TRUE, PRED, sample_weight=weights) == pytest.approx(expected)
    # Of the sequences, with the weights 2.5, 5.5 and 7, one is right.
    found = sequence_accuracy_score(TRUE, PRED, sample_weight=weights)
    assert found == pytest.approx(5.5 / 15)
    for score in (span_f1_score, sequence_accuracy_score, token_accuracy_score):
        by_step = [[w] * len(row) for w, row in zip([1, 2, 3], TRUE, strict=True)]
        assert score(TRUE, PRED, sample_weight=by_step) == pytest.approx(
            score(TRUE, PRED, sample_weight=[1, 2, 3])
        )


def test_perplexity_weighs_steps():
    proba = RNG.dirichlet(np.ones(3), (4, 5))
    y, weights = RNG.integers(0, 3, (4, 5)), RNG.integers(0, 3, (4, 5))
    expected = perplexity(
        y.ravel(), proba.reshape(-1, 3), sample_weight=weights.ravel()
    )
    found = perplexity(y, proba, labels=range(3), sample_weight=weights)
    assert found == pytest.approx(expected)
    masked = np.where(weights > 0, y.astype(object), None)
    again = perplexity(masked, proba, labels=range(3), sample_weight=weights.tolist())
    assert again == found


@pytest.mark.parametrize("form", ["dense", "ragged"])
def test_they_are_routed_through_searches_and_scorers(form):
    y = X[..., 0] > 0
    x, weights = (X, W) if form == "dense" else (RAGGED, W_RAGGED)
    if form == "ragged":
        y = [t[: len(r)] for t, r in zip(y, RAGGED, strict=True)]
    with config_context(enable_metadata_routing=True):
        model = GRUClassifier(return_sequences=True, **FAST)
        model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        score = get_scorer("token_accuracy").set_score_request(sample_weight=True)
        for scoring in (None, score):
            options = {"cv": KFold(2), "scoring": scoring}
            params = {"sample_weight": weights}
            found = cross_validate(model, x, y, params=params, **options)["test_score"]
            search = GridSearchCV(model, {"units": [8]}, **options)
            search.fit(x, y, **params)
            assert search.best_score_ == pytest.approx(found.mean())
    first, second = slice(0, 12), slice(12, 24)
    model = GRUClassifier(return_sequences=True, **FAST)
    model.fit(x[first], y[first], sample_weight=weights[first])
    expected = model.score(x[second], y[second], weights[second])
    assert found[1] == pytest.approx(expected)


# Errors

STEP = GRURegressor(return_sequences=True, **FAST)
ONCE = GRURegressor(**FAST)
BAD = {
    "one answer": (ONCE, X[:, 0, 0], W, "sample_weight has shape (24, 5), but GRURegr"),
    "one answer, ragged": (ONCE, X[:, 0, 0], W_RAGGED, "set return_sequences=True"),
    "other steps": (
        STEP,
        X[..., 0],
        W[:, :4],
        "sample_weight needs a value for each of",
    ),
    "other rows": (STEP, X[..., 0], W[:5], "inconsistent numbers of samples: [24, 5]"),
    "other lengths": (
        STEP,
        X[..., 0],
        W_RAGGED,
        "sample_weight[0] has 2 time steps, but",
    ),
    "NaN": (
        STEP,
        X[..., 0],
        np.where(W, W, np.nan),
        "Input sample_weight contains NaN",
    ),
    "negative": (
        STEP,
        X[..., 0],
        -W,
        "Negative values in data passed to `sample_weigh",
    ),
    "zeros": (STEP, X[..., 0], 0 * W, "at least one non-zero number"),
    "strings": (
        STEP,
        X[..., 0],
        np.full((24, 5), "a"),
        "could not convert string to f",
    ),
    "another horizon": (
        FORECASTER,
        Y,
        W,
        "sample_weight[0] has shape (5,), but y[0] ha",
    ),
    "other pairs": (FORECASTER, Y, WY[:5], "sample_weight has 5 rows; expected 24"),
    "labels": (WRITER, WORDS, W, "sample_weight[0] has shape (5,), but y[0] has 3 st"),
    "NaN where it counts": (STEP, np.full((24, 5), np.nan), W, "Input y contains NaN"),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit", "score"])
@pytest.mark.parametrize("key", BAD)
def test_bad_weights_are_refused(key, method):
    model, y, weights, message = BAD[key]
    model, options = clone(model), {"sample_weight": weights}
    if method == "partial_fit" and is_classifier(model):
        options["classes"] = ["a", "b"]
    if method == "score":
        model.fit(X, np.nan_to_num(y) if is_regressor_of_nan(y) else y)
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        getattr(model, method)(X, y, **options)
    assert message in str(caught.value)


def is_regressor_of_nan(y):
    return y.dtype.kind == "f" and np.isnan(y).any()


def test_bad_weights_of_metrics_are_refused():
    for score in (token_accuracy_score, sequence_accuracy_score, span_f1_score):
        for weights, message in (
            (
                [[1, 1, 1, 1], [1], [1]],
                r"y_true\[1\] has 2 labels, but sample_weight\[1\]",
            ),
            ([[1, 1, 1, 1], [1, -1], [1]], "Negative values"),
            ([[1, 1, 1, 1], [1, 1]], "inconsistent numbers of samples"),
        ):
            with pytest.raises(ValueError, match=message):
                score(TRUE, PRED, sample_weight=weights)


OF_ANOTHER_SHAPE = {
    "a column": (np.ones((24, 5, 1)), r"shape \(24, 5, 1\); .*: \(24, 5\)"),
    "targets": (np.ones((24, 5, 2)), r"shape \(24, 5, 2\); .*: \(24, 5\)"),
    "columns": ([np.ones((5, 1))] * 24, r"steps of shape \(1,\); .*: \(T_i,\)"),
}


@pytest.mark.parametrize("key", OF_ANOTHER_SHAPE)
@pytest.mark.parametrize("network", STEPS, ids=name)
def test_weights_of_another_shape_are_named(network, key):
    weights, message = OF_ANOTHER_SHAPE[key]
    y = target(network, X)
    with pytest.raises(ValueError, match=f"sample_weight has {message}"):
        clone(network).fit(X, y, sample_weight=weights)
    with pytest.raises(ValueError, match=f"sample_weight has {message}"):
        clone(network).fit(X, y).score(X, y, sample_weight=weights)


@pytest.mark.parametrize("small", [1e-300, 1e-45, 1e-40, 1e-37, 1e-20])
@pytest.mark.parametrize("model", [STEP, GRURegressor(**FAST), FORECASTER], ids=name)
def test_a_weight_that_vanishes_beside_another_does_no_harm(model, small):
    y = target(model, X) * 3 + 20
    y = y if model is STEP or model is FORECASTER else y[:, 0]
    weights = np.full(y.shape, small)
    weights.flat[0] = 1
    fitted = clone(model).fit(X, y, sample_weight=weights)
    assert np.isfinite(fitted.history_["loss"]).all()
    assert np.isfinite(fitted.predict(X)).all()


# Advice of what answers several steps

ADVICE = {
    "targets ahead": (GRURegressor, (24, 3, 2), "take Seq2SeqRegressor, or flatten y"),
    "of every step": (GRURegressor, (24, 5, 2), "set return_sequences=True. For H st"),
    "labels ahead": (GRUClassifier, (24, 3), "take Seq2SeqClassifier"),
    "labels of steps": (GRUClassifier, (24, 5), "set return_sequences=True. For sev"),
}


@pytest.mark.parametrize("key", ADVICE)
def test_an_error_names_what_learns_such_targets(key):
    estimator, shape, message = ADVICE[key]
    y = np.arange(np.prod(shape)).reshape(shape) % 4
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        estimator(**FAST).fit(X, y)
    assert message in str(caught.value)
    assert ("return_sequences" in str(caught.value)) == (shape[1] == 5)
    if "ahead" in key:
        with pytest.raises(ValueError, match="Seq2Seq"):
            estimator(return_sequences=True, **FAST).fit(X, y)


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("model", [STEP, FORECASTER, WRITER], ids=name)
def test_frames_of_weights_have_a_row_for_each_sequence(model, library):
    frame = pytest.importorskip(library).DataFrame
    y = {STEP: X[..., 0], FORECASTER: Y, WRITER: WORDS}[model]
    weights = W if model is STEP else WY
    one = clone(model).fit(X, y, sample_weight=frame(weights))
    two = clone(model).fit(X, y, sample_weight=weights)
    assert_same_network(one, two)
    assert one.score(X, y, frame(weights)) == one.score(X, y, weights)


@pytest.mark.parametrize("form", ["table", "labels", "lists", "strings"])
def test_a_missing_sequence_of_labels_of_weight_0_is_left_out(form):
    y = {
        "table": WORDS.astype(object),
        "labels": WORDS[:, 0].astype(object),
        "lists": WORDS.tolist(),
        "strings": ["".join(row) for row in WORDS],
    }[form]
    rows, missing = np.arange(24) % 3 * 1.0, y.copy()
    for i in np.flatnonzero(rows == 0):
        missing[i] = None
    one, two = (clone(WRITER).fit(X, t, sample_weight=rows) for t in (y, missing))
    assert_same_network(one, two)
    assert one.score(X, y, rows) == two.score(X, missing, rows)
