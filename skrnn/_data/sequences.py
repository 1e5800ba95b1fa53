"""The internal form of every accepted X: rows, and where each sequence begins.

A dense array, a view of overlapping windows and a ragged list all become the same
thing: a table of rows and, for each sequence, its first row and its length. Nothing
is padded and windows are never copied; whoever needs a block of sequences gathers it.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import as_strided

from skrnn._data.series_windows import SeriesWindows
from skrnn._data.windows import recognise_windows


class Multiples:
    """The numbers first, first + step, ... in place of an array of them.

    They need no memory: an array would cost 8 bytes for each of ten million windows. A
    slice with step 1 is one of these too; any other selection is an array.

    Parameters
    ----------
    step : int
    n : int
        How many there are.
    first : int, default=0

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn._data.sequences import Multiples
    >>> numbers = Multiples(3, 5)[1:]
    >>> np.asarray(numbers)
    array([ 3,  6,  9, 12])
    >>> numbers[[0, 3]]
    array([ 3, 12])
    """

    def __init__(self, step, n, first=0):
        self.step, self.first, self._n = step, first, n

    def __len__(self):
        return self._n

    def __getitem__(self, rows):
        if isinstance(rows, slice):
            first, last, apart = rows.indices(self._n)
            n = len(range(first, last, apart))
            return Multiples(apart * self.step, n, self.first + first * self.step)
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        if (self.step, self.first) == (1, 0) and rows.dtype == np.int32:
            return rows
        # Row numbers may have a type in which products overflow.
        return rows.astype(np.intp, copy=False) * self.step + self.first

    def of(self, array):
        """Return the rows of an array that have these numbers: a view of it."""
        last = self.first + self._n * self.step
        return array[self.first : last : self.step]

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[np.arange(self._n)], dtype=dtype)


@dataclass(frozen=True)
class Sequences:
    """Sequences packed into one table of rows.

    Step ``t`` of sequence ``i`` is ``values[starts[i] + t * step]``.

    Attributes
    ----------
    values : ndarray of shape (n_rows, n_features) or (n_rows,)
        Rows of numbers, or token ids: one a step, or several in channels.
    starts : ndarray or Multiples of shape (n_sequences,)
        Row of `values` that holds the first step of each sequence.
    lengths : ndarray of shape (n_sequences,)
        Number of real steps of each sequence, at least 1.
    step : int
        Rows of `values` between two consecutive steps.
    form : {"columns", "dense", "ragged"}
        How the user gave them: (n, T), (n, T, F), or a list.
    n_timesteps : int
        Width of the dense form, or length of the longest sequence.
    offsets : ndarray of shape (n_sequences,) or None
        Padding steps that the user gave before each sequence.
    given_lengths : ndarray of shape (n_sequences,) or None
        Number of steps of each sequence as the user gave it, padding included; None
        where nothing is padding.
    empty : ndarray of bool of shape (n_sequences,) or None
        Sequences of padding only. They keep a single step of it, so that no length is
        0; None if there are none.
    vocabulary : dict, tuple of dict or None
        Word -> token id, where the words are known; one for each of several channels.
    """

    values: np.ndarray
    starts: np.ndarray | Multiples
    lengths: np.ndarray
    step: int = 1
    form: str = "dense"
    n_timesteps: int = 1
    offsets: np.ndarray | None = None
    given_lengths: np.ndarray | None = None
    empty: np.ndarray | None = None
    vocabulary: dict | tuple[dict, ...] | None = None

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def n_features(self) -> int:
        """Number of features of a step; token ids count as one."""
        return 1 if self.values.ndim == 1 else self.values.shape[1]

    @property
    def n_steps(self) -> int:
        """Number of real steps of all sequences."""
        if self.is_uniform:
            return len(self) * int(self.lengths[0])
        return int(self.lengths.sum())

    @property
    def lengths_as_given(self) -> np.ndarray:
        """Number of steps of each sequence as the user gave it, padding included."""
        return self.lengths if self.given_lengths is None else self.given_lengths

    @cached_property
    def is_uniform(self) -> bool:
        """Whether all sequences are equally long."""
        # A stride of 0 means that one number stands for all lengths.
        return self.lengths.strides == (0,) or self.lengths.min() == self.lengths.max()

    def take(self, rows) -> "Sequences":
        """Return the sequences at `rows`, sharing the same table of values."""
        if isinstance(rows, slice) and rows == slice(0, len(self)):
            return self
        names = "offsets", "given_lengths", "empty"
        known = {name: getattr(self, name) for name in names}
        taken = {name: of[rows] for name, of in known.items() if of is not None}
        starts = self.starts[rows]
        if self.lengths.strides == (0,) and len(starts):
            lengths = _same(self.lengths[0], len(starts))
        else:
            lengths = self.lengths[rows]
        return replace(self, starts=starts, lengths=lengths, **taken)

    def positions(self) -> np.ndarray:
        """Return the row of `values` of every real step, sequence after sequence."""
        first = np.repeat(self.starts, self.lengths)
        return first + self.step * step_numbers(self.lengths)

    def padded(self, lengths=None, n_steps=None) -> np.ndarray:
        """Return one block (longest, n, F); the last step is repeated as padding.

        Don't write to it: the block of one sequence is a view of the values.

        Parameters
        ----------
        lengths : ndarray of shape (n,) or None
            Read this many steps of each instead of all.
        n_steps : int or None
            Repeat the last step up to this many.
        """
        as_they_are = lengths is None and n_steps is None and self.is_uniform
        if as_they_are and len(self) == 1:
            starts, length = self.starts, int(self.lengths[0])
            first = starts.first if isinstance(starts, Multiples) else int(starts[0])
            return self.values[first : first + length * self.step : self.step, None]
        if as_they_are and isinstance(self.starts, Multiples):
            return self._evenly_spaced(self.starts.first, self.starts.step)
        lengths = self.lengths if lengths is None else lengths
        steps = np.arange(n_steps or lengths.max())[:, None]
        if len(steps) > lengths.min():
            steps = np.minimum(steps, lengths - 1)
        return self.values.take(np.asarray(self.starts) + self.step * steps, axis=0)

    def _evenly_spaced(self, first, apart):
        """Return the block of sequences that start `apart` rows from each other."""
        row, *others = self.values.strides
        view = as_strided(
            self.values[first:],
            (int(self.lengths[0]), len(self), *self.values.shape[1:]),
            (self.step * row, apart * row, *others),
            writeable=False,
        )
        return view.copy(order="C")


def are_windows(sequences) -> bool:
    """Whether each sequence is the one before it, one row later: windows of a series.

    Views of a series always are, whatever their `sampling_rate`; copies are compared by
    value.
    """
    n, length = len(sequences), sequences.n_timesteps
    if sequences.form == "ragged" or n < 2 or length < 2:
        return False
    first, second = np.asarray(sequences.starts[:2])
    if second - first != length or sequences.step > 1:
        return True
    X = sequences.values.reshape(n, length, -1)
    return np.array_equal(X[1:, :-1], X[:-1, 1:])


def step_numbers(lengths):
    """Return 0, 1, ..., length - 1 for each of `lengths`, one after the other."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)


