"""NumPy kernels for windows and padding: views where possible, one copy otherwise."""

import numpy as np
from numpy.lib.stride_tricks import as_strided


def sliding_windows(series, lookback, sampling_rate=1):
    """View a series as overlapping windows; no row is copied.

    Parameters
    ----------
    series : ndarray of shape (n_windows + (lookback - 1) * sampling_rate, n_features)
        Rows in time order, in any memory layout.
    lookback : int
        Steps of a window, at least 1.
    sampling_rate : int, default=1
        Rows between two consecutive steps of a window, at least 1.

    Returns
    -------
    windows : ndarray of shape (n_windows, lookback, n_features)
        Read-only view: ``windows[i, t]`` is ``series[i + t * sampling_rate]``.

    Raises
    ------
    ValueError
        If the series is shorter than one window.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn._data.windows import sliding_windows
    >>> sliding_windows(np.arange(4).reshape(-1, 1), lookback=2)[:, :, 0]
    array([[0, 1],
           [1, 2],
           [2, 3]])
    """
    span = (lookback - 1) * sampling_rate + 1
    n_windows = len(series) - span + 1
    if n_windows < 1:
        raise ValueError(
            f"lookback={lookback} with sampling_rate={sampling_rate} needs at least "
            f"{span} rows but the series has n={len(series)}."
        )
    row, column = series.strides
    shape = (n_windows, lookback, series.shape[1])
    # A single step has no next one; a large rate may overflow a number of bytes.
    step = sampling_rate if lookback > 1 else 1
    return _read_only_view(series, shape, (row, row * step, column))


def recognise_windows(X):
    """Find the series that an array of overlapping windows is a view of.

    The answer follows from the strides alone, so it holds for any slice of such a view
    and whoever made it. Memory outside of X is never touched.

    Parameters
    ----------
    X : ndarray of shape (n_windows, n_timesteps, n_features)

    Returns
    -------
    found : (series, step) or None
        `series` is a read-only view of shape (n_windows + (n_timesteps - 1) * step,
        n_features) on the memory of X, and ``X[i, t]`` is ``series[i + t * step]``.
        None if the windows of X share no row: a dense array, or a single window.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn._data.windows import recognise_windows, sliding_windows
    >>> X = sliding_windows(np.arange(9.0).reshape(-1, 1), lookback=3, sampling_rate=2)
    >>> series, step = recognise_windows(X[1:])
    >>> series.ravel(), step
    (array([1., 2., 3., 4., 5., 6., 7., 8.]), 2)
    >>> recognise_windows(X.copy()) is None
    True
    """
    n_windows, n_timesteps, n_features = X.shape
    window, time, feature = X.strides
    if min(window, time) <= 0 or time % window or (feature <= 0 and n_features > 1):
        return None
    step = time // window
    # With `step` windows or fewer they share no row, and may skip rows.
    if n_timesteps < 2 or n_features < 1 or n_windows <= step:
        return None
    shape = (n_windows + (n_timesteps - 1) * step, n_features)
    return _read_only_view(X, shape, (window, feature)), step


def pad_rows(series, n_rows, fill):
    """Put rows before a series.

    Parameters
    ----------
    series : ndarray of shape (n, n_features)
        At least one row if `fill` is "edge".
    n_rows : int
        Number of rows to put in front, 0 for none.
    fill : "edge", float, or ndarray of shape (n_rows, n_features)
        Repeat the first row, or one number everywhere, or the rows to put there.

    Returns
    -------
    padded : ndarray of shape (n_rows + n, n_features)
        A C-contiguous copy with the dtype of `series`.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn._data.windows import pad_rows
    >>> pad_rows(np.array([[3.0], [4.0]]), 2, "edge").ravel()
    array([3., 3., 3., 4.])
    """
    padded = np.empty((n_rows + len(series), series.shape[1]), dtype=series.dtype)
    padded[:n_rows] = series[:1] if isinstance(fill, str) else fill
    padded[n_rows:] = series
    return padded


