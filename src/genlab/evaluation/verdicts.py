"""What may be said of one instrument: which entry is best, which are within noise of it, or that noise
decides nothing. Sentences a statistician would sign, and short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genlab.evaluation.instruments import Instrument
from genlab.evaluation.pairwise import Bools, Floats, Indices, Pairs
from genlab.evaluation.records import Entry, some

SCOPE_MODELS = (
    "One training each: a verdict is about these trained models, and not decided for the recipes, which "
    "another training seed may turn around."
)
SCOPE_RECIPES = "Several trainings each: intervals and verdicts are over training seeds, about the recipes."
SCOPE_MIXED = (
    "Entries trained once are compared with each other, as trained models; those trained with several seeds "
    "with each other, as recipes; never one with the other."
)
TWO_SEEDS = (
    "Two seeds are few: with one degree of freedom an interval reaches 12.7 standard errors to either side."
)


@dataclass(frozen=True)
class Verdict:
    """About entries that were all trained once, or all several times (`repeated`).

    `best` has the best value where that value beats another beyond noise; `within` cannot be told from it,
    `worse` can. Where nothing is best, all three are empty."""

    repeated: bool
    text: str
    best: int | None = None
    within: tuple[int, ...] = ()
    worse: tuple[int, ...] = ()


def verdicts(
    instrument: Instrument, row: int, compared: Floats, pairs: Pairs, entries: Sequence[Entry]
) -> tuple[Verdict, ...]:
    """Of one instrument, whose compared quantities (lower, higher, or the distance to a target) are
    `compared` (E,): one verdict for each kind of entry that has two or more values."""
    having = np.isfinite(compared)
    found = []
    for repeated in (True, False):
        members = np.flatnonzero(having & np.array([e.repeated == repeated for e in entries]))
        if len(members) > 1:
            differs = matrix(pairs, row, len(entries))[np.ix_(members, members)]
            found.append(judge(instrument, members, compared[members], differs, entries, repeated))
    return tuple(found)


def matrix(pairs: Pairs, row: int, count: int) -> Bools:
    """Which entries differ beyond noise, (E, E), symmetric."""
    differs = np.zeros((count, count), bool)
    differs[pairs.first, pairs.second] = pairs.differs[row]
    return differs | differs.T


def judge(
    instrument: Instrument, members: Indices, values: Floats, differs: Bools, entries: Sequence[Entry],
    repeated: bool,
) -> Verdict:  # fmt: skip
    count = int(differs.sum()) // 2
    if np.all(values == values[0]):
        return Verdict(repeated, "equal")
    if count == 0:
        return Verdict(repeated, "no difference beyond noise")
    names = [entries[i].letter for i in members]
    if instrument.better == "neither":
        pairs = len(members) * (len(members) - 1) // 2
        return Verdict(repeated, "differ" if pairs == 1 else f"{count} of {pairs} pairs differ")
    losses = -values if instrument.better == "higher" else values
    order = np.argsort(losses, kind="stable")
    best = order[0]
    if not differs[best].any():
        winner, loser = next((i, j) for i in order for j in order if differs[i, j])
        more = f", and {count - 1} more pair{'s' if count > 2 else ''}" if count > 1 else ""
        return Verdict(repeated, f"no best beyond noise ({names[winner]} better than {names[loser]}{more})")
    within = [i for i in order[1:] if not differs[best, i]]
    text = f"best: {names[best]}"
    if within:
        text += f"; within noise: {some([names[i] for i in within])}"
    worse = [i for i in order[1:] if differs[best, i]]
    return Verdict(
        repeated, text, int(members[best]), tuple(members[within].tolist()), tuple(members[worse].tolist())
    )


def worded(found: Sequence[Verdict], compared: Floats, entries: Sequence[Entry]) -> str:
    """The verdicts of one instrument as one phrase; none where there are not two values."""
    having = [entry for entry, value in zip(entries, compared, strict=True) if np.isfinite(value)]
    once = [entry.letter for entry in having if not entry.repeated]
    often = [entry.letter for entry in having if entry.repeated]
    if len(having) < 2:
        return ""
    if not found:
        return f"not decided: {once[0]} was trained once, {often[0]} with several seeds"
    if not (once and often):
        return found[0].text
    return " | ".join(f"{'over seeds' if v.repeated else 'trained once'}: {v.text}" for v in found)


def scope(entries: Sequence[Entry]) -> tuple[str, ...]:
    """What all the verdicts are about."""
    kinds = {entry.repeated for entry in entries}
    said = [SCOPE_MIXED if len(kinds) == 2 else SCOPE_RECIPES if True in kinds else SCOPE_MODELS]
    if any(len(entry.records) == 2 for entry in entries):
        said.append(TWO_SEEDS)
    return tuple(said)
