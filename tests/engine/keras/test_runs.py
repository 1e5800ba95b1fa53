"""Batches are stacked into runs: of any size, or of few shapes where each compiles."""

import numpy as np
import pytest
from _network_cases import draw_dataset, draw_dense, draw_ragged, spec_of

from skrnn._data.datasets import Dataset, Seq2SeqData
from skrnn._data.sequences import pack_ragged
from skrnn._data.token_stream import TokenStream
from skrnn._engine.keras import runs
from skrnn._engine.keras.runs import Runs

SPEC, STEPS = spec_of("gru"), spec_of("gru", return_sequences=True)
RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(1, 40, 200)


def ragged_pairs():
    """Pairs of which some outputs aren't known."""
    outputs = pack_ragged([RNG.integers(0, 3, n).astype(np.int32) for n in LENGTHS])
    known = RNG.random(LENGTHS.sum()) < 0.99
    inputs = draw_ragged(SPEC, LENGTHS[::-1])
    return Seq2SeqData(inputs, outputs, np.ones(200, np.float32), known=known, start=3)


SOURCES = {
    "dense": draw_dataset(SPEC, draw_dense(SPEC, 50, 7)[1]),
    "dense steps": draw_dataset(STEPS, draw_dense(STEPS, 50, 7)[1]),
    "ragged": draw_dataset(SPEC, draw_ragged(SPEC, LENGTHS)),
    "ragged steps": draw_dataset(STEPS, draw_ragged(STEPS, LENGTHS)),
    "pairs": ragged_pairs(),
    "text": TokenStream(np.arange(1, 302), np.arange(2, 303), 4, 10),
}


@pytest.mark.parametrize("fixed", [False, True], ids=["any shape", "few shapes"])
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_run_has_what_its_batches_have(source, fixed):
    order, done = source.order(8, np.random.default_rng(0), 0), 0
    for run in Runs(source, fixed).cut(order):
        assert run.first == done
        done += run.n_batches
        for i, rows in enumerate(order[run.first : done]):
            batch = source.gather(rows)
            named = batch.inputs | {"targets": batch.targets, "weights": batch.weights}
            for name, array in named.items():
                own = run.arrays[name][i][tuple(map(slice, np.shape(array)))]
                # What fills a batch up may change the order of rows equally long.
                if len(batch.inputs["lengths"]) == run.arrays["lengths"].shape[1]:
                    np.testing.assert_array_equal(own, array)
            present = run.arrays["present"][i]
            assert present.sum() == batch.present.sum()
            assert run.arrays["steps"][i][0] == len(batch.inputs["x"])
    assert done == len(order)


@pytest.mark.parametrize("name", SOURCES)
def test_shapes_are_few(name):
    shapes, source = set(), SOURCES[name]
    for seed in range(3):
        order = source.order(8, np.random.default_rng(seed), seed)
        # However the loop cuts the batches into calls.
        for part in np.array_split(order, seed + 1):
            for run in Runs(source, fixed=True).cut(part):
                shapes.add(tuple(np.shape(array) for array in run.arrays.values()))
    # One for each halving of the longest one, and again where outputs aren't known.
    most = {"dense": 1, "dense steps": 1, "text": 1, "pairs": 14}.get(name, 7)
    assert len(shapes) <= most


@pytest.mark.parametrize("fixed", [False, True], ids=["any shape", "few shapes"])
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_memory_of_a_run_is_bounded(source, fixed, monkeypatch):
    for name in ("_MOST_BYTES", "_FIXED_BYTES"):
        monkeypatch.setattr(runs, name, 30_000)
    order = source.order(8, np.random.default_rng(0), 0)
    sizes = []
    for run in Runs(source, fixed).cut(order):
        n_bytes = sum(array.nbytes for array in run.arrays.values())
        # A batch may be larger than that.
        assert n_bytes < 31_000 or len(run.arrays["steps"]) == 1
        sizes.append(run.n_batches)
    assert sum(sizes) == len(order)
    assert max(sizes) > 1


def test_ragged_batches_of_a_run_are_not_padded_to_the_longest_of_all():
    lengths = np.r_[np.full(64, 3), 4000]
    source = draw_dataset(SPEC, draw_ragged(SPEC, lengths))
    order = source.order(8, None, 0)
    found = list(Runs(source, fixed=True).cut(order))
    assert [len(run.arrays["x"][0]) for run in found[:-1]] == [4] * (len(found) - 1)
    assert len(found[-1].arrays["x"][0]) == 4096


@pytest.mark.parametrize("name", ["dense", "dense steps"])
def test_batches_of_one_length_are_gathered_at_once(name, monkeypatch):
    gather, calls = Dataset.gather, []

    def counted(self, rows, **sizes):
        calls.append(rows)
        return gather(self, rows, **sizes)

    monkeypatch.setattr(Dataset, "gather", counted)
    order = SOURCES[name].order(8, np.random.default_rng(0), 0)
    (run,) = Runs(SOURCES[name], fixed=True).cut(order)
    assert run.n_batches == len(order) == 7
    # The first one, for its size, and the last one, which isn't whole.
    assert len(calls) == 2
    assert (calls[1] < 0).any()
