"""One run: what it is called, what is written about it, where it leads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import streamlit as st

from genlab.app import entries
from genlab.app.address import arrive, leave
from genlab.app.entries import Entry, encoder_of
from genlab.app.navigate import link
from genlab.app.shelf import differences, history, take_away, thrown
from genlab.app.style import SHEET, count, duration, plain
from genlab.errors import UserError
from genlab.runs.notes import TAG, TAGS, TEXT, TITLE, Note, write_note

PARTS = {"about": "About", "settings": "Settings", "history": "History", "take": "Take away"}


def panel(entry: Entry, everything: list[Entry]) -> None:
    ways(entry)
    arrive("panel", PARTS, "about")
    part = st.segmented_control(
        "Part", list(PARTS), required=True, format_func=PARTS.__getitem__, key="panel",
        label_visibility="collapsed", persist_state="session", width="stretch",
    )  # fmt: skip
    leave("panel", part, "about")
    match part:
        case "settings":
            differences.page(entry)
        case "history":
            history.page(entry)
        case "take":
            take_away.page(entry)
        case _:
            about(entry, everything)


def ways(entry: Entry) -> None:
    """Links to the pages where something can be done with the run."""
    with st.container(horizontal=True):
        if not entry.shipped:
            link("train", "Train", run=entry.name)
        if entry.saved is None:
            return
        link("generate", "Generate", run=entry.name)
        link("explore", "Explore", run=entry.name)
        if encoder_of(entry) is not None:
            link("reconstruct", "Reconstruct", run=entry.name)
        link("vae-to-gan", "VAE → GAN", run=entry.name)
        link("compare", "Compare", runs=entry.name)


def about(entry: Entry, everything: list[Entry]) -> None:
    left, right = st.columns([SHEET + 2, SHEET], gap="medium")
    with left:
        sheet(entry)
        st.caption(facts(entry))
    with right:
        if entry.shipped:
            st.info("It comes with genlab and is only read: no title, tags or notes of yours, and no bin.")
            return
        written(entry, everything)
        thrown.button(entry, everything)


def sheet(entry: Entry) -> None:
    """The newest samples."""
    path = entry.progress.sheets.get("samples") if entry.progress else None
    if path is None or not (entry.path / path).is_file():
        st.caption("No samples were drawn yet.")
        return
    step = int(re.sub(r"\D", "", Path(path).stem) or 0)
    st.image((entry.path / path).read_bytes(), alt=f"samples after {step} steps")


def facts(entry: Entry) -> str:
    said = [
        entry.title,
        f"on {entry.data}" if entry.data else "",
        entries.WORDS.get(entry.state, entry.state),
    ]
    if entry.progress and entry.progress.steps:
        progress = entry.progress
        said.append(
            f"{count(progress.step)} of {count(progress.steps)} steps in {duration(progress.seconds)}"
        )
    lines = [" · ".join(plain(each) for each in said if each), f"Folder: {plain(entry.name)}"]
    return "  \n".join([*lines, *([plain(entry.complaint)] if entry.complaint else [])])


def written(entry: Entry, everything: list[Entry]) -> None:
    """Title, tags and note, kept where they were changed."""
    note, own = entry.note, entry.name
    title = st.text_input(
        "Title", note.title, max_chars=TITLE, key=f"title-{own}", placeholder=own,
        help="Shown beside its number everywhere; the folder keeps its name, by which others refer to it.",
    )  # fmt: skip
    tags = st.multiselect(
        "Tags", known_tags(note, everything), list(note.tags), key=f"tags-{own}", accept_new_options=True,
        max_selections=TAGS, placeholder="Choose, or write a new one",
        help=f"At most {TAGS}, of {TAG} characters.",
    )  # fmt: skip
    text = st.text_area("Note", note.text, max_chars=TEXT, key=f"text-{own}", height=130)
    keep(entry, Note(one_line(title), (text or "").strip(), tuple(dict.fromkeys(map(one_line, tags)))))


def known_tags(note: Note, everything: Iterable[Entry]) -> list[str]:
    return sorted({tag for each in everything for tag in each.note.tags} | set(note.tags))


def one_line(text: object) -> str:
    return " ".join(str(text or "").split())


def keep(entry: Entry, note: Note) -> None:
    """Write what differs from what is kept, and draw the page anew, which shows it."""
    if note == Note(entry.note.title, entry.note.text.strip(), entry.note.tags) or not entry.path.is_dir():
        return
    try:
        write_note(entry.run, note)
    except UserError as error:
        st.error(plain(error), icon=":material/error:")
        return
    st.rerun()
