"""The gradient's loss has the weights of classes that training had."""

import pickle

import numpy as np
import pytest

import skrnn
from skrnn.inspection import gradient_flow

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4, 2))
LABELS = np.array(["high", "low", "mid"])[np.digitize(X[:, -1, 0], [0.3, 1.0])]
STEPS = np.where(X[:, :, 0] > 0.8, "yes", "no")
SEVERAL = np.stack([X[:, -1, 0] > 0.8, X[:, -1, 1] > -0.7], axis=1).astype(int)
WORDS = ["a", "b", "ab", "aab"] * 10
# So small a step that the loss of the epoch is that of the weights after it.
STILL = dict(units=3, epochs=1, learning_rate=1e-12, random_state=0, batch_size=64)
MODELS = {
    "labels": (skrnn.GRUClassifier, X, LABELS, {"high": 1, "low": 5, "mid": 0.3}),
    "two labels": (skrnn.GRUClassifier, X, LABELS == "low", {True: 7}),
    "steps": (skrnn.GRUClassifier, X, STEPS, {"yes": 4.0}),
    "several labels": (skrnn.GRUClassifier, X, SEVERAL, [{1: 5.0}, {0: 3.0, 1: 0.5}]),
    "sequences of labels": (skrnn.Seq2SeqClassifier, WORDS, WORDS, {"b": 4.0}),
}


def fitted(kind, given, **options):
    cls, x, y, own = MODELS[kind]
    weights = own if given == "own" else given
    more = {"return_sequences": True} if kind == "steps" else {}
    model = cls(class_weight=weights, **STILL, **more)
    return model.fit(x, y, **options), x, y


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("given", ["own", "balanced"])
def test_it_is_the_loss_of_training(kind, given):
    model, x, y = fitted(kind, given)
    flow = gradient_flow(model, x, y)
    if kind not in ("sequences of labels",):
        assert flow.loss == pytest.approx(model.history_["loss"][0], rel=1e-4)
    # Each sequence has the weight that it had among all of them.
    own = [gradient_flow(model, x[i : i + 1], y[i : i + 1]).loss for i in range(40)]
    assert flow.loss == pytest.approx(np.mean(own), rel=1e-5)


def test_parts_of_y_are_not_balanced_anew():
    model, x, y = fitted("labels", "balanced")
    low = y == "low"
    column = model.classes_.tolist().index("low")
    plain = -np.log(model.predict_proba(x[low])[:, column]).mean()
    weight = len(y) / (3 * low.sum())
    found = gradient_flow(model, x[low], y[low]).loss
    assert found == pytest.approx(plain * weight, rel=1e-5)
    # What is given counts beside it, and so it is after a pickle.
    weights = np.linspace(0, 1, low.sum())
    weighted = gradient_flow(model, x[low], y[low], sample_weight=weights).loss
    again = pickle.loads(pickle.dumps(model))
    assert weighted != pytest.approx(found)
    assert gradient_flow(again, x[low], y[low]).loss == found


def test_weights_of_a_validation_set_are_its_own():
    cls, x, y, _ = MODELS["labels"]
    model = cls(class_weight="balanced", **STILL)
    alone = gradient_flow(model.fit(x, y), x, y).loss
    model.fit(x, y, X_val=x[:9], y_val=y[:9])
    assert gradient_flow(model, x, y).loss == alone
    # Nothing is left of them without.
    model.set_params(class_weight=None).fit(x, y)
    plain = cls(**STILL).fit(x, y)
    assert gradient_flow(model, x, y).loss == gradient_flow(plain, x, y).loss
