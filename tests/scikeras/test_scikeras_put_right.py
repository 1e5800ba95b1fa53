"""What is wrong with scikeras' wrappers and right with ours."""

import os
import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from _scikeras_cases import (
    LABELS,
    RNG,
    WEIGHTS,
    X,
    Y,
    classifier,
    dense,
    network,
    regressor,
    steps,
    weights_differ,
)
from _tables import LONG
from scikeras import wrappers as plain
from sklearn.base import is_classifier, is_regressor
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold, check_cv, cross_val_score
from sklearn.utils import estimator_checks
from tensorflow.python.eager import context
from tensorflow.python.framework import config as tf_config

from skrnn import scikeras as ours

# In one worker: most train the same network, which takes seconds to compile.
pytestmark = pytest.mark.xdist_group("put_right")


def tells_what_it_is(of):
    assert is_classifier(classifier(of))
    assert is_regressor(regressor(of))


def folds_are_stratified(of):
    cv = check_cv(3, LABELS, classifier=is_classifier(classifier(of)))
    assert isinstance(cv, StratifiedKFold)


def roc_auc_is_scored(of):
    scores = cross_val_score(
        classifier(of), X, LABELS, cv=2, scoring="roc_auc", error_score="raise"
    )
    assert np.isfinite(scores).all()


def classifiers_vote(of):
    members = [(name, classifier(of, dense)) for name in "ab"]
    vote = VotingClassifier(members, voting="soft").fit(X[:, :, 0], LABELS)
    assert vote.predict_proba(X[:, :, 0]).shape == (48, 2)


def counts_features_not_steps(of):
    assert regressor(of).fit(X, Y).n_features_in_ == 2


def remembers_names_of_features(of):
    estimator_checks.check_n_features_in_after_fitting(
        "KerasRegressor", regressor(of, dense)
    )


def predicts_other_lengths(of):
    fitted = regressor(of).fit(X, Y)
    assert fitted.predict(X[:, :3]).shape == (48,)


def answers_every_step(of):
    fitted = regressor(of, steps).fit(X, X)
    assert fitted.predict(X).shape == X.shape
    assert fitted.score(X, X, sample_weight=WEIGHTS) < 1


def reads_ragged_sequences(of):
    ragged = [x[: 2 + i % 4] for i, x in enumerate(X)]
    fitted = regressor(of).fit(ragged, Y)
    alone = np.concatenate([fitted.predict([x]) for x in ragged[:4]])
    np.testing.assert_allclose(fitted.predict(ragged)[:4], alone, rtol=1e-5)
    assert fitted.n_features_in_ == 2


def reads_ragged_tokens(of):
    def tokens():
        layers = keras.layers
        embedding = layers.Embedding(9, 3, mask_zero=True)
        return keras.Sequential([embedding, layers.GRU(2), layers.Dense(1)])

    ragged = [RNG.integers(1, 9, size=2 + i % 4) for i in range(48)]
    fitted = regressor(of, tokens).fit(ragged, Y)
    np.testing.assert_allclose(
        fitted.predict(ragged[:1]), fitted.predict(ragged)[:1], rtol=1e-5
    )


def refuses(name, value=1):
    def refuses_misspelt(of):
        # A network that takes anything, as many in scikeras' documentation.
        def anything(meta, **kwargs):
            return network(meta)

        wrong = regressor(of, anything, **{name: value})
        with pytest.raises(ValueError, match=f"Invalid parameter '{name}'"):
            wrong.fit(X, Y)

    refuses_misspelt.__name__ = f"refuses_{name}"
    return refuses_misspelt


def sets_parameters_of_callbacks(of):
    stopping = dict(callbacks=keras.callbacks.EarlyStopping)
    model = regressor(of, **stopping, callbacks__monitor="loss")
    model.set_params(callbacks__patience=3).fit(X, Y)
    assert model._fit_callbacks[0].patience == 3


def leaves_tensorflow_alone_while_it_runs(of):
    seen = []

    def look(epoch, logs):
        seen.append(tf_config.is_op_determinism_enabled())
        seen.append("TF_DETERMINISTIC_OPS" in os.environ)

    regressor(of, callbacks=keras.callbacks.LambdaCallback(on_epoch_end=look)).fit(X, Y)
    assert not any(seen)


