"""Taggers with a conditional random field: what fit, predict and files make of it."""

import pickle
from itertools import pairwise

import numpy as np
import pytest

from skrnn import GRUClassifier, LSTMClassifier, SequenceClassifier, reference
from skrnn.inspection import gradient_flow
from skrnn.persistence import export, load, load_network, save

TINY = dict(units=4, epochs=3, learning_rate=0.05, random_state=0)
CRF = TINY | dict(crf=True, return_sequences=True)
RNG = np.random.default_rng(0)
# Of different lengths, one of them a single step. I-a comes only behind B-a.
LENGTHS = RNG.integers(1, 8, size=40)
LENGTHS[3] = 1
TAGS = np.array(["O", "B-a", "I-a"])


def tagged(length):
    tags = ["B-a"]
    for _ in range(length - 1):
        tags.append(RNG.choice(["O", "B-a"] if tags[-1] == "O" else TAGS))
    return np.array(tags)


Y = [tagged(length) for length in LENGTHS]
X = [
    np.c_[(y[:, None] == TAGS) + RNG.normal(size=(len(y), 3)), RNG.normal(size=len(y))]
    for y in Y
]
ENGINES = "cpu", "keras"


def follows(tags, first, second):
    return any(pair == (first, second) for each in tags for pair in pairwise(each))


@pytest.fixture(scope="module")
def fitted():
    return LSTMClassifier(**CRF | dict(epochs=30)).fit(X, Y)


def emissions_of(model, x):
    """Compute the scores of each step by the textbook's formulas."""
    weights = model.weights_
    states = reference.lstm(x, **weights["lstm"])
    states = states[0] if isinstance(states, tuple) else states
    return states @ weights["head"]["kernel"] + weights["head"]["bias"]


def test_predictions_are_those_of_the_textbook(fitted):
    chain = dict(fitted.weights_["crf"])
    tags, shares = fitted.predict(X), fitted.predict_proba(X)
    for i in (0, 3, 7):
        x = emissions_of(fitted, X[i])
        expected = reference.crf_marginals(x, **chain)
        np.testing.assert_allclose(shares[i], expected, atol=1e-5)
        best = reference.crf_best_labels(x, **chain)
        np.testing.assert_array_equal(tags[i], fitted.classes_[best])


def test_the_loss_is_the_likelihood_of_sequences_for_each_step(fitted):
    again = LSTMClassifier(**CRF | dict(epochs=1, learning_rate=1e-9)).fit(X, Y)
    chain = dict(again.weights_["crf"])
    places = [np.searchsorted(again.classes_, y) for y in Y]
    total = sum(
        reference.crf_log_likelihood(emissions_of(again, x), y, **chain)
        for x, y in zip(X, places, strict=True)
    )
    np.testing.assert_allclose(
        again.history_["loss"], -total / LENGTHS.sum(), rtol=1e-5
    )
    assert fitted.history_["loss"][-1] < again.history_["loss"][0]


def test_the_chain_learns_that_labels_hang_together(fitted):
    assert fitted.transitions_.shape == (3, 3)
    o, b, i = (list(fitted.classes_).index(tag) for tag in TAGS)
    scores = fitted.transitions_
    assert scores[o, i] < scores[b, i]
    with pytest.raises(AttributeError, match="crf=True"):
        LSTMClassifier().transitions_  # noqa: B018
    alone = LSTMClassifier(**CRF | dict(crf=False, epochs=30)).fit(X, Y)
    assert fitted.score(X, Y) > alone.score(X, Y) - 0.05
    assert not hasattr(alone, "transitions_")


@pytest.mark.usefixtures("eagerly")
def test_both_engines_train_the_same():
    found = [GRUClassifier(engine=engine, **CRF).fit(X, Y) for engine in ENGINES]
    one, other = (model.history_["loss"] for model in found)
    np.testing.assert_allclose(one, other, rtol=1e-4)
    one, other = (model.weights_["crf"] for model in found)
    for name in one:
        np.testing.assert_allclose(one[name], other[name], atol=1e-3)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("engine", ENGINES)
