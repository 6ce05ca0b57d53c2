"""The newest event of each kind, from the end of a log: a log of a million lines is not read for its last."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from genlab.errors import UserError
from genlab.runs.events import Event, from_line


class Found(NamedTuple):
    """An event, and the byte of the log at which its line begins."""

    at: int
    event: Event


def newest(path: Path, kinds: Iterable[str]) -> dict[str, Found]:
    """The newest whole event of each of `kinds`, names as in `KINDS`, that there is one of. Damaged lines are
    passed over."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as log:
            end = log.rfind(b"\n") + 1  # what follows may be written this very moment
            searched = ((kind, last(log, kind, end)) for kind in kinds)
            return {kind: found for kind, found in searched if found is not None}
    except (FileNotFoundError, ValueError):  # an empty file can't be mapped
        return {}


def last(log: mmap.mmap, kind: str, end: int) -> Found | None:
    begins = f'{{"event": "{kind}"'.encode()
    while (at := log.rfind(begins, 0, end)) >= 0:
        if at == 0 or log[at - 1 : at] == b"\n":
            try:
                return Found(at, from_line(log[at : log.find(b"\n", at) + 1].decode("utf-8", "replace")))
            except UserError:
                pass
        end = at + len(begins) - 1
    return None
