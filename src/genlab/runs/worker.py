"""Who trains a run: the process noted in `worker.json`, if it is still alive. It holds a lock as well, which
the system takes from it however it ends, so that of two that come at one moment one is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from genlab.errors import UserError
from genlab.runs.files import read_json, write_json

if TYPE_CHECKING:
    from filelock import FileLock

LOCK = ".lock"
OWN = ("config.json", "events.jsonl", "moment.json", "worker.json")  # what only a worker writes beside a run


def lock(folder: Path, name: str) -> FileLock | None:
    """The lock of the run `name` in `folder`, held; None on a file system that has none. Raises UserError
    while another holds it."""
    from filelock import FileLock, Timeout

    held = FileLock(folder / LOCK, timeout=0, thread_local=False)
    try:
        held.acquire()
    except Timeout as error:
        raise UserError(
            f"{name} is being trained by another process; wait for it or stop it first"
        ) from error
    except NotImplementedError:
        return None
    return held


def sweep(folder: Path) -> None:
    """Remove what a worker that was killed had only begun to write. For who holds the lock."""
    begun = [path for name in OWN for path in folder.glob(f".{name}.*.part")]
    for part in ("checkpoints", "samples"):
        begun += (folder / part).glob(".*.part")
    for path in begun:
        path.unlink(missing_ok=True)


def note(path: Path, paused: bool = False) -> None:
    """Let the note at `path` say that this process trains the run, or that it is paused."""
    me = psutil.Process()
    write_json(path, {"pid": me.pid, "created": begun(me), "paused": paused})


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


def begun(process: psutil.Process) -> float:
    """When it began, in seconds: on Linux since the system did, a clock that nobody sets; elsewhere since the
    epoch. Raises psutil.Error where it is gone."""
    try:
        ticks = Path(f"/proc/{process.pid}/stat").read_bytes().rpartition(b")")[2].split()[19]
        return int(ticks) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return float(process.create_time())


def living(pid: int, created: float) -> psutil.Process | None:
    """The process `pid` that has `begun` at `created`, while it lives: the time tells it from a later process
    of that number."""
    try:
        process = psutil.Process(pid)
        same = abs(begun(process) - created) < 1
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None
