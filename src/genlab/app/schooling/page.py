"""One lesson: ask, let predict, run, show, judge, ask again."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import streamlit as st

from genlab.app.schooling import evidence, shown
from genlab.app.schooling.shown import Shown
from genlab.app.style import duration, plain
from genlab.errors import UserError
from genlab.lessons.lesson import Choice, Lesson, Prediction, Setting
from genlab.lessons.record import LONGEST, outcome, say
from genlab.lessons.standing import standing
from genlab.lessons.writing.document import document
from genlab.lessons.writing.source import fenced

REFRESH = 1.0  # seconds


def lesson_page(lesson: Lesson) -> None:
    start = shown.asked()
    st.markdown(f"### {lesson.title}")
    st.write(lesson.question)
    st.markdown(fenced(lesson.text()))
    st.markdown("#### Before you run it: what do you expect?")
    with st.container(border=True):
        setting = shown.setting_of(start)
        for each in lesson.predictions:
            predict(lesson, setting, each)
        if "run" not in start.hide:
            run(lesson, setting)
    found = shown.record_of(lesson, setting)
    if found is None:
        st.info("Nothing was measured yet: run it.", icon=":material/play_arrow:")
        return
    if opened(lesson, setting):
        measured(lesson, setting, found)


def predict(lesson: Lesson, setting: Setting, each: Prediction) -> None:
    """One prediction, kept as it is made."""
    before = shown.words(lesson, setting)["predictions"].get(each.key)
    key = f"{lesson.name}/{setting}/{each.key}"
    value: str | float | None
    if isinstance(each, Choice):
        index = each.options.index(before) if before in each.options else None
        value = st.radio(each.question, each.options, index=index, key=key, horizontal=True)
    else:
        start = float(before) if isinstance(before, int | float) else None
        unit = f" ({each.unit})" if each.unit else ""
        value = st.number_input(
            f"{each.question}{unit}",
            float(each.low),
            float(each.high),
            start,
            float(each.step),
            key=key,
            placeholder="your guess",
        )
    if value is not None and value != before:
        say(lesson.name, setting, "predictions", each.key, value)


def run(lesson: Lesson, setting: Setting) -> None:
    note = standing(lesson.name, setting)
    if note is not None and "failed" not in note:
        st.fragment(progress, run_every=REFRESH)(lesson, setting)
        if st.button("Stop", icon=":material/stop:", key="stop lesson"):
            shown.stop(lesson, setting)
            st.rerun()
        return
    if note is not None:
        st.error(plain(note["failed"]), icon=":material/error:")
    seconds = sum(task.seconds for task in {id(t): t for t in lesson.tasks(setting).values()}.values())
    left, right = st.columns([1, 3], vertical_alignment="center")
    if left.button("Run it here", type="primary", icon=":material/play_arrow:", key="run lesson"):
        shown.start(lesson, setting)
        st.session_state[f"started {lesson.name}"] = setting
        wait_for_note(lesson, setting)
        st.rerun()
    note_on_size = f" {lesson.unresolved}" if setting.scale == "quick" else ""
    right.caption(
        f"About {duration(seconds / 2)} on 2 cores, less of it where arms were trained before. You may close "
        f"this page meanwhile.{note_on_size}"
    )


def wait_for_note(lesson: Lesson, setting: Setting, patience: float = 20.0) -> None:
    """Until the process has said something, or has ended with nothing left to do."""
    import time

    ends = time.monotonic() + patience
    with st.spinner("It starts …"):
        while time.monotonic() < ends and standing(lesson.name, setting) is None:
            time.sleep(0.2)


def progress(lesson: Lesson, setting: Setting) -> None:
    note = standing(lesson.name, setting)
    if note is None or "failed" in note:
        st.rerun()
    assert note is not None
    st.progress(
        note["share"], f"{note['share']:.0%} · {duration(note['left'])} left · {plain(note['doing'])}"
    )


def opened(lesson: Lesson, setting: Setting) -> bool:
    """Whether the reader wants to see what was measured: at once where all predictions were made."""
    made = shown.words(lesson, setting)["predictions"]
    if all(each.key in made for each in lesson.predictions):
        return True
    return st.toggle(
        "Show what was measured", key="seen", bind="query-params",
        help="Opens by itself once you have made your predictions.",
    )  # fmt: skip


def measured(lesson: Lesson, setting: Setting, found: Shown) -> None:
    told = document(lesson, found.record)
    if found.ours:
        st.info(
            "You see the run that comes with genlab, as it was measured on the machine named below. Run it "
            "here to see your own.",
            icon=":material/inventory_2:",
        )
    st.caption(" · ".join(f"{name}: {plain(value)}" for name, value in told.facts))
    compared(lesson, setting, found)
    for section in told.sections:
        if section.key in ("evidence", "verdicts"):
            st.markdown(f"#### {section.title}")
            for block in section.blocks:
                evidence.draw(block, found)
    reflect(lesson, setting)
    hand_in(lesson, found)


def compared(lesson: Lesson, setting: Setting, found: Shown) -> None:
    made = shown.words(lesson, setting)["predictions"]
    rows = []
    for each in lesson.predictions:
        if each.key in made:
            came = outcome(each, found.record.findings)
            rows.append({"": plain(each.question), "predicted": text(made[each.key]), "measured": text(came)})
    if rows:
        st.table(rows, hide_index=True)


def text(said: object) -> str:
    return (
        f"{said:.3g}"
        if isinstance(said, int | float)
        else plain("the run does not tell" if said is None else said)
    )


def reflect(lesson: Lesson, setting: Setting) -> None:
    st.markdown("#### In your own words")
    before = shown.words(lesson, setting)["reflections"]
    for number, question in enumerate(lesson.reflections, 1):
        written = st.text_area(
            f"{number}. {question}", str(before.get(str(number), "")),
            key=f"{lesson.name}/{setting}/words{number}", max_chars=LONGEST,
        )  # fmt: skip
        if written != before.get(str(number), ""):
            say(lesson.name, setting, "reflections", str(number), written)


def hand_in(lesson: Lesson, found: Shown) -> None:
    st.markdown("#### To hand in")
    st.caption(
        "A page, Markdown and a notebook with your predictions, the evidence, the verdicts and your "
        "own words; whoever has the report can run it again from the seeds inside it."
    )
    st.download_button(
        "Lab report (zip)", lambda: archive(lesson, found), f"{lesson.name}.zip", "application/zip",
        icon=":material/download:", key="hand in", on_click="ignore",
    )  # fmt: skip


def archive(lesson: Lesson, found: Shown) -> bytes:
    from genlab.lessons.writing.export import export

    record = shown.record_of(lesson, found.record.setting) or found
    content = io.BytesIO()
    with tempfile.TemporaryDirectory() as place:
        try:
            export(lesson, record.record, Path(place), shipped=record.ours)
        except UserError as error:
            return str(error).encode()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
            for path in sorted(Path(place).rglob("*")):
                if path.is_file():
                    file.write(path, f"{lesson.name}/{path.relative_to(place).as_posix()}")
    return content.getvalue()
