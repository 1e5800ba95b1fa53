"""A picture of the importance of each lag of each feature."""

from typing import Any, Self

import numpy as np
from sklearn.utils import Bunch

from skrnn.inspection._drawing import (
    SMALL,
    axes_for,
    heat_map,
    need_matplotlib,
    set_labels,
)
from skrnn.inspection._importance import sequence_importance


class SequenceImportanceDisplay:
    """A heat map of the importance of each lag of each feature.

    Make it with `from_estimator`, or of what :func:`sequence_importance` returned;
    ``plot`` draws it again.

    Parameters
    ----------
    result : Bunch
        What :func:`sequence_importance` returns.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Features over lags, the present at the right.
    figure_ : matplotlib Figure
        The figure of the axes.
    image_ : AxesImage
        The mean importances.

    See Also
    --------
    sequence_importance : The numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import GRURegressor
    >>> from skrnn.inspection import SequenceImportanceDisplay
    >>> X = np.random.default_rng(0).normal(size=(100, 4, 2))
    >>> model = GRURegressor(units=4, epochs=5, random_state=0).fit(X, X[:, 1, 0])
    >>> display = SequenceImportanceDisplay.from_estimator(
    ...     model, X, X[:, 1, 0], n_repeats=2, random_state=0
    ... )
    >>> [text.get_text() for text in display.ax_.get_yticklabels()]
    ['x0', 'x1']
    """

    def __init__(self, result: Bunch) -> None:
        self.result = result

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        scoring: Any = None,
        n_repeats: int = 5,
        group_size: int = 1,
        max_samples: float | int = 1.0,
        sample_weight: Any = None,
        random_state: Any = None,
        ax: Any = None,
        im_kw: dict | None = None,
    ) -> Self:
        """Measure importances, and draw them.

        Parameters
        ----------
        estimator : estimator
            Fitted, as for :func:`sequence_importance`.
        X : array-like or list of array-likes
            Sequences, or rows that a Pipeline makes windows of.
        y : array-like
            Their targets.
        scoring : str, callable or None, default=None
            As in scikit-learn; None is the estimator's ``score``.
        n_repeats : int, default=5
            How often each is shuffled.
        group_size : int, default=1
            How many neighbouring steps are shuffled together.
        max_samples : int or float, default=1.0
            How many sequences, or which share of them, are used.
        sample_weight : array-like of shape (n,), default=None
            Weights in the score.
        random_state : int, RandomState or None, default=None
            Of the shuffling.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        im_kw : dict or None, default=None
            Options of matplotlib's ``imshow``.

        Returns
        -------
        display : SequenceImportanceDisplay
            With what was drawn.

        Raises
        ------
        TypeError, ValueError
            As :func:`sequence_importance` does.
        """
        need_matplotlib(f"{cls.__name__}.from_estimator")
        result = sequence_importance(
            estimator, X, y, scoring=scoring, n_repeats=n_repeats,
            group_size=group_size, max_samples=max_samples,
            sample_weight=sample_weight, random_state=random_state,
        )  # fmt: skip
        return cls(result).plot(ax, im_kw=im_kw)

    def plot(self, ax: Any = None, *, im_kw: dict | None = None) -> Self:
        """Draw the importances.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        im_kw : dict or None, default=None
            Options of matplotlib's ``imshow``.

        Returns
        -------
        display : SequenceImportanceDisplay
            Itself.
        """
        need_matplotlib(f"{type(self).__name__}.plot")
        values = np.asarray(self.result.importances_mean, dtype=float).T
        m, n = values.shape
        size = (
            float(np.clip(2.5 + 0.17 * n, 5.5, 12)),
            float(np.clip(1 + 0.3 * m, 2, 9)),
        )
        (self.ax_,) = axes_for(ax, 1, size=size, n_columns=1)
        self.figure_ = self.ax_.figure
        # The middle of the colours is no importance; what is below it is chance.
        label = f"What is lost of the\nscore {self.result.score:.3g}"
        self.image_ = heat_map(
            self.ax_, values, kind="signed", label=label, **im_kw or {}
        )
        set_labels(self.ax_.yaxis, self.result.feature_names, m, "")
        self._name_lags(n)
        return self

    def _name_lags(self, n):
        """Write how far back a step is: 0 at the right, where the present is."""
        every = next(
            step
            for step in (1, 2, 3, 4, 6, 8, 12, 24, n)
            if n / step <= 13 or step >= n
        )
        lags = np.arange(0, n, every)[::-1]
        self.ax_.set_xticks(n - lags, [f"{-lag}" if lag else "0" for lag in lags])
        self.ax_.tick_params(labelsize=SMALL)
        self.ax_.set_xlabel("Steps from the last one", fontsize=SMALL + 0.5)
