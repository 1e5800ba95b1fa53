"""What is fuzzed: every public estimator, transformer and function, and its data."""

import inspect
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from _fuzz_data import INDEXES, PLAIN_FORMS, Data, Texts, data, texts
from _fuzz_parameters import ODD, parameters
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

import skrnn
from skrnn import forecasting, metrics, preprocessing, text

TINY = dict(units=2, epochs=1, batch_size=4, random_state=0, engine="cpu")
# Two of whatever must be small, because it takes time.
SMALL = st.one_of(st.sampled_from([1, 2, 3, np.uint8(2), np.int8(3)]), ODD)

# Name of an argument -> what it may be, where that doesn't depend on the data.
ARGUMENTS = {
    "classes": st.sampled_from(
        [[0, 1], ["a", "cat"], np.array([0, 1, 2]), [0], [1, 0], None]
    ),
    "input_features": st.sampled_from(
        [None, ["a"], ["c0", "c1"], np.array(["c0"]), "c0", []]
    ),
    "prompt": texts(n=1).map(lambda made: made.items[0]),
    "max_new_tokens": SMALL,
    "n_samples": SMALL,
    "steps": SMALL,
    "n_beams": SMALL,
    "n_best": SMALL,
    "step": SMALL,
    "horizon": SMALL,
    "gap": SMALL,
    "seasonal_period": SMALL,
    "n_jobs": st.sampled_from([None, 1, 0, "x", 2.5]),
    "temperature": st.one_of(st.sampled_from([0, 0.5, 1, 1e-300, 1e300, 5e-324]), ODD),
    "top_k": SMALL,
    "top_p": st.one_of(st.sampled_from([0.5, 1, 1e-300]), ODD),
    "stop": st.one_of(texts().map(lambda made: made.make()), ODD),
    "coverage": st.one_of(st.sampled_from([0.5, 0.9, 1e-300, 0.999999]), ODD),
    "quantiles": st.one_of(st.sampled_from([[0.5], [0.1, 0.9], (0.9, 0.1)]), ODD),
    "random_state": st.one_of(st.sampled_from([0, None]), ODD),
    "method": st.one_of(
        st.sampled_from(["predict", "transform", "predict_proba"]), ODD
    ),
    "transform": st.one_of(st.sampled_from(["default", "pandas", "polars", None]), ODD),
    "deep": st.booleans(),
}


@dataclass(frozen=True)
class Shape:
    """Sizes that the data of one case shares."""

    n: int
    T: int
    F: int
    H: int
    form: str
    index: str | None


@dataclass(frozen=True)
class Subject:
    """A class or function; `kind` says what its data are."""

    made: object
    kind: str
    base: dict = field(default_factory=dict)
    given: dict = field(default_factory=dict)
    # What tells it from another one of the same class.
    on: str = ""

    @property
    def name(self):
        return self.made.__name__ + self.on


TINY_BLOCKS = dict(d_model=4, n_heads=2, n_layers=1, dim_feedforward=4) | {
    name: value for name, value in TINY.items() if name != "units"
}
_ESTIMATORS = [
    Subject(
        getattr(skrnn, f"{network}{task}"),
        kind,
        TINY_BLOCKS if network == "Transformer" else TINY,
    )
    for network in ("Sequence", "GRU", "LSTM", "RNN", "Transformer")
    for task, kind in (("Regressor", "numbers"), ("Classifier", "labels"))
]
_PAIRS = [
    Subject(skrnn.Seq2SeqRegressor, "pairs of numbers", TINY),
    Subject(skrnn.Seq2SeqClassifier, "pairs of labels", TINY),
]
_SCALERS = st.sampled_from(
    [StandardScaler(), MinMaxScaler(), OneHotEncoder(), StandardScaler(with_std=False)]
)
_MODELS = st.sampled_from(
    [
        Ridge(),
        LinearRegression(),
        skrnn.RNNRegressor(**TINY),
        StandardScaler(),
        skrnn.LSTMRegressor(**TINY, bidirectional=True),
        skrnn.GRUClassifier(**TINY),
    ]
)
_FORECASTERS = st.sampled_from(
    [
        forecasting.Forecaster(Ridge(), lookback=2),
        forecasting.Forecaster(Ridge(), lookback=2, horizon=2, calibration_size=3),
        Ridge(),
        StandardScaler(),
        forecasting.Forecaster,
        None,
    ]
)
_CVS = st.one_of(
    st.sampled_from(
        [
            forecasting.WindowSplit(2, test_size=2),
            TimeSeriesSplit(2, test_size=2),
            KFold(2),
            [(np.arange(4), np.arange(4, 6))],
        ]
    ),
    ODD,
)
_TRANSFORMERS = [
    Subject(preprocessing.SlidingWindow, "series", {"lookback": 2}),
    Subject(preprocessing.SequencePadder, "sequences"),
    Subject(
        preprocessing.SequenceWise,
        "sequences",
        {"transformer": StandardScaler()},
        {"transformer": _SCALERS},
    ),
    Subject(preprocessing.TextSequencer, "texts"),
    Subject(preprocessing.WordFeaturizer, "words", {"min_df": 1}),
]
_OTHERS = [
    Subject(skrnn.SequenceOutlierDetector, "sequences", TINY),
    Subject(text.TextGenerator, "texts", TINY | {"embedding_dim": 2, "lookback": 5}),
    Subject(
        forecasting.Forecaster,
        "forecasts",
        {"estimator": skrnn.RNNRegressor(**TINY), "n_members": 1, "n_windows": 20},
        {"estimator": _MODELS, "target_transform": _SCALERS},
    ),
]
_SCORES = [
    Subject(getattr(metrics, name), "scores")
    for name in metrics.__all__
    if not name.startswith("get_")
]
_FUNCTIONS = [
    Subject(preprocessing.make_supervised, "series"),
    Subject(preprocessing.from_channels_first, "sequences"),
    Subject(forecasting.check_leakage, "series"),
    Subject(
        forecasting.backtest,
        "forecasts",
        given={"forecaster": _FORECASTERS, "cv": _CVS, "initial": SMALL},
    ),
    Subject(forecasting.WindowSplit, "series"),
]
CLASSES = [*_ESTIMATORS, *_PAIRS, *_OTHERS, *_TRANSFORMERS]


