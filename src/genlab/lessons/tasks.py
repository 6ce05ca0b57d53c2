"""A task: one training or measurement of a lesson, known by what it is given and by the code that does it.

What a task has found lies in a folder of its own, and is found again instead of being done again:

    lessons/tasks/0123456789abcdef/     task.json (what was asked)  result.json (numbers, written last)
                                        and whatever else the work leaves: a run, arrays, images
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genlab.errors import UserError
from genlab.lessons.reach import digest
from genlab.runs.files import read_json, write_json
from genlab.runs.folders import runs_root

Found = dict[str, Any]  # plain JSON
Progress = Callable[[float], None]  # the share of the work that is done


@dataclass(frozen=True)
class Task:
    """`work` is one of `lessons.work.WORK`, `given` is plain JSON, `needs` are tasks whose folders it reads.

    `name` is for people and `seconds` what it should take on one thread; neither decides what is found."""

    name: str
    work: str
    given: Mapping[str, Any] = field(hash=False)
    needs: tuple[Task, ...] = ()
    seconds: float = 10.0

    @property
    def key(self) -> str:
        told = [self.work, self.given, [each.key for each in self.needs], digest(module_of(self.work))]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def module_of(work: str) -> str:
    """The module in which a piece of work is written, by name and without importing it."""
    return f"genlab.lessons.work.{work.partition('.')[0]}"


def in_order(tasks: Iterable[Task]) -> list[Task]:
    """Every task once, and after those that it needs; else in the order in which they were given."""
    found: dict[str, Task] = {}

    def add(task: Task) -> None:
        for each in task.needs:
            add(each)
        found.setdefault(task.key, task)

    for task in tasks:
        add(task)
    return list(found.values())


class Shelf:
    """Where finished tasks lie."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or runs_root() / "lessons" / "tasks"

    def folder(self, task: Task) -> Path:
        return self.root / task.key

    def done(self, task: Task) -> bool:
        return (self.folder(task) / "result.json").exists()

    def found(self, task: Task) -> Found:
        """Raises UserError where the task was not finished."""
        path = self.folder(task) / "result.json"
        if not path.exists():
            raise UserError(f"{task.name} has not been measured yet; start the lesson again to go on")
        result: Found = read_json(path)
        return result

    def begin(self, task: Task) -> Path:
        """The task's folder, with what is asked; what an interrupted attempt left is still in it."""
        folder = self.folder(task)
        folder.mkdir(parents=True, exist_ok=True)
        asked = {"name": task.name, "work": task.work, "given": dict(task.given)}
        write_json(folder / "task.json", {**asked, "needs": [each.key for each in task.needs]})
        return folder

    def finish(self, task: Task, found: Found, seconds: float) -> None:
        write_json(self.folder(task) / "took.json", {"seconds": seconds})
        write_json(self.folder(task) / "result.json", found)

    def took(self, tasks: Iterable[Task]) -> float:
        """Seconds that finished tasks have taken, all together; NaN where that was not kept of one."""
        paths = [self.folder(task) / "took.json" for task in in_order(tasks)]
        return sum(float(read_json(path)["seconds"]) if path.exists() else math.nan for path in paths)

    def missing(self, tasks: Iterable[Task]) -> list[Task]:
        """Those that are still to be done, in order."""
        return [task for task in in_order(tasks) if not self.done(task)]
