"""What pages and other commands ask of a worker: files in `requests/` beside its run, read before every step.

stop  pause               hold until the worker begins anew, or until they are taken back
step-…json  change-…json  are taken one by one, the oldest first
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from genlab.errors import UserError
from genlab.runs.files import read_json, write_json


class Lever(NamedTuple):
    """What may change while a run trains: who has it, and its bounds, which are those of the config's field.
    The lower one is not among the values where it is `above`."""

    families: tuple[str, ...]
    low: float
    high: float
    above: bool

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high and not (self.above and value == self.low)

    @property
    def bounds(self) -> str:
        return f"{'>' if self.above else '≥'} {self.low:g} and ≤ {self.high:g}"


class Asked(NamedTuple):
    """A change as it was asked for, at `time` in seconds since the epoch."""

    what: str
    value: float
    time: float


LEVERS = {
    "learning_rate": Lever(("vae", "gan", "vaegan"), 0, 100, above=True),
    "discriminator_rate": Lever(("gan", "vaegan"), 0, 100, above=True),
    "beta": Lever(("vae", "vaegan"), 0, 1000, above=False),
}


def check(what: str, value: float, family: str) -> None:
    """Raises UserError where a run of `family` has no such thing to change, or not to that value."""
    has = [name for name, lever in LEVERS.items() if family in lever.families]
    if what not in has:
        raise UserError(f"a {family} has no {what!r} to change while it trains; it has {', '.join(has)}")
    if not LEVERS[what].holds(value):
        raise UserError(f"{what} can't be {value:g}: give a number {LEVERS[what].bounds}")


class Requests:
    """The folder of requests of one run. Whoever asks writes a file, whole or not at all; the worker takes
    files away. A pause also ends where it is withdrawn."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """What is asked, the oldest first. Costs one look at a folder that most runs never have."""
        try:
            found = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        return sorted(name for name in found if not name.startswith("."))  # with a dot: being written

    def leave(self, name: str, value: Any = None) -> None:
        write_json(self.folder / name, value)

    def queue(self, kind: str, value: Any = None) -> None:
        """One more request of a kind that is taken one by one."""
        self.leave(f"{kind}-{time.time_ns():020d}-{secrets.token_hex(2)}.json", value)

    def holds(self, name: str) -> bool:
        return (self.folder / name).exists()

    def withdraw(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def queued(self, kind: str) -> list[str]:
        return [name for name in self.names() if name.startswith(f"{kind}-")]

    def take(self, kind: str) -> bool:
        """Whether there was a request of that kind; the oldest is gone then."""
        for name in self.queued(kind)[:1]:
            self.withdraw(name)
            return True
        return False

    def changes(self, family: str) -> Iterator[Asked]:
        """Each change that is asked for. Its file goes after it was dealt with, so that a crash loses none. A
        file that is none, which `Run.request_change` never leaves, goes unheeded."""
        for name in self.queued("change"):
            if (asked := self.read(name, family)) is not None:
                yield asked
            self.withdraw(name)

    def read(self, name: str, family: str) -> Asked | None:
        try:
            found = read_json(self.folder / name)
            asked = Asked(str(found["what"]), float(found["value"]), float(found["time"]))
            check(asked.what, asked.value, family)
        except (UserError, TypeError, KeyError, ValueError, OverflowError):
            return None
        return asked

    def clear(self) -> None:
        """Forget what was asked of a worker that is gone. What was to change waits for the one that comes: it
        was asked of the run."""
        for name in self.names():
            if not name.startswith("change-"):
                self.withdraw(name)
