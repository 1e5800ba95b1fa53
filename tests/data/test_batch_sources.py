"""Data as the training loop is handed it: which batches there are, and what is in."""

import inspect

import numpy as np
import pytest

from skrnn._data.datasets import Dataset, Seq2SeqData, first_targets
from skrnn._data.sequences import pack_dense, pack_ragged, pack_windows
from skrnn._data.token_stream import TokenStream
from skrnn._data.windows import sliding_windows
from skrnn._engine.training.contracts import BatchSource, Program, RowSource

RNG = np.random.default_rng(0)
LENGTHS = [4, 1, 6, 6, 2, 3, 5]
RAGGED = [RNG.normal(size=(n, 2)).astype(np.float32) for n in LENGTHS]
WINDOWS = sliding_windows(RNG.normal(size=(20, 2)).astype(np.float32), 5, 2)
ROWS = np.array([2, 0, 1, 5, -1])


def dataset(sequences, of_steps):
    n = sequences.n_steps if of_steps else len(sequences)
    targets = np.arange(2.0 * n, dtype=np.float32).reshape(n, 2)
    weights = np.linspace(1, 2, n, dtype=np.float32)
    firsts = first_targets(sequences, of_steps)
    return Dataset(sequences, targets, weights, firsts, of_steps)


def seq2seq(**more):
    labels = [RNG.integers(0, 3, n).astype(np.int32) for n in LENGTHS[::-1]]
    weights = np.linspace(1, 2, len(LENGTHS), dtype=np.float32)
    outputs = pack_ragged(labels)
    return Seq2SeqData(pack_ragged(RAGGED), outputs, weights, start=3, **more), labels


def stream(n=50, **options):
    return TokenStream(np.arange(1, n + 1), np.arange(2, n + 2), 3, 5, **options)


SOURCES = {
    "ragged": dataset(pack_ragged(RAGGED), False),
    "ragged steps": dataset(pack_ragged(RAGGED), True),
    "windows": dataset(pack_windows(WINDOWS), False),
    "dense steps": dataset(pack_dense(WINDOWS.copy(), "dense"), True),
    "labels": seq2seq()[0],
    "stream": stream(seed=0),
}
every_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)


@every_source
def test_a_source_keeps_its_contract(source):
    contract = BatchSource if isinstance(source, TokenStream) else RowSource
    names = [name for name in vars(contract) if not name.startswith("_")]
    names += [name for name in vars(BatchSource) if not name.startswith("_")]
    assert "gather" in names
    for name in names:
        found, promised = getattr(source, name), getattr(contract, name)
        if callable(promised):
            expected = list(inspect.signature(promised).parameters)[1:]
            assert list(inspect.signature(found).parameters) == expected
    order = source.order(3, np.random.default_rng(0), 0)
    assert len(order) == source.n_batches(3)
    assert order.dtype.kind == "i"


@every_source
def test_what_is_drawn_is_that_of_the_seed(source):
    first, again = (source.order(3, np.random.default_rng(4), 1) for _ in range(2))
    np.testing.assert_array_equal(first, again)


@every_source
def test_what_is_validated_on_has_everything_once(source):
    batches = [source.gather(rows) for rows in source.evaluation_order()]
    n = sum(int(batch.present.sum()) for batch in batches)
    assert n == sum(
        int(source.gather(rows).present.sum()) for rows in source.order(2, None, 0)
    )


@every_source
def test_a_batch_is_filled_up_with_what_is_not_there(source):
    rows = source.order(3, None, 0)[-1]
    batch = source.gather(rows)
    n_steps, n_rows = len(batch.inputs["x"]), len(batch.inputs["lengths"])
    more = (9, 8) if isinstance(source, Seq2SeqData) else 9
    filled = source.gather(rows, n_rows=n_rows + 2, n_steps=more)
    assert filled.inputs["x"].shape[:2] == (9, n_rows + 2)
    assert filled.weights.shape == filled.present.shape
    assert filled.weights[~filled.present].sum() == 0
    assert np.isfinite(filled.inputs["x"]).all()
    for name in ("targets", "weights"):
        one, other = getattr(batch, name), getattr(filled, name)
        np.testing.assert_array_equal(filled.real(other), batch.real(one))
    n = min(n_steps, 9)
    shown = filled.inputs["x"][:n, :n_rows]
    np.testing.assert_array_equal(shown, batch.inputs["x"][:n])


