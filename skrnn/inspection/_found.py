"""What functions of this module return: a Bunch that prints its outline."""

from typing import Any

import numpy as np
from sklearn.utils import Bunch


class Found(Bunch):
    """A Bunch that is printed without the numbers of its arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.inspection._found import Found
    >>> Found(hidden=np.zeros((2, 60)), weights={"rnn/kernel": 0.1}, loss=0.25)
    hidden   array of shape (2, 60)
    weights  of rnn/kernel
    loss     0.25
    """

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        return "\n".join(
            f"{name:<{width}}  {_outline(value)}" for name, value in self.items()
        )


def _outline(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.ndim:
        return f"array of shape {value.shape}"
    if isinstance(value, dict):
        return f"of {', '.join(map(str, value))}" if value else "empty"
    return f"{value:.6g}" if isinstance(value, float) else repr(value)
