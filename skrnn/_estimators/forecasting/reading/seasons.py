"""The seasonal periods of series, from their frequency and their autocorrelation.

A period counts if the autocorrelation at that lag exceeds Bartlett's limit, the test of
the M4 competition's benchmarks (Fiorucci et al., 2016, "Models for optimising the theta
method and their relationship to state space models"; Makridakis et al., 2020, "The M4
Competition: 100,000 time series and 61 forecasting methods"). It adds up the lags to a
quarter of the period here instead of all, or a smooth season would hide itself.

It is made on changes instead of values, which neither a trend nor a random walk
correlates, and after a moving average of a twelfth of the period, so that noise from
row to row doesn't hide a long period. Where a season was found, a longer one is looked
for in the changes from one season to the next, where the shorter is gone.
"""

import re
from dataclasses import dataclass

import numpy as np
from scipy import fft
from scipy.special import ndtri

# Quantiles of the normal distribution: one-sided tests at 5 and 1 %.
LEVEL_OF_MANY, LEVEL_OF_FEW, PROBABILITY_OF_FEW = 1.645, 2.326, 0.01
# So many series are many: a share of them decides, and not each for itself.
MANY_SERIES = 20
SHARE_OF_MANY, SHARE_OF_FEW = 0.1, 0.5
# Less can be told from noise in a long series, but isn't worth a lookback of periods.
LEAST_CORRELATION, LEAST_OF_LONGER = 0.05, 0.1
# At most so many series, and about so many rows of them, are looked at.
MOST_SERIES, MOST_ROWS = 200, 1_000_000
FEWEST_SERIES, MOST_LENGTH = 8, 100_000
# Periods that a series needs for a test; from two to four, the frequency is trusted.
PERIODS_TO_TEST, PERIODS_TO_TRUST, PERIODS_TO_DOUBT = 3, 2, 4
# The moving average is a twelfth of a period.
WIDTHS_OF_PERIOD = 12
# Wider ones would bring out slow waves, which aren't worth a lookback of periods.
WIDEST_OF_SEARCH = 4
# A period is a fraction of the true one if it correlates less than so much of what one
# of its multiples does. Weeks (7, or 5 working days) may correlate more than days.
SHARE_OF_MULTIPLES, MULTIPLES = 0.85, np.array([2, 3, 4, 6, 8, 9, 10, 11, 12])
# A multiple is no period of its own if the shorter one correlates so much of it.
SHARE_OF_MULTIPLE = 0.5
SECONDS = {"s": 1, "min": 60, "h": 3600}
# Spans of time that come again, in seconds.
MINUTE, HOUR, DAY, WEEK = 60, 3600, 86_400, 604_800
# Names of frequencies without their number and anchor -> periods in a season.
PERIODS = {
    "D": 7,
    "W": 52,
    **dict.fromkeys(("B", "C"), 5),
    **dict.fromkeys(("SM", "SME", "SMS"), 24),
    **dict.fromkeys(("M", "ME", "MS", "BM", "BME", "BMS", "CBME", "CBMS"), 12),
    **dict.fromkeys(("WOM", "LWOM"), 12),
    **dict.fromkeys(("Q", "QE", "QS", "BQ", "BQE", "BQS"), 4),
    **dict.fromkeys(("Y", "YE", "YS", "A", "AS", "BY", "BYE", "BYS"), 1),
    # Below the second nothing comes again that a calendar knows of.
    **dict.fromkeys(("ms", "us", "ns", "L", "U", "N"), 1),
}
OLD_NAMES = {"H": "h", "T": "min", "S": "s"}


