"""Scorers: what `scoring` takes in searches and cross-validation."""

import copy

from sklearn.metrics import make_scorer

from skrnn.metrics._perplexity import perplexity
from skrnn.metrics._spans import span_f1_score
from skrnn.metrics._tokens import sequence_accuracy_score, token_accuracy_score


def _neg_perplexity(estimator, X, y_true, sample_weight=None):
    """Return minus the perplexity; greater is better, as of all scorers.

    It needs the classes of the estimator, which `make_scorer` doesn't hand on: fewer
    may occur in `y_true`.
    """
    probabilities = estimator.predict_proba(X)
    options = {"labels": estimator.classes_, "sample_weight": sample_weight}
    return -perplexity(y_true, probabilities, **options)


SCORERS = {
    "neg_perplexity": _neg_perplexity,
    "sequence_accuracy": make_scorer(sequence_accuracy_score),
    "span_f1": make_scorer(span_f1_score),
    "token_accuracy": make_scorer(token_accuracy_score),
}


def get_scorer(scoring):
    """Return the scorer of a name, for the `scoring` of searches.

    scikit-learn's `scoring` takes no other strings than its own: there is no way to add
    one. It takes the scorers that this returns, alone or in a dict beside its own.

    Parameters
    ----------
    scoring : {"neg_perplexity", "sequence_accuracy", "span_f1", "token_accuracy"}
        Name of a scorer. The perplexity is negated, so that greater is better.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y)`` returns a float.

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
    if scoring not in SCORERS:
        raise ValueError(
            f"{scoring!r} is not a valid scoring value. Use "
            f"skrnn.metrics.get_scorer_names() to get valid options: {[*SCORERS]}; "
            "names of scikit-learn's scorers are for `scoring` itself."
        )
    return copy.deepcopy(SCORERS[scoring])


def get_scorer_names():
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
    ['neg_perplexity', 'sequence_accuracy', 'span_f1', 'token_accuracy']
    """
    return sorted(SCORERS)
