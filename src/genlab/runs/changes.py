"""What was changed while a run trained: `changes.jsonl`, one line each, which nothing ever shortens.

A run that goes on from a checkpoint takes every change again at its step, so that it stays the run that it
was.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from genlab.runs.requests import LEVERS


@dataclass(frozen=True)
class Change:
    """After `step` steps the setting `what`, one of `requests.LEVERS`, became `value`. It was asked for at
    `time`, in seconds since the epoch."""

    step: int
    what: str
    value: float
    time: float


def append_change(path: Path, change: Change) -> None:
    """Write it down, durably. A last line that a crash tore becomes a line of its own."""
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write((json.dumps(asdict(change), allow_nan=False) + "\n").encode())
        file.flush()
        os.fsync(file.fileno())


def read_changes(path: Path) -> list[Change]:
    """In the order in which they were written; a torn line, or one that no worker wrote, is left out."""
    if not path.exists():
        return []
    return [change for line in path.read_bytes().split(b"\n") if (change := from_line(line)) is not None]


def from_line(line: bytes) -> Change | None:
    try:
        record = json.loads(line)
        change = Change(
            int(record["step"]), str(record["what"]), float(record["value"]), float(record["time"])
        )
        return change if LEVERS[change.what].holds(change.value) else None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
