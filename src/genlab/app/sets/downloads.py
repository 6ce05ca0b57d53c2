"""A named set that has to be downloaded: `genlab data NAME` as a process of its own, known by its files.

    runs/.downloads/kmnist.json   who was started, and when
    runs/.downloads/kmnist.log    what it said

Only a file with the right SHA-256 is kept, so that a download may be broken off at any time.
"""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path

from genlab.app import processes
from genlab.app.launches import Launch
from genlab.data.catalogue import Entry
from genlab.data.fetch import cache_folder
from genlab.errors import UserError
from genlab.runs.files import read_json, write_json
from genlab.runs.store import runs_root


def folder() -> Path:
    return runs_root() / ".downloads"


def begin(entry: Entry) -> None:
    """Start the download, unless it is under way."""
    if under_way(entry):
        return
    folder().mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "genlab.cli", "data", entry.name, "--json"]
    began = time.time()
    pid, created = processes.start(command, log_path(entry), errors_only=True)
    note = Launch(str(folder() / entry.name), "", pid, created, began, None)
    write_json(folder() / f"{entry.name}.json", asdict(note))


def log_path(entry: Entry) -> Path:
    return folder() / f"{entry.name}.log"


def find(entry: Entry) -> Launch | None:
    note = folder() / f"{entry.name}.json"
    if not note.exists():
        return None
    try:
        return Launch(**read_json(note))
    except (TypeError, UserError):
        return None


def under_way(entry: Entry) -> bool:
    process = find(entry)
    return process is not None and process.alive()


def stop(entry: Entry) -> None:
    process = find(entry)
    if process is not None:
        processes.end(process.pid, process.created)
    (folder() / f"{entry.name}.json").unlink(missing_ok=True)
    log_path(entry).unlink(missing_ok=True)


def complaint(entry: Entry) -> str:
    """Why the last download came to nothing, in its own words."""
    path = log_path(entry)
    if under_way(entry) or not path.exists():
        return ""
    lines = [line.strip() for line in path.read_text("utf-8", "replace").splitlines() if line.strip()]
    if not lines:
        return ""
    said = " ".join(lines)
    return said[said.rfind("genlab: ") + len("genlab: ") :] if "genlab: " in said else lines[-1]


def arrived(entry: Entry) -> int:
    """Bytes of it in the folder of downloads, half a file included."""
    target = cache_folder() / entry.name
    return sum(path.stat().st_size for path in target.glob("*") if path.is_file()) if target.is_dir() else 0
