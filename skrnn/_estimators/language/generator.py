"""The text generator: a language model that writes."""

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from numbers import Real
from typing import Any, Literal, overload

import numpy as np

from skrnn._data.typing import Array, RandomState
from skrnn._estimators.language.base import LanguageModel
from skrnn._estimators.language.docs import text_estimator
from skrnn._estimators.language.reading import as_stops, check_text, check_texts
from skrnn._estimators.language.sampling import (
    Dice,
    Draft,
    Hand,
    Sampler,
    go_on,
    written,
)
from skrnn._estimators.language.vocabulary import END, UNKNOWN
from skrnn._estimators.one_fit import of_one_fit
from skrnn._sklearn import (
    Count,
    StrictInterval,
    check_arguments,
    draw_seed,
)

_SAMPLING = {
    "temperature": [StrictInterval(Real, 0, math.inf, closed="left")],
    "top_k": [Count(), None],
    "top_p": [StrictInterval(Real, 0, 1, closed="right"), None],
    "random_state": ["random_state"],
    "stop_at_end": ["boolean"],
}
_GENERATION = _SAMPLING | {
    "max_new_tokens": [Count()],
    "n_samples": [Count()],
    "stop": [str, list, tuple, None],
}


@text_estimator
class TextGenerator(LanguageModel):
    """Recurrent language model: learns to write like the texts it was trained on.

    It reads a text token by token, characters or words, and predicts the next one at
    each (Mikolov et al., 2010; Graves, 2013). All texts together are one stream, cut
    into `batch_size` sequences that are read in parallel, `lookback` tokens at a time:
    the hidden state is carried from one piece to the next, the gradient isn't
    (truncated backpropagation through time; Williams & Peng, 1990). Every text begins
    with the state at zero, wherever it stands in the stream, so texts don't depend on
    those before them. The end of each text of a list is a token too, which is how a
    generated text ends by itself. A single str has no end: it is a stream that goes on.

    Training and generation run on skrnn's own kernels, without Keras. Generation keeps
    the state: a token costs one step, however long the text has become.
    """

    @overload
    def generate(
        self,
        prompt: str = ...,
        max_new_tokens: int = ...,
        *,
        temperature: float = ...,
        top_k: int | None = ...,
        top_p: float | None = ...,
        n_samples: Literal[1] = ...,
        random_state: RandomState = ...,
        stop: str | Sequence[str] | None = ...,
        stop_at_end: bool = ...,
    ) -> str: ...

    @overload
    def generate(
        self,
        prompt: str = ...,
        max_new_tokens: int = ...,
        *,
        temperature: float = ...,
        top_k: int | None = ...,
        top_p: float | None = ...,
        n_samples: int,
        random_state: RandomState = ...,
        stop: str | Sequence[str] | None = ...,
        stop_at_end: bool = ...,
    ) -> str | list[str]: ...

    @overload
    def generate(
        self,
        prompt: list[str] | tuple[str, ...] | Array,
        max_new_tokens: int = ...,
        *,
        temperature: float = ...,
        top_k: int | None = ...,
        top_p: float | None = ...,
        n_samples: int = ...,
        random_state: RandomState = ...,
        stop: str | Sequence[str] | None = ...,
        stop_at_end: bool = ...,
    ) -> list[str] | list[list[str]]: ...

    @of_one_fit
    def generate(
        self,
        prompt: str | list[str] | tuple[str, ...] | Array = "",
        max_new_tokens: int = 200,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        n_samples: int = 1,
        random_state: RandomState = None,
        stop: str | Sequence[str] | None = None,
        stop_at_end: bool = True,
    ) -> str | list[str] | list[list[str]]:
        """Write a text that continues a prompt, or one for each of several prompts.

        Parameters
        ----------
        prompt : str or list of str, default=""
            The beginning of the text; if it is empty, a new text begins. A space at its
            end belongs to the next word. Prompts in a list are continued side by side,
            each exactly as it would be alone.
        max_new_tokens : int, default=200
            Tokens after the prompt; fewer if the text ends by itself or before `stop`.
        temperature : float >= 0, default=1.0
            Below 1 likely tokens become likelier, above 1 less likely; 0 always takes
            the likeliest.
        top_k : int, default=None
            Sample only from the k most likely tokens.
        top_p : float in (0, 1], default=None
            Sample only from the most likely tokens whose probabilities, at this
            temperature, reach this sum (Holtzman et al., 2020).
        n_samples : int, default=1
            Texts to write for each prompt, all at once.
        random_state : int, RandomState instance or None, default=None
            The same int gives the same text, whether a prompt is in a list or alone.
            From an instance, prompts draw one after the other.
        stop : str or list of str, default=None
            A text ends before any of these.
        stop_at_end : bool, default=True
            Whether a text may end by itself, where the model expects the end of a text.
            A model that was fitted on one str has learnt no end: its texts never do.

        Returns
        -------
        text : str, list of str or list of lists of str
            The prompt and what follows it; a list if `n_samples` is not 1. For a list
            of prompts, a list of these.
        """
        given: dict[str, Any] = dict(temperature=temperature, top_k=top_k, top_p=top_p)
        given |= dict(random_state=random_state, stop_at_end=stop_at_end)
        limits = dict(max_new_tokens=max_new_tokens, n_samples=n_samples, stop=stop)
        check_arguments(_GENERATION, given | limits, f"{type(self).__name__}.generate")
        prompts = check_texts(prompt, "prompt")
        steps, hands = self._begin(prompts, given, n_samples)
        drafts = [Draft(hand, as_stops(stop)) for hand in hands]
        for ids in islice(steps, max_new_tokens):
            for draft, id_ in zip(drafts, ids.tolist(), strict=True):
                draft.add(id_)
            if all(draft.is_over for draft in drafts):
                break
        found = [draft.text() for draft in drafts]
        texts: list[Any] = []
        for i, start in enumerate(prompts):
            own = found[i * n_samples : (i + 1) * n_samples]
            own = [start + text for text in own]
            texts.append(own[0] if n_samples == 1 else own)
        return texts[0] if isinstance(prompt, str) else texts

    @of_one_fit
    def stream(
        self,
        prompt: str = "",
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        random_state: RandomState = None,
        stop_at_end: bool = True,
    ) -> Iterator[str]:
        """Write a text token by token, for as long as it is asked for more.

        Parameters
        ----------
        prompt : str, default=""
            As for ``generate``.
        temperature : float >= 0, default=1.0
            As for ``generate``.
        top_k : int, default=None
            As for ``generate``.
        top_p : float in (0, 1], default=None
            As for ``generate``.
        random_state : int, RandomState instance or None, default=None
            The same int gives the text that it gives in ``generate``.
        stop_at_end : bool, default=True
            As for ``generate``.

        Returns
        -------
        tokens : iterator of str
            What follows the prompt; endless, unless the text ends by itself.
        """
        given: dict[str, Any] = dict(temperature=temperature, top_k=top_k, top_p=top_p)
        given |= dict(random_state=random_state, stop_at_end=stop_at_end)
        check_arguments(_SAMPLING, given, f"{type(self).__name__}.stream")
        check_text(prompt, "prompt")
        steps, (hand,) = self._begin([prompt], given, 1)
        return written(steps, hand)

    def _begin(self, prompts, given, n_samples):
        """Read prompts; return an iterator of ids, `n_samples` each, and their writers.

        Each prompt draws as it does alone: by the same int, or the next one of a state.
        """
        self._require_fit()
        openings = map(self._vocabulary.opening, prompts)
        read, spaces = zip(*openings, strict=True)
        documents = self._encode(read, "prompt")
        never = self._never(given["stop_at_end"])
        sampler = Sampler(given["temperature"], given["top_k"], given["top_p"], never)
        dice = Dice([draw_seed(given["random_state"], 0) for _ in prompts])
        with_space = self._vocabulary.begins_with_space
        firsts = [with_space if space else slice(None) for space in spaces]
        options = documents, n_samples, sampler, dice, firsts
        starts = zip(prompts, spaces, strict=True)
        hands = [
            Hand(self._vocabulary, *start) for start in starts for _ in range(n_samples)
        ]
        return go_on(self._spec, self._weights, *options), hands

    def _never(self, stop_at_end=True):
        return (UNKNOWN,) if stop_at_end and self._has_ends else (UNKNOWN, END)

    def _sample(self, spec, weights, seed):
        """Return a text for progress to show."""
        nothing = [np.array([], np.int32)]
        sampler = Sampler(0.8, never=self._never())
        steps = go_on(spec, weights, nothing, 1, sampler, Dice([seed]))
        return "".join(islice(written(steps, Hand(self._vocabulary)), 200))
