"""Distributions that networks predict: one row each.

The losses, whose names are theirs, what is predicted, and quantiles and draws in y's
units are all read from `DISTRIBUTIONS`.
"""

from skrnn._networks.distributions.negative_binomial import NEGATIVE_BINOMIAL
from skrnn._networks.distributions.normal import NORMAL
from skrnn._networks.distributions.poisson import POISSON
from skrnn._networks.distributions.row import Distribution, Parameter
from skrnn._networks.distributions.student_t import STUDENT_T

__all__ = ["DISTRIBUTIONS", "Distribution", "Parameter"]

# Name -> its row.
DISTRIBUTIONS: dict[str, Distribution] = {
    row.name: row for row in (NORMAL, STUDENT_T, NEGATIVE_BINOMIAL, POISSON)
}