def test_illegal_transitions_are_never_predicted(engine):
    given = dict(engine=engine, illegal_transitions="bio")
    model = GRUClassifier(**CRF | given).fit(X, Y)
    noise = [5 * RNG.normal(size=(9, 4)) for _ in range(30)]
    tags = model.predict(noise)
    assert not follows(tags, "O", "I-a")
    assert all(each[0] != "I-a" for each in tags)
    places = {tag: list(model.classes_).index(tag) for tag in TAGS}
    assert model.transitions_[places["O"], places["I-a"]] == -np.inf
    shares = np.array([share[0] for share in model.predict_proba(noise)])
    assert (shares[:, places["I-a"]] == 0).all()


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("engine", ENGINES)
def test_no_score_of_a_step_makes_up_for_what_is_excluded(engine, tmp_path):
    given = dict(engine=engine, illegal_transitions="bio", activation="linear")
    model = SequenceClassifier(cell="indrnn", **CRF | given | dict(epochs=1))
    model.fit(X, Y)
    large = 1e6 * RNG.normal(size=(30, 9, 4))
    export(model, tmp_path / "network.npz", format="numpy")
    exported = load_network(tmp_path / "network.npz")
    codes = exported.predict_labels(large)
    for tags in (model.predict(large), model.classes_[codes]):
        assert not follows(tags, "O", "I-a")
        assert all(each[0] != "I-a" for each in tags)
    shares = model.predict_proba(large)
    assert (shares[:, 0, list(model.classes_).index("I-a")] == 0).all()
    for others in (exported.predict(large), np.asarray(model.model_(large))):
        np.testing.assert_allclose(others, shares, atol=1e-3)


def test_pairs_of_ones_own_are_excluded():
    tags = [np.array(["a", "b", "a", "b"]), np.array(["b", "a"])] * 10
    x = [RNG.normal(size=(len(y), 1)) for y in tags]
    pairs = [("a", "a"), (None, None), ["b", "b"]]
    model = GRUClassifier(**CRF, illegal_transitions=pairs).fit(x, tags)
    for each in model.predict([RNG.normal(size=(7, 1)) for _ in range(5)]):
        assert all(first != second for first, second in pairwise(each))
    last = dict(CRF, illegal_transitions=[("a", None)])
    with pytest.raises(ValueError, match="the end of the sequence"):
        GRUClassifier(**last).fit(x, [y[::-1] for y in tags])


def test_dense_and_ragged_input_with_masks_are_the_same():
    length = 6
    dense = RNG.normal(size=(20, length, 2))
    y = RNG.integers(0, 3, size=(20, length))
    lengths = RNG.integers(1, length + 1, size=20)
    lengths[0] = length
    mask = (np.arange(length) < lengths[:, None]).astype(float)
    ragged = [x[:n] for x, n in zip(dense, lengths, strict=True)]
    tags = [each[:n] for each, n in zip(y, lengths, strict=True)]
    # A label that isn't known at the end has no part in the likelihood.
    weights = [np.ones(n) for n in lengths]
    one = GRUClassifier(**CRF).fit(ragged, tags)
    same = GRUClassifier(**CRF).fit(ragged, tags, sample_weight=weights)
    for first, second in zip(one._weights, same._weights, strict=True):
        np.testing.assert_array_equal(first, second)
    masked = GRUClassifier(**CRF).fit(dense, y, sample_weight=mask)
    assert masked.predict(dense).shape == (20, length)
    # What stands under the mask isn't read.
    other = np.where(mask > 0, y, 2 - y)
    again = GRUClassifier(**CRF).fit(dense, other, sample_weight=mask)
    np.testing.assert_array_equal(masked.predict(dense), again.predict(dense))


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("engine", ENGINES)
def test_weights_of_sequences_repeat_them(engine):
    given = CRF | dict(engine=engine, shuffle=False, batch_size=100)
    rows = np.repeat(np.arange(8), [2, 1, 1, 3, 1, 1, 1, 1])
    twice = GRUClassifier(**given).fit([X[i] for i in rows], [Y[i] for i in rows])
    weights = np.bincount(rows)
    once = GRUClassifier(**given).fit(X[:8], Y[:8], sample_weight=weights)
    for first, second in zip(twice._weights, once._weights, strict=True):
        np.testing.assert_allclose(first, second, atol=2e-3)


def test_partial_fit_and_warm_start_go_on():
    model = GRUClassifier(**CRF, illegal_transitions="bio")
    for _ in range(2):
        model.partial_fit(X, Y, classes=TAGS)
    before = model.transitions_.copy()
    model.set_params(warm_start=True).fit(X, Y)
    assert model.n_iter_ == 5
    assert (model.transitions_ != before).any()
    assert np.isinf(model.transitions_).sum() == np.isinf(before).sum() == 1


