"""The engine of encoders and decoders: gradients, padding, decoding."""

import dataclasses
from itertools import product

import numpy as np
import pytest

from skrnn import _engine
from skrnn._data.datasets import Seq2SeqData
from skrnn._data.sequences import pack_ragged
from skrnn._engine.cpu.kernels.einsum import contract
from skrnn._engine.cpu.reference import ReferenceRun
from skrnn._engine.cpu.run import DropoutMasks
from skrnn._engine.cpu.seq2seq import Seq2SeqProgram
from skrnn._engine.training.plan import TrainPlan
from skrnn._networks import encoder_decoder
from skrnn._networks.architecture import seq2seq_spec
from skrnn._networks.attention import ATTENTIONS
from skrnn._networks.cells import CELLS
from skrnn._networks.specs import Head
from skrnn._networks.weights import (
    initial_weights,
    weight_table,
)

CLOSE = dict(rtol=1e-4, atol=1e-5)
N_LABELS = 3
LABELS = dict(
    cell="gru",
    units=(4,),
    n_features=2,
    head=Head(N_LABELS + 1, "softmax"),
    embedding_dim=3,
    n_labels=N_LABELS,
    has_end=True,
)
NUMBERS = dict(cell="gru", units=(4,), n_features=2, head=Head(2), n_future=1)
EVERYTHING = dict(
    units=(4, 6), bidirectional=True, attention="multihead", dense_units=(5,),
    layer_norm=True,
)  # fmt: skip
# What to change about either spec.
VARIANTS = {
    "one layer": {},
    "stacked": {"units": (4, 6)},
    "both directions": {"bidirectional": True},
    "everything": EVERYTHING,
    "no kernels": EVERYTHING | {"activation": "elu"},
    "tokens": {"vocabulary_size": 7, "embedding_dim": 3, "n_features": 1},
} | {kind: {"attention": kind} for kind in ATTENTIONS}
VARIANTS |= {
    f"{kind}, both": {"attention": kind, "bidirectional": True} for kind in ATTENTIONS
}


def variant_of(task, **changes):
    """Return the spec of a task, with some parameters changed."""
    return seq2seq_spec(**task | changes)


every_variant = pytest.mark.parametrize("variant", VARIANTS)
both_tasks = pytest.mark.parametrize(
    "task", [LABELS, NUMBERS], ids=["labels", "numbers"]
)


def make_pairs(spec, n=5, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 7, n)
    if spec.vocabulary_size is None:
        x = [rng.normal(size=(t, spec.n_features)).astype("f4") for t in lengths]
    else:
        x = [rng.integers(0, spec.vocabulary_size, t).astype("i4") for t in lengths]
    future, n_steps = None, 3
    if spec.n_labels is None:
        y = [rng.normal(size=(n_steps, 2)).astype("f4") for _ in x]
        future = rng.normal(size=(n, n_steps, 1)).astype("f4")
    else:
        y = [rng.integers(0, N_LABELS, t).astype("i4") for t in rng.integers(1, 5, n)]
        y = [np.append(each, spec.end).astype("i4") for each in y]
    weights = rng.uniform(0.5, 1.5, n).astype("f4")
    start = spec.n_labels or 0
    return Seq2SeqData(pack_ragged(x), pack_ragged(y), weights, future, start=start)


def make_weights(spec, seed=1):
    """Draw weights of which none is zero, and that make a difference."""
    rng, table = np.random.default_rng(seed), weight_table(spec)
    return [(0.5 * rng.normal(size=row.shape)).astype("f4") for row in table]


def program_of(spec, weights, teacher_forcing=1.0):
    program = Seq2SeqProgram(spec, None, "sgd")
    program.teacher_forcing = teacher_forcing
    program.reset(weights)
    return program


# Gradients


