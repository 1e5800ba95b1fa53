"""`weights_`: names, shapes and the order of gates; for reading only."""

import copy
import pickle

import numpy as np
import pytest
from _instances import FAST, FORECASTERS, LEARNERS, OF_TEXT, sequences, target
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import skrnn
from skrnn._networks.weights import weight_table

X = np.random.default_rng(0).normal(size=(30, 4, 2))
Y = X[:, -1, 0]


def names_and_shapes(model):
    return {
        layer: {name: array.shape for name, array in arrays.items()}
        for layer, arrays in model.weights_.items()
    }


def test_names_are_those_of_keras_layers():
    options = FAST | dict(units=(3, 2), bidirectional=True, layer_norm=True)
    model = skrnn.LSTMRegressor(attention="additive", dense_units=5, **options)
    lstm = {"kernel": (2, 12), "recurrent_kernel": (3, 12), "bias": (12,)}
    second = {"kernel": (6, 8), "recurrent_kernel": (2, 8), "bias": (8,)}
    square = {f"{name}_kernel": (4, 4) for name in ("query", "key")}
    assert names_and_shapes(model.fit(X, Y)) == {
        "forward_lstm": lstm,
        "backward_lstm": lstm,
        "layer_normalization": {"gamma": (6,), "beta": (6,)},
        "forward_lstm_1": second,
        "backward_lstm_1": second,
        "layer_normalization_1": {"gamma": (4,), "beta": (4,)},
        "attention": square | {"score_kernel": (4, 1)},
        "dense": {"kernel": (8, 5), "bias": (5,)},
        "head": {"kernel": (5, 1), "bias": (1,)},
        "units_of_y": {"scale": (1,), "offset": (1,)},
    }


def test_names_of_an_encoder_and_a_decoder():
    words = ["ab", "ba"] * 10
    model = skrnn.Seq2SeqClassifier(**FAST, attention="dot").fit(words, words)
    assert [*model.weights_] == [
        "encoder_embedding",
        "encoder_forward_lstm",
        "encoder_backward_lstm",
        "encoder_lstm_bridge_0",
        "encoder_lstm_bridge_1",
        "decoder_embedding",
        "decoder_lstm",
        "attention",
        "combine",
        "head",
    ]
    assert [*model.weights_["attention"]] == ["query_kernel"]


@pytest.mark.parametrize(
    "model", [*LEARNERS, *OF_TEXT], ids=lambda model: type(model).__name__
)
def test_every_weight_has_a_name_of_its_own(model):
    X = sequences("texts") if model in OF_TEXT else sequences("3-D")
    model = clone(model).set_params(epochs=1)
    model.fit(X, target(model, X))
    named = [
        array
        for layer, arrays in model.weights_.items()
        if layer != "units_of_y"
        for array in arrays.values()
    ]
    assert len(named) == len(weight_table(model._spec))
    for array, weight in zip(named, model._weights, strict=True):
        np.testing.assert_array_equal(array, weight)


def test_it_is_printed_with_shapes_and_the_order_of_gates():
    weights = skrnn.GRURegressor(**FAST | dict(units=3)).fit(X, Y).weights_
    assert weights["gru"].gates == ("update", "reset", "candidate")
    assert repr(weights).splitlines() == [
        "gru",
        "    kernel            (2, 9)        3 columns each: update, reset, candidate",
        "    recurrent_kernel  (3, 9)        3 columns each: update, reset, candidate",
        "    bias              (2, 9)        3 columns each: update, reset, candidate",
        "head",
        "    kernel            (3, 1)",
        "    bias              (1,)",
        "units_of_y",
        "    scale             (1,)",
        "    offset            (1,)",
    ]


def test_the_columns_of_a_gate():
    weights = skrnn.LSTMRegressor(**FAST | dict(units=3)).fit(X, Y).weights_
    forget = weights["lstm"].gate("forget")
    assert {name: each.shape for name, each in forget.items()} == {
        "kernel": (2, 3),
        "recurrent_kernel": (3, 3),
        "bias": (3,),
    }
    # It began with a bias of 1, and the others with 0.
    assert (forget["bias"] > 0.5).all()
    assert (weights["lstm"].gate("output")["bias"] < 0.5).all()
    with pytest.raises(ValueError, match="read-only"):
        forget["bias"][...] = 0
    with pytest.raises(ValueError, match=r"gate='f' must be one of \['input', 'for"):
        weights["lstm"].gate("f")
    with pytest.raises(ValueError, match=r"gate='forget' must be one of \[\]"):
        weights["head"].gate("forget")


def test_nothing_that_trains_or_predicts_can_be_written_to():
    model = skrnn.LSTMRegressor(**FAST).fit(X, Y)
    before = model.predict(X)
    for arrays in model.weights_.values():
        for array in arrays.values():
            with pytest.raises(ValueError, match="read-only"):
                array[...] = np.nan
            with pytest.raises(ValueError, match="WRITEABLE"):
                array.flags.writeable = True
            with pytest.raises((TypeError, ValueError)):
                array.base[...] = 0
    with pytest.raises(TypeError):
        model.weights_["head"]["bias"] = np.zeros(1)
    with pytest.raises(TypeError):
        model.weights_["head"] = {}
    with pytest.raises(AttributeError):
        model.weights_ = {}
    np.testing.assert_array_equal(model.predict(X), before)


def test_what_was_handed_out_stays_as_it_was():
    model = skrnn.LSTMRegressor(**FAST).fit(X, Y)
    held = model.weights_
    before = {name: array.copy() for name, array in held["lstm"].items()}
    model.partial_fit(X, Y)
    model.set_params(warm_start=True).fit(X, Y)
    for name, array in held["lstm"].items():
        np.testing.assert_array_equal(array, before[name])
    assert (model.weights_["lstm"]["kernel"] != before["kernel"]).any()


def test_no_array_is_copied():
    model = skrnn.LSTMRegressor(**FAST).fit(X, Y)
    array = model.weights_["lstm"]["kernel"]
    assert np.shares_memory(array, model._weights[0])


def test_a_name_that_is_not_there_tells_those_that_are():
    weights = skrnn.LSTMRegressor(**FAST).fit(X, Y).weights_
    with pytest.raises(KeyError, match=r"gru is no layer of it: it has \['lstm', 'he"):
        weights["gru"]
    with pytest.raises(KeyError, match=r"gamma is no weight of it: it has \['kernel'"):
        weights["head"]["gamma"]
    assert "gru" not in weights
    assert weights.get("gru") is None


def test_it_can_be_saved_and_copied():
    weights = skrnn.LSTMRegressor(**FAST).fit(X, Y).weights_
    for again in (pickle.loads(pickle.dumps(weights)), copy.deepcopy(weights)):
        assert repr(again) == repr(weights)
        np.testing.assert_array_equal(again["head"]["bias"], weights["head"]["bias"])


def test_there_are_none_before_fit():
    for model in (skrnn.LSTMRegressor(), *OF_TEXT):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            _ = clone(model).weights_
        assert not hasattr(clone(model), "weights_")


def test_a_forecaster_has_those_of_its_members():
    forecaster = clone(FORECASTERS[0]).fit(None, np.sin(np.arange(80)))
    (member,) = forecaster.estimators_
    assert "forward_lstm" in member.weights_
