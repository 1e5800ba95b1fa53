"""The recipe of `quality_series.py` for convolutions: chosen without any test set.

Each recipe is fitted on seven tenths of the training sets, drawn anew for each repeat
with all classes in their shares, and judged on the other three tenths: by accuracy, and
by the loss where accuracies don't tell them apart. Small sets are repeated more often.

    python benchmarks/quality_recipes.py
    python benchmarks/quality_recipes.py --sets cylinders gunpoint-conv
    python benchmarks/quality_recipes.py --recipes "dropout 0, cosine, both ways"
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
from quality import DATA
from quality_sets import SETS
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedShuffleSplit

# Set -> repeats.
REPEATS = {
    "cylinders": 4,
    "italy-conv": 3,
    "motions-conv": 2,
    "gunpoint-conv": 3,
    "vowels-conv": 1,
    "leaves": 1,
}
# Half of the default epochs, which takes half the time.
ALIKE = {"conv_filters": (64, 64, 64), "epochs": 100, "early_stopping": False}
BEST = "dropout 0, cosine, both ways"
RECIPES = {
    f"dropout {dropout}, {schedule or 'one rate'}, {ways}": ALIKE
    | {
        "dropout": dropout,
        "learning_rate_schedule": schedule,
        "bidirectional": ways == "both ways",
    }
    for dropout, schedule, ways in product(
        (0, 0.3, 0.5), ("cosine", None), ("one way", "both ways")
    )
}
# The best of these, with more steps of training for each epoch.
RECIPES |= {
    f"{BEST}, batches of {size}": RECIPES[BEST] | {"batch_size": size}
    for size in (16, 8)
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data")
    parser.add_argument("--sets", nargs="+", choices=REPEATS, default=list(REPEATS))
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    arguments = parser.parse_args()
    print(f"{'set':<16}{'recipe':<46}{'accuracy %':>11}{'loss':>8}  of each repeat")
    for name in arguments.sets:
        row = SETS[name]
        split = row.split(arguments.data)
        for recipe in arguments.recipes:
            params, n_repeats = RECIPES[recipe], REPEATS[name]
            found = held_out(row, params, split.X_train, split.y_train, n_repeats)
            (accuracy, loss), each = found.mean(axis=0), np.round(found[:, 0], 1)
            print(f"{name:<16}{recipe:<46}{accuracy:>11.1f}{loss:>8.3f}  {each}")


def held_out(row, params, X, y, n_repeats):
    """Return accuracy and loss on what is held out, one row a repeat."""
    found = []
    splits = StratifiedShuffleSplit(n_repeats, test_size=0.3, random_state=0)
    for seed, (train, test) in enumerate(splits.split(np.zeros(len(y)), y)):
        model = row.model(seed, cell="gru", **params).fit(take(X, train), y[train])
        p = model.predict_proba(take(X, test)).astype(float)
        right = model.classes_[p.argmax(axis=1)] == y[test]
        p /= p.sum(axis=1, keepdims=True)
        found.append((100 * right.mean(), log_loss(y[test], p, labels=model.classes_)))
    return np.array(found)


def take(X, rows):
    return [X[i] for i in rows] if isinstance(X, list) else X[rows]


if __name__ == "__main__":
    main()
