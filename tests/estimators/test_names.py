"""Names as people type them, and errors that say what to write instead."""

import copy
import inspect
import pickle
import re
import warnings

import keras
import numpy as np
import pandas as pd
import pytest
from _instances import public_estimators
from scipy.sparse import csr_array, csr_matrix
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from skrnn import (
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    Seq2SeqClassifier,
    Seq2SeqRegressor,
    SequenceRegressor,
    TransformerRegressor,
)
from skrnn._estimators.names import NAMES, PARAMETERS_ELSEWHERE, resolve
from skrnn.forecasting import Forecaster
from skrnn.preprocessing import SequencePadder, SlidingWindow, TextSequencer
from skrnn.text import TextGenerator

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 5, 2))
Y = X[:, -1, 0]
LABELS = np.where(Y > 0, "up", "down")
TINY = dict(units=2, epochs=2, random_state=0)

# Class, a parameter, what is typed, what it is here.
SPELLINGS = [
    (GRURegressor, "loss", "mse", "mean_squared_error"),
    (GRURegressor, "loss", "MSE", "mean_squared_error"),
    (GRURegressor, "loss", "squared_error", "mean_squared_error"),
    (GRURegressor, "loss", "MeanSquaredError", "mean_squared_error"),
    (GRURegressor, "loss", "mae", "mean_absolute_error"),
    (GRURegressor, "loss", "absolute_error", "mean_absolute_error"),
    (GRURegressor, "loss", "mean-absolute-error", "mean_absolute_error"),
    (GRURegressor, "loss", "logcosh", "log_cosh"),
    (GRURegressor, "loss", "Huber", "huber"),
    (GRURegressor, "loss", "quantile", "pinball"),
    (Seq2SeqRegressor, "loss", "mae", "mean_absolute_error"),
    (GRUClassifier, "loss", "bce", "binary_crossentropy"),
    (GRUClassifier, "loss", "BinaryCrossentropy", "binary_crossentropy"),
    (GRUClassifier, "loss", "cross_entropy", "auto"),
    (GRUClassifier, "loss", "log_loss", "auto"),
    (
        GRUClassifier,
        "loss",
        "sparse_categorical_crossentropy",
        "categorical_crossentropy",
    ),
    (Seq2SeqClassifier, "loss", "crossentropy", "auto"),
    (GRURegressor, "optimizer", "Adam", "adam"),
    (GRURegressor, "optimizer", "RMSprop", "rmsprop"),
    (GRURegressor, "optimizer", "SGD", "sgd"),
    (GRUClassifier, "optimizer", "AdamW", "adamw"),
    (Seq2SeqRegressor, "optimizer", "Adagrad", "adagrad"),
    (GRURegressor, "optimizer", "Nadam", "nadam"),
    (GRURegressor, "activation", "Tanh", "tanh"),
    (GRURegressor, "activation", "ReLU", "relu"),
    (GRURegressor, "activation", "swish", "silu"),
    (GRURegressor, "activation", "identity", "linear"),
    (Seq2SeqRegressor, "activation", "Sigmoid", "sigmoid"),
    (GRURegressor, "attention", "Bahdanau", "additive"),
    (Seq2SeqClassifier, "attention", "multi_head", "multihead"),
    (SequenceRegressor, "cell", "LSTM", "lstm"),
    (SequenceRegressor, "cell", "SimpleRNN", "rnn"),
    (Seq2SeqRegressor, "cell", "GRU", "gru"),
    (GRURegressor, "learning_rate_schedule", "Cosine", "cosine"),
    (GRURegressor, "learning_rate_schedule", "ExponentialDecay", "exponential"),
    (TextGenerator, "optimizer", "Adam", "adam"),
    (TextGenerator, "cell", "GRU", "gru"),
    (TextGenerator, "activation", "ReLU", "relu"),
]


def data_of(cls):
    if cls is TextGenerator:
        return ("to be, or not to be",)
    words = ["ab", "b", "ca", "abc"] * 6
    return {Seq2SeqClassifier: (words, words), GRUClassifier: (X, LABELS)}.get(
        cls, (X, Y)
    )


