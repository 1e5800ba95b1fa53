"""Write texts with a language model that skrnn exported, by NumPy alone.

This file may be copied, beside ``predictor.py`` or where ONNX Runtime is::

    network = load("text.npz")  # of predictor.py
    writer = TextWriter(network.about, network.run)
    writer.generate("Once upon a time", 200, temperature=0.8, random_state=0)
"""

import re

import numpy as np

END, UNKNOWN = 0, 1


class TextWriter:
    """A language model: `run` computes it, `about` has its tokens and its states."""

    def __init__(self, about, run):
        self.about, self.run, self.tokens = about, run, about["vocabulary"]
        self._seam = re.compile(about["patterns"].get("seam", "(?!)"), re.DOTALL)
        self._word = re.compile(about["patterns"].get("word", "."), re.DOTALL)
        ids = {token: i for i, token in enumerate(self.tokens) if i > UNKNOWN}
        turned = {t[1:] if t.startswith(" ") else f" {t}": i for t, i in ids.items()}
        self._ids = (turned if about["analyzer"] == "word" else {}) | ids
        self._spaced = np.array([token.startswith(" ") for token in self.tokens])
        self._holds_spaces = any(t != " " and t.startswith(" ") for t in self.tokens)
        self._knows_space = " " in ids

    def read(self, ids, states=None):
        """Read tokens of one text; return what may follow (V,), and the states."""
        if states is None:
            shapes = self.about["states"].items()
            states = {name: np.zeros((1, *sizes), np.float32) for name, sizes in shapes}
        found = self.run(ids=np.array([ids], np.int64), **states)
        states = {name: found[f"next_{name}"] for name in states}
        return np.asarray(found["probabilities"][0, -1], np.float64), states

    def begin(self, text):
        """Read a beginning; return probabilities, states, and the space after it."""
        read, space = text, ""
        if self._holds_spaces:
            text = text if self._knows_space else re.sub("  +", " ", text)
            read = text.removesuffix(" ")
            space = text[len(read) :]
        ids = [self._ids.get(token, UNKNOWN) for token in self._word.findall(read)]
        if UNKNOWN in ids and self.about["handle_unknown"] == "error":
            raise ValueError(f"{text!r:.60} has tokens that are not in the vocabulary.")
        p, states = self.read([END, *ids])
        return np.where(self._spaced, p, 0) if space else p, states, space

    def predict_proba(self, text):
        """Return the probability (V,) of each token to follow a text."""
        p, _, _ = self.begin(text)
        return p / p.sum()

    def generate(
        self,
        prompt="",
        max_new_tokens=200,
        *,
        temperature=1.0,
        top_k=None,
        top_p=None,
        random_state=None,
        stop_at_end=True,
    ):
        """Write on from a prompt, as ``TextGenerator.generate`` does."""
        rng = np.random.default_rng(_seed(random_state))
        never = [UNKNOWN, *([] if stop_at_end and self.about["has_ends"] else [END])]
        p, states, space = self.begin(prompt)
        text = prompt
        for _ in range(max_new_tokens):
            p[never] = 0
            id_ = draw(p, rng, temperature, top_k, top_p)
            if id_ == END:
                break
            token, space = self.tokens[id_].removeprefix(space), ""
            text += f" {token}" if self._seam.match(text[-1:] + token[:1]) else token
            p, states = self.read([id_], states)
        return text


def draw(p, rng, temperature=1.0, top_k=None, top_p=None):
    """Draw a token by its probability, as the estimator's arguments change it."""
    if temperature == 0:
        return int(p.argmax())
    if top_k is not None and top_k < len(p):
        p = np.where(p < np.partition(p, -top_k)[-top_k], 0, p)
    with np.errstate(divide="ignore", over="ignore"):
        p = np.exp(np.log(p / p.max()) / temperature)
    if top_p is not None and top_p < 1:
        order = np.argsort(-p, kind="stable")
        before = np.cumsum(p[order]) - p[order]
        p[order[before >= top_p * p.sum()]] = 0
    total = p.cumsum()
    return int((total <= rng.random() * np.nextafter(total[-1], 0)).sum())


def _seed(random_state):
    """Return the estimator's seed of an int."""
    if random_state is None:
        return None
    drawn = np.random.RandomState(random_state).randint(2**31 - 1)
    return int(np.random.SeedSequence([drawn, 0]).generate_state(1)[0]) % 2**31
