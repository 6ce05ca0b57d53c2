"""What was measured of the runs: the records of their reports, each file read once for each of its changes.
Imports no torch."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from genlab.app.entries import Entry
from genlab.errors import UserError
from genlab.evaluation.records import VERSION, Reading, Record, reading
from genlab.metrics.unavailable import Unavailable
from genlab.runs.files import read_json
from genlab.runs.reference import parse_reference

COUNT = 10_000  # samples, and seed 0: as `genlab evaluate` and `genlab compare` have it by default
FITTED = "fitted to the codes"  # ends the name of a prior that was fitted afterwards


@lru_cache(maxsize=400)
def _records(path: str, stamp: int) -> tuple[Record, ...]:
    """Every standard record of this version in a report; none of a file that is no report."""
    try:
        found = read_json(Path(path))
    except UserError:
        return ()
    kept = [each for each in found.values() if isinstance(each, dict)] if isinstance(found, dict) else []
    return tuple(each for each in kept if standard(each))


def standard(record: Record) -> bool:
    protocol = record.get("protocol")
    if not isinstance(protocol, dict) or not isinstance(record.get("values"), dict):
        return False
    asked = (protocol.get("count"), protocol.get("seed"), protocol.get("full"))
    networks = protocol.get("networks")
    return record.get("version") == VERSION and asked == (COUNT, 0, False) and isinstance(networks, dict)


def records(entry: Entry) -> tuple[Record, ...]:
    path = entry.run.report
    stamp = stamp_of(path)
    return _records(str(path), stamp) if stamp else ()


def stamp_of(path: Path) -> int:
    """Changes with the file; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def references(entry: Entry) -> list[str]:
    """The models that a run has, as the commands name them: the newest, the best by validation, and with the
    prior fitted to its codes."""
    if entry.saved is None:
        return []
    best = (entry.path / "checkpoints" / "best.json").exists()
    fitted = (entry.path / "prior.safetensors").exists()
    return [
        entry.name,
        *([f"{entry.name}@best"] if best else []),
        *([f"{entry.name}:fitted"] if fitted else []),
    ]


def record(entry: Entry, reference: str) -> Record | None:
    """What was measured of the model that `reference` names, as it is now; with the network of its data where
    it was measured with several."""
    named = parse_reference(reference)
    step = best_step(entry) if named.step == "best" else entry.saved
    kind = fitted_kind(entry.path / "prior.safetensors") if named.prior == "fitted" else ""
    there = [each for each in records(entry) if each.get("step") == step]
    found = [each for each in there if from_prior(each, entry, named.prior, kind)]
    found.sort(key=lambda each: str(each["protocol"]["networks"].get("own")).startswith("random"))
    return {**found[0], "reference": reference, "checkpoint": named.step} if found else None


def from_prior(found: Record, entry: Entry, prior: str, kind: str) -> bool:
    """Whether z came from the prior that is meant. A GAN has one only, which may be a VAE's fitted one."""
    name = str(found.get("prior"))
    if prior == "fitted":
        return name == f"{kind} {FITTED}"
    return entry.family == "gan" or not name.endswith(FITTED)


def best_step(entry: Entry) -> int | None:
    try:
        return int(read_json(entry.path / "checkpoints" / "best.json")["step"])
    except (UserError, KeyError, TypeError, ValueError):
        return None


def fitted_kind(path: Path) -> str:
    """What a fitted prior is, by the names of its tensors: the head of a safetensors file is JSON."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            names = set(json.loads(file.read(min(length, 1 << 20)))) - {"__metadata__"}
    except (OSError, ValueError):
        return ""
    return "Gaussian mixture" if names == {"weights", "means", "scales"} else "RealNVP"


def quality(entry: Entry, key: str = "fid") -> tuple[Reading, int] | None:
    """The number of an instrument and the step that it was measured at: of the run as it is now, or as it was
    when it was last measured."""
    mine = [each for each in records(entry) if from_prior(each, entry, "own", "")]
    mine.sort(key=lambda each: (int(each.get("step") or 0), each["protocol"]["networks"].get("own", "")))
    for each in reversed(mine):
        found = reading(each, key)
        if not isinstance(found, Unavailable):
            return found, int(each.get("step") or 0)
    return None
