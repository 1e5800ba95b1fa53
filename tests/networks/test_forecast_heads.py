"""Networks with several outputs a target: trained, predicted, streamed and saved."""

import copy
import json
import pickle
from dataclasses import replace

import keras
import numpy as np
import pytest
from _forecast_cases import every_forecast, head_of
from _network_cases import draw_dense, draw_ragged, draw_weights, predict, spec_of

from skrnn import SequenceRegressor, _engine
from skrnn._data.datasets import Dataset, first_targets
from skrnn._engine.prediction.batches import RUNNERS
from skrnn._engine.prediction.streaming import Stream
from skrnn._networks.distributions import DISTRIBUTIONS
from skrnn._networks.keras.models import build_model
from skrnn._networks.specs import Head, NetworkSpec

# As the estimators of sequences are, with an answer for each step.
STEPS = dict(cell="gru", units=(3,), return_sequences=True)
PLAN = dict(
    loss=None, optimizer="adam", learning_rate=0.02, epochs=3, batch_size=4,
    shuffle=True, clipnorm=1.0, seed=0, early_stopping=False, patience=3, callbacks=(),
    verbose=0,
)  # fmt: skip


def targets_for(head, n, seed=0):
    rng = np.random.default_rng(seed)
    shape = n, head.n_targets
    if head.target_width == head.n_targets:
        return rng.normal(size=shape).astype(np.float32)
    columns = rng.poisson(9, shape), rng.uniform(4, 9, shape)
    return np.concatenate(columns, axis=1).astype(np.float32)


def dataset_for(spec, sequences, seed=0):
    of_steps = spec.return_sequences
    n = int(sequences.lengths.sum()) if of_steps else len(sequences)
    targets = targets_for(spec.head, n, seed)
    weights = np.random.default_rng(seed).uniform(0.5, 2, n).astype(np.float32)
    starts = first_targets(sequences, of_steps)
    return Dataset(sequences, targets, weights, starts, of_steps)


def plan_of(**options):
    return _engine.TrainPlan(**PLAN | options)


def trained(spec, sequences, engine, *, validated=False):
    data = dataset_for(spec, sequences)
    held_out = data.take(np.arange(2)) if validated else None
    given = spec, plan_of(), data, held_out, draw_weights(spec)
    return _engine.train(*given, engine=engine)


@every_forecast
def test_both_engines_train_alike(name):
    # One that Keras compiles in little time.
    spec = spec_of(**STEPS | dict(cell="lstm"), head=head_of(name))
    sequences = draw_ragged(spec)
    mine, other = (trained(spec, sequences, each) for each in ("cpu", "keras"))
    assert mine.history["loss"][-1] < mine.history["loss"][0]
    np.testing.assert_allclose(other.history["loss"], mine.history["loss"], 1e-4)
    for a, b, start in zip(
        mine.weights, other.weights, draw_weights(spec), strict=True
    ):
        np.testing.assert_allclose(b, a, rtol=1e-3, atol=1e-4)
        assert (a != start).any()


def test_a_network_that_answers_once_trains_too():
    spec = spec_of(cell="lstm", head=head_of("quantiles", 1))
    mine, other = (
        trained(spec, draw_dense(spec)[1], each, validated=True).history
        for each in ("cpu", "keras")
    )
    for key in ("loss", "val_loss"):
        np.testing.assert_allclose(other[key], mine[key], 1e-4)


@every_forecast
@pytest.mark.parametrize("steps", [False, True])
def test_what_is_predicted_is_what_the_model_of_keras_computes(name, steps):
    head = head_of(name)
    spec = spec_of(**STEPS | dict(return_sequences=steps), head=head)
    X, sequences = draw_dense(spec)
    weights = draw_weights(spec)
    raw = replace(spec, head=Head(head.units))
    outputs, _ = predict(raw, weights, sequences)
    expected = head.predictions(np, outputs)
    for runner in RUNNERS:
        found, _ = predict(spec, weights, sequences, by=runner)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    found = np.asarray(build_model(spec, weights)(X)).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    if name != "poisson":
        assert (outputs != expected).any(axis=0).sum() >= head.units // 4


@every_forecast
def test_a_stream_predicts_it_step_by_step(name):
    spec = spec_of(**STEPS, head=head_of(name))
    X, sequences = draw_dense(spec, n=1)
    weights = draw_weights(spec)
    expected, _ = predict(spec, weights, sequences)
    stream = Stream(spec, weights)
    np.testing.assert_allclose([stream.step(x) for x in X[0]], expected, rtol=1e-5)


@every_forecast
def test_a_model_of_keras_can_be_saved(name, tmp_path):
    spec = spec_of(**STEPS, head=head_of(name))
    X, _ = draw_dense(spec)
    model = build_model(spec, draw_weights(spec))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(X), model(X))


@every_forecast
def test_callbacks_see_a_model_with_the_loss_of_the_head(name):
    spec = spec_of(**STEPS, head=head_of(name))
    X, sequences = draw_dense(spec)
    data = dataset_for(spec, sequences)
    data = replace(data, weights=np.ones_like(data.weights))
    y = data.targets.reshape(*X.shape[:2], -1)

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.found, self.logs = self.model.evaluate(X, y, verbose=0), logs

    look = Look()
    given = spec, plan_of(callbacks=(look,)), data, data, draw_weights(spec)
    _engine.train(*given, engine="cpu")
    np.testing.assert_allclose(look.found, look.logs["val_loss"], rtol=1e-4)


