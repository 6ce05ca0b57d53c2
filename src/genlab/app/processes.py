"""Processes that outlive the page, the browser and the server that started them. Imports no torch.

They are known by their number and the instant at which they began, which a page notes in a file.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from genlab.runs.worker import begun, living


def start(
    command: Sequence[str],
    log: Path,
    *,
    threads: int | None = None,
    errors_only: bool = False,
    trains: bool = False,
) -> tuple[int, float]:
    """Start `command`, what it says in `log`, or only its errors; `trains`: it is `genlab train`, which sees
    to its threads itself. Returns its pid and when it has `begun`."""
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL if errors_only else said,
            stderr=said, env=environment(threads, sleepy=not trains), **detached(),
        )  # fmt: skip
    try:
        created = begun(psutil.Process(process.pid))
    except psutil.Error:  # it is over already; the log says why
        created = 0.0
    threading.Thread(target=process.wait, daemon=True).start()  # no zombie while this server lives
    return process.pid, created


def end(pid: int, created: float) -> None:
    """End the process, if it still lives, and what it has started."""
    process = living(pid, created)
    if process is None:
        return
    with suppress(psutil.Error):  # it may end by itself meanwhile
        family = [*process.children(recursive=True), process]
        for each in family:
            each.terminate()
        _, alive = psutil.wait_procs(family, timeout=5)
        for each in alive:
            each.kill()


def environment(threads: int | None = None, sleepy: bool = True) -> dict[str, str]:
    """That of a worker. Where it is `sleepy`, idle threads sleep instead of spinning, for the page and others
    want the cores too; with `threads`, no more than so many of them."""
    settings = {"PYTHONUTF8": "1", **({"OMP_WAIT_POLICY": "PASSIVE"} if sleepy else {})}
    if threads is not None:
        settings |= {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    return {**settings, **os.environ}


def detached() -> dict[str, Any]:
    """What lets a process outlive the one that starts it, and its Ctrl-C."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    return {"start_new_session": True}
