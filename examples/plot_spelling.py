"""
Spelling to sound, with a map of the attention
==============================================

How is a word pronounced? A :class:`~skrnn.Seq2SeqClassifier` reads its letters and
writes its sounds, of which there may be more or fewer than letters. No dictionary of
sounds is shipped with the packages that skrnn needs, so the words here are generated:
invented ones, read by a few rules of English spelling. Some rules need the next letter,
and one needs the end of the word: a silent *e* changes the vowel before it.
"""

# %%
# Words and their sounds
# ----------------------
import matplotlib.pyplot as plt
import numpy as np

from skrnn import Seq2SeqClassifier
from skrnn.inspection import attention_weights

# Letters -> sound; of those that fit the longest is taken.
SOUNDS = {
    **{c: c for c in "bdfghjklmnprstvwz"},
    **{"a": "æ", "e": "ɛ", "i": "ɪ", "o": "ɒ", "u": "ʌ"},
    **{"sh": "ʃ", "ch": "tʃ", "th": "θ", "ph": "f", "ng": "ŋ", "ck": "k", "kn": "n"},
    **{"ee": "iː", "oo": "uː", "ai": "eɪ", "igh": "aɪ", "ar": "ɑː", "c": "k"},
    **{"ce": "s ɛ", "ci": "s ɪ", "x": "k s", "qu": "k w"},
}
LONG = {"æ": "eɪ", "ɛ": "iː", "ɪ": "aɪ", "ɒ": "əʊ", "ʌ": "juː"}
FIRST = ["b", "c", "ch", "d", "f", "kn", "l", "m", "ph", "qu", "r", "sh", "t", "th", ""]
VOWELS = [
    "a",
    "e",
    "i",
    "o",
    "u",
    "a",
    "e",
    "i",
    "o",
    "u",
    "ee",
    "oo",
    "ai",
    "ar",
    "igh",
]
LAST = ["b", "ck", "d", "l", "m", "ng", "n", "p", "sh", "t", "x", ""]

rng = np.random.default_rng(0)


def spell():
    """Invent a word of one to three syllables, some with a silent e."""
    word = ""
    for _ in range(rng.integers(1, 4)):
        word += rng.choice(FIRST) + rng.choice(VOWELS)
    if rng.random() < 0.4:
        return word + str(rng.choice(list("bdklmnpt"))) + "e"
    return word + str(rng.choice(LAST))


def pronounce(word):
    """Return the sounds of a word by the rules."""
    silent_e = len(word) > 2 and word[-1] == "e" and word[-2] not in "aeiou"
    sounds, at = [], 0
    letters = word[:-1] if silent_e else word
    while at < len(letters):
        size = next(n for n in (3, 2, 1) if letters[at : at + n] in SOUNDS)
        sounds += SOUNDS[letters[at : at + size]].split()
        at += size
    if silent_e and len(sounds) > 1:
        sounds[-2] = LONG.get(sounds[-2], sounds[-2])
    return sounds


words = sorted({word for word in (spell() for _ in range(4000)) if len(word) > 1})
rng.shuffle(words)
sounds = [pronounce(word) for word in words]
for word in words[:6]:
    print(f"{word:12} {' '.join(pronounce(word))}")

# %%
# Train
# -----
# X is a list of strings, y a list of lists: a sound may be written with two letters. A
# string is read as its characters.
train, test = slice(0, 2000), slice(2000, None)
model = Seq2SeqClassifier(units=48, epochs=25, random_state=0)
model.fit(words[train], sounds[train])

letter_by_letter = [[SOUNDS.get(c, "") for c in word] for word in words[test]]
floor = np.mean(
    [
        " ".join(a).split() == b
        for a, b in zip(letter_by_letter, sounds[test], strict=True)
    ]
)
print(f"words right, letter by letter  {floor:.3f}")
print(f"words right, Seq2SeqClassifier {model.score(words[test], sounds[test]):.3f}")

# %%
# Where it looks
# --------------
# :func:`~skrnn.inspection.attention_weights` tells how much each sound looks at each
# letter. The last row is the end of the word.
examples = ["sharax", "chot", "chote", "phadune"]
weights = attention_weights(model, examples)
spoken = model.predict(examples)
fig, axes = plt.subplots(2, 2, figsize=(8, 7.5), layout="constrained")
for ax, word, told, shares in zip(axes.flat, examples, spoken, weights, strict=True):
    shares = shares[: len(told) + 1, : len(word)]
    image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ax.set_xticks(range(len(word)), list(word))
    ax.set_yticks(range(len(told) + 1), [*told, "end"])
    ax.set_title(f"{word}: {' '.join(told)}", loc="left")
    ax.xaxis.tick_top()
fig.supxlabel("letters read")
fig.supylabel("sounds written")
fig.colorbar(image, ax=axes, label="share of the attention", shrink=0.6)
plt.show()

# %%
# Other readings
# --------------
# With `n_beams` above 1 a beam search keeps several unfinished outputs instead of the
# likeliest one alone, and ``predict_beams`` shows them with their log-probabilities.
model.set_params(n_beams=4)
for told, score in model.predict_beams(["quafome"])[0]:
    print(f"{score:7.3f}  {' '.join(told)}")
