"""Where runs lie on the disk, and how a new one gets its number."""

from __future__ import annotations

import os
import re
from pathlib import Path

from genlab.errors import UserError

BIN = ".bin"  # the folder beside the runs that holds those thrown away


def runs_root() -> Path:
    """Where runs live: $GENLAB_RUNS, else `runs` in the current folder."""
    return Path(os.environ.get("GENLAB_RUNS") or "runs")


def make_folder(path: Path, exist_ok: bool = True) -> None:
    """Raises UserError where that can't be, and FileExistsError where it is there and may not."""
    try:
        path.mkdir(parents=True, exist_ok=exist_ok)
    except FileExistsError:
        raise
    except OSError as error:
        raise UserError(
            f"can't create the folder {path} ({error.strerror}); choose another with --out"
        ) from error


def next_folder(root: Path, label: str) -> Path:
    """A new empty folder, numbered; exclusive creation decides between two that ask for the same number. A
    number in the bin is not given again: its run may come back, and others name it as their source."""
    while True:
        there = [*list_folders(root), *list_folders(root / BIN)]
        numbers = [int(m[1]) for p in there if (m := re.match(r"(\d+)-", p.name))]
        path = root / f"{max(numbers, default=0) + 1:03d}-{label}"
        try:
            make_folder(path, exist_ok=False)
        except FileExistsError:
            continue
        return path


def list_folders(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
