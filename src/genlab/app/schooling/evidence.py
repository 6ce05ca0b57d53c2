"""What a lesson shows for itself, as a page draws it."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from pathlib import Path

import streamlit as st
from PIL import Image

from genlab.app.component import component
from genlab.app.schooling.shown import Shown
from genlab.app.style import plain
from genlab.lessons.figures import themed
from genlab.lessons.lesson import Figure, Picture, Table
from genlab.lessons.record import SHIPPED, home
from genlab.lessons.writing.document import MARKS, Block, Judged, Prose, Words
from genlab.lessons.writing.source import fenced

COLOURS = {"supported": "green", "contradicted": "orange", "not resolved": "gray"}


def draw(block: Block, shown: Shown) -> None:
    match block:
        case Prose(markdown):
            st.markdown(fenced(markdown))
        case Words(text):
            st.markdown(f"> {plain(text)}")
        case Figure(title=title, sentence=sentence, spec=spec):
            st.markdown(f"**{plain(title)}**")
            theme = st.context.theme.type or "light"
            st.vega_lite_chart(themed(spec, theme), theme=None, width="content")
            st.caption(plain(sentence))
        case Picture():
            picture(block, shown)
        case Table():
            table(block)
        case Judged():
            judged(block)


def picture(told: Picture, shown: Shown) -> None:
    record = shown.record
    folder = SHIPPED / record.lesson if shown.ours else home(record.lesson, record.setting)
    st.markdown(f"**{plain(told.title)}**")
    if told.steps:
        film(folder / told.path, told)
    else:
        st.image(str(folder / told.path))
        st.caption(plain(told.sentence))


def film(path: Path, told: Picture) -> None:
    """Its rows one after another, each below the first; all of them at once are folded away."""
    component("scrubber")(
        key=f"film {path}",
        data={
            "steps": list(told.steps),
            "sheets": frames(str(path), path.stat().st_mtime_ns, len(told.steps)),
            "alt": told.title,
        },
    )
    st.caption("Above, the VAE's images; below, the generator's of the same z, step by step.")
    with st.expander("All steps at once"):
        st.image(str(path))
        st.caption(plain(told.sentence))


@st.cache_data(max_entries=16, show_spinner=False)
def frames(path: str, stamp: int, count: int) -> list[str]:
    """`count` PNGs in base64: the first row of the picture at `path` above each of the others."""
    found = []
    with Image.open(path) as picture:
        pitch = -(-picture.height // (count + 1))
        rows = [
            picture.crop((0, pitch * row, picture.width, min(pitch * (row + 1), picture.height)))
            for row in range(count + 1)
        ]
        for row in rows[1:]:
            frame = Image.new(picture.mode, (picture.width, pitch + row.height))
            frame.paste(rows[0], (0, 0))
            frame.paste(row, (0, pitch))
            buffer = BytesIO()
            frame.save(buffer, format="PNG")
            found.append(b64encode(buffer.getvalue()).decode())
    return found


def table(told: Table) -> None:
    if told.title:
        st.markdown(f"**{plain(told.title)}**")
    st.table([dict(zip(told.head, map(plain, row), strict=True)) for row in told.rows], hide_index=True)
    if told.note:
        st.caption(plain(told.note))


def judged(told: Judged) -> None:
    state = told.verdict.state
    with st.container(border=True):
        st.markdown(f"**{plain(told.claim.sentence)}**")
        measured = plain(told.verdict.text(told.claim).removeprefix(state))
        st.markdown(f":{COLOURS[state]}[**{MARKS[state]} {state}**]{measured}")
        st.caption(f"Borne out by {plain(told.claim.rule)}.")
