"""The table of all runs: found by words, narrowed by family, state and tag, sorted by a click."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from genlab.app import entries, reports
from genlab.app.address import arrive_several, leave
from genlab.app.choosing import RUN
from genlab.app.entries import FAMILIES, Entry
from genlab.runs import disk

SELECTION = "shelf"
GROWING = (".", "events.jsonl", "checkpoints", "samples", "generated")  # what says that a run takes more


class Filter(NamedTuple):
    """A way to narrow the table: its name in the address, its label, and what a run has of it."""

    key: str
    label: str
    of: Callable[[Entry], tuple[str, ...]]


FILTERS = (
    Filter("families", "Family", lambda entry: (FAMILIES.get(entry.family, entry.family),)),
    Filter("states", "State", lambda entry: (state(entry),)),
    Filter("tags", "Tags", lambda entry: entry.note.tags),
)


def state(entry: Entry) -> str:
    """In a word or two, without its sign."""
    return entries.WORDS.get(entry.state, entry.state).partition(" ")[2] or entry.state


def words(entry: Entry) -> str:
    """Everything that a search looks through."""
    note = entry.note
    said = (
        entry.name,
        entry.title,
        entry.family,
        entry.data,
        state(entry),
        note.title,
        note.text,
        *note.tags,
    )
    return "\n".join(said).casefold()


def search(among: Sequence[Entry], text: str) -> list[Entry]:
    """The runs that have every word of `text` somewhere, as a part of a word at least."""
    asked = text.casefold().split()
    return [entry for entry in among if all(word in words(entry) for word in asked)]


def narrowed(among: Sequence[Entry]) -> list[Entry]:
    """What the fields above the table leave, each of them in the address."""
    columns = st.columns([2, 1, 1, 1], vertical_alignment="bottom")
    text = columns[0].text_input(
        "Search", key="q", bind="query-params", persist_state="session", live=True, type="search",
        icon=":material/search:", placeholder="name, data, tag, note …", label_visibility="collapsed",
    )  # fmt: skip
    found = search(among, text or "")
    for column, each in zip(columns[1:], FILTERS, strict=True):
        options = sorted({word for entry in among for word in each.of(entry)})
        with column:
            chosen = pick(each, options)
        if chosen:
            found = [entry for entry in found if set(each.of(entry)) & set(chosen)]
    return found


def pick(each: Filter, options: list[str]) -> list[str]:
    """Those of the options that are asked for; what is no option any more is forgotten."""
    arrive_several(each.key, options)
    chosen = st.multiselect(
        each.label, options, key=each.key, persist_state="session", label_visibility="collapsed", wrap=False,
        placeholder=each.label if options else f"{each.label}: none", disabled=not options,
    )  # fmt: skip
    leave(each.key, chosen)
    return chosen


def size(entry: Entry) -> int:
    """Bytes on the disk, counted anew where a file has come, gone or grown."""
    return _size(str(entry.path), sum(reports.stamp_of(entry.path / name) for name in GROWING))


@lru_cache(maxsize=500)
def _size(path: str, stamp: int) -> int:
    return disk.used(Path(path))


def row(entry: Entry) -> dict[str, Any]:
    quality = reports.quality(entry)
    progress = entry.progress
    return {
        "run": entry.label,
        "kind": kind(entry),
        "data": entry.data,
        "state": entries.WORDS.get(entry.state, entry.state),
        "steps": progress.step if progress else None,
        "begun": begun(entry),
        "FID": quality[0].value if quality else None,
        "±": (quality[0].high - quality[0].low) / 2 if quality else None,
        "disk": size(entry),
        "tags": list(entry.note.tags),
    }


def kind(entry: Entry) -> str:
    """As in "GAN from 001"."""
    family = FAMILIES.get(entry.family, entry.family)
    if entry.source is None:
        return family
    number = re.match(r"\d+", entry.source.name)
    return f"{family} from {number[0] if number else entry.source.name}"


def begun(entry: Entry) -> datetime | None:
    """When its config was written; of a model that comes with genlab that says nothing."""
    stamp = reports.stamp_of(entry.path / "config.json")
    return datetime.fromtimestamp(stamp / 1e9, UTC).astimezone() if stamp and not entry.shipped else None


def table(shown: Sequence[Entry]) -> None:
    """A click on a row chooses the run for the panel below, and for all other pages."""
    names = [entry.name for entry in shown]
    chosen = st.session_state.get(RUN)
    key = f"{SELECTION}-{hash(tuple(names))}"
    at = [names.index(chosen)] if chosen in names else []
    st.session_state[key] = {"selection": {"rows": at, "columns": [], "cells": []}}

    def choose() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows:
            st.session_state[RUN] = names[rows[0]]

    st.dataframe(
        [row(entry) for entry in shown], key=key, on_select=choose, selection_mode="single-row",
        hide_index=True, height=min(35 * (len(shown) + 1) + 3, 300), column_config=columns(), placeholder="–",
        alt="all runs",
    )  # fmt: skip


def columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "run": column.TextColumn("Run", width=190, help="Its number, and its title or name."),
        "kind": column.TextColumn("Family", width=125, help="And the run whose decoder it began with."),
        "data": column.TextColumn("Data", width=85),
        "state": column.TextColumn("State", width=90),
        "steps": column.NumberColumn("Steps", format="localized", width=65),
        "begun": column.DatetimeColumn("Begun", format="distance", width=110),
        "FID": column.NumberColumn(
            format="%.1f", width=60,
            help="Distance of 10 000 samples from test images, as last measured: lower is better. On one "
            "data set only.",
        ),
        "±": column.NumberColumn(format="%.1f", width=45, help="Half the 95 % interval of the FID."),
        "disk": column.NumberColumn("Disk", format="bytes", width=75),
        "tags": column.ListColumn("Tags"),
    }  # fmt: skip
