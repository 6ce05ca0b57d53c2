"""What a lesson shows for itself, as a page draws it."""

from __future__ import annotations

import streamlit as st

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
    st.image(str(folder / told.path))
    st.caption(plain(told.sentence))


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
