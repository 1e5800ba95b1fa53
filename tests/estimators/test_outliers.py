"""The detector of odd sequences and odd rows: what it finds, reads and scores."""

import pickle

import numpy as np
import pytest
from _instances import DETECTORS, FAST, assert_same_network
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from skrnn import SequenceOutlierDetector
from skrnn._data.sequences import are_windows, pack_block, pack_dense, pack_ragged
from skrnn._estimators.tasks.outliers import robust_units, usual_at_most
from skrnn.preprocessing import SlidingWindow

CLOSE = dict(rtol=1e-3, atol=1e-4)
QUICK = FAST | dict(units=4)
RNG = np.random.default_rng(0)
WAVE = np.sin(np.arange(300) / 4)[:, None] + RNG.normal(scale=0.05, size=(300, 1))
RAGGED = [RNG.normal(size=(length, 2)) for length in np.arange(24) % 4 + 1]

both = pytest.mark.parametrize("method", ["prediction", "reconstruction"])


def detector(**parameters):
    return SequenceOutlierDetector(**QUICK | parameters)


def by_hand(model, x):
    """Score one sequence (T, F), with the Keras model, as the documentation says."""
    units = np.clip((x - model.center_) / model.scale_, -100, 100)
    told = np.asarray(model.model_(units[None].astype(np.float32)))[0]
    errors = (x - model.center_) / model.scale_ - told
    if model.scored_steps_ != "all":
        errors = errors[-model.scored_steps_ :]
    elif model.method == "prediction" and len(x) > 1:
        errors = errors[1:]
    scale = model.error_scale_[len(x) - len(errors) : len(x)]
    return -np.sqrt(((errors / scale) ** 2).mean())


class TestWhatItFinds:
    @both
    def test_an_odd_sequence_among_others(self, method):
        starts = RNG.uniform(0, 6, size=(80, 1))
        X = np.sin(starts + np.arange(10) / 2)
        X[13, 5:] = X[13, 4]
        model = SequenceOutlierDetector(
            method=method, units=8, epochs=60, learning_rate=0.02, random_state=0
        )
        assert model.fit(X).score_samples(X).argmin() == 13

    def test_an_odd_row_of_a_series(self):
        series = WAVE.copy()
        series[200] += 2
        model = SequenceOutlierDetector(
            units=8, epochs=30, learning_rate=0.02, random_state=0
        )
        pipeline = make_pipeline(SlidingWindow(12), model)
        scores = pipeline.fit(series).score_samples(series)
        assert scores.shape == (300,)
        assert scores.argmin() == 200

    def test_outliers_in_training_do_not_set_the_units(self):
        X = RNG.normal(size=(60, 5))
        clean = detector(scored_steps="all").fit(X)
        X[:6] *= 1e6
        spoilt = detector(scored_steps="all").fit(X)
        assert_allclose(spoilt.scale_, clean.scale_, rtol=0.5)
        assert_allclose(spoilt.error_scale_, clean.error_scale_, rtol=0.5)
        assert set(np.argsort(spoilt.score_samples(X))[:6]) == set(range(6))

    def test_features_of_any_unit_count_alike(self):
        X = RNG.normal(size=(60, 5, 2))
        model = detector().fit(X)
        other = detector().fit(X * [1e6, 1e-6] + [1e9, 0])
        assert_allclose(
            other.score_samples(X * [1e6, 1e-6] + [1e9, 0]),
            model.score_samples(X),
            rtol=1e-3,
        )


