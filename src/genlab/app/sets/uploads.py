"""Images that come through the browser: pictures, a zip of folders, an .npz.

    runs/.uploads/cats-1a2b3c4d/     a folder of pictures, sub-folders by class, or one .npz

Nothing in an upload is believed. What is wrong with it is said in one sentence; what is right appears whole
or not at all; the same bytes under the same name are stored once.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from genlab.app.sets.unpacking import DECODED, MAX_FILE, MAX_FILES, copy, free, refused, safe, unpack
from genlab.data.npz import read_npz
from genlab.data.pictures import SUFFIXES
from genlab.errors import UserError
from genlab.runs.store import runs_root

MEGABYTES = 200  # of an upload
KINDS = (*sorted(suffix[1:] for suffix in SUFFIXES), "npz", "zip")
WHAT = "upload pictures, a zip of folders of pictures, or an .npz"
PART = ".part-"
STALE = 86_400  # seconds after which what a crash has left is removed


class File(NamedTuple):
    """One uploaded file: the name that it says it has, and its bytes, to be read from the start."""

    name: str
    content: BufferedIOBase


@dataclass(frozen=True)
class Stored:
    """An upload on disk. `data` is what a training names; `again` says that it was there already; `left_out`
    says "file: why" for everything that was not taken."""

    folder: Path
    again: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As in "cats"."""
        return self.folder.name[:-9]

    @property
    def digest(self) -> str:
        return self.folder.name[-8:]

    @property
    def data(self) -> str:
        """The folder, or the .npz that lies in it."""
        archives = list(self.folder.glob("*.npz"))
        return str(archives[0] if archives else self.folder)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def root() -> Path:
    """Absolute, for a run names its images by it, and may be used from elsewhere."""
    return runs_root().resolve() / ".uploads"


def stored() -> list[Stored]:
    """Every upload, the newest first."""
    found = [path for path in root().glob("*-????????") if path.is_dir() and not path.name.startswith(".")]
    return [Stored(path) for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)]


def remove(upload: Stored) -> None:
    """Delete an upload. It vanishes at once, even where its files take a while."""
    away = upload.folder.with_name(f"{PART}{secrets.token_hex(4)}")
    os.replace(upload.folder, away)
    shutil.rmtree(away, ignore_errors=True)


def store(files: Sequence[File]) -> Stored:
    """Keep what was uploaded together: one .npz, one zip, or pictures. Raises UserError, in one sentence."""
    if not files:
        raise UserError(f"nothing was uploaded: {WHAT}")
    kinds = {PurePosixPath(file.name).suffix.lower() for file in files}
    if len(files) > 1 and not kinds <= SUFFIXES:
        odd = next(f for f in files if PurePosixPath(f.name).suffix.lower() not in SUFFIXES)
        raise UserError(f"{odd.name} can't be uploaded together with others: {WHAT}, one at a time")
    target = root() / f"{short(files[0].name)}-{digest(files)}"
    if target.is_dir():
        return Stored(target, again=True)
    with appearing(target) as folder:
        if kinds == {".npz"}:
            left_out = take_arrays(files[0], folder)
        elif kinds == {".zip"}:
            left_out = unpack(files[0].content, files[0].name, folder)
            enough(folder, left_out)
        else:
            left_out = take_pictures(files, folder)
    return Stored(target, left_out=tuple(left_out))


def short(name: str) -> str:
    """A name for the folder."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", PurePosixPath(name).stem).strip("-")[:40] or "images"


def digest(files: Sequence[File]) -> str:
    """8 hexadecimal digits of the SHA-256 of the names and bytes, in any order."""
    each = []
    for file in files:
        file.content.seek(0)
        each.append(f"{file.name}\0{hashlib.file_digest(file.content, 'sha256').hexdigest()}")
        file.content.seek(0)
    return hashlib.sha256("\n".join(sorted(each)).encode("utf-8", "surrogatepass")).hexdigest()[:8]


@contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """Yields an empty folder beside `target`, whose place it takes on a clean exit."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f"{PART}*"):
        if time.time() - left.stat().st_mtime > STALE:
            shutil.rmtree(left, ignore_errors=True)
    folder = target.with_name(f"{PART}{secrets.token_hex(4)}")
    folder.mkdir()
    try:
        yield folder
        os.replace(folder, target)
    except OSError as error:
        if target.is_dir():
            return  # another tab was quicker, with the same bytes
        why = error.strerror or error
        raise UserError(f"the upload can't be kept in {target.parent} ({why}): make room there") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def take_arrays(file: File, folder: Path) -> list[str]:
    """One .npz, read to its end before it is kept."""
    path = folder / f"{short(file.name)}.npz"
    copy(file.content, path, MEGABYTES << 20, file.name)
    try:
        images = read_npz(path)
    except UserError as error:
        raise UserError(str(error).replace(str(path), file.name)) from error
    if len(images) < 2:
        raise UserError(f"{file.name} has one image: at least 2 are needed, to train on and to test on")
    return []


def take_pictures(files: Sequence[File], folder: Path) -> list[str]:
    """Pictures without classes."""
    if len(files) > MAX_FILES:
        raise UserError(f"{len(files):,} files are too many: upload at most {MAX_FILES:,}")
    left_out = []
    for file in files:
        if PurePosixPath(file.name).suffix.lower() not in SUFFIXES:
            raise UserError(f"{file.name} is no picture that can be read: {WHAT}")
        path = free(folder / safe(PurePosixPath(file.name.replace("\\", "/")).name))
        copy(file.content, path, MAX_FILE, file.name)
        left_out += refused(path, file.name, whole=len(files) <= DECODED)
    enough(folder, left_out)
    return left_out


def enough(folder: Path, left_out: list[str]) -> None:
    count = sum(path.is_file() for path in folder.rglob("*"))
    if count < 2:
        why = f" ({left_out[0]})" if left_out else ""
        found = "one picture" if count else "no picture"
        raise UserError(f"the upload has {found} that can be read{why}: at least 2 are needed")
