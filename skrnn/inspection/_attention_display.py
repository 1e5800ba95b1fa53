"""A picture of what a network attends to."""

import copy
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from skrnn._data.typing import Array
from skrnn.inspection._attention import attention_weights
from skrnn.inspection._drawing import (
    BLUE,
    SMALL,
    axes_for,
    heat_map,
    need_matplotlib,
    set_labels,
    tidy,
)
from skrnn.inspection._parts import check_count, reach_network
from skrnn.inspection._sequences import one_of, real_part, tokens_of

# What a decoder writes at last.
END = "⟨end⟩"


class AttentionDisplay:
    """What a network attends to when it reads one sequence.

    Make it with `from_estimator`; ``plot`` draws it again.

    Parameters
    ----------
    weights : ndarray of shape (T,) or (T_out, T)
        Shares of attention to the steps, from the last state, or from each of several
        answers in rows.
    inputs : list of str, default=None
        The words or characters that were read; None numbers the steps.
    outputs : list of str, default=None
        What was answered; None numbers the answers.

    Attributes
    ----------
    ax_ : matplotlib Axes
        With the weights.
    figure_ : matplotlib Figure
        The figure of the axes.
    bars_ : BarContainer or None
        The shares of one answer.
    image_ : AxesImage or None
        The shares of several answers.

    See Also
    --------
    attention_weights : The numbers.

    Examples
    --------
    >>> from skrnn import Seq2SeqClassifier
    >>> from skrnn.inspection import AttentionDisplay
    >>> words = ["ab", "ba", "abb", "bab"] * 10
    >>> model = Seq2SeqClassifier(units=8, epochs=2, random_state=0).fit(words, words)
    >>> display = AttentionDisplay.from_estimator(model, words, sequence=2)
    >>> [text.get_text() for text in display.ax_.get_xticklabels()]
    ['a', 'b', 'b']
    """

    def __init__(
        self,
        weights: Array,
        *,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
    ) -> None:
        self.weights = weights
        self.inputs = inputs
        self.outputs = outputs

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        sequence: int = 0,
        future: Any = None,
        ax: Any = None,
        bar_kw: dict | None = None,
        im_kw: dict | None = None,
    ) -> Self:
        """Draw what a fitted estimator attends to in one sequence.

        Parameters
        ----------
        estimator : estimator
            Fitted, with `attention`: a recurrent one, an encoder and decoder, a
            Transformer, or a Pipeline or search that ends in one. Ids from a
            :class:`~skrnn.preprocessing.TextSequencer` are shown as words.
        X : array-like or list of array-likes
            Sequences in one of the forms that ``fit`` takes.
        sequence : int, default=0
            Which of them is drawn.
        future : array-like of shape (n, H, F2) or (n, H), default=None
            What is known about the steps to predict, as for :func:`attention_weights`.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        bar_kw, im_kw : dict or None, default=None
            Options of matplotlib's ``bar``, of one answer, and of its ``imshow``, of
            several.

        Returns
        -------
        display : AttentionDisplay
            With what was drawn.

        Raises
        ------
        TypeError
            If the estimator is no network of skrnn, and ends in none.
        ValueError
            If the network has no attention, or there is no such sequence.
        """
        need_matplotlib(f"{cls.__name__}.from_estimator")
        reached = reach_network(estimator, X, cls.__name__)
        network, one = reached.network, one_of(reached.X, sequence)
        check_count(reached.X, future, "future")
        known = {} if future is None else {"future": one_of(future, sequence)}
        (weights,) = attention_weights(network, one, **known)
        inputs = tokens_of(network, one)
        real = real_part(inputs, weights.shape[-1])
        weights, inputs = weights[..., real], inputs and inputs[real]
        outputs = None
        if network._spec.attends_from_steps:
            weights, outputs = weights[real], inputs
        elif weights.ndim == 2:
            outputs = _written(network, one, len(weights))
        made = cls(weights, inputs=inputs, outputs=outputs)
        return made.plot(ax, bar_kw=bar_kw, im_kw=im_kw)

    def plot(
        self, ax: Any = None, *, bar_kw: dict | None = None, im_kw: dict | None = None
    ) -> Self:
        """Draw the weights.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        bar_kw, im_kw : dict or None, default=None
            Options of matplotlib's ``bar`` and ``imshow``.

        Returns
        -------
        display : AttentionDisplay
            Itself.
        """
        need_matplotlib(f"{type(self).__name__}.plot")
        weights = np.asarray(self.weights, dtype=float)
        self._check(weights)
        self.bars_ = self.image_ = None
        n = weights.shape[-1]
        width = np.clip(1.6 + (0.3 if self.inputs else 0.12) * n, 4.5, 13)
        of_row = 0.3 if self.outputs else 0.12
        height = 2.6
        if weights.ndim == 2:
            height = np.clip(1.2 + of_row * len(weights), 2.6, 9)
        (self.ax_,) = axes_for(ax, 1, size=(width, height), n_columns=1)
        self.figure_ = self.ax_.figure
        if weights.ndim == 1:
            self._draw_bars(weights, bar_kw)
        else:
            self._draw_matrix(weights, im_kw)
        set_labels(self.ax_.xaxis, self.inputs, n, "Step read")
        if self.inputs is not None:
            self.ax_.set_xlabel("Read", fontsize=SMALL + 0.5)
        return self

    def _check(self, weights):
        if weights.ndim not in (1, 2) or not weights.size:
            raise ValueError(
                "weights must have shape (T,) or (T_out, T), as those of one sequence. "
                f"Got {weights.shape}."
            )
        named = ("inputs", self.inputs, -1), ("outputs", self.outputs, 0)
        for name, labels, axis in named:
            n = weights.shape[axis]
            if labels is not None and len(labels) != n and (axis or weights.ndim == 2):
                raise ValueError(f"{name} must have {n} labels. Got {len(labels)}.")

    def _draw_bars(self, weights, bar_kw):
        options: dict[str, Any] = dict(color=BLUE, width=0.82) | (bar_kw or {})
        self.bars_ = self.ax_.bar(np.arange(len(weights)) + 1, weights, **options)
        tidy(self.ax_)
        self.ax_.set_xlim(0.4, len(weights) + 0.6)
        self.ax_.set_ylabel("Share of attention", fontsize=SMALL + 0.5)

    def _draw_matrix(self, weights, im_kw):
        options = im_kw or {}
        label = "Share of attention"
        self.image_ = heat_map(self.ax_, weights, kind="amount", label=label, **options)
        set_labels(self.ax_.yaxis, self.outputs, len(weights), "Step answered")
        if self.outputs is not None:
            self.ax_.set_ylabel("Answered", fontsize=SMALL + 0.5)


def _written(network, X, n):
    """Return what a decoder wrote, for n rows; None if it writes numbers.

    The weights are those of the greedy path.
    """
    if network._spec.n_labels is None:
        return None
    greedy = copy.copy(network).set_params(n_beams=1)
    written = [str(label) for label in greedy.predict(X)[0]]
    return [*written, END][:n] if len(written) < n else written[:n]
