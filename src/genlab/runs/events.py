"""What happens in a run, one frozen record each; a line of `events.jsonl` is one of them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from genlab.errors import UserError


@dataclass(frozen=True)
class Started:
    """Training began, or began again, at `step` of `steps`; `machine` says on what."""

    kind: ClassVar[str] = "started"
    step: int
    steps: int
    time: float  # seconds since the epoch
    machine: dict[str, Any]


@dataclass(frozen=True)
class Adopted:
    """The generator is another run's decoder: the receipt of the hand-over."""

    kind: ClassVar[str] = "adopted"
    step: int
    receipt: dict[str, Any]


@dataclass(frozen=True)
class Metrics:
    """The terms of this step's updates, `seconds` of training and `images` seen so far."""

    kind: ClassVar[str] = "metrics"
    step: int
    values: dict[str, float]
    seconds: float
    images: int


@dataclass(frozen=True)
class Samples:
    """A sheet of images was written: `content` is "samples" or "reconstructions"."""

    kind: ClassVar[str] = "samples"
    step: int
    content: str
    path: str  # relative to the run


@dataclass(frozen=True)
class Saved:
    """A checkpoint was written."""

    kind: ClassVar[str] = "saved"
    step: int
    path: str


@dataclass(frozen=True)
class Finished:
    """The worker ended: `reason` is "completed", "stopped" or "failed"; `detail` says more."""

    kind: ClassVar[str] = "finished"
    step: int
    reason: str
    seconds: float
    detail: str = ""


Event = Started | Adopted | Metrics | Samples | Saved | Finished
KINDS: dict[str, type[Event]] = {
    each.kind: each for each in (Started, Adopted, Metrics, Samples, Saved, Finished)
}


def to_line(event: Event) -> str:
    """One line of JSON, newline included. Numbers that JSON lacks (NaN, infinity) are refused."""
    return json.dumps({"event": event.kind, **asdict(event)}, allow_nan=False, ensure_ascii=False) + "\n"


def from_line(line: str) -> Event:
    """Raises UserError where the line is no event of this version."""
    try:
        record = json.loads(line)
        return KINDS[record.pop("event")](**record)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"not an event: {line[:80].strip()!r} ({error})") from error