def small(cls, **more):
    text = {"embedding_dim": 2, "lookback": 4} if cls is TextGenerator else {}
    return cls(**TINY | text | more)


@pytest.mark.parametrize(("cls", "name", "typed", "ours"), SPELLINGS)
def test_other_spellings_are_the_same(cls, name, typed, ours):
    made = small(cls, **{name: typed})
    found = made.fit(*data_of(cls))
    expected = small(cls, **{name: ours}).fit(*data_of(cls))
    for a, b in zip(found._weights, expected._weights, strict=True):
        np.testing.assert_array_equal(a, b)
    # A parameter is never changed, and goes everywhere as it was typed.
    for each in (
        made,
        clone(made),
        copy.deepcopy(made),
        pickle.loads(pickle.dumps(made)),
    ):
        assert each.get_params()[name] == typed


def test_training_goes_on_by_another_spelling():
    options = TINY | dict(warm_start=True)
    one = GRURegressor(**options, optimizer="adam").fit(X, Y)
    other = GRURegressor(**options, optimizer="Adam").fit(X, Y)
    one.fit(X, Y)
    other.set_params(optimizer="ADAM", activation="Tanh").fit(X, Y)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))


def test_a_grid_may_hold_any_spelling():
    grid = {"optimizer": ["Adam", "sgd"], "loss": ["mse", "MAE"]}
    search = GridSearchCV(GRURegressor(**TINY), grid, cv=2).fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("kind", NAMES)
def test_names_of_ours_are_themselves(kind):
    for name in NAMES[kind]:
        assert resolve(kind, name) == name
        assert resolve(kind, name.upper().replace("_", "-")) == name
    for other in (None, 3, len, "auto"):
        assert resolve(kind, other) is other


# What is not known

MISSPELT = [
    (GRURegressor, "optimizer", "adm", "adam"),
    (GRURegressor, "loss", "msee", "mean_squared_error"),
    (GRURegressor, "loss", "mean_square_error", "mean_squared_error"),
    (GRURegressor, "activation", "tanhh", "tanh"),
    (GRURegressor, "attention", "aditive", "additive"),
    (GRURegressor, "early_stopping", "atuo", "auto"),
    (GRURegressor, "learning_rate_schedule", "cosin", "cosine"),
    (GRUClassifier, "class_weight", "balance", "balanced"),
    (GRUClassifier, "loss", "binary_crosentropy", "binary_crossentropy"),
    (SequenceRegressor, "cell", "lstn", "lstm"),
    (Seq2SeqClassifier, "loss", "categorical_crossentrpy", "categorical_crossentropy"),
    (TextGenerator, "analyzer", "chars", "char"),
    (TextGenerator, "optimizer", "rmspropp", "rmsprop"),
]


@pytest.mark.parametrize(("cls", "name", "typed", "meant"), MISSPELT)
def test_a_misspelt_name_gets_advice(cls, name, typed, meant):
    expected = re.escape(f"Got {typed!r} instead. Did you mean {meant!r}?")
    with pytest.raises(ValueError, match=f"The '{name}' parameter of .*{expected}"):
        small(cls, **{name: typed}).fit(*data_of(cls))


@pytest.mark.parametrize(
    ("cls", "wrong"),
    [
        (GRURegressor, {"loss": "zzz"}),
        # Of the other task.
        (GRURegressor, {"loss": "bce"}),
        (GRURegressor, {"loss": "crossentropy"}),
        (GRUClassifier, {"loss": "mse"}),
        (GRURegressor, {"loss": 3}),
        (GRURegressor, {"epochs": "3"}),
        # Keras has them, and they are something else.
        (GRURegressor, {"activation": "gelu"}),
        (GRURegressor, {"activation": "hard_sigmoid"}),
    ],
)
def test_what_is_like_nothing_gets_none(cls, wrong):
    with pytest.raises(ValueError, match=r"instead\.$"):
        small(cls, **wrong).fit(*data_of(cls))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("mape", "You may pass keras.losses.MeanAbsolutePercentageError()."),
        ("msle", "You may pass keras.losses.MeanSquaredLogarithmicError()."),
        (keras.losses.Huber, "It is a class: write loss=Huber()."),
    ],
)
@pytest.mark.parametrize("kind", [GRURegressor, Seq2SeqRegressor])
def test_a_loss_that_keras_has_is_passed_as_an_object(kind, typed, expected):
    with pytest.raises(ValueError, match=re.escape(expected)):
        kind(loss=typed).fit(X, Y)


