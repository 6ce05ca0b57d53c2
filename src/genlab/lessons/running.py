"""Running a lesson: what is left to do of its tasks, how long that takes, and the record at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from genlab.lessons.engines import engine_called, usual_workers
from genlab.lessons.engines.news import Advanced, Began, Done, News
from genlab.lessons.lesson import Lesson, Setting
from genlab.lessons.record import Record, home, keep, kept, now, with_words
from genlab.lessons.tasks import Shelf, Task, in_order


@dataclass
class Course:
    """How far a lesson has come: seconds of work, as foreseen, that are done and that are all of it."""

    work: float
    workers: int
    done: float = 0.0
    begun: float = 0.0  # when, on the monotonic clock

    def __post_init__(self) -> None:
        self.begun = time.monotonic()
        self.shares: dict[str, tuple[float, float]] = {}  # of tasks in hand: foreseen seconds, share

    def hear(self, news: News) -> None:
        match news:
            case Began(task):
                self.shares[task.key] = (task.seconds, 0.0)
            case Advanced(task, share):
                self.shares[task.key] = (task.seconds, share)
            case Done(task):
                self.shares.pop(task.key, None)
                self.done += task.seconds

    @property
    def share(self) -> float:
        """Of the work, what is done: 0 to 1."""
        partly = sum(seconds * share for seconds, share in self.shares.values())
        return min(1.0, (self.done + partly) / self.work) if self.work else 1.0

    @property
    def left(self) -> float:
        """Seconds, by what was foreseen and, the more is done the more so, by how fast it went until now."""
        foreseen = self.work * (1 - self.share) / self.workers
        if self.share < 0.02:
            return foreseen
        paced = (time.monotonic() - self.begun) * (1 - self.share) / self.share
        return self.share * paced + (1 - self.share) * foreseen


@dataclass(frozen=True)
class Running:
    """A lesson about to be run. `tasks` are all of it, `missing` what is still to be done."""

    lesson: Lesson
    setting: Setting
    shelf: Shelf
    tasks: dict[str, Task]
    missing: Sequence[Task]
    workers: int

    @property
    def seconds(self) -> float:
        """How long the rest should take here."""
        return sum(task.seconds for task in self.missing) / max(1, min(self.workers, len(self.missing)))

    def course(self) -> Course:
        return Course(sum(task.seconds for task in self.missing), max(1, self.workers))

    def work(self, engine: str = "local") -> Iterator[News]:
        """Do what is missing. Raises UserError where a task fails; what is finished stays on the shelf."""
        if self.missing:
            yield from engine_called(engine)(self.missing, self.shelf, self.workers)

    def conclude(self, seconds: float) -> Record:
        """The record, with what the reader has said of this lesson already, kept with its pictures. `seconds`
        is what it took just now; what was done before counts too."""
        found = {key: self.shelf.found(task) for key, task in self.tasks.items()}
        before = kept(self.lesson.name, self.setting)
        findings = self.lesson.read(self.setting, found)
        if before is not None and not self.missing and before.findings == findings:
            return before  # nothing was done, and nothing of it is new
        before_now = self.shelf.took(self.tasks.values()) / max(1, self.workers)
        if len(self.missing) < len(in_order(self.tasks.values())) and before_now > seconds:  # nor NaN
            seconds = before_now
        record = Record(self.lesson.name, self.setting, findings, machine(), now(), seconds)
        if self.lesson.pictures is not None:
            folder = home(self.lesson.name, self.setting)
            folder.mkdir(parents=True, exist_ok=True)
            for name, png in self.lesson.pictures(self.setting, self.tasks, self.shelf):
                (folder / name).write_bytes(png)
        keep(record)
        return with_words(record)


def prepared(
    lesson: Lesson, setting: Setting, *, workers: int | None = None, shelf: Shelf | None = None
) -> Running:
    shelf = shelf or Shelf()
    tasks = dict(lesson.tasks(setting))
    missing = shelf.missing(in_order(tasks.values()))
    return Running(lesson, setting, shelf, tasks, missing, workers or usual_workers())


def machine() -> dict[str, Any]:
    """Whose figures these are."""
    from genlab.experiment.process import machine as here

    return here()
