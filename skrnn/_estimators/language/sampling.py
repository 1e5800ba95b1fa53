"""How the next token is drawn from the outputs of a language model."""

from dataclasses import dataclass

import numpy as np

from skrnn import _engine
from skrnn._estimators.language.vocabulary import END, UNKNOWN


@dataclass(frozen=True)
class Sampler:
    """Draw tokens from outputs before the softmax.

    Attributes
    ----------
    temperature : float
        Outputs are divided by it; 0 takes the likeliest token.
    top_k : int or None
        Sample only from this many of the most likely tokens.
    top_p : float or None
        Sample only from the most likely tokens whose probabilities reach this sum
        (Holtzman et al., 2020).
    never : tuple of int
        Tokens that never come, whatever their probability.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    never: tuple[int, ...] = (UNKNOWN,)

    def draw(self, outputs, rng):
        """Return a token for each row of `outputs` (n, V): (n,).

        `rng` is a generator of NumPy, or `Dice`.
        """
        outputs = outputs.astype(np.float64)
        outputs[:, list(self.never)] = -np.inf
        if self.temperature == 0:
            return outputs.argmax(axis=1)
        outputs -= outputs.max(axis=1, keepdims=True)
        if self.top_k is not None and self.top_k < outputs.shape[1]:
            # NumPy's small types have no negative numbers, or too small ones.
            place = -int(self.top_k)
            least = np.partition(outputs, place, axis=1)[:, place, None]
            outputs[outputs < least] = -np.inf
        with np.errstate(over="ignore"):
            p = np.exp(outputs / self.temperature)
        if self.top_p is not None and self.top_p < 1:
            p[_unlikely(p, self.top_p)] = 0
        total = p.cumsum(axis=1)
        # Keeps it below the last sum, even if the product is rounded up.
        at = rng.random((len(p), 1)) * np.nextafter(total[:, -1:], 0)
        return (total <= at).sum(axis=1)


def _unlikely(p, share):
    """Mark the tokens beyond the likeliest ones that reach a share of the sum."""
    order = np.argsort(-p, axis=1, kind="stable")
    sorted_p = np.take_along_axis(p, order, axis=1)
    before = sorted_p.cumsum(axis=1) - sorted_p
    marked = np.empty(p.shape, bool)
    needless = before >= share * p.sum(axis=1, keepdims=True)
    np.put_along_axis(marked, order, needless, axis=1)
    return marked


class Dice:
    """Generators of several texts, each of which draws for its own rows.

    Parameters
    ----------
    seeds : list of int
        One for each text.
    """

    def __init__(self, seeds):
        self._rngs = [np.random.default_rng(seed) for seed in seeds]

    def random(self, size):
        """Return numbers (n, 1) in [0, 1): as many rows for each text."""
        n_rows, width = size
        part = n_rows // len(self._rngs), width
        return np.concatenate([rng.random(part) for rng in self._rngs])


def go_on(spec, weights, documents, n_samples, sampler, rng, firsts=(slice(None),)):
    """Read documents, and draw the tokens that follow, step by step.

    What follows one document doesn't depend on the others: each is read by itself, and
    rows that are computed side by side are independent.

    Parameters
    ----------
    n_samples : int
        Rows of each document.
    firsts : iterable of slice or ndarray of bool
        Of each document, which ids may come first.

    Yields
    ------
    ids : ndarray of shape (n_documents * n_samples,)
    """
    read = [_engine.next_token(spec, weights, [document]) for document in documents]
    outputs = np.full((len(read) * n_samples, read[0][0].shape[1]), -np.inf)
    for i, ((found, _), first) in enumerate(zip(read, firsts, strict=True)):
        outputs[i * n_samples : (i + 1) * n_samples, first] = found[:, first]
    states = [
        tuple(
            np.repeat(np.concatenate(parts), n_samples, axis=0)
            for parts in zip(*layer, strict=True)
        )
        for layer in zip(*(after for _, after in read), strict=True)
    ]
    writer = _engine.IncrementalDecoder(spec, weights, states)
    while True:
        ids = sampler.draw(outputs, rng)
        yield ids
        outputs = writer.read(ids)


class Hand:
    """Writes one text: turns ids into strings.

    Parameters
    ----------
    vocabulary : Vocabulary
    before : str
        The text so far.
    space : str
        The space at its end that wasn't read: the first token begins with it.
    """

    def __init__(self, vocabulary, before="", space=""):
        self._vocabulary, self._before, self._space = vocabulary, before, space

    def write(self, id_):
        """Return what the next token adds to the text."""
        token = self._vocabulary.names[id_].removeprefix(self._space)
        token = self._vocabulary.joined(self._before, token)
        self._before, self._space = token[-1:] or self._before, ""
        return token


def written(steps, hand):
    """Yield what each token adds to a single text until it ends."""
    for (id_,) in steps:
        if id_ == END:
            return
        yield hand.write(id_)


class Draft:
    """One text while it is written: it ends before a stop string or an end marker."""

    def __init__(self, hand, stop):
        self._hand, self._stop, self._tokens, self.is_over = hand, stop, [], False
        self._tail, self._longest = "", max(map(len, stop), default=0)

    def add(self, id_):
        """Go on by a token, unless the text is over."""
        if self.is_over or id_ == END:
            self.is_over = True
            return
        token = self._hand.write(id_)
        self._tokens.append(token)
        if self._stop:
            tail = self._tail + token
            self.is_over = any(stop in tail for stop in self._stop)
            # The end of the text: a stop string may begin there.
            self._tail = tail[max(len(tail) - self._longest + 1, 0) :]

    def text(self):
        """Return what has been written."""
        text = "".join(self._tokens)
        if not self.is_over:
            return text
        ends = [text.find(stop) for stop in self._stop]
        return text[: min((end for end in ends if end >= 0), default=len(text))]
