"""The public estimators whose steps attend to each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar

from skrnn._estimators.base import SequenceNetwork
from skrnn._estimators.docs.recurrent import recurrent_estimator
from skrnn._estimators.docs.transformer import BLOCKS
from skrnn._estimators.names import named
from skrnn._estimators.tasks import SequenceClassifierMixin, SequenceRegressorMixin
from skrnn._estimators.tasks.documentation import Row
from skrnn._networks.architecture import transformer_spec
from skrnn._networks.layers import POOLINGS, POSITIONS
from skrnn._sklearn import Count, StrictInterval, StrOptions


@dataclass(kw_only=True, eq=False, repr=False)
class BaseTransformer(SequenceNetwork):
    """Blocks of self-attention, a head, and how they are trained."""

    d_model: int = 64
    n_heads: int = 4
    n_layers: int = 2
    dim_feedforward: int = 128
    positional: str = "sinusoidal"
    causal: bool = False
    pooling: str = "mean"
    activation: str = "relu"
    dropout: float = 0.1
    learning_rate: float = 1e-3
    warmup_steps: int = 100

    _kind: ClassVar[str] = "transformer"
    _width: ClassVar[str] = "d_model"
    _network_docs: ClassVar[Mapping[str, Row]] = BLOCKS
    _network_constraints = SequenceNetwork._network_constraints | {
        "d_model": [Count()],
        "n_heads": [Count()],
        "n_layers": [Count()],
        "dim_feedforward": [Count()],
        "positional": [StrOptions(set(POSITIONS))],
        "causal": ["boolean"],
        "pooling": [StrOptions(set(POOLINGS))],
        "warmup_steps": [StrictInterval(Integral, 0, None, closed="left")],
    }

    def _check_X(self, X, *, reset, min_samples=1, trains=False):
        sequences = super()._check_X(
            X, reset=reset, min_samples=min_samples, trains=trains
        )
        if not reset:
            self._refuse_longer(sequences)
        return sequences

    def _refuse_longer(self, sequences):
        """Refuse steps that a learned table has no row for."""
        known, longest = self._spec.n_places, int(sequences.lengths.max())
        if known is not None and longest > known:
            raise ValueError(
                f"X has a sequence of {longest} steps, but with positional='learned' "
                f"this {type(self).__name__} knows the {known} steps of the longest "
                "one of fit; use 'rotary' or 'sinusoidal' for longer ones."
            )

    def _network(self, X, resume):
        """Return the spec of the network to build, and what fills first weights."""
        self._refuse_heads()
        common, fill = self._common_network(X, resume)
        known = self._spec.n_places if resume else None
        (activation,) = named(self, "activation")
        spec = transformer_spec(
            d_model=int(self.d_model),
            n_heads=int(self.n_heads),
            n_layers=int(self.n_layers),
            dim_feedforward=int(self.dim_feedforward),
            positional=self.positional,
            causal=bool(self.causal),
            pooling=self.pooling,
            n_places=known or int(X.lengths.max()),
            activation=activation,
            **common,
        )
        return self._filled(spec, fill)

    def _refuse_heads(self):
        """Refuse heads that the width can't be divided among."""
        d_model, n_heads = self.d_model, self.n_heads
        if d_model % n_heads:
            raise ValueError(
                f"n_heads={n_heads} must divide d_model={d_model}: each head has as "
                "many columns."
            )
        if self.positional == "rotary" and (d_model // n_heads) % 2:
            raise ValueError(
                f"positional='rotary' turns pairs of columns, but d_model={d_model} "
                f"gives each of n_heads={n_heads} heads {d_model // n_heads}, an odd "
                "number."
            )

    def _plan_of_steps(self, *, one_epoch):
        steps = super()._plan_of_steps(one_epoch=one_epoch)
        # An optimizer of the user's own has its own rate, and its own schedule.
        by_name = isinstance(steps["optimizer"], str)
        return steps | {"warmup_steps": int(self.warmup_steps) if by_name else 0}


@recurrent_estimator
class TransformerRegressor(SequenceRegressorMixin, BaseTransformer):
    """Transformer encoder that predicts numbers from sequences.

    Every step attends to every other one (Vaswani et al., 2017): distant steps are
    related as directly as neighbours. It needs more data than recurrent layers do, and
    time and memory grow with the square of the length. The layers of each block come
    after its normalisation (Xiong et al., 2020).
    """


@recurrent_estimator
class TransformerClassifier(SequenceClassifierMixin, BaseTransformer):
    """Transformer encoder that classifies sequences.

    Every step attends to every other one (Vaswani et al., 2017): distant steps are
    related as directly as neighbours. It needs more data than recurrent layers do, and
    time and memory grow with the square of the length. The layers of each block come
    after its normalisation (Xiong et al., 2020).
    """
