"""The pages of the gallery: what each must print.

They run as a user runs them. Where the documentation is built (``make gallery`` after
``make docs``) what they printed then is read, so that no page runs twice.
"""

import os
import re

import pytest
from _scripts import EXAMPLES, numbers_after, printed_by

PAGES = EXAMPLES.parent / "docs" / "gallery"
IS_BUILT = os.environ.get("GALLERY") == "built"


def output_of(script, cwd):
    """Return what a page prints, or printed when it was made."""
    if IS_BUILT:
        page = (PAGES / script).with_suffix(".rst").read_text()
        found = re.findall(
            r"script-out\n\n \.\. code-block:: none\n\n(.*?)\n\S", page, re.S
        )
        return "\n".join(re.sub(r"^ {4}", "", text, flags=re.M) for text in found)
    return printed_by(script, cwd=cwd)


def forecasting(output):
    names = "network", "mean of the month", "a year before"
    network, mean, last_year = (numbers_after(name, output) for name in names)
    # One month ahead, and over all months.
    return network[0] < 0.7 * mean[0] and network[-1] < mean[-1] < last_year[-1]


def forecast_covariates(output):
    names = "nothing known", "and temperature so far", "and temperature ahead"
    nothing, so_far, ahead = (numbers_after(name, output)[0] for name in names)
    naive = numbers_after("as the day before", output)[0]
    linear = numbers_after("the same to a linear model", output)[0]
    return ahead < 0.9 * min(nothing, so_far, linear) and nothing < 0.8 * naive


def forecast_features(output):
    names = "Networks on features", "Ridge on features", "Networks, no features"
    networks, ridge, plain = (numbers_after(name, output)[0] for name in names)
    naive = numbers_after("As a week before", output)[0]
    return networks < 0.9 * ridge and networks < 0.7 * plain and plain < 0.9 * naive


def forecast_intervals(output):
    names = "networks", "as the day before", "as a week before"
    networks, yesterday, last_week = (numbers_after(name, output)[0] for name in names)
    half, most = (int(held) for held in re.findall(r"(\d+)% of the truth", output))
    truth, *paths = (
        int(number.replace(",", "")) for number in re.findall(r"\d+,\d{3}", output)
    )
    covers = 35 <= half <= 65 and 80 <= most <= 97
    return (
        networks < min(yesterday, last_week) and covers and paths[0] < truth < paths[1]
    )


def forecast_panel(output):
    networks = numbers_after("forecaster", output)
    naive = numbers_after("seasonal naive", output)
    new, new_naive = (
        numbers_after(name, output)[0] for name in ("networks", "the year before")
    )
    return networks[2] < 0.95 * naive[2] and new < new_naive


def cluster_search(output):
    network = numbers_after("wrong by", output)[0]
    naive = numbers_after("as the year before", output)[0]
    is_alike = "the same scores on this process: True" in output
    return is_alike and network < 0.8 * naive


def larger_than_memory(output):
    network = numbers_after("network, wrong by", output)[0]
    naive = numbers_after("as the day before", output)[0]
    texts = [float(each) for each in re.findall(r"perplexity (\S+)", output)]
    return network < 0.8 * naive and texts == sorted(texts, reverse=True)


def outliers_of_days(output):
    network, _, distance = output.partition("Furthest")
    n_off = [part.count("day off") for part in (network, distance)]
    return n_off[0] > n_off[1] and network.count("°C") == distance.count("°C") == 11


def ragged_classification(output):
    network = numbers_after("accuracy", output)[0]
    return network > numbers_after("logistic regression on padded sequences", output)[0]


def tagging(output):
    labels = "most frequent tag of the word", "LSTM, left to right", "LSTM, both"
    floor, forward, both = (numbers_after(label, output)[0] for label in labels)
    return floor < forward <= both and both > 0.99


def spelling(output):
    floor = numbers_after("words right, letter by letter", output)[0]
    network = numbers_after("words right, Seq2SeqClassifier", output)[0]
    return network > 0.9 > floor


def sentiment(output):
    names = "words  ", "pairs of words", "LSTM"
    words, pairs, network = (numbers_after(name, output)[0] for name in names)
    return words < pairs < network and network > 0.95


def generation(output):
    model = numbers_after("perplexity of new names", output)[0]
    return model < numbers_after("from frequencies alone", output)[0] / 4


def slots(output):
    titles = "words", "words and shapes", "words, shapes and endings"
    alone, shapes, endings = (numbers_after(rf"{t}  ", output)[-1] for t in titles)
    return alone + 0.05 < shapes < endings - 0.05 and endings > 0.95


def memory(output):
    machine, lstm = (numbers_after(name, output) for name in ("Turing machine", "LSTM"))
    # Patterns 2, 4 and 8 are as long as in training.
    copies = min(machine[:3]) > 0.95 and machine[3] > 0.8
    return copies and lstm[0] > 0.8 > 0.2 > lstm[3]


def crf(output):
    # Fields, and whole references; the labels of a chain never break the scheme.
    plain, chain = (numbers_after(rf"{t}  ", output) for t in ("plain", "with a CRF"))
    never = "with a CRF: 0 answers break" in output and "plain: 0 answers" not in output
    return plain[0] < chain[0] and plain[1] + 10 < chain[1] and never


