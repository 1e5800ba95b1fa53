"""Drawings of networks: which one, what goes in and out, and how they learn."""

import numpy as np
from drawing import (
    BLUE,
    CODE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    PAPER,
    RED,
    arrow,
    bar,
    box,
    empty,
)
from matplotlib.figure import Figure

# What one wants -> what there is for it: a name, and what to set.
CHOICES = [
    ("the next values of a series", "Forecaster", "horizon=..., quantiles=..."),
    ("rows of a series that are odd", "SequenceOutlierDetector", "scored_steps=..."),
    (
        "a label or number for each sequence",
        "LSTMClassifier,\nGRURegressor, ...",
        [
            ("over 100 steps, few examples", "conv_filters=(64, 64, 64)"),
            ("hundreds of steps, what was long ago", 'cell="mingru" or timescales=...'),
            ("places that depend on each other", "TransformerClassifier"),
            ("store and look up again", 'cell="ntm"'),
        ],
    ),
    (
        "a label or number for every step",
        "LSTMClassifier,\nGRURegressor, ...",
        [
            ("always", "return_sequences=True"),
            ("the future is known too", "bidirectional=True"),
            ("labels depend on their neighbours", "crf=True"),
        ],
    ),
    (
        "a sequence of another length",
        "Seq2SeqClassifier,\nSeq2SeqRegressor",
        [("longer than in training", 'attention="location"')],
    ),
    ("more text like this", "TextGenerator", "analyzer=..."),
]


def which_network():
    heights = [1 if isinstance(more, str) else len(more) for _, _, more in CHOICES]
    n = sum(heights) + 0.55 * len(CHOICES)
    figure, panel = empty(8.6, 0.36 * n + 0.5, (0, 100), (-n - 0.1, 1.1))
    for x, title in ((0, "You want"), (36, "take"), (64, "and where it matters, set")):
        panel.text(x, 0.5, title, va="center", color=GREY)
    top = 0.0
    for (want, name, more), height in zip(CHOICES, heights, strict=True):
        middle = top - height / 2
        panel.axhspan(top - height - 0.1, top + 0.1, color=PALE, alpha=0.45, lw=0)
        panel.text(1, middle, want, va="center", weight="bold")
        look = dict(va="center", family="monospace", fontsize=8)
        panel.text(36, middle, name, color=BLUE, **look)
        rows = [("", more)] if isinstance(more, str) else more
        for i, (when, what) in enumerate(rows):
            y = top - i - 0.5
            if when:
                panel.text(64, y + 0.17, when, va="center", fontsize=6.5, color=GREY)
            panel.text(64, y - (0.2 if when else 0), what, color=ORANGE, **look)
        top -= height + 0.55
    return figure


# ---- what goes in and out


def unrolled(panel, x, n, inputs=(), outputs=(), color=BLUE):
    """Draw n steps of a layer from x on, those that read and those that answer."""
    for step in range(n):
        at = x + step
        box(panel, at, 0, f"$h_{step + 1}$", facecolor=color, color=PAPER)
        if step:
            arrow(panel, (at - 0.6, 0), (at - 0.4, 0))
        if step in inputs:
            box(panel, at, -1.2, f"$x_{step + 1}$")
            arrow(panel, (at, -0.88), (at, -0.32))
        if step in outputs:
            box(panel, at, 1.2, f"$y_{step + 1}$", facecolor=ORANGE, color=PAPER)
            arrow(panel, (at, 0.32), (at, 0.88))


def many_to_one():
    figure, panel = empty(8.4, 3.0, (-0.8, 17.5), (-2.6, 2.6))
    unrolled(panel, 0, 4, inputs=range(4))
    box(panel, 3, 1.2, "$y$", facecolor=ORANGE, color=PAPER)
    arrow(panel, (3, 0.32), (3, 0.88))
    unrolled(panel, 5.4, 4, inputs=range(4), outputs=range(4))
    unrolled(panel, 10.8, 4, inputs=range(4))
    for step in range(3):
        at = 14.9 + step
        box(panel, at, 0, f"$s_{step + 1}$", facecolor=GREEN, color=PAPER)
        arrow(panel, (at - 0.7 + 0.1 * bool(step), 0), (at - 0.4, 0))
        box(panel, at, 1.2, f"$y_{step + 1}$", facecolor=ORANGE, color=PAPER)
        arrow(panel, (at, 0.32), (at, 0.88))
        if step:
            start, end = (at - 0.62, 0.95), (at - 0.2, 0.32)
            arrow(panel, start, end, ORANGE, ls=":")
    titles = [
        (1.5, "Many to one", "LSTMClassifier()"),
        (6.9, "Many to many", "return_sequences=True"),
        (14.0, "Sequence to sequence", "Seq2SeqClassifier()"),
    ]
    for x, title, code in titles:
        panel.text(x, 2.2, title, ha="center", va="center", weight="bold")
        panel.text(x, -2.2, code, **CODE)
    panel.text(12.3, 0.6, "encoder", ha="center", color=BLUE, fontsize=8)
    panel.text(15.9, -0.6, "decoder", ha="center", color=GREEN, fontsize=8)
    return figure


