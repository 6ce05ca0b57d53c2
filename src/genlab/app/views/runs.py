"""Runs: find, rename, annotate, take away, throw away."""

from __future__ import annotations

import streamlit as st

from genlab.app import entries
from genlab.app.choosing import choose
from genlab.app.entries import Entry
from genlab.app.navigate import go
from genlab.app.shelf import rows, thrown
from genlab.app.shelf.panel import panel
from genlab.app.shelf.thrown import size
from genlab.runs import bin, disk
from genlab.runs.store import runs_root


def page() -> None:
    st.markdown("### Runs")
    thrown.aftermath()
    everything = entries.everything(shipped=True)
    if all(entry.shipped for entry in everything):
        invitation()
    if everything:
        top, below = st.container(), st.container()
        with below:
            chosen = choose("Run", among=everything)
        with top:
            shown(everything)
        with below:
            if chosen is not None:
                panel(chosen, everything)
    storage(everything)


def invitation() -> None:
    st.info("There is no run of your own yet.")
    if st.button("Train one", type="primary", key="train-one"):
        go("train")


def shown(everything: list[Entry]) -> None:
    found = rows.narrowed(everything)
    if found:
        rows.table(found)
    else:
        st.caption("No run has all of that. Clear the search or a filter above.")


def storage(everything: list[Entry]) -> None:
    """What all of it takes on the disk, and the bin."""
    binned = bin.binned()
    own = sum(rows.size(entry) for entry in everything if not entry.shipped)
    with st.expander(
        f"Disk and bin ({len(binned)})" if binned else "Disk and bin", icon=":material/hard_drive:"
    ):
        columns = st.columns(4)
        columns[0].metric(
            "runs", size(own), help="All of them; the table has each one’s size, and sorts by it."
        )
        columns[1].metric("bin", size(sum(disk.used(each.place) for each in binned)))
        columns[2].metric(
            "data and features", size(cached()), help="Downloads, and what evaluations have computed."
        )
        columns[3].metric("free", size(disk.free(runs_root())), help="On the disk that the runs are on.")
        thrown.listing()


@st.cache_data(max_entries=1, ttl=60, show_spinner=False)
def cached() -> int:
    return sum(disk.used(folder) for folder in thrown.caches())
