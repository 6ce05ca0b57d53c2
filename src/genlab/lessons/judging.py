"""Claims, and the rule by which a measurement speaks for one or against it. The rule stands before the run.

A claim names an effect, one number for each seed, and the values of it that would bear the claim out. From
the seeds comes the 95 % interval of the effect's mean, by Student's t:

    supported      the whole interval lies among those values
    contradicted   none of it does
    not resolved   some of it does, or there is only one seed and so no interval

"No effect" contradicts a claim of an effect just as well as an effect the other way: the values that bear
it out begin at the smallest effect that would matter to anyone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Findings = dict[str, Any]  # plain JSON
State = Literal["supported", "contradicted", "not resolved"]
LEVEL = 0.95


@dataclass(frozen=True)
class Claim:
    """`effect` reads a number for each seed from a lesson's findings; `low` and `high` are the ends of the
    values that bear the claim out, infinite where there is none. `of` says in words what the effect is."""

    key: str
    sentence: str
    of: str
    effect: Callable[[Findings], Sequence[float]]
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""
    digits: int = 2

    @property
    def rule(self) -> str:
        """The rule in a sentence."""
        unit = f" {self.unit}" if self.unit else ""
        if math.isinf(self.high):
            values = f"{self.low:g}{unit} or more"
        elif math.isinf(self.low):
            values = f"{self.high:g}{unit} or less"
        else:
            values = f"between {self.low:g} and {self.high:g}{unit}"
        return f"{self.of}: {values}"


@dataclass(frozen=True)
class Verdict:
    """What was measured of a claim: the effect's mean over `seeds` and its interval."""

    state: State
    value: float | None
    low: float | None
    high: float | None
    seeds: int

    def text(self, claim: Claim) -> str:
        """As in "supported: 12.1 nats [10.4, 13.8], 5 seeds"."""
        if self.value is None:
            return f"{self.state}: nothing was measured"
        unit = f" {claim.unit}" if claim.unit else ""
        digits = claim.digits
        spread = "" if self.low is None else f" [{self.low:.{digits}f}, {self.high:.{digits}f}]"
        seeds = "1 seed" if self.seeds == 1 else f"{self.seeds} seeds"
        return f"{self.state}: {self.value:.{digits}f}{unit}{spread}, {seeds}"


def judge(claim: Claim, findings: Findings) -> Verdict:
    values = [float(value) for value in claim.effect(findings)]
    if not values:
        return Verdict("not resolved", None, None, None, 0)
    mean = math.fsum(values) / len(values)
    if len(values) == 1:
        return Verdict("not resolved", mean, None, None, 1)
    low, high = interval(values)
    inside = claim.low <= low and high <= claim.high
    outside = high < claim.low or low > claim.high
    state: State = "supported" if inside else "contradicted" if outside else "not resolved"
    return Verdict(state, mean, low, high, len(values))


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the mean of two values or more, by Student's t."""
    from scipy.special import stdtrit

    count, mean = len(values), math.fsum(values) / len(values)
    error = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (count - 1) / count)
    half = float(stdtrit(count - 1, (1 + LEVEL) / 2)) * error
    return mean - half, mean + half
