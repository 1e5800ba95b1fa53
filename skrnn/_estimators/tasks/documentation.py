"""What the documentation of an estimator says of its task: a mixin's attribute.

The docstrings of estimators are put together from the parameters of all networks, in
``_estimators/docs/``, and from what stands here. No name of a class is read for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from skrnn._estimators.docs.rows import (
    as_type,
    filled,
    list_of_losses,
    type_of_losses,
)
from skrnn._estimators.names import names_without_parameters

# What a docstring says of a parameter: its type and its description.
Row = tuple[str, str]


@dataclass(frozen=True)
class TaskDocs:
    """What the documentation of an estimator says of its task.

    Attributes
    ----------
    parameters : mapping of str to (str, str)
        Type and description of each parameter that only this task has, or that means
        something of its own here. One that no network has stands before `callbacks`.
    example : str
        Code that runs, with ``{name}`` for the name of the estimator, and ``{width}``
        for that of the parameter that is its width.
    counterpart : str
        Name of the estimator of the other task, for "See Also".
    counterparts : mapping of str to str
        The same by cell, or kind of network, for estimators that have one and no
        parameter for it.
    relation : str
        What "See Also" says of the counterpart.
    attributes : str
        What ``fit`` learns besides what it learns for every network.
    """

    parameters: Mapping[str, Row]
    example: str
    counterpart: str
    counterparts: Mapping[str, str] = field(default_factory=dict)
    relation: str = "The same network for the other task."
    attributes: str = ""


_OF_NUMBERS: dict[str, Row] = {
    "quantile": (
        "float in (0, 1)",
        """Quantile that is predicted with ``loss="pinball"``: y stays below it with
        this probability; 0.5 is the median. Other losses ignore it.""",
    ),
    "loss": (
        f"{type_of_losses('numbers')} or callable",
        filled(
            f"""What is minimised, in units of the normalised y:
            {list_of_losses("numbers")}. "auto" is the first of them. A
            ``keras.losses.Loss`` or a function ``f(y_true, y_pred)`` that returns a
            loss for each row works too."""
        ),
    ),
    "validation_split": (
        "float in (0, 1) or None",
        """Share of the sequences to hold out for validation: the last ones, which in a
        series are the latest. None holds out a tenth for early stopping, and nothing
        without it; a number is always held out. An X_val in ``fit`` takes its
        place.""",
    ),
    "normalize_y": (
        "bool",
        """Train on y with its mean subtracted and divided by its standard deviation,
        for each target by itself. Predictions are in y's units either way.""",
    ),
}
_OF_HORIZONS: dict[str, Row] = _OF_NUMBERS | {
    "loss": (
        f"{type_of_losses('numbers')} or callable",
        filled(
            f"""What is minimised, in units of the normalised y:
            {list_of_losses("numbers")}. "auto" is the first of them. A
            ``keras.losses.Loss`` or a function ``f(y_true, y_pred)`` that returns a
            loss for each row works too; its rows are the steps of all sequences."""
        ),
    ),
    "normalize_y": (
        "bool",
        """Train on y with its mean subtracted and divided by its standard deviation,
        for each of the K targets by itself. Predictions are in y's units either
        way.""",
    ),
}
_OF_LABELS: dict[str, Row] = {
    "loss": (
        f"{type_of_losses('labels')} or callable",
        filled(
            f"""What is minimised: {list_of_losses("labels")}. "auto" is the first of
            them that fits the labels. A ``keras.losses.Loss`` or a function
            ``f(y_true, y_pred)`` of class numbers (or 0 and 1) and probabilities that
            returns a loss for each row works too."""
        ),
    ),
    "validation_split": (
        "float in (0, 1) or None",
        """Share of the sequences to hold out for validation, at random and, if a
        sequence has one label, the same share of every class. None holds out a tenth
        for early stopping, and nothing without it; a number is always held out. An
        X_val in ``fit`` takes its place.""",
    ),
    "class_weight": (
        'dict, "balanced" or None',
        """Weight of each class in the loss; "balanced" makes it inversely proportional
        to the class's frequency, counted with `sample_weight`. It is multiplied by
        `sample_weight`. Not for `crf`.""",
    ),
    "crf": (
        "bool",
        """Model the labels of all steps together, as a conditional random field
        (Lafferty et al., 2001); needs `return_sequences`. Besides the network's scores
        of each step, it has scores of pairs of neighbouring labels, and of the first
        and the last label; training maximises the likelihood of whole sequences.
        ``predict`` returns the likeliest sequence of labels (Viterbi, 1967),
        ``predict_proba`` the probability of each label at each step given all of X. A
        step of `sample_weight` 0 may have any label; other weights must be equal within
        a sequence.""",
    ),
    "illegal_transitions": (
        '"bio", list of pairs, or None',
        """Pairs of labels that `crf` excludes. "bio": ``I-x`` may follow only ``B-x``
        and ``I-x``. In a pair, the second label may not follow the first; None as the
        first stands for the start of a sequence, as the second for its end. Changes
        take effect at the next ``fit`` that begins anew. Labels in ``fit`` that break
        the rules are an error, and so is an `optimizer` whose steps are as long as the
        weights: "adafactor" and "lamb". Ignored without `crf`.""",
    ),
}
_OF_LABEL_SEQUENCES: dict[str, Row] = {
    "max_length": (
        "int",
        """Greatest length of a predicted sequence. None takes the longest of ``fit``,
        and proportionally more for an input longer than all of ``fit``.""",
    ),
    "n_beams": (
        "int",
        """Number of unfinished sequences that a beam search keeps (Graves, 2012;
        Sutskever et al., 2014); 1 takes the most likely label at every step.""",
    ),
    "length_penalty": (
        "float >= 0",
        """Exponent of ``((5 + length) / 6)``, by which a beam search divides the
        log-probability of a sequence (Wu et al., 2016): 0 prefers the most likely
        sequence, which is often a short one; higher values prefer longer ones.""",
    ),
    "loss": (
        f"{type_of_losses('labels', 'softmax')} or callable",
        filled(
            f"""What is minimised: {list_of_losses("labels", "softmax")}. "auto" is the
            first of them. A ``keras.losses.Loss`` or a function ``f(y_true, y_pred)``
            of numbers of labels and probabilities that returns a loss for each row
            works too; its rows are the labels of all sequences."""
        ),
    ),
    "class_weight": (
        'dict, "balanced" or None',
        """Weight of each label in the loss of its steps; "balanced" makes it inversely
        proportional to the label's frequency, counted with `sample_weight`. It is
        multiplied by `sample_weight`. The end of a sequence has no such weight.""",
    ),
    "validation_split": (
        "float in (0, 1) or None",
        """Share of the sequences to hold out for validation, at random. None holds out
        a tenth for early stopping, and nothing without it; a number is always held out.
        An X_val in ``fit`` takes its place.""",
    ),
}
_OF_OUTLIERS: dict[str, Row] = {
    "loss": (
        f"{as_type(['auto', *names_without_parameters('numbers')])} or callable",
        filled(
            """What is minimised, in units of `scale_`. "auto" is "mean_absolute_error":
            outliers in the training data then count no more than other steps, while
            with squared errors the network would learn them first. The other names are
            those of the regressors. A ``keras.losses.Loss`` or a function ``f(y_true,
            y_pred)`` that returns a loss for each row works too; its rows are the steps
            of all sequences."""
        ),
    ),
    "scored_steps": (
        '"auto", "all" or int',
        """Which steps count in a sequence's score: this many last ones, or "all",
        without the first one of several with ``method="prediction"``. "auto" is the
        last one if the sequences of ``fit`` are windows of a series that move on by one
        row: the score of a row then says how odd it is after the rows before it.
        Otherwise it is "all".""",
    ),
    "contamination": (
        'float in (0, 0.5], "auto" or None',
        """Share of outliers in the training data, which sets `offset_`. "auto" sets it
        where errors become larger than normal noise explains, by the median and the
        median absolute deviation of the training scores; it may find no outliers. None
        assumes that the training data have none: whatever scores lower than all of them
        is an outlier.""",
    ),
    "validation_split": (
        "float in (0, 1) or None",
        """Share of the sequences to hold out for validation: the last ones, which in a
        series are the latest. None holds out a tenth for early stopping, and nothing
        without it; a number is always held out.""",
    ),
}
_CHAIN = """transitions_ : ndarray of shape (n_classes, n_classes)
    With `crf`, entry [i, j] is the score of ``classes_[j]`` right after
    ``classes_[i]``; minus infinity where it is excluded.
"""
_CLASSES = """classes_ : ndarray of shape (n_classes,)
    Labels, sorted; for an indicator matrix the numbers of its columns.
"""

