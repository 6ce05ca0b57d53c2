"""The only reader and writer of a run folder.

    001-vae-mnist/
      config.json  events.jsonl  worker.json  report.json
      checkpoints/  samples/

The worker alone writes these; others leave requests in `requests/` beside them.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import psutil

from genlab.errors import UserError
from genlab.runs.events import Adopted, Event, Finished, Metrics, Started, Warned, from_line, to_line
from genlab.runs.files import read_json, write_json

Kind = TypeVar("Kind", bound=Event)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def runs_root() -> Path:
    """Where runs live: $GENLAB_RUNS, else `runs` in the current folder."""
    return Path(os.environ.get("GENLAB_RUNS") or "runs")


class Run:
    """One run folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def samples(self) -> Path:
        return self.path / "samples"

    def config(self) -> dict[str, Any]:
        config = read_json(self.path / "config.json")
        if not isinstance(config, dict):
            raise UserError(f"{self.path / 'config.json'} is not the config of a run; train again")
        return config

    def append(self, event: Event) -> None:
        with (self.path / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(to_line(event))

    def events(self) -> Iterator[Event]:
        """Every whole event, oldest first; a last line torn by a crash is left out."""
        path = self.path / "events.jsonl"
        if not path.exists():
            return
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                if not line.endswith("\n"):
                    return  # its rest may be written this very moment, and would be taken for a line
                yield from_line(line)

    def rewind(self, step: int) -> None:
        """Drop the events after `step`, and the end of a worker that is about to go on."""
        kept = [e for e in self.events() if e.step <= step and not isinstance(e, Finished)]
        from genlab.runs.files import replacing

        with replacing(self.path / "events.jsonl") as temporary:
            temporary.write_text("".join(map(to_line, kept)), "utf-8")

    def all(self, kind: type[Kind]) -> list[Kind]:
        """The events of one kind, oldest first."""
        return [event for event in self.events() if isinstance(event, kind)]

    def latest(self, kind: type[Kind]) -> Kind | None:
        return next(reversed(self.all(kind)), None)

    def receipt(self) -> dict[str, Any] | None:
        """The receipt of the hand-over, where this run's generator was another's decoder."""
        event = self.latest(Adopted)
        return event.receipt if event else None

    # Requests: left by a page or another command, read by the worker.

    def request_stop(self) -> None:
        (self.path / "requests").mkdir(exist_ok=True)
        (self.path / "requests" / "stop").touch()

    def stop_requested(self) -> bool:
        return (self.path / "requests" / "stop").exists()

    def clear_requests(self) -> None:
        shutil.rmtree(self.path / "requests", ignore_errors=True)

    # The worker.

    def claim(self) -> None:
        """Note this process as the run's worker. Raises UserError while another one is alive."""
        if self.alive():
            raise UserError(f"{self.name} is being trained by another process; wait for it or stop it first")
        me = psutil.Process()
        write_json(self.path / "worker.json", {"pid": me.pid, "created": me.create_time()})

    def release(self) -> None:
        (self.path / "worker.json").unlink(missing_ok=True)

    def alive(self) -> bool:
        """Whether the noted worker runs: its pid and start time tell it from a later process of that pid."""
        path = self.path / "worker.json"
        if not path.exists():
            return False
        noted = read_json(path)
        try:
            process = psutil.Process(int(noted["pid"]))
            same = abs(process.create_time() - float(noted["created"])) < 1
            return bool(same and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE)
        except (psutil.Error, KeyError, TypeError, ValueError):
            return False

    def status(self) -> dict[str, Any]:
        """state ("new", "running", "completed", "stopped", "failed", "interrupted"), step, steps, seconds,
        the last `metrics` and the last `warning`, or None."""
        step = steps = 0
        seconds, metrics, state, detail, warning = 0.0, {}, "new", "", None
        for event in self.events():
            step = max(step, event.step)
            if isinstance(event, Started):
                steps, state, detail = event.steps, "interrupted", ""
            elif isinstance(event, Metrics):
                seconds, metrics = event.seconds, event.values
            elif isinstance(event, Warned):
                warning = asdict(event)
            elif isinstance(event, Finished):
                state, detail = event.reason, event.detail
        if self.alive():
            state = "running"
        return {
            "state": state, "step": step, "steps": steps, "seconds": seconds, "metrics": metrics,
            "detail": detail, "warning": warning,
        }  # fmt: skip


def create_run(label: str, config: dict[str, Any], out: Path | None = None) -> Run:
    """A new run folder: `out`, or the next number and `label` under `runs_root()`.

    Raises UserError where `out` exists and is not empty, or the folder can't be written.
    """
    if out is not None:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UserError(f"{out} exists and is not empty; name another folder with --out")
        path = out
        _make(path)
    else:
        path = next_folder(runs_root(), label)
    run = Run(path)
    write_json(path / "config.json", config)
    return run


def _make(path: Path, exist_ok: bool = True) -> None:
    try:
        path.mkdir(parents=True, exist_ok=exist_ok)
    except FileExistsError:
        raise
    except OSError as error:
        raise UserError(
            f"can't create the folder {path} ({error.strerror}); choose another with --out"
        ) from error


def next_folder(root: Path, label: str) -> Path:
    """A new empty folder, numbered; exclusive creation decides between two that ask for the same number."""
    while True:
        numbers = [int(m[1]) for p in list_folders(root) if (m := re.match(r"(\d+)-", p.name))]
        path = root / f"{max(numbers, default=0) + 1:03d}-{label}"
        try:
            _make(path, exist_ok=False)
        except FileExistsError:
            continue
        return path


def list_folders(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))


def list_runs(root: Path | None = None) -> list[Run]:
    """All runs under `root`, by name."""
    return [Run(p) for p in list_folders(root or runs_root()) if (p / "config.json").exists()]


def find_run(reference: str) -> Run:
    """The run that `reference` names: a path, a unique prefix of a run's name, or `latest`.

    Raises UserError with the command that helps where there is none, or more than one.
    """
    path = Path(reference)
    if (path / "config.json").exists():
        return Run(path)
    root = runs_root()
    runs = list_runs(root)
    if not runs:
        raise UserError(f"there is no run in {root.resolve()} yet: train one first, with `genlab train vae`")
    if reference == "latest":
        return max(runs, key=lambda run: (run.path / "config.json").stat().st_mtime)
    exact = [run for run in runs if run.name == reference]
    matches = exact or [run for run in runs if run.name.startswith(reference)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = ", ".join(run.name for run in matches[:5])
        raise UserError(f"{reference!r} fits {len(matches)} runs ({names}); give more of the name")
    raise UserError(f"no run is called {reference!r}; `genlab runs` lists them, `genlab train vae` makes one")