def test_another_parameter_is_no_misspelling():
    with pytest.raises(TypeError, match=r"'return_state'\. Its parameters are "):
        GRURegressor(return_state=True)


PARAMETERS = [
    (LSTMRegressor, "n_epochs", "epochs"),
    (LSTMRegressor, "hidden_size", "units"),
    (LSTMRegressor, "num_layers", "units"),
    (LSTMRegressor, "lr", "learning_rate"),
    (LSTMRegressor, "max_iter", "epochs"),
    (LSTMRegressor, "batchsize", "batch_size"),
    (LSTMRegressor, "unit", "units"),
    (GRUClassifier, "class_weights", "class_weight"),
    (Seq2SeqRegressor, "criterion", "loss"),
    (Seq2SeqClassifier, "beam_width", "n_beams"),
    (TextGenerator, "seq_length", "lookback"),
    (TextGenerator, "learning_rate_init", "learning_rate"),
]


@pytest.mark.parametrize(("cls", "typed", "meant"), PARAMETERS)
def test_a_misspelt_parameter_gets_advice(cls, typed, meant):
    name = cls.__name__
    expected = (
        f"{name}() got an unexpected keyword argument {typed!r}. "
        f"Did you mean {meant!r}?"
    )
    with pytest.raises(TypeError, match=f"^{re.escape(expected)}"):
        cls(**{typed: 3})
    expected = f"Invalid parameter {typed!r} for estimator {name}"
    with pytest.raises(ValueError, match=re.escape(expected)) as caught:
        cls().set_params(**{typed: 3})
    assert f"Did you mean {meant!r}?" in str(caught.value)


def test_a_parameter_like_no_other_gets_the_list():
    with pytest.raises(
        TypeError, match=r"argument 'zzzz'\. Its parameters are \['units"
    ):
        LSTMRegressor(zzzz=3)
    with pytest.raises(ValueError, match=r"Valid parameters are: \[.*\]\.$"):
        LSTMRegressor().set_params(zzzz=3)


@pytest.mark.parametrize(
    ("cls", "typed", "instead"),
    [
        (LSTMRegressor, "lookback", "SlidingWindow(lookback=...)"),
        (LSTMRegressor, "window_size", "SlidingWindow(lookback=...)"),
        (LSTMRegressor, "fh", "Forecaster(horizon=...)"),
        (LSTMRegressor, "input_shape", "the X given to fit"),
        (LSTMRegressor, "metrics", "score(X, y)"),
        (Forecaster, "units", "set_params(estimator__units=...)"),
        (Forecaster, "hidden_size", "estimator=LSTMRegressor(units=...)"),
        (Forecaster, "lr", "set_params(estimator__learning_rate=...)"),
        (Forecaster, "n_epochs", "n_windows says how long"),
        (Forecaster, "freq", "The dates of y tell it"),
        (Forecaster, "h", "Did you mean 'horizon'?"),
        (Forecaster, "cell", "estimator=SequenceRegressor(cell=...)"),
        (LSTMRegressor, "cell", "SequenceRegressor(cell=...)"),
        (LSTMRegressor, "rnn_type", "SequenceRegressor(cell=...)"),
        (LSTMRegressor, "class_weight", "a parameter of classifiers"),
        (LSTMRegressor, "n_heads", "TransformerRegressor"),
        (LSTMRegressor, "n_members", "Forecaster"),
        (TransformerRegressor, "units", "is d_model"),
        (TransformerRegressor, "hidden_size", "is d_model"),
        (GRUClassifier, "n_beams", "Seq2SeqClassifier"),
    ],
)
def test_what_others_do_is_named(cls, typed, instead):
    with pytest.raises(TypeError, match=f"argument '{typed}'") as caught:
        cls(**{typed: 3})
    assert instead in str(caught.value)
    assert "Its parameters are" not in str(caught.value)