def find_seasonal_periods(y, lengths, frequency=None, *, candidates=None):
    """Find the seasonal periods of one or more series.

    With a frequency, its one or two usual periods are tested: 24 and 168 rows for
    hours, 7 for days, 12 for months, 4 for quarters. Without, every period of up to a
    third of the rows is, and then the multiples of the clearest.

    In a panel of 20 series and more, a period counts if a tenth of those with three
    periods and more pass the test at 5 %; among fewer, if half of them pass it at 1 %.
    Where all periods are tried, the levels are 1 %, and 1 % divided by their number.

    If no series has four periods but some have two, the shortest of the frequency is
    taken at its word: on M3 Monthly and Quarterly cut to so many rows, forecasts with
    seasonal indices are better without a test than with one, by 1.1 points of sMAPE at
    36 months and .5 at 8 quarters.

    A year of days (365) isn't tested: a network forecasts daily temperatures worse with
    a lookback of years than with one of weeks, and the calendar tells the season.
    Waves of a length that varies, as the 11 years of sunspots, may be found where there
    is no frequency.

    Parameters
    ----------
    y : ndarray of shape (n_rows, K)
        Series after series, in time order; NaN where a value is missing.
    lengths : ndarray of int of shape (n_series,)
        Rows of each series.
    frequency : str, pandas offset or None, default=None
        Of the index; None, or one that isn't known here, if there is none.
    candidates : iterable of int or None, default=None
        Periods to test instead of those of the frequency.

    Returns
    -------
    periods : tuple of int
        In ascending order; empty without a season, and at most two if searched for.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn._estimators.forecasting.reading.seasons import find_seasonal_periods
    >>> months = np.arange(120)
    >>> y = np.sin(2 * np.pi * months / 12).reshape(-1, 1)
    >>> find_seasonal_periods(y, np.array([120]), "MS")
    (12,)
    >>> find_seasonal_periods(y, np.array([120]))
    (12,)
    >>> find_seasonal_periods(months.reshape(-1, 1), np.array([120]), "MS")
    ()
    """
    series = sampled_series(np.asarray(y, dtype=np.float64), np.asarray(lengths))
    if candidates is None:
        candidates = usual_periods(frequency)
    if candidates is None:
        return _search(series)
    return _test_each(series, sorted({int(p) for p in candidates if p > 1}))


def usual_periods(frequency):
    """Return the usual periods of a frequency in ascending order, or None.

    There are none for years and frequencies that no season divides, and None is for
    frequencies that aren't known.

    Examples
    --------
    >>> from skrnn._estimators.forecasting.reading.seasons import usual_periods
    >>> usual_periods("30min"), usual_periods("W-SUN"), usual_periods("YS")
    ((48, 336), (52,), ())
    """
    name = getattr(frequency, "freqstr", frequency)
    matched = re.fullmatch(r"(\d*)([A-Za-z]+)(-.*)?", str(name))
    if not matched:
        return None
    number, base = int(matched[1] or 1), OLD_NAMES.get(matched[2], matched[2])
    if base == "D" and number % 7 == 0:
        number, base = number // 7, "W"
    if base in SECONDS:
        return _periods_of_clock(number * SECONDS[base])
    return _whole(PERIODS[base], number) if base in PERIODS else None


def _periods_of_clock(seconds):
    """Return what comes again twice: minute and hour, hour and day, or day and week."""
    if seconds < MINUTE:
        spans = MINUTE, HOUR
    elif seconds < 5 * MINUTE:
        spans = HOUR, DAY
    else:
        spans = DAY, WEEK
    return tuple(period for span in spans for period in _whole(span, seconds))


