"""Trainings as processes of their own: started here, and from then on known by their files alone.

    runs/.launches/001-vae-mnist.json   who was started, and when
    runs/.launches/001-vae-mnist.log    what it said

A page, a browser or a server that goes away takes nothing along. Imports no torch.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from genlab.errors import UserError
from genlab.runs.files import read_json, write_json
from genlab.runs.store import Run, next_folder, runs_root

LOG_TAIL = 20_000  # bytes of a log that are looked at


@dataclass(frozen=True)
class Launch:
    """A worker that was started for the run folder `path`: its `pid` and `created` tell it from another
    process of that number; `began` is in seconds since the epoch; `seconds` is the budget, if any."""

    path: str
    family: str
    pid: int
    created: float
    began: float
    seconds: float | None

    @property
    def name(self) -> str:
        return Path(self.path).name

    def alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < 1
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False

    def log(self) -> list[str]:
        """The last lines that the worker wrote."""
        path = log_path(self.name)
        if not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LOG_TAIL))
            return [line for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]

    def complaint(self) -> str:
        """Why the worker ended, in its own words; empty where it did not complain."""
        lines = self.log()
        if not lines:
            return "it ended without a word"
        last = lines[-1].strip()
        if last.startswith("genlab: "):
            return last.removeprefix("genlab: ")
        return last if any(line.startswith("Traceback") for line in lines) else ""


def folder() -> Path:
    return runs_root() / ".launches"


def log_path(name: str) -> Path:
    return folder() / f"{name}.log"


def begin(family: str, label: str, seconds: float, options: list[str]) -> Launch:
    """Start `genlab train FAMILY` in a new run folder, which the worker fills once it has measured its
    steps. Raises UserError where the folder can't be made."""
    root = runs_root().resolve()
    path = next_folder(root, f"{family}-{label}"[:60])
    return spawn(path, family, [family, "--seconds", f"{seconds:g}", "--out", str(path), *options], seconds)


def resume(run: Run) -> Launch:
    """Start the worker that goes on with `run`."""
    path = run.path.resolve()
    return spawn(path, str(run.config().get("family", "")), ["--resume", str(path)], None)


def spawn(path: Path, family: str, arguments: list[str], seconds: float | None) -> Launch:
    folder().mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "genlab.cli", "train", *arguments]
    began = time.time()
    with log_path(path.name).open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(), **detached()
        )
    try:
        created = psutil.Process(process.pid).create_time()
    except psutil.Error:  # it is over already; the log says why
        created = began
    threading.Thread(target=process.wait, daemon=True).start()  # no zombie while this server lives
    launch = Launch(str(path), family, process.pid, created, began, seconds)
    write_json(folder() / f"{path.name}.json", asdict(launch))
    return launch


def environment(threads: int | None = None) -> dict[str, str]:
    """That of a worker. Idle threads sleep instead of spinning, for the page and others want the cores too;
    with `threads`, no more than so many of them."""
    settings = {"PYTHONUTF8": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    if threads is not None:
        settings |= {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    return {**settings, **os.environ}


def detached() -> dict[str, Any]:
    """What lets a process outlive the one that starts it, and its Ctrl-C."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    return {"start_new_session": True}


def find(path: Path) -> Launch | None:
    """The newest launch for the run folder at `path`."""
    note = folder() / f"{path.name}.json"
    if not note.exists():
        return None
    try:
        launch = Launch(**read_json(note))
    except (TypeError, UserError):
        return None
    return launch if Path(launch.path) == path.resolve() else None


def unborn() -> list[Launch]:
    """Launches whose run has no config yet: they are measuring, or have failed to start."""
    found = (find(runs_root() / note.stem) for note in sorted(folder().glob("*.json")))
    return [launch for launch in found if launch and not (Path(launch.path) / "config.json").exists()]


def forget(launch: Launch) -> None:
    """Remove what a failed start has left."""
    for kind in ("json", "log"):
        (folder() / f"{launch.name}.{kind}").unlink(missing_ok=True)
    path = Path(launch.path)
    if path.is_dir() and not any(path.iterdir()):
        path.rmdir()


def cancel(launch: Launch) -> None:
    """End a worker that has not begun to train, and remove what it has left."""
    if launch.alive():
        process = psutil.Process(launch.pid)
        process.terminate()
        psutil.wait_procs([process], timeout=5)
    forget(launch)