def leaves_generators_where_they_were(of):
    keras.utils.set_random_seed(3)
    keras.random.normal((1,))
    tf.random.normal((1,))
    before = global_state()
    regressor(of, dropout=0.5).fit(X, Y).predict(X)
    assert global_state() == before


def takes_a_random_state_object(of):
    state = np.random.RandomState(3)
    one, other = (regressor(of, random_state=state).fit(X, Y) for _ in range(2))
    assert weights_differ(one, other)


def gives_one_row_of_probabilities(of):
    fitted = classifier(of).fit(X, LABELS)
    assert fitted.predict_proba(X[:1]).shape == (1, 2)


def leaves_weights_of_the_user_alone(of):
    weights = np.ones(48)
    balance = {"up": 5.0, "down": 1.0}
    classifier(of, class_weight=balance).fit(X, LABELS, sample_weight=weights)
    assert (weights == 1).all()


def takes_one_optimizer_for_two_fits(of):
    optimizer = keras.optimizers.Adam(0.01)
    regressor(of, optimizer=optimizer).fit(X, Y)
    regressor(of, optimizer=optimizer).fit(X, Y)


def stays_fitted_after_a_failed_refit(of):
    fitted = regressor(of).fit(X, Y)
    before = fitted.predict(X)
    with pytest.raises(ValueError, match="NaN"):
        fitted.fit(np.full_like(X, np.nan), Y)
    fitted.batch_size = 2.5
    with pytest.raises((ValueError, TypeError)):
        fitted.fit(X[:, :, :1], Y)
    np.testing.assert_array_equal(fitted.predict(X), before)


def tells_of_a_loss_that_is_not_finite(of):
    diverges = dict(optimizer="sgd", optimizer__learning_rate=1e30, epochs=2)
    with pytest.warns(ConvergenceWarning, match="loss of nan.*learning_rate"):
        regressor(of, **diverges).fit(X, Y)


def passes(check, model=None):
    def passes_check(of):
        estimator = model(of) if model else regressor(of, dense)
        getattr(estimator_checks, check)(type(estimator).__name__, estimator)

    passes_check.__name__ = f"passes_{check}"
    return passes_check


PUT_RIGHT = [
    tells_what_it_is,
    folds_are_stratified,
    roc_auc_is_scored,
    classifiers_vote,
    counts_features_not_steps,
    remembers_names_of_features,
    predicts_other_lengths,
    answers_every_step,
    reads_ragged_sequences,
    reads_ragged_tokens,
    refuses("optimzer__learning_rate"),
    refuses("optimizer__lerning_rate"),
    refuses("callbacks__patience"),
    sets_parameters_of_callbacks,
    leaves_tensorflow_alone_while_it_runs,
    leaves_generators_where_they_were,
    takes_a_random_state_object,
    gives_one_row_of_probabilities,
    leaves_weights_of_the_user_alone,
    takes_one_optimizer_for_two_fits,
    stays_fitted_after_a_failed_refit,
    tells_of_a_loss_that_is_not_finite,
    passes("check_mixin_order"),
    passes("check_requires_y_none"),
    passes("check_regressor_multioutput"),
]


@pytest.mark.parametrize("promise", PUT_RIGHT, ids=lambda f: f.__name__)
def test_put_right(promise):
    promise(ours)


@pytest.mark.skipif(not LONG, reason="trains with scikeras alone: LONG=1")
@pytest.mark.parametrize("promise", PUT_RIGHT, ids=lambda f: f.__name__)
@pytest.mark.filterwarnings("ignore")
def test_was_wrong(promise):
    # What pytest itself raises where nothing else was is no Exception.
    with pytest.raises((Exception, pytest.fail.Exception)):
        promise(plain)


def global_state():
    """Return all that a seed could have changed."""
    tensorflow = vars(context.context())
    generator = keras.src.random.seed_generator.global_seed_generator()
    return (
        random.getstate(),
        repr(np.random.get_state()),  # noqa: NPY002
        generator.state.numpy().tolist(),
        tensorflow["_seed"],
        tensorflow["_rng"].getstate(),
        tf_config.is_op_determinism_enabled(),
        dict(os.environ),
    )
