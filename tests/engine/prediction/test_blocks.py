"""Predictions are made in blocks of bounded size, which make no difference."""

import numpy as np
import pytest
from _network_cases import (
    draw_ragged,
    draw_weights,
    predict,
    spec_of,
)

from skrnn._engine.prediction import batches
from skrnn._engine.prediction.batches import RUNNERS

GRU, STEPS = spec_of("gru"), spec_of("rnn", return_sequences=True)


@pytest.mark.parametrize("spec", [GRU, STEPS], ids=["last", "steps"])
@pytest.mark.parametrize("by", RUNNERS)
@pytest.mark.parametrize(
    "lengths", [(3, 7, 1, 5, 7, 2), (4,) * 6], ids=["ragged", "dense"]
)
def test_size_of_blocks_does_not_matter(spec, by, lengths, monkeypatch):
    sequences, weights = draw_ragged(spec, lengths), draw_weights(spec)
    expected = predict(spec, weights, sequences, by)
    for block in (1, 30, 60):
        monkeypatch.setitem(batches._BLOCK, by, block)
        found = predict(spec, weights, sequences, by)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("lengths", [(3, 7, 1, 5, 7, 2, 30), (6,) * 7])
def test_blocks_are_bounded_and_hold_every_sequence_once(lengths):
    sequences, seen = draw_ragged(GRU, lengths), []
    for rows in batches._blocks(batches.Size.of(GRU), sequences, 4 * 20):
        lengths = sequences.lengths[rows]
        assert len(lengths) == 1 or len(lengths) * lengths.max() <= 20
        seen += np.arange(len(sequences))[rows].tolist()
    assert sorted(seen) == list(range(len(sequences)))
