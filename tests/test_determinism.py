"""One seed, one network: in this process, in another, in threads and in workers.

And nothing global is read for it or changed by it.
"""

import hashlib
import json
import os
import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from _instances import (
    DETECTORS,
    FAST,
    FORMS,
    LEARNERS,
    OF_SERIES,
    SERIES,
    assert_same_network,
    in_new_process,
    labels,
    numbers,
    sequences,
    target,
    weights_of,
)
from _tables import covering
from joblib import parallel_config
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from skrnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    Seq2SeqClassifier,
    SequenceClassifier,
)


def tokens():
    return np.random.default_rng(0).integers(1, 9, size=(24, 5))


def cases():
    """Name -> unfitted estimator, X and y; whatever draws numbers is there once."""
    X, R = sequences("3-D"), sequences("ragged")
    plain = {
        type(each).__name__: (clone(each).set_params(epochs=2), X, target(each, X))
        for each in LEARNERS
    }
    plain |= {
        each.method: (clone(each).set_params(epochs=2), X, None) for each in DETECTORS
    }
    plain |= {name: (clone(each), None, SERIES) for name, each in OF_SERIES.items()}
    rich = LSTMRegressor(
        **FAST,
        bidirectional=True,
        attention="additive",
        dropout=0.2,
        recurrent_dropout=0.2,
        layer_norm=True,
        dense_units=(3,),
    )
    convolved = GRUClassifier(**FAST, conv_filters=(3, 2), conv_kernel_size=3)
    stopped = LSTMClassifier(**FAST, early_stopping=True, validation_split=0.25)
    steps = GRURegressor(**FAST, return_sequences=True)
    words = GRUClassifier(**FAST, embedding_dim=3)
    # With an optimizer of Keras.
    pair = Seq2SeqClassifier(
        **FAST, class_weight="balanced", dropout=0.2, optimizer="nadam"
    )
    return plain | {
        "convolutions": (convolved, R, labels(R)),
        "dropout": (rich, R, numbers(R)),
        "early_stopping": (stopped, R, labels(R)),
        "return_sequences": (steps, X, X[:, :, 0]),
        "embedding": (words, tokens(), labels(tokens())),
        "pairs": (pair, R, labels(R)),
    }


def digest(fitted):
    """Fingerprint the weights and the history of losses, to the last bit."""
    told = hashlib.sha256(json.dumps(fitted.history_).encode())
    for weight in weights_of(fitted):
        told.update(weight.tobytes())
    return told.hexdigest()


def digests():
    """Fit all cases afresh and fingerprint them."""
    return {name: digest(model.fit(X, y)) for name, (model, X, y) in cases().items()}


@pytest.fixture(scope="module")
def expected():
    return digests()


class TestSameSeed:
    def test_twice_in_this_process(self, expected):
        assert digests() == expected

    def test_in_a_new_process(self, expected):
        code = "import json, test_determinism as t; print(json.dumps(t.digests()))"
        # Neither the order of sets nor the number of BLAS threads may matter.
        told = in_new_process(code, PYTHONHASHSEED="7", OMP_NUM_THREADS="1")
        assert json.loads(told) == expected

    def test_in_threads_at_once(self, expected):
        start = Barrier(4)

        def fit(name):
            model, X, y = cases()[name]
            start.wait(timeout=60)
            return digest(model.fit(X, y))

        for name in ("LSTMRegressor", "embedding", "Forecaster"):
            with ThreadPoolExecutor(4) as pool:
                assert set(pool.map(fit, [name] * 4)) == {expected[name]}

    def test_threads_with_seeds_of_their_own(self):
        X, y = sequences("3-D"), numbers(sequences("3-D"))
        models = [LSTMRegressor(**FAST | {"random_state": i}) for i in range(4)]
        one_by_one = [clone(each).fit(X, y) for each in models]
        with ThreadPoolExecutor(4) as pool:
            at_once = list(pool.map(lambda each: each.fit(X, y), models))
        for left, right in zip(at_once, one_by_one, strict=True):
            assert_same_network(left, right)

    def test_how_training_is_cut_into_calls(self, monkeypatch):
        # That follows the clock: one batch a call, or up to 8 times more each time.
        X = np.random.default_rng(0).normal(size=(200, 5, 2))
        made = []
        for seconds in (0, 1e9):
            monkeypatch.setattr(
                "skrnn._engine.training.loop._SECONDS_PER_CALL", seconds
            )
            model = LSTMRegressor(**FAST, batch_size=3, early_stopping=True)
            made.append(digest(model.fit(X, numbers(X))))
        assert made[0] == made[1]

    def test_a_generator_is_drawn_from_once_a_fit(self):
        X, y = sequences("3-D"), numbers(sequences("3-D"))
        model = LSTMRegressor(**FAST | {"random_state": np.random.RandomState(3)})
        first, second = (digest(model.fit(X, y)) for _ in range(2))
        again = clone(model).set_params(random_state=np.random.RandomState(3))
        assert digest(again.fit(X, y)) == first != second

    @pytest.mark.parametrize("seeds", [(0, 1), (None, None)], ids=str)
    def test_other_seeds_other_networks(self, seeds):
        X, y = sequences("3-D"), numbers(sequences("3-D"))
        one, other = (LSTMRegressor(**FAST | {"random_state": seed}) for seed in seeds)
        assert digest(one.fit(X, y)) != digest(other.fit(X, y))


