"""The search for a z that draws an image, as a process of its own: `python -m genlab.app.inverting FOLDER`.

    runs/.inversions/5f0c…/   request.json  image.npy    what is asked for, by the page
                              worker.json  log           who works on it
                              progress.json  found.npz   how far it is, and what it has found

The folder's name is a digest of what is asked for: a page that is opened again finds what it had asked for,
and the same question is never worked on twice. Torch is imported by the worker alone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from numpy.typing import NDArray

from genlab.app import processes
from genlab.errors import UserError
from genlab.runs.files import read_json, replacing, write_json
from genlab.runs.store import runs_root
from genlab.runs.worker import begun, living

if TYPE_CHECKING:
    from torch import Tensor

KEPT = 20  # searches whose results stay
OFTEN = 0.2  # seconds between two notes of how far it is


@dataclass(frozen=True)
class Request:
    """What to search in: the `run` (a path) at checkpoint `step`; from the code of `encoder`'s encoder too,
    where there is one (a path), at its checkpoint `encoder_step`; how: `steps` of descent from each of
    `starts` draws of the prior."""

    run: str
    step: int
    encoder: str | None
    encoder_step: int | None
    steps: int
    starts: int


@dataclass(frozen=True)
class Progress:
    """`errors` are the lowest mean squared errors (pixels from 0 to 1) before each step so far; `seconds`
    since the first step; `image` (C, H, W) uint8 and its `latents` (Z,) are there once it is `done`."""

    done: bool = False
    steps: int = 0
    seconds: float = 0.0
    errors: tuple[float, ...] = ()
    image: NDArray[np.uint8] | None = None
    latents: NDArray[np.float32] | None = None
    alive: bool = False
    complaint: str = ""

    @property
    def left(self) -> float | None:
        """Seconds to go, once there is something to tell by."""
        step = len(self.errors)
        return self.seconds / step * (self.steps + 1 - step) if step > 5 and self.seconds else None


def folder_for(request: Request, pixels: NDArray[np.uint8]) -> Path:
    asked = hashlib.sha256(json.dumps(asdict(request), sort_keys=True).encode())
    asked.update(repr(pixels.shape).encode() + pixels.tobytes())
    return runs_root().resolve() / ".inversions" / asked.hexdigest()[:24]


def begin(request: Request, pixels: NDArray[np.uint8]) -> Path:
    """Start the worker that inverts an image (C, H, W) uint8, unless it is at work on it; the folder that it
    answers in."""
    folder = folder_for(request, pixels)
    if running(folder) is not None:
        return folder
    make_room(folder.parent)
    shutil.rmtree(folder, ignore_errors=True)
    write_json(folder / "request.json", asdict(request))
    np.save(folder / "image.npy", pixels, allow_pickle=False)
    command = [sys.executable, "-m", "genlab.app.inverting", str(folder)]
    pid, created = processes.start(command, folder / "log", threads=1)
    write_json(folder / "worker.json", {"pid": pid, "created": created})
    return folder


def look(folder: Path) -> Progress | None:
    """How far the search in `folder` is; None where there is none."""
    if not (folder / "worker.json").exists():
        return None
    worker = running(folder)
    try:
        noted: dict[str, Any] = read_json(folder / "progress.json")
    except UserError:
        noted = {}
    found = folder / "found.npz"
    image = latents = None
    if noted.get("done") and found.exists():
        with np.load(found, allow_pickle=False) as arrays:
            image, latents = arrays["image"], arrays["latents"]
    alive = worker is not None
    return Progress(
        image is not None, int(noted.get("steps", 0)), float(noted.get("seconds", 0)),
        tuple(noted.get("errors", ())), image, latents, alive,
        "" if alive or image is not None else complaint(folder),
    )  # fmt: skip


def running(folder: Path) -> psutil.Process | None:
    """The worker, while it is at work."""
    try:
        noted = read_json(folder / "worker.json")
        return living(noted["pid"], noted["created"])
    except (UserError, KeyError, TypeError):
        return None


def complaint(folder: Path) -> str:
    """The last words of a worker that ended without a result."""
    log = folder / "log"
    lines = log.read_text("utf-8", "replace").strip().splitlines() if log.exists() else []
    return lines[-1].removeprefix("genlab: ") if lines else "it ended without a word"


def cancel(folder: Path) -> None:
    """End the search in `folder`, and remove what it has left."""
    process = running(folder)
    if process is not None:
        processes.end(process.pid, begun(process))
    shutil.rmtree(folder, ignore_errors=True)


def make_room(root: Path) -> None:
    """Remove the oldest searches, but none that is at work."""
    found = sorted(root.glob("*/request.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found[KEPT - 1 :]:
        if running(path.parent) is None:
            shutil.rmtree(path.parent, ignore_errors=True)


def work(folder: Path) -> None:
    """The worker: search, note how far it is, and leave what was found."""
    import torch

    from genlab.data.batches import to_uint8
    from genlab.evaluation.inversion import invert
    from genlab.experiment.encoding import as_trained
    from genlab.experiment.trained import open_run
    from genlab.runs.store import Run

    torch.set_num_threads(1)
    request = Request(**read_json(folder / "request.json"))
    pixels = np.load(folder / "image.npy", allow_pickle=False)
    trained = open_run(Run(Path(request.run)), step=request.step)
    image = as_trained(pixels[None], trained.experiment)
    codes = None
    if request.encoder is not None:
        codes = open_run(Run(Path(request.encoder)), step=request.encoder_step).encode(image)
    notes = Notes(folder, request.steps)
    found = invert(
        trained.model, image, codes=codes, steps=request.steps, starts=request.starts, watch=notes.take
    )
    with replacing(folder / "found.npz") as temporary, temporary.open("wb") as file:
        np.savez(file, image=to_uint8(found.images)[0].numpy(), latents=found.latents[0].numpy())
    notes.write(done=True)


class Notes:
    """How far a search is, written down a few times a second."""

    def __init__(self, folder: Path, steps: int) -> None:
        self.folder, self.steps = folder, steps
        self.errors: list[float] = []
        self.began = self.written = time.monotonic()

    def take(self, step: int, lowest: Tensor) -> None:
        """The lowest error of each search, (S,), before step `step`."""
        self.errors.append(float(lowest.min()))
        if step == 0:
            self.began = time.monotonic()
        if time.monotonic() - self.written > OFTEN:
            self.write()

    def write(self, done: bool = False) -> None:
        self.written = time.monotonic()
        noted = {
            "done": done, "steps": self.steps, "seconds": self.written - self.began, "errors": self.errors
        }  # fmt: skip
        write_json(self.folder / "progress.json", noted)


if __name__ == "__main__":
    try:
        work(Path(sys.argv[1]))
    except UserError as error:
        sys.exit(f"genlab: {error}")