@both_tasks
@every_variant
def test_gradients_are_those_of_the_loss(task, variant):
    spec = variant_of(task, **VARIANTS[variant])
    pairs, weights, rows = make_pairs(spec), make_weights(spec), np.arange(5)
    program = program_of(spec, weights)
    step_inputs = dict(seed=0, step=0)
    program._differentiate(pairs, rows, DropoutMasks(step_inputs, 0))
    found = program._gradient.copy()
    direction = np.random.default_rng(0).normal(size=found.shape).astype("f4")

    def loss(step):
        program._flat += np.float32(step) * direction
        total, count = program._differentiate(pairs, rows, DropoutMasks(step_inputs, 0))
        program._flat -= np.float32(step) * direction
        return total / count

    step = 2e-3
    numeric = (loss(step) - loss(-step)) / (2 * step)
    assert numeric == pytest.approx(float(found @ direction), rel=0.02, abs=2e-3)


@pytest.mark.parametrize("cell", CELLS)
def test_every_weight_has_a_gradient(cell):
    spec = variant_of(LABELS, **EVERYTHING, cell=cell, vocabulary_size=7)
    pairs, weights = make_pairs(spec, 30), make_weights(spec)
    program = program_of(spec, weights)
    program._differentiate(pairs, np.arange(30), DropoutMasks(dict(seed=0, step=0), 0))
    ends = np.cumsum([weight.size for weight in weights])[:-1]
    for gradient in np.split(program._gradient, ends):
        assert np.any(gradient)


@pytest.mark.parametrize("least", [0, 10**9])
@pytest.mark.parametrize(
    "formula",
    ["qbu,sbu->qsb", "qsb,sbu->qbu", "qbhd,sbhd->qsbh", "qsbh,sbhd->qbhd"],
)
def test_products_of_stacks_are_those_of_einsum(formula, least, monkeypatch):
    monkeypatch.setattr("skrnn._engine.cpu.kernels.einsum._WORTH_A_COPY", least)
    rng, sizes = np.random.default_rng(0), dict(q=3, s=4, b=5, u=6, h=2, d=7)
    left, right, out = *formula.split("->")[0].split(","), formula.split("->")[1]
    arrays = {
        names: rng.normal(size=[sizes[i] for i in names]).astype("f4")
        for names in (left, right, out)
    }
    for pair in ((left, right, out), (out, right, left), (left, out, right)):
        formula, operands = f"{pair[0]},{pair[1]}->{pair[2]}", (arrays[p] for p in pair)
        a, b, _ = operands
        np.testing.assert_allclose(
            contract(formula, a, b), np.einsum(formula, a, b), **CLOSE
        )


# Training and decoding, beside the formula in plain NumPy


class Plainly:
    """The formula over one sequence in double precision: the plain twin of all."""

    lengths = np.ones(1, int)

    def __init__(self, spec, weights, x):
        names = [row.name for row in weight_table(spec)]
        values = [weight.astype(np.float64) for weight in weights]
        self.spec, self.w = spec, dict(zip(names, values, strict=True))
        lengths = np.array([len(x)])
        x = x[:, None] if spec.vocabulary_size else x[:, None].astype(np.float64)
        model = ReferenceRun(), spec, self.w
        outputs, self.states = encoder_decoder.encode(*model, x, lengths)
        mask, self.memory = np.ones((len(x), 1), bool), None
        if spec.attention is not None:
            self.memory = encoder_decoder.memory_of(*model, outputs, mask)

    def run(self, fed, future=None):
        """Return the outputs at all steps of what is fed, and the attention."""
        model = ReferenceRun(), self.spec, self.w
        future = None if future is None else future[:, None]
        known = fed[:, None], future, self.states, self.memory, np.array([len(fed)])
        x, attended = encoder_decoder.decode(*model, *known)
        return encoder_decoder.answer(*model, x)[:, 0], attended

    def after(self, labels):
        """Return the log-probabilities at all steps of ``labels`` and the one after."""
        outputs, attended = self.run(np.array([self.spec.start, *labels]))
        return outputs - np.log(np.exp(outputs).sum(axis=1, keepdims=True)), attended


def sequences_of(packed):
    ends = np.cumsum(packed.lengths)[:-1]
    return np.split(packed.values, ends)


