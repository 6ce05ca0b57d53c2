"""The bin: a run goes there, comes back, or goes for good."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from genlab.app import launches
from genlab.app.choosing import RUN
from genlab.app.entries import Entry, made_from
from genlab.app.style import count, duration, plain
from genlab.errors import UserError
from genlab.runs import bin, disk
from genlab.runs.bin import Binned

LAST = "thrown away last"  # the place in the bin of what was thrown away a moment ago
PAPER = {"light": "#ffffff", "dark": "#2c2c28"}  # behind the line with the Undo, which lies over the page
TROUBLE = "trouble with the bin"  # why it did not go as asked, to be said once


def button(entry: Entry, everything: list[Entry]) -> None:
    """Throws a run away, where it is not at work."""
    if entry.live:
        st.caption("It is at work. To throw it away, stop it first, on its Train page.")
        return
    children = [each.label for each in made_from(entry, everything)]
    pressed = st.button(
        "Move to the bin", icon=":material/delete:", key="throw-away",
        on_click=None if children else throw_away, args=None if children else (entry,),
    )  # fmt: skip
    if pressed and children:
        confirm(entry, children)


@st.dialog("Move it to the bin?")
def confirm(entry: Entry, children: list[str]) -> None:
    """Where GANs were made of its decoder."""
    st.write(
        f"{plain(entry.label)} is where {plain(' and '.join(children))} came from. Without it they still "
        "generate, but can’t reconstruct, and nothing shows where they began. Undo brings it all back."
    )
    if st.button(
        "Move to the bin", type="primary", key="confirm-throw-away", on_click=throw_away, args=(entry,)
    ):
        st.rerun()


def throw_away(entry: Entry) -> None:
    along = [launches.folder() / f"{entry.name}.{kind}" for kind in ("json", "log")]
    try:
        st.session_state[LAST] = bin.throw_away(entry.run, along).place.name
    except UserError as error:
        st.session_state[TROUBLE] = str(error)


def undo(each: Binned) -> None:
    try:
        st.session_state[RUN] = bin.restore(each).name
    except UserError as error:
        st.session_state[TROUBLE] = str(error)


def aftermath() -> None:
    """What was thrown away last, with an Undo, until it is closed; and what went wrong."""
    if trouble := st.session_state.pop(TROUBLE, None):
        st.error(plain(trouble), icon=":material/error:")
    last = next((each for each in bin.binned() if each.place.name == st.session_state.get(LAST)), None)
    if last is None:
        return
    st.html(
        "<style>.st-key-aftermath { position: fixed; bottom: 1.2rem; z-index: 100; padding: .4rem 1rem; "
        f"width: fit-content !important; background: {PAPER[st.context.theme.type or 'light']}; }}</style>"
    )
    with st.container(
        key="aftermath", border=True, horizontal=True, vertical_alignment="center", width="content"
    ):
        st.markdown(f":material/delete: **{plain(last.name)}** is in the bin.", width="content")
        st.button("Undo", icon=":material/undo:", type="primary", key="undo", on_click=undo, args=(last,))
        st.button("Close", icon=":material/close:", key="close-undo", on_click=close)


def close() -> None:
    st.session_state.pop(LAST, None)


def listing() -> None:
    """All that is in the bin, each with its way back."""
    found = bin.binned()
    if not found:
        st.caption("The bin is empty.")
        return
    for each in found:
        left, right = st.columns([5, 1], vertical_alignment="center")
        ago = duration(time.time() - each.since)
        left.markdown(f"{plain(each.name)} &nbsp; :small[:gray[{size(disk.used(each.path))}, {ago} ago]]")
        right.button(
            "Undo", icon=":material/undo:", key=f"undo-{each.place.name}", width="stretch", on_click=undo,
            args=(each,),
        )  # fmt: skip
    if st.button("Empty the bin", icon=":material/delete_forever:", key="empty-bin"):
        confirm_emptying(len(found))


@st.dialog("Empty the bin?")
def confirm_emptying(number: int) -> None:
    runs = "1 run is" if number == 1 else f"{number} runs are"
    st.write(f"{runs} deleted for good: weights, samples, notes. No one can bring that back.")
    if st.button("Delete for good", type="primary", key="confirm-empty", on_click=bin.empty):
        st.rerun()


def size(number: float) -> str:
    """As in "1.2 GB", in powers of ten as disks are sold."""
    for unit, digits in (("B", 0), ("kB", 0), ("MB", 1), ("GB", 1)):
        if number < 1000:
            return f"{number:.{digits}f} {unit}"
        number /= 1000
    return f"{count(number)} TB"


def caches() -> list[Path]:
    """Where downloads and what was computed from them are kept for this user."""
    from genlab.data.fetch import cache_folder

    return [cache_folder()]
