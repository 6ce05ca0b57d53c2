"""What runs recorded while they trained, read from their events and thinned for drawing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from genlab.app.entries import Entry
from genlab.app.reports import stamp_of
from genlab.errors import UserError
from genlab.runs.events import Metrics, Validated, from_line

POINTS = 300  # of a curve, at most
WINDOW = 21  # logged values in a running mean


@dataclass
class Track:
    """One quantity of one run: as many numbers in each list."""

    steps: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    images: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


Tracks = dict[tuple[bool, str], Track]  # (validated, key) -> its track


def tracks(entry: Entry) -> Tracks:
    """All that a run has recorded, thinned."""
    path = entry.path / "events.jsonl"
    return _tracks(str(path), stamp_of(path))


@st.cache_resource(max_entries=60, show_spinner=False)
def _tracks(path: str, stamp: int) -> Tracks:
    found: Tracks = {}
    for event in events(Path(path)):
        for key, value in event.values.items():
            track = found.setdefault((isinstance(event, Validated), key), Track())
            track.steps.append(event.step)
            track.seconds.append(event.seconds)
            track.images.append(event.images)
            track.values.append(value)
    return {key: drawn(track, smooth=not key[0]) for key, track in found.items()}


def events(path: Path) -> Iterator[Metrics | Validated]:
    """What was measured; lines of another version are left out."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                event = from_line(line)
            except UserError:
                continue
            if isinstance(event, Metrics | Validated):
                yield event


def drawn(track: Track, smooth: bool) -> Track:
    """What is drawn: at most about `POINTS` points, evenly, the last one always."""
    values = means(track.values) if smooth else track.values
    every = max(1, len(values) // POINTS)
    kept = sorted({*range(0, len(values), every), len(values) - 1})
    chosen = (track.steps, track.seconds, track.images, values)
    return Track(*([each[i] for i in kept] for each in chosen))


def means(values: list[float]) -> list[float]:
    """The mean of each value and up to `WINDOW // 2` on either side; of fewer at the ends."""
    reaches = [min(WINDOW // 2, i, len(values) - 1 - i) for i in range(len(values))]
    parts = (values[i - reach : i + reach + 1] for i, reach in enumerate(reaches))
    return [sum(part) / len(part) for part in parts]
