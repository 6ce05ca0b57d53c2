"""A zip of pictures, unpacked as if it were hostile: nothing leads out of its folder, nothing is larger than
it may be, and whatever the archive announces is measured again."""

from __future__ import annotations

import errno
import lzma
import re
import stat
import warnings
import zipfile
import zlib
from io import BufferedIOBase
from pathlib import Path, PurePosixPath
from typing import IO

from PIL import Image

from genlab.data.pictures import SUFFIXES, UnreadableError, decode, measure
from genlab.errors import UserError

MAX_FILES = 20_000  # pictures in an upload
MAX_FILE = 64 << 20  # bytes of one picture
MAX_BYTES = 1 << 30  # of all of them, unpacked
MAX_DEPTH = 8  # folders in folders
DECODED = 500  # pictures up to which every one is decoded at once; more are looked at when they are loaded
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # no names of files on Windows
DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError,
)  # fmt: skip


def unpack(packed: BufferedIOBase, name: str, folder: Path) -> list[str]:
    """The pictures of the zip `name` into `folder`, in their folders; one that holds all the others is left
    away. Returns "file: why" for what is no picture after all. Raises UserError, in one sentence."""
    try:
        with zipfile.ZipFile(packed) as archive:
            members = checked(archive, name)
            skip = wrapped([PurePosixPath(info.filename).parts for info in members])
            left_out, room = [], MAX_BYTES
            for info in members:
                parts = [safe(part) for part in PurePosixPath(info.filename).parts[skip:]]
                path = free(folder.joinpath(*parts))
                path.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(info) as content:
                    room -= copy(content, path, min(MAX_FILE, room), info.filename)
                left_out += refused(path, info.filename, whole=len(members) <= DECODED)
    except DAMAGED as error:
        raise UserError(f"{name} is no zip, or a damaged one ({error}): pack it again") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # which is what a place before the file's beginning gives
            raise
        raise UserError(f"{name} is a damaged zip (it names places outside of it): pack it again") from error
    return left_out


def checked(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """The members of a zip that are pictures by their names. Raises UserError where one leads out of its
    folder, is a link, is locked, or all of them are too many or too large."""
    members = []
    for info in archive.infolist():
        parts = PurePosixPath(info.filename).parts
        if (
            not info.filename
            or info.is_dir()
            or any(part.startswith((".", "__MACOSX")) and part != ".." for part in parts)
        ):
            continue
        if info.filename.startswith("/") or {"..", "\\", ":"} & {*parts, *info.filename}:
            raise UserError(f"{name} has a file that leads elsewhere, {info.filename}: pack it anew")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise UserError(f"{name} has a link, {info.filename}: pack the picture itself")
        if info.flag_bits & 1:
            raise UserError(f"{name} is locked with a password ({info.filename}): pack it without one")
        if len(parts) > MAX_DEPTH:
            raise UserError(f"{name} has folders in folders beyond {MAX_DEPTH}, {info.filename}: pack fewer")
        if PurePosixPath(info.filename).suffix.lower() in SUFFIXES:
            members.append(info)
    if len(members) > MAX_FILES:
        raise UserError(f"{name} has {len(members):,} pictures: at most {MAX_FILES:,} are taken")
    if (total := sum(info.file_size for info in members)) > MAX_BYTES:
        most = f"{MAX_BYTES / 1e9:.1f}"
        raise UserError(f"{name} would unpack to {total / 1e9:.1f} GB: at most {most} are taken")
    if not members:
        raise UserError(f"{name} has no pictures: pack files that end in {', '.join(sorted(SUFFIXES))}")
    return members


def wrapped(paths: list[tuple[str, ...]]) -> int:
    """How many folders all of the files lie in together."""
    count = 0
    while all(len(parts) > count + 1 for parts in paths) and len({parts[count] for parts in paths}) == 1:
        count += 1
    return count


def safe(part: str) -> str:
    """The name of a file or folder that every system takes, and that leads nowhere."""
    name = re.sub(r'[<>:"|?*/\\\x00-\x1f\x7f]', "-", part).strip(". ")[-100:]
    return f"_{name}" if not name or RESERVED.fullmatch(name) else name


def free(path: Path) -> Path:
    """`path`, or one like it where that is taken."""
    number, tried = 2, path
    while tried.exists():
        tried = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return tried


def copy(content: IO[bytes] | BufferedIOBase, path: Path, most: int, name: str) -> int:
    """Write at most `most` bytes, whatever was announced; how many they were. Raises UserError beyond."""
    written = 0
    with path.open("xb") as file:
        while piece := content.read(1 << 20):
            written += len(piece)
            if written > most:
                raise UserError(f"{name} has more than {most / 1e6:.0f} MB: make it smaller, or upload less")
            file.write(piece)
    return written


def refused(path: Path, name: str, whole: bool) -> list[str]:
    """Removes what is no picture, and says why; where it is not read as a `whole`, by its header alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a damaged file's metadata
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            decode(path, 8, 3, "crop") if whole else measure(path)
        except UnreadableError as error:
            path.unlink()
            return [f"{name}: {error}"]
    return []
