"""
Invent names of colours
=======================

A language model learns to write like the texts it has read. These texts are short: 900
names that people gave to colours in a survey of the comic xkcd, in the public domain,
which come with Matplotlib. Each name is a text of its own, so the model learns how a
name begins and where it ends.
"""

# %%
# Real names
# ----------
# A few of the names are less polite; they stay out.
import re

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import XKCD_COLORS

from skrnn.text import TextGenerator

rude = re.compile("poo|puke|shit|snot|piss|vomit|barf|booger|diarrhea|crap")
names = [name.removeprefix("xkcd:") for name in XKCD_COLORS]
names = [name for name in names if not rude.search(name)]
names = np.random.default_rng(0).permutation(names)
training, held_out = names[100:], names[:100]
print(f"{len(names)} names, among them {', '.join(names[:4])}")

# %%
# Learn
# -----
# The score is the mean log-likelihood of a character. The perplexity says the same in
# other words: among how many characters one would have to guess to do as well. Knowing
# only how frequent each character is, one would guess among 20.
model = TextGenerator(
    units=128,
    embedding_dim=32,
    lookback=16,
    dropout=0.3,
    early_stopping=True,
    random_state=0,
).fit(training)
print(f"perplexity of new names: {model.perplexity(held_out):.2f}")

characters = [*"".join(training), *["end"] * len(training)]
_, counts = np.unique(characters, return_counts=True)
p = counts / counts.sum()
print(f"from frequencies alone: {np.exp(-(p * np.log(p)).sum()):.2f}")

# %%
# Write
# -----
# With an empty prompt a new name begins, and it ends by itself. The temperature says
# how much is dared: at 0.5 names become likely ones, at 1.2 some aren't names.
for temperature in (0.5, 0.8, 1.2):
    drawn = model.generate(n_samples=60, temperature=temperature, random_state=0)
    new = [name for name in dict.fromkeys(drawn) if name not in names]
    print(f"\nAt {temperature}, {len(new)} of 60 are new:")
    print(", ".join(new[:8]))

# %%
# A prompt is gone on with. ``top_p`` leaves out what is unlikely at each character.
for prompt in ("dark ", "ugly ", "ocean", "pumpkin "):
    found = model.generate(prompt, n_samples=3, top_p=0.9, random_state=1)
    print(", ".join(found))

# %%
# What the model thinks of each character
# ---------------------------------------
# Below each character stand the three that the model expected there. In the middle of a
# word it is sure; where a word begins it can't be.
example = "light seafoam green"
proba = model.predict_proba([example[:i] for i in range(len(example))])
top = np.argsort(-proba, axis=1)[:, :3]
expected = np.take_along_axis(proba, top, axis=1).T
shown = {" ": "_", "<end>": "end"}

fig, axes = plt.subplots(2, 1, figsize=(9, 5.4), layout="constrained")
for name, label in (("loss", "training"), ("val_loss", "held out")):
    bits = np.array(model.history_[name]) / np.log(2)
    axes[0].plot(np.arange(1, len(bits) + 1), bits, label=label)
axes[0].set(xlabel="epoch", ylabel="bits a character")
axes[0].legend()
image = axes[1].imshow(expected, cmap="Blues", vmin=0, vmax=1, aspect="auto")
for (row, column), value in np.ndenumerate(expected):
    token = model.tokens_[top[column, row]]
    colour = "white" if value > 0.6 else "black"
    text = shown.get(token, token)
    axes[1].text(column, row, text, ha="center", va="center", color=colour)
axes[1].set_xticks(range(len(example)), [shown.get(c, c) for c in example])
axes[1].set_yticks(range(3), ["first", "second", "third"])
axes[1].set_title("What was expected at each character", loc="left")
fig.colorbar(image, ax=axes[1], label="probability")
plt.show()
