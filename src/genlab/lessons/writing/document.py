"""What a lesson says of a record, in order: the same for a page, Markdown, a notebook and the app."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genlab.lessons.judging import Claim, Verdict
from genlab.lessons.lesson import Figure, Lesson, Picture, Setting, Table
from genlab.lessons.record import Record, Said, outcome, verdicts

MARKS = {"supported": "✓", "contradicted": "✗", "not resolved": "?"}


@dataclass(frozen=True)
class Prose:
    """Markdown with equations in dollars: the lesson's own words."""

    markdown: str


@dataclass(frozen=True)
class Words:
    """The reader's own: plain text."""

    text: str


@dataclass(frozen=True)
class Judged:
    """A claim with its rule and its verdict."""

    claim: Claim
    verdict: Verdict


Block = Prose | Words | Figure | Table | Picture | Judged


@dataclass(frozen=True)
class Section:
    key: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    title: str
    question: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def document(lesson: Lesson, record: Record) -> Document:
    evidence = lesson.evidence(record.findings)
    shown: tuple[Block, ...] = (*evidence.figures, *evidence.pictures, *evidence.tables)
    judged = tuple(Judged(claim, verdict) for claim, verdict in verdicts(lesson, record.findings))
    sections = (
        Section("question", "The question", (Prose(lesson.text()),)),
        Section("predictions", "What was predicted", (predicted(lesson, record),)),
        Section("evidence", "What was measured", (*shown, Prose(lesson.found(record.findings)))),
        Section("verdicts", "The claims, and what became of them", (Prose(RULE), *judged)),
        Section("reflections", "In your own words", tuple(reflected(lesson, record))),
        Section("again", "To have it again", (Prose(again(lesson, record)),)),
    )
    return Document(lesson.title, lesson.question, facts(record), sections)


MACHINE = (("", "system"), ("Python", "python"), ("PyTorch", "torch"))
RULE = (
    "The rule stood before the run. Of each claim's effect there is one number for each seed, and from them "
    "the 95 % "
    "interval of the mean. **Supported**: the whole interval lies among the values that bear the claim out. "
    "**Contradicted**: none of it does. **Not resolved**: anything between, and a single seed."
)


def facts(record: Record) -> tuple[tuple[str, str], ...]:
    setting, machine = record.setting, record.machine
    return (
        ("measured", record.created[:16].replace("T", " ")),
        ("size", setting.scale),
        ("images", setting.data),
        ("seeds", seeds_of(record)),
        ("took", minutes(record.seconds)),
        ("machine", ", ".join(f"{name} {machine.get(key, '')}".strip() for name, key in MACHINE)),
    )  # fmt: skip


def seeds_of(record: Record) -> str:
    seeds = record.findings.get("seeds", [record.setting.seed])
    return f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else str(seeds[0])


def minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def predicted(lesson: Lesson, record: Record) -> Table:
    rows = []
    for each in lesson.predictions:
        said = record.predictions.get(each.key)
        rows.append(
            (each.question, shown(said, "–"), shown(outcome(each, record.findings), "the run does not tell"))
        )
    return Table("predictions", "", ("", "predicted", "measured"), tuple(rows))


def shown(said: Said | None, nothing: str) -> str:
    if said is None:
        return nothing
    return said if isinstance(said, str) else f"{said:.3g}"


def reflected(lesson: Lesson, record: Record) -> list[Block]:
    blocks: list[Block] = []
    for number, question in enumerate(lesson.reflections, 1):
        said = record.reflections.get(str(number), "")
        blocks += [Prose(f"**{number}.** {question}"), Words(said or "–")]
    return blocks


def command(lesson: str, setting: Setting) -> str:
    """What runs this lesson again, from its seeds."""
    scale = "" if setting.scale == "default" else f" --{setting.scale}"
    seed = f" --seed {setting.seed}" if setting.seed else ""
    data = f" --data {setting.data}" if setting.data != "mnist" else ""
    return f"genlab lesson {lesson}{scale}{seed}{data}"


def again(lesson: Lesson, record: Record) -> str:
    sources = "\n".join(f"- {source}" for source in lesson.sources)
    return (
        f"```\n{command(lesson.name, record.setting)}\n```\n\n"
        "All randomness is a function of the seeds above. The same versions on the same kind of machine give "
        "the same "
        "numbers to the bit; others come within rounding that grows as a training goes on. This file holds "
        "all of its "
        "numbers: `genlab lesson NAME --verify FILE` runs it again and says whether they hold.\n\n"
        f"**Sources**\n\n{sources}\n"
    )
