"""Lessons: the course's questions, which are answered by measurement."""

from __future__ import annotations

import streamlit as st

from genlab.app.style import plain
from genlab.errors import UserError
from genlab.lessons.catalogue import lesson_called, names
from genlab.lessons.course import Row, table
from genlab.lessons.lesson import Lesson
from genlab.lessons.record import shipped, verdicts
from genlab.lessons.writing.document import MARKS


def page() -> None:
    name = st.query_params.get("lesson")
    if name is None:
        catalogue()
        return
    if st.button("All lessons", icon=":material/arrow_back:", key="all lessons", type="tertiary"):
        st.query_params.clear()
        st.rerun()
    try:
        lesson = lesson_called(name)
    except UserError as error:
        st.error(plain(error))
        return
    from genlab.app.schooling.page import lesson_page

    lesson_page(lesson)


def catalogue() -> None:
    st.markdown("### Lessons")
    st.write(
        "The course asks, and usually answers in prose. Here each answer is a set of claims, and each claim "
        "is measured, by a rule that stands before the run. Predict first, then look."
    )
    for name in names():
        card(lesson_called(name))
    st.markdown("#### What the course says, claim by claim")
    st.caption(
        "Each sentence and analogy, in our words, with what in it can be tested. The verdicts are those of "
        "the runs that come with genlab."
    )
    st.table(claims(), hide_index=True)


@st.cache_data(show_spinner=False)
def claims() -> list[dict[str, str]]:
    """Every sentence of the course with its claims, and what the runs that came with genlab say of them."""
    records = {name: record for name in names() if (record := shipped(name)) is not None}
    return [told(row) for row in table(records)]


def told(row: Row) -> dict[str, str]:
    verdict = row.verdict
    return {
        "the course": plain(row.sentence.says),
        "what can be tested": plain(row.claim.sentence),
        "verdict": f"{MARKS[verdict.state]} {verdict.state}" if verdict else "not run yet",
        "lesson": f"[{row.lesson.name}](?lesson={row.lesson.name})",
    }


def card(lesson: Lesson) -> None:
    with st.container(border=True):
        left, right = st.columns([4, 1], vertical_alignment="center")
        left.markdown(f"**{lesson.title}**  \n{lesson.question}")
        with right:
            if st.button("Open", key=f"open {lesson.name}", type="primary", width="stretch"):
                st.query_params["lesson"] = lesson.name
                st.rerun()
        if said := outcome(lesson.name):
            st.caption(said)


@st.cache_data(show_spinner=False)
def outcome(name: str) -> str:
    """How many claims the run that came with genlab bore out; empty where none came."""
    record = shipped(name)
    if record is None:
        return ""
    found = [verdict.state for _, verdict in verdicts(lesson_called(name), record.findings)]
    counts = " · ".join(f"{MARKS[s]} {found.count(s)} {s}" for s in MARKS if s in found)
    return f"Measured {record.created[:10]}, {len(found)} claims: {counts}"