@cache
def heavy():
    """Return what compiles a network a case, and is left to the long form."""
    # Deferred: it loads Keras.
    from skrnn.scikeras import (
        KerasClassifier,
        KerasRegressor,
        recurrent_network,
    )

    base = {"model": recurrent_network, "epochs": 1, "verbose": 0, "random_state": 0}
    base |= {"model__units": 2}
    on_keras = {"base": TINY | {"engine": "keras"}, "on": " on keras"}
    found = [
        Subject(KerasRegressor, "numbers", base),
        Subject(KerasClassifier, "labels", base),
        Subject(skrnn.LSTMRegressor, "numbers", **on_keras),
        Subject(skrnn.GRUClassifier, "labels", **on_keras),
        Subject(skrnn.Seq2SeqClassifier, "pairs of labels", **on_keras),
    ]
    return {subject.name: subject for subject in found}


FUNCTIONS = [*_SCORES, *_FUNCTIONS]
SUBJECTS = {subject.name: subject for subject in [*CLASSES, *FUNCTIONS]}


@dataclass(frozen=True)
class Call:
    """A method, with recipes of its arguments."""

    method: str
    arguments: dict


@dataclass(frozen=True)
class Case:
    """Everything that is tried in one go."""

    subject: str
    params: dict
    calls: tuple


@st.composite
def shapes(draw, kind):
    rows = [0, 1, 5, 12, 30, 40] if kind in ("forecasts", "series") else [1, 2, 4, 6, 8]
    form = draw(st.sampled_from(PLAIN_FORMS))
    with_index = form == "frame" and kind in ("forecasts", "series", "numbers")
    return Shape(
        n=draw(st.sampled_from(rows)),
        T=draw(st.sampled_from([1, 2, 3, 4])),
        F=draw(st.sampled_from([1, 2])),
        H=draw(st.sampled_from([1, 2, 3])),
        form=form,
        index=draw(st.sampled_from([None, *INDEXES])) if with_index else None,
    )


FINITE = ["normal"] * 6 + ["ids", "zeros", "constant", "large", "integers"]


def of_X(shape, kind):
    """Return a strategy of what X may be."""
    if kind == "texts":
        return texts()
    if kind == "words":
        return texts(words=True)
    if kind in ("forecasts", "series"):
        table = data(
            (shape.n, shape.F), FINITE, [shape.form, "frame"], [shape.index], odd=4
        )
        return st.one_of(table, table, st.none()) if kind == "forecasts" else table
    if kind == "pairs of labels":
        symbols = data((shape.n, shape.T), ["words", "ids"], [shape.form])
        return st.one_of(symbols, texts(n=shape.n), _block(shape))
    return _block(shape)


def _block(shape):
    forms, indexes = [shape.form], [shape.index]
    steps = data((shape.n, shape.T, shape.F), FINITE, forms, indexes)
    return st.one_of(steps, steps, data((shape.n, shape.T), FINITE, forms, indexes))


