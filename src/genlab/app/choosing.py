"""The choice of a run, the same on every page, and in its address."""

from __future__ import annotations

import streamlit as st

from genlab.app import entries
from genlab.app.address import arrive, leave, news
from genlab.app.entries import Entry
from genlab.app.navigate import go
from genlab.app.style import plain

RUN = "run"  # the name of the choice, in the session and in the address


def choose(label: str = "Model", *, live: bool = True, among: list[Entry] | None = None) -> Entry | None:
    """The run that the page is about, of all runs and the models that are shipped, or of those `among`; what
    was chosen stays from page to page. Without `live`, runs that have nothing to use yet are left out."""
    among = entries.everything(shipped=True) if among is None else among
    among = [each for each in among if live or each.saved is not None]
    if not among:
        return None
    by_name = {each.name: each for each in among}
    lost = [name for name in news(RUN) if name not in by_name]
    arrive(RUN, by_name, among[0].name)
    chosen = st.selectbox(
        label, list(by_name), key=RUN, persist_state="session",
        format_func=lambda name: named(by_name[name]) if name in by_name else name,
    )  # fmt: skip
    leave(RUN, chosen)
    found = by_name.get(str(chosen))
    if lost and found:
        st.toast(
            f"The run {plain(lost[-1])}, which the link leads to, is not here or has nothing to show yet: "
            f"this is {plain(found.label)}.",
            icon=":material/link_off:", duration="long",
        )  # fmt: skip
    return found


def named(entry: Entry) -> str:
    """A run in one line of a list."""
    return f"{entry.label} · {entry.caption}"


def usable(entry: Entry | None, what: str) -> bool:
    """Whether there is a checkpoint to use; otherwise says what is missing, with a way to it."""
    if entry is not None and entry.saved is not None:
        return True
    if entry is not None and entry.live:
        st.info("This run is still young: its first checkpoint comes at step 500, or with the last step.")
    elif entry is not None:
        st.info(f"Train before you {what}: {plain(entry.label)} has no checkpoint yet.")
    else:
        st.info(f"Train before you {what}: there is no trained model here yet.")
    if st.button("See its training" if entry else "Train one", type="primary", key="see-training"):
        go("train", run=entry.name if entry else None)
    return False
