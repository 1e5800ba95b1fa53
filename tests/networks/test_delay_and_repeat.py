"""The layers of networks that tell their own input: one later, or the end repeated."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrnn._engine.cpu.reference import ReferenceRun
from skrnn._networks.architecture import prediction_spec, reconstruction_spec
from skrnn._networks.forward import forward, step
from skrnn._networks.layers import Delay, Flow, Repeat
from skrnn._networks.specs import Head, NetworkSpec
from skrnn._networks.weights import initial_weights

RUN = ReferenceRun()
X = np.random.default_rng(0).normal(size=(5, 3, 2))
LENGTHS = np.array([5, 4, 2])
COMMON = dict(cell="gru", units=(4, 3), n_features=2, head=Head(2), dense_units=5)
SPECS = {
    "prediction": prediction_spec(**COMMON),
    "reconstruction": reconstruction_spec(latent_dim=2, layer_norm=True, **COMMON),
}


def outputs(spec, x, lengths):
    return forward(RUN, spec, initial_weights(spec, 0), x, lengths)[0]


def test_a_delay_puts_zeros_first():
    flow = Delay("delay").forward(RUN, {}, Flow(X), LENGTHS)
    assert_array_equal(flow.steps[0], 0)
    assert_array_equal(flow.steps[1:], X[:-1])


def test_a_delay_follows_step_by_step():
    layers, states, found = (Delay("delay"),), [None], []
    for x in X:
        flow, states = step(RUN, layers, {}, x, states)
        found.append(flow.steps)
    assert_array_equal(found, Delay("delay").forward(RUN, {}, Flow(X), None).steps)


def test_each_step_reads_the_repeated_state():
    flow = Flow(X, X[-1])
    repeated = Repeat("repeat").forward(RUN, {}, flow, LENGTHS).steps
    assert_array_equal(repeated, np.broadcast_to(X[-1], X.shape))
    assert not Repeat("repeat").streams


@pytest.mark.parametrize("name", SPECS)
def test_padding_is_no_matter(name):
    together = outputs(SPECS[name], X, LENGTHS)
    for i, length in enumerate(LENGTHS):
        alone = outputs(SPECS[name], X[:length, i : i + 1], LENGTHS[i : i + 1])
        assert_allclose(together[:length, i], alone[:, 0], rtol=1e-12)


def test_all_of_a_reconstruction_depends_on_all_steps():
    changed = X.copy()
    changed[-1] += 1
    lengths = np.array([5, 5, 5])
    found = [outputs(SPECS["reconstruction"], x, lengths) for x in (X, changed)]
    assert np.abs(found[0] - found[1]).max(axis=(1, 2)).min() > 0


@pytest.mark.parametrize("name", SPECS)
def test_specs_are_text_and_back(name):
    assert NetworkSpec.from_json(SPECS[name].to_json()) == SPECS[name]


def test_another_method_or_width_of_the_code_is_named():
    assert "method" in SPECS["prediction"].changes_to(SPECS["reconstruction"])
    wider = reconstruction_spec(latent_dim=3, layer_norm=True, **COMMON)
    assert "latent_dim" in SPECS["reconstruction"].changes_to(wider)
    same = replace(SPECS["prediction"], head=Head(2, loss="huber"))
    assert not SPECS["prediction"].changes_to(same)
