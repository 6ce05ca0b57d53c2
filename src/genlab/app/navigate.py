"""Where the page stands: which run, which station. Both are in its address, so that a link or a refresh
comes back to them."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

STATIONS = {
    "train": "1 · Train",
    "reconstruct": "2 · Reconstruct",
    "generate": "3 · Generate",
    "gan": "4 · VAE → GAN",
}
WANTED, WRITTEN = "wanted", "written"  # in the session: what to show next; what was last put in the address


def go(*, run: str | None = None, show: str | None = None) -> NoReturn:
    """Draw the page anew, with another run or at another station."""
    st.session_state[WANTED] = {"run": run, "show": show}
    st.rerun()


def arrive(runs: list[str]) -> None:
    """Before any widget is drawn: decide what they show. First what `go` asked for, then an address that is
    not ours (a link, or the browser's Back), then what was shown; else the newest run, the first station."""
    wanted = st.session_state.pop(WANTED, {})
    written = st.session_state.get(WRITTEN, {})
    for key, allowed in (("run", runs), ("show", list(STATIONS))):
        address = st.query_params.get(key)
        given = (wanted.get(key), address if address != written.get(key) else None, st.session_state.get(key))
        st.session_state[key] = next(
            (value for value in given if value in allowed), allowed[0] if allowed else None
        )


def settle(run: str | None, show: str) -> None:
    """After the widgets: put what they show into the address."""
    standing = {"show": show} | ({"run": run} if run else {})
    for key, value in standing.items():
        if st.query_params.get(key) != value:
            st.query_params[key] = value
    st.session_state[WRITTEN] = standing
