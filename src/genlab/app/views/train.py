"""Train: what is trained, for how long, and how it goes."""

from __future__ import annotations

import streamlit as st

from genlab.app import entries
from genlab.app.address import arrive, leave
from genlab.app.choosing import RUN, named
from genlab.app.entries import Entry
from genlab.app.forms import starting
from genlab.app.live import watching

NEW = ""  # in place of a run's name


def page() -> None:
    st.markdown("### Train")
    entry = chosen(entries.everything())
    if entry is None:
        starting.form()
    else:
        watching.watch(entry)


def chosen(among: list[Entry]) -> Entry | None:
    """The run that is watched, those at work first in the list; None for a new training."""
    if not among:
        return None
    by_name = {each.name: each for each in sorted(among, key=lambda each: not each.live)}
    arrive(RUN, {NEW, *by_name})
    left, right = st.columns([3, 1], vertical_alignment="center")
    with left:
        name = st.selectbox(
            "Run", [NEW, *by_name], key=RUN, persist_state="session",
            format_func=lambda name: named(by_name[name]) if name in by_name else "A new training",
            label_visibility="collapsed",
        )  # fmt: skip
    leave(RUN, name or None)
    with right:
        st.button("New training", icon=":material/add:", on_click=anew, disabled=not name, width="stretch")
    return by_name.get(name or NEW)


def anew() -> None:
    """Show the form in place of a run."""
    st.session_state[RUN] = NEW
