"""Data: which images, what is in them, and what a model will see of them."""

from __future__ import annotations

import time
from dataclasses import replace

import streamlit as st

from genlab.app.address import arrive, leave
from genlab.app.choosing import RUN
from genlab.app.forms import fields
from genlab.app.forms.asked import Asked, asked, known, remember
from genlab.app.navigate import go
from genlab.app.sets import datasets, downloads, uploading
from genlab.app.sets.distributions import statistics
from genlab.app.sets.gallery import by_class, pair
from genlab.app.sets.originals import pairs
from genlab.app.sets.overview import Overview, Seen, overview
from genlab.app.style import count, duration, plain
from genlab.data.catalogue import CATALOGUE, Entry
from genlab.data.shards import is_sharded

VIEWS = {"classes": "By class", "model": "What the model will see", "statistics": "Statistics"}
FIELDS = ("data.size", "data.channels", "data.fit", "data.limit", "data.validation")
REFRESH = 1.0  # seconds between two looks at a download
FILES = 20  # that were left out and are named


def page() -> None:
    st.markdown("### Data")
    now = asked()
    uploading.take(now)
    if now.complaint:
        st.warning(plain(fields.sentence(now.complaint)), icon=":material/link_off:")
    head(now)
    remember(now)
    if (entry := datasets.missing(now.data)) is not None:
        busy = downloads.under_way(entry)
        st.fragment(missing, run_every=REFRESH if busy else None)(entry.name, busy)
        return
    about(now.data)
    show(now)


def head(now: Asked) -> None:
    """Which images, how to bring others, and where to go with them."""
    images, upload, onward = st.columns([4, 1.3, 1.7], vertical_alignment="bottom")
    with images:
        datasets.choose(now)
    with upload:
        uploading.panel()
    with onward:
        if st.button("Train on these →", type="primary", key="train-on", width="stretch",
                     disabled=datasets.missing(now.data) is not None):  # fmt: skip
            st.session_state.pop(RUN, None)  # the form, not the run that was looked at before
            now.decoder = ""  # which would bring images of its own
            go("train", **now.query())


def about(name: str) -> None:
    """Whose images they are."""
    if entry := CATALOGUE.get(name):
        st.caption(f"{plain(entry.description)} Licence: {plain(entry.licence)}. {plain(entry.citation)}.")


def missing(name: str, busy: bool) -> None:
    """What a download would bring, and how far it is."""
    entry = CATALOGUE[name]
    if datasets.missing(name) is None or downloads.under_way(entry) != busy:
        st.rerun()  # the whole page, which says whether this is looked at every second
    about(name)
    size = "×".join(map(str, entry.shape[1:]))
    st.info(
        f"{plain(entry.title)} is not on this machine. It has {count(entry.train)} images to train on and "
        f"{count(entry.test)} to test with, {size} px, and is downloaded once: {entry.megabytes} MB from "
        f"{plain(entry.source)}; every file is checked by its SHA-256.",
        icon=":material/cloud_download:",
    )
    if busy:
        coming(entry)
        return
    if why := downloads.complaint(entry):
        st.error(plain(why), icon=":material/error:")
    label = f"Download {entry.megabytes} MB"
    if st.button(label, icon=":material/download:", key="download"):
        downloads.begin(entry)
        st.rerun()


def coming(entry: Entry) -> None:
    process, bytes_here = downloads.find(entry), downloads.arrived(entry)
    passed = duration(time.time() - process.began) if process else ""
    share = min(1.0, bytes_here / (entry.megabytes * 1e6))
    st.progress(share, text=f"{bytes_here / 1e6:.0f} of {entry.megabytes} MB &nbsp; :gray[{passed}]")
    st.button("Stop", icon=":material/stop:", key="stop-download", on_click=downloads.stop, args=(entry,))


def show(now: Asked) -> None:
    """One of the three views, under the numbers that they have in common."""
    seen = seen_by(now)
    native = replace(seen, size=None, channels=None, fit="crop")
    stamp = datasets.stamp(now.data)
    found = overview(native, stamp)
    facts(found, now)
    arrive("view", VIEWS)
    view = st.segmented_control(
        "View", list(VIEWS), required=True, default="classes", format_func=VIEWS.__getitem__, key="view",
        label_visibility="collapsed", width="stretch", persist_state="session",
    )  # fmt: skip
    leave("view", view if view != "classes" else None)
    if view == "classes":
        by_class(found)
    elif view == "model":
        model(native, found, now, stamp)
    else:
        statistics(found)
    left_out(found)


def seen_by(now: Asked) -> Seen:
    """What is asked for, of what decides how images are read."""
    given = {path.partition(".")[2]: value for path, value in now.chosen.items() if path in FIELDS}
    return Seen(now.data, seed=now.chosen.get("training.seed", 0), **given)


def facts(found: Overview, now: Asked) -> None:
    size = now.chosen.get("data.size") or found.shape[1]
    channels = now.chosen.get("data.channels") or found.shape[0]
    told = {
        "to train on": count(found.splits["train"]),
        "to validate with": count(found.splits.get("validation", 0)),
        "to test with": count(found.splits["test"]),
        "classes": count(len(found.class_names)),
        "pixels": f"{size} × {size}",
        "channels": "1, grey" if channels == 1 else "3, colour",
    }
    for column, (label, value) in zip(st.columns(len(told)), told.items(), strict=True):
        column.metric(label, value)


def model(native: Seen, found: Overview, now: Asked, stamp: str) -> None:
    """Originals beside what a model will see, and the settings that decide it."""
    packed = is_sharded(datasets.path(now.data))
    left, right = st.columns([1, 2.4], gap="large")
    with left:
        for path in FIELDS:
            fields.draw(known()[path], now, disabled=packed and path not in ("data.limit",))
        if packed:
            st.caption("Shards are read as they were packed: their size and channels stay what they are.")
        st.caption("These settings go along to Train.")
    seen = seen_by(now)
    size, channels = seen.size or found.shape[1], seen.channels or found.shape[0]
    with right:
        for each in pairs(seen, size, channels, stamp, found):
            pair(each)


def left_out(found: Overview) -> None:
    if not found.skipped:
        return
    number = len(found.skipped)
    title = "One file was left out" if number == 1 else f"{count(number)} files were left out"
    with st.expander(title, icon=":material/warning:"):
        for line in found.skipped[:FILES]:
            st.caption(plain(line))
        if len(found.skipped) > FILES:
            st.caption(f"… and {count(len(found.skipped) - FILES)} more")
