"""The candidates of a search and their scores, read and drawn."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from skrnn.inspection._drawing import BLUE, GREY, INK, LIGHT, SMALL, legend, tidy, title

# More names than these can't be read beside one another.
N_SHOWN = 12
LONGEST_VALUE = 18


def scores_of(search: Any, metric: str | None) -> pd.DataFrame:
    """Return one row for each candidate, of each iteration of a halving search.

    Parameters
    ----------
    search : GridSearchCV or the like
        Fitted.
    metric : str or None
        Which score, where the search has several.

    Returns
    -------
    scores : DataFrame
        "id" and "candidate", its parameters that aren't the same for all; "score" and
        "std", its mean and standard deviation over the folds; "is_best"; of a halving
        search "n_resources". ``attrs["score"]`` names the score.
    """
    results, metric = search.cv_results_, _metric_of(search, metric)
    name, sign = _name_and_sign(search, metric)
    best = getattr(search, "best_index_", None)
    found = pd.DataFrame(
        {
            "id": pd.factorize(np.array(list(map(repr, results["params"]))))[0],
            "candidate": labels_of(results["params"]),
            "score": sign * np.asarray(results[f"mean_test_{metric}"], dtype=float),
            "std": np.asarray(results[f"std_test_{metric}"], dtype=float),
        }
    )
    if best is None:
        best = int(np.argmin(results[f"rank_test_{metric}"]))
    found["is_best"] = np.arange(len(found)) == best
    if "n_resources" in results:
        found["n_resources"] = results["n_resources"]
        found.attrs["resource"] = search.resource
    found.attrs |= {"score": name, "n_folds": search.n_splits_, "less": sign < 0}
    return found


def _metric_of(search, metric):
    """Return the score's name in ``cv_results_``."""
    names = [
        name.removeprefix("mean_test_")
        for name in search.cv_results_
        if name.startswith("mean_test_")
    ]
    if metric is None and isinstance(search.refit, str):
        return search.refit
    chosen = metric or names[0]
    if chosen not in names or (metric is None and len(names) > 1):
        known = ", ".join(map(repr, names))
        raise ValueError(f"scoring must be one of {known}. Got {metric!r}.")
    return chosen


def _name_and_sign(search, metric):
    """Return the score as it is called, and -1 if scikit-learn negated an error."""
    scoring = search.scoring
    if isinstance(scoring, dict):
        scoring = scoring[metric] if isinstance(scoring[metric], str) else metric
    elif not isinstance(scoring, str):
        scoring = metric
    is_error = scoring.startswith("neg_")
    name = scoring.removeprefix("neg_").replace("_", " ").capitalize()
    return name, -1 if is_error else 1


def labels_of(candidates: list[dict]) -> list[str]:
    """Name candidates by their parameters that differ, as short as can be."""
    names = list(dict.fromkeys(name for each in candidates for name in each))
    shown = [
        name
        for name in names
        if len({repr(each.get(name, "")) for each in candidates}) > 1
    ]
    last = Counter(name.rpartition("__")[2] for name in shown)
    short = {
        name: tail if last[tail := name.rpartition("__")[2]] == 1 else name
        for name in shown
    }
    return [
        ", ".join(f"{short[n]}={_short(each[n])}" for n in shown if n in each)
        or "all parameters alike"
        for each in candidates
    ]


def _short(value):
    if isinstance(value, float):
        return f"{value:.3g}"
    text = value if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def draw_scores(ax: Any, scores: pd.DataFrame) -> Any:
    """Draw what each candidate scored, the best in blue; return its error bar."""
    tidy(ax)
    if "n_resources" in scores:
        return _draw_iterations(ax, scores)
    return _draw_candidates(ax, scores)


def _draw_candidates(ax, scores):
    """Draw a row for each candidate, the best one at the top."""
    finite = scores[np.isfinite(scores["score"])]
    order = finite.sort_values("score", ascending=scores.attrs["less"], kind="stable")
    # The one that the search chose comes first, whatever rule it was chosen by.
    order = order.sort_values("is_best", ascending=False, kind="stable")
    shown = order.head(N_SHOWN)
    bars = [
        ax.errorbar(
            row.score, i, xerr=row.std, fmt="o", markersize=5,
            color=BLUE if row.is_best else GREY, elinewidth=1.4,
        )
        for i, row in enumerate(shown.itertuples())
    ]  # fmt: skip
    ax.set_yticks(range(len(shown)), shown["candidate"])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(shown) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.grid(axis="x", color=LIGHT, linewidth=0.7)
    ax.spines["left"].set_visible(False)
    for text, is_best in zip(ax.get_yticklabels(), shown["is_best"], strict=True):
        text.set_color(BLUE if is_best else INK)
    ax.set_xlabel(_score_label(scores), fontsize=SMALL + 0.5)
    title(ax, _how_many(len(shown), scores))
    return bars[0] if bars else None


def _how_many(n_shown, scores):
    n, n_failed = len(scores), int((~np.isfinite(scores["score"])).sum())
    text = f"{n} candidates" if n_shown + n_failed == n else f"{n_shown} best of {n}"
    return f"{text}, {n_failed} failed" if n_failed else text


def _draw_iterations(ax, scores):
    """Draw a line for each candidate, over what it was given to learn from."""
    best = scores[scores["is_best"]].iloc[0]
    for number, rows in scores.groupby("id", sort=False):
        if number != best["id"]:
            ax.plot(
                rows["n_resources"], rows["score"], "o-",
                color=GREY, alpha=0.55, linewidth=1, markersize=3,
            )  # fmt: skip
    rows = scores[scores["id"] == best["id"]]
    bar = ax.errorbar(
        rows["n_resources"], rows["score"], yerr=rows["std"], fmt="o-",
        color=BLUE, linewidth=1.8, markersize=5, elinewidth=1.2, zorder=3,
    )  # fmt: skip
    ax.set_xscale("log")
    values = sorted(set(scores["n_resources"]))
    ax.set_xticks(values, [f"{value:,}" for value in values])
    ax.set_xticks([], minor=True)
    resource = scores.attrs["resource"]
    ax.set_xlabel("Rows" if resource == "n_samples" else resource, fontsize=SMALL + 0.5)
    ax.set_ylabel(_score_label(scores), fontsize=SMALL + 0.5)
    others = next((line for line in ax.lines if line.get_alpha() is not None), None)
    found = {"best": bar} | ({"others": others} if others is not None else {})
    legend(ax, found, loc="best")
    title(ax, f"Best: {best['candidate']}")
    return bar


def _score_label(scores):
    return f"{scores.attrs['score']}, {scores.attrs['n_folds']} folds ± 1 std"
