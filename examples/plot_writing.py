"""
Write like Python's manual
==========================

A language model reads a text character by character and learns which one comes next.
Then it is given a sentence and goes on writing: it draws a character, reads it, draws
the next. The temperature says how much it dares.
"""

# %%
# A text
# ------
# Python's own manual, which comes with every Python: what ``help("lambda")`` and the
# like show. In small letters there are fewer characters to learn.
import re
from pydoc_data.topics import topics

import matplotlib.pyplot as plt

from skrnn.inspection import TrainingHistoryDisplay
from skrnn.text import TextGenerator

text = " ".join(topics.values()).lower()
text = re.sub(r"[^a-z.,;:()' ]+", " ", text)
text = re.sub(r"\s+", " ", re.sub(r"(?<=[.,;:()' ])[.,;:()' ]+", " ", text))[:200_000]
print(f"{len(text):,} characters: {text[1000:1100]}...")

# %%
# Learn
# -----
model = TextGenerator(
    units=128, lookback=64, epochs=10, learning_rate=0.005, random_state=0
)
model.fit([text])
TrainingHistoryDisplay.from_estimator(model)
plt.show()

# %%
# Write 400 characters
# --------------------
# At a low temperature it says what is likely, again and again; at a high one it makes
# words of its own.
sentence = "the value of the expression is "
for temperature in (0.3, 0.7, 1.2):
    written = model.generate(
        sentence, max_new_tokens=400, temperature=temperature, random_state=0
    )
    print(f"\nAt temperature {temperature}:\n{written}")
