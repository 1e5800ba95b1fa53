"""From text to token ids and back, without loss."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

# The first two ids and their names, which no analyzer makes of a text.
END, UNKNOWN = 0, 1
SPECIAL = ("<end>", "<unknown>")


@cache
def _marks():
    planes = [*range(0x300, 0x20000), *range(0xE0100, 0xE01F0)]
    return "".join(c for c in map(chr, planes) if unicodedata.category(c)[0] == "M")


@cache
def _word_pattern():
    """Return a pattern of words with the space before them, or single characters.

    Marks belong to the letter before them, which Python's words leave out.
    """
    word = rf"\w[\w{_marks()}]*"
    return re.compile(rf" ?{word}(?:['\u2019]{word})*|.", re.DOTALL)


@cache
def _seam_pattern():
    """Return a pattern of two characters that would join two words into one."""
    return re.compile(rf"[\w{_marks()}]\w")


def patterns():
    """Return the expressions by which words are cut, and seams of words are found."""
    return {"word": _word_pattern().pattern, "seam": _seam_pattern().pattern}


def words(text):
    """Cut a text into words, each with the space before it, and other characters.

    Examples
    --------
    >>> words("Don't panic, ever.")
    ["Don't", ' panic', ',', ' ever', '.']
    """
    return _word_pattern().findall(text)


# Name -> function that cuts a text into tokens, and the word for one of them. The
# concatenated tokens are the text.
ANALYZERS = {"char": (list, "character"), "word": (words, "word")}


def other_form(token):
    """Return a word without the space before it, or with one."""
    return token[1:] if token.startswith(" ") else f" {token}"


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

        Equally frequent ones are in sorted order.

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

    def grown(self, texts, max_features, min_count):
        """Return the vocabulary with the tokens of `texts` that it lacks at its end.

        They are in the order of `of`, occur in `texts` often enough, and are no more
        than `max_features` has room for.
        """
        analyze, _ = ANALYZERS[self.analyzer]
        counts = Counter(token for text in texts for token in analyze(text))
        new = [t for t in counts if t not in self._ids and counts[t] >= min_count]
        new.sort(key=lambda token: (-counts[token], token))
        room = None if max_features is None else max(max_features - len(self.tokens), 0)
        return Vocabulary(self.analyzer, (*self.tokens, *new[:room]))

    def __len__(self):
        return len(SPECIAL) + len(self.tokens)

    @property
    def unit(self):
        """The word for one token."""
        return ANALYZERS[self.analyzer][1]

    @cached_property
    def names(self):
        """Names of all ids, in order."""
        return (*SPECIAL, *self.tokens)

    @cached_property
    def _ids(self):
        return {token: i for i, token in enumerate(self.tokens, start=len(SPECIAL))}

    def analyze(self, text):
        """Cut a text into tokens, known or not."""
        return ANALYZERS[self.analyzer][0](text)

    @cached_property
    def _readings(self):
        # A word that is known only with the space before it, or only without.
        others = ((other_form(token), i) for token, i in self._ids.items())
        return {token: i for token, i in others if token} | self._ids

    def encode(self, text):
        """Return the ids by which a text's tokens are read.

        A word that is known only in its other form, with or without the space before
        it, is read in that form.
        """
        return self._numbers(self._readings, text)

    def encode_all(self, texts):
        """Return the ids by which each of some texts is read."""
        return [self.encode(text) for text in texts]

    def expect(self, text):
        """Return the ids by which a text's tokens are predicted.

        Here a word's other form is another token: else a word in the middle of a line
        would be written without its space, or at the beginning with one.
        """
        return self._numbers(self._ids, text)

    def expect_all(self, texts):
        """Return the ids by which each of some texts is predicted."""
        return [self.expect(text) for text in texts]

    def _numbers(self, ids, text):
        found = [ids.get(token, UNKNOWN) for token in self.analyze(text)]
        return np.array(found, np.int32)

    def unknown(self, texts):
        """List the tokens of `texts` that can't be read, once each, sorted."""
        tokens = {token for text in texts for token in self.analyze(text)}
        return sorted(tokens - {*self._readings})

    @cached_property
    def begins_with_space(self):
        """Which ids are tokens that begin with a space."""
        return np.array([name.startswith(" ") for name in self.names])

    @property
    def holds_spaces(self):
        """Whether tokens carry the space before them."""
        return any(len(token) > 1 and token.startswith(" ") for token in self.tokens)

    def opening(self, text):
        """Return the part of a beginning to read, and the space after it or "".

        A space at the end belongs to the next word. Several spaces in a row are read as
        one if a space isn't a token of the vocabulary.
        """
        if not self.holds_spaces:
            return text, ""
        if " " not in self._ids:
            text = re.sub("  +", " ", text)
        read = text.removesuffix(" ")
        return read, text[len(read) :]

    def joined(self, before, token):
        """Return a token as it is written after `before`: words have a space between.

        Training texts never have two words without a space, but a network may draw
        them.
        """
        if self.analyzer == "word" and _seam_pattern().match(before[-1:] + token[:1]):
            return f" {token}"
        return token
