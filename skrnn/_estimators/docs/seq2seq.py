"""What the parameters of encoders and decoders mean."""

from skrnn._estimators.docs.rows import filled, list_of_losses, type_of_losses

PARAMETERS_OF_PAIRS = {
    "teacher_forcing": (
        "float in [0, 1]",
        """How often, in training, the decoder reads the true output before a step
        rather than its own (Bengio et al., 2015). With 1 it always does, which is the
        fastest; with 0 it is trained as it predicts.""",
    ),
    "max_length": (
        "int",
        """Most labels of a predicted sequence. None takes the longest of ``fit``, and
        for an input longer than all of ``fit`` more in proportion.""",
    ),
    "n_beams": (
        "int",
        """Unfinished sequences that a beam search keeps (Graves, 2012; Sutskever et
        al., 2014); 1 takes the most likely label at every step.""",
    ),
    "length_penalty": (
        "float >= 0",
        """Exponent of ``((5 + length) / 6)``, by which a beam search divides the
        log-probability of a sequence (Wu et al., 2016): 0 prefers the most likely
        sequence, which is often a short one, higher values longer ones.""",
    ),
}

_FOR_BOTH = {
    "units": (
        "int or tuple of int",
        """Width of the recurrent layer of the encoder and of that of the decoder; a
        tuple stacks one layer for each entry in both.""",
    ),
    "bidirectional": (
        "bool",
        """Let the encoder read in both directions (Schuster & Paliwal, 1997), with
        `units` for each; a dense layer then makes the decoder's first state of both
        last ones.""",
    ),
    "attention": (
        '{"additive", "dot", "multihead"} or None',
        """Let each step of the decoder attend to what the encoder made of all real
        steps (Luong et al., 2015). "additive" is the score of Bahdanau et al. (2015),
        "dot" that of Luong et al., scaled, "multihead" that of Vaswani et al. (2017)
        with 4 heads, or 2 or 1 where 4 don't divide the width. None leaves the decoder
        with the encoder's last state.""",
    ),
    "embedding_dim": (
        "int",
        """Read integers in X as token ids, from 1 with 0 as padding, and learn a vector
        of this length for each. Strings are read as tokens in any case, and so are the
        labels that a decoder reads: with vectors as long as the first of `units` if
        this is None.""",
    ),
}
_FOR_REGRESSORS = {
    "loss": (
        f"{type_of_losses('numbers')} or callable",
        filled(
            f"""What is minimised, in units of the normalised y:
            {list_of_losses("numbers")}. "auto" is the first of them. A
            ``keras.losses.Loss`` or a function ``f(y_true, y_pred)`` that returns a
            loss for each row works too; its rows are the steps of all sequences."""
        ),
    ),
    "normalize_y": (
        "bool",
        """Train on y with its mean subtracted and divided by its standard deviation,
        for each of the K targets by itself. Predictions are in y's units either
        way.""",
    ),
}
_FOR_CLASSIFIERS = {
    "loss": (
        f"{type_of_losses('labels', 'softmax')} or callable",
        filled(
            f"""What is minimised: {list_of_losses("labels", "softmax")}. "auto" is the
            first of them. A ``keras.losses.Loss`` or a function ``f(y_true, y_pred)``
            of numbers of labels and probabilities that returns a loss for each row
            works too; its rows are the labels of all sequences."""
        ),
    ),
    "class_weight": (
        'dict, "balanced" or None',
        """Weight of each label in the loss of the steps at which it stands; "balanced"
        makes it inversely proportional to the label's frequency, sequences counted with
        their `sample_weight`. Multiplied with `sample_weight`. The end of a sequence
        has no such weight.""",
    ),
    "validation_split": (
        "float in (0, 1) or None",
        """Share of the sequences that is held out to validate on, at random. None holds
        out a tenth for early stopping, and nothing without it; a number holds out so
        much in any case. An X_val in ``fit`` takes its place.""",
    ),
}
FOR_PAIRS = {
    "regressor": _FOR_BOTH | _FOR_REGRESSORS,
    "classifier": _FOR_BOTH | _FOR_CLASSIFIERS,
}

EXAMPLES_OF_PAIRS = {
    "regressor": """\
>>> import numpy as np
>>> from skrnn import {name}
>>> rng = np.random.default_rng(0)
>>> start = rng.uniform(0, 6, size=(200, 1))
>>> series = np.sin(start + 0.5 * np.arange(14))
>>> X, y = series[:, :10], series[:, 10:]  # the next 4 steps of each
>>> model = {name}(units=16, epochs=30, random_state=0).fit(X[:150], y[:150])
>>> model.predict(X[150:]).shape
(50, 4)
>>> model.score(X[150:], y[150:]) > 0.9
True""",
    "classifier": """\
>>> import numpy as np
>>> from skrnn import {name}
>>> rng = np.random.default_rng(0)
>>> words = ["".join(rng.choice(list("abc"), size=n)) for n in rng.integers(1, 5, 300)]
>>> backwards = [word[::-1] for word in words]
>>> model = {name}(units=16, epochs=20, learning_rate=0.02, random_state=0)
>>> model.fit(words, backwards).predict(["ab", "acb"])
['ba', 'bca']""",
}
