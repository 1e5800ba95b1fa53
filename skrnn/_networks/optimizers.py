"""Optimizers: one row each, which everything that knows optimizers is made from.

They have Keras' defaults, take Keras' steps and keep Keras' state, so that training can
go on elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

EPSILON = 1e-7
# Decay of the averages of gradients and of their squares.
BETA_1, BETA_2 = 0.9, 0.999


@dataclass(frozen=True)
class Slot:
    """Arrays of an optimizer's state, one for each weight.

    Attributes
    ----------
    first : float
        What they begin with.
    shape : callable or None
        ``f(shape of the weight) -> shape of the array``, or None if the formula needs
        no array. Without a function, the shape is that of the weight.
    """

    first: float = 0.0
    shape: Callable[[tuple], tuple | None] | None = None


@dataclass(frozen=True)
class OptimizerRow:
    """An optimizer.

    Attributes
    ----------
    name : str
        What it is called here.
    keras : str
        Name of its class in ``keras.optimizers``.
    formula : callable
        ``f(w, g, state, rate, step)`` changes the weights `w` and `state`, a tuple of
        arrays, one for each slot. It may use up the gradients `g`. The `step` counts
        from 1. All are of float32. They are pieces of the flat weights of a network, or
        with `by_weight` one weight, with its shape.
    state : tuple of Slot
    description : str
        What it is, to be read after the name.
    source : str
        Authors and year.
    aliases : tuple of str
        Other spellings, in lower case and without spaces, dashes and underscores. The
        name, spelt with these, needs none.
    by_weight : bool
        Whether the formula looks at each weight as a whole.
    decay : float
        Share of the weights that is subtracted in each step, times the rate.
    counters : tuple of float
        First values of numbers that follow the slots in `state`, one for all weights
        together.
    count : callable or None
        ``f(counters, step)`` changes these, arrays of one number, before each step.
    kernel : str or None
        Name of the formula in C, if there is one.
    is_fused : bool
        Whether the fused step in C takes its steps.
    """

    name: str
    keras: str
    formula: Callable[..., None]
    state: tuple[Slot, ...]
    description: str
    source: str
    aliases: tuple[str, ...] = ()
    by_weight: bool = False
    decay: float = 0.0
    counters: tuple[float, ...] = ()
    count: Callable[..., None] | None = None
    kernel: str | None = None
    is_fused: bool = False


def _average(average, new, keep):
    """Move an average towards `new`, which is used up; `keep` of it stays."""
    new -= average
    new *= np.float32(1 - keep)
    average += new


def _root(x):
    """Return the square root of x, plus a small constant."""
    x = x + np.float32(EPSILON)
    return np.sqrt(x, out=x)


def _sgd(w, g, _state, rate, _step):
    g *= rate
    w -= g


def _adam(w, g, state, rate, step):
    m, v = state
    _average(v, g * g, BETA_2)
    _average(m, g, BETA_1)
    step_size = np.float32(adam_rate(rate, step))
    bottom = np.sqrt(v, out=g)
    bottom += np.float32(EPSILON)
    w -= step_size * m / bottom


def adam_rate(rate, step):
    """Return the step size that makes up for averages which began with zeros."""
    return rate * np.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)


def _momentum_ahead(step):
    """Return the share of the average that Nesterov's step takes."""
    return BETA_1 * (1 - 0.5 * 0.96**step)


def _multiply_momenta(counters, step):
    (product,) = counters
    product *= np.float32(_momentum_ahead(step))


def _nadam(w, g, state, rate, step):
    m, v, product = state
    _average(v, g * g, BETA_2)
    _average(m, g.copy(), BETA_1)
    now, after, product = _momentum_ahead(step), _momentum_ahead(step + 1), product[0]
    g *= np.float32((1 - now) / (1 - product))
    g += np.float32(after / (1 - product * after)) * m
    bottom = v / np.float32(1 - BETA_2**step)
    np.sqrt(bottom, out=bottom)
    bottom += np.float32(EPSILON)
    g *= rate
    g /= bottom
    w -= g


def _adamax(w, g, state, rate, step):
    m, largest = state
    largest *= np.float32(BETA_2)
    np.maximum(largest, np.abs(g), out=largest)
    _average(m, g, BETA_1)
    bottom = largest + np.float32(EPSILON)
    w -= np.float32(rate / (1 - BETA_1**step)) * m / bottom


def _rmsprop(w, g, state, rate, _step):
    (square,) = state
    _average(square, g * g, 0.9)
    g *= rate
    g /= _root(square)
    w -= g


def _adagrad(w, g, state, rate, _step):
    (total,) = state
    total += g * g
    g *= rate
    g /= _root(total)
    w -= g


def _adadelta(w, g, state, rate, _step):
    squares, changes = state
    _average(squares, g * g, 0.95)
    g *= _root(changes)
    g /= _root(squares)
    _average(changes, g * g, 0.95)
    g *= rate
    w -= g


def _norm(x):
    x = x.ravel()
    return np.sqrt(np.dot(x, x))


