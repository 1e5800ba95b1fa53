"""What a network that reads the letters of each word adds to a tagger.

`WordFeaturizer` gives a tagger endings and shapes of words as further ids. Others let a
small network read the letters instead: a convolution whose greatest outputs are kept
(Ma & Hovy, 2016), or an LSTM in both directions (Lample et al., 2016). All of these are
one PyTorch network here, with a CRF, which differs in nothing but what it knows of a
word, and are judged on what was set aside from the training sets: 1,000 sentences of
CoNLL-2000, and the validation set of ATIS.

    python benchmarks/characters.py --seeds 2
    python benchmarks/characters.py --sets ATIS --arms words parts
"""

import argparse
from itertools import chain
from pathlib import Path

import numpy as np
import quality_tags
import torch
from taggers import DATA, SETS
from torch import nn

from skrnn.metrics import span_f1_score
from skrnn.preprocessing import WordFeaturizer

# Name -> the channels of ids, and the reader of letters.
PARTS = quality_tags.WITH_CRF["features"][1:]
ARMS = {
    "words": (("lower",), None),
    "parts": (("lower", *PARTS), None),
    "convolution": (("lower",), "convolution"),
    "lstm": (("lower",), "lstm"),
    "parts+convolution": (("lower", *PARTS), "convolution"),
    "parts+lstm": (("lower", *PARTS), "lstm"),
}
# As `quality_tags.WITH_CRF` trains, but for half the units.
BATCH, RATE, EPOCHS, UNITS = 32, 3e-3, 12, 64
# Of a word; the rest is cut off.
LETTERS = 20


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--sentences", type=int, help="to train on, instead of all")
    parser.add_argument("--seeds", type=int, default=2)
    arguments = parser.parse_args()
    for title in arguments.sets:
        words, tags, *held = SETS[title](arguments.data / "tagging")
        split = words[: arguments.sentences], tags[: arguments.sentences], *held
        print(f"{title}: F1, mean (lowest to highest) of the seeds")
        for name in arguments.arms:
            scores = [
                score(split, *ARMS[name], seed) for seed in range(arguments.seeds)
            ]
            spread = f"({min(scores):.1f} to {max(scores):.1f})"
            print(f"  {name:20}{np.mean(scores):5.1f}  {spread}", flush=True)


def score(split, features, letters, seed):
    """Train on a part of the sentences, and judge by the other."""
    torch.manual_seed(seed)
    words, tags, tested, true = split
    featurizer = WordFeaturizer(features).fit(words)
    alphabet = {c: i + 2 for i, c in enumerate(sorted(set("".join(chain(*words)))))}
    names = sorted(set(chain(*tags)))

    def read(sentences, tags=None):
        return Sentences(sentences, tags, featurizer, alphabet, names)

    sizes = [1 + ids.max() for ids in np.concatenate(featurizer.transform(words)).T]
    network = Tagger(sizes, len(alphabet) + 2, letters, len(names))
    train(network, read(words, tags), seed)
    return 100 * span_f1_score(true, predict(network, read(tested)))


class Sentences:
    """Ids of words and letters, and the tags if there are any, in batches by length."""

    def __init__(self, sentences, tags, featurizer, alphabet, names):
        ids = featurizer.transform(sentences)
        self.ids = [torch.as_tensor(np.asarray(i, "int64")) for i in ids]
        self.letters = [
            torch.tensor([letters_of(word, alphabet) for word in words])
            for words in sentences
        ]
        self.names = names
        index = {name: i for i, name in enumerate(names)}
        known = tags or [names[:1] * len(words) for words in sentences]
        self.tags = [torch.tensor([index[tag] for tag in row]) for row in known]

    def batch(self, rows):
        def padded(values, fill=0):
            chosen = [values[i] for i in rows]
            return nn.utils.rnn.pad_sequence(chosen, True, fill)

        lengths = torch.tensor([len(self.ids[i]) for i in rows])
        return padded(self.ids), padded(self.letters), lengths, padded(self.tags)

    def batches(self, rng=None):
        """Return the rows of each batch, of like lengths: in random order, or not."""
        order = np.arange(len(self.ids)) if rng is None else rng.permutation(len(self))
        groups = [order[i : i + 10 * BATCH] for i in range(0, len(order), 10 * BATCH)]
        found = []
        for rows in groups:
            rows = rows[np.argsort([len(self.ids[i]) for i in rows], kind="stable")]
            found += [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
        return found if rng is None else [found[i] for i in rng.permutation(len(found))]

    def __len__(self):
        return len(self.ids)


def letters_of(word, alphabet):
    ids = [alphabet.get(c, 1) for c in word[:LETTERS]]
    return ids + [0] * (LETTERS - len(ids))


class Tagger(nn.Module):
    """Vectors of words and of their letters, an LSTM in both directions, a CRF."""

    def __init__(self, sizes, n_letters, letters, n_tags, units=UNITS):
        super().__init__()
        widths = [50] + [20] * (len(sizes) - 1)
        self.words = nn.ModuleList(
            nn.Embedding(size, width, padding_idx=0)
            for size, width in zip(sizes, widths, strict=True)
        )
        self.letters = LETTER_READERS[letters](n_letters) if letters else None
        width = sum(widths) + (self.letters.width if letters else 0)
        self.dropout = nn.Dropout(0.5)
        self.lstm = nn.LSTM(width, units, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * units, n_tags)
        self.chain = Chain(n_tags)

    def forward(self, ids, letters, lengths):
        parts = [embed(ids[..., i]) for i, embed in enumerate(self.words)]
        if self.letters is not None:
            # Each word once, however often a batch has it.
            words, places = letters.flatten(0, 1).unique(dim=0, return_inverse=True)
            parts.append(self.letters(words)[places].unflatten(0, letters.shape[:2]))
        inputs = self.dropout(torch.cat(parts, -1))
        packed = nn.utils.rnn.pack_padded_sequence(
            inputs, lengths, batch_first=True, enforce_sorted=False
        )
        outputs, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], True)
        return self.head(self.dropout(outputs))


