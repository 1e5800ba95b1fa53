"""Characters and labels written one after the other: by us, and by textbooks' loops.

A way of `performance_ways.py` that writes has ``writer(units)``, which returns
``write(n)``, and ``decoder(units, n_beams)``, which returns ``decode(words)``.
"""

from itertools import count, islice

import numpy as np

LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Characters that the loop of Keras' example reads for each that it writes.
WINDOW = 40


def make_words(n, seed=0):
    """Return words of 4 to 14 letters."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(4, 15, n)
    return ["".join(rng.choice(list(LETTERS), size=size)) for size in sizes]


class OurText:
    """TextGenerator and Seq2SeqClassifier, with their defaults."""

    def writer(self, units):
        from skrnn.text import TextGenerator

        model = TextGenerator(
            units=units, epochs=2, early_stopping=False, random_state=0
        ).fit(" ".join(make_words(3_000)))

        def characters():
            for seed in count():
                yield from model.stream("", random_state=seed)

        def write(n):
            assert len("".join(islice(characters(), n))) >= n

        return write

    def decoder(self, units, n_beams):
        from skrnn import Seq2SeqClassifier

        # With nothing to learn, most outputs get as long as they may: as the words.
        words = make_words(3_000)
        model = Seq2SeqClassifier(units=units, epochs=5, random_state=0)
        model.fit(words, [word[::-1] for word in words])
        return model.set_params(n_beams=n_beams).predict


class TextbookText:
    """Loops that call Keras' `predict` for each character, as its examples do."""

    def writer(self, units):
        keras, layers = self.keras, self.keras.layers
        network = keras.Sequential(
            [
                keras.Input((WINDOW,), dtype="int32"),
                layers.Embedding(len(LETTERS) + 3, 128),
                layers.LSTM(units),
                layers.Dense(len(LETTERS) + 3, activation="softmax"),
            ]
        )
        rng = np.random.default_rng(0)

        def write(n):
            ids = list(rng.integers(2, len(LETTERS), size=WINDOW))
            for _ in range(n):
                p = network.predict(np.array([ids[-WINDOW:]]), verbose=0)[0]
                p = p.astype(float)
                ids.append(rng.choice(len(p), p=p / p.sum()))

        return write

    def decoder(self, units, _n_beams):
        encoder, decoder = self._encoder_and_decoder(units)

        def decode(words):
            for word in words:
                ids = np.array([[LETTERS.index(c) + 1 for c in word]])
                states = encoder.predict(ids, verbose=0)
                label = np.zeros((1, 1))
                # As many labels as the word has letters, and the end.
                for _ in range(len(word) + 1):
                    outputs, *states = decoder.predict([label, *states], verbose=0)
                    label[0, 0] = outputs[0, -1].argmax()

        return decode

    def _encoder_and_decoder(self, units):
        """Return two networks, without the attention that ours has."""
        keras, layers = self.keras, self.keras.layers
        tokens = keras.Input((None,))
        x = layers.Embedding(len(LETTERS) + 1, units)(tokens)
        encoder = keras.Model(tokens, layers.LSTM(units, return_state=True)(x)[1:])
        labels = keras.Input((None,))
        states = [keras.Input((units,)) for _ in range(2)]
        x = layers.Embedding(len(LETTERS) + 1, units)(labels)
        lstm = layers.LSTM(units, return_sequences=True, return_state=True)
        x, *after = lstm(x, initial_state=states)
        x = layers.Dense(len(LETTERS) + 1, activation="softmax")(x)
        return encoder, keras.Model([labels, *states], [x, *after])
