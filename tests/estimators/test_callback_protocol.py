"""scikit-learn's own tests of callbacks, run on a network in place of their estimator.

Their tests name the estimator in a global variable of their module, and fit it without
data: ours has some.
"""

import numpy as np
import pytest

from skrnn import GRURegressor

of_support = pytest.importorskip("sklearn.callback.tests.test_callback_support")
of_contexts = pytest.importorskip("sklearn.callback.tests.test_callback_context")
of_pickles = pytest.importorskip("sklearn.callback.tests.test_pickle")

DATA = np.random.default_rng(0).normal(size=(12, 3, 1))


class Network(GRURegressor):
    """Trains on data of its own where it is given none."""

    def fit(self, X_given=None, y=None, *, X=None):
        given = X_given if X is None else X
        if given is None:
            given, y = DATA, DATA[:, -1, 0]
        return super().fit(given, y)


def network(max_iter=20, computation_intensity=None):
    """Take the parameters of their estimator."""
    return Network(units=2, epochs=max_iter, random_state=0)


every_kind = pytest.mark.parametrize(
    "name", ["RecordingCallback", "RecordingAutoPropagatedCallback"]
)


@pytest.fixture(autouse=True)
def in_place_of_theirs(monkeypatch):
    for module in of_support, of_contexts, of_pickles:
        monkeypatch.setattr(module, "MaxIterEstimator", network)


@pytest.mark.parametrize(
    "fail_at", ["setup", "on_fit_task_begin", "on_fit_task_end", "teardown"]
)
def test_a_callback_that_fails_is_torn_down(fail_at):
    of_support.test_callback_error(fail_at)


def test_those_are_torn_down_that_were_set_up():
    of_support.test_teardown_matches_setup_calls_on_partial_setup_failure()
    of_support.test_multiple_teardown_errors_are_grouped()


def test_callbacks_are_set_and_removed():
    of_support.test_set_callbacks([of_support.RecordingCallback()])
    of_support.test_set_callback_empty()


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize(
    "name", ["RecordingCallback", "RecordingAutoPropagatedCallback"]
)
def test_fits_in_threads_are_told_one_by_one(n_jobs, name):
    kind = getattr(of_support, name)
    of_support.test_function_no_callback_support(n_jobs, "threads", kind)


@pytest.mark.parametrize(
    "name", ["RecordingCallback", "RecordingAutoPropagatedCallback"]
)
def test_every_hook_is_called_as_often_as_it_should(name):
    of_contexts.test_callback_hooks_called(getattr(of_contexts, name))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_hooks_are_called_in_a_meta_estimator(n_jobs):
    of_contexts.test_meta_estimator_autopropagated_callback_hooks_called(n_jobs)
    of_contexts.test_meta_estimator_callback_hooks_called(n_jobs)


def test_a_callback_that_is_handed_on_belongs_outside():
    of_contexts.test_auto_propagated_callbacks()


def test_contexts_are_clean():
    of_contexts.test_propagate_callback_context_clean_up()
    of_contexts.test_callback_ctx_removed_after_fit(network)


@pytest.mark.parametrize("factory", of_pickles.CALLBACK_FACTORIES)
def test_an_estimator_with_callbacks_is_pickled(factory, monkeypatch):
    of_pickles.test_listener_state_is_not_walked_by_the_pickler(factory, monkeypatch)


@pytest.mark.parametrize("factory", [of_pickles._sm])
def test_pickles_before_and_after_a_fit(factory):
    model = network(3).set_callbacks(factory())
    for _ in range(2):
        restored = of_pickles.pickle.loads(of_pickles.pickle.dumps(model))
        assert len(restored._skl_callbacks) == 1
        model.fit()
