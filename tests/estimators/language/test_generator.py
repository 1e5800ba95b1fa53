"""The text generator: what it learns and writes, and its state."""

import io
import math
import pickle
from itertools import islice

import numpy as np
import pandas as pd
import pytest
from _instances import OF_TEXT, in_new_process
from _texts import NAMES, TEXT, TINY
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.utils import estimator_checks

from skrnn._engine.cpu.kernels import matmul
from skrnn._engine.training.progress import TextProgress
from skrnn._estimators.language.sampling import Draft, Hand, Sampler
from skrnn._estimators.language.vocabulary import Vocabulary
from skrnn.metrics import get_scorer
from skrnn.text import TextGenerator


def test_it_learns(writer, namer):
    assert writer.perplexity(TEXT) < 1.6
    assert writer.generate("the ", 47, temperature=0).count("sat on the") >= 1
    drawn = namer.generate(n_samples=20, random_state=0)
    # They end by themselves, and most are names.
    assert max(map(len, drawn)) < 12
    assert sum(name in NAMES for name in drawn) > 10


@pytest.mark.parametrize(
    "params",
    [
        dict(cell="gru"),
        dict(cell="rnn", units=(8, 8)),
        dict(units=(12, 12), layer_norm=True),
        dict(embedding_dim=16, tie_weights=True),
        dict(dropout=0.1, recurrent_dropout=0.1),
        dict(optimizer="rmsprop", learning_rate=0.005),
        dict(activation="softsign", clipnorm=None),
        dict(analyzer="word"),
        dict(shuffle=False),
    ],
    ids=str,
)
def test_every_parameter_trains(params):
    model = TextGenerator(**TINY | dict(epochs=15) | params).fit(TEXT)
    losses = model.history_["loss"]
    assert losses[-1] < 0.8 * losses[0]
    assert len(losses) == model.n_iter_ == model.best_epoch_ == 15
    text = model.generate("the", 40, random_state=0)
    assert text.startswith("the")
    assert math.isfinite(model.score(TEXT))


def test_training_stops_early_on_the_end_of_the_text():
    params = TINY | dict(early_stopping=True, patience=2, epochs=200)
    model = TextGenerator(**params).fit(TEXT + "zebra " * 8)
    assert model.n_iter_ == model.best_epoch_ + 2 < 200
    assert len(model.history_["val_loss"]) == model.n_iter_
    # By itself only from a certain length on.
    few = TextGenerator(**TINY | dict(early_stopping="auto", epochs=1)).fit(TEXT)
    assert "val_loss" not in few.history_


def test_documents_do_not_depend_on_those_before_them(namer):
    alone = [namer.score([name]) * (len(name) + 1) for name in NAMES]
    together = namer.score(NAMES) * sum(len(name) + 1 for name in NAMES)
    np.testing.assert_allclose(sum(alone), together, rtol=1e-6)


def test_one_string_is_one_document(writer):
    assert writer.score(TEXT) == writer.score([TEXT])
    assert writer.perplexity(TEXT) == pytest.approx(math.exp(-writer.score(TEXT)))


def test_partial_fit_goes_on_with_other_texts(writer):
    model = pickle.loads(pickle.dumps(writer))
    other = "on the hat and on the mat. " * 10
    before = model.score(other)
    for _ in range(5):
        model.partial_fit(other)
    assert model.score(other) > before
    assert model.n_iter_ == writer.n_iter_ + 5
    # A text may be shorter than lookback, also the first one.
    assert model.partial_fit("cat").n_iter_ == writer.n_iter_ + 6
    assert TextGenerator(**TINY).partial_fit("cat").generate("c", 3)