@every_variant
def test_the_loss_of_labels_is_that_of_the_formula(variant):
    spec = variant_of(LABELS, **VARIANTS[variant])
    pairs, weights = make_pairs(spec), make_weights(spec)
    expected = []
    for x, y, weight in zip(
        *map(sequences_of, (pairs.inputs, pairs.outputs)), pairs.weights, strict=True
    ):
        log_p, _ = Plainly(spec, weights, x).after(y[:-1])
        expected += list(-weight * log_p[np.arange(len(y)), y])
    program = program_of(spec, weights)
    total, count = program.evaluate(pairs, np.array([[0, 1, 2], [3, 4, -1]]))
    assert count == len(expected)
    assert total == pytest.approx(sum(expected), rel=1e-4)
    rows = np.array([3, 1, -1, 2, 0, 4])
    total, _ = program._differentiate(
        pairs, rows, DropoutMasks(dict(seed=0, step=0), 0)
    )
    assert total == pytest.approx(sum(expected), rel=1e-4)


def test_numbers_are_validated_on_the_decoders_own_outputs():
    spec = variant_of(NUMBERS, attention="dot")
    pairs, weights = make_pairs(spec), make_weights(spec)
    predicted = _engine.Seq2SeqPredictor(spec, weights).values(
        pairs.inputs, 3, pairs.future
    )
    truth = np.stack(sequences_of(pairs.outputs))
    errors = ((predicted - truth) ** 2).mean(axis=2) * pairs.weights[:, None]
    total, count = program_of(spec, weights).evaluate(pairs, np.arange(5)[None])
    assert (total, count) == (pytest.approx(errors.sum(), rel=1e-4), 15)


@every_variant
def test_numbers_are_decoded_one_from_the_other(variant):
    spec = variant_of(NUMBERS, **VARIANTS[variant])
    pairs, weights = make_pairs(spec), make_weights(spec)
    predictor = _engine.Seq2SeqPredictor(spec, weights)
    found = predictor.values(pairs.inputs, 3, pairs.future)
    for i, x in enumerate(sequences_of(pairs.inputs)):
        plainly, fed = Plainly(spec, weights, x), []
        for _ in range(3):
            # The first one isn't read.
            own = np.array([np.zeros(2), *fed])
            fed.append(plainly.run(own, pairs.future[i, : len(own)])[0][-1])
        np.testing.assert_allclose(found[i], fed, **CLOSE)


@every_variant
def test_the_greedy_path_is_that_of_the_formula(variant):
    spec = variant_of(LABELS, **VARIANTS[variant])
    pairs, weights = make_pairs(spec, n=40), make_weights(spec)
    limits = np.random.default_rng(0).integers(1, 9, 40)
    predictor, wanted = (
        _engine.Seq2SeqPredictor(spec, weights),
        dict(probabilities=True),
    )
    wanted["attention"] = spec.attention is not None
    paths = predictor.greedy(pairs.inputs, limits, **wanted)
    for x, limit, path in zip(sequences_of(pairs.inputs), limits, paths, strict=True):
        plainly, labels = Plainly(spec, weights, x), []
        while len(labels) < limit:
            log_p, attended = plainly.after(labels)
            if log_p[-1].argmax() == spec.end:
                break
            labels.append(log_p[-1].argmax())
        assert path.labels.tolist() == labels
        n_steps = len(path.probabilities)
        assert n_steps == min(len(labels) + 1, limit)
        np.testing.assert_allclose(np.log(path.probabilities), log_p[:n_steps], **CLOSE)
        if attended is not None:
            attended = attended[:n_steps, :, 0].reshape(n_steps, len(x), -1)
            np.testing.assert_allclose(path.attended, attended.mean(axis=-1), **CLOSE)


def all_outputs(plainly, limit):
    """Return all outputs of at most `limit` labels: (labels, total, steps)."""
    found = []
    n_labels = plainly.spec.n_labels
    for n in range(limit + 1):
        for labels in product(range(n_labels), repeat=n):
            log_p, _ = plainly.after(labels)
            total = log_p[np.arange(n), list(labels)].sum()
            steps = n
            if n < limit:
                total, steps = total + log_p[n, plainly.spec.end], n + 1
            found.append((list(labels), total, steps))
    return found