class Chain(nn.Module):
    """Scores of the tags of a sentence together (Lafferty et al., 2001)."""

    def __init__(self, n_tags):
        super().__init__()
        self.start, self.end = (nn.Parameter(torch.zeros(n_tags)) for _ in range(2))
        self.pairs = nn.Parameter(torch.zeros(n_tags, n_tags))

    def loss(self, scores, lengths, tags):
        """Return the mean negative log-likelihood of a tag."""
        real = torch.arange(scores.shape[1]) < lengths[:, None]
        last = tags.gather(1, lengths[:, None] - 1)[:, 0]
        pairs = self.pairs[tags[:, :-1], tags[:, 1:]] * real[:, 1:]
        given = (scores.gather(2, tags[..., None])[..., 0] * real).sum() + pairs.sum()
        given = given + self.start[tags[:, 0]].sum() + self.end[last].sum()
        sums = self.start + scores[:, 0]
        for t in range(1, scores.shape[1]):
            further = torch.logsumexp(sums[:, :, None] + self.pairs, 1) + scores[:, t]
            sums = torch.where(real[:, t, None], further, sums)
        return (torch.logsumexp(sums + self.end, 1).sum() - given) / lengths.sum()

    def best(self, scores):
        """Return the likeliest tags of one sentence (T, n_tags)."""
        sums, back = self.start + scores[0], []
        for row in scores[1:]:
            sums, before = (sums[:, None] + self.pairs).max(0)
            sums = sums + row
            back.append(before)
        tags = [int((sums + self.end).argmax())]
        for before in reversed(back):
            tags.append(int(before[tags[-1]]))
        return tags[::-1]


class Convolution(nn.Module):
    """The greatest output of each of 30 filters of three letters."""

    width = 30

    def __init__(self, n_letters):
        super().__init__()
        self.embed = nn.Embedding(n_letters, 30, padding_idx=0)
        self.filters = nn.Conv1d(30, self.width, 3, padding=1)

    def forward(self, letters):
        return self.filters(self.embed(letters).transpose(1, 2)).amax(-1)


class LetterLSTM(nn.Module):
    """The last states of an LSTM that reads a word in both directions."""

    width = 50

    def __init__(self, n_letters):
        super().__init__()
        self.embed = nn.Embedding(n_letters, 25, padding_idx=0)
        self.lstm = nn.LSTM(25, 25, batch_first=True, bidirectional=True)

    def forward(self, letters):
        # Padding between the words has no letters: it is read as one step.
        lengths = (letters > 0).sum(1).clamp(min=1)
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embed(letters), lengths, batch_first=True, enforce_sorted=False
        )
        _, (states, _) = self.lstm(packed)
        return torch.cat([*states], -1)


LETTER_READERS = {"convolution": Convolution, "lstm": LetterLSTM}


def train(network, sentences, seed):
    """Train on all sentences, with steps that become smaller and smaller."""
    optimizer = torch.optim.Adam(network.parameters(), RATE)
    n_steps = EPOCHS * len(sentences.batches())
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimizer, n_steps, RATE / 100
    )
    rng = np.random.default_rng(seed)
    network.train()
    for _ in range(EPOCHS):
        for rows in sentences.batches(rng):
            optimizer.zero_grad()
            loss_of(network, sentences, rows).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()


def loss_of(network, sentences, rows):
    *inputs, tags = sentences.batch(rows)
    return network.chain.loss(network(*inputs), inputs[-1], tags)


def predict(network, sentences):
    """Return the names of the tags of each sentence."""
    network.eval()
    found = [None] * len(sentences)
    for rows in sentences.batches():
        *inputs, _ = sentences.batch(rows)
        with torch.inference_mode():
            scores = network(*inputs)
            for row, of_row, n in zip(rows, scores, inputs[-1], strict=True):
                best = network.chain.best(of_row[:n])
                found[row] = [sentences.names[i] for i in best]
    return found


if __name__ == "__main__":
    main()
