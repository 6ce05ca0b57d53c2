"""A run as it trains: progress, curves, sheets, and the levers that reach into it.

The panel is drawn anew every second while the run is live, and once when that has ended. It reads the run
folder and leaves requests there; the worker alone trains.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import streamlit as st

from genlab.app import entries, launches
from genlab.app.entries import Entry
from genlab.app.following import Progress
from genlab.app.live import curves, levers, looking_back, receipt, teaching
from genlab.app.style import SHEET, count, duration, plain

REFRESH = 1.0  # seconds between two looks at a training
NOTES = {
    "samples": "The same 64 latents throughout: what moves is learning.",
    "reconstructions": "Test images, each with its reconstruction to its right; it never trained on these.",
}


def watch(entry: Entry, with_receipt: bool = False) -> None:
    """The panel of a run."""
    st.fragment(panel, run_every=REFRESH if entry.live else None)(str(entry.path), entry.state, with_receipt)


def panel(path: str, state: str, with_receipt: bool) -> None:
    entry = look(Path(path))
    if entry is None or entry.state != state:
        st.rerun()  # the whole page: what can be done with the run has changed
    heading(entry)
    if entry.progress is None or not entry.progress.steps or entry.state == "waiting":
        waiting(entry)
        return
    bar(entry, entry.progress)
    notices(entry.progress)
    if with_receipt and entry.progress.receipt:
        receipt.card(entry.progress.receipt)
    if entry.state == "paused":
        teaching.lesson(entry)
    pictures(entry, entry.progress)


def look(path: Path) -> Entry | None:
    """None where the folder was removed meanwhile."""
    if not (path / "config.json").exists() and launches.find(path) is None:
        return None
    return entries.read(path)


def heading(entry: Entry) -> None:
    left, right = st.columns([3, 2], vertical_alignment="center")
    data = f" on {plain(entry.data)}" if entry.data else ""
    left.markdown(f"#### {plain(entry.title)}{data} &nbsp; :small[:gray[{plain(entry.label)}]]")
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        levers.buttons(entry)
    if entry.complaint:
        st.error(trouble(entry), icon=":material/error:")


def trouble(entry: Entry) -> str:
    said = plain(entry.complaint)
    if entry.state == "not started":
        return f"This training did not start: {said}"
    return f"This training ended early: {said}" if entry.progress else f"This run can't be read: {said}"


def waiting(entry: Entry) -> None:
    """Before the first step: what the worker is busy with, or whom it waits for."""
    launch = entry.launch
    if launch is None or not entry.live:
        return
    passed = duration(time.time() - launch.began)
    if entry.state == "waiting":
        ahead = launches.waiting_for(launch)
        names = " and ".join(plain(each.name) for each in ahead) or "its turn"
        left = launches.seconds_left(ahead)
        when = f", about {duration(left)}" if left is not None else ""
        st.progress(0.0, text=f"Waiting for {names}{when} &nbsp; :gray[{passed}]")
        return
    said = launch.log()
    if launch.seconds is not None and entry.progress is None and said:
        what = f"Measuring how many steps fit in {launch.seconds:g} s …"
    elif said:
        what = "Building the networks and reading the images …"
    else:
        what = "Starting a process of its own for the training …"
    st.progress(0.0, text=f"{what} &nbsp; :gray[{passed}]")
    st.caption("You may close this page, or even stop the app: the training goes on, and is found again.")


def bar(entry: Entry, progress: Progress) -> None:
    share = min(1.0, progress.step / progress.steps)
    facts = [f"step {count(progress.step)} of {count(progress.steps)}"]
    if entry.state == "running":
        facts += [f"about {duration(progress.left)} left"] if progress.left is not None else []
        facts += [f"{count(progress.rate)} images/s"] if progress.rate else []
    else:
        facts += [f"{duration(progress.seconds)} of training", entries.WORDS.get(entry.state, entry.state)]
    st.progress(share, text=" · ".join(facts))


def notices(progress: Progress) -> None:
    """The newest warning with what to try, and the newest validation."""
    if progress.warning:
        st.warning(plain(progress.warning.line), icon=":material/warning:")
    if progress.validated:
        line = progress.validated.line
        st.caption(plain(line[:1].upper() + line[1:]))


def pictures(entry: Entry, progress: Progress) -> None:
    """Sheets at the left, curves at the right."""
    left, right = st.columns([SHEET, SHEET], gap="medium")
    with left:
        with st.container(horizontal=True, vertical_alignment="center"):
            content = chosen_content(entry)
            back = st.toggle(
                "Look back", key=f"back-{entry.name}", help="All sheets so far, as a film and as a GIF."
            )
        if back:
            looking_back.film(entry, content, key=f"film-{entry.name}-{content}")
        else:
            newest(entry, progress, content)
    with right:
        if progress.curves.steps:
            curves.draw(progress.curves, progress.steps)
            st.caption("Faint: batch by batch. Strong: smoothed.")


def chosen_content(entry: Entry) -> str:
    """Which sheets: a GAN has samples alone."""
    if entry.family == "gan":
        return "samples"
    names = {"samples": "Samples", "reconstructions": "Reconstructions"}
    return str(
        st.segmented_control(
            "Sheet", list(names), required=True, format_func=names.__getitem__, key="sheet",
            default="samples", label_visibility="collapsed", persist_state="session",
        )
    )  # fmt: skip


def newest(entry: Entry, progress: Progress, content: str) -> None:
    path = progress.sheets.get(content)
    if path and (entry.path / path).is_file():
        step = int(re.sub(r"\D", "", Path(path).stem) or 0)
        st.image((entry.path / path).read_bytes(), alt=f"{content} after {step} steps")
        st.caption(f"{NOTES[content]} Step {count(step)}.")
    elif entry.live:
        st.skeleton(height=SHEET)
        st.caption(f"The first {content} appear after 10 steps.")
