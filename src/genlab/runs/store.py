"""The only reader and writer of a run folder.

    001-vae-mnist/
      config.json  events.jsonl  changes.jsonl  worker.json  report.json
      checkpoints/  samples/

The worker alone writes these; others leave requests in `requests/` beside them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from genlab.errors import UserError
from genlab.runs import worker
from genlab.runs.changes import Change, append_change, read_changes
from genlab.runs.events import KINDS, Adopted, Event, Finished, Metrics, Started, Warned, from_line, to_line
from genlab.runs.files import read_json, replacing, write_json
from genlab.runs.folders import BIN as BIN
from genlab.runs.folders import list_folders, make_folder
from genlab.runs.folders import next_folder as next_folder
from genlab.runs.folders import runs_root as runs_root
from genlab.runs.newest import newest
from genlab.runs.requests import Requests, check

if TYPE_CHECKING:
    from filelock import FileLock

Kind = TypeVar("Kind", bound=Event)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
DAMAGED = "damaged-events.jsonl"
SHIPPED = Path(__file__).resolve().parent / "shipped"  # runs that come with genlab, by scripts/ship-models


class Run:
    """One run folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: FileLock | None = None

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def samples(self) -> Path:
        return self.path / "samples"

    @property
    def shipped(self) -> bool:
        """Whether it came with genlab, and is only read."""
        return self.path.resolve().parent == SHIPPED

    @property
    def made(self) -> Path:
        """The folder for what a command makes of the run: its own, or of a shipped one its name among the
        runs."""
        return runs_root() / self.name if self.shipped else self.path

    @property
    def report(self) -> Path:
        """What was measured of it; of a shipped run, what came with it, until it is measured here."""
        here = self.made / "report.json"
        return here if here.exists() else self.path / "report.json"

    def only_read(self) -> None:
        """Raises UserError for a shipped run, before anything would be written to it."""
        if self.shipped:
            raise UserError(
                f"{self.name} comes with genlab and is only read: train a run of your own, with `genlab "
                f"train vae`, or with `genlab train gan --from {self.name}`"
            )

    def config(self) -> dict[str, Any]:
        config = read_json(self.path / "config.json")
        if not isinstance(config, dict):
            raise UserError(f"{self.path / 'config.json'} is not the config of a run; train again")
        return config

    def append(self, event: Event) -> None:
        with (self.path / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(to_line(event))

    def lines(self) -> Iterator[str]:
        """The whole lines of the log, oldest first; a last one torn by a crash is left out."""
        path = self.path / "events.jsonl"
        if not path.exists():
            return
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                if not line.endswith("\n"):
                    return  # its rest may be written this very moment, and would be taken for a line
                yield line

    def events(self) -> Iterator[Event]:
        """Every whole event, oldest first. Raises UserError where a line is damaged."""
        for number, line in enumerate(self.lines(), 1):
            try:
                yield from_line(line)
            except UserError as error:
                raise UserError(
                    f"line {number} of {self.path / 'events.jsonl'} is damaged ({error}); `genlab train "
                    f"--resume {self.name}` sets it aside"
                ) from error

    def rewind(self, step: int) -> str:
        """Drop the events after `step`, and the end of a worker that is about to go on. Damaged lines are set
        aside in a file, which is named; empty where there are none."""
        kept, damaged = [], []
        for line in self.lines():
            try:
                event = from_line(line)
            except UserError:
                damaged.append(line)
            else:
                kept += [line] if event.step <= step and not isinstance(event, Finished) else []
        if damaged:
            with (self.path / DAMAGED).open("a", encoding="utf-8") as file:
                file.writelines(damaged)
        with replacing(self.path / "events.jsonl") as temporary:
            temporary.write_text("".join(kept), "utf-8")
        return DAMAGED if damaged else ""

    def all(self, kind: type[Kind]) -> list[Kind]:
        """The events of one kind, oldest first."""
        return [event for event in self.events() if isinstance(event, kind)]

    def latest(self, kind: type[Kind]) -> Kind | None:
        """The newest event of one kind. Not all of the log is read for it."""
        found = newest(self.path / "events.jsonl", [kind.kind]).get(kind.kind)
        return found.event if found is not None and isinstance(found.event, kind) else None

    def receipt(self) -> dict[str, Any] | None:
        """The receipt of the hand-over, where this run's generator was another's decoder."""
        event = self.latest(Adopted)
        return event.receipt if event else None

    # Requests: left by a page or another command, read by the worker. See `runs.requests`.

    @property
    def requests(self) -> Requests:
        return Requests(self.path / "requests")

    def request_stop(self) -> None:
        self.requests.leave("stop")

    def stop_requested(self) -> bool:
        return self.requests.holds("stop")

    def request_pause(self) -> None:
        self.requests.leave("pause")

    def pause_requested(self) -> bool:
        return self.requests.holds("pause")

    def request_go_on(self) -> None:
        self.requests.withdraw("pause")

    def request_step(self) -> None:
        """One update of one part of a paused run, after which `moment` says what it did. Raises UserError."""
        if not self.pause_requested():
            raise UserError(f"{self.name} is not paused; pause it, then take one update at a time")
        self.requests.queue("step")

    def request_change(self, what: str, value: float) -> None:
        """Let `what`, one of `LEVERS`, be `value` from the next step on; of a run that does not train, from
        the step that it goes on with. Raises UserError where its family has none, or it is out of bounds."""
        check(what, value, str(self.config().get("family")))
        self.requests.queue("change", {"what": what, "value": float(value), "time": time.time()})

    def clear_requests(self) -> None:
        self.requests.clear()

    def append_change(self, change: Change) -> None:
        append_change(self.path / "changes.jsonl", change)

    def changes(self) -> list[Change]:
        """What was changed while the run trained, each with its step, in the order in which it was asked."""
        return read_changes(self.path / "changes.jsonl")

    def moment(self) -> dict[str, Any] | None:
        """What the last single update did, as `training.teaching` says it; None where there was none."""
        path = self.path / "moment.json"
        return read_json(path) if path.exists() else None

    # The worker. See `runs.worker`.

    def claim(self) -> None:
        """Be the run's worker, and say so beside it. Raises UserError while there is another one, and for a
        run that is only read."""
        self.only_read()
        if self.alive():
            raise UserError(f"{self.name} is being trained by another process; wait for it or stop it first")
        if self._lock is None:
            self._lock = worker.lock(self.path, self.name)
        worker.sweep(self.path)
        worker.note(self.path / "worker.json")

    def note_pause(self, paused: bool) -> None:
        """Let the worker's note, which is this process's, say whether it is paused."""
        worker.note(self.path / "worker.json", paused)

    def release(self) -> None:
        (self.path / "worker.json").unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def working(self) -> str | None:
        """Either "running" or "paused" while a worker is alive, else None."""
        return worker.state(self.path / "worker.json")

    def alive(self) -> bool:
        return self.working() is not None

    def status(self) -> dict[str, Any]:
        """state ("new", "running", "paused", "completed", "stopped", "failed", "interrupted"), step, steps,
        seconds, the last `metrics` and the last `warning`, or None."""
        found = newest(self.path / "events.jsonl", KINDS)
        events = {kind: each.event for kind, each in found.items()}
        state, detail, steps = "new", "", 0
        began = -1
        if isinstance(started := events.get("started"), Started):
            state, steps, began = "interrupted", started.steps, found["started"].at
        finished = events.get("finished")
        if isinstance(finished, Finished) and found["finished"].at > began:
            state, detail = finished.reason, finished.detail
        metrics, warned = events.get("metrics"), events.get("warned")
        return {
            "state": self.working() or state,
            "step": max((event.step for event in events.values()), default=0),
            "steps": steps,
            "seconds": metrics.seconds if isinstance(metrics, Metrics) else 0.0,
            "metrics": metrics.values if isinstance(metrics, Metrics) else {},
            "detail": detail,
            "warning": asdict(warned) if isinstance(warned, Warned) else None,
        }


def create_run(label: str, config: dict[str, Any], out: Path | None = None) -> Run:
    """A new run folder: `out`, or the next number and `label` under `runs_root()`.

    Raises UserError where `out` exists and is not empty, or the folder can't be written.
    """
    if out is not None:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UserError(f"{out} exists and is not empty; name another folder with --out")
        path = out
        make_folder(path)
    else:
        path = next_folder(runs_root(), label)
    run = Run(path)
    write_json(path / "config.json", config)
    return run


def list_runs(root: Path | None = None) -> list[Run]:
    """All runs under `root`, by name."""
    return [Run(p) for p in list_folders(root or runs_root()) if (p / "config.json").exists()]


def find_run(reference: str) -> Run:
    """The run that `reference` names: a path, a unique prefix of a run's name, `latest`, or the whole name of
    one that comes with genlab.

    Raises UserError with the command that helps where there is none, or more than one.
    """
    path = Path(reference)
    if (path / "config.json").exists():
        return Run(path)
    root = runs_root()
    runs = list_runs(root)
    named = [run for run in [*runs, *list_runs(SHIPPED)] if run.name == reference]
    if named:
        return named[0]
    if not runs:
        raise UserError(f"there is no run in {root.resolve()} yet: train one first, with `genlab train vae`")
    if reference == "latest":
        return max(runs, key=lambda run: (run.path / "config.json").stat().st_mtime)
    matches = [run for run in runs if run.name.startswith(reference)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = ", ".join(run.name for run in matches[:5])
        raise UserError(f"{reference!r} fits {len(matches)} runs ({names}); give more of the name")
    raise UserError(f"no run is called {reference!r}; `genlab runs` lists them, `genlab train vae` makes one")