def test_warm_start_goes_on_with_the_vocabulary():
    model = TextGenerator(**TINY | dict(warm_start=True, epochs=3)).fit(TEXT)
    tokens = model.tokens_
    model.fit(TEXT[: len(TEXT) // 2])
    assert model.n_iter_ == 6
    assert model.tokens_ is tokens
    for change in (dict(units=8), dict(analyzer="word")):
        name = next(iter(change))
        # Characters of other texts, or words of these, aren't in the vocabulary.
        for text in (TEXT, "Other words?"):
            with pytest.raises(ValueError, match=f"cannot go on training: {name}"):
                clone(model).fit(TEXT).set_params(**change).fit(text)


# Probabilities


def test_probabilities_are_those_that_score_adds_up(writer):
    text = "the cat"
    at = {token: i for i, token in enumerate(writer.tokens_)}
    p = writer.predict_proba([text[:i] for i in range(len(text))])
    assert p.shape == (len(text), len(writer.tokens_))
    np.testing.assert_allclose(p.sum(axis=1), 1)
    columns = [at[c] for c in text]
    logs = np.log(p[np.arange(len(columns)), columns])
    assert writer.score(text) == pytest.approx(logs.mean(), rel=1e-5)


def test_an_impossible_text_has_no_finite_perplexity(writer):
    odd = pickle.loads(pickle.dumps(writer))
    odd._weights[-1] = odd._weights[-1].copy()
    odd._weights[-1][3] = -1e30
    assert odd.perplexity("the cat") == math.inf


# Generation


def test_the_same_seed_writes_the_same_text(writer):
    options = dict(max_new_tokens=60, temperature=1.3)
    one = writer.generate("the ", random_state=3, **options)
    assert one == writer.generate("the ", random_state=3, **options)
    assert one != writer.generate("the ", random_state=4, **options)
    again = TextGenerator(**TINY).fit(TEXT)
    assert one == again.generate("the ", random_state=3, **options)
    state = np.random.RandomState(3)
    first = writer.generate("the ", random_state=state, **options)
    assert first != writer.generate("the ", random_state=state, **options)


def test_no_temperature_is_greedy(writer):
    text = "the "
    for _ in range(12):
        p = writer.predict_proba(text)[0]
        p[1] = 0
        text += writer.tokens_[p.argmax()]
    greedy = writer.generate("the ", 12, temperature=0)
    assert greedy == text
    assert greedy == writer.generate("the ", 12, top_k=1, random_state=5)
    assert greedy == writer.generate("the ", 12, top_p=1e-9, random_state=5)
    assert greedy == writer.generate("the ", 12, temperature=1e-300, random_state=5)


def test_streamed_is_generated(writer):
    options = dict(temperature=0.9, top_k=5, top_p=0.95, random_state=1)
    streamed = islice(writer.stream("the ", **options), 50)
    assert "the " + "".join(streamed) == writer.generate("the ", 50, **options)


def test_a_stream_ends_with_the_text(namer):
    names = ["".join(namer.stream(random_state=i)) for i in range(10)]
    assert names == [namer.generate(random_state=i) for i in range(10)]


def test_arguments_of_stream_are_checked_at_once(writer):
    with pytest.raises(ValueError, match="'temperature' parameter"):
        writer.stream("the", temperature=-1)
    with pytest.raises(ValueError, match="not in the vocabulary"):
        writer.stream("ж")


def test_samples_are_a_list_of_different_texts(writer):
    many = writer.generate("the ", 30, n_samples=8, random_state=0)
    assert len(many) == 8
    assert len(set(many)) > 4
    assert {text[:4] for text in many} == {"the "}
    assert max(map(len, many)) == 34
    assert isinstance(writer.generate("the ", 3, n_samples=1), str)


@pytest.mark.parametrize("stop", [".", ["zzz", "."], ("on the ", ".")], ids=str)
def test_a_text_ends_before_a_stop(writer, stop):
    stops = [stop] if isinstance(stop, str) else stop
    whole = writer.generate("the ", 200, random_state=0)[4:]
    ends = [whole.find(each) for each in stops if each in whole]
    found = writer.generate("the ", 200, random_state=0, stop=stop)
    assert found == "the " + whole[: min(ends)]
    # What stands in the prompt doesn't count.
    assert writer.generate("hat. t", 3, stop=stop).startswith("hat. t")


def test_a_stop_may_begin_in_the_middle_of_a_token():
    hand = Hand(Vocabulary("char", ("a", " ab", " cd", "never")))
    draft = Draft(hand, ("b c",))
    for id_ in (2, 3, 4, 5):
        draft.add(id_)
    assert draft.is_over
    assert draft.text() == "a a"


def frequencies(sampler, outputs, n=20_000):
    drawn = sampler.draw(np.tile(outputs, (n, 1)), np.random.default_rng(0))
    return np.bincount(drawn, minlength=len(outputs)) / n


OUTPUTS = np.log([0.1, 1e-9, 0.4, 0.3, 0.2])
EXPECTED = {
    "as they are": ({}, [0.1, 0, 0.4, 0.3, 0.2]),
    "cold": (dict(temperature=0.5), np.array([1, 0, 16, 9, 4]) / 30),
    "hot": (dict(temperature=1e9), [0.25, 0, 0.25, 0.25, 0.25]),
    "top 2": (dict(top_k=2), [0, 0, 4 / 7, 3 / 7, 0]),
    "top 9": (dict(top_k=9), [0.1, 0, 0.4, 0.3, 0.2]),
    "most of it": (dict(top_p=0.65), [0, 0, 4 / 7, 3 / 7, 0]),
    "a bit more": (dict(top_p=0.75), [0, 0, 4 / 9, 3 / 9, 2 / 9]),
    "all of it": (dict(top_p=1), [0.1, 0, 0.4, 0.3, 0.2]),
    "of the top": (dict(top_k=2, top_p=0.5), [0, 0, 1, 0, 0]),
}


@pytest.mark.parametrize("key", EXPECTED)
def test_draws_are_as_frequent_as_they_should_be(key):
    options, expected = EXPECTED[key]
    found = frequencies(Sampler(**options), OUTPUTS)
    np.testing.assert_allclose(found, expected, atol=0.015)
    assert (found[np.array(expected) == 0] == 0).all()


def test_progress_shows_bits_and_a_sample():
    shown = io.StringIO()
    progress = TextProgress("TextGenerator", 2, 2, "character", lambda: "abc", shown)
    progress.show(1, 0.5, {"loss": math.log(2)})
    progress.show(1, 1, {"loss": math.log(2), "val_loss": 2 * math.log(2)})
    assert "bits a character 1  validation 2" in shown.getvalue()
    assert shown.getvalue().endswith("abc\n\n")


def test_verbose_fits_show_samples(capsys):
    TextGenerator(**TINY | dict(epochs=2, verbose=2)).fit(TEXT)
    assert capsys.readouterr().err.count("bits a character") == 2
    TextGenerator(**TINY | dict(epochs=2, verbose=1, analyzer="word")).fit(TEXT)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all("bits a word" in line for line in lines)


def test_a_loss_that_is_not_finite_ends_training():
    params = TINY | dict(learning_rate=1e38, clipnorm=None, optimizer="sgd")
    with pytest.warns(ConvergenceWarning, match="Try a lower learning_rate"):
        model = TextGenerator(**params).fit(TEXT)
    assert math.isfinite(model.score(TEXT))


def test_ctrl_c_keeps_what_was_learnt(monkeypatch):
    from skrnn._engine.cpu.language import LanguageProgram

    train, calls = LanguageProgram.train, []

    def interrupted(self, *args):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return train(self, *args)

    monkeypatch.setattr(LanguageProgram, "train", interrupted)
    model = TextGenerator(**TINY)
    with pytest.raises(KeyboardInterrupt):
        model.fit(TEXT)
    assert model.generate("the", 3, random_state=0).startswith("the")


# scikit-learn


CHECKS = [
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_param_validation",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
]


@pytest.mark.parametrize("check", CHECKS)
def test_checks_that_need_no_data(check):
    getattr(estimator_checks, check)("TextGenerator", clone(OF_TEXT[0]))


def test_fit_changes_no_parameter_and_names_what_it_learns():
    model = clone(OF_TEXT[0])
    params, before = model.get_params(), set(vars(model))
    new = set(vars(model.fit(TEXT))) - before
    assert all(name.startswith("_") or name.endswith("_") for name in new)
    assert model.get_params() == params


def test_tags_ask_for_strings():
    tags = TextGenerator().__sklearn_tags__().input_tags
    assert tags.string
    assert not tags.two_d_array


def test_a_search_finds_the_best_by_its_own_score():
    texts = np.array([TEXT[i : i + 51] for i in range(0, len(TEXT), 51)])
    model = TextGenerator(**TINY | dict(handle_unknown="map"))
    search = GridSearchCV(model, {"units": [1, 16]}, cv=KFold(2)).fit(texts)
    assert search.best_params_ == {"units": 16}
    assert search.best_score_ == max(search.cv_results_["mean_test_score"]) < 0
    assert search.best_estimator_.generate("the", 2, temperature=0).startswith("the")
    assert search.score(texts) == search.best_estimator_.score(texts)


def test_folds_need_not_share_all_tokens():
    texts = np.array(["abab ", "baba ", "acac ", "caca ", "adad ", "dada "] * 4)
    model = TextGenerator(**TINY | dict(epochs=1))
    for scoring in (None, get_scorer("neg_perplexity")):
        options = dict(scoring=scoring, cv=[(range(4), range(24))], error_score="raise")
        search = GridSearchCV(model, {"units": [2, 3]}, **options).fit(texts)
        scores = search.cv_results_["mean_test_score"]
        assert np.isfinite(scores).all()
        assert (scores < 0).all()


def test_workers_get_the_same(writer):
    scores = [
        cross_val_score(TextGenerator(**TINY), NAMES, cv=KFold(2), n_jobs=n)
        for n in (1, 2)
    ]
    np.testing.assert_array_equal(*scores)


def test_a_pickle_writes_on(writer):
    again = pickle.loads(pickle.dumps(writer))
    assert again.generate("the", random_state=0) == writer.generate(
        "the", random_state=0
    )
    assert again.score(TEXT) == writer.score(TEXT)
    assert again.partial_fit(TEXT).n_iter_ == writer.n_iter_ + 1


def test_containers_make_no_difference(namer):
    expected = namer.score(NAMES)
    for container in (tuple, np.array, pd.Series, iter):
        assert namer.score(container(NAMES)) == expected
    strings = pd.Series(NAMES, dtype="string")
    assert namer.score(strings) == expected


def test_no_backend_is_loaded():
    loaded = in_new_process("""
import sys
from skrnn.text import TextGenerator
model = TextGenerator(units=4, epochs=1, random_state=0).fit("the cat sat " * 9)
model.generate("the")
print(*sys.modules)
""")
    assert not {"keras", "tensorflow", "jax", "torch"} & set(loaded.split())


def test_it_works_without_the_kernels():
    if not matmul.ARE_COMPILED:
        pytest.skip("there are none here")
    # Keras then trains it, which compiles each layer.
    model = TextGenerator(units=3, epochs=2, lookback=6, random_state=0)
    found = in_new_process(f"""
import sys, warnings
warnings.filterwarnings("ignore", "skrnn was installed without its kernels")
sys.modules["skrnn._engine.cpu.kernels._kernels"] = None
from skrnn._engine.cpu.kernels import matmul
from skrnn.text import TextGenerator
assert not matmul.ARE_COMPILED
print({model!r}.fit("the cat sat " * 4).score("the cat"))
""")
    expected = model.fit("the cat sat " * 4).score("the cat")
    assert float(found) == pytest.approx(expected, rel=1e-3)