@every_forecast
def test_a_spec_survives_json_and_pickles(name):
    spec = spec_of("gru", head=head_of(name))
    for again in (
        NetworkSpec.from_json(spec.to_json()),
        NetworkSpec.from_json(json.dumps(json.loads(spec.to_json()))),
        pickle.loads(pickle.dumps(spec)),
        copy.deepcopy(spec),
    ):
        assert again == spec
        assert hash(again) == hash(spec)
        assert again.head.loss == spec.head.loss


# Training learns what it should.


def learn(head, targets):
    """Train on two kinds of windows; return what is predicted for each."""
    n = len(targets)
    X = np.zeros((n, 1, 2), np.float32)
    X[np.arange(n), 0, np.arange(n) % 2] = 1
    spec = spec_of(cell="gru", units=(4,), head=head)
    sequences = draw_dense(spec, n, 1)[1]
    sequences = replace(sequences, values=X.reshape(n, 2))
    weights, starts = np.ones(n, np.float32), first_targets(sequences, False)
    data = Dataset(sequences, targets.astype(np.float32), weights, starts)
    options = dict(epochs=30, planned_epochs=30, schedule="cosine")
    plan = plan_of(**options, learning_rate=0.1, batch_size=64)
    weights = _engine.train(spec, plan, data, None, draw_weights(spec)).weights
    return _engine.predict(spec, weights, sequences.take(np.arange(2)))


def test_quantiles_are_learnt():
    rng = np.random.default_rng(0)
    y = rng.normal([0, 2], [1, 3], (600, 2)).reshape(-1, 1)
    head = Head(3, loss=("quantiles", (0.1, 0.5, 0.9)))
    found = head.by_target(learn(head, y))[:, 0]
    expected = np.array([[-1.28, 0, 1.28], [2 - 3.84, 2, 5.84]])
    np.testing.assert_allclose(found, expected, atol=0.5)


LEARNT = {
    "normal": (lambda rng: rng.normal([0, 2], [1, 3], (600, 2)), [[0, 1], [2, 3]]),
    "student_t": (
        lambda rng: [0, 2] + [1, 3] * rng.standard_t(4, (600, 2)),
        [[0, 1, 4], [2, 3, 4]],
    ),
    "negative_binomial": (
        lambda rng: rng.negative_binomial(2, [0.2, 0.05], (600, 2)),
        [[2, 0.5], [9.5, 0.5]],
    ),
    "poisson": (lambda rng: rng.poisson([3, 20], (600, 2)), [[0.75], [5]]),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distributions_are_learnt(name):
    make, expected = LEARNT[name]
    head = Head(len(DISTRIBUTIONS[name].parameters), loss=name)
    y = np.asarray(make(np.random.default_rng(0)), float).reshape(-1, 1)
    if DISTRIBUTIONS[name].counts:
        y = np.concatenate([y, np.full_like(y, 4)], axis=1)
    found = learn(head, y)
    np.testing.assert_allclose(found, expected, rtol=0.35, atol=0.3)


# Estimators


class QuantileRegressor(SequenceRegressor):
    """An estimator of quantiles: its head, and what it makes of predictions."""

    def _head(self):
        return Head(3, loss=("quantiles", (0.1, 0.5, 0.9)))

    def _decode(self, outputs):
        return outputs * self._y_scale + self._y_offset


class NormalRegressor(SequenceRegressor):
    def _head(self):
        return Head(2, loss="normal")

    def _decode(self, outputs):
        return DISTRIBUTIONS["normal"].mean(outputs, self._y_offset, self._y_scale)


@pytest.mark.parametrize("engine", ["cpu", "keras"])
@pytest.mark.parametrize("kind", [QuantileRegressor, NormalRegressor])
def test_estimators_work_with_such_heads(kind, engine):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 5, 2)), rng.normal(size=20)
    made = kind(units=3, epochs=2, random_state=0, engine=engine, warm_start=True)
    found = made.fit(X, y).predict(X)
    assert found.shape == (20, 3 if kind is QuantileRegressor else 1)
    assert (np.diff(found, axis=1) >= 0).all()
    again = pickle.loads(pickle.dumps(made))
    np.testing.assert_array_equal(again.predict(X), found)
    made.fit(X, y).partial_fit(X, y)
    assert made.n_iter_ == 5
    if kind is QuantileRegressor:
        np.testing.assert_allclose(made.model_(X), made.predict(X), 1e-3, 1e-4)


def test_a_state_with_an_impossible_head_is_refused():
    X = np.random.default_rng(0).normal(size=(20, 5, 2))
    made = QuantileRegressor(units=3, epochs=1).fit(X, X[:, 0, 0])
    for bad in (["quantiles", [0.9, 0.1, 0.2]], ["quantiles", [0.1, 0.9]], ["normal"]):
        state = made.__getstate__()
        spec = json.loads(state["_spec"])
        spec["head"]["loss"] = bad
        state["_spec"] = json.dumps(spec)
        with pytest.raises(ValueError, match="_spec can't be read"):
            QuantileRegressor().__setstate__(state)
