"""Networks inside of searches, targets' transformers, and Pipelines in Pipelines."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor, VotingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import (
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    Seq2SeqClassifier,
    SequenceRegressor,
)
from skrnn.inspection import (
    AttentionDisplay,
    SequenceOutputDisplay,
    gates,
    gradient_flow,
    hidden_states,
    sequence_importance,
)
from skrnn.preprocessing import SequenceWise, SlidingWindow

RNG = np.random.default_rng(0)
TINY = dict(units=2, epochs=1, random_state=0)
FRAME = pd.DataFrame(RNG.normal(size=(60, 2)), columns=["wind", "sun"])
Y = 100 + 10 * FRAME["sun"]
X = RNG.normal(size=(30, 4, 2))
MAE = "neg_mean_absolute_error"


def windows():
    return SlidingWindow(3)


def pipeline():
    return make_pipeline(windows(), GRURegressor(**TINY))


def of_target(regressor):
    return TransformedTargetRegressor(regressor, transformer=StandardScaler())


def search(estimator, **options):
    return GridSearchCV(estimator, {}, cv=TimeSeriesSplit(2), **options)


AROUND = {
    "a Pipeline": pipeline(),
    "a target's transformer": of_target(pipeline()),
    "a search": search(pipeline(), scoring=MAE),
    "a search with several scores": search(pipeline(), scoring=["r2", MAE], refit=MAE),
    "a search of a target's transformer": search(of_target(pipeline()), scoring=MAE),
    "a target's transformer of a search": of_target(search(pipeline())),
    "a target's transformer in a Pipeline": make_pipeline(
        windows(), of_target(GRURegressor(**TINY))
    ),
    "a Pipeline in a Pipeline": make_pipeline(
        StandardScaler(),
        make_pipeline(windows(), SequenceWise(StandardScaler()), pipeline()[-1]),
    ),
    "a search in a Pipeline": make_pipeline(
        StandardScaler(), search(pipeline(), scoring=MAE)
    ),
    "frozen": FrozenEstimator(pipeline().fit(FRAME, Y)),
    "a target's transformer, frozen": FrozenEstimator(of_target(pipeline())),
}


@pytest.mark.parametrize("where", AROUND)
def test_windows_are_found_wherever_a_pipeline_stands(where):
    model = clone(AROUND[where])
    if where == "a target's transformer, frozen":
        model.estimator.fit(FRAME, Y)
    model.fit(FRAME, Y)
    found = sequence_importance(model, FRAME, Y, n_repeats=1, random_state=0)
    assert found.importances_mean.shape == (3, 2)
    assert found.feature_names == ["wind", "sun"]
    # What a search scores by is its own, and not the best estimator's.
    assert found.score == pytest.approx(model.score(FRAME, Y))
    assert hidden_states(model, FRAME).shape == (60, 3, 2)
    assert gates(model, FRAME).reset.shape == (60, 3, 2)
    flow = gradient_flow(model, FRAME, Y)
    assert flow.hidden.shape == (1, 3)
    display = SequenceOutputDisplay.from_estimator(
        model, FRAME, Y, sequence=7, gates=None
    )
    assert display.outputs[-1, 0] == pytest.approx(model.predict(FRAME)[7], rel=1e-6)
    assert display.truth[-1, 0] == Y.iloc[7]
    assert display.input_names == ["wind", "sun"]


def test_the_same_shuffles_lose_the_same_inside_of_a_targets_transformer():
    y = FRAME["sun"].shift(1, fill_value=0.0)
    network = GRURegressor(units=4, epochs=30, learning_rate=0.03, random_state=0)
    model = of_target(make_pipeline(windows(), network)).fit(FRAME, y)
    found = sequence_importance(model, FRAME, y, n_repeats=2, random_state=0)
    step, feature = np.unravel_index(found.importances_mean.argmax(), (3, 2))
    assert (found.lags[step], feature) == (1, 1)


def test_a_threshold_around_a_pipeline():
    labels = Y > 100
    model = FixedThresholdClassifier(make_pipeline(windows(), GRUClassifier(**TINY)))
    model.fit(FRAME, labels)
    found = sequence_importance(model, FRAME, labels, n_repeats=1, random_state=0)
    assert found.importances_mean.shape == (3, 2)
    assert found.score == model.score(FRAME, labels)


@pytest.mark.parametrize(
    "ensemble",
    [VotingRegressor([("one", pipeline())]), BaggingRegressor(pipeline(), 2)],
    ids=["voting", "bagging"],
)
def test_windows_inside_of_an_ensemble_are_refused(ensemble):
    ensemble.fit(FRAME, Y)
    with pytest.raises(TypeError, match=r"can't see the windows.*inside of a"):
        sequence_importance(ensemble, FRAME, Y)
    for look in gradient_flow, hidden_states, gates:
        with pytest.raises(TypeError, match=r"Got (Voting|Bagging)Regressor"):
            look(ensemble, FRAME)


def test_the_scoring_of_a_search_without_a_pipeline():
    y = X[:, -1, 0]
    model = search(GRURegressor(**TINY), scoring=MAE).fit(X, y)
    found = sequence_importance(
        model, X, y, n_repeats=1, sample_weight=np.ones(30), random_state=0
    )
    assert found.score == pytest.approx(model.score(X, y))
    asked = sequence_importance(model, X, y, scoring="r2", n_repeats=1)
    assert asked.score == pytest.approx(model.best_estimator_.score(X, y))


@pytest.mark.parametrize("k", [1, 2])
def test_answers_at_each_step_are_in_the_units_of_the_target(k):
    y = 1000 + 100 * X[:, :, :k]
    y = y[..., 0] if k == 1 else y
    scaler = StandardScaler() if k == 1 else SequenceWise(StandardScaler())
    network = GRURegressor(return_sequences=True, **TINY)
    model = TransformedTargetRegressor(network, transformer=scaler).fit(X, y)
    display = SequenceOutputDisplay.from_estimator(model, X, y, sequence=3)
    np.testing.assert_allclose(display.outputs, model.predict(X)[3].reshape(4, k))
    np.testing.assert_array_equal(display.truth, y[3].reshape(4, k))


def test_names_of_features_go_through_what_has_none():
    model = make_pipeline(
        # It makes an array, which has no names.
        StandardScaler(), SlidingWindow(3), SequenceWise(StandardScaler()),
        GRURegressor(**TINY),
    ).fit(FRAME, Y)  # fmt: skip
    found = SequenceOutputDisplay.from_estimator(model, FRAME, Y)
    assert found.input_names == ["wind", "sun"]
    other = clone(model).fit(FRAME.to_numpy(), Y)
    found = SequenceOutputDisplay.from_estimator(other, FRAME.to_numpy(), Y)
    assert found.input_names == ["x0", "x1"]


@pytest.mark.parametrize("n", [10, 60])
def test_as_many_targets_as_sequences(n):
    y = np.resize(X[:, -1, 0], n)
    model = LSTMRegressor(**TINY).fit(X, X[:, -1, 0])
    words = f"inconsistent numbers of samples: X has 30, y has {n}"
    with pytest.raises(ValueError, match=words):
        sequence_importance(model, X, y)
    with pytest.raises(ValueError, match=words):
        SequenceOutputDisplay.from_estimator(model, X, y, sequence=20)
    with pytest.raises(ValueError, match=f"sample_weight has {n}"):
        sequence_importance(model, X, X[:, 0, 0], sample_weight=np.ones(n))
    attending = SequenceRegressor(attention="dot", **TINY).fit(X, X[:, -1, 0])
    with pytest.raises(ValueError, match=f"future has {n}"):
        AttentionDisplay.from_estimator(attending, X, future=y)


def test_frames_of_polars_keep_their_names():
    columns = {f"t{i}": X[:, i, 0] for i in range(4)}
    y, frame = X[:, -1, 0], pl.DataFrame(columns)
    model = LSTMRegressor(**TINY).fit(frame, pl.Series(y))
    options = dict(n_repeats=1, random_state=0)
    # A warning of lost names would be an error here.
    found = sequence_importance(model, frame, pl.Series(y), **options)
    pandas = sequence_importance(model, pd.DataFrame(columns), y, **options)
    np.testing.assert_array_equal(found.importances, pandas.importances)
    series = pl.DataFrame(
        {"wind": FRAME["wind"].to_numpy(), "sun": FRAME["sun"].to_numpy()}
    )
    model = make_pipeline(SlidingWindow(3), GRURegressor(**TINY))
    found = sequence_importance(
        model.fit(series, Y.to_numpy()), series, Y.to_numpy(), **options
    )
    assert found.importances_mean.shape == (3, 2)
    assert found.feature_names == ["wind", "sun"]


WORDS = ["abc", "bac", "a", "ba"] * 6
OF_STRINGS = {
    "list": WORDS,
    "tuple": tuple(WORDS),
    "array": np.array(WORDS, dtype=object),
    "Series": pd.Series(WORDS),
    "frame": pd.DataFrame({"text": WORDS}),
    "lists of words": [[f"{'long' * len(w)}{c}" for c in w] for w in WORDS],
}


@pytest.mark.parametrize("form", OF_STRINGS)
def test_the_symbols_of_strings_are_shuffled(form):
    given = OF_STRINGS[form]
    y = WORDS if form != "tuple" else tuple(WORDS)
    model = Seq2SeqClassifier(max_length=3, units=6, epochs=60, learning_rate=0.05)
    model.set_params(random_state=0, attention="dot").fit(given, y)
    found = sequence_importance(model, given, y, n_repeats=2, random_state=0)
    assert found.importances_mean.shape == (3, 1)
    assert found.score == pytest.approx(model.score(given, y))
    assert found.importances_mean[-1, 0] > 0


@pytest.mark.parametrize("kind", [tuple, list, "array", "frames"])
def test_sequences_of_different_lengths_in_any_form(kind):
    ragged = [x[i % 2 :] for i, x in enumerate(X)]
    y = [x[:, 0] for x in ragged]
    model = GRURegressor(return_sequences=True, **TINY)
    if kind == "frames":
        given = [pd.DataFrame(x, columns=["a", "b"]) for x in ragged]
    elif kind == "array":
        given = np.empty(30, dtype=object)
        given[:] = ragged
    else:
        given, y = kind(ragged), kind(y)
    model.fit(given, y)
    options = dict(n_repeats=1, random_state=0)
    found = sequence_importance(model, given, y, **options)
    listed = sequence_importance(model.fit(ragged, list(y)), ragged, list(y), **options)
    np.testing.assert_array_equal(found.importances, listed.importances)


def test_numbers_are_not_cut_by_the_type_of_another_sequence():
    class Last(GRURegressor):
        def predict(self, X):
            return np.array([float(x[-1]) for x in X])

    given = [np.array([i]) if i % 2 else np.array([i + 0.5]) for i in range(20)]
    y = np.array([x[-1] for x in given])
    model = Last(**TINY).fit(given, y)
    seen = []
    sequence_importance(
        model, given, y, n_repeats=1, random_state=0,
        scoring=lambda model, X, y: seen.append(model.predict(X)) or 0.0,
    )  # fmt: skip
    np.testing.assert_array_equal(np.sort(seen[-1]), np.sort(y))
