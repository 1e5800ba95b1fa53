"""What the norms of gradients say in plain English, and which parameter would help."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skrnn._estimators.inspected import recurrent_layers

# At the first step a gradient this much smaller than at the last one has vanished, and
# one this much larger explodes.
VANISHED, EXPLODED = 1e-3, 1e2


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a gradient, and what would help.

    Attributes
    ----------
    verdict : {"vanishes", "explodes", "is fine", "is zero", "isn't finite"}
    ratio : float
        Norm of the gradient at the first step, which it reaches last, in units of that
        at the last step. With both directions, the smallest norm in units of the
        largest.
    text : str
        A sentence or two.
    """

    verdict: str
    ratio: float
    text: str


def diagnose(flow: Any, network: Any = None) -> Diagnosis:
    """Judge the first recurrent layer, which is nearest to what the network reads.

    Parameters
    ----------
    flow : Bunch
        As `gradient_flow` returns it.
    network : estimator, default=None
        Whose parameters are to be named.
    """
    both = len(flow.directions) > 1
    norms = flow.hidden[0][np.asarray(flow.n_sequences) > 0]
    if not np.isfinite(norms).all():
        return Diagnosis("isn't finite", float("nan"), "The gradient isn't finite.")
    if not norms.any():
        text = "The gradient is zero at every step: nothing is learnt."
        return Diagnosis("is zero", float("nan"), text)
    start, end = (norms.min(), norms.max()) if both else (norms[0], norms[-1])
    ratio = float(start / end) if end > 0 else float("inf")
    verdict = _verdict(ratio)
    advice = "" if network is None else _ADVICE[verdict](network, flow)
    n = len(flow.hidden)
    what = f"In the first of {n} layers the gradient" if n > 1 else "The gradient"
    text = f"{_SENTENCES[verdict].format(what, _compared(ratio, both))} {advice}"
    return Diagnosis(verdict, ratio, text.strip())


def _verdict(ratio):
    if ratio < VANISHED:
        return "vanishes"
    return "explodes" if ratio > EXPLODED else "is fine"


def _compared(ratio, both):
    where, of = "at the first step", "at the last"
    if both:
        where, of = "at the step that it reaches least", "where it is largest"
    if ratio == 0:
        return f"{where} nothing is left of it"
    times = "of" if ratio < 1 else "times"
    return f"{where} it is {amount(ratio)} {times} what it is {of}"


def amount(ratio: float) -> str:
    """Write a share or a multiple as one reads it."""
    if 1e-2 <= ratio < 1e4:
        return f"{ratio:.2g}" if ratio < 10 else f"{ratio:,.0f}"
    digits, power = f"{ratio:.0e}".split("e")
    return f"{digits}e{int(power)}"


_SENTENCES = {
    "vanishes": "{} vanishes: {}, so next to nothing is learnt from there.",
    "explodes": "{} explodes: {}.",
    "is fine": "{} gets through: {}.",
}


def _against_vanishing(network, _flow):
    """Name the cells that keep gradients, or else a way past the steps."""
    found, kind = [], type(network).__name__
    known = network.get_params(deep=False)
    if not recurrent_layers(network)[0].gate_order:
        if "cell" in known:
            found.append("cell='lstm' or cell='gru'")
        elif kind.startswith("RNN"):
            task = kind.removeprefix("RNN")
            found.append(f"LSTM{task} or GRU{task}")
    if "attention" in known and network.attention is None:
        found.append("attention='dot', a way past the steps")
    found.append("shorter sequences")
    return f"What helps: {'; '.join(found)}."


def _against_explosion(network, flow):
    """Say what clipping does to the largest gradient, and what would do more."""
    name, norm = max(flow.weights.items(), key=lambda each: each[1])
    found, left = [], flow.clipped[name]
    limits = "clipnorm", "global_clipnorm"
    given = [f"{n}={getattr(network, n):g}" for n in limits if getattr(network, n)]
    if not given:
        found.append(f"clipnorm=1.0 (that of {name} has a norm of {amount(norm)})")
    elif left < norm:
        found.append(
            f"{' and '.join(given)} {'cut' if given[1:] else 'cuts'} that of {name}, "
            f"whose norm is {amount(norm)}, to {amount(left)}"
        )
    if network.activation not in ("tanh", "sigmoid", "softsign"):
        found.append("activation='tanh', which bounds the states")
    found.append("a lower learning_rate, so that weights stay small")
    return f"What helps: {'; '.join(found)}."


_ADVICE = {
    "vanishes": _against_vanishing,
    "explodes": _against_explosion,
    "is fine": lambda _network, _flow: "",
}
