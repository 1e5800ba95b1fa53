"""What networks between sequences have in common: parameters, how to train, state."""

import inspect
from dataclasses import dataclass
from typing import Any, ClassVar

from skrnn._attention import ATTENTIONS
from skrnn._cells import CELLS
from skrnn._constraints import Count, Counts, StrOptions
from skrnn._holdout import hold_out
from skrnn._seed import draw_seed
from skrnn._spec import NetworkSpec, TrainPlan
from skrnn._trained import TrainedNetwork

# With fewer sequences than this, early_stopping="auto" trains for all epochs on all:
# sets of 40 to 270 sequences lose more by what is held out, series of 2,000 rows gain.
EARLY_STOPPING_FROM = 500


@dataclass(kw_only=True, eq=False, repr=False)
class BaseNetwork(TrainedNetwork):
    """The parameters of a network that reads sequences, and how it is trained."""

    bidirectional: bool = False
    attention: str | None = None
    embedding_dim: int | tuple[int, ...] | None = None
    dense_units: int | tuple[int, ...] = ()
    loss: Any = "auto"

    _common_constraints = TrainedNetwork._training_constraints | {
        "bidirectional": ["boolean"],
        "attention": [StrOptions(set(ATTENTIONS)), None],
        "embedding_dim": [Count(), None],
        "dense_units": [Count(), Counts(empty=True)],
    }
    # What describes the network.
    _spec_class: ClassVar[type[NetworkSpec]] = NetworkSpec

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        network = getattr(cls, "_network_constraints", {})
        task = getattr(cls, "_task_constraints", {})
        cls._parameter_constraints = cls._common_constraints | network | task
        if "cell" in inspect.get_annotations(cls):
            cls._parameter_constraints |= {"cell": [StrOptions(set(CELLS))]}

    def _plan(self, n_sequences, epochs, resume, **more):
        """Decide how to train."""
        early_stopping = self.early_stopping
        if early_stopping == "auto":
            early_stopping = n_sequences >= EARLY_STOPPING_FROM
        return TrainPlan(
            loss=self.loss,
            optimizer=self.optimizer,
            learning_rate=float(self.learning_rate),
            clipnorm=self.clipnorm,
            epochs=self.epochs if epochs is None else epochs,
            batch_size=self.batch_size,
            shuffle=self.shuffle,
            # One epoch of partial_fit is trained on everything it is given.
            early_stopping=bool(early_stopping) and epochs is None,
            patience=self.patience,
            verbose=int(self.verbose),
            seed=draw_seed(self.random_state, self.n_iter_ if resume else 0),
            name=type(self).__name__,
            **more,
        )

    def _split(self, dataset, plan):
        """Hold out some sequences to validate on, if training may stop early."""
        if not plan.early_stopping:
            return dataset, None
        strata = self._validation_strata(dataset)
        rows = hold_out(len(dataset), self.validation_split, strata, plan.seed)
        return dataset.take(rows[0]), dataset.take(rows[1])

    def _keep(self, spec, trained, resume):
        super()._keep(spec, trained, resume)
        self._model = None

    def __getstate__(self):
        # The spec as text and the weights are the state: a Keras model is made from
        # them again.
        state = super().__getstate__()
        if "_spec" not in state:
            return state
        return state | {"_model": None, "_spec": self._spec.to_json()}

    def __setstate__(self, state):
        if "_spec" in state:
            state = state | {"_spec": self._spec_class.from_json(state["_spec"])}
        super().__setstate__(state)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
