"""A lesson from a notebook or a script: run it, and read its verdicts."""

from __future__ import annotations

import sys
import time

from genlab.lessons.catalogue import lesson_called
from genlab.lessons.lesson import Scale, Setting
from genlab.lessons.record import Record
from genlab.lessons.record import verdicts as judged
from genlab.lessons.running import prepared


def lesson(name: str, *, scale: Scale = "default", seed: int = 0, data: str = "mnist") -> Record:
    """Run what is missing of a lesson, saying on standard error how far it is, and return its record.

    Raises UserError."""
    running = prepared(lesson_called(name), Setting(scale, seed, data))
    course, began, said = running.course(), time.monotonic(), ""
    for news in running.work():
        course.hear(news)
        if said != (said := f"{course.share:4.0%}"):
            print(f"\r{said}, {course.left:.0f} s left  ", end="", file=sys.stderr)
    return running.conclude(time.monotonic() - began)


def verdicts(record: Record) -> list[str]:
    """A line for each claim."""
    pairs = judged(lesson_called(record.lesson), record.findings)
    return [f"{claim.sentence} {verdict.text(claim)}" for claim, verdict in pairs]