def padding_and_masks():
    figure, panel = empty(8.2, 3.2, (-1.5, 25), (-4.6, 1.3))
    lengths = 4, 6, 3
    for row, length in enumerate(lengths):
        y = -1.1 * row
        panel.text(-0.3, y, f"X[{row}]", **CODE | {"ha": "right"})
        for step in range(6):
            if step < length:
                box(panel, 0.5 + step, y)
            real = step < length
            look = {} if real else dict(facecolor="none", edgecolor=GREY, hatch="////")
            box(panel, 9.5 + step, y, **look)
            color = BLUE if real else "none"
            text, ink = ("1", PAPER) if real else ("0", GREY)
            look = dict(facecolor=color, edgecolor=BLUE if real else GREY)
            box(panel, 18.5 + step, y, text, color=ink, **look)
        last = 9.5 + length - 1
        panel.plot([last + 0.4] * 2, [y - 0.42, y + 0.42], color=ORANGE, lw=2.4)
    arrow(panel, (6.7, -1.1), (8.6, -1.1))
    for x, title in (
        (3, "a list of sequences"),
        (12, "one batch, padded inside"),
        (21, "its mask"),
    ):
        panel.text(x, 0.9, title, ha="center", va="center", weight="bold")
    panel.text(
        12, -3.4, "orange: the state after the last real step is what the\n"
        "output reads; padded steps leave it as it is",
        ha="center", va="center", color=ORANGE, fontsize=8,
    )  # fmt: skip
    panel.text(
        21, -3.4, "made from the lengths:\na step of zeros is a real step",
        ha="center", va="center", color=BLUE, fontsize=8,
    )  # fmt: skip
    return figure


# ---- learning


def loss_curve():
    figure = Figure(figsize=(7.6, 3.5), layout="constrained")
    panel = figure.subplots()
    rng = np.random.default_rng(4)
    epochs = np.arange(1, 31)
    training = 0.16 + 0.9 * np.exp(-epochs / 6) + rng.normal(0, 0.008, 30)
    validation = 0.3 + 0.78 * np.exp(-epochs / 5) + 0.00045 * epochs**2
    validation += rng.normal(0, 0.012, 30)
    best = int(validation.argmin())
    end = best + 7
    panel.plot(epochs[:end], training[:end], color=BLUE, label="loss")
    panel.plot(epochs[:end], validation[:end], color=ORANGE, label="val_loss")
    panel.plot(epochs[end - 1 :], validation[end - 1 :], color=ORANGE, ls=":", lw=1)
    panel.plot(epochs[end - 1 :], training[end - 1 :], color=BLUE, ls=":", lw=1)
    panel.plot(epochs[best], validation[best], "o", color=RED, ms=7)
    panel.annotate(
        "best_epoch_:\nthese weights are kept", (epochs[best], validation[best] + 0.02),
        (epochs[best] - 1.5, 0.72), color=RED, ha="center",
        arrowprops=dict(arrowstyle="->", color=RED),
    )  # fmt: skip
    panel.axvspan(epochs[best], epochs[end - 1], color=GREY, alpha=0.16, lw=0)
    middle = (epochs[best] + epochs[end - 1]) / 2
    panel.text(middle, 0.1, "patience", ha="center", color=GREY)
    panel.axvline(epochs[end - 1], color=INK, lw=1, ls=(0, (4, 3)))
    panel.text(epochs[end - 1] + 0.3, 0.95, "n_iter_:\ntraining ends", va="top")
    panel.text(2.2, 0.98, "learns what holds for all", color=GREY, fontsize=8)
    panel.text(
        epochs[end - 1] + 0.6, 0.25, "would only learn\nits own rows by heart",
        color=GREY, fontsize=8, va="bottom",
    )  # fmt: skip
    panel.set(xlabel="epoch", ylabel="loss", xlim=(0.5, 30.5), ylim=(0, 1.15))
    panel.tick_params(colors=INK)
    panel.xaxis.label.set_color(INK), panel.yaxis.label.set_color(INK)
    for side, spine in panel.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)
    panel.legend(frameon=False, loc="upper right")
    return figure


