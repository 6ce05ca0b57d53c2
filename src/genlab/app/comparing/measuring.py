"""Runs that were not measured yet: a button that has it done, and how it goes."""

from __future__ import annotations

import time

import streamlit as st

from genlab.app import evaluating, reports
from genlab.app.comparing.chosen import Model
from genlab.app.evaluating import Evaluation
from genlab.app.style import duration, plain
from genlab.errors import UserError

REFRESH = 1.0  # seconds between two looks at an evaluation


def unmeasured(models: list[Model]) -> list[Model]:
    """Those of which there is no record of what they are now."""
    return [each for each in models if reports.record(each.entry, each.reference) is None]


def panel(missing: list[Model]) -> None:
    """What there is to measure, or how it goes."""
    running = evaluating.current()
    if running is not None and running.alive():
        st.fragment(progress, run_every=REFRESH)()
        return
    if running is not None:
        ended()
    if missing:
        offer(missing)


def offer(missing: list[Model]) -> None:
    names = ", ".join(plain(each.label) for each in missing)
    number = len(missing)
    with st.container(border=True):
        st.markdown(f"**Not measured as {'they are' if number > 1 else 'it is'} now:** {names}")
        label = f"Evaluate {number} run{'s' if number > 1 else ''}"
        pressed = st.button(label, icon=":material/straighten:", type="primary", key="evaluate")
        st.caption(
            f"About {duration(evaluating.USUAL * number)} for images like MNIST’s on two cores: "
            f"{reports.COUNT:,} samples each, against the test images. The first time that a data set is "
            "measured, its features are learned first, which may take minutes. It is a process of its own: "
            "close the page, and it goes on."
        )
    if pressed:
        try:
            evaluating.begin([each.reference for each in missing])
        except UserError as error:
            st.error(plain(error))
            return
        st.rerun()


def progress() -> None:
    running = evaluating.current()
    if running is None or not running.alive():
        st.rerun()  # the whole page: the numbers are there
    with st.container(border=True):
        left, right = st.columns([5, 1], vertical_alignment="center")
        share, said = standing(running)
        left.progress(share, text=said)
        if right.button("Cancel", icon=":material/close:", key="cancel-evaluation", width="stretch"):
            evaluating.cancel(running)
            st.rerun()


def standing(running: Evaluation) -> tuple[float, str]:
    """What share is done, guessed from the time within a run, and what is being done."""
    passed = duration(time.time() - running.began)
    at = evaluating.standing()
    if at is None:
        return 0.0, f"Starting … &nbsp; :gray[{passed}]"
    doing = f" · {plain(at.doing)}" if at.doing else ""
    guessed = (time.time() - running.began) / (evaluating.USUAL * at.of)
    share = min(max(guessed, (at.turn - 1) / at.of), (at.turn - 0.05) / at.of)
    return share, f"Evaluating {plain(at.run)}, {at.turn} of {at.of}{doing} &nbsp; :gray[{passed}]"


def ended() -> None:
    """Says once what could not be measured."""
    for complaint in evaluating.complaints():
        st.error(plain(complaint), icon=":material/error:")
    if not evaluating.complaints():
        evaluating.forget()
    elif st.button("Dismiss", key="dismiss-evaluation"):
        evaluating.forget()
        st.rerun()