def test_the_table_of_parameters_names_real_ones():
    known = {
        name
        for each in (Seq2SeqClassifier, LSTMRegressor, TextGenerator, Forecaster)
        for name in each().get_params()
    }
    assert set(PARAMETERS_ELSEWHERE.values()) <= known | {"cell"}
    assert not PARAMETERS_ELSEWHERE.keys() & known


@pytest.mark.parametrize(
    ("cls", "arguments", "written"),
    [
        (LSTMRegressor, (32,), "LSTMRegressor(units=32)"),
        (GRUClassifier, ((32, 16),), "GRUClassifier(units=(32, 16))"),
        (Seq2SeqRegressor, (8,), "Seq2SeqRegressor(units=8)"),
        (SequenceRegressor, ("gru", 8), "SequenceRegressor(cell='gru', units=8)"),
        (TextGenerator, (8,), "TextGenerator(units=8)"),
        (TextGenerator, ("word",), "TextGenerator(analyzer='word')"),
        # What couldn't be so isn't written so.
        (LSTMRegressor, ((32, 16), 0.1), "LSTMRegressor(units=(32, 16)), and name 0.1"),
        (SlidingWindow, (5, 3), "SlidingWindow(lookback=5), and name 3 too"),
    ],
)
def test_parameters_are_keywords(cls, arguments, written):
    with pytest.raises(TypeError, match=re.escape(f"by name: write {written}")):
        cls(*arguments)


@pytest.mark.parametrize(
    ("cls", "arguments"), [(LSTMRegressor, ("lstm",)), (TextSequencer, (5, 3))]
)
def test_no_parameter_is_written_that_would_be_refused(cls, arguments):
    with pytest.raises(TypeError, match=rf": name {arguments[0]!r}\. They are \['"):
        cls(*arguments)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    "cls",
    [LSTMRegressor, GRUClassifier, Seq2SeqRegressor, Seq2SeqClassifier, TextGenerator],
)
def test_a_parameter_given_to_fit_is_told_where_it_goes(cls, method):
    data = data_of(cls)
    call = getattr(cls(), method)
    needed = "texts" if cls is TextGenerator else "X, y"
    name = cls.__name__
    expected = (
        f"{name}.{method}() got an unexpected keyword argument 'epochs'. It is a "
        f"parameter: write {name}(epochs=3).{method}({needed})."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(expected)}$"):
        call(*data, epochs=3)
    with pytest.raises(
        TypeError, match=r"'lr'\. Its arguments are .* 'learning_rate' is a"
    ):
        call(*data, lr=3)
    with pytest.raises(TypeError, match=rf"^{name}\.{method}\(\): missing .* argument"):
        call()
    with pytest.raises(TypeError, match=rf"^{name}\.{method}\(\): too many positional"):
        call(*data, 1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("cls", "method", "typed", "meant"),
    [
        (GRURegressor, "fit", "sample_weights", "'sample_weight'"),
        (GRURegressor, "fit", "X_valid", "'X_val'"),
        (GRURegressor, "fit", "x_val", "'X_val'"),
        (GRURegressor, "fit", "validation_data", "'X_val' and 'y_val'"),
        (GRURegressor, "fit", "validation_set", "'X_val' and 'y_val'"),
        (Seq2SeqRegressor, "fit", "eval_set", "'X_val' and 'y_val'"),
        (GRUClassifier, "score", "sample_weights", "'sample_weight'"),
        (TextGenerator, "fit", "validation_data", "'X_val'"),
        (TextGenerator, "generate", "temprature", "'temperature'"),
        (TextGenerator, "generate", "max_length", "'max_new_tokens'"),
        (TextGenerator, "generate", "length", "'max_new_tokens'"),
    ],
)
def test_a_misspelt_argument_gets_advice(cls, method, typed, meant):
    expected = (
        f"{cls.__name__}.{method}() got an unexpected keyword argument {typed!r}. Did "
        f"you mean {meant}?"
    )
    with pytest.raises(TypeError, match=f"^{re.escape(expected)}$"):
        getattr(cls(), method)(*data_of(cls), **{typed: 1})