@pytest.mark.parametrize("of_steps", [False, True])
def test_a_batch_has_the_sequences_of_its_rows_the_longest_first(of_steps):
    source = dataset(pack_ragged(RAGGED), of_steps)
    batch = source.gather(ROWS)
    rows = [2, 0, 5, 1]
    np.testing.assert_array_equal(batch.inputs["lengths"], [6, 4, 3, 1])
    firsts = np.asarray(source.target_starts)
    for i, row in enumerate(rows):
        n = LENGTHS[row]
        np.testing.assert_array_equal(batch.inputs["x"][:n, i], RAGGED[row])
        if of_steps:
            own = slice(firsts[row], firsts[row] + n)
            np.testing.assert_array_equal(batch.targets[:n, i], source.targets[own])
            np.testing.assert_array_equal(batch.weights[:n, i], source.weights[own])
            assert batch.present[:, i].sum() == n
        else:
            np.testing.assert_array_equal(batch.targets[i], source.targets[row])
            assert batch.weights[i] == source.weights[row]
    assert of_steps or batch.present.all()


@pytest.mark.parametrize("of_steps", [False, True])
def test_what_is_real_can_be_put_back(of_steps):
    batch = dataset(pack_ragged(RAGGED), of_steps).gather(ROWS)
    real = batch.real(batch.targets)
    assert len(real) == batch.present.sum()
    whole = batch.spread(real, batch.targets.shape)
    np.testing.assert_array_equal(batch.real(whole), real)
    assert (whole[~batch.present] == 0).all()


def test_windows_are_gathered_from_their_series():
    source = dataset(pack_windows(WINDOWS), False)
    x = source.gather(np.array([3, 0])).inputs["x"]
    np.testing.assert_array_equal(x, np.moveaxis(WINDOWS[[3, 0]], 1, 0))


def test_outputs_have_an_order_of_their_own():
    source, labels = seq2seq()
    batch = source.gather(ROWS)
    of_inputs = [2, 0, 5, 1]
    rows = [of_inputs[place] for place in batch.inputs["order"]]
    lengths = [len(labels[row]) for row in rows]
    assert lengths == sorted(lengths, reverse=True)
    np.testing.assert_array_equal(batch.inputs["output_lengths"], lengths)
    for i, row in enumerate(rows):
        n = len(labels[row])
        np.testing.assert_array_equal(batch.targets[:n, i, 0], labels[row])
        before = [3, *labels[row][:-1]]
        np.testing.assert_array_equal(batch.inputs["before"][:n, i], before)
        np.testing.assert_array_equal(batch.weights[:n, i], source.weights[row])


def test_an_output_that_is_not_known_is_told_where_it_would_be_read():
    n = sum(LENGTHS)
    assert "known" not in seq2seq(known=np.ones(n, bool))[0].gather(ROWS).inputs
    known = seq2seq(known=np.arange(n) % 2 == 0)[0].gather(ROWS).inputs["known"]
    assert known[0].all()
    assert not known.all()


@pytest.mark.parametrize("seed", [None, 0])
def test_a_stream_is_read_once_an_epoch_in_its_order(seed):
    source = stream(seed=seed)
    batches = [source.gather(rows) for rows in source.order(32, None, 2)]
    assert [batch.inputs["begins"] for batch in batches] == [True, False, False, False]
    tokens = np.concatenate([b.inputs["x"] for b in batches]).T.ravel()
    there = np.concatenate([b.present for b in batches]).T.ravel()
    expected = np.roll(source.inputs, -source.start(2))
    np.testing.assert_array_equal(tokens[there], expected)
    after = np.concatenate([b.targets[:, :, 0] for b in batches]).T.ravel()
    np.testing.assert_array_equal(after[there], tokens[there] + 1)


def test_a_stream_is_cut_at_other_places_in_each_epoch():
    assert len({stream(seed=0).start(epoch) for epoch in range(20)}) > 5
    assert {stream().start(epoch) for epoch in range(20)} == {0}


def test_programs_keep_their_contract():
    from skrnn._engine.cpu.language import LanguageProgram
    from skrnn._engine.cpu.network import NetworkProgram
    from skrnn._engine.cpu.seq2seq import Seq2SeqProgram

    promised = [name for name in vars(Program) if not name.startswith("_")]
    assert "train" in promised
    for kind in (NetworkProgram, Seq2SeqProgram, LanguageProgram):
        for name in promised:
            own = list(inspect.signature(getattr(kind, name)).parameters)
            expected = list(inspect.signature(getattr(Program, name)).parameters)
            # One that needs nothing of its own may be a static method.
            expected.remove("self")
            assert [each for each in own if each != "self"] == expected
