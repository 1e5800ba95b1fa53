"""How fast sequences are decoded: our loop beside the textbook's, and beams.

The textbook loop calls ``predict`` of a Keras decoder for every label of every word, as
tutorials of sequence to sequence do, without attention; it is timed on a few words and
told for 1,000. The layers are as wide, and the outputs as long as the words.

    python benchmarks/decoding.py
"""

import argparse
import time

import numpy as np

from skrnn import Seq2SeqClassifier

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--units", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5, help="the best one counts")
    parser.add_argument("--textbook-words", type=int, default=5)
    arguments = parser.parse_args()
    words = make_words(3_000)
    model = Seq2SeqClassifier(units=arguments.units, epochs=5, random_state=0).fit(
        words, [word[::-1] for word in words]
    )
    tested = make_words(1_000, seed=1)
    greedy = seconds(lambda: model.predict(tested), arguments.rounds)
    length = np.mean([len(word) for word in model.predict(tested)])
    model.set_params(n_beams=5)
    beams = seconds(lambda: model.predict(tested), arguments.rounds)
    few = tested[: arguments.textbook_words]
    textbook = textbook_seconds(arguments.units, few) * len(tested) / len(few)
    print(f"1,000 words of 4 to 14 letters, LSTM of {arguments.units} units;")
    print(
        f"{length:.1f} labels each, of {np.mean([len(w) for w in tested]):.1f} letters"
    )
    print(f"greedy           {greedy:10.3f} s")
    print(f"beam search, 5   {beams:10.3f} s  {beams / greedy:.1f} times greedy")
    print(f"textbook, Keras  {textbook:10.1f} s  {textbook / greedy:,.0f} times greedy")


def make_words(n, seed=0):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(4, 15, n)
    return ["".join(rng.choice(list(LETTERS), size=size)) for size in sizes]


def seconds(function, rounds):
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        function()
        taken.append(time.perf_counter() - started)
    return min(taken)


def textbook_seconds(units, words):
    """Time the loop that calls ``predict`` for each step of each word."""
    encoder, decoder = textbook_models(units)
    one = [np.zeros((1, units), "f4")] * 2
    encoder.predict(np.ones((1, 8)), verbose=0)
    decoder.predict([np.ones((1, 1)), *one], verbose=0)
    started = time.perf_counter()
    for word in words:
        states = encoder.predict(np.array([[ord(c) % 32 for c in word]]), verbose=0)
        label = np.zeros((1, 1))
        # As many labels as the word has letters, and the end.
        for _ in range(len(word) + 1):
            outputs, *states = decoder.predict([label, *states], verbose=0)
            label[0, 0] = outputs[0, -1].argmax()
    return time.perf_counter() - started


def textbook_models(units):
    import keras
    from keras import layers

    tokens = keras.Input((None,))
    x = layers.Embedding(32, units)(tokens)
    encoder = keras.Model(tokens, layers.LSTM(units, return_state=True)(x)[1:])
    labels = keras.Input((None,))
    states = [keras.Input((units,)) for _ in range(2)]
    x = layers.Embedding(32, units)(labels)
    lstm = layers.LSTM(units, return_sequences=True, return_state=True)
    x, *after = lstm(x, initial_state=states)
    x = layers.Dense(27, activation="softmax")(x)
    return encoder, keras.Model([labels, *states], [x, *after])


if __name__ == "__main__":
    main()