def test_texts_have_no_targets_to_validate_on():
    with pytest.raises(TypeError, match=r"Texts are their own targets: X_val alone"):
        TextGenerator().fit("abc" * 9, y_val="abc")


@pytest.mark.parametrize(
    ("cls", "method", "wrong", "expected"),
    [
        (GRURegressor, "predict", {"verbose": 0}, "is a parameter of GRURegressor()"),
        (GRUClassifier, "predict_proba", {"batch_size": 3}, "Its arguments are X."),
        (Seq2SeqClassifier, "predict", {"beams": 3}, "'n_beams' is a parameter"),
        (SlidingWindow, "transform", {"step": 3}, "Its arguments are X, groups."),
        (SlidingWindow, "fit_transform", {"lag": 3}, "Its arguments are X, y, "),
    ],
)
def test_every_method_names_the_public_class(cls, method, wrong, expected):
    name = f"{cls.__name__}.{method}()"
    with pytest.raises(TypeError, match=f"^{re.escape(name)} got an") as caught:
        getattr(cls(), method)(X, **wrong)
    assert expected in str(caught.value)
    with pytest.raises(TypeError, match=rf"^{re.escape(name)}: missing a required "):
        getattr(cls(), method)()
    with pytest.raises(TypeError, match=rf"^{re.escape(name)}: too many positional "):
        getattr(cls(), method)(X, None, None, None, None, None)


def test_errors_from_within_stay_what_they_are():
    with pytest.raises(TypeError, match=r"^Sparse data was passed for y"):
        GRURegressor(**TINY).fit(X, csr_array(np.ones((24, 2))))


def test_signatures_are_what_they_were():
    names = list(inspect.signature(LSTMRegressor).parameters)
    assert names[:3] == ["units", "timescales", "memory"]
    assert list(inspect.signature(LSTMRegressor.fit).parameters)[:4] == [
        "self",
        "X",
        "y",
        "sample_weight",
    ]
    assert LSTMRegressor.__init__.__name__ == "__init__"
    assert LSTMRegressor.fit.__doc__.startswith("Train the network")


# One-hot labels

ONE_HOT = np.eye(3, dtype=int)[np.arange(24) % 3]


@pytest.mark.parametrize("y", [ONE_HOT, ONE_HOT.astype(bool), ONE_HOT[:, :2][::3] * 0])
def test_a_one_hot_y_warns(y):
    made = GRUClassifier(**TINY)
    if not y.any():
        # Rows without any label are labels indeed.
        y = np.zeros((24, 2), int)
        y[::2, 0] = y[::3, 1] = 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            made.fit(X, y)
        return
    expected = re.escape("For one label of 3 pass y.argmax(axis=1)")
    with pytest.warns(UserWarning, match=expected) as caught:
        made.fit(X, y)
    assert len(caught) == 1
    assert made.predict(X).shape == (24, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # It goes on with what it has begun; nor does one row say anything.
        made.partial_fit(X, y)
        GRUClassifier(**TINY).partial_fit(X[:1], y[:1], classes=[0, 1, 2])


@pytest.mark.parametrize(
    ("form", "written"),
    [
        (pd.DataFrame, "y.to_numpy().argmax(axis=1)"),
        (csr_array, "np.asarray(y.argmax(axis=1)).ravel()"),
        (csr_matrix, "np.asarray(y.argmax(axis=1)).ravel()"),
        (np.ndarray.tolist, "np.argmax(y, axis=1)"),
    ],
)
def test_the_advice_for_a_one_hot_y_works_for_its_form(form, written):
    y = form(ONE_HOT)
    with pytest.warns(UserWarning, match=re.escape(f"of 3 pass {written}.")):
        GRUClassifier(**TINY).fit(X, y)
    labels = eval(written, {"np": np, "y": y})
    np.testing.assert_array_equal(labels, ONE_HOT.argmax(axis=1))


def test_a_validation_set_is_no_reason_to_warn():
    y = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]] * 8)
    made = GRUClassifier(**TINY)
    made.fit(X, y, X_val=X[:3], y_val=np.eye(3, dtype=int))
    # Whatever it has learnt before.
    made.fit(X, np.arange(24) % 4, X_val=X, y_val=np.arange(24) % 4)
    with pytest.raises(ValueError, match=r"one-hot pass y_val\.argmax\(axis=1\)"):
        made.fit(X, ONE_HOT.argmax(axis=1), X_val=X, y_val=ONE_HOT)