def ranked(outputs, length_penalty):
    """Return outputs with their scores, the best first."""
    scored = [
        (labels, total, total / ((5 + steps) / 6) ** length_penalty)
        for labels, total, steps in outputs
    ]
    return sorted(scored, key=lambda entry: -entry[2])


@pytest.mark.parametrize("attention", [None, "dot", "multihead", "location"])
def test_wide_beams_find_the_best_there_is(attention):
    spec = variant_of(LABELS, attention=attention, bidirectional=True)
    pairs, weights, limit = make_pairs(spec, n=6), make_weights(spec), 4
    inputs = sequences_of(pairs.inputs)
    outputs = [all_outputs(Plainly(spec, weights, x), limit) for x in inputs]
    for length_penalty in (0.0, 0.7, 2.0):
        # As many beams as there are outputs: nothing is pruned.
        wide = _engine.Seq2SeqPredictor(spec, weights).beams(
            pairs.inputs, np.full(6, limit), 121, length_penalty, 7
        )
        expected = [ranked(each, length_penalty)[:7] for each in outputs]
        assert_beams(wide, expected)


def assert_beams(found, expected):
    """Compare the beams of each sequence with (labels, total, score)."""
    for beams, best in zip(found, expected, strict=True):
        assert [beam.labels.tolist() for beam in beams] == [each[0] for each in best]
        for beam, (_, log_p, score) in zip(beams, best, strict=True):
            np.testing.assert_allclose(
                [beam.log_probability, beam.score], [log_p, score], **CLOSE
            )


def test_beams_are_in_order_and_differ():
    spec = variant_of(LABELS, attention="additive")
    pairs, weights = make_pairs(spec, n=30), make_weights(spec)
    limits = np.random.default_rng(0).integers(1, 12, 30)
    predictor = _engine.Seq2SeqPredictor(spec, weights)
    for beams, limit in zip(
        predictor.beams(pairs.inputs, limits, 4, 0.6, 4), limits, strict=True
    ):
        scores = [beam.score for beam in beams]
        assert scores == sorted(scores, reverse=True)
        outputs = [tuple(beam.labels) for beam in beams]
        assert len(set(outputs)) == len(outputs)
        assert max(map(len, outputs)) <= limit


def test_beams_are_at_least_as_likely_as_the_greedy_path():
    spec = variant_of(LABELS, attention="dot")
    pairs, weights = make_pairs(spec, n=30), make_weights(spec)
    predictor, limits = _engine.Seq2SeqPredictor(spec, weights), np.full(30, 6)
    greedy = predictor.greedy(pairs.inputs, limits, probabilities=True)
    beams = predictor.beams(pairs.inputs, limits, 30, 0.0, 1)
    gained = [
        beam.log_probability - path.log_probability
        for path, (beam,) in zip(greedy, beams, strict=True)
    ]
    assert min(gained) > -1e-4
    assert max(gained) > 0.1


@both_tasks
@every_variant
def test_other_sequences_make_no_difference(task, variant):
    spec = variant_of(task, **VARIANTS[variant])
    pairs, weights = make_pairs(spec, n=30), make_weights(spec)
    predictor, limits = _engine.Seq2SeqPredictor(spec, weights), np.full(30, 6)
    for rows in np.split(np.arange(30), [1, 4, 17]):
        some = pairs.take(rows)
        if spec.n_labels is None:
            together = predictor.values(pairs.inputs, 3, pairs.future)[rows]
            alone = predictor.values(some.inputs, 3, some.future)
            np.testing.assert_allclose(alone, together, rtol=1e-6, atol=1e-6)
            continue
        for decode in (
            lambda inputs, n: [[p] for p in predictor.greedy(inputs, limits[:n])],
            lambda inputs, n: predictor.beams(inputs, limits[:n], 3, 0.5, 2),
        ):
            together, alone = decode(pairs.inputs, 30), decode(some.inputs, len(rows))
            for i, row in enumerate(rows):
                for one, other in zip(alone[i], together[row], strict=True):
                    assert one.labels.tolist() == other.labels.tolist()
                    assert one.score == pytest.approx(other.score, rel=1e-5)


