"""How far a lesson has come that another process runs: a small file beside its record.

The command that runs it writes; a page reads."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from genlab.errors import UserError
from genlab.lessons.lesson import Setting
from genlab.lessons.record import home
from genlab.runs.files import read_json, write_json
from genlab.runs.worker import begun, living

EVERY = 1.0  # seconds between two writings


class Standing:
    """The note of the process that runs a lesson."""

    def __init__(self, lesson: str, setting: Setting) -> None:
        import psutil

        self.path = file_of(lesson, setting)
        self.process = {"pid": os.getpid(), "created": begun(psutil.Process())}
        self.last = 0.0

    def tell(self, share: float, left: float, doing: str) -> None:
        if time.monotonic() - self.last > EVERY:
            self.last = time.monotonic()
            write_json(self.path, {**self.process, "share": share, "left": left, "doing": doing})

    def end(self, failed: str = "") -> None:
        """It is over; `failed` says why where it is so too early."""
        if failed:
            write_json(self.path, {**self.process, "failed": failed})
        else:
            self.path.unlink(missing_ok=True)


def file_of(lesson: str, setting: Setting) -> Path:
    return home(lesson, setting) / "running.json"


def standing(lesson: str, setting: Setting) -> dict[str, Any] | None:
    """What the process says that runs this lesson now ("share", "left", "doing", "pid", "created"), or the
    sentence ("failed") on which one ended; None where nothing runs."""
    path = file_of(lesson, setting)
    try:
        note: dict[str, Any] = read_json(path)
    except UserError:
        return None
    if "failed" in note:
        return note
    return note if living(note["pid"], note["created"]) is not None else None