def test_files_and_pickles_keep_the_chain(fitted, tmp_path):
    save(fitted, tmp_path / "tagger.skrnn")
    for other in (pickle.loads(pickle.dumps(fitted)), load(tmp_path / "tagger.skrnn")):
        for own, its in zip(
            fitted.predict_proba(X), other.predict_proba(X), strict=True
        ):
            np.testing.assert_array_equal(own, its)
        np.testing.assert_array_equal(other.transitions_, fitted.transitions_)


@pytest.mark.parametrize(
    ("params", "y", "words"),
    [
        (dict(return_sequences=False), ["a", "b"] * 20, "return_sequences=True"),
        (dict(class_weight="balanced"), Y, "class_weight='balanced'"),
        (dict(loss="binary_crossentropy"), Y, "loss='binary_crossentropy'"),
        (dict(illegal_transitions=["O", "B-a"]), Y, "the entry 'O'"),
        (dict(illegal_transitions=[("O", "Q")]), Y, "the label 'Q'"),
        (
            dict(illegal_transitions=[("O", t) for t in [*TAGS, None]]),
            Y,
            "nothing foll",
        ),
        (dict(illegal_transitions=[("B-a", "I-a")]), Y, r"y\[\d+\] has 'I-a' after"),
        (dict(illegal_transitions="iob"), Y, "illegal_transitions"),
        (dict(illegal_transitions="bio", optimizer="lamb"), Y, "optimizer='lamb'"),
        (dict(illegal_transitions="bio", optimizer="Adafactor"), Y, "='adafactor'"),
        (dict(crf="yes"), Y, "crf"),
    ],
)
def test_what_cannot_be_is_refused(params, y, words):
    with pytest.raises(ValueError, match=words):
        GRUClassifier(**CRF | params).fit(X, y)


def test_weights_within_a_sequence_must_be_equal():
    weights = [np.linspace(1, 2, n) for n in LENGTHS]
    with pytest.raises(ValueError, match="the same for all steps"):
        GRUClassifier(**CRF).fit(X, Y, sample_weight=weights)


def test_several_labels_at_once_are_refused():
    y = RNG.integers(0, 2, size=(10, 4, 3))
    with pytest.raises(ValueError, match="several labels at once"):
        GRUClassifier(**CRF).fit(RNG.normal(size=(10, 4, 2)), y)


def test_a_stream_is_refused(fitted):
    with pytest.raises(ValueError, match="crf=True"):
        fitted.stream()


def test_the_keras_model_gives_the_same_probabilities(fitted, tmp_path):
    model = fitted.model_
    for i in (0, 3):
        found = np.asarray(model(X[i][None]))[0]
        np.testing.assert_allclose(found, fitted.predict_proba(X)[i], atol=1e-5)
    export(fitted, tmp_path / "tagger.keras", "keras")


def test_what_numpy_alone_reads_has_the_best_labels(tmp_path):
    model = GRUClassifier(**CRF, illegal_transitions="bio").fit(X, Y)
    export(model, tmp_path / "tagger.npz", "numpy")
    network = load_network(tmp_path / "tagger.npz")
    padded = np.zeros((len(X), LENGTHS.max(), 4))
    for i, x in enumerate(X):
        padded[i, : len(x)] = x
    labels = network.predict_labels(padded, LENGTHS)
    shares = network.predict(padded, LENGTHS)
    expected = model.predict_proba(X)
    for i, tags in enumerate(model.predict(X)):
        np.testing.assert_array_equal(
            np.array(network.about["classes"])[labels[i, : len(tags)]], tags
        )
        assert (labels[i, len(tags) :] == -1).all()
        np.testing.assert_allclose(shares[i, : len(tags)], expected[i], atol=1e-6)


def test_gradients_flow_from_the_likelihood(fitted):
    found = gradient_flow(fitted, X[:5], Y[:5])
    losses = [
        -reference.crf_log_likelihood(
            emissions_of(fitted, x),
            np.searchsorted(fitted.classes_, y),
            **fitted.weights_["crf"],
        )
        / len(y)
        for x, y in zip(X[:5], Y[:5], strict=True)
    ]
    np.testing.assert_allclose(found.loss, np.mean(losses), rtol=1e-5)
