"""What happens in a run, one frozen record each; a line of `events.jsonl` is one of them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
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
class Warned:
    """A detector saw a fault begin: what it saw, and what to try."""

    kind: ClassVar[str] = "warned"
    step: int
    detector: str
    sentence: str
    advice: str

    @property
    def line(self) -> str:
        """All of it in one line."""
        return f"{self.detector}, step {self.step}: {self.sentence}. Try: {self.advice}."


@dataclass(frozen=True)
class Validated:
    """The averaged weights were measured after `seconds` of training and `images` seen; measuring counts as
    neither. Values are by name; a name that ends in "/train" was measured against training images, for want
    of validation images, and does not see what was learned by heart."""

    kind: ClassVar[str] = "validated"
    step: int
    values: dict[str, float]
    seconds: float
    images: int

    @property
    def line(self) -> str:
        """As in "validated at step 500: −ELBO 101.20, FID 8.31"."""
        labels = {"nelbo": "−ELBO", "fid": "FID"}
        names = [key.removesuffix("/train") for key in self.values]
        said = [f"{labels.get(k, k)} {v:.2f}" for k, v in zip(names, self.values.values(), strict=True)]
        against = " against training images" if any(key.endswith("/train") for key in self.values) else ""
        return f"validated at step {self.step}{against}: {', '.join(said)}"


@dataclass(frozen=True)
class Changed:
    """After `step` steps the setting `what` became `value`; see `runs.changes`."""

    kind: ClassVar[str] = "changed"
    step: int
    what: str
    value: float

    @property
    def line(self) -> str:
        """As in "learning rate 0.001 from step 501 on"."""
        return f"{self.what.replace('_', ' ')} {self.value:g} from step {self.step + 1} on"


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


Event = Started | Adopted | Metrics | Warned | Validated | Changed | Samples | Saved | Finished
TYPES: dict[str, Any] = {
    "int": int, "float": int | float, "str": str, "dict[str, Any]": dict, "dict[str, float]": dict,
}  # fmt: skip
KINDS: dict[str, type[Event]] = {
    each.kind: each
    for each in (Started, Adopted, Metrics, Warned, Validated, Changed, Samples, Saved, Finished)
}


def to_line(event: Event) -> str:
    """One line of JSON, newline included. Numbers that JSON lacks (NaN, infinity) are refused."""
    return json.dumps({"event": event.kind, **asdict(event)}, allow_nan=False, ensure_ascii=False) + "\n"


def from_line(line: str) -> Event:
    """Raises UserError where the line is no event of this version."""
    try:
        record = json.loads(line, parse_constant=refused)
        if "\\ud" in line.lower():  # half of a pair, perhaps, which no file and no terminal takes
            json.dumps(record, ensure_ascii=False).encode()
        event = KINDS[record.pop("event")](**record)
        check(event)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"not an event: {line[:80].strip()!r} ({error})") from error
    return event


def refused(constant: str) -> float:
    raise ValueError(f"{constant} is no number of JSON")


def check(event: Event) -> None:
    """Raises TypeError or ValueError where a field is not what it is declared as."""
    for each in fields(event):
        value, declared = getattr(event, each.name), str(each.type)
        if not isinstance(value, TYPES[declared]) or isinstance(value, bool):
            raise TypeError(f"{each.name} can't be {str(value)[:40]!r}")
        if declared == "dict[str, float]" and not all(map(is_number, value.values())):
            raise TypeError(f"{each.name} are not all numbers")
    if event.step < 0:
        raise ValueError("no step is negative")


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