def _adafactor(w, g, state, rate, step):
    rows, columns, squares = state
    root_size = np.float32(np.sqrt(w.size))
    rate = min(rate, np.float32(1 / np.sqrt(step)))
    step_size = max(np.float32(1e-3), _norm(w) / root_size) * rate
    keep = 1 - float(step) ** -0.8
    new = g * g
    new += np.float32(1e-30)
    if rows is None:
        _average(squares, new, keep)
    else:
        _average(rows, new.mean(axis=-1), keep)
        _average(columns, new.mean(axis=-2), keep)
        shares = rows / rows.mean(axis=-1, keepdims=True)
        np.multiply(shares[..., None], columns[..., None, :], out=squares)
    g /= np.sqrt(squares)
    g *= step_size / max(np.float32(1), _norm(g) / root_size)
    w -= g


def _mean_of_rows(shape):
    return shape[:-1] if len(shape) > 1 else None


def _mean_of_columns(shape):
    return (*shape[:-2], shape[-1]) if len(shape) > 1 else None


def _ftrl(w, g, state, rate, _step):
    total, linear = state
    growth = np.sqrt(total)
    total += g * g
    root = np.sqrt(total)
    np.subtract(root, growth, out=growth)
    growth /= rate
    growth *= w
    g -= growth
    linear += g
    root /= -rate
    np.divide(linear, root, out=w)


def _lion(w, g, state, rate, _step):
    (m,) = state
    mixed = m * np.float32(0.9)
    mixed += np.float32(1 - 0.9) * g
    # Not `sign`, which is slow; a zero stays one.
    w -= np.copysign(rate, mixed) * (mixed != 0)
    m *= np.float32(0.99)
    g *= np.float32(1 - 0.99)
    m += g


def _lamb(w, g, state, rate, step):
    m, v = state
    _average(v, g * g, BETA_2)
    _average(m, g, BETA_1)
    update = m / np.float32(1 - BETA_1**step)
    bottom = np.divide(v, np.float32(1 - BETA_2**step), out=g)
    np.sqrt(bottom, out=bottom)
    bottom += np.float32(EPSILON)
    update /= bottom
    of_weight, of_update = _norm(w), _norm(update)
    if of_weight > 0 and of_update > 0:
        update *= of_weight / of_update
    update *= rate
    w -= update


_TWO: Any = (Slot(), Slot())

# Name -> its row.
OPTIMIZERS = {
    row.name: row
    for row in (
        OptimizerRow(
            name="adam",
            keras="Adam",
            formula=_adam,
            state=_TWO,
            description="averages of the gradient and of its square",
            source="Kingma & Ba, 2015",
            kernel="adam",
            is_fused=True,
        ),
        OptimizerRow(
            name="adamw",
            keras="AdamW",
            formula=_adam,
            state=_TWO,
            description="Adam with weights that decay by 0.004 of the learning rate",
            source="Loshchilov & Hutter, 2019",
            decay=0.004,
            kernel="adam",
        ),
        OptimizerRow(
            name="nadam",
            keras="Nadam",
            formula=_nadam,
            state=_TWO,
            description="Adam that looks one step ahead, as Nesterov's momentum does",
            source="Dozat, 2016",
            counters=(1.0,),
            count=_multiply_momenta,
        ),
        OptimizerRow(
            name="adamax",
            keras="Adamax",
            formula=_adamax,
            state=_TWO,
            description="Adam with the largest gradient in the place of squares",
            source="Kingma & Ba, 2015",
        ),
        OptimizerRow(
            name="sgd",
            keras="SGD",
            formula=_sgd,
            state=(),
            description="the plain gradient, without momentum",
            source="Robbins & Monro, 1951",
        ),
        OptimizerRow(
            name="rmsprop",
            keras="RMSprop",
            formula=_rmsprop,
            state=(Slot(),),
            description="the gradient by the root of an average of its square",
            source="Tieleman & Hinton, 2012",
        ),
        OptimizerRow(
            name="adagrad",
            keras="Adagrad",
            formula=_adagrad,
            state=(Slot(0.1),),
            description="the gradient by the root of the sum of its squares",
            source="Duchi et al., 2011",
        ),
        OptimizerRow(
            name="adadelta",
            keras="Adadelta",
            formula=_adadelta,
            state=_TWO,
            description="steps as large as the last ones, with a learning rate near 1",
            source="Zeiler, 2012",
        ),
        OptimizerRow(
            name="adafactor",
            keras="Adafactor",
            formula=_adafactor,
            state=(Slot(shape=_mean_of_rows), Slot(shape=_mean_of_columns), Slot()),
            description="steps in proportion to the weights, squares by row and column",
            source="Shazeer & Stern, 2018",
            by_weight=True,
        ),
        OptimizerRow(
            name="ftrl",
            keras="Ftrl",
            formula=_ftrl,
            state=(Slot(0.1), Slot()),
            description="the regularised leader: weights from the sum of all gradients",
            source="McMahan et al., 2013",
        ),
        OptimizerRow(
            name="lion",
            keras="Lion",
            formula=_lion,
            state=(Slot(),),
            description="the sign of an average, for a third to a tenth of the rate",
            source="Chen et al., 2023",
        ),
        OptimizerRow(
            name="lamb",
            keras="Lamb",
            formula=_lamb,
            state=_TWO,
            description="Adam's direction as long as each weight, for large batches",
            source="You et al., 2020",
            by_weight=True,
        ),
    )
}