def _whole(span, step):
    return (span // step,) if span % step == 0 and span > step else ()


def sampled_series(y, lengths):
    """Return up to 200 series, taken evenly, as a list of ndarrays of shape (n,).

    Each with its last 100,000 rows, and missing values on the line between their
    neighbours. Constant ones are left out.
    """
    starts, n_targets = np.cumsum(lengths) - lengths, y.shape[1]
    n_series = len(lengths) * n_targets
    affordable = MOST_ROWS * len(lengths) // max(len(y), 1)
    most = min(max(affordable, FEWEST_SERIES), MOST_SERIES, n_series)
    taken = np.linspace(0, n_series - 1, most).round().astype(int)
    series = []
    for i, target in zip(*divmod(taken, n_targets), strict=True):
        values = y[starts[i] : starts[i] + lengths[i], target][-MOST_LENGTH:]
        known = np.flatnonzero(np.isfinite(values))
        if len(known) > 1 and np.ptp(values[known]) > 0:
            series.append(np.interp(np.arange(len(values)), known, values[known]))
    return series


# ---- one period at a time


def _test_each(series, candidates):
    """Return those of the candidates that count, the shortest first."""
    if candidates and not _long_enough(series, candidates[0], PERIODS_TO_DOUBT):
        trusted = _long_enough(series, candidates[0], PERIODS_TO_TRUST)
        return tuple(candidates[:1]) if trusted else ()
    found: tuple[int, ...] = ()
    for period in candidates:
        smoothing, distance = _widths(period, found)
        seen = _Correlograms.of(series, np.array([period]), smoothing, distance)
        least = LEAST_OF_LONGER if found else LEAST_CORRELATION
        if seen.counts(searched=False, least=least)[0]:
            found += (period,)
    return found


def _long_enough(series, period, periods):
    return [values for values in series if len(values) >= periods * period]


def _widths(period, shorter):
    """Return the rows of the moving average, and those from one value to the next.

    The changes over a shorter season don't have it any more. Averages over whole
    shorter seasons don't either, where it doesn't divide the period.
    """
    width = max(1, period // WIDTHS_OF_PERIOD)
    if not shorter:
        return width, width
    last = shorter[-1]
    if period % last == 0:
        return max(1, last // WIDTHS_OF_PERIOD), last
    width = last * max(1, round(width / last))
    return width, width


# ---- all periods


def _search(series):
    """Return the clearest period, and the next one among its multiples."""
    first = _clearest(series)
    if first is None:
        return ()
    longest = max(map(len, series)) // PERIODS_TO_TEST
    multiples = np.arange(first, longest + first + 1, first)
    if len(multiples) < 3:
        return (first,)
    smoothing, distance = _widths(2 * first, (first,))
    peaks = _Correlograms.of(series, multiples, smoothing, distance).peaks()
    longer = [period for period, r in peaks.items() if r >= LEAST_OF_LONGER]
    return (first, *longer[:1])


def _clearest(series):
    """Return the period that correlates most, but for multiples of others, or None."""
    own: dict[int, float] = {}
    for period, r in _peaks_of_all(series).items():
        enough = SHARE_OF_MULTIPLE * r
        shorter = [p for p, r_of_shorter in own.items() if r_of_shorter >= enough]
        if not any(_is_multiple(period, p) for p in shorter):
            own[period] = r
    return max(own, key=own.__getitem__, default=None)


def _is_multiple(period, shorter):
    times = round(period / shorter)
    return times > 1 and abs(period - times * shorter) * WIDTHS_OF_PERIOD <= shorter


def _peaks_of_all(series):
    """Return period -> mean autocorrelation; the longer, the smoother the series."""
    longest = max(map(len, series), default=0) // PERIODS_TO_TEST
    peaks: dict[int, float] = {}
    shortest, width = 2, 1
    while shortest <= longest:
        end = min(2 * WIDTHS_OF_PERIOD * width - 1, longest)
        if width == WIDEST_OF_SEARCH:
            end = longest
        # With those beside them, for the peaks among them.
        periods = np.arange(shortest - 1, end + 2)
        peaks |= _Correlograms.of(series, periods, width, width).peaks()
        shortest, width = end + 1, 2 * width
    return peaks


# ---- the test


@dataclass(frozen=True)
class _Correlograms:
    """Autocorrelations of the changes of series at some periods.

    Attributes
    ----------
    periods : ndarray of int of shape (n_periods,)
        Evenly apart, in ascending order.
    lengths : ndarray of int of shape (n_series,)
        Rows of the series.
    r, errors : ndarray of shape (n_series, n_periods)
        The autocorrelations, and how many times their standard errors they are.
    mean : ndarray of shape (n_lags,)
        Of the autocorrelations at all lags, over the series.
    """

    periods: np.ndarray
    lengths: np.ndarray
    r: np.ndarray
    errors: np.ndarray
    mean: np.ndarray

    @classmethod
    def of(cls, series, periods, smoothing, distance):
        """Take those of the series that have three of the shortest period."""
        taken = _long_enough(series, periods[0], PERIODS_TO_TEST)
        n_lags = max([2 * periods[-1], *(len(values) // 2 for values in taken)])
        rows, mean = np.zeros((2, len(taken), len(periods))), np.zeros(n_lags + 1)
        for i, values in enumerate(taken):
            changes = _changes(values, smoothing, distance)
            r = _autocorrelations(changes, max(2 * periods[-1], len(values) // 2))
            errors = _in_errors(r, changes, periods, smoothing + distance)
            rows[:, i] = r[periods], errors
            mean[: len(r)] += r / len(taken)
        lengths = np.array(list(map(len, taken)), dtype=int)
        return cls(periods, lengths, rows[0], rows[1], mean)

    def counts(self, searched, least=LEAST_CORRELATION):
        """Tell of each period whether enough of the series have it.

        It is `searched` if all periods were tried. Below the `least` autocorrelation a
        series doesn't have it.
        """
        long_enough = PERIODS_TO_TEST * self.periods <= self.lengths[:, None]
        tested = long_enough.sum(axis=0)
        # Bonferroni's correction: as many periods were tried as a third of the rows.
        tried = self.lengths.max(initial=3) // PERIODS_TO_TEST if searched else 1
        level_of_few = ndtri(1 - PROBABILITY_OF_FEW / tried)
        level_of_many = LEVEL_OF_FEW if searched else LEVEL_OF_MANY
        # Of series without a season, a twentieth passes: three standard errors above.
        noise = 0.05 + 3 * np.sqrt(0.05 * 0.95 / np.maximum(tested, 1))
        many = tested >= MANY_SERIES
        share = np.where(many, np.maximum(SHARE_OF_MANY, noise), SHARE_OF_FEW)
        level = np.where(many, level_of_many, level_of_few)
        passed = (self.errors > level) & (self.r >= least) & long_enough
        return (tested > 0) & (passed.sum(axis=0) >= share * tested)

    def peaks(self):
        """Return period -> mean autocorrelation of those that count, ascending.

        They are local peaks and no fraction of another period. The first and the last
        are none: they are there to compare with.
        """
        if not len(self.r):
            return {}
        mean, peak = self.mean[self.periods], np.zeros(len(self.periods), dtype=bool)
        peak[1:-1] = (mean[1:-1] >= mean[:-2]) & (mean[1:-1] >= mean[2:])
        lags = self.periods[:, None] * MULTIPLES
        last = len(self.mean) - 1
        multiples = np.where(lags <= last, self.mean[np.minimum(lags, last)], -1)
        whole = mean >= SHARE_OF_MULTIPLES * multiples.max(axis=1)
        found = np.flatnonzero(self.counts(searched=True) & peak & whole)
        periods = self.periods[found].tolist()
        return dict(zip(periods, mean[found].tolist(), strict=True))


def _changes(values, smoothing, distance):
    """Return the changes of moving averages in their own unit, without outliers."""
    values = np.ldexp(values, -np.frexp(np.abs(values).max())[1])  # Huge sums overflow.
    size = np.abs(values).max() + np.ptp(values) * len(values)
    rounding = np.finfo(float).eps * size
    if smoothing > 1:
        sums = np.cumsum(np.concatenate([[0.0], values - values[0]]))
        values = (sums[smoothing:] - sums[:-smoothing]) / smoothing
    changes = values[distance:] - values[:-distance]
    changes = changes - np.median(changes)
    largest = np.abs(changes).max()
    # What is left of a straight line are errors of rounding.
    if largest <= 4 * rounding:
        return np.zeros(len(changes))
    changes /= largest
    # The standard deviation of normal values, as their median deviation tells it.
    spread = 1.4826 * np.median(np.abs(changes))
    if spread > 0:
        changes = np.clip(changes, -4 * spread, 4 * spread)
    return changes - changes.mean()


def _autocorrelations(values, n_lags):
    """Return the autocorrelations at lags 0 to n_lags, 0 where there are none."""
    products = _products(values, n_lags)
    return products / products[0] if products[0] > 0 else np.zeros(n_lags + 1)


def _products(values, n_lags):
    """Return the sums of products of values at distances of 0 to n_lags."""
    size = fft.next_fast_len(len(values) + n_lags + 1, real=True)
    spectrum = fft.rfft(values, size)
    return fft.irfft(spectrum.real**2 + spectrum.imag**2, size)[: n_lags + 1]


def _in_errors(r, changes, periods, memory):
    """Return the autocorrelations in standard errors, if there were only short ones.

    The mean over the period around is taken off: it is about 0 with a season, and as
    high as the peak itself where everything correlates. The error grows where large
    changes follow each other at that distance, as those of prices do.
    """
    squares = changes**2
    together = _products(squares, len(r) - 1)[periods]
    # 1 without such a distance.
    clustered = len(changes) * together / max(squares.sum() ** 2, 1e-300)
    known = np.maximum(periods // 4, memory)
    shorter = 1 + 2 * np.cumsum(r[1:] ** 2)[np.minimum(known, periods) - 2]
    errors = np.sqrt(np.maximum(clustered, 1) * shorter / len(changes))
    sums, half = np.cumsum(np.concatenate([[0.0], r])), periods // 2
    first, last = periods - half, periods + half
    ends = np.where(periods % 2 == 0, (r[first] + r[last]) / 2, 0)
    around = (sums[last + 1] - sums[first] - ends) / periods
    return np.minimum(r[periods], r[periods] - around) / errors
