"""Scorers: what `scoring` takes in searches and cross-validation."""

import copy
import inspect

import numpy as np

from skrnn._data.validation import is_ragged
from skrnn._sklearn import BaseScorer, Scorer
from skrnn.metrics._forecasts import symmetric_mean_absolute_percentage_error
from skrnn.metrics._padding import real_steps, weights_at
from skrnn.metrics._perplexity import perplexity
from skrnn.metrics._spans import span_f1_score
from skrnn.metrics._tokens import sequence_accuracy_score, token_accuracy_score


class _NegPerplexity(BaseScorer):
    """Minus the perplexity; greater is better, as of all scorers.

    It needs the classes of the estimator, which `make_scorer` doesn't hand on: fewer
    may occur in `y_true`. An estimator that has a method ``perplexity`` is asked for
    it, and needs no `y_true`.
    """

    def __init__(self):
        super().__init__(perplexity, -1, {}, response_method="predict_proba")

    def __call__(self, estimator, X, y_true=None, *, sample_weight=None, **kwargs):
        """Return the score of an estimator on X, as every scorer does."""
        options = kwargs | {"sample_weight": sample_weight}
        return super().__call__(estimator, X, y_true, **options)

    def _score(self, method_caller, estimator, X, y_true=None, **kwargs):
        # method_caller returns only the second column for two classes.
        if callable(getattr(estimator, "perplexity", None)):
            _refuse_unknown(estimator, kwargs)
            return self._sign * estimator.perplexity(X, **kwargs)
        if y_true is None:
            raise ValueError(
                f"neg_perplexity needs y_true to score a {type(estimator).__name__}, "
                "but y_true is None."
            )
        options = {"labels": estimator.classes_} | kwargs
        found = _of_true_labels(estimator, estimator.predict_proba(X), y_true)
        return self._sign * perplexity(y_true, found, **options)

    def __repr__(self):
        return "get_scorer('neg_perplexity')"


def _refuse_unknown(estimator, options):
    known = inspect.signature(estimator.perplexity).parameters
    for name in options.keys() - known.keys():
        raise TypeError(
            f"neg_perplexity takes no {name} for a {type(estimator).__name__}, whose "
            "own perplexity has no such parameter."
        )


def _of_true_labels(estimator, probabilities, y_true):
    """Return the probabilities of each sample in the form of its true labels."""
    if isinstance(probabilities, list):
        shapes = {np.shape(block) for block in probabilities}
        by_output = len(shapes) == 1 and shapes.pop()[:1] == (len(y_true),)
        # An array for each output, as scikit-learn has it: (n, H, n_classes).
        return np.stack(probabilities, axis=1) if by_output else probabilities
    if is_ragged(probabilities) and len(probabilities[0].T) > len(estimator.classes_):
        # One column more than classes: the last one is the end of the sequence.
        raise ValueError(
            "neg_perplexity can't score strings or lists of labels that a "
            f"{type(estimator).__name__} writes: its predict_proba is about the labels "
            "of its own path, beside which the true ones don't lie step by step. Take "
            "'sequence_accuracy'."
        )
    return probabilities


class _OfRealSteps(Scorer):
    """A score of labels at the real steps of X; those at padding don't count.

    X tells which steps are padding, not the labels: any label may be there.
    """

    def __init__(self, name, score):
        super().__init__(score, 1, {}, response_method="predict")
        self._name = name

    def _score(self, method_caller, estimator, X, y_true, **kwargs):
        real = real_steps(estimator, X)
        if real is not None:
            weights = weights_at(real, kwargs.get("sample_weight"))
            kwargs = kwargs | {"sample_weight": weights}
        return super()._score(method_caller, estimator, X, y_true, **kwargs)

    def __repr__(self):
        return f"get_scorer({self._name!r})"


class _NegPercentage(Scorer):
    """Minus the symmetric percentage error; greater is better, as of all scorers."""

    def __init__(self):
        score = symmetric_mean_absolute_percentage_error
        super().__init__(score, -1, {}, response_method="predict")

    def __repr__(self):
        return "get_scorer('neg_symmetric_mean_absolute_percentage_error')"


SCORERS = {
    "neg_perplexity": _NegPerplexity(),
    "neg_symmetric_mean_absolute_percentage_error": _NegPercentage(),
} | {
    name: _OfRealSteps(name, score)
    for name, score in {
        "sequence_accuracy": sequence_accuracy_score,
        "span_f1": span_f1_score,
        "token_accuracy": token_accuracy_score,
    }.items()
}


def get_scorer(scoring: str) -> BaseScorer:
    """Return the scorer of a name, for the `scoring` of searches.

    scikit-learn's `scoring` accepts only its own names. Pass the scorer that this
    function returns instead, alone or in a dict with others.

    Parameters
    ----------
    scoring : {"neg_perplexity", "neg_symmetric_mean_absolute_percentage_error", \
"sequence_accuracy", "span_f1", "token_accuracy"}
        Name of a scorer. The percentage error and the perplexity are negated, so that
        greater is better. The perplexity of a :class:`~skrnn.text.TextGenerator` is
        that of the texts. There is no perplexity for strings or lists of a
        :class:`~skrnn.Seq2SeqClassifier`.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y)`` returns a float. It leaves out the padding of token
        ids, which it finds in X. Its ``set_score_request`` is that of scikit-learn's
        scorers.

    Raises
    ------
    ValueError
        If there is no scorer of that name.

    See Also
    --------
    get_scorer_names : The names.
    sklearn.metrics.make_scorer : Scorers with other parameters of a score.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import cross_validate
    >>> from skrnn import GRUClassifier
    >>> from skrnn.metrics import get_scorer
    >>> X = np.random.default_rng(0).integers(1, 5, size=(40, 6))
    >>> tags = np.where(X > 2, "B-high", "O")
    >>> tagger = GRUClassifier(
    ...     embedding_dim=4,
    ...     units=4,
    ...     epochs=20,
    ...     learning_rate=0.05,
    ...     return_sequences=True,
    ...     random_state=0,
    ... )
    >>> scoring = {"f1": get_scorer("span_f1"), "ppl": get_scorer("neg_perplexity")}
    >>> scores = cross_validate(tagger, X, tags, scoring=scoring, cv=2)
    >>> bool(scores["test_f1"].mean() > 0.9)
    True
    """
    if not isinstance(scoring, str) or scoring not in SCORERS:
        raise ValueError(
            f"{scoring!r} is not a valid scoring value. Use "
            f"skrnn.metrics.get_scorer_names() to get valid options: {[*SCORERS]}; "
            "names of scikit-learn's scorers are for `scoring` itself."
        )
    return copy.deepcopy(SCORERS[scoring])


def get_scorer_names() -> list[str]:
    """Return the names that `get_scorer` knows.

    Returns
    -------
    names : list of str
        In sorted order.

    See Also
    --------
    get_scorer : The scorer of a name.

    Examples
    --------
    >>> from skrnn.metrics import get_scorer_names
    >>> get_scorer_names()
    ['neg_perplexity', 'neg_symmetric_mean_absolute_percentage_error',
     'sequence_accuracy', 'span_f1', 'token_accuracy']
    """
    return sorted(SCORERS)
