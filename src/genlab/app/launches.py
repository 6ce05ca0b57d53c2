"""Trainings as processes of their own: started here, and from then on known by their files alone.

    runs/.launches/001-vae-mnist.json   who was started, and when
    runs/.launches/001-vae-mnist.log    what it said

A page, a browser or a server that goes away takes nothing along. One trains at a time: whoever is started
while others are at work waits for its turn (`turn`), in the order in which they were started. Imports no
torch.
"""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from genlab.app import processes
from genlab.errors import UserError
from genlab.runs.files import read_json, write_json
from genlab.runs.store import Run, next_folder, runs_root
from genlab.runs.worker import living

LOG_TAIL = 20_000  # bytes of a log that are looked at


@dataclass(frozen=True)
class Launch:
    """A worker that was started for the run folder `path`: its `pid` and `created` tell it from another
    process of that number; `began` is in seconds since the epoch; `seconds` is the budget, if any. Those with
    a lower `turn` go first. `after` is the run folder that its generator comes from, where that was still to
    be trained."""

    path: str
    family: str
    pid: int
    created: float
    began: float
    seconds: float | None
    turn: int = 0
    after: str | None = None

    @property
    def name(self) -> str:
        return Path(self.path).name

    def alive(self) -> bool:
        return living(self.pid, self.created) is not None

    def log(self) -> list[str]:
        """The last lines that the worker wrote."""
        path = log_path(self.name)
        if not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LOG_TAIL))
            return [line for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]

    def complaint(self) -> str:
        """Why the worker ended, in its own words; empty where it did not complain."""
        lines = self.log()
        if not lines:
            return "it ended without a word"
        last = lines[-1].strip()
        if last.startswith("genlab: "):
            return last.removeprefix("genlab: ")
        return last if any(line.startswith("Traceback") for line in lines) else ""


def folder() -> Path:
    return runs_root() / ".launches"


def log_path(name: str) -> Path:
    return folder() / f"{name}.log"


def begin(
    family: str, label: str, seconds: float | None, options: list[str], after: Launch | None = None
) -> Launch:
    """Start `genlab train FAMILY` in a new run folder, which the worker fills once it has measured its
    steps; without `seconds` it takes those of the config. With `after`, whose run the `options` start from,
    it only begins where that one has come to a checkpoint, and else says in its log that it has not. Raises
    UserError where the folder can't be made."""
    root = runs_root().resolve()
    path = next_folder(root, f"{family}-{label}"[:60])
    length = [] if seconds is None else ["--seconds", f"{seconds:g}"]
    arguments = [family, *length, "--out", str(path), *options]
    return spawn(path, family, arguments, seconds, after.path if after else None)


def resume(run: Run) -> Launch:
    """Start the worker that goes on with `run`, unless one is under way."""
    path = run.path.resolve()
    return spawn(path, str(run.config().get("family", "")), ["--resume", str(path)], None, None)


def spawn(path: Path, family: str, arguments: list[str], seconds: float | None, after: str | None) -> Launch:
    """Start `genlab train` for the run folder at `path`, at once or when its turn comes. Of two that are
    started at one moment, from whichever pages and servers, one is the first."""
    from filelock import FileLock

    folder().mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "genlab.cli", "train", *arguments]
    with FileLock(folder() / "lock"):
        there, others = find(path), every()
        if there is not None and there.alive():
            return there
        turn = 1 + max((each.turn for each in others), default=0)
        if after or any(each.alive() for each in others):
            command = [sys.executable, "-m", "genlab.app.turn", str(turn), after or "", *command]
        began = time.time()
        pid, created = processes.start(command, log_path(path.name), trains=True)
        launch = Launch(str(path), family, pid, created, began, seconds, turn, after)
        write_json(folder() / f"{path.name}.json", asdict(launch))
    return launch


def find(path: Path) -> Launch | None:
    """The newest launch for the run folder at `path`."""
    note = folder() / f"{path.name}.json"
    if not note.exists():
        return None
    try:
        launch = Launch(**read_json(note))
    except (TypeError, UserError):
        return None
    return launch if Path(launch.path) == path.resolve() else None


def every() -> list[Launch]:
    """The newest launch of each run folder, by name."""
    found = (find(runs_root() / note.stem) for note in sorted(folder().glob("*.json")))
    return [launch for launch in found if launch]


def unborn() -> list[Launch]:
    """Launches whose run has no config yet: they wait, are measuring, or have failed to start."""
    return [launch for launch in every() if not (Path(launch.path) / "config.json").exists()]


def ahead(turn: int) -> list[Launch]:
    """Those alive whose turn comes before `turn`, in that order. Nobody joins them later."""
    found = [launch for launch in every() if launch.turn < turn and launch.alive()]
    return sorted(found, key=lambda launch: launch.turn)


def waiting_for(launch: Launch) -> list[Launch]:
    """Those that `launch` still waits for, the first in line first; none where it is its turn, or it is
    over."""
    return ahead(launch.turn) if launch.alive() else []


def state(launch: Launch) -> str:
    """Of one that is alive, and whose run does not train yet: "waiting" for its turn, or "starting"."""
    return "waiting" if waiting_for(launch) else "starting"


def seconds_left(launches: list[Launch]) -> float | None:
    """How long `launches` will train one after another; None where that can't be known, as while one is
    paused."""
    from genlab.app.following import follow  # not for the process that waits, which needs no page

    total = 0.0
    for launch in launches:
        progress = follow(Run(Path(launch.path)))
        left = launch.seconds if progress.left is None else progress.left
        if left is None or progress.state == "paused":
            return None
        total += left
    return total


def forget(launch: Launch) -> None:
    """Remove what a failed start has left."""
    for kind in ("json", "log"):
        (folder() / f"{launch.name}.{kind}").unlink(missing_ok=True)
    path = Path(launch.path)
    if path.is_dir() and not any(path.iterdir()):
        path.rmdir()


def cancel(launch: Launch) -> None:
    """End a worker that waits or has not begun to train, and remove what it has left."""
    processes.end(launch.pid, launch.created)
    forget(launch)