class TestScores:
    @pytest.mark.usefixtures("eagerly")
    @both
    @pytest.mark.parametrize(
        ("scored", "engine"), [("all", "cpu"), (2, "cpu"), ("all", "keras")]
    )
    def test_they_are_what_the_documentation_says(self, method, scored, engine):
        parameters = dict(scored_steps=scored, engine=engine, epochs=1)
        model = detector(method=method, **parameters).fit(RAGGED)
        expected = [by_hand(model, x) for x in RAGGED[:4]]
        assert_allclose(model.score_samples(RAGGED[:4]), expected, **CLOSE)

    @both
    def test_a_usual_sequence_scores_about_minus_one(self, method):
        X = RNG.normal(size=(60, 5))
        scores = detector(method=method).fit(X).score_samples(X)
        assert np.median(scores) == pytest.approx(-1, abs=0.2)

    def test_a_prediction_does_not_see_its_step_nor_what_follows(self):
        X = RNG.normal(size=(30, 6))
        network = detector().fit(X).model_
        changed = X[:, :, None].astype(np.float32).copy()
        told = np.asarray(network(changed))
        changed[:, 3:] += 5
        assert_array_equal(np.asarray(network(changed))[:, :4], told[:, :4])
        assert np.abs(np.asarray(network(changed)) - told)[:, 4:].max() > 0

    @both
    def test_later_steps_of_others_are_no_matter(self, method):
        model = detector(method=method).fit(RAGGED)
        together = model.score_samples(RAGGED)
        alone = np.concatenate([model.score_samples([x]) for x in RAGGED])
        assert_allclose(together, alone, **CLOSE)

    @settings(max_examples=25, derandomize=True)
    @given(
        lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5),
        method=st.sampled_from(["prediction", "reconstruction"]),
    )
    def test_any_lengths_are_scored(self, lengths, method):
        model = FITTED[method]
        X = [RNG.normal(size=(length, 2)) for length in lengths]
        scores = model.score_samples(X)
        assert scores.shape == (len(X),)
        assert (np.isfinite(scores) & (scores <= 0)).all()

    def test_huge_values_have_finite_scores(self):
        model = detector().fit(RAGGED)
        scores = model.score_samples([np.full((3, 2), 1e300)])
        assert np.isfinite(scores).all()
        assert scores < model.score_samples(RAGGED).min()


FITTED = {
    each.method: clone(each).set_params(**QUICK).fit(RAGGED) for each in DETECTORS
}


class TestWindows:
    def test_a_view_and_its_copy_score_the_last_step(self):
        windows = SlidingWindow(8).fit_transform(WAVE)
        view, copied = detector().fit(windows), detector().fit(np.array(windows))
        assert view.scored_steps_ == copied.scored_steps_ == 1
        assert_same_network(view, copied)
        assert_allclose(view.score_samples(windows), copied.score_samples(windows))

    def test_what_was_learnt_holds_for_a_single_window(self):
        windows = SlidingWindow(8).fit_transform(WAVE)
        model = detector().fit(windows)
        alone = model.score_samples(windows[50:51])
        assert_allclose(alone, model.score_samples(windows)[50:51], **CLOSE)

    def test_several_series(self):
        groups = np.repeat(["a", "b", "c"], 100)
        windows = SlidingWindow(5, sampling_rate=2).fit_transform(WAVE, groups=groups)
        model = detector().fit(windows)
        assert model.scored_steps_ == 1
        assert model.score_samples(windows).shape == (300,)

    @pytest.mark.parametrize(
        ("packed", "expected"),
        [
            (pack_dense(RNG.normal(size=(6, 4)), "columns"), False),
            (pack_block(SlidingWindow(3).fit_transform(WAVE)), True),
            (pack_block(np.array(SlidingWindow(3).fit_transform(WAVE))), True),
            (pack_block(SlidingWindow(1).fit_transform(WAVE)), False),
            (pack_ragged([WAVE[:3], WAVE[1:4]]), False),
            (pack_block(WAVE[None, :9]), False),
        ],
    )
    def test_windows_are_recognised(self, packed, expected):
        assert are_windows(packed) is expected

    def test_rows_stay_rows_through_a_search(self):
        pipeline = make_pipeline(SlidingWindow(4), detector())
        search = GridSearchCV(
            pipeline,
            {"sequenceoutlierdetector__units": [2, 3]},
            scoring=lambda model, X, y=None: model.score_samples(X).mean(),
            cv=TimeSeriesSplit(2),
        )
        assert search.fit(WAVE).predict(WAVE).shape == (300,)


