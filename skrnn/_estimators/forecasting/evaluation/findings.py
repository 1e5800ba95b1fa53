"""What a check for leakage found, in words."""

from dataclasses import dataclass

_UNSEEN = (
    "The columns of X were made before this check: of these it sees scaling over all "
    "rows, and sums of values of y that come later, but not every leak. Pass the "
    "function that makes them as X, and it sees all."
)


@dataclass(frozen=True)
class Leak:
    """One way in which the future gets in.

    Attributes
    ----------
    kind : {"targets", "order", "predictions", "features", "columns", "frozen"}
        What it was found in.
    split : int or None
        The first split that has it; None for what is in the data themselves.
    message : str
    """

    kind: str
    split: int | None
    message: str

    def __str__(self):
        where = "" if self.split is None else f"split {self.split}: "
        return f"[{self.kind}] {where}{self.message}"


@dataclass(frozen=True)
class LeakageReport:
    """What `check_leakage` found.

    Attributes
    ----------
    leaks : tuple of Leak
        Empty if nothing leaks that can be seen.
    notes : tuple of str
        What couldn't be seen, and what may be meant.
    n_splits : int
        Splits that were tried.
    """

    leaks: tuple[Leak, ...]
    notes: tuple[str, ...]
    n_splits: int

    def __str__(self):
        n, splits = len(self.leaks), f"{self.n_splits} splits"
        head = f"{n} leak{'s' * (n != 1)} in {splits}" if n else f"No leak in {splits}"
        lines = [f"- {each}" for each in self.leaks]
        return "\n".join([f"{head}.", *lines, *(f"  Note: {n}" for n in self.notes)])


def first_of_each(found: list[Leak]) -> tuple[Leak, ...]:
    """Keep the first of the leaks that say the same of several splits."""
    # What moves is another row in each split.
    keys = [each.kind if each.kind == "predictions" else each.message for each in found]
    first = dict(reversed([*zip(keys, found, strict=True)]))
    kept = set(map(id, first.values()))
    return tuple(each for each in found if id(each) in kept)


def notes_on(*, unseen: bool, ahead: int | None, two_sided: bool) -> tuple[str, ...]:
    """Say what couldn't be seen, and what may be meant.

    Parameters
    ----------
    unseen : bool
        Whether columns were made before the check.
    ahead : int or None
        Rows that the targets were found to lie ahead; None of a forecaster.
    two_sided : bool
        Whether the splitter means to train on what is later.
    """
    notes = [_UNSEEN] if unseen else []
    if ahead:
        notes.append(
            f"The targets lie up to {ahead} rows ahead of their own, by `horizon`, "
            "their names or the values of X. If X holds lags of y instead, horizon=0."
        )
    elif ahead is not None:
        notes.append(
            "No target was found to lie ahead of its row. If it does, say how far by "
            "`horizon`."
        )
    if two_sided:
        notes.append(
            "Rows after the test part are trained on, as two_sided=True says: no "
            "forecast made at that time could have known them."
        )
    return tuple(notes)
