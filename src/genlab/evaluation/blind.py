"""A human check: a person chooses between two unlabelled images which looks more like a real one.

Some trials show a sample of one model beside a sample of the other, some a sample beside a real image, and
the question is always the same. What is counted is a share of choices, with Wilson's interval (1927); where
the person can't tell, that is counted apart.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from genlab.randomness import derive_seed

Source = Literal["one", "other", "real"]
Choice = Literal["left", "right", "neither"]
Pair = tuple[Source, Source]  # what stands left, what stands right

KINDS: tuple[Pair, ...] = (("one", "other"), ("real", "one"), ("real", "other"))


def plan(trials: int, seed: int) -> tuple[Pair, ...]:
    """`trials` pairs in random order: half of them model against model, the rest each against real images;
    within each kind either side as often, to one."""
    rng = random.Random(derive_seed(seed, "blind/plan"))  # noqa: S311 (an order, no secret)
    pairs: list[Pair] = []
    for kind, count in zip(KINDS, shares(trials), strict=True):
        sides: list[Pair] = [kind if i % 2 else (kind[1], kind[0]) for i in range(count)]
        pairs += sides
    rng.shuffle(pairs)
    return tuple(pairs)


def shares(trials: int) -> tuple[int, int, int]:
    """How many trials of each kind: a half, a quarter, a quarter; what is left over goes to the first."""
    quarter = trials // 4
    return trials - 2 * quarter, quarter, quarter


@dataclass(frozen=True)
class Tally:
    """How often `first` was chosen over `second`, and the reverse; `undecided` could not be told."""

    first: Source
    second: Source
    chosen: int
    against: int
    undecided: int

    @property
    def decided(self) -> int:
        return self.chosen + self.against

    @property
    def interval(self) -> tuple[float, float]:
        """95 % for the share of `first` among the choices made."""
        return wilson(self.chosen, self.decided)

    @property
    def beyond_noise(self) -> bool:
        """Whether the interval leaves out one half, which guessing would give."""
        low, high = self.interval
        return not low <= 0.5 <= high


def wilson(chosen: int, count: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927); all of [0, 1] for no choices."""
    if count == 0:
        return 0.0, 1.0
    share, spread = chosen / count, z * z / count
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * (share * (1 - share) / count + spread / (4 * count)) ** 0.5
    return max(0.0, centre - half), min(1.0, centre + half)


def tallies(trials: Sequence[Pair], choices: Mapping[int, Choice]) -> tuple[Tally, ...]:
    """The three kinds of trials, each with the choices made in it; trials without one are left out."""
    found = []
    for first, second in KINDS:
        counts = {first: 0, second: 0, "neither": 0}
        for number, choice in choices.items():
            left, right = trials[number]
            if {left, right} == {first, second}:
                counts[{"left": left, "right": right, "neither": "neither"}[choice]] += 1
        found.append(Tally(first, second, counts[first], counts[second], counts["neither"]))
    return tuple(found)


def sentence(tally: Tally, names: Mapping[Source, str]) -> str:
    """What may be said of one kind of trials; `names` by source."""
    first, second = names[tally.first], names[tally.second]
    if tally.decided == 0:
        return f"{first} or {second}: no choice was made ({tally.undecided} × can't tell)"
    low, high = tally.interval
    ahead = first if tally.chosen >= tally.against else second
    count = max(tally.chosen, tally.against)
    if ahead == second:
        low, high = 1 - high, 1 - low
    counted = (
        f"chosen {count} of {tally.decided} times, {count / tally.decided:.0%} [{low:.0%}, {high:.0%}]; "
        f"{tally.undecided} × can't tell"
    )
    if not tally.beyond_noise:
        return f"{first} or {second}: within noise ({ahead} {counted})"
    behind = second if ahead == first else first
    return f"{ahead} looks more real than {behind}: {counted}"