class TestOffset:
    X = RNG.normal(size=(200, 5))

    @pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
    def test_a_share_of_the_training_data(self, share):
        labels = detector(contamination=share).fit_predict(self.X)
        assert (labels < 0).sum() == 200 * share

    def test_none_of_clean_training_data(self):
        model = detector(contamination=None).fit(self.X)
        assert (model.predict(self.X) == 1).all()
        assert model.predict(self.X[:1] + 50) == -1

    def test_auto_finds_those_that_are_far_away_and_no_others(self):
        X = self.X.copy()
        X[[3, 9]] += 40
        labels = detector(contamination="auto").fit_predict(X)
        assert_array_equal(np.flatnonzero(labels < 0), [3, 9])

    @pytest.mark.parametrize("n_numbers", [1, 3, 30])
    def test_auto_is_as_far_for_any_number_of_errors(self, n_numbers):
        errors = np.random.default_rng(1).normal(size=(20_000, n_numbers))
        sizes = np.sqrt((errors**2).mean(axis=1))
        limit = usual_at_most(sizes / np.median(sizes)) * np.median(sizes)
        assert (sizes > limit).mean() <= 1e-4
        # A limit that nothing reaches would be none.
        assert limit < 1.5 * sizes.max()

    def test_equal_scores_are_no_outliers(self):
        model = detector(contamination="auto").fit(np.ones((5, 3)))
        assert (model.predict(np.ones((5, 3))) == 1).all()
        assert (model.scale_ == 1).all()


class TestTraining:
    @both
    def test_pickles_score_the_same(self, method):
        again = pickle.loads(pickle.dumps(FITTED[method]))
        assert_array_equal(
            again.score_samples(RAGGED), FITTED[method].score_samples(RAGGED)
        )

    def test_a_warm_start_goes_on_in_the_same_units(self):
        model = detector(warm_start=True).fit(RAGGED)
        center = model.center_
        model.fit([x + 1 for x in RAGGED])
        assert model.n_iter_ == 4
        assert_array_equal(model.center_, center)

    def test_a_changed_method_cannot_go_on(self):
        model = detector(warm_start=True).fit(RAGGED)
        weights = model._weights
        with pytest.raises(ValueError, match=r"cannot go on training: .*method"):
            model.set_params(method="reconstruction").fit(RAGGED)
        assert model._weights is weights

    def test_training_that_diverges_warns_and_still_scores(self):
        model = detector(learning_rate=1e30, clipnorm=None, loss="mse", epochs=5)
        with pytest.warns(Warning, match="loss is not finite"):
            model.fit(RAGGED)
        assert np.isfinite(model.score_samples(RAGGED)).all()

    def test_both_engines_learn_alike(self):
        scores = [
            detector(engine=engine).fit(RAGGED).score_samples(RAGGED)
            for engine in ("cpu", "keras")
        ]
        assert_allclose(*scores, rtol=0.02, atol=0.02)

    def test_it_says_how_it_goes(self, capsys):
        detector(verbose=2).fit(RAGGED)
        assert "SequenceOutlierDetector" in capsys.readouterr().err


BAD = {
    "contamination": [0, 0.6, "all", True],
    "scored_steps": [0, 1.5, "last", True],
    "method": ["forecast", None],
    "latent_dim": [0, 2.5],
    "loss": ["pinball", "categorical_crossentropy"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in BAD for value in BAD[name]]
)
def test_a_wrong_parameter_is_named(name, value):
    with pytest.raises(ValueError, match=name):
        detector(**{name: value}).fit(RAGGED)


@pytest.mark.parametrize(
    ("X", "said"),
    [
        ([[1.0, np.nan], [1.0, 2.0]], "contains NaN"),
        ([[1.0, 2.0]], "minimum of 2 is required"),
        ([[1e308, -1e308], [1e308, -1e308]], "infinite in float64"),
        ([["a", "b"], ["c", "d"]], "X"),
    ],
)
def test_bad_input_changes_nothing(X, said):
    model = detector().fit(np.ones((3, 2)))
    before = dict(vars(model))
    with pytest.raises((ValueError, TypeError), match=said):
        model.fit(X)
    assert vars(model) == before


def test_units_of_columns_that_hardly_vary():
    values = np.zeros((10, 2))
    values[0, 0] = 5
    center, scale = robust_units(values)
    assert_array_equal(center, [0, 0])
    assert_allclose(scale, [1.5, 1])
