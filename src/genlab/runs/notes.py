"""What people write about a run: a title, tags, a text. It stands in `note.json` beside what the worker
writes, and no training reads it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from genlab.errors import UserError
from genlab.runs.files import read_json, write_json
from genlab.runs.store import Run

TITLE, TEXT, TAGS, TAG = 80, 5_000, 12, 30  # characters of a title and of a text; tags, and characters of one


@dataclass(frozen=True)
class Note:
    title: str = ""
    text: str = ""
    tags: tuple[str, ...] = ()


def read_note(run: Run) -> Note:
    """The run's note; an empty one where there is none, or where the file is no note."""
    try:
        found = read_json(run.path / "note.json") if (run.path / "note.json").exists() else {}
    except UserError:
        return Note()
    if not isinstance(found, dict):
        return Note()
    tags = found.get("tags")
    return Note(
        _words(found.get("title"), TITLE),
        str(found.get("text") or "")[:TEXT],
        tuple(_words(tag, TAG) for tag in tags[:TAGS]) if isinstance(tags, list) else (),
    )


def write_note(run: Run, note: Note) -> None:
    """Keep `note` beside the run. Raises UserError where it is longer than a note may be."""
    if len(note.title) > TITLE or len(note.text) > TEXT:
        raise UserError(f"a title has at most {TITLE} characters and a note {TEXT}; shorten it")
    if len(note.tags) > TAGS or any(len(tag) > TAG for tag in note.tags):
        raise UserError(f"a run has at most {TAGS} tags of {TAG} characters; leave some out")
    write_json(run.path / "note.json", asdict(note))


def _words(found: Any, most: int) -> str:
    """One line of text."""
    return " ".join(str(found or "").split())[:most]
