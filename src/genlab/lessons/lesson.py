"""What a lesson is: a question, what one may predict, what is trained, what is read from it, what it claims.

A lesson is the same for its two faces, the command and the page; neither knows a lesson by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from genlab.lessons.judging import Claim, Findings
from genlab.lessons.tasks import Found, Task

Scale = Literal["quick", "default", "full"]
SCALES: tuple[Scale, ...] = ("quick", "default", "full")


@dataclass(frozen=True)
class Setting:
    """What decides a lesson's results: how much of it is run, from which seed on, and on which images."""

    scale: Scale = "default"
    seed: int = 0
    data: str = "mnist"

    def seeds(self, counts: Mapping[Scale, int]) -> range:
        """As many as `counts` has for the scale, from the first one on."""
        return range(self.seed, self.seed + counts[self.scale])


@dataclass(frozen=True)
class Choice:
    """A prediction by choosing one of `options`; `came` reads from the findings which of them it was, None
    where the run does not tell."""

    key: str
    question: str
    options: tuple[str, ...]
    came: Callable[[Findings], str | None]


@dataclass(frozen=True)
class Guess:
    """A prediction by a number from `low` to `high`; `came` reads from the findings what it was."""

    key: str
    question: str
    low: float
    high: float
    step: float
    came: Callable[[Findings], float | None]
    unit: str = ""


Prediction = Choice | Guess


@dataclass(frozen=True)
class Figure:
    """A chart in Vega-Lite's terms, its data in it; `sentence` says how to read it."""

    key: str
    title: str
    sentence: str
    spec: dict[str, Any]


@dataclass(frozen=True)
class Table:
    """Rows of text under a head; `note` says what the numbers are."""

    key: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """Images drawn by the lesson: `path` is a PNG among the lesson's files. With `steps`, its first row is
    what was before, and each row after that is what became of it by that step."""

    key: str
    title: str
    sentence: str
    path: str
    steps: tuple[int, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What the lesson shows for itself; the first figure is the one that carries the point."""

    figures: tuple[Figure, ...]
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class Lesson:
    """`tasks` says what is to be done, by a key for each; `read` makes findings, plain JSON, of what was
    found under those keys. All else is a function of the findings: they are what is kept, handed out, handed
    in and compared. `text` and `found` are Markdown; what stands in `text` before the run presupposes nothing
    of it."""

    name: str
    aliases: tuple[str, ...]
    title: str
    question: str
    text: Callable[[], str]
    predictions: tuple[Prediction, ...]
    tasks: Callable[[Setting], Mapping[str, Task]]
    read: Callable[[Setting, Mapping[str, Found]], Findings]
    claims: tuple[Claim, ...]
    evidence: Callable[[Findings], Evidence]
    found: Callable[[Findings], str]
    reflections: tuple[str, ...]
    sources: tuple[str, ...]
    seeds: Mapping[Scale, int]
    unresolved: str = ""  # what --quick can't tell
    pictures: Callable[[Setting, Mapping[str, Task], Any], Sequence[tuple[str, bytes]]] | None = field(
        default=None, compare=False
    )  # (name, PNG) for each picture of the evidence, drawn from the tasks' folders on a shelf
