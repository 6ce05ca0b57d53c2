"""When two runs are the same: byte for byte, but for what the clock says."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from genlab.runs.events import Saved, Started
from genlab.runs.store import Run

VOLATILE = ("seconds", "time")


def log(run: Run, stopped: int | None = None) -> list[dict[str, Any]]:
    """The events, without what the clock says, how often the training began, and what was said of damage;
    and without the checkpoint of the step at which it was `stopped`."""
    found = []
    for event in run.events():
        kept = isinstance(event, Saved) and event.step == stopped
        if not isinstance(event, Started) and getattr(event, "detector", "") != "storage" and not kept:
            told = {"kind": event.kind, **asdict(event)}
            found.append({key: value for key, value in told.items() if key not in VOLATILE})
    return found


def files(run: Run) -> dict[str, bytes]:
    """Weights, averages and moments; and the sheets."""
    paths = [*run.checkpoints.glob("*.safetensors"), *run.samples.glob("*.png")]
    return {path.name: path.read_bytes() for path in paths}


def leftovers(run: Run) -> list[Path]:
    """Files that nobody will ever read."""
    return [path for path in run.path.rglob("*") if path.name.startswith(".") and path.suffix == ".part"]


def differences(run: Run, whole: Run, stopped: int | None = None) -> list[str]:
    """What of a run is not as in the one that was never touched; empty where nothing is. At the step where it
    was `stopped`, if it was, it has a checkpoint that the other one may not have, in the place of an older
    one."""
    found = []
    mine, theirs = files(run), files(whole)
    if stopped is not None and (extra := f"step-{stopped:07d}.safetensors") in mine.keys() - theirs.keys():
        del mine[extra]
        oldest = min(name for name in theirs if name.startswith("step-"))
        if oldest not in mine:
            del theirs[oldest]
    found += [f"{name} is there once only" for name in sorted(mine.keys() ^ theirs.keys())]
    found += [f"{name} differs" for name in sorted(mine.keys() & theirs.keys()) if mine[name] != theirs[name]]
    said, should = log(run, stopped), log(whole, stopped)
    if said != should:
        pairs = zip(said, should, strict=False)
        first = next((pair for pair in pairs if pair[0] != pair[1]), (len(said), len(should)))
        found.append(f"the log differs: {first[0]} where it should be {first[1]}")
    if run.status()["state"] != whole.status()["state"]:
        found.append(f"it is {run.status()['state']} where it should be {whole.status()['state']}")
    found += [f"{path.name} was left over" for path in leftovers(run)]
    return found
