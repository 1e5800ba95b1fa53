"""What a network's predictions say of y: means, quantiles and draws in its units."""

import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
from _forecast_cases import extremes, head_of
from hypothesis import given
from hypothesis import strategies as st

from skrnn._networks.distributions import DISTRIBUTIONS
from skrnn._networks.head import Head
from skrnn._networks.losses import LOSSES, likelihoods, loss_at_outputs

every_distribution = pytest.mark.parametrize("name", DISTRIBUTIONS)
QUANTILES = (0.1, 0.5, 0.9)


def predictions(name, n=5, n_targets=2, seed=0):
    """Return what a network might predict, (n, P * K)."""
    head = head_of(name, n_targets)
    z = np.random.default_rng(seed).normal(size=(n, head.units))
    return head.predictions(np, z)


def windows(n=5, seed=0):
    """Return levels and scales, (n, 1)."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 50, (n, 1)), rng.uniform(2, 9, (n, 1))


@every_distribution
def test_every_row_is_complete(name):
    row = DISTRIBUTIONS[name]
    assert row.name == LOSSES[name].name == name
    assert LOSSES[name].description == row.description
    assert re.fullmatch(r"[A-Z]\w+( & [A-Z]\w+| et al\.)?, \d{4}", row.source)
    assert len({each.name for each in row.parameters}) == len(row.parameters)


@given(
    name=st.sampled_from(list(DISTRIBUTIONS)),
    n=st.integers(1, 6),
    n_targets=st.integers(1, 3),
    levels=st.lists(st.floats(0.01, 0.99), min_size=1, max_size=4).map(sorted),
    seed=st.integers(0, 1000),
)
def test_shapes_are_those_of_targets(name, n, n_targets, levels, seed):
    row, found = DISTRIBUTIONS[name], predictions(name, n, n_targets, seed)
    level, scale = windows(n, seed)
    assert row.mean(found, level, scale).shape == (n, n_targets)
    quantiles = row.quantiles(found, levels, level, scale)
    assert quantiles.shape == (n, n_targets, len(levels))
    assert (np.diff(quantiles, axis=-1) >= 0).all()
    median = row.quantiles(found, [0.5], level, scale)[..., 0]
    np.testing.assert_array_equal(row.frozen(found, level, scale).median(), median)
    drawn = row.draw(found, 7, np.random.default_rng(seed), level, scale)
    assert drawn.shape == (7, n, n_targets)
    # Of one target nobody else's parameters are read.
    parts = found.reshape(n, -1, n_targets)[:, :, :1].reshape(n, -1)
    np.testing.assert_allclose(
        row.mean(parts, level, scale)[:, 0], row.mean(found, level, scale)[:, 0]
    )


@pytest.mark.parametrize("name", ["normal", "student_t"])
def test_numbers_go_back_to_the_units_of_y(name):
    row, found = DISTRIBUTIONS[name], predictions(name)
    level, scale = windows()
    np.testing.assert_allclose(
        row.mean(found, level, scale), level + scale * row.mean(found)
    )
    np.testing.assert_allclose(
        row.quantiles(found, QUANTILES, level, scale),
        level[..., None] + scale[..., None] * row.quantiles(found, QUANTILES),
    )
    drawn, moved = (
        row.draw(found, 3, np.random.default_rng(0), *units)
        for units in ((), (level, scale))
    )
    np.testing.assert_allclose(moved, level + scale * drawn)
    np.testing.assert_array_equal(row.mean(found), found[:, :2])


@pytest.mark.parametrize("name", ["negative_binomial", "poisson"])
def test_counts_are_whole_and_their_mean_a_multiple_of_the_scale(name):
    row, found = DISTRIBUTIONS[name], predictions(name)
    level, scale = windows()
    mean = row.mean(found, level, scale)
    np.testing.assert_allclose(mean, scale * found[:, :2])
    # They have no level.
    np.testing.assert_array_equal(mean, row.mean(found, scale=scale))
    for each in (
        row.quantiles(found, QUANTILES, level, scale),
        row.draw(found, 50, np.random.default_rng(0), level, scale),
    ):
        assert (each >= 0).all()
        assert (each == np.round(each)).all()
    variance = row.frozen(found, level, scale).var()
    dispersion = found[:, 2:] if name == "negative_binomial" else 0
    np.testing.assert_allclose(variance, mean + dispersion * mean**2)


@every_distribution
def test_draws_follow_the_distribution_and_the_seed(name):
    row, found = DISTRIBUTIONS[name], predictions(name, 3, 1)
    _, scale = windows(3)
    drawn = row.draw(found, 4000, np.random.default_rng(0), scale=scale)
    again = row.draw(found, 4000, np.random.default_rng(0), scale=scale)
    np.testing.assert_array_equal(drawn, again)
    other = row.draw(found, 4000, np.random.default_rng(1), scale=scale)
    assert (drawn != other).any()
    for level, quantile in zip(
        QUANTILES, np.moveaxis(row.quantiles(found, QUANTILES, scale=scale), -1, 0),
        strict=True,
    ):  # fmt: skip
        assert (np.mean(drawn <= quantile, axis=0) >= level - 0.03).all()
        assert (np.mean(drawn < quantile, axis=0) <= level + 0.03).all()


@every_distribution
def test_far_predictions_have_finite_quantiles_and_draws(name):
    y, z = extremes(name)
    row, found = DISTRIBUTIONS[name], head_of(name, 1).predictions(np, np.float64(z))
    scale = y[:, 1:] if row.counts else np.float64(1000)
    found, scale = found[::5], scale[::5].astype(float) if row.counts else scale
    for each in (
        row.mean(found, 5.0, scale),
        row.quantiles(found, (0.01, 0.5, 0.99), 5.0, scale),
        row.draw(found, 2, np.random.default_rng(0), 5.0, scale),
    ):
        assert np.isfinite(each).all()


def test_a_new_distribution_is_one_row():
    """A normal distribution of the spread 1 has half the squared error as its loss."""

    def losses(ops, y, location):
        return (y - location) ** 2 / 2

    new = replace(
        DISTRIBUTIONS["normal"],
        name="unit_normal",
        parameters=DISTRIBUTIONS["normal"].parameters[:1],
        losses=losses,
        slopes=lambda y, location: (location - y,),
    )
    row = likelihoods._row(new)
    assert row.outputs_per_target() == 1
    y, z = np.random.default_rng(0).normal(size=(2, 4, 3))
    found = row.at_outputs(y, z)
    expected = loss_at_outputs(Head(3))(y, z)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(2 * a, b)


def test_a_head_knows_its_distribution_after_a_pickle():
    head = pickle.loads(pickle.dumps(Head(4, loss="normal")))
    assert DISTRIBUTIONS[head.loss].parameters[1].name == "spread"
    found = head.by_target(np.arange(8).reshape(2, 4))
    np.testing.assert_array_equal(found[0], [[0, 2], [1, 3]])
