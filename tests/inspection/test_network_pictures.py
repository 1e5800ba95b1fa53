"""Pictures of gradients, steps and attention: what they show, and where."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from _seq2seq_cases import BACKWARDS, WORDS
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from skrnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RNNRegressor,
    Seq2SeqClassifier,
    Seq2SeqRegressor,
    SequenceRegressor,
    TransformerRegressor,
)
from skrnn.inspection import (
    AttentionDisplay,
    GradientFlowDisplay,
    SequenceOutputDisplay,
    attention_weights,
    gates,
    gradient_flow,
    hidden_states,
)
from skrnn.inspection.gradients._diagnosis import amount, diagnose
from skrnn.preprocessing import TextSequencer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 80, 1))
Y = X[:, 0, 0]
SMALL = dict(units=4, epochs=1, random_state=0)
TEXTS = ["good food", "bad", "good good wine", "bad wine"] * 3
LABELS = ["yes", "no", "yes", "no"] * 3


def flow_of(norms, both=False, **options):
    """Return a flow of one layer whose norms are known."""
    norms = np.atleast_2d(np.array(norms, dtype=float))
    names = ["forward", "backward"] if both else ["forward"]
    found = dict(
        hidden=norms,
        directions=dict.fromkeys(names, norms),
        inputs=norms[0],
        saturated={},
        weights={"kernel": 57.0, "bias": 2.0},
        clipped={"kernel": 1.9, "bias": 1.9},
        loss=1.0,
        n_sequences=np.ones(norms.shape[1], int),
    )
    return Bunch(**found | options)


@pytest.mark.parametrize(
    ("norms", "verdict", "words"),
    [
        (
            [1e-9, 1e-4, 1],
            "vanishes",
            "at the first step it is 1e-9 of what it is",
        ),
        ([0, 1e-4, 1], "vanishes", "at the first step nothing is left of it"),
        (
            [3e5, 10, 1],
            "explodes",
            "at the first step it is 3e5 times what it",
        ),
        ([0.25, 1, 1], "is fine", "gets through: at the first step it is 0.25 of what"),
        ([0, 0, 0], "is zero", "zero at every step"),
        ([np.inf, 1, 1], "isn't finite", "isn't finite"),
    ],
)
def test_diagnoses(norms, verdict, words):
    found = diagnose(flow_of(norms))
    assert found.verdict == verdict
    assert words in found.text


def test_of_both_directions_the_middle_is_judged():
    found = diagnose(flow_of([1, 1e-6, 1], both=True))
    assert found.verdict == "vanishes"
    assert "at the step that it reaches least it is 1e-6" in found.text


def test_steps_that_no_sequence_has_are_not_judged():
    flow = flow_of([np.nan, 0.5, 1], n_sequences=np.array([0, 1, 1]))
    assert diagnose(flow).ratio == 0.5


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            RNNRegressor(**SMALL),
            "What helps: LSTMRegressor or GRURegressor; att",
        ),
        (
            SequenceRegressor(cell="rnn", **SMALL),
            "What helps: cell='lstm' or cell='",
        ),
        (
            LSTMRegressor(**SMALL),
            "What helps: attention='dot', a way past the steps",
        ),
        (LSTMRegressor(attention="dot", **SMALL), "What helps: shorter sequences."),
    ],
    ids=lambda each: type(each).__name__,
)
def test_advice_against_vanishing_names_what_there_is(model, words):
    assert words in diagnose(flow_of([1e-9, 1]), model.fit(X, Y)).text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(clipnorm=2), "clipnorm=2 cuts that of kernel, whose norm is 57, to 1.9"),
        (
            dict(global_clipnorm=3),
            "clipnorm=1 and global_clipnorm=3 cut that of kernel, whose norm is 57, to",
        ),
        (dict(clipnorm=None), "clipnorm=1.0 (that of kernel has a norm of 57)"),
        (dict(activation="relu"), "activation='tanh', which bounds the states"),
    ],
)
def test_advice_against_explosion_names_what_there_is(options, words):
    model = RNNRegressor(**SMALL | options).fit(X, Y)
    assert words in diagnose(flow_of([1e9, 1]), model).text


def test_amounts_are_written_as_one_reads_them():
    found = [amount(x) for x in (3e-12, 0.012, 0.5, 2.04, 57.3, 3210, 4e7)]
    assert found == ["3e-12", "0.012", "0.5", "2", "57", "3,210", "4e7"]


def test_gradients_of_several_networks():
    models = [LSTMRegressor(units=(3, 2), epochs=1), RNNRegressor(**SMALL)]
    models = [model.fit(X, Y) for model in [*models, RNNRegressor(**SMALL)]]
    display = GradientFlowDisplay.from_estimator(models, X, Y)
    names = ["LSTMRegressor", "RNNRegressor 1", "RNNRegressor 2"]
    assert list(display.lines_) == list(display.diagnoses_) == names
    assert [len(lines) for lines in display.lines_.values()] == [2, 1, 1]
    assert display.ax_.get_yscale() == "log"
    flow = gradient_flow(models[1], X, Y)
    (line,) = display.lines_["RNNRegressor 1"]
    np.testing.assert_allclose(line.get_ydata(), flow.hidden[0])
    np.testing.assert_array_equal(line.get_xdata(), np.arange(1, 81))
    assert "The gradient vanishes" in display.diagnoses_["RNNRegressor 1"]
    assert "In the first of 2 layers the" in display.diagnoses_["LSTMRegressor"]
    assert "hidden       array of shape (1, 80)\n" in repr(flow)
    assert display.text_ is not None
    again = display.plot(relative=True, explain=False)
    assert again.lines_["RNNRegressor 1"][0].get_ydata()[-1] == pytest.approx(1)
    assert again.text_ is None


@pytest.mark.parametrize("layout", ["constrained", None])
def test_displays_that_share_axes_are_told_apart(layout):
    figure, ax = plt.subplots(layout=layout)
    norms = np.logspace(-6, 0, 20)
    flows = {"one": norms, "two": norms[::-1], "three": norms}
    for name, each in flows.items():
        display = GradientFlowDisplay({name: flow_of(each)}).plot(ax, explain=True)
    assert len({line.get_color() for line in ax.lines}) == 3
    figure.canvas.draw()
    (text,) = (each for each in ax.artists if each is display.text_)
    written = [each.get_text() for each in text.get_child().get_children()]
    assert [each.partition(".")[0] for each in written] == list(flows)
    assert text.get_window_extent().y0 >= -1
    assert len(ax.artists) == 1


def test_gradients_of_both_directions_in_the_users_axes():
    model = GRURegressor(bidirectional=True, **SMALL).fit(X, Y)
    pipe = make_pipeline(StandardScaler(), "passthrough")
    _, ax = plt.subplots()
    display = GradientFlowDisplay.from_estimator({"Mine": model}, X, Y, ax=ax)
    labels = [line.get_label() for line in display.lines_["Mine"]]
    assert labels == ["Mine, forward", "Mine, backward"]
    assert display.ax_ is ax
    # There is no room for it.
    assert display.text_ is None
    with pytest.raises(TypeError, match="takes a recurrent estimator of skrnn"):
        GradientFlowDisplay.from_estimator(pipe.fit(Y[:, None]), X, Y)
    with pytest.raises(ValueError, match="at least one estimator"):
        GradientFlowDisplay.from_estimator([], X, Y)


@pytest.mark.parametrize("place", [(0, 0), (1, 1)])
def test_the_sentence_is_seen_in_axes_without_a_layout(place):
    figure, axes = plt.subplots(2, 2, figsize=(8, 5))
    norms = np.logspace(-6, 0, 20)
    flows = {"plain": flow_of(norms), "other": flow_of(norms[::-1])}
    display = GradientFlowDisplay(flows).plot(axes[place], explain=True)
    figure.canvas.draw()
    text, drawn = display.text_.get_window_extent(), axes[place].get_window_extent()
    assert text.y1 < drawn.y0
    # In the figure, and not over what stands below.
    assert text.y0 >= 0
    if place == (0, 0):
        assert text.y0 > axes[1, 0].get_window_extent().y1 - 1
    assert drawn.height > 20


def test_the_last_answer_is_what_is_drawn_of_a_network_that_answers_each_step():
    y = X[:, :, 0]
    model = RNNRegressor(return_sequences=True, **SMALL).fit(X, y)
    display = GradientFlowDisplay.from_estimator(model, X, y)
    expected = gradient_flow(model, X, y, answers="last").hidden[0]
    ((line,),) = display.lines_.values()
    np.testing.assert_allclose(
        line.get_ydata(), np.where(expected > 0, expected, np.nan)
    )


def test_a_sequence_with_answers_states_and_gates():
    X3, y = RNG.normal(size=(10, 6, 2)), RNG.normal(size=(10, 6))
    model = LSTMRegressor(return_sequences=True, **SMALL).fit(X3, y)
    display = SequenceOutputDisplay.from_estimator(model, X3, y, sequence=-1)
    assert list(display.axes_) == [
        "inputs", "outputs", "hidden", "input", "forget", "output",
    ]  # fmt: skip
    np.testing.assert_allclose(display.inputs, X3[9])
    np.testing.assert_allclose(display.outputs[:, 0], model.predict(X3)[9])
    np.testing.assert_allclose(display.truth[:, 0], y[9])
    image = display.images_["hidden"].get_array()
    np.testing.assert_allclose(image, hidden_states(model, X3)[9].T)
    image = display.images_["forget"].get_array()
    np.testing.assert_allclose(image, gates(model, X3).forget[9].T)
    limits = {ax.get_xlim() for ax in display.axes_.values()}
    assert limits == {(0.5, 6.5)}


def test_a_network_of_whole_sequences_is_asked_at_each_step():
    X3 = RNG.normal(size=(10, 6, 8))
    y = np.array(["a", "b", "c", "a", "b"] * 2)
    model = GRUClassifier(**SMALL).fit(X3, y)
    display = SequenceOutputDisplay.from_estimator(
        model, X3, sequence=2, units=[0, 3], gates=["candidate"]
    )
    assert list(display.axes_) == ["inputs", "outputs", "hidden", "candidate"]
    for t in range(6):
        expected = model.predict_proba(X3[2:3, : t + 1])[0]
        np.testing.assert_allclose(display.outputs[t], expected, rtol=1e-5)
    assert display.output_names == ["a", "b", "c"]
    assert [line.get_label() for line in display.lines_["hidden"]] == [
        "unit 0", "unit 3",
    ]  # fmt: skip
    # Eight features are a heat map.
    assert display.images_["inputs"].get_array().shape == (8, 6)


def test_a_frame_whose_columns_are_steps():
    frame = pd.DataFrame(X[:, :5, 0]).add_prefix("day ")
    model = GRURegressor(**SMALL).fit(frame, Y)
    display = SequenceOutputDisplay.from_estimator(model, frame, Y, sequence=2)
    np.testing.assert_allclose(display.inputs[:, 0], frame.iloc[2])
    expected = model.predict(frame)[2]
    np.testing.assert_allclose(display.outputs[-1, 0], expected, rtol=1e-5)


@pytest.mark.parametrize("form", [list, pd.Series])
def test_frames_whose_rows_are_steps(form):
    frames = [pd.DataFrame(x[:6], columns=["a"]) for x in X]
    arrays, given = X[:, :6], form(frames)
    model = GRURegressor(**SMALL).fit(given, Y)
    display = SequenceOutputDisplay.from_estimator(model, given, Y, sequence=2)
    np.testing.assert_array_equal(display.inputs, arrays[2])
    expected = model.predict(given)[2]
    np.testing.assert_allclose(display.outputs[-1, 0], expected, rtol=1e-5)
    model = TransformerRegressor(d_model=4, n_heads=2, epochs=1).fit(given, Y)
    display = AttentionDisplay.from_estimator(model, given, sequence=2)
    expected = attention_weights(model, given)[2]
    np.testing.assert_allclose(display.weights, expected, rtol=1e-5)


def test_the_truth_of_a_whole_sequence_stands_at_its_end():
    X3, y = RNG.normal(size=(10, 6, 1)), RNG.normal(size=10)
    model = RNNRegressor(bidirectional=True, **SMALL).fit(X3, y)
    display = SequenceOutputDisplay.from_estimator(
        model, X3, y, sequence=1, direction="backward"
    )
    assert list(display.axes_) == ["inputs", "outputs", "hidden"]
    assert display.truth[-1, 0] == y[1]
    assert np.isnan(display.truth[:-1]).all()
    assert display.axes_["hidden"].get_title(loc="left").endswith("reading backward")


@pytest.mark.parametrize("padding", [None, "pre", "post"])
def test_words_of_a_pipeline_name_the_steps(padding):
    pipe = make_pipeline(
        TextSequencer(padding=padding),
        LSTMClassifier(embedding_dim=3, attention="additive", **SMALL),
    ).fit(TEXTS, LABELS)
    display = AttentionDisplay.from_estimator(pipe, TEXTS, sequence=3)
    texts = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert texts == ["bad", "wine"]
    weights = attention_weights(pipe, TEXTS)[3]
    heights = [bar.get_height() for bar in display.bars_]
    np.testing.assert_allclose(heights, weights[weights > 0])
    output = SequenceOutputDisplay.from_estimator(pipe, TEXTS, LABELS, sequence=3)
    assert output.tokens == ["bad", "wine"]
    assert output.inputs is None
    expected = pipe.predict_proba(["bad", "bad wine"])[:, 1]
    np.testing.assert_allclose(output.outputs[:, 0], expected, rtol=1e-5)


def test_attention_of_a_decoder_has_what_was_written():
    model = Seq2SeqClassifier(units=8, epochs=8, random_state=0, n_beams=2)
    model.fit(WORDS, BACKWARDS)
    display = AttentionDisplay.from_estimator(model, WORDS, sequence=4)
    read = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert read == list(WORDS[4])
    (weights,) = attention_weights(model, WORDS[4:5])
    np.testing.assert_allclose(display.image_.get_array(), weights)
    assert len(display.outputs) == len(weights)
    assert model.n_beams == 2
    numbers = Seq2SeqRegressor(**SMALL).fit(X[:, :6], X[:, :2, 0])
    display = AttentionDisplay.from_estimator(numbers, X[:, :6])
    assert display.image_.get_array().shape == (2, 6)
    assert display.ax_.get_xlabel() == "Step read"


def test_attention_of_a_tagger_is_a_square():
    model = GRURegressor(attention="dot", return_sequences=True, **SMALL)
    display = AttentionDisplay.from_estimator(model.fit(X, X[:, :, 0]), X)
    assert display.image_.get_array().shape == (80, 80)
    ids = np.array([[0, 1, 2, 0], [1, 2, 1, 1]] * 4)
    tagger = GRUClassifier(
        attention="dot", embedding_dim=2, return_sequences=True, **SMALL
    ).fit(ids, ids)
    display = AttentionDisplay.from_estimator(tagger, ids)
    assert display.image_.get_array().shape == (2, 2)
    assert display.inputs == display.outputs == ["1", "2"]


@pytest.mark.parametrize("task", ["numbers", "a number each step"])
def test_attention_of_a_transformer_is_a_square(task):
    of_steps = task == "a number each step"
    blocks = dict(d_model=4, n_heads=2, n_layers=1, dim_feedforward=4)
    model = TransformerRegressor(return_sequences=of_steps, epochs=1, **blocks)
    model.fit(X[:, :6], X[:, :6, 0] if of_steps else Y)
    display = AttentionDisplay.from_estimator(model, X[:, :6])
    (weights,) = attention_weights(model, X[:1, :6])
    np.testing.assert_allclose(display.image_.get_array(), weights)


def test_errors_of_pictures():
    X3 = X[:, :5]
    model = GRURegressor(**SMALL).fit(X3, Y)
    with pytest.raises(ValueError, match="has no attention"):
        AttentionDisplay.from_estimator(model, X3)
    for cls in (AttentionDisplay, SequenceOutputDisplay):
        with pytest.raises(ValueError, match=r"sequence must be from -12 to 11. Got"):
            cls.from_estimator(model, X3, sequence=12)
        with pytest.raises(TypeError, match=r"sequence must be an integer. Got 'a'"):
            cls.from_estimator(model, X3, sequence="a")
    with pytest.raises(ValueError, match=r"units must be from 0 to 3. Got 4"):
        SequenceOutputDisplay.from_estimator(model, X3, units=[4])
    with pytest.raises(ValueError, match=r"gates must be of 'update', 'r.*Got 'fo"):
        SequenceOutputDisplay.from_estimator(model, X3, gates=["forget"])
    with pytest.raises(ValueError, match=r"weights must have shape \(T,\) or"):
        AttentionDisplay(np.zeros((2, 2, 2))).plot()
    with pytest.raises(ValueError, match=r"inputs must have 3 labels. Got 1"):
        AttentionDisplay(np.ones(3) / 3, inputs=["a"]).plot()
