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
    """Either "running" or "paused" while the noted process lives, else None. Its pid and its start time tell
    it from a later process of that pid; this very process is no other one."""
    try:
        noted = read_json(path) if path.exists() else {}
        process = psutil.Process(int(noted["pid"]))
        same = abs(process.create_time() - float(noted["created"])) < 1
        if not same or process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return None
        return "paused" if noted.get("paused") else "running"
    except (UserError, psutil.Error, KeyError, TypeError, ValueError):
        return None
