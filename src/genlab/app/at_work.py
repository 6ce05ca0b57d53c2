"""What trains and what waits, beside every page."""

from __future__ import annotations

import streamlit as st

from genlab.app import entries
from genlab.app.entries import Entry
from genlab.app.navigate import link
from genlab.app.style import duration, plain

REFRESH = 2.0  # seconds between two looks while something is at work


def panel() -> None:
    """The trainings at work, drawn anew every two seconds while there are any."""
    busy = any(each.live for each in entries.everything())
    st.fragment(listing, run_every=REFRESH if busy else None)()


def listing() -> None:
    for entry in [each for each in entries.everything() if each.live]:
        progress = entry.progress
        share = progress.step / progress.steps if progress and progress.steps else 0.0
        st.progress(min(1.0, share), text=f"**{plain(entry.label)}** &nbsp; :small[:gray[{said(entry)}]]")
        link("train", "Watch", run=entry.name)


def said(entry: Entry) -> str:
    left = entry.progress.left if entry.progress else None
    if entry.state == "running" and left is not None:
        return f"{duration(left)} left"
    return entries.WORDS.get(entry.state, entry.state)
