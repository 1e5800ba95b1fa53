"""What the parameters of an encoder and a decoder mean."""

ENCODER_AND_DECODER = {
    "teacher_forcing": (
        "float in [0, 1]",
        """How often the decoder reads the true previous output in training, rather than
        its own (Bengio et al., 2015). 1 is always, which is fastest; 0 trains it as it
        predicts.""",
    ),
    "units": (
        "int or tuple of int",
        """Width of the recurrent layer of the encoder and of that of the decoder; a
        tuple stacks one layer for each entry in both.""",
    ),
    "bidirectional": (
        "bool",
        """Let the encoder read in both directions (Schuster & Paliwal, 1997), with
        `units` for each; a dense layer turns both last states into the decoder's first
        one.""",
    ),
    "attention": (
        '{"additive", "dot", "multihead", "location"} or None',
        """Let each step of the decoder attend to the encoder's outputs at all real
        steps (Luong et al., 2015). "additive" is the score of Bahdanau et al. (2015),
        "dot" that of Luong et al., scaled, "multihead" that of Vaswani et al. (2017)
        with 4 heads, or 2 or 1 where 4 don't divide the width. "location" also looks at
        a place that moves on from step to step, counted from the start or from the end
        (Graves, 2013; Dubois et al., 2020). Sequences that are copied, reversed or
        spelt in order are then right even if longer than all of ``fit``. Its equations
        are those of :func:`skrnn.reference.location_attention`. With None the decoder
        has only the encoder's last state.""",
    ),
    "embedding_dim": (
        "int",
        """Read integers in X as token ids, from 1 with 0 as padding, and learn a vector
        of this length for each. Strings, and the labels that a decoder reads, are
        always tokens; if this is None, their vectors are as long as the first of
        `units`.""",
    ),
    "embedding_matrix": (
        "array-like of shape (n_ids, n), dict or KeyedVectors",
        """First vectors of the encoder's tokens, instead of random ones; they set the
        length. A dict, or gensim's ``KeyedVectors``, is looked up by symbol: strings
        and lists of strings in X, or ids of a
        :class:`~skrnn.preprocessing.TextSequencer`. Symbols without a vector begin with
        a random one of the same variance. Row i of an array is for id i. Labels learn
        their own vectors. Clones of the estimator share it.""",
    ),
}
