"""Losses with several outputs a target: quantiles in order, and likelihoods."""

import functools

import keras
import numpy as np
import pytest
from _forecast_cases import COUNTS, FORECASTS, LEVELS, every_forecast, extremes, head_of
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import gammaln
from sklearn.metrics import mean_pinball_loss

from skrnn import GRURegressor
from skrnn._engine.keras.foreign.losses import (
    LossOfArrays,
    loss_function,
    loss_in_keras,
)
from skrnn._estimators.names import NAMES
from skrnn._networks.distributions import DISTRIBUTIONS
from skrnn._networks.formulas import stirling_error
from skrnn._networks.losses import loss_at_outputs, row_of
from skrnn._networks.specs import Head

some_levels = st.lists(st.floats(0.01, 0.99), min_size=1, max_size=7, unique=True).map(
    lambda levels: tuple(sorted(levels))
)


def draw(head, n=6, seed=0, dtype=np.float32, spread=2.0):
    """Return targets, of counts with their scales, and outputs."""
    rng = np.random.default_rng(seed)
    z, shape = rng.normal(0, spread, size=(n, head.units)), (n, head.n_targets)
    if head.target_width == head.n_targets:
        return rng.normal(size=shape).astype(dtype), z.astype(dtype)
    columns = rng.poisson(4, shape), rng.uniform(0.5, 9, shape)
    y = np.concatenate(columns, axis=1)
    y[0, 0] = 0
    return y.astype(dtype), z.astype(dtype)


def differences(head, y, z, step=1e-6):
    """Return the gradients of the formula by finite differences."""
    row, values = row_of(head.loss)
    found = np.empty_like(z)
    for column in range(z.shape[1]):
        up, down = z.copy(), z.copy()
        up[:, column] += step
        down[:, column] -= step
        above, below = (row.formula(np, y, each, *values) for each in (up, down))
        found[:, column] = (above - below) / (2 * step)
    return found


# Losses and gradients


@given(
    name=st.sampled_from(FORECASTS),
    levels=some_levels,
    n=st.integers(1, 5),
    n_targets=st.integers(1, 4),
    seed=st.integers(0, 10**6),
)
def test_gradients_are_those_of_the_formula(name, levels, n, n_targets, seed):
    head = head_of(name, n_targets, levels)
    y, z = draw(head, n, seed, dtype=np.float64)
    row, values = row_of(head.loss)
    if name == "quantiles":
        # There is a corner at each quantile.
        found = head.predictions(np, z).reshape(n, -1, n_targets)
        assume(np.abs(found - y[:, None]).min() > 1e-4)
    losses, gradients = loss_at_outputs(head)(y, z)
    np.testing.assert_allclose(losses, row.formula(np, y, z, *values), rtol=1e-12)
    scale = 1 + np.abs(gradients)
    np.testing.assert_allclose(
        differences(head, y, z) / scale, gradients / scale, atol=1e-6
    )


@every_forecast
def test_the_formula_has_the_same_gradient_in_keras(name):
    import tensorflow as tf

    head = head_of(name)
    y, z = draw(head, n=12)
    losses, gradients = loss_at_outputs(head)(y, z)
    assert losses.dtype == gradients.dtype == np.float32
    assert losses.shape == (12,)
    formula, outputs = loss_function(None, head), tf.Variable(z)
    with tf.GradientTape() as tape:
        found = formula(tf.constant(y), outputs)
    np.testing.assert_allclose(found, losses, rtol=1e-5, atol=1e-6)
    slope = tf.convert_to_tensor(tape.gradient(found, outputs))
    np.testing.assert_allclose(slope, gradients, rtol=1e-4, atol=1e-5)
    # Keras' own training compares predictions.
    predictions = keras.ops.convert_to_tensor(head.predictions(np, z))
    compiled = keras.losses.get(loss_in_keras(None, head))
    found = compiled(keras.ops.convert_to_tensor(y), predictions)
    np.testing.assert_allclose(found, losses, rtol=1e-4, atol=1e-5)


@every_forecast
def test_steps_have_the_losses_of_rows(name):
    head = head_of(name)
    y, z = draw(head, n=12)
    losses, _ = loss_at_outputs(head)(y, z)
    y, z = (each.reshape(4, 3, -1) for each in (y, z))
    row, values = row_of(head.loss)
    found = row.formula(keras.ops, *map(keras.ops.convert_to_tensor, (y, z)), *values)
    np.testing.assert_allclose(found, losses.reshape(4, 3), rtol=1e-5, atol=1e-6)


