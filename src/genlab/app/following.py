"""Where a run stands, read from the end of its events as they are written. Imports no torch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from genlab.errors import UserError
from genlab.runs.events import (
    Adopted,
    Event,
    Finished,
    Metrics,
    Samples,
    Saved,
    Started,
    Validated,
    Warned,
    from_line,
)
from genlab.runs.store import Run

POINTS = 400  # of a curve that are drawn, at most
SMOOTH = 0.9  # memory of the smoothed curve, per logged step; less at the start


@dataclass
class Curves:
    """Every metric over the steps: `raw` as logged and `smooth`, thinned to `POINTS` as they grow."""

    steps: list[int] = field(default_factory=list)
    raw: dict[str, list[float]] = field(default_factory=dict)
    smooth: dict[str, list[float]] = field(default_factory=dict)
    stride: int = 1
    seen: int = 0
    memory: dict[str, float] = field(default_factory=dict)

    def add(self, event: Metrics) -> None:
        kept = min(SMOOTH, (1 + self.seen) / (10 + self.seen))
        for key, value in event.values.items():
            self.memory[key] = kept * self.memory.get(key, value) + (1 - kept) * value
        self.seen += 1
        if (self.seen - 1) % self.stride:
            return
        self.steps.append(event.step)
        for key, value in event.values.items():
            self.raw.setdefault(key, []).append(value)
            self.smooth.setdefault(key, []).append(self.memory[key])
        if len(self.steps) > POINTS:
            self.thin()

    def thin(self) -> None:
        self.stride *= 2
        self.steps = self.steps[::2]
        for curves in (self.raw, self.smooth):
            for key, values in curves.items():
                curves[key] = values[::2]


@dataclass
class Progress:
    """What the events of a run say so far. `state` is that of `Run.status`."""

    step: int = 0
    steps: int = 0
    seconds: float = 0.0
    rate: float = 0.0  # images per second, lately
    left: float | None = None  # seconds of training
    ended: str = "new"
    detail: str = ""
    state: str = "new"
    saved: int | None = None  # step of the newest checkpoint
    sheets: dict[str, str] = field(default_factory=dict)  # content -> newest path, relative to the run
    receipt: dict[str, Any] | None = None
    curves: Curves = field(default_factory=Curves)
    last: Metrics | None = None
    warning: Warned | None = None  # the newest
    validated: Validated | None = None  # the newest

    def take(self, event: Event) -> None:
        self.step = max(self.step, event.step)
        match event:
            case Started():
                self.steps, self.ended, self.detail = event.steps, "interrupted", ""
            case Adopted():
                self.receipt = event.receipt
            case Metrics():
                self.measure(event)
            case Warned():
                self.warning = event
            case Validated():
                self.validated = event
            case Samples():
                self.sheets[event.content] = event.path
            case Saved():
                self.saved = event.step
            case Finished():
                self.ended, self.detail, self.seconds = event.reason, event.detail, event.seconds

    def measure(self, event: Metrics) -> None:
        if self.last is not None and event.seconds > self.last.seconds:
            passed = event.seconds - self.last.seconds
            now = (event.images - self.last.images) / passed
            self.rate = 0.8 * self.rate + 0.2 * now if self.rate else now
        self.seconds, self.last = event.seconds, event
        per_step = event.images / max(event.step, 1)
        self.left = (self.steps - event.step) * per_step / self.rate if self.rate else None
        self.curves.add(event)


class Follower:
    """Reads only what was added since it last looked; from the start where the file was replaced."""

    def __init__(self, path: Path) -> None:
        self.run = Run(path)
        self.lock = threading.Lock()
        self.place: tuple[int, int] = (0, 0)  # inode, bytes read
        self.progress = Progress()

    def read(self) -> Progress:
        with self.lock:
            for line in self.lines():
                try:
                    self.progress.take(from_line(line))
                except UserError:
                    continue  # of another version; the rest still counts
            self.progress.state = self.run.working() or self.progress.ended
            return self.progress

    def lines(self) -> Iterator[str]:
        """Whole lines that are new; a torn last one is left for the next time."""
        path = self.run.path / "events.jsonl"
        try:
            status = path.stat()
        except FileNotFoundError:
            return
        inode, offset = self.place
        if inode != status.st_ino or status.st_size < offset:
            offset, self.progress = 0, Progress()
        with path.open("rb") as file:
            file.seek(offset)
            fresh = file.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self.place = (status.st_ino, offset + len(whole))
        yield from whole.decode("utf-8", "replace").splitlines()


@st.cache_resource(max_entries=200, show_spinner=False)
def follower(path: str) -> Follower:
    """One for all who watch a run."""
    return Follower(Path(path))


def follow(run: Run) -> Progress:
    return follower(str(run.path.resolve())).read()
