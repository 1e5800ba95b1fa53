"""What each part of a tagger's recipe is worth, on what was set aside to choose it by.

That are 1,000 sentences of the training set of CoNLL-2000, and the validation set of
ATIS: the test sets are for `quality.py` alone. Each line adds one thing to the line
above, and the last one is what `quality.py` fits with a CRF.

    python benchmarks/taggers.py
    python benchmarks/taggers.py --sets ATIS --seeds 3
"""

import argparse
from pathlib import Path

import numpy as np
import quality_tags
from quality_tags import ON_PARTS, WITH_CRF

from skrnn.metrics import span_f1_score

DATA = Path(__file__).parents[2] / "shared" / "data"
STEPS = {
    "word parts, stopped early": {},
    "with a CRF": dict(crf=True),
    "12 epochs of falling steps, on all sentences": dict(
        early_stopping=False, epochs=12, learning_rate_schedule="cosine"
    ),
    "128 units": dict(units=128),
    "more beginnings and endings": {
        name: WITH_CRF[name] for name in ("features", "embedding_dim")
    },
    "20 epochs": dict(epochs=WITH_CRF["epochs"]),
}


def read_chunks(path):
    """Return words and tags of CoNLL-2000 to train on, and those set aside."""
    words, tags, *_ = quality_tags.read_chunks(path)
    return words[1000:], tags[1000:], words[:1000], tags[:1000]


def read_slots(path):
    """Return words and tags of ATIS to train on, and those of its validation set."""
    words, tags, *_ = quality_tags.read_requests(path, "slots")
    n = len(quality_tags.read_lines(path / "atis_train.txt.gz"))
    return words[:n], tags[:n], words[n:], tags[n:]


SETS = {"CoNLL-2000": read_chunks, "ATIS": read_slots}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()
    for title in arguments.sets:
        split = SETS[title](arguments.data / "tagging")
        print(f"{title}: F1, mean (lowest to highest) of the seeds")
        params = dict(ON_PARTS)
        for name, further in STEPS.items():
            params |= further
            scores = [score(split, seed, params) for seed in range(arguments.seeds)]
            spread = f"({min(scores):.1f} to {max(scores):.1f})"
            print(f"  {name:46}{np.mean(scores):5.1f}  {spread}", flush=True)


def score(split, seed, params):
    """Train on a part of the sentences, and judge by the other."""
    words, tags, tested, true = split
    model = quality_tags.tagger(seed, cell="lstm", **params).fit(words, tags)
    return 100 * span_f1_score(true, model.predict(tested))


if __name__ == "__main__":
    main()
