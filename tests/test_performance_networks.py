"""The benchmark's many networks cover what there is, and both sides train them."""

import dataclasses
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from _tables import LONG

from skrnn._estimators.names import NAMES
from skrnn._networks.activations import HIDDEN_ACTIVATIONS
from skrnn._networks.attention import FREE_ATTENTIONS
from skrnn._networks.cells import CELLS
from skrnn._networks.optimizers import OPTIMIZERS

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SMALL = {"units": (3,), "steps": 8, "batch": 2, "features": 2}


@pytest.fixture
def module(monkeypatch):
    """Import modules of the benchmark by name, and forget them again."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if name.startswith("performance"):
            del sys.modules[name]


def test_there_is_one_of_each_kind(module):
    networks = module("performance_networks").NETWORKS
    assert len({network.name for network in networks}) == len(networks) == 37
    # Those that stand beside a layer of Keras.
    of_keras = {name for name, cell in CELLS.items() if cell.keras_layer}
    assert {network.cell for network in networks} >= of_keras
    given = [{"activation": "tanh", "optimizer": "adam"} | n.params for n in networks]
    assert {each["activation"] for each in given} == set(HIDDEN_ACTIVATIONS)
    assert {each["optimizer"] for each in given} == set(OPTIMIZERS)
    assert {each.get("attention") for each in given} == {*FREE_ATTENTIONS, None}
    losses = {each.get("loss") for each in given} | {"mean_squared_error", None}
    assert losses == {*NAMES["loss of numbers"], None}
    tasks = {network.task for network in networks}
    assert {"numbers", "binary", "labels", "numbers a step"} < tasks
    assert {network.batch for network in networks} >= {1, 32, 128, 1024}


def test_an_epoch_is_long_enough_and_not_too_long(module):
    networks = module("performance_networks").NETWORKS
    assert all(8 <= network.batches <= 100 for network in networks)


# Keras takes seconds to compile a network: one of each kind of data, and with LONG one
# more with other losses.
KINDS = [
    "a target each step",
    "ragged, 10 labels",
    "tokens, 10 labels",
    "Seq2SeqClassifier",
]
MORE_KINDS = ["binary labels, adafactor", "Seq2SeqRegressor"]


@pytest.mark.parametrize("name", KINDS + MORE_KINDS if LONG else KINDS)
def test_both_sides_are_given_the_same_network_and_data(module, monkeypatch, name):
    networks, ways = map(module, ("performance_networks", "performance_ways"))
    monkeypatch.setattr(networks, "WORK", 0)
    (network,) = (each for each in networks.NETWORKS if each.name == name)
    network = dataclasses.replace(network, **SMALL)
    assert network.batches == 8
    model, X, _ = networks.made(network)
    ours = ways.Skrnn().network_trainer(network)
    assert ours(2).n_iter_ == 2
    history = ways.Keras().network_trainer(network)(2)
    assert len(history.history["loss"]) == 2
    assert np.isfinite(history.history["loss"]).all()
    assert history.params["steps"] == network.batches == len(X) / model.batch_size


def test_the_worst_and_the_median_come_again(module):
    groups = module("performance_groups")
    cases = [
        groups.Case(f"network, {name}", {"ours": [1.0, 2.0], "theirs": theirs})
        for name, theirs in [
            ("a", [8.0, 16.0]),
            ("b", [3.0, 6.0]),
            ("c", [5.0, 10.0]),
            ("gone", None),
        ]
    ]
    worst, median = groups.worst_and_median(cases)
    assert (worst.name, worst.ways) == ("worst network: b", cases[1].ways)
    assert (median.name, median.ways) == ("median network: c", cases[2].ways)
    assert not list(groups.worst_and_median(cases[3:]))