def pack_dense(X, form):
    """Pack an array (n, T, F), (n, T) with ``form="columns"``, without copying it."""
    n_sequences, n_timesteps = X.shape[:2]
    return Sequences(
        values=X.reshape(n_sequences * n_timesteps, -1),
        starts=Multiples(n_timesteps, n_sequences),
        lengths=_same(n_timesteps, n_sequences),
        form=form,
        n_timesteps=n_timesteps,
    )


def _same(length, n):
    """Return `length` n times, in the memory of one."""
    # As numpy.broadcast_to does, which takes ten times as long.
    return np.ndarray(n, np.intp, np.intp(length), strides=(0,))


def pack_windows(X):
    """Pack overlapping windows (n, T, F) as their series; None if X is no such view."""
    if isinstance(X, SeriesWindows):
        return Sequences(
            values=X.table,
            starts=X.starts,
            lengths=_same(X.shape[1], len(X)),
            step=X.step,
            form="dense",
            n_timesteps=X.shape[1],
        )
    found = recognise_windows(X)
    if found is None:
        return None
    series, step = found
    return Sequences(
        values=series,
        starts=Multiples(1, len(X)),
        lengths=_same(X.shape[1], len(X)),
        step=step,
        form="dense",
        n_timesteps=X.shape[1],
    )


