"""What each part of a recipe for spelling to sound is worth, on the development sets.

The test sets are for `quality.py` alone. Each line changes what it names in the line
above, and the last one is what `quality.py` fits.

    python benchmarks/spellings.py
    python benchmarks/spellings.py --languages hun bul --steps "128 GRU units"
"""

import argparse
from pathlib import Path

import numpy as np
from quality_pairs import read_spellings, transducer, word_error_rate
from quality_sets import ALOUD, SPELLING

DATA = Path(__file__).parents[2] / "shared" / "data"
LSTM = dict(cell="lstm") | SPELLING
TRAINED = ("dropout", "learning_rate_schedule", "epochs", "early_stopping")
STEPS = {
    "64 LSTM units, stopped early": LSTM,
    "dropout, 15 epochs of falling steps on all words": {
        name: ALOUD[name] for name in TRAINED
    },
    "attention by location": dict(attention=ALOUD["attention"]),
    "128 GRU units": dict(cell="gru", units=ALOUD["units"]),
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data")
    parser.add_argument("--languages", nargs="+", default=["dut", "bul", "hun"])
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()
    for language in arguments.languages:
        split = read_spellings(arguments.data / "seq2seq", language, tested="dev")
        print(f"{language}: word errors %, mean (lowest to highest) of the seeds")
        params: dict = {}
        for name, further in STEPS.items():
            params |= further
            if name not in arguments.steps:
                continue
            scores = [score(split, seed, params) for seed in range(arguments.seeds)]
            spread = f"({min(scores):.1f} to {max(scores):.1f})"
            print(f"  {name:50}{np.mean(scores):5.1f}  {spread}", flush=True)


def score(split, seed, params):
    """Train on the words of the training set, and judge by the others."""
    words, sounds, tested, true = split
    model = transducer(seed, **params).fit(words, sounds)
    return word_error_rate(true, model.predict(tested))


if __name__ == "__main__":
    main()
