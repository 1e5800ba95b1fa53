"""What a transformer remembers of the rows in `fit`, and which rows follow them."""

from dataclasses import dataclass, replace

from skrnn._data.rows.labels import RowLabels, continues, paired

# Labels are kept for error messages only, and not more than these.
_MOST_LABELS = 1_000_000


@dataclass(frozen=True)
class History:
    """What a transformer remembers of the rows in `fit`, series by series.

    Attributes
    ----------
    is_panel : bool
        Whether there were several series, or one with a name. A series without a name
        has the key None.
    end : RowLabels or None
        The last labels of all rows, if labels count the rows of all series.
    ends : dict of RowLabels, or None
        The last labels of each series. None for rows without an index.
    seen : dict of RowLabels, or None
        All labels, if there weren't too many to keep.
    forms : tuple of str
        How strings that are dates were read.
    """

    is_panel: bool
    end: RowLabels | None = None
    ends: dict | None = None
    seen: dict | None = None
    forms: tuple = ()

    @classmethod
    def of(cls, rows, *, keep_labels):
        """Remember the ends of `rows`, and all labels if there aren't too many."""
        is_panel = rows.keys is not None
        if rows.labels is None:
            return cls(is_panel)
        end = rows.labels.end() if rows.are_counted else None
        # Without the original strings of dates, which nothing needs.
        bare = replace(rows, labels=rows.labels.bare())
        series = dict(labels_by_series(bare))
        ends = {key: labels.end() for key, labels in series.items()}
        kept = keep_labels and rows.n_rows <= _MOST_LABELS
        seen = series if kept else None
        return cls(is_panel, end, ends, seen, rows.labels.forms)

    def continued(self, rows):
        """Return the names of those series of `rows` that follow what was seen.

        Rows without labels are assumed to follow.
        """
        series, ends = dict(labels_by_series(rows)), self.ends
        if ends is None or rows.labels is None:
            return set(series)
        counted = self.end is not None and rows.are_counted
        if counted and continues(self.end, rows.labels):
            return set(series)
        known = series.keys() & ends.keys()
        return {key for key in known if continues(ends[key], series[key])}

    def first_unjoined(self, rows, continued):
        """Return the first label of a series that doesn't follow, and fit's last label.

        Only later series are looked at; None if all of them are in `continued`.
        """
        if self.ends is None or rows.labels is None:
            return None
        for key, labels in labels_by_series(rows):
            if key in self.ends and key not in continued:
                end = self.ends[key]
                pairs = paired(end, labels)
                if any(_is_later(last, new, self.seen) for last, new in pairs):
                    return labels.given[0], end.given[-1]
        return None

    def first_skipped(self, rows):
        """Return a new label that lies between those of `fit`, or None.

        Rows of a shuffled fold have such labels, and so have those of a fold at the
        beginning or in the middle of the data.
        """
        if self.seen is None or rows.labels is None:
            return None
        skipped = (
            _left_out(self.seen[key], labels)
            for key, labels in labels_by_series(rows)
            if key in self.seen
        )
        return next((label for label in skipped if label is not None), None)


def _is_later(end, labels, seen):
    if end.kind == labels.kind == "names":
        # Names have no order, but a name that fit saw is no later row.
        known = [] if seen is None else seen.values()
        return seen is not None and not any(labels.index[0] in s.index for s in known)
    try:
        return end.kind != labels.kind or bool(labels.index[0] > end.index[-1])
    except TypeError:
        # Only one of them has a time zone, or one is a period.
        return True


def _left_out(seen, labels):
    """Return the first label that was left out in every reading, or None."""
    found = [_first_left_out(*pair) for pair in paired(seen, labels)]
    return found[0] if all(label is not None for label in found) else None


def _first_left_out(seen, labels):
    if seen.kind != labels.kind or seen.kind == "names":
        return None
    try:
        early = labels.index[labels.index < seen.index[-1]]
    except TypeError:
        return None
    left_out = early[~early.isin(seen.index)]
    return left_out[0] if len(left_out) else None


def labels_by_series(rows):
    """Yield the name of each series and its labels, or None without an index."""
    keys = [None] if rows.keys is None else rows.keys
    for key, places in zip(keys, rows.by_series(), strict=True):
        yield key, None if rows.labels is None else rows.labels[places]
