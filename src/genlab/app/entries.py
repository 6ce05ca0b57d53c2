"""The runs as a page sees them: those that train, those that have trained, those that are about to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from genlab.app import launches
from genlab.app.following import Progress, follow
from genlab.app.launches import Launch
from genlab.app.style import count
from genlab.errors import UserError
from genlab.runs.notes import Note, read_note
from genlab.runs.store import SHIPPED, Run, list_runs

FAMILIES = {"vae": "VAE", "gan": "GAN", "vaegan": "VAE-GAN"}
WORDS = {
    "starting": "◌ starting", "running": "● training", "completed": "✓ trained", "stopped": "■ stopped",
    "interrupted": "■ interrupted", "waiting": "◌ waiting", "paused": "❚❚ paused",
    "failed": "✕ failed", "not started": "✕ did not start",
    "new": "■ not begun", "unreadable": "✕ unreadable",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One run. `state` is that of `Run.status`, or "waiting", "starting", "not started", "unreadable";
    `complaint` says what went wrong; `source` is the run whose decoder became the generator; `note` is what
    was written about it; a `shipped` one came with the package and is only read."""

    path: Path
    state: str
    family: str
    data: str = ""
    source: Path | None = None
    shape: tuple[int, int, int] | None = None
    progress: Progress | None = None
    launch: Launch | None = None
    complaint: str = ""
    note: Note = field(default_factory=Note)

    @property
    def shipped(self) -> bool:
        return self.path.parent == SHIPPED

    @property
    def label(self) -> str:
        """What it is called: its title, where it was given one, beside the number that it keeps."""
        if not self.note.title:
            return self.name
        number = re.match(r"\d+", self.name)
        return f"{number[0]} {self.note.title}" if number else self.note.title

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def run(self) -> Run:
        return Run(self.path)

    @property
    def live(self) -> bool:
        return self.state in ("waiting", "starting", "running", "paused")

    @property
    def saved(self) -> int | None:
        """The step of the newest checkpoint."""
        return self.progress.saved if self.progress else None

    @property
    def title(self) -> str:
        kind = FAMILIES.get(self.family, self.family)
        return f"{kind} from {self.source.name}" if self.source else kind

    @property
    def caption(self) -> str:
        steps = f", {count(self.progress.step)} steps" if self.progress and not self.live else ""
        return f"{self.title} · {WORDS.get(self.state, self.state)}{steps}"


def read(path: Path) -> Entry:
    """The run in the folder `path`, or the launch that is going to fill it."""
    launch = launches.find(path)
    alive = launch is not None and launch.alive()
    if not (path / "config.json").exists():
        assert launch is not None, "an entry is a run or a launch"
        state = launches.state(launch) if alive else "not started"
        why = "" if alive else launch.complaint() or "it was ended from outside"
        return Entry(path, state, launch.family, launch=launch, complaint=why)
    try:
        config, progress = Run(path).config(), follow(Run(path))
    except UserError as error:
        return Entry(path, "unreadable", "", complaint=str(error))
    state = progress.state
    if launch and alive and state not in ("running", "paused"):
        state = launches.state(launch)
    trouble = progress.detail
    if not trouble and launch and state in ("new", "interrupted", "failed", "stopped"):
        trouble = launch.complaint() if launch.log() else ""
    shape = config.get("data", {}).get("shape")
    return Entry(
        path, state, str(config.get("family", "")), str(config.get("data", {}).get("name", "")),
        (path / config["start"]).resolve() if config.get("start") else None, tuple(shape) if shape else None,
        progress, launch, trouble, read_note(Run(path)),
    )  # fmt: skip


def everything(shipped: bool = False) -> list[Entry]:
    """All runs and launches, the newest number first; with `shipped`, after them the models that come with
    the package."""
    paths = {run.path.resolve() for run in list_runs()} | {Path(each.path) for each in launches.unborn()}

    def order(path: Path) -> tuple[int, str]:
        number = re.match(r"\d+", path.name)
        return int(number[0]) if number else -1, path.name

    given = sorted(each.path for each in list_runs(SHIPPED)) if shipped else []
    return [read(path) for path in [*sorted(paths, key=order, reverse=True), *given]]


def encoder_of(entry: Entry) -> Entry | None:
    """The run that can encode: this one, or the VAE that this GAN was made from, if it is still there."""
    if entry.family != "gan":
        return entry
    if entry.source is None or not (entry.source / "config.json").exists():
        return None
    return read(entry.source)


def made_from(entry: Entry, among: list[Entry]) -> list[Entry]:
    """The GANs whose generator was this run's decoder."""
    return [each for each in among if each.source == entry.path]
