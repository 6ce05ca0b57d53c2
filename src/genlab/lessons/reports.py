"""Reports that were handed in: the record in each, the class's runs in one interval, whether one holds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from genlab.errors import UserError
from genlab.lessons.judging import Claim, Findings, Verdict, judge
from genlab.lessons.lesson import Lesson
from genlab.lessons.record import Record, of_json

LARGEST = 64 * 2**20  # bytes of a report
ELEMENT = "lesson-record"


def read_report(path: Path) -> Record:
    """The record in an exported page, a notebook or a lesson.json. Raises UserError; nothing is executed."""
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path} is larger than {LARGEST >> 20} MB and can't be a lesson's report")
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist; name an exported .html, .ipynb or lesson.json") from error
    except (UnicodeDecodeError, IsADirectoryError) as error:
        raise UserError(f"{path} is no report; name an exported .html, .ipynb or lesson.json") from error
    if path.suffix.lower() in (".html", ".htm"):
        finder = Finder()
        finder.feed(text)
        text = "".join(finder.found)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} holds no record of a lesson; export the lesson again") from error
    if path.suffix.lower() == ".ipynb" and isinstance(value, dict):
        value = value.get("metadata", {}).get("genlab")
    return of_json(value, str(path))


class Finder(HTMLParser):
    """The text of the element that holds the record."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.found = False, list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag == "script" and dict(attrs).get("id") == ELEMENT

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.found.append(data)


# A class's runs in one interval.


@dataclass(frozen=True)
class Pooled:
    """A claim over all reports: each one's own numbers, and the verdict on all of them together."""

    claim: Claim
    each: tuple[tuple[str, tuple[float, ...]], ...]
    verdict: Verdict


def pool(lesson: Lesson, reports: Sequence[tuple[str, Record]]) -> tuple[list[Pooled], list[str]]:
    """The claims over all reports, and the names of those left out because another one has a seed of theirs.

    Raises UserError where they are not of this lesson, in one size and on the same images.
    """
    used: list[tuple[str, Record]] = []
    left_out: list[str] = []
    seeds: set[int] = set()
    for name, record in reports:
        if record.lesson != lesson.name:
            raise UserError(f"{name} is a report of {record.lesson}, not of {lesson.name}")
        first = used[0][1].setting if used else record.setting
        if (record.setting.scale, record.setting.data) != (first.scale, first.data):
            raise UserError(
                f"{name} is of size {record.setting.scale} on {record.setting.data}, and the others are of "
                f"size {first.scale} on {first.data}: pool those of one kind"
            )
        own = set(record.findings.get("seeds", [record.setting.seed]))
        if own & seeds:
            left_out.append(name)
            continue
        seeds |= own
        used.append((name, record))
    return [pooled(claim, used) for claim in lesson.claims], left_out


def pooled(claim: Claim, reports: Sequence[tuple[str, Record]]) -> Pooled:
    each = tuple((name, tuple(map(float, claim.effect(record.findings)))) for name, record in reports)
    together = {"values": [value for _, values in each for value in values]}
    all_of_them = Claim(
        claim.key, claim.sentence, claim.of, lambda found: found["values"], claim.low, claim.high,
        claim.unit, claim.digits,
    )  # fmt: skip
    return Pooled(claim, each, judge(all_of_them, together))


# Whether a report holds.


@dataclass(frozen=True)
class Held:
    """One claim of a report, run again: its verdict then and now, and whether the two agree: as far apart as
    half the wider of their intervals, or as rounding of the last digit shown, at most."""

    claim: Claim
    then: Verdict
    now: Verdict

    @property
    def agrees(self) -> bool:
        if self.then.value is None or self.now.value is None:
            return self.then.value == self.now.value
        tolerance = max(half(self.then), half(self.now), 0.5 * 10**-self.claim.digits)
        return self.then.state == self.now.state and abs(self.then.value - self.now.value) <= tolerance


def half(verdict: Verdict) -> float:
    return 0.0 if verdict.low is None or verdict.high is None else (verdict.high - verdict.low) / 2


def held(lesson: Lesson, then: Findings, now: Findings) -> list[Held]:
    return [Held(claim, judge(claim, then), judge(claim, now)) for claim in lesson.claims]


def differences(then: Any, now: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every number or text in which two findings differ, with its place; nothing where they are the same."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in [*then, *(key for key in now if key not in then)]:
            yield from differences(then.get(key), now.get(key), f"{where}.{key}" if where else str(key))
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for index, (one, other) in enumerate(zip(then, now, strict=True)):
            yield from differences(one, other, f"{where}[{index}]")
    elif then != now:
        yield where, then, now


def largest(found: Sequence[tuple[str, Any, Any]]) -> float:
    """The largest relative difference among them; infinite where one is no number."""
    shares = [
        abs(one - other) / max(abs(one), abs(other))
        if isinstance(one, int | float) and isinstance(other, int | float) and max(abs(one), abs(other)) > 0
        else math.inf
        for _, one, other in found
    ]
    return max(shares, default=0.0)
