"""Labels of all steps as one chain: a conditional random field behind the network."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skrnn._data.targets.codes import Codes
from skrnn._data.targets.transitions import (
    excluded_transitions,
    refuse_excluded,
    refuse_uneven,
)
from skrnn._data.typing import Array
from skrnn._estimators.names import resolve
from skrnn._networks.crf import EXCLUDED
from skrnn._networks.forward import named_weights
from skrnn._networks.optimizers import OPTIMIZERS
from skrnn._networks.specs import Head
from skrnn._networks.weights import weight_table


@dataclass(kw_only=True, eq=False, repr=False)
class ChainMixin:
    """The parameters of a chain, and what they change of a task of labels."""

    crf: bool = False
    illegal_transitions: Any = None

    def _encode_chain(self: Any, numbers, weights, lengths):
        """Return numbers of labels of all real steps (n,) as targets; check them."""
        if self.class_weight is not None:
            raise ValueError(
                f"class_weight={self.class_weight!r} isn't for crf=True: the "
                "likelihood is that of a whole sequence, whose labels can't be "
                "weighted one by one. Use sample_weight with one weight a sequence, or "
                "class_weight=None."
            )
        refuse_uneven(weights, lengths)
        excluded = excluded_transitions(self.illegal_transitions, self.classes_)
        if excluded.any():
            _refuse_steps_by_weight(self.optimizer)
            given = np.ravel(numbers), weights > 0, lengths
            refuse_excluded(*given, excluded, self.classes_)
        return Codes(numbers[:, None], np.int32), weights

    def _head_of_chain(self: Any):
        """Return a head with the emissions of a chain."""
        if not self.return_sequences:
            raise ValueError(
                "crf=True is for a label at each step: set return_sequences=True."
            )
        if self._multilabel:
            raise ValueError(
                "crf=True is for one label a step, but y has several labels at once."
            )
        loss = resolve("loss of labels", self.loss)
        if loss not in ("auto", "categorical_crossentropy"):
            raise ValueError(
                f"loss={self.loss!r} isn't for crf=True, whose loss is the likelihood "
                "of whole sequences; use loss='auto'."
            )
        return Head(len(self.classes_), "softmax", crf=True)

    def _fills_of_head(self: Any, spec):
        """Return what gives excluded pairs their score, which stays the same."""
        if not spec.head.crf or self.illegal_transitions is None:
            return []
        excluded = excluded_transitions(self.illegal_transitions, self.classes_)

        def fill(weights, _dataset):
            names = [row.name for row in weight_table(spec)]
            parts = {
                "crf/transitions": excluded[:-1, :-1],
                "crf/start": excluded[-1, :-1],
                "crf/end": excluded[:-1, -1],
            }
            return [
                np.where(parts[name], np.float32(EXCLUDED), w) if name in parts else w
                for name, w in zip(names, weights, strict=True)
            ]

        return [fill]

    @property
    def transitions_(self: Any) -> Array:
        """Scores of a chain's pairs of labels, (n_classes, n_classes), with `crf`.

        Entry [i, j] is the score of ``classes_[j]`` right after ``classes_[i]``, minus
        infinity where it is excluded. Scores of first and last labels are the "start"
        and the "end" of ``weights_["crf"]``.
        """
        if not (hasattr(self, "_spec") and self._spec.head.crf):
            raise AttributeError(
                f"{type(self).__name__} has transitions_ after fit with crf=True."
            )
        scores = named_weights(self._spec, self._weights)["crf/transitions"]
        # No network learns such a score, whatever the decay of weights.
        return np.where(scores < EXCLUDED / 10, -np.inf, scores)


def _refuse_steps_by_weight(optimizer):
    """Refuse an optimizer whose steps are as long as the weights.

    The scores of excluded pairs are among these.
    """
    is_name = isinstance(optimizer, str)
    kind = type(optimizer).__name__.lower()
    kind = resolve("optimizer", optimizer) if is_name else kind
    if kind in OPTIMIZERS and OPTIMIZERS[kind].by_weight:
        raise ValueError(
            f"optimizer={kind!r} isn't for "
            "illegal_transitions: its steps are as long as the weights, which have the "
            "scores of excluded pairs. Use optimizer='adam'."
        )
