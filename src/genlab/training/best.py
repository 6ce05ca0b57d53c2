"""The best checkpoint of a run, by what it is measured at on the way."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genlab.errors import UserError
from genlab.runs.events import Event, Validated
from genlab.runs.files import read_json, replacing, write_json
from genlab.training.checkpoint import verify

NAME = "best.safetensors"


@dataclass
class Best:
    """The smallest value of `metric` in the validations so far, and the step that had it; all that a run is
    validated by is better where smaller. Without a metric there is no best."""

    metric: str | None
    value: float = math.inf
    step: int = 0

    def take(self, event: Event) -> bool:
        """Whether `event` is a validation that beats all those before it."""
        if self.metric is None or not isinstance(event, Validated):
            return False
        value = event.values.get(self.metric, math.inf)
        if value >= self.value:
            return False
        self.value, self.step = value, event.step
        return True


def best_of(events: Iterable[Event], metric: str | None) -> Best:
    best = Best(metric)
    for event in events:
        best.take(event)
    return best


def keep_best(path: Path, best: Best) -> Path:
    """Copy the checkpoint at `path` to `best.safetensors` beside it, durably.

    The note is replaced first and describes the file that goes as well as the one that comes, so that a
    reader who comes between the two, or a crash, finds the best before this one whole.
    """
    target = path.with_name(NAME)
    note = read_json(path.with_suffix(".json")) | {"metric": best.metric, "value": best.value}
    if former := described(target):
        note["before"] = {key: value for key, value in former.items() if key != "before"}
    write_json(target.with_suffix(".json"), note)
    with replacing(target) as temporary:
        shutil.copyfile(path, temporary)
    return target


def settle(folder: Path, best: Best, newest: Path | None) -> None:
    """Make `best.safetensors` in `folder` the checkpoint of the step that the log calls best, wherever a
    crash came between: `newest`, which the run goes on from, is copied if it is that one.

    What is there from a later step than the log knows goes: the run will come by it again.
    """
    target = folder / NAME
    there = described(target)
    if there is not None and there["step"] == best.step:
        return
    if best.step and newest is not None and newest.stem == f"step-{best.step:07d}":
        keep_best(newest, best)
    elif there is not None:
        target.with_suffix(".json").unlink()
        target.unlink()


def described(path: Path) -> dict[str, Any] | None:
    """The note of a whole checkpoint; None where there is none, or a damaged one."""
    try:
        return verify(path)
    except UserError:
        return None
