"""Which images: the named sets, those that were uploaded, and any path."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from genlab.app import sharing
from genlab.app.forms.asked import Asked, asked
from genlab.app.forms.fields import held
from genlab.app.sets import uploads
from genlab.data.catalogue import CATALOGUE, Entry
from genlab.data.fetch import on_this_machine
from genlab.errors import UserError

HELP = (
    "A named set, something you uploaded, or a path that you type: of a folder of pictures (sub-folders are "
    "classes), of an .npz file, or of shards."
)
FOLDERS = 2_000  # that are looked at for changes


def choose(now: Asked) -> None:
    """Asks which images."""
    known = titles()
    options = list(known) if now.data in known else [*known, now.data]
    st.selectbox(
        "Images", options, key=held("images", now.data), on_change=take, accept_new_options=True, help=HELP,
        format_func=lambda name: known.get(name, name), placeholder="A name, or a path",
    )  # fmt: skip


def titles() -> dict[str, str]:
    """What the named sets and the uploads are called in a list, where no two may be called the same."""
    found = {name: entry.title for name, entry in CATALOGUE.items()}
    mine = uploads.stored()
    names = [each.name for each in mine]
    for each in mine:
        which = f", {each.digest}" if names.count(each.name) > 1 else ""
        found[each.data] = f"{each.name} (uploaded{which})"
    return found


def take() -> None:
    now = asked()
    data = str(st.session_state["images"] or "mnist").strip()
    try:
        sharing.check(data)
    except UserError as error:
        now.complaint = str(error)
    else:
        now.data, now.complaint = data, ""


def path(name: str) -> Path:
    """Where images lie that are no named set."""
    return Path(name).expanduser()


def missing(name: str) -> Entry | None:
    """The entry of a named set that would have to be downloaded first."""
    entry = CATALOGUE.get(name)
    if entry is None or entry.obtained != "downloaded" or on_this_machine(entry):
        return None
    return entry


def stamp(name: str) -> str:
    """What changes when the images behind a path do: times and sizes, of a folder with all folders in it."""
    if name in CATALOGUE:
        return str(missing(name) is None)
    here = path(name)
    if not here.is_dir():
        return f"{here.stat().st_mtime_ns} {here.stat().st_size}" if here.exists() else ""
    times = []
    for where, _, files in os.walk(here):
        times.append((os.stat(where).st_mtime_ns, len(files)))
        if len(times) >= FOLDERS:
            break
    return str(hash(tuple(times)))
