"""How well the text generator learns tinyshakespeare.

Prints the negative log-likelihood of a character, in nats, of the last tenth of the
text after a given time of training on the rest, beside those of n-grams on the same
split. How fast it writes is a row of `performance.py`.

    python benchmarks/generation.py
    python benchmarks/generation.py --seconds 180 --model long.pickle  # again: goes on
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
    parser.add_argument("--units", type=int, nargs="+", default=[512])
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--batch-size", type=int, default=64)
    return parser.parse_args()


def quality(training, validation, arguments):
    """Train for a time, and yield lines with the losses."""
    model, spent = load(arguments)
    ends, longest = time.perf_counter() + arguments.seconds, 0.0
    started = time.perf_counter()
    while time.perf_counter() + longest < ends:
        began = time.perf_counter()
        model.partial_fit(training)
        longest = max(longest, time.perf_counter() - began)
    spent += time.perf_counter() - started
    if arguments.model:
        arguments.model.write_bytes(pickle.dumps((model, spent)))
    yield f"nats a character, last {len(validation):,} of tinyshakespeare"
    yield f"  TextGenerator({changed(model)})"
    yield f"  {spent:4.0f} s, {model.n_iter_} epochs: {-model.score(validation):.3f}"
    floors = (f"{n_gram(training, validation, n):.2f}" for n in range(1, 7))
    yield f"  n-grams of 1 to 6 characters: {' '.join(floors)}"
    yield PUBLISHED


def load(arguments):
    """Return the model to go on from, and the seconds that it has been trained."""
    if arguments.model and arguments.model.exists():
        return pickle.loads(arguments.model.read_bytes())
    units = tuple(arguments.units)
    model = TextGenerator(
        units=units if len(units) > 1 else units[0],
        dropout=arguments.dropout,
        batch_size=arguments.batch_size,
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
