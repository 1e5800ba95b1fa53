"""How well the text generator learns tinyshakespeare.

Prints the negative log-likelihood of a character, in nats, of the last tenth of the
text after a given time of training on the rest, beside those of n-grams on the same
split. How fast it writes is a row of `performance.py`.

    python benchmarks/generation.py
    python benchmarks/generation.py --seconds 180 --model long.pickle  # again: goes on
    python benchmarks/generation.py --seconds 540 --schedule cosine --dropout 0.5
"""

import argparse
import gzip
import math
import pickle
import time
from collections import Counter, defaultdict
from pathlib import Path

from skrnn.text import TextGenerator

DATA = Path(__file__).parents[2] / "shared" / "data"
PUBLISHED = """\
published: nanoGPT, a transformer: 1.88 after 3 minutes on a CPU, 1.4697 on a GPU;
char-rnn, LSTM: 1.40 to 1.42, on another split"""


def main():
    arguments = parse_arguments()
    path = arguments.data / "charlm" / "tinyshakespeare.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        text = file.read()
    if arguments.held_out:
        text = text[: len(text) * 9 // 10]
    cut = len(text) * 9 // 10
    for line in quality(text[:cut], text[cut:], arguments):
        print(line, flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data")
    parser.add_argument("--seconds", type=float, default=180, help="of training")
    parser.add_argument("--model", type=Path, help="file to go on from, and to write")
    parser.add_argument(
        "--held-out",
        action="store_true",
        help="score the end of the training part instead: to choose parameters by",
    )
    parser.add_argument("--units", type=int, nargs="+", default=[512])
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--recurrent-dropout", type=float, default=0.0)
    parser.add_argument(
        "--schedule",
        choices=("cosine", "exponential"),
        help="of the learning rate, which is at its end when the time is",
    )
    return parser.parse_args()


def quality(training, validation, arguments):
    """Train for a time, and yield lines with the losses."""
    model, spent = load(arguments)
    spent += train(model, training, arguments.seconds)
    if arguments.model:
        arguments.model.write_bytes(pickle.dumps((model, spent)))
    part = "the training part" if arguments.held_out else "tinyshakespeare"
    yield f"nats a character, last {len(validation):,} of {part}"
    yield f"  TextGenerator({changed(model)})"
    yield f"  {spent:4.0f} s, {model.n_iter_} epochs: {-model.score(validation):.3f}"
    floors = (f"{n_gram(training, validation, n):.2f}" for n in range(1, 7))
    yield f"  n-grams of 1 to 6 characters: {' '.join(floors)}"
    yield PUBLISHED


def train(model, text, seconds):
    """Train for as many epochs as fit into a time, and return the time they took.

    How many that will be is estimated anew before each of them, because a schedule of
    the learning rate needs to know.
    """
    started, longest = time.perf_counter(), 0.0
    while (left := seconds + started - time.perf_counter()) > longest:
        if longest:
            model.set_params(epochs=model.n_iter_ + int(left / longest))
        began = time.perf_counter()
        model.partial_fit(text)
        longest = max(longest, time.perf_counter() - began)
    return time.perf_counter() - started


def load(arguments):
    """Return the model to go on from, and the seconds that it has been trained."""
    if arguments.model and arguments.model.exists():
        return pickle.loads(arguments.model.read_bytes())
    units = tuple(arguments.units)
    model = TextGenerator(
        units=units if len(units) > 1 else units[0],
        dropout=arguments.dropout,
        recurrent_dropout=arguments.recurrent_dropout,
        batch_size=arguments.batch_size,
        learning_rate_schedule=arguments.schedule,
        random_state=0,
    )
    return model, 0.0


def changed(model):
    defaults, params = TextGenerator().get_params(), model.get_params()
    return ", ".join(f"{k}={v!r}" for k, v in params.items() if v != defaults[k])


def n_gram(training, validation, order):
    """Return the loss of n-grams, each order smoothed by the one below.

    The lower order counts as 5 observations (MacKay & Bauman Peto, 1995).
    """
    tables = []
    for n in range(order):
        counts = defaultdict(Counter)
        for i in range(n, len(training)):
            counts[training[i - n : i]][training[i]] += 1
        totals = {context: sum(row.values()) for context, row in counts.items()}
        tables.append((counts, totals))
    whole, total = training[-order:] + validation, 0.0
    uniform = 1 / len(set(training))
    for i in range(order, len(whole)):
        p = uniform
        for n, (counts, totals) in enumerate(tables):
            context = whole[i - n : i]
            if context in totals:
                p = (counts[context][whole[i]] + 5 * p) / (totals[context] + 5)
        total -= math.log(p)
    return total / len(validation)


if __name__ == "__main__":
    main()
