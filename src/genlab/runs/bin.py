"""Runs that were thrown away, and can be taken back until the bin is emptied.

    runs/.bin/003-gan-mnist-20250131-142501/
      bin.json        where the run stood, and since when it is here
      003-gan-mnist/  the run, as it was
      along/          notes about it that lay beside it

A run is moved, never copied: a bin is as quick for a large run as for a small one. Of one that is gone for
good the note stays, a few bytes, so that its number is not given to another run.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from genlab.errors import UserError
from genlab.runs.files import read_json, write_json
from genlab.runs.store import BIN, Run, runs_root


@dataclass(frozen=True)
class Binned:
    """A run in the bin: its folder there, where it stood, where what lay beside it stood, and since when it
    is here, in seconds since the epoch."""

    place: Path
    home: Path
    along: tuple[Path, ...]
    since: float

    @property
    def name(self) -> str:
        return self.home.name

    @property
    def path(self) -> Path:
        return self.place / self.name


def bin_folder() -> Path:
    return runs_root() / BIN


def throw_away(run: Run, along: Iterable[Path] = ()) -> Binned:
    """Move a run into the bin, and the files `along` with it. Raises UserError for a run that comes with
    genlab, for one that is at work, and where the folder can't be moved."""
    run.only_read()
    if run.alive():
        raise UserError(f"{run.name} is being trained: stop it first, then it can go to the bin")
    home = run.path.absolute()
    place = new_place(home.name)
    beside = [path for path in along if path.is_file()]
    note = {"home": str(home), "along": [str(path.absolute()) for path in beside], "since": time.time()}
    write_json(place / "bin.json", note)
    move(home, place / home.name)
    for path in beside:
        move(path, place / "along" / path.name)
    return read(place)


def new_place(name: str) -> Path:
    """An empty folder in the bin, named after a run and the moment."""
    stamp = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    number = 1
    while True:
        place = bin_folder() / (stamp if number == 1 else f"{stamp}-{number}")
        try:
            place.mkdir(parents=True)
            return place
        except FileExistsError:
            number += 1


def move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(source, target)
    except OSError as error:
        raise UserError(
            f"{source.name} can't be moved ({error.strerror}); close what has its files open, and try again"
        ) from error


def read(place: Path) -> Binned:
    """Raises UserError where the folder is none that this module has made."""
    note = read_json(place / "bin.json")
    try:
        along = tuple(Path(path) for path in note["along"])
        return Binned(place, Path(note["home"]), along, float(note["since"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{place / 'bin.json'} does not say where its run stood; move it by hand") from error


def binned() -> list[Binned]:
    """What is in the bin, the newest first."""
    found = []
    for place in bin_folder().iterdir() if bin_folder().is_dir() else ():
        if (place / "bin.json").is_file():
            try:
                each = read(place)
            except UserError:
                continue  # not ours; it is left alone
            found += [each] if each.path.is_dir() else []
    return sorted(found, key=lambda each: each.since, reverse=True)


def find(name: str) -> Binned:
    """The run called `name` that was thrown away last. Raises UserError where there is none."""
    found = binned()
    for each in found:
        if each.name == name:
            return each
    there = f"there are {', '.join(each.name for each in found[:5])}" if found else "it is empty"
    raise UserError(f"no run in the bin is called {name!r}; {there}")


def restore(each: Binned) -> Run:
    """Bring a run back to where it stood, byte for byte. Raises UserError where another one stands there."""
    if not each.path.is_dir():
        raise UserError(f"{each.name} is not in the bin any more")
    if each.home.exists():
        raise UserError(
            f"{each.home} is there again, and is not overwritten: rename that folder, then undo once more"
        )
    move(each.path, each.home)
    for home in each.along:
        kept = each.place / "along" / home.name
        if kept.exists() and not home.exists():
            move(kept, home)
    shutil.rmtree(each.place, ignore_errors=True)
    return Run(each.home)


def empty() -> None:
    """Delete for good all that is in the bin. The notes stay."""
    for each in binned():
        shutil.rmtree(each.path, ignore_errors=True)
        shutil.rmtree(each.place / "along", ignore_errors=True)
