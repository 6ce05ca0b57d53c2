"""Which run of a lesson a page shows, and how a lesson is run from it."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import streamlit as st

from genlab.app import processes, sharing
from genlab.errors import UserError
from genlab.lessons.classroom import CONTROLS, Classroom, classroom
from genlab.lessons.lesson import SCALES, Lesson, Setting
from genlab.lessons.record import Record, home, kept, said, shipped, with_words
from genlab.lessons.standing import standing


@dataclass(frozen=True)
class Shown:
    """A record of the lesson and where its pictures lie; `ours` where it came with genlab."""

    record: Record
    ours: bool


def asked() -> Classroom:
    """What the address sets: `seed`, `data`, `size`, and in `hide` the controls that the page leaves out. A
    wrong one is told on the page, and then none counts."""
    query = st.query_params
    values: dict[str, object] = {key: query[key] for key in ("data", "size") if query.get(key)}
    if query.get("seed"):
        values["seed"] = int(query["seed"]) if query["seed"].isdecimal() else query["seed"]
    if query.get("hide"):
        values["hide"] = [each for each in query["hide"].split(",") if each]
    try:
        return classroom(values, "the address")
    except UserError as error:
        st.warning(str(error), icon=":material/link_off:")
        return Classroom(Setting())


def setting_of(start: Classroom) -> Setting:
    """The size, the seed and the images as they are chosen on the page, or set for a class."""
    first = start.setting
    size, seed, data = first.scale, first.seed, first.data
    shown = [name for name in CONTROLS[:3] if name not in start.hide]
    for name, place in zip(shown, st.columns(max(1, len(shown))), strict=False):
        with place:
            if name == "size":
                size = st.segmented_control(
                    "Size", SCALES, default=first.scale, key=f"size {first}", required=True,
                    help="quick: at most 2 minutes on 2 cores. default: at most 10. full: for a night.",
                )  # fmt: skip
            elif name == "seed":
                seed = int(st.number_input("First seed", 0, 2**31 - 1, first.seed, key=f"seed {first}"))
            else:
                data = st.text_input("Images", first.data, key=f"data {first}").strip() or first.data
                sharing.check(data)
    return Setting(size, seed, data)


def record_of(lesson: Lesson, setting: Setting) -> Shown | None:
    """The reader's own run with this setting; else the one that came with genlab."""
    try:
        own = kept(lesson.name, setting)
        if own is not None:
            return Shown(own, ours=False)
        came = shipped(lesson.name)
        return Shown(with_words(came), ours=True) if came is not None else None
    except UserError as error:
        st.error(str(error))
        return None


def words(lesson: Lesson, setting: Setting) -> dict[str, dict[str, object]]:
    return said(lesson.name, setting)


def start(lesson: Lesson, setting: Setting) -> None:
    """Run the lesson as the command does, in a process that outlives this page."""
    flags = [] if setting.scale == "default" else [f"--{setting.scale}"]
    command = [sys.executable, "-m", "genlab.cli", "lesson", lesson.name, *flags, "--seed", str(setting.seed)]
    folder = home(lesson.name, setting)
    folder.mkdir(parents=True, exist_ok=True)
    processes.start([*command, "--data", setting.data], folder / "running.log")


def stop(lesson: Lesson, setting: Setting) -> None:
    """End the process that runs it; what is finished stays, and a training keeps a checkpoint."""
    note = standing(lesson.name, setting)
    if note is not None and "pid" in note:
        processes.end(int(note["pid"]), float(note["created"]))
