"""
An encoder, a decoder and attention
===================================

One network reads a sequence, another writes one of any other length. Between them
stands attention: for each token that is written it says what of the input is read.
Here dates in words become dates in digits, and the alignment is drawn.
"""

# %%
# One-hot tokens
# --------------
# A token is a place in an alphabet, and its vector has a one there. An encoder reads
# these vectors; by hand, with random weights, its last state is all that a decoder
# without attention gets to know of the text.
import matplotlib.pyplot as plt
import numpy as np

from skrnn import Seq2SeqClassifier, reference
from skrnn.inspection import AttentionDisplay

rng = np.random.default_rng(0)
alphabet = {letter: i for i, letter in enumerate("abcdefghijklmnopqrstuvwxyz ")}
one_hot = np.eye(len(alphabet))[[alphabet[letter] for letter in "hello"]]
states = reference.rnn(
    one_hot,
    rng.normal(size=(len(alphabet), 4)),
    rng.normal(size=(4, 4)) / 2,
    np.zeros(4),
)
print("vectors", one_hot.shape, "states", states.shape)
print("what a decoder starts from:", states[-1].round(2))

# %%
# Dates in words, dates in digits
# -------------------------------
# The estimator takes texts as they are and makes the one-hot vectors, or embeddings,
# itself. Weekdays, ends like "th" and the order of the parts differ.
import pandas as pd

days = (
    pd.date_range("1950-01-01", "2049-12-31").to_series().sample(3500, random_state=0)
)
forms = ("%A %d %B %Y", "%B %d, %Y", "%d %b %Y", "%a, %b %d %Y")
texts = [day.strftime(forms[i % 4]).lower() for i, day in enumerate(days)]
answers = [day.strftime("%Y-%m-%d") for day in days]
print(f"{texts[0]!r} -> {answers[0]!r}")

model = Seq2SeqClassifier(
    attention="additive", units=64, epochs=12, learning_rate=0.005, random_state=0
)
model.fit(texts[:3000], answers[:3000])
print(f"all characters right: {model.score(texts[3000:], answers[3000:]):.3f}")
for text in ("friday 27 november 2026", "may 04, 1977"):
    print(f"{text!r} -> {''.join(model.predict([text])[0])!r}")

# %%
# What it looked at
# -----------------
# A row for each character that was written, a column for each that was read. The year
# is written first and read last, then come the month and the day.
AttentionDisplay.from_estimator(model, ["friday 27 november 2026"])
plt.show()