def attention():
    figure = Figure(figsize=(8.2, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    left.set(xlim=(-1.2, 7), ylim=(-2.1, 3.3))
    left.axis("off")
    letters, weights = "write", [0.05, 0.1, 0.15, 0.6, 0.1]
    for i, (letter, weight) in enumerate(zip(letters, weights, strict=True)):
        box(left, 1.4 * i, -1.5, letter)
        box(left, 1.4 * i, -0.4, f"$h_{i + 1}$", facecolor=BLUE, color=PAPER)
        arrow(left, (1.4 * i, -1.18), (1.4 * i, -0.72))
        left.plot([1.4 * i, 2.8], [-0.08, 1.3], color=ORANGE, lw=0.6 + 9 * weight,
                  alpha=0.85, solid_capstyle="round")  # fmt: skip
        left.text(1.4 * i + 0.12, -0.95, f"{weight:.2f}", fontsize=7.5,
                  color=ORANGE, va="center")  # fmt: skip
        if i:
            arrow(left, (1.4 * i - 1, -0.4), (1.4 * i - 0.4, -0.4))
    box(left, 2.8, 1.6, "context", width=1.5, facecolor=ORANGE, color=PAPER)
    box(left, 4.9, 1.6, "$s_3$", facecolor=GREEN, color=PAPER)
    arrow(left, (3.55, 1.6), (4.5, 1.6))
    arrow(left, (4.9, 1.92), (4.9, 2.5))
    box(left, 4.9, 2.8, "T")
    left.text(5.45, 1.6, "the decoder's step", va="center", color=GREEN, fontsize=8)
    left.text(-1.0, 2.1, "a sum of all states,\nweighted by how well\nthey fit",
              fontsize=8, color=ORANGE, va="center")  # fmt: skip
    _map_of_weights(right)
    return figure


def _map_of_weights(panel):
    """Draw what each step that is written looks at."""
    read, written = [*"write"], ["R", "AY", "T", "end"]
    shares = np.array(
        [
            [0.3, 0.6, 0.05, 0.03, 0.02],
            [0.02, 0.08, 0.65, 0.1, 0.15],
            [0.05, 0.1, 0.15, 0.6, 0.1],
            [0.02, 0.03, 0.05, 0.2, 0.7],
        ]
    )
    for row in range(4):
        for column in range(5):
            look = dict(facecolor=ORANGE, alpha=float(shares[row, column]) + 0.02)
            bar(panel, column, column + 1, -row, 1, edgecolor="none", **look)
    for column, letter in enumerate(read):
        panel.text(column + 0.5, 0.8, letter, ha="center", va="center")
    for row, sound in enumerate(written):
        panel.text(-0.25, -row, sound, ha="right", va="center")
    panel.text(2.5, 1.4, "read", ha="center", color=BLUE, fontsize=8)
    panel.text(-1.5, -1.5, "written", va="center", color=GREEN, fontsize=8, rotation=90)
    panel.text(2.5, -4.1, "attention_weights(model, X)", **CODE)
    panel.set(xlim=(-1.9, 5.3), ylim=(-4.5, 1.8), aspect="equal")
    panel.axis("off")


# ---- the package

# Stage -> its colour, and what is in it.
STAGES = [
    ("your data", PALE, ["table of a series", "panel of series", "list of sequences",
                         "texts", "array (n, T, F)"]),
    ("preprocessing", BLUE, ["make_supervised", "SlidingWindow", "SequenceWise",
                             "TextSequencer"]),
    ("estimator", GREEN, ["Forecaster", "LSTMClassifier ...", "Seq2SeqRegressor ...",
                          "TextGenerator"]),
    ("engine", GREY, ["cpu: kernels in C", "keras: TensorFlow,", "JAX or PyTorch"]),
    ("answers", ORANGE, ["predict, forecast", "stream", "metrics", "inspection",
                         "save, export"]),
]  # fmt: skip


def way_of_data():
    figure, panel = empty(8.6, 3.0, (-0.1, 20.3), (-3.2, 2.0))
    for i, (title, color, names) in enumerate(STAGES):
        x = 1.9 + 4.1 * i
        ink = INK if color == PALE else PAPER
        box(panel, x, 1.2, title, 3.3, 0.8, facecolor=color, color=ink)
        for row, name in enumerate(names):
            look = CODE | {"fontsize": 7.5}
            panel.text(x, 0.3 - 0.62 * row, name, **look)
        if i:
            arrow(panel, (x - 2.4, 1.2), (x - 1.7, 1.2), INK)
    panel.plot([4.3, 12.0], [-2.5, -2.5], color=INK, lw=1)
    for end in (4.3, 12.0):
        panel.plot([end, end], [-2.5, -2.35], color=INK, lw=1)
    panel.text(
        8.15, -2.9, "a Pipeline of scikit-learn: searched, validated and saved as one",
        ha="center", va="center", fontsize=8,
    )  # fmt: skip
    return figure
