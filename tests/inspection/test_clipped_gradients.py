"""What clipping leaves of gradients is what a step of training changes."""

import numpy as np
import pytest

from skrnn import GRUClassifier, GRURegressor, LSTMRegressor, SequenceClassifier
from skrnn.inspection import gradient_flow

RNG = np.random.default_rng(0)
X = 3 * RNG.normal(size=(12, 5, 2))
Y = X[:, 0].sum(axis=1)
LABELS = np.digitize(Y, [0])
# One step on all rows at once, of plain descent.
ONE_STEP = dict(
    units=3, epochs=1, batch_size=12, shuffle=False, random_state=0, optimizer="sgd"
)
LIMITS = {
    "none": dict(clipnorm=None),
    "of each": dict(clipnorm=0.05),
    "of all": dict(clipnorm=None, global_clipnorm=0.1),
    "both": dict(clipnorm=0.03, global_clipnorm=0.1),
    "wide": dict(clipnorm=100, global_clipnorm=1000),
}


@pytest.mark.parametrize(
    ("limits", "engine"), [*((each, "cpu") for each in LIMITS), ("both", "keras")]
)
def test_a_step_is_the_clipped_gradient(limits, engine):
    model = LSTMRegressor(**ONE_STEP | LIMITS[limits], engine=engine)
    before = model.set_params(learning_rate=1e-30).fit(X, Y)
    flow, first = gradient_flow(before, X, Y), before._weights
    after = model.set_params(learning_rate=1.0).fit(X, Y)._weights
    steps = [np.linalg.norm(a - b) for a, b in zip(after, first, strict=True)]
    np.testing.assert_allclose(list(flow.clipped.values()), steps, rtol=1e-3)
    assert flow.clipped.keys() == flow.weights.keys()


def test_wide_limits_leave_all():
    model = SequenceClassifier(**ONE_STEP | LIMITS["wide"]).fit(X, LABELS)
    flow = gradient_flow(model, X, LABELS)
    assert flow.clipped == flow.weights
    tight = model.set_params(clipnorm=None, global_clipnorm=0.01)
    found = gradient_flow(tight, X, LABELS).clipped.values()
    assert np.linalg.norm(list(found)) == pytest.approx(0.01)


def test_arrays_that_are_not_trained_have_no_share_in_the_norm_of_all():
    ids = RNG.integers(1, 5, (12, 4))
    table = {"embedding_matrix": 3 * np.eye(5, 3), "embedding_trainable": False}
    model = GRUClassifier(**ONE_STEP | LIMITS["of all"], embedding_dim=3, **table)
    before = model.set_params(learning_rate=1e-30).fit(ids, LABELS)
    flow, first = gradient_flow(before, ids, LABELS), before._weights
    assert next(iter(flow.weights)) == "gru/kernel"
    after = model.set_params(learning_rate=1.0).fit(ids, LABELS)._weights
    steps = [np.linalg.norm(a - b) for a, b in zip(after, first, strict=True)]
    assert steps[0] == 0
    np.testing.assert_allclose(list(flow.clipped.values()), steps[1:], rtol=1e-3)


def test_statistics_of_convolutions_have_no_gradient():
    model = GRURegressor(**ONE_STEP, conv_filters=4, conv_padding="causal")
    model.set_params(return_sequences=True).fit(X, X[:, :, 0])
    flow = gradient_flow(model, X, X[:, :, 0])
    convolution = [name for name in flow.weights if name.startswith("conv1d")]
    assert convolution == ["conv1d/kernel", "conv1d/gamma", "conv1d/beta"]