NUMBERS = TaskDocs(
    parameters=_OF_NUMBERS,
    example="""\
>>> import numpy as np
>>> from skrnn import {name}
>>> rng = np.random.default_rng(0)
>>> X = rng.normal(size=(200, 8, 2))  # 200 sequences, 8 steps, 2 features
>>> y = X[:, -3:, 0].sum(axis=1)
>>> model = {name}({width}=16, epochs=40, random_state=0).fit(X[:150], y[:150])
>>> model.predict(X[150:]).shape
(50,)
>>> model.score(X[150:], y[150:]) > 0.5
True""",
    counterpart="SequenceClassifier",
    counterparts={
        "rnn": "RNNClassifier",
        "lstm": "LSTMClassifier",
        "gru": "GRUClassifier",
        "transformer": "TransformerClassifier",
    },
)
HORIZONS = TaskDocs(
    parameters=_OF_HORIZONS,
    example="""\
>>> import numpy as np
>>> from skrnn import {name}
>>> rng = np.random.default_rng(0)
>>> start = rng.uniform(0, 6, size=(200, 1))
>>> series = np.sin(start + 0.5 * np.arange(14))
>>> X, y = series[:, :10], series[:, 10:]  # the next 4 steps of each
>>> model = {name}(units=16, epochs=30, random_state=0).fit(X[:150], y[:150])
>>> model.predict(X[150:]).shape
(50, 4)
>>> model.score(X[150:], y[150:]) > 0.9
True""",
    counterpart="Seq2SeqClassifier",
)
LABELS = TaskDocs(
    parameters=_OF_LABELS,
    example="""\
>>> import numpy as np
>>> from skrnn import {name}
>>> rng = np.random.default_rng(0)
>>> lengths = rng.integers(4, 12, size=200)
>>> X = [rng.normal(size=(length, 2)) for length in lengths]  # of different lengths
>>> y = np.array(["up" if x[-3:, 0].sum() > 0 else "down" for x in X])
>>> model = {name}({width}=16, epochs=60, random_state=0).fit(X[:150], y[:150])
>>> model.predict_proba(X[150:]).shape
(50, 2)
>>> model.score(X[150:], y[150:]) > 0.7
True""",
    counterpart="SequenceRegressor",
    counterparts={
        "rnn": "RNNRegressor",
        "lstm": "LSTMRegressor",
        "gru": "GRURegressor",
        "transformer": "TransformerRegressor",
    },
    attributes=_CLASSES + _CHAIN,
)
LABEL_SEQUENCES = TaskDocs(
    parameters=_OF_LABEL_SEQUENCES,
    example="""\
>>> import numpy as np
>>> from skrnn import {name}
>>> rng = np.random.default_rng(0)
>>> words = ["".join(rng.choice(list("abc"), size=n)) for n in rng.integers(1, 5, 300)]
>>> backwards = [word[::-1] for word in words]
>>> model = {name}(units=16, epochs=20, learning_rate=0.02, random_state=0)
>>> model.fit(words, backwards).predict(["ab", "acb"])
['ba', 'bca']""",
    counterpart="Seq2SeqRegressor",
    attributes=_CLASSES,
)
OUTLIERS = TaskDocs(
    parameters=_OF_OUTLIERS,
    example="""\
One odd row of a series: each row is scored by the window that ends there.

>>> import numpy as np
>>> from sklearn.pipeline import make_pipeline
>>> from skrnn import {name}
>>> from skrnn.preprocessing import SlidingWindow
>>> rng = np.random.default_rng(0)
>>> series = np.sin(np.arange(400) / 4) + rng.normal(scale=0.05, size=400)
>>> series[300] += 1
>>> detector = {name}(units=16, epochs=40, random_state=0)
>>> model = make_pipeline(SlidingWindow(12), detector).fit(series[:, None])
>>> scores = model.score_samples(series[:, None])
>>> scores.shape, int(scores.argmin())
((400,), 300)

Whole sequences of any length, of which some are unlike the others:

>>> X = [np.sin(np.arange(length)) for length in rng.integers(8, 14, size=60)]
>>> X[7] = X[7][::-1] ** 2
>>> detector = {name}(units=8, contamination=1 / 60, random_state=0)
>>> np.flatnonzero(detector.fit_predict(X) < 0)
array([7])""",
    counterpart="SequenceRegressor",
    relation="Predicts a series; its errors are what the detector scores.",
    attributes="""offset_ : float
    Score below which a sequence is an outlier.
error_scale_ : ndarray of shape (n_steps, n_features)
    The usual error of each step of a sequence, in units of `scale_`: 1.4826 times the
    median of its absolute errors in training; if fewer than 20 sequences have the step,
    the same of all steps. Steps later than those of ``fit`` use the error of the last
    one.
center_, scale_ : ndarray of shape (n_features,)
    Median of each feature of a step, and 1.4826 times the median absolute deviation
    from it. `model_` reads and answers steps as ``(x - center_) / scale_``.
scored_steps_ : int or "all"
    Number of last steps that are scored.
""",
)