def test_warnings_point_at_the_call_from_within_a_search_too():
    tables = pd.DataFrame(X[:, :, 0], index=pd.date_range("2020", periods=24))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        cross_val_score(GRUClassifier(**TINY), tables, pd.DataFrame(ONE_HOT), cv=3)
    assert {each.filename for each in caught} == {__file__}
    # Of the index and of y, in each fit.
    assert len({str(each.message) for each in caught}) == 2


def test_one_hot_steps_warn():
    steps = np.eye(3, dtype=int)[np.arange(24 * 5).reshape(24, 5) % 3]
    made = GRUClassifier(return_sequences=True, **TINY)
    with pytest.warns(UserWarning, match=re.escape("pass y.argmax(axis=2)")):
        made.fit(X, steps)
    ragged = [steps[i, : 3 + i % 2] for i in range(24)]
    of_lists = "pass [np.argmax(each, axis=1) for each in y]."
    with pytest.warns(UserWarning, match=re.escape(of_lists)):
        made.fit([x[: 3 + i % 2] for i, x in enumerate(X)], ragged)


def test_a_one_hot_y_warns_in_the_first_partial_fit():
    made = GRUClassifier(**TINY)
    with pytest.warns(UserWarning, match="it looks one-hot"):
        made.partial_fit(X, ONE_HOT, classes=[0, 1, 2])


def test_the_crossentropy_of_a_one_hot_y_is_refused_with_advice():
    made = GRUClassifier(loss="categorical_crossentropy", **TINY)
    with pytest.raises(ValueError, match=re.escape("pass y.argmax(axis=1)")):
        made.fit(X, ONE_HOT)


@pytest.mark.parametrize(
    "cls", sorted(public_estimators(), key=lambda cls: cls.__name__)
)
def test_every_public_estimator_gives_advice(cls):
    if cls.__module__.startswith("skrnn.scikeras"):
        pytest.skip("scikeras' estimators take any parameter")
    first = next(iter(inspect.signature(cls).parameters))
    expected = f"argument '{first}s'. Did you mean {first!r}?"
    with pytest.raises(TypeError, match=re.escape(expected)):
        cls(**{f"{first}s": 3})


@pytest.mark.parametrize(
    ("made", "wrong", "expected"),
    [
        (SlidingWindow, {"window_size": 3}, "Did you mean 'lookback'?"),
        (SequencePadder, {"max_len": 3}, "Did you mean 'maxlen'?"),
        (TextSequencer, {"maxlength": 3}, "Did you mean 'maxlen'?"),
    ],
)
def test_transformers_give_advice(made, wrong, expected):
    with pytest.raises(TypeError, match=re.escape(expected)):
        made(**wrong)
    # Their first parameter needs no name.
    assert made(3).get_params()


def test_transformers_tell_where_a_parameter_goes():
    expected = "It is a parameter: write SlidingWindow(lookback=3).fit(X)."
    with pytest.raises(TypeError, match=re.escape(expected)):
        SlidingWindow().fit(X[0], lookback=3)
    expected = "Did you mean 'pre'?"
    with pytest.raises(ValueError, match=re.escape(expected)):
        SequencePadder(padding="prae").fit(X)