@every_forecast
def test_a_loss_of_ones_own_sees_targets_of_their_width(name):
    head = head_of(name)
    row, values = row_of(head.loss)
    made = LossOfArrays(lambda y, z: row.formula(keras.ops, y, z, *values), head)
    y, z = draw(head)
    for a, b in zip(made(y, z), loss_at_outputs(head)(y, z), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_row_of_equal_outputs_has_a_finite_gradient_in_keras():
    import tensorflow as tf

    for name in FORECASTS:
        head = head_of(name)
        y, z = draw(head)
        outputs = tf.Variable(np.zeros_like(z))
        with tf.GradientTape() as tape:
            found = loss_function(None, head)(tf.constant(y), outputs)
        slope = tf.convert_to_tensor(tape.gradient(found, outputs))
        _, expected = loss_at_outputs(head)(y, np.zeros_like(z))
        np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=1e-5)


# Quantiles


@given(
    levels=some_levels,
    z=arrays(np.float32, (3, 21), elements=st.floats(-1e6, 1e6, width=32)),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_quantiles_never_cross(levels, z, dtype):
    head = head_of("quantiles", 3, levels)
    z = z[:, : head.units].astype(dtype)
    found = head.by_target(head.predictions(np, z))
    assert found.shape == (3, 3, len(levels))
    assert found.dtype == dtype
    assert (np.diff(found, axis=-1) >= 0).all()
    middle = z.reshape(3, len(levels), 3)[:, len(levels) // 2]
    np.testing.assert_array_equal(found[..., len(levels) // 2], middle)


def test_quantiles_in_any_order_can_be_put_out():
    wanted = np.array([-3.0, -2.9, 0.5, 7.0])
    # The inverse of the softplus, at the distance from the neighbour inside.
    outputs = np.array([*np.log(np.expm1([0.1, 3.4])), 0.5, np.log(np.expm1(6.5))])
    found = head_of("quantiles", 1).predictions(np, outputs[None])
    np.testing.assert_allclose(found[0], wanted)


def test_the_loss_is_the_mean_of_the_pinball_losses():
    head = head_of("quantiles", 3)
    y, z = draw(head)
    losses, _ = loss_at_outputs(head)(y, z)
    found = head.by_target(head.predictions(np, z))
    expected = [
        np.mean(
            [
                mean_pinball_loss(y[i], found[i, :, j], alpha=level)
                for j, level in enumerate(LEVELS)
            ]
        )
        for i in range(len(y))
    ]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_one_quantile_is_the_pinball_loss():
    y, z = draw(head_of("quantiles", 3, (0.8,)))
    found = loss_at_outputs(Head(3, loss=("quantiles", (0.8,))))(y, z)
    expected = loss_at_outputs(Head(3, loss=("pinball", 0.8)))(y, z)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_at_a_quantile_nothing_moves_it():
    head = Head(1, loss=("quantiles", (0.8,)))
    losses, gradients = loss_at_outputs(head)(np.ones((2, 1)), np.ones((2, 1)))
    assert not losses.any()
    assert not gradients.any()


@pytest.mark.parametrize("levels", [(), (0.5, 0.5), (0.9, 0.1), (0.0, 0.5), (0.5, 1.0)])
def test_levels_must_increase_between_0_and_1(levels):
    with pytest.raises(ValueError, match="between 0 and 1 and increase, got"):
        Head(6, loss=("quantiles", levels))


# Likelihoods


def log_likelihoods(name, y, predictions, scale=1.0):
    """Return what scipy says of targets, in double precision."""
    frozen = DISTRIBUTIONS[name].frozen(np.float64(predictions), scale=scale)
    return (frozen.logpmf if name in COUNTS else frozen.logpdf)(np.float64(y))


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_likelihoods_are_those_of_scipy(name):
    head = head_of(name, 3)
    y, z = draw(head, n=200, dtype=np.float64, spread=3)
    losses, _ = loss_at_outputs(head)(y, z)
    found = head.predictions(np, z)
    expected = -log_likelihoods(name, y[:, :3], found, *[y[:, 3:]] * (name in COUNTS))
    np.testing.assert_allclose(losses, expected.mean(axis=1), rtol=1e-8)


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("size", [1, 100, 10**4, 10**6])
def test_likelihoods_of_large_counts_are_exact_in_float32(name, size):
    rng = np.random.default_rng(0)
    head = head_of(name, 1)
    y = np.stack([rng.poisson(size * rng.uniform(0.5, 2, 300)), np.full(300, size)])
    z = rng.normal(0.5, 0.4, (300, head.units))
    # Down to next to no dispersion.
    z[:, 1:] = rng.uniform(-12, 2, (300, 1))
    y, z = y.T.astype(np.float32), z.astype(np.float32)
    row, _ = row_of(head.loss)
    found = row.formula(keras.ops, *map(keras.ops.convert_to_tensor, (y, z)))
    expected, _ = loss_at_outputs(head)(np.float64(y), np.float64(z))
    # Rounding of the mean itself moves a likelihood so far.
    np.testing.assert_allclose(found, expected, rtol=3e-5, atol=3e-5)


@functools.cache
def in_keras(name):
    import tensorflow as tf

    function = loss_function(None, head_of(name, 1))

    def run(y, z):
        with tf.GradientTape() as tape:
            tape.watch(z)
            losses = function(y, z)
        return losses, tape.gradient(losses, z)

    compiled = tf.function(run)
    return lambda y, z: [np.asarray(each) for each in compiled(y, z)]


@every_forecast
def test_far_outputs_and_targets_stay_finite_on_both_engines(name):
    y, z = extremes(name)
    losses, gradients = loss_at_outputs(head_of(name, 1))(y, z)
    found, slopes = in_keras(name)(y, z)
    for each in (losses, gradients, found, slopes):
        assert np.isfinite(each).all()
    scale = 1 + np.abs(losses)
    np.testing.assert_allclose(found / scale, losses / scale, atol=1e-4)
    scale = 1 + np.abs(gradients).max(axis=1, keepdims=True)
    np.testing.assert_allclose(slopes / scale, gradients / scale, atol=1e-3)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_far_parameters_are_in_their_range(name):
    _, z = extremes(name)
    found = head_of(name, 1).predictions(np, z)
    for parameter, values in zip(DISTRIBUTIONS[name].parameters, found.T, strict=True):
        if parameter.above is not None:
            assert (values >= np.float32(parameter.above)).all()
            assert values.min() > 0
        assert np.isfinite(values).all()
    assert np.isfinite(DISTRIBUTIONS[name].frozen(np.float64(found)).std()).all()


def test_the_degrees_of_freedom_give_a_variance():
    by_name = {each.name: each for each in DISTRIBUTIONS["student_t"].parameters}
    assert by_name["freedom"].above > 2


@given(x=st.floats(1e-3, 1e8))
def test_stirlings_error_is_that_of_the_gamma_function(x):
    found = stirling_error(np, x)
    if x < 1e4:
        exact = gammaln(x + 1) - (x + 0.5) * np.log(x) + x - np.log(2 * np.pi) / 2
        assert abs(found - exact) < 5e-10
    # The bounds of Robbins (1955).
    assert 1 / (12 * x + 1) - 5e-10 < found < 1 / (12 * x) + 5e-10
    assert abs(stirling_error(np, np.float32(x)) - found) < 3e-6


# What estimators know of them


@every_forecast
def test_estimators_do_not_list_losses_of_forecasts(name):
    assert name not in NAMES["loss of numbers"] + NAMES["loss of labels"]
    X = np.zeros((20, 3, 1))
    with pytest.raises(ValueError, match="'loss' parameter of GRURegressor must be"):
        GRURegressor(loss=name).fit(X, X[:, 0, 0])


@every_forecast
def test_outputs_are_a_multiple_of_what_a_target_has(name):
    head = head_of(name, 3)
    assert head.n_targets == 3
    assert head.units == 3 * head.outputs_per_target
    assert head.target_width == (6 if name in COUNTS else 3)
    if head.outputs_per_target > 1:
        with pytest.raises(ValueError, match="must be a multiple of"):
            Head(head.units + 1, loss=head.loss)


def test_other_heads_have_a_target_for_each_output_or_classes():
    assert (Head(3).n_targets, Head(3).target_width) == (3, 3)
    labels, classes = Head(3, "sigmoid"), Head(3, "softmax")
    assert (labels.n_targets, labels.target_width) == (3, 3)
    assert (classes.n_targets, classes.target_width) == (1, 1)
    assert Head(3, "relu").target_width == 3