def of_y(shape, kind):
    """Return a strategy of what y may be: one for each sequence, or for each step."""
    fills, n = FINITE, shape.n
    if "labels" in kind or kind == "scores":
        fills = ["two"] * 4 + ["ids", "words"]
    if kind in ("texts", "words", "sequences"):
        return st.one_of(st.none(), data((n,), fills))
    forms = ["array", "array", "list", "Series"]
    each = data((n,), fills, forms, odd=2)
    steps = data((n, shape.T), fills, [shape.form, "ragged"], odd=2)
    if kind == "forecasts":
        fills = ["series"] * 4 + FINITE
        several = data((n, 2), fills, ["array", "frame"], [shape.index])
        each = data((n,), fills, ["array", "Series", "frame"], [shape.index])
        return st.one_of(each, each, each, several)
    if kind == "pairs of labels":
        return st.one_of(data((n, shape.H), fills, ["array", "ragged"]), texts(n=n))
    if kind == "pairs of numbers":
        several = data((n, shape.H, 2), fills, ["array"])
        return st.one_of(data((n, shape.H), fills, ["array", "frame"]), several)
    if kind == "scores":
        return st.one_of(steps, each)
    return st.one_of(each, each, each, data((n, 2), fills), steps)


def of_argument(name, shape, kind, given=None):
    """Return a strategy of an argument of a method."""
    if given and name in given:
        return given[name]
    if name in ("X", "X_val", "texts", "history"):
        return of_X(shape, kind)
    if name in ("y", "y_val", "y_true", "y_pred", "y_train"):
        return of_y(shape, kind)
    if name in ("future", "future_val"):
        return data((shape.n, shape.H, 1), FINITE)
    if name == "y_proba":
        return data((shape.n, shape.T, 2), ["constant", *FINITE])
    if name == "groups":
        return data((shape.n,), ["two", "words"], ["array", "list"])
    if "weight" in name:
        weights = ["constant", "normal", "two", "zeros", "tiny", "huge"]
        shaped = data((shape.n,), weights, ["array", "list"])
        return st.one_of(shaped, shaped, data((shape.n, shape.T), weights))
    if name == "x":
        return data((shape.F,), FINITE)
    if name == "model":
        return st.just(LinearRegression())
    return ARGUMENTS.get(name, ODD)


# They are scikit-learn's, and change what others depend on.
LEFT_OUT = {
    "set_fit_request",
    "set_partial_fit_request",
    "set_predict_request",
    "set_score_request",
    "set_transform_request",
    "set_params",
    "get_params",
    "get_metadata_routing",
    "set_inverse_transform_request",
    "fit",
    "set_predict_proba_request",
    "set_decision_function_request",
    "set_score_samples_request",
}


@cache
def methods_of(cls):
    """Name the public methods of a class."""
    names = [name for name in dir(cls) if not name.startswith("_")]
    found = {name: inspect.getattr_static(cls, name) for name in names}
    return [
        name
        for name, method in found.items()
        if name not in LEFT_OUT
        and not isinstance(method, property)
        and callable(getattr(cls, name, method))
    ]


@st.composite
def calls(draw, made, method, shape, kind, given=None):
    """Draw the arguments of a method: those it needs, and now and then another."""
    function = made if method == made.__name__ else getattr(made, method)
    rows = list(inspect.signature(function).parameters.values())
    rows = [r for r in rows if r.kind not in (r.VAR_KEYWORD, r.VAR_POSITIONAL)]
    arguments, given = {}, given or {}
    for row in rows:
        if row.name == "self":
            continue
        is_asked = row.default is row.empty or row.name == "y" or draw(_SELDOM)
        if is_asked:
            arguments[row.name] = draw(of_argument(row.name, shape, kind, given))
    return Call(method, arguments)


_SELDOM = st.sampled_from([True] + [False] * 7)


@st.composite
def cases(draw, subject):
    """Draw what is tried with one subject."""
    shape, kind = draw(shapes(subject.kind)), subject.kind
    if not inspect.isclass(subject.made):
        how = shape, kind, subject.given
        call = draw(calls(subject.made, subject.name, *how))
        return Case(subject.name, {}, (call,))
    if not hasattr(subject.made, "fit"):
        call = draw(calls(subject.made, "split", shape, kind))
        return Case(subject.name, draw(_of_signature(subject)), (call,))
    rows = inspect.signature(subject.made).parameters.values()
    names = [row.name for row in rows if row.kind is not row.VAR_KEYWORD]
    params = subject.base | draw(parameters(subject.made, names, subject.given))
    tried = [draw(calls(subject.made, "fit", shape, kind))]
    for method in draw(st.lists(st.sampled_from(methods_of(subject.made)), max_size=4)):
        other = shape if draw(st.booleans()) else draw(shapes(kind))
        tried.append(draw(calls(subject.made, method, other, kind)))
    return Case(subject.name, params, tuple(tried))


def _of_signature(subject):
    names = list(inspect.signature(subject.made).parameters)
    value = st.one_of(st.sampled_from([1, 2, 5, 0, 0.5, None]), ODD)
    return st.dictionaries(st.sampled_from(names), value, max_size=3)


def made(recipe):
    """Make what a recipe says, or return what isn't one."""
    return recipe.make() if isinstance(recipe, Data | Texts) else recipe