@both_tasks
def test_blocks_and_threads_make_no_difference(task, monkeypatch):
    spec = variant_of(task, attention="dot", bidirectional=True)
    pairs, weights = make_pairs(spec, n=100), make_weights(spec)
    predictor, limits = _engine.Seq2SeqPredictor(spec, weights), np.full(100, 6)

    def decode():
        if spec.n_labels is None:
            return predictor.values(pairs.inputs, 3, pairs.future).round(4).tolist()
        paths = predictor.greedy(pairs.inputs, limits)
        beams = predictor.beams(pairs.inputs, limits, 3, 0.5, 2)
        best = [beam.labels.tolist() for each in beams for beam in each]
        return [path.labels.tolist() for path in paths], best

    whole = decode()
    monkeypatch.setattr("skrnn._engine.prediction.decoding.BLOCK", 7)
    assert decode() == whole
    monkeypatch.setattr("skrnn._engine.cpu.kernels.threads.WORTH_A_THREAD", 1)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert decode() == whole


# Scheduled sampling


def inputs_seen(spec, weights, teacher_forcing, n=40):
    """Return what the decoder reads in training, its own outputs, and the truth."""
    pairs = make_pairs(spec, n)
    program, seen = program_of(spec, weights, teacher_forcing), {}
    batch = pairs.gather(np.arange(n))
    outputs = program._outputs

    def spy(batch, fed, w, noise):
        seen["fed"] = np.array(fed)
        return outputs(batch, fed, w, noise)

    program._outputs = spy
    program._differentiate(pairs, np.arange(n), DropoutMasks(dict(seed=3, step=0), 0))
    return seen["fed"], batch, program


@both_tasks
def test_with_teacher_forcing_the_decoder_reads_the_truth(task):
    spec = variant_of(task)
    fed, batch, _ = inputs_seen(spec, make_weights(spec), 1.0)
    truth = batch.inputs["before"]
    np.testing.assert_array_equal(batch.real(fed), batch.real(truth))


@both_tasks
def test_without_teacher_forcing_it_reads_what_it_puts_out(task):
    spec = variant_of(task)
    weights = make_weights(spec)
    fed, batch, program = inputs_seen(spec, weights, 0.0)
    names = [row.name for row in weight_table(spec)]
    w = dict(zip(names, weights, strict=True))
    whole = batch.present
    steps = np.full(whole.shape[1], len(whole))
    inputs = batch.inputs | {"output_lengths": steps}
    batch = dataclasses.replace(batch, inputs=inputs, present=np.ones_like(whole))
    found = Seq2SeqProgram._outputs(program, batch, fed, w, None)
    found = found.reshape(*whole.shape, -1)
    if spec.n_labels is not None:
        found = found[..., : spec.n_labels].argmax(axis=-1)
    np.testing.assert_allclose(fed[1:], found[:-1], **CLOSE)


@both_tasks
@pytest.mark.parametrize("ratio", [0.25, 0.75])
def test_scheduled_sampling_flips_a_coin_for_every_step(task, ratio):
    spec = variant_of(task)
    fed, batch, _ = inputs_seen(spec, make_weights(spec), ratio, n=400)
    same = fed[1:] == batch.inputs["before"][1:]
    same = same if same.ndim == 2 else same.all(axis=2)
    share = same[batch.present[1:]].mean()
    if spec.n_labels is None:
        assert share == pytest.approx(ratio, abs=0.06)
    else:
        # Its own label may happen to be the true one.
        assert share > ratio
    assert share < 0.95


@both_tasks
def test_training_on_own_outputs_learns(task):
    spec = variant_of(task)
    pairs, start = make_pairs(spec, n=8), initial_weights(spec, 0)
    plan = TrainPlan(
        loss=None, optimizer="adam", learning_rate=0.02, clipnorm=1.0, epochs=150,
        batch_size=8, shuffle=True, early_stopping=False, patience=5, callbacks=(),
        verbose=0, seed=0,
    )  # fmt: skip
    given = spec, plan, pairs, pairs, start
    history = _engine.train(*given, teacher_forcing=0.0).history
    assert history["val_loss"][-1] < 0.3 * history["val_loss"][0]
