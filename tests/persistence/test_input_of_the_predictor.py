"""What a carried network refuses to read, and what it doesn't look at."""

import numpy as np
import pytest

import skrnn
from skrnn.persistence import export, load_network

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 5, 2))
Y = X[:, -1, 0]
IDS = RNG.integers(1, 5, size=(12, 5))
TINY = dict(units=2, epochs=1, random_state=0)


@pytest.fixture(scope="module")
def carried(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")

    def of(name, model, X):
        export(model.fit(X, Y), folder / f"{name}.npz", format="numpy")
        return model, load_network(folder / f"{name}.npz")

    return {
        "numbers": of("numbers", skrnn.GRURegressor(**TINY), [x[:4] for x in X]),
        "one feature": of("one", skrnn.GRURegressor(**TINY), X[..., :1]),
        "columns": of("columns", skrnn.GRURegressor(**TINY), X[..., 0]),
        "tokens": of("tokens", skrnn.GRURegressor(embedding_dim=2, **TINY), IDS),
    }


@pytest.mark.parametrize(
    "lengths",
    [
        [0] * 12, [9] * 12, [-1] * 12, [6] + [5] * 11, [2.5] * 12, [3] * 5, [3] * 13,
        3, [], [[3] * 12], [True] * 12, ["3"] * 12, [np.nan] * 12,
    ],
    ids=str,
)  # fmt: skip
def test_lengths_that_are_none(carried, lengths):
    with pytest.raises(ValueError, match=r"lengths must be integers .* from 1 to 5"):
        carried["numbers"][1].predict(X, lengths=lengths)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("numbers", X[:, :, :1]), ("numbers", X[:, :, 0]), ("numbers", X[0, 0]),
        ("numbers", X[:, :0]), ("numbers", X[:0]), ("numbers", X[None]),
        ("numbers", 3.0), ("columns", X), ("columns", X[:, 0, 0]), ("one feature", X),
        ("tokens", IDS[0]), ("tokens", IDS[..., None]), ("tokens", IDS[:, :0]),
    ],
)  # fmt: skip
def test_shapes_that_no_network_reads(carried, name, given):
    with pytest.raises(ValueError, match=r"X has shape \(.*expected \('n', 'T'"):
        carried[name][1].predict(given)


def test_sequences_of_several_lengths_are_told_what_to_do(carried):
    with pytest.raises(ValueError, match=r"ragged: pad .* and pass lengths="):
        carried["numbers"][1].predict([x[: 1 + i % 4] for i, x in enumerate(X)])


def test_what_a_mask_hides_is_not_read(carried):
    with pytest.raises(ValueError, match="X is masked"):
        carried["numbers"][1].predict(np.ma.array(X, mask=X > 1))


def test_values_that_no_network_reads(carried):
    for value in np.nan, np.inf:
        given = X.copy()
        given[3, 2, 1] = value
        with pytest.raises(ValueError, match="NaN or an infinite value"):
            carried["numbers"][1].predict(given)
    for given in X.astype(str), X.astype(object), X + 1j:
        with pytest.raises(ValueError, match="X must hold numbers"):
            carried["numbers"][1].predict(given)
    for given in IDS * 1.0, -IDS, IDS > 2:
        with pytest.raises(ValueError, match="X must hold token ids"):
            carried["tokens"][1].predict(given)
    with pytest.raises(ValueError, match="of no ids"):
        # Their zeros tell the lengths.
        carried["tokens"][1].predict(IDS, lengths=[5] * 12)


def test_what_is_right_is_read(carried):
    model, network = carried["numbers"]
    lengths = RNG.integers(1, 6, size=12)
    ragged = [x[:n] for x, n in zip(X, lengths, strict=True)]
    padded = np.full(X.shape, np.nan)
    for row, x in zip(padded, ragged, strict=True):
        row[: len(x)] = x
    given = padded.copy()
    found = network.predict(given, lengths=lengths.tolist())
    np.testing.assert_allclose(found, model.predict(ragged), atol=1e-6)
    np.testing.assert_array_equal(given, padded)
    for name, x in {"one feature": X[..., 0], "columns": X[..., 0]}.items():
        model, network = carried[name]
        expected = model.predict(x[..., None] if name == "one feature" else x)
        np.testing.assert_allclose(network.predict(x), expected, atol=1e-6)
    model, network = carried["tokens"]
    unsigned = network.predict(IDS.astype(np.uint8))
    np.testing.assert_allclose(unsigned, model.predict(IDS), atol=1e-6)
