"""What people write about a run: kept as it is within its bounds, and never a reason to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from genlab.errors import UserError
from genlab.runs.notes import TAG, TAGS, TEXT, TITLE, Note, read_note, write_note
from genlab.runs.store import Run, create_run


@pytest.fixture
def run(runs: Path) -> Run:
    return create_run("vae-mnist", {"family": "vae"})


@pytest.mark.parametrize(
    "note",
    [
        Note(),
        Note("β = 4", "first line\n\n  second <b>line</b>\n", ("keep", "für später", "$x$")),
        Note("t" * TITLE, "x" * TEXT, tuple(f"{i:0{TAG}d}" for i in range(TAGS))),
    ],
)
def test_what_is_written_is_read(run: Run, note: Note) -> None:
    write_note(run, note)
    assert read_note(run) == note


def test_a_run_without_a_note_has_an_empty_one(run: Run) -> None:
    assert read_note(run) == Note()
    assert read_note(Run(run.path / "nowhere")) == Note()


@pytest.mark.parametrize(
    ("note", "why"),
    [
        (Note(title="t" * (TITLE + 1)), f"a title has at most {TITLE} characters"),
        (Note(text="x" * (TEXT + 1)), f"a note {TEXT}; shorten it"),
        (Note(tags=("a",) * (TAGS + 1)), f"at most {TAGS} tags"),
        (Note(tags=("a" * (TAG + 1),)), f"of {TAG} characters"),
    ],
)
def test_what_is_too_long_is_refused_and_what_was_there_stays(run: Run, note: Note, why: str) -> None:
    write_note(run, Note("before"))
    with pytest.raises(UserError, match=why):
        write_note(run, note)
    assert read_note(run) == Note("before")


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", '"note"', "null", '{"tags": "many"}'])
def test_a_file_that_is_no_note_is_an_empty_one(run: Run, text: str) -> None:
    (run.path / "note.json").write_text(text)
    assert read_note(run) == Note()


def test_what_others_wrote_is_brought_within_bounds(run: Run) -> None:
    (run.path / "note.json").write_text(
        f'{{"title": "two\\nlines {"t" * 100}", "text": 5, "tags": [1, "a\\tb", {", ".join(["9"] * 20)}]}}'
    )
    note = read_note(run)
    assert note.title.startswith("two lines t")
    assert len(note.title) == TITLE
    assert note.text == "5"
    assert note.tags[:2] == ("1", "a b")
    assert len(note.tags) == TAGS
    write_note(run, note)
