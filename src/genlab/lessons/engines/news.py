"""What an engine says while it works."""

from __future__ import annotations

from dataclasses import dataclass

from genlab.lessons.tasks import Task


@dataclass(frozen=True)
class Began:
    """A worker took the task on."""

    task: Task


@dataclass(frozen=True)
class Advanced:
    """`share` of the task, from 0 to 1, is done."""

    task: Task
    share: float


@dataclass(frozen=True)
class Done:
    """What the task found lies on the shelf; it took `seconds`."""

    task: Task
    seconds: float


News = Began | Advanced | Done