def pad_series(rows, lengths, n_rows, fill):
    """Put rows before each of several series.

    Parameters
    ----------
    rows : ndarray of shape (n, n_features)
        The series, one after the other.
    lengths : ndarray of int
        Number of rows of each, at least 1.
    n_rows : int
        Number of rows to put in front of each.
    fill : "edge" or float
        The first row of the series again, or one number everywhere.

    Returns
    -------
    padded : ndarray of shape (len(lengths) * n_rows + n, n_features)

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn._data.windows import pad_series
    >>> rows = np.array([[3.0], [4.0], [7.0]])
    >>> pad_series(rows, np.array([2, 1]), 1, "edge").ravel()
    array([3., 3., 4., 7., 7.])
    """
    if isinstance(fill, str):
        # The first row itself is one of the repeats.
        times = np.ones(len(rows), dtype=np.intp)
        times[np.cumsum(lengths) - lengths] += n_rows
        return np.repeat(rows, times, axis=0)
    n_before = n_rows * np.repeat(np.arange(1, len(lengths) + 1), lengths)
    padded = np.full(
        (len(lengths) * n_rows + len(rows), rows.shape[1]), fill, dtype=rows.dtype
    )
    padded[np.arange(len(rows)) + n_before] = rows
    return padded


def pad_sequences(sequences, maxlen, padding="post", truncating="pre", value=0):
    """Bring sequences to one length.

    Parameters
    ----------
    sequences : list of ndarray (n_timesteps, ...), or ndarray (n, n_timesteps, ...)
        What follows the first axis of an element is the same for all.
    maxlen : int
        The length of every sequence in the result.
    padding, truncating : {"pre", "post"}
        At which end short sequences are filled, and long ones cut.
    value : scalar, default=0
        What short sequences are filled with.

    Returns
    -------
    dense : ndarray of shape (n, maxlen, ...)
        A view if `sequences` is an array in which nothing has to be filled.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn._data.windows import pad_sequences
    >>> pad_sequences([np.array([1, 2, 3]), np.array([4])], maxlen=2)
    array([[2, 3],
           [4, 0]])
    """
    if isinstance(sequences, np.ndarray):
        return _pad_equally_long(sequences, maxlen, padding, truncating, value)
    dtype = np.result_type(*{sequence.dtype for sequence in sequences})
    shape = (len(sequences), maxlen, *sequences[0].shape[1:])
    dense = np.full(shape, value, dtype=dtype)
    for row, sequence in zip(dense, sequences, strict=True):
        kept, place = _kept_and_place(len(sequence), maxlen, padding, truncating)
        row[place] = sequence[kept]
    return dense


def _pad_equally_long(X, maxlen, padding, truncating, value):
    kept, place = _kept_and_place(X.shape[1], maxlen, padding, truncating)
    if maxlen <= X.shape[1]:
        return X[:, kept]
    dense = np.full((len(X), maxlen, *X.shape[2:]), value, dtype=X.dtype)
    dense[:, place] = X[:, kept]
    return dense


def _kept_and_place(length, maxlen, padding, truncating):
    """Return which steps of a sequence stay, and their positions among `maxlen`."""
    # In NumPy's small types the difference may overflow.
    maxlen = int(maxlen)
    n_kept = min(length, maxlen)
    kept = slice(length - n_kept, None) if truncating == "pre" else slice(n_kept)
    place = slice(maxlen - n_kept, None) if padding == "pre" else slice(n_kept)
    return kept, place


def _read_only_view(array, shape, strides):
    # as_strided hides the owner of the memory behind an object that is no array;
    # made from the buffer, `view.base` is the series and shows what it costs.
    if array.flags.c_contiguous and not array.dtype.hasobject:
        view = np.ndarray(shape, array.dtype, buffer=array, strides=strides)
        view.flags.writeable = False
        return view
    return as_strided(array, shape, strides, writeable=False)
