"""From text to token ids and back, without loss."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

# The first two ids, and how they are called: no analyzer makes such tokens.
END, UNKNOWN = 0, 1
SPECIAL = ("<end>", "<unknown>")


@cache
def _word_pattern():
    """Return what finds words with the space before them, or else single characters.

    Marks belong to the letter before them, which Python's words leave out.
    """
    planes = [*range(0x300, 0x20000), *range(0xE0100, 0xE01F0)]
    marks = "".join(c for c in map(chr, planes) if unicodedata.category(c)[0] == "M")
    word = rf"\w[\w{marks}]*"
    return re.compile(rf" ?{word}(?:['\u2019]{word})*|.", re.DOTALL)


def words(text):
    """Cut a text into words, each with the space before it, and other characters.

    Examples
    --------
    >>> words("Don't panic, ever.")
    ["Don't", ' panic', ',', ' ever', '.']
    """
    return _word_pattern().findall(text)


# Name -> what cuts a text into tokens, and what one of them is called. The tokens put
# together are the text.
ANALYZERS = {"char": (list, "character"), "word": (words, "word")}


@dataclass(frozen=True)
class Vocabulary:
    """The tokens that a language model knows; the first has id 2.

    Attributes
    ----------
    analyzer : str
        A key of ``ANALYZERS``.
    tokens : tuple of str
        The most frequent first.
    """

    analyzer: str
    tokens: tuple[str, ...]

    @classmethod
    def of(cls, texts, analyzer, max_features, min_count):
        """Collect the most frequent tokens of `texts`, all that occur often enough.

        Those that are equally frequent are sorted.

        Raises
        ------
        ValueError
            If none does.
        """
        analyze, unit = ANALYZERS[analyzer]
        counts = Counter(token for text in texts for token in analyze(text))
        known = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        tokens = [token for token, count in known if count >= min_count]
        if known and not tokens:
            most_frequent, count = known[0]
            raise ValueError(
                f"min_count={min_count} leaves no {unit} of texts in the vocabulary: "
                f"the most frequent one, {most_frequent!r:.40}, occurs {count} times."
            )
        return cls(analyzer, tuple(tokens[:max_features]))

    def __len__(self):
        return len(SPECIAL) + len(self.tokens)

    @property
    def unit(self):
        """What one token is called."""
        return ANALYZERS[self.analyzer][1]

    @cached_property
    def names(self):
        """Names of all ids, in their order."""
        return (*SPECIAL, *self.tokens)

    @cached_property
    def _ids(self):
        return {token: i for i, token in enumerate(self.tokens, start=len(SPECIAL))}

    def analyze(self, text):
        """Cut a text into tokens, known or not."""
        return ANALYZERS[self.analyzer][0](text)

    def encode(self, text):
        """Return the ids of a text's tokens."""
        ids = self._ids
        found = [ids.get(token, UNKNOWN) for token in self.analyze(text)]
        return np.array(found, np.int32)

    def unknown(self, texts):
        """List the tokens of `texts` that aren't known, once each, sorted."""
        return sorted({t for text in texts for t in self.analyze(text)} - {*self._ids})
