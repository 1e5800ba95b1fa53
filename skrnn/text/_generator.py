"""The text generator: a language model that writes."""

import math
from itertools import islice
from numbers import Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skrnn._constraints import Count, StrictInterval, check_arguments
from skrnn._seed import draw_seed
from skrnn.text._docs import text_estimator
from skrnn.text._language_model import LanguageModel
from skrnn.text._reading import as_stops, check_text
from skrnn.text._sampling import Draft, Sampler, go_on, tokens_of

_SAMPLING = {
    "temperature": [StrictInterval(Real, 0, math.inf, closed="left")],
    "top_k": [Count(), None],
    "top_p": [StrictInterval(Real, 0, 1, closed="right"), None],
    "random_state": ["random_state"],
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
    into `batch_size` lanes that are read side by side, `lookback` tokens at a time: the
    hidden state goes on from one piece to the next, the gradient doesn't (truncated
    backpropagation through time; Williams & Peng, 1990). Every text begins with the
    state at zero, wherever it stands in the stream, so texts don't depend on those
    before them; its end is a token too, which is how a generated text ends by itself.

    Training and generation run on skrnn's own kernels, without Keras. Generation keeps
    the state: a token costs one step, however long the text has become.
    """

    def generate(
        self,
        prompt="",
        max_new_tokens=200,
        *,
        temperature=1.0,
        top_k=None,
        top_p=None,
        n_samples=1,
        random_state=None,
        stop=None,
    ):
        """Write a text that goes on from a prompt.

        Parameters
        ----------
        prompt : str, default=""
            The beginning of the text; empty, a new text begins.
        max_new_tokens : int, default=200
            Tokens after the prompt, at most: a text may end by itself.
        temperature : float >= 0, default=1.0
            Below 1 likely tokens become likelier, above 1 less likely; 0 always takes
            the likeliest.
        top_k : int, default=None
            Draw from so many of the likeliest tokens alone.
        top_p : float in (0, 1], default=None
            Draw from the likeliest tokens alone whose probabilities, at this
            temperature, reach this sum (Holtzman et al., 2020).
        n_samples : int, default=1
            Texts to write, all at once.
        random_state : int, RandomState instance or None, default=None
            The same int gives the same text.
        stop : str or list of str, default=None
            A text ends before any of these.

        Returns
        -------
        text : str or list of str
            The prompt and what follows it; a list if `n_samples` is not 1.
        """
        given = dict(temperature=temperature, top_k=top_k, top_p=top_p)
        limits = dict(max_new_tokens=max_new_tokens, n_samples=n_samples, stop=stop)
        given["random_state"] = random_state
        check_arguments(_GENERATION, given | limits, f"{type(self).__name__}.generate")
        steps = self._begin(prompt, given, n_samples)
        drafts = [Draft(as_stops(stop)) for _ in range(n_samples)]
        for ids in islice(steps, max_new_tokens):
            for draft, id_ in zip(drafts, ids.tolist(), strict=True):
                draft.add(id_, self._vocabulary.names[id_])
            if all(draft.is_over for draft in drafts):
                break
        texts = [prompt + draft.text() for draft in drafts]
        return texts[0] if n_samples == 1 else texts

    def stream(
        self, prompt="", *, temperature=1.0, top_k=None, top_p=None, random_state=None
    ):
        """Write a text token by token, for as long as it is asked for more.

        Parameters
        ----------
        prompt : str, default=""
            The beginning of the text; empty, a new text begins.
        temperature : float >= 0, default=1.0
            As for ``generate``.
        top_k : int, default=None
            As for ``generate``.
        top_p : float in (0, 1], default=None
            As for ``generate``.
        random_state : int, RandomState instance or None, default=None
            The same int gives the text that it gives in ``generate``.

        Returns
        -------
        tokens : iterator of str
            What follows the prompt; endless, unless the text ends by itself.
        """
        given = dict(temperature=temperature, top_k=top_k, top_p=top_p)
        given["random_state"] = random_state
        check_arguments(_SAMPLING, given, f"{type(self).__name__}.stream")
        steps = self._begin(prompt, given, 1)
        names = self._vocabulary.names
        return tokens_of(steps, names)

    def _begin(self, prompt, given, n_samples):
        """Read the prompt, and return an iterator of tokens (n_samples,) after it."""
        check_is_fitted(self)
        check_text(prompt, "prompt")
        document = self._encode([prompt], "prompt")[0]
        sampler = Sampler(given["temperature"], given["top_k"], given["top_p"])
        rng = np.random.default_rng(draw_seed(given["random_state"], 0))
        options = document, n_samples, sampler, rng
        return go_on(self._spec, self._weights, *options)

    def _sample(self, spec, weights, seed):
        """Return a text for progress to show."""
        rng = np.random.default_rng(seed)
        nothing = np.array([], np.int32)
        steps = go_on(spec, weights, nothing, 1, Sampler(0.8), rng)
        return "".join(islice(tokens_of(steps, self._vocabulary.names), 200))
