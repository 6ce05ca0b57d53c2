"""What happened in a run, in a line each."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from genlab.app.entries import Entry
from genlab.app.reports import stamp_of
from genlab.app.style import count, duration, plain
from genlab.errors import UserError
from genlab.runs.events import (
    Adopted,
    Changed,
    Event,
    Finished,
    Started,
    Validated,
    Warned,
    from_line,
)

SHOWN = 40  # lines, at most: the newest


class Line(NamedTuple):
    step: int
    sign: str
    text: str


def page(entry: Entry) -> None:
    found = lines(entry)
    if not found:
        st.caption("Nothing has happened yet.")
        return
    if len(found) > SHOWN:
        st.caption(f"The newest {SHOWN} of {len(found)} lines.")
    shown = found[-SHOWN:]
    st.table(
        {
            "step": [count(each.step) for each in shown],
            "what happened": [f"{each.sign} &nbsp;{plain(each.text)}" for each in shown],
        },
        border="horizontal", hide_index=True, alt="what happened in the run",
    )  # fmt: skip


def lines(entry: Entry) -> tuple[Line, ...]:
    path = entry.path / "events.jsonl"
    return _lines(str(path), stamp_of(path))


@st.cache_resource(max_entries=60, show_spinner=False)
def _lines(path: str, stamp: int) -> tuple[Line, ...]:
    """Of several validations in a row only the last one is told."""
    if not stamp:
        return ()
    found: list[Line] = []
    last: Event | None = None
    for text in Path(path).read_text("utf-8", "replace").splitlines():
        try:
            event = from_line(text)
        except UserError:
            continue  # of another version
        said = told(event)
        if said is None:
            continue
        if isinstance(event, Validated) and isinstance(last, Validated):
            found.pop()
        found.append(said)
        last = event
    return tuple(found)


def told(event: Event) -> Line | None:
    """The event in a line; None for what the curves and the sheets show."""
    match event:
        case Started():
            when = datetime.fromtimestamp(event.time).strftime("%Y-%m-%d %H:%M")
            what = "went on" if event.step else "began"
            return Line(event.step, ":material/play_arrow:", f"{what}, to {count(event.steps)} steps, {when}")
        case Adopted():
            source = event.receipt.get("source", "a VAE")
            return Line(event.step, ":material/swap_horiz:", f"the decoder of {source} became its generator")
        case Changed():
            return Line(event.step, ":material/tune:", event.line)
        case Warned():
            return Line(event.step, ":orange[:material/warning:]", event.line)
        case Validated():
            return Line(event.step, ":material/straighten:", event.line)
        case Finished():
            detail = f": {event.detail}" if event.detail else ""
            spent = f", after {duration(event.seconds)} of training"
            return Line(event.step, ":material/flag:", f"{event.reason}{spent}{detail}")
    return None
