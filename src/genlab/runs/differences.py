"""What differs between two runs: what was set, on what they ran, and whether the same came of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from genlab.errors import UserError
from genlab.runs.configs import differing
from genlab.runs.events import Started
from genlab.runs.files import read_json
from genlab.runs.store import Run


class Outcome(NamedTuple):
    """Whether the checkpoints of two runs at `step`, with weights, averages and moments, are equal to the
    last bit."""

    step: int
    equal: bool


def differences(first: Run, second: Run) -> dict[str, tuple[Any, ...]]:
    """The dotted keys of config and machine in which two runs differ, and the values of either. The machine
    is the one that trained last."""
    told = []
    for run in (first, second):
        started = run.latest(Started)
        told.append({**run.config(), "machine": started.machine if started else {}})
    return differing(told)


def outcome(first: Run, second: Run) -> Outcome | None:
    """Of the newest step that both have a checkpoint of; None where there is none."""
    mine, theirs = hashes(first), hashes(second)
    common = mine.keys() & theirs.keys()
    if not common:
        return None
    step = max(common)
    return Outcome(step, mine[step] == theirs[step])


def hashes(run: Run) -> dict[int, str]:
    """The SHA-256 of each checkpoint, by its step, as the notes beside them say."""
    found = {}
    for path in run.checkpoints.glob("step-*.json"):
        try:
            note = read_json(path)
            found[int(note["step"])] = str(note["sha256"])
        except (UserError, KeyError, TypeError, ValueError):
            continue  # damaged: whoever trains it says so
    return found
