"""Who trains a run: the process noted in `worker.json`, if it is still alive."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from genlab.errors import UserError
from genlab.runs.files import read_json, write_json


def note(path: Path, paused: bool = False) -> None:
    """Let the note at `path` say that this process trains the run, or that it is paused."""
    me = psutil.Process()
    write_json(path, {"pid": me.pid, "created": me.create_time(), "paused": paused})


def state(path: Path) -> str | None:
    """Either "running" or "paused" while the noted process lives, else None; this very process is no other
    one."""
    try:
        noted = read_json(path) if path.exists() else {}
        process = living(int(noted["pid"]), float(noted["created"]))
    except (UserError, KeyError, TypeError, ValueError):
        return None
    if process is None or process.pid == os.getpid():
        return None
    return "paused" if noted.get("paused") else "running"


def living(pid: int, created: float) -> psutil.Process | None:
    """The process `pid` that was created at `created`, in seconds since the epoch, while it lives: the time
    tells it from a later process of that number."""
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - created) < 1
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None