def pack_block(X):
    """Pack an array (n, T, F): as a series if it is a view of its windows."""
    return pack_windows(X) or pack_dense(X, "dense")


def pack_ragged(arrays):
    """Pack a list of (T_i, F) or (T_i,) arrays; their rows are put end to end."""
    lengths = np.array([len(array) for array in arrays])
    return Sequences(
        values=np.concatenate(arrays),
        starts=np.cumsum(lengths) - lengths,
        lengths=lengths,
        form="ragged",
        n_timesteps=int(lengths.max()),
    )


def strip_padding(tokens):
    """Leave out the zeros before and after the ids of each packed token sequence.

    A step of several channels is padding where all of them are 0. A sequence of zeros
    alone keeps one of them, so that no length is 0.
    """
    steps = tokens.values if tokens.values.ndim == 1 else tokens.values.any(axis=1)
    starts, lengths, step = np.array(tokens.starts), tokens.lengths.copy(), tokens.step
    empty = np.zeros(len(tokens), dtype=bool)
    for i, (start, length) in enumerate(
        zip(starts.copy(), tokens.lengths, strict=True)
    ):
        real = np.flatnonzero(steps[start : start + length * step : step])
        first, last = (real[0], real[-1]) if len(real) else (0, 0)
        starts[i], lengths[i] = start + first * step, last - first + 1
        empty[i] = not len(real)
    return replace(
        tokens,
        starts=starts,
        lengths=lengths,
        offsets=(starts - np.asarray(tokens.starts)) // step,
        given_lengths=tokens.lengths,
        empty=empty if empty.any() else None,
    )


def pack_steps(dense, sequences):
    """Return the real steps of an array (n, T, ...) as (n_real_steps, ...)."""
    if sequences.offsets is None and sequences.form != "ragged":
        return dense.reshape(-1, *dense.shape[2:])
    rows = np.repeat(np.arange(len(sequences)), sequences.lengths)
    columns = step_numbers(sequences.lengths)
    if sequences.offsets is not None:
        columns += np.repeat(sequences.offsets, sequences.lengths)
    return dense[rows, columns]


def pack_ragged_steps(arrays, sequences):
    """Return the real steps of arrays that have the lengths of the user's sequences."""
    if sequences.offsets is None:
        return np.concatenate(arrays)
    ends = sequences.offsets + sequences.lengths
    places = zip(arrays, sequences.offsets, ends, strict=True)
    return np.concatenate([array[first:end] for array, first, end in places])


def unpack_steps(steps, sequences, fill):
    """Undo `pack_steps`: an array with `fill` at the padding, or a ragged one."""
    if sequences.offsets is not None:
        steps = _filled(steps, sequences, fill)
    if sequences.form == "ragged":
        ends = np.cumsum(sequences.lengths_as_given)
        return ragged_array(np.split(steps, ends[:-1]))
    return steps.reshape(len(sequences), sequences.n_timesteps, *steps.shape[1:])


def _filled(steps, sequences, fill):
    """Return `steps` with `fill` at the padding between them, sequence by sequence."""
    ends = np.cumsum(sequences.lengths_as_given)
    first = ends - sequences.lengths_as_given + sequences.offsets
    places = np.repeat(first, sequences.lengths) + step_numbers(sequences.lengths)
    filled = np.full((ends[-1], *steps.shape[1:]), fill, dtype=steps.dtype)
    filled[places] = steps
    if sequences.empty is not None:
        filled[first[sequences.empty]] = fill
    return filled


def ragged_array(arrays):
    """Return a one-dimensional object array whose elements are `arrays`."""
    ragged = np.empty(len(arrays), dtype=object)
    # Elementwise: assigning a list of equally long arrays would stack them.
    for i, array in enumerate(arrays):
        ragged[i] = array
    return ragged