class TestWorkers:
    @pytest.mark.parametrize(
        ("form", "backend"), covering(FORMS, ["threading", "loky"])
    )
    def test_a_search_gives_the_same_numbers(self, form, backend):
        X = sequences(form)
        grid = {"cell": ["rnn", "lstm"], "learning_rate": [0.01, 0.05]}
        options = dict(cv=2, scoring=["accuracy", "neg_log_loss"], refit="neg_log_loss")
        search = GridSearchCV(SequenceClassifier(**FAST), grid, **options)
        alone = clone(search).fit(X, labels(X))
        with parallel_config(backend, n_jobs=2):
            together = clone(search).fit(X, labels(X))
        scores = [key for key in alone.cv_results_ if "split" in key]
        assert len(scores) == 4
        for key in scores:
            np.testing.assert_array_equal(
                alone.cv_results_[key], together.cv_results_[key]
            )
        assert_same_network(alone.best_estimator_, together.best_estimator_)

    @pytest.mark.parametrize(
        ("kind", "backend"), covering(OF_SERIES, ["threading", "loky"])
    )
    def test_a_search_over_forecasters_does_too(self, kind, backend):
        grid = {"normalize": ["window", "last"]}
        cv = TimeSeriesSplit(2, test_size=3)
        search = GridSearchCV(OF_SERIES[kind], grid, cv=cv, error_score="raise")
        X = np.empty((len(SERIES), 0))
        alone = clone(search).fit(X, SERIES)
        with parallel_config(backend, n_jobs=2):
            together = clone(search).fit(X, SERIES)
        for key in ("split0_test_score", "split1_test_score"):
            found = (each.cv_results_[key] for each in (alone, together))
            np.testing.assert_array_equal(*found)
        assert_same_network(alone.best_estimator_, together.best_estimator_)


class TestFitsAreApart:
    def test_a_later_fit_of_the_same_architecture_changes_nothing(self):
        X, y = sequences("3-D"), numbers(sequences("3-D"))
        first = LSTMRegressor(**FAST).fit(X, y)
        before = digest(first), first.predict(X)
        LSTMRegressor(**FAST | {"random_state": 1}).fit(-X, 5 * y)
        assert digest(first) == before[0]
        np.testing.assert_array_equal(first.predict(X), before[1])

    def test_interleaved_training(self):
        X, y = sequences("3-D"), numbers(sequences("3-D"))
        ways = [LSTMRegressor(**FAST | {"random_state": seed}) for seed in (0, 1)]
        apart = [clone(each).partial_fit(X, y).partial_fit(X, y) for each in ways]
        for _ in range(2):
            for each in ways:
                each.partial_fit(X, y)
        for left, right in zip(ways, apart, strict=True):
            assert_same_network(left, right)


class TestNothingGlobal:
    @pytest.fixture(params=["dropout", "embedding", "early_stopping"])
    def case(self, request):
        return cases()[request.param]

    @pytest.fixture
    def generators_restored(self):
        before = np.random.get_state(), random.getstate()  # noqa: NPY002
        yield
        np.random.set_state(before[0])  # noqa: NPY002
        random.setstate(before[1])

    @pytest.mark.parametrize("random_state", [None, 0])
    def test_random_generators_and_environment_stay(self, case, random_state):
        import keras
        import tensorflow as tf
        from tensorflow.python.framework.config import is_op_determinism_enabled

        def state():
            numpy_state = np.random.get_state()  # noqa: NPY002
            threading = tf.config.threading
            return (
                random.getstate(),
                [np.asarray(part).tolist() for part in numpy_state],
                dict(os.environ),
                os.getcwd(),
                is_op_determinism_enabled(),
                threading.get_intra_op_parallelism_threads(),
                threading.get_inter_op_parallelism_threads(),
                tf.config.functions_run_eagerly(),
                keras.config.floatx(),
                keras.config.dtype_policy().name,
            )

        model, X, y = case
        before = state()
        model.set_params(random_state=random_state).fit(X, y)
        model.predict(X)
        model.partial_fit(X, y).transform(X)
        assert state() == before
        assert not is_op_determinism_enabled()

    @pytest.mark.usefixtures("generators_restored")
    def test_generators_of_tensorflow_and_keras_stay(self, case):
        import keras
        import tensorflow as tf

        def drawn():
            return tf.random.uniform([3]).numpy(), np.array(keras.random.uniform([3]))

        model, X, y = case
        keras.utils.set_random_seed(0)
        undisturbed = drawn()
        keras.utils.set_random_seed(0)
        model.set_params(random_state=None).fit(X, y).predict(X)
        np.testing.assert_array_equal(drawn(), undisturbed)

    @pytest.mark.usefixtures("generators_restored")
    @pytest.mark.parametrize("random_state", [None, 0])
    def test_global_seeds_do_not_matter(self, case, random_state):
        model, X, y = case
        model.set_params(random_state=random_state)
        made = []
        for _ in range(2):
            np.random.seed(0)  # noqa: NPY002
            random.seed(0)
            made.append(digest(clone(model).fit(X, y)))
        assert (made[0] == made[1]) == (random_state == 0)
