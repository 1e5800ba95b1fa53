"""What a row of `DISTRIBUTIONS` says of a distribution."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from skrnn._networks.formulas import softplus


@dataclass(frozen=True)
class Parameter:
    """A parameter of a distribution, and how an output of the network becomes it.

    Attributes
    ----------
    name : str
    above : float or None
        Lower bound: the parameter is that plus the softplus of the output. None if it
        may be any number, and is the output itself.
    """

    name: str
    above: float | None = None

    def of_output(self, ops, z):
        """Return the parameter for outputs."""
        return z if self.above is None else self.above + softplus(ops, z)

    def slope(self, z) -> Any:
        """Return the derivative of the parameter by the output, in NumPy."""
        return 1.0 if self.above is None else expit(z)


@dataclass(frozen=True)
class Distribution:
    """A distribution that a network can predict: its parameters are the predictions.

    Predictions of K targets, (n, P * K), have the first parameter of all targets, then
    the second one of all, and so on.

    Attributes
    ----------
    name : str
        Name of the distribution, and of the loss that is its negative log-likelihood.
    parameters : tuple of Parameter
        The P parameters, in the order of the outputs.
    losses : callable
        ``f(ops, *columns, *parameters) -> losses (..., K)``: the negative logarithm of
        the density, or of the probability, of targets (..., K). `columns` are those of
        the targets in a batch: the target, and for counts also the scale.
    slopes : callable
        ``f(*columns, *parameters) -> gradients``: the derivatives of the losses by each
        of the parameters, in NumPy.
    in_scipy : callable
        ``f(level, scale, *parameters)``: the distribution of ``scipy.stats``, in y's
        own units.
    description : str
        What it is, to be read after the name.
    source : str
        Authors and year of networks, or models, that are trained with it.
    counts : bool
        Whether it is of counts 0, 1, 2, ... These aren't normalised: in a batch each
        target has a second column, the scale of its window, and the predicted mean is a
        multiple of it. They have no level.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn._networks.distributions import DISTRIBUTIONS
    >>> normal = DISTRIBUTIONS["normal"]
    >>> predicted = np.array([[0.5, 2.0]])  # location and spread of one target
    >>> normal.mean(predicted, level=10, scale=4)
    array([[12.]])
    >>> normal.quantiles(predicted, [0.1, 0.5, 0.9], level=10, scale=4).round(1)
    array([[[ 1.7, 12. , 22.3]]])
    >>> normal.draw(predicted, 3, np.random.default_rng(0)).shape
    (3, 1, 1)
    """

    name: str
    parameters: tuple[Parameter, ...]
    losses: Callable[..., Any]
    slopes: Callable[..., tuple[Any, ...]]
    in_scipy: Callable[..., Any]
    description: str
    source: str
    counts: bool = False

    @property
    def target_columns(self) -> int:
        """The columns that each target has in a batch."""
        return 2 if self.counts else 1

    def frozen(self, predictions, level=0.0, scale=1.0):
        """Return the distribution of ``scipy.stats`` in y's own units.

        Parameters
        ----------
        predictions : ndarray of shape (n, P * K)
            As ``skrnn._engine.predict`` returns them.
        level, scale : float, or ndarray of shape (n, 1) or (n, K)
            Of the windows: y is ``level + scale * normalised``. Counts have no level:
            it isn't read.

        Returns
        -------
        distribution : frozen distribution of scipy.stats
            Of n times K targets: its `mean`, `median` and `std` are (n, K).
        """
        parameters = np.split(predictions, len(self.parameters), axis=-1)
        return self.in_scipy(level, scale, *parameters)

    def mean(self, predictions, level=0.0, scale=1.0):
        """Return the means (n, K) in y's units; for the rest see `frozen`."""
        return self.frozen(predictions, level, scale).mean()

    def quantiles(self, predictions, quantiles, level=0.0, scale=1.0):
        """Return the quantiles at Q levels, (n, K, Q), in y's units; see `frozen`."""
        frozen = self.frozen(predictions, level, scale)
        return np.stack([frozen.ppf(each) for each in quantiles], axis=-1)

    def draw(self, predictions, n_samples, rng, level=0.0, scale=1.0):
        """Draw (n_samples, n, K) values in y's units; see `frozen`.

        `rng` is a ``numpy.random.Generator``.
        """
        n, width = predictions.shape
        shape = n_samples, n, width // len(self.parameters)
        frozen = self.frozen(predictions, level, scale)
        return frozen.rvs(shape, random_state=rng)