def outliers(output):
    def told(label):
        return re.findall(r"\d+", re.search(rf"{label}(.*)", output)[1])

    rows = told("odd rows")
    forest = int(told("lowest scores of a forest")[0])
    return told("odd beats") == told("found") and rows[:3] == rows[3:] and forest < 3


def cells_by_hand(output):
    many = numbers_after("RMSE", output)
    kinds = ("RNNRegressor", "LSTMRegressor", "GRURegressor")
    plain, lstm, gru = (numbers_after(rf"{kind} +R2", output)[0] for kind in kinds)
    by_hand, predicted = re.search(r"hand (\S+), predict (\S+)", output).groups()
    names = ("forwards alone", "both directions")
    forwards, both = (numbers_after(rf"{name}  *RMSE", output)[0] for name in names)
    return (
        many[0] < many[1] / 2
        and plain < 0.9 < min(lstm, gru)
        and by_hand == predicted
        and both < forwards / 10
    )


def vanishing_gradients(output):
    kinds = ("plain", "LSTM", "GRU")
    plain, lstm, gru = (numbers_after(rf"{kind} +R2", output)[0] for kind in kinds)
    ways = ("as they are", "clipped", "scaled and clipped")
    raw, _, scaled = (numbers_after(rf"{way} +loss", output)[1] for way in ways)
    return plain < 0.5 < 0.9 < min(lstm, gru) and scaled < raw / 10


def encoder_decoder(output):
    right = numbers_after("all characters right:", output)[0]
    return right > 0.95 and "'friday 27 november 2026' -> '2026-11-27'" in output


def importance(output):
    return numbers_after("accuracy on new sequences:", output)[0] > 0.8


def steps_ahead(output):
    names = "with the plan", "without it", "as now"
    told, untold, naive = (numbers_after(name, output)[0] for name in names)
    return told < 0.3 * untold and untold < naive


def backtest(output):
    names = "forecaster", "naive", "seasonal naive"
    found, naive, seasonal = (numbers_after(name, output)[0] for name in names)
    return found < 0.9 * min(naive, seasonal)


def own_network(output):
    good = numbers_after("accuracy on new series:", output)[0] > 0.85
    return good and "trained by: skrnn" in output


def loss_curve(output):
    names = ("too long", "in time")
    long, stopped = (numbers_after(name, output)[-1] for name in names)
    return stopped < long


def long_series(output):
    alone, convolved = (
        numbers_after(f"{name}: accuracy", output)[0]
        for name in ("GRU alone", "behind convolutions")
    )
    return alone < 60 and convolved > 85


def timescales(output):
    plain, dilated = (
        numbers_after(rf"{name}: accuracy", output)[0]
        for name in ("plain stack", r"timescales=\(1, 4, 16\)")
    )
    return plain < 60 and dilated > 90


def writing(output):
    written = output.split("At temperature")[1:]
    return len(written) == 3 and all(len(text) > 400 for text in written)


def random_walk(output):
    names = ("same as today", "plain LSTM", "Forecaster")
    naive, plain, forecaster = (numbers_after(f"{n} +RMSE", output)[0] for n in names)
    return forecaster < 1.05 * naive < plain / 1.5


def transformer_lstm(output):
    transformer, lstm = (
        [float(each) for each in re.findall(rf"{name} +(\S+) in", output)]
        for name in ("Transformer", "LSTM")
    )
    looks_up = numbers_after("most attention to the right step", output)[0]
    return (
        transformer[0] > 0.95 > 0.5 > lstm[0]
        and looks_up > 0.95
        and 0.98 < transformer[1] < lstm[1]
    )


# What the output of each page must show.
GALLERY = {
    f"plot_{holds.__name__}.py": holds
    for holds in (
        backtest,
        cells_by_hand,
        cluster_search,
        crf,
        encoder_decoder,
        forecast_covariates,
        forecast_features,
        forecast_intervals,
        forecast_panel,
        forecasting,
        generation,
        importance,
        larger_than_memory,
        long_series,
        loss_curve,
        memory,
        outliers,
        outliers_of_days,
        own_network,
        ragged_classification,
        random_walk,
        sentiment,
        slots,
        spelling,
        steps_ahead,
        tagging,
        timescales,
        transformer_lstm,
        vanishing_gradients,
        writing,
    )
}


@pytest.mark.parametrize("script", GALLERY)
def test_gallery(script, tmp_path):
    assert GALLERY[script](output_of(script, tmp_path))


def test_every_gallery_script_is_tested():
    assert {path.name for path in EXAMPLES.glob("plot_*.py")} == GALLERY.keys()


def test_what_a_script_draws_is_shown():
    # In a terminal nothing else opens a window.
    draws = re.compile(r"Display\.from_|plt\.subplots\(")
    last = {
        path.name: draws.split(path.read_text())[1:][-1:]
        for path in EXAMPLES.glob("plot_*.py")
    }
    assert not [
        name for name, rest in last.items() if rest and "plt.show()" not in rest[0]
    ]
