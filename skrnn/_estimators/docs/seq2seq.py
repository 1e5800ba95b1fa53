"""What the parameters of an encoder and a decoder mean."""

ENCODER_AND_DECODER = {
    "teacher_forcing": (
        "float in [0, 1]",
        """How often, in training, the decoder reads the true output before a step
        rather than its own (Bengio et al., 2015). With 1 it always does, which is the
        fastest; with 0 it is trained as it predicts.""",
    ),
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
        '{"additive", "dot", "multihead", "location"} or None',
        """Let each step of the decoder attend to what the encoder made of all real
        steps (Luong et al., 2015). "additive" is the score of Bahdanau et al. (2015),
        "dot" that of Luong et al., scaled, "multihead" that of Vaswani et al. (2017)
        with 4 heads, or 2 or 1 where 4 don't divide the width. "location" looks at a
        place that moves on from step to step too, counted from the start or from the
        end (Graves, 2013; Dubois et al., 2020): what is copied, reversed or spelt in
        order is then right in sequences longer than all of ``fit``; the equations are
        those of :func:`skrnn.reference.location_attention`. None leaves the decoder
        with the encoder's last state.""",
    ),
    "embedding_dim": (
        "int",
        """Read integers in X as token ids, from 1 with 0 as padding, and learn a vector
        of this length for each. Strings are read as tokens in any case, and so are the
        labels that a decoder reads: with vectors as long as the first of `units` if
        this is None.""",
    ),
    "embedding_matrix": (
        "array-like of shape (n_ids, n), dict or KeyedVectors",
        """Vectors of what the encoder reads, to begin with instead of random ones; they
        tell their length. Those of a dict, or of gensim's ``KeyedVectors``, are looked
        up by symbol: strings and lists of strings in X, or ids of a
        :class:`~skrnn.preprocessing.TextSequencer`. Symbols without one begin with
        random vectors of the same variance. Row i of an array is for id i. Labels learn
        their own vectors. Clones of the estimator share it.""",
    ),
}
