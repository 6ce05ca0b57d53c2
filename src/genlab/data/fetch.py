"""Files of the catalogue: found on this machine, or downloaded once, and believed only with the right
SHA-256."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from genlab.data.catalogue import Entry, File
from genlab.errors import UserError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

TIMEOUT = (6.1, 30.0)  # seconds to connect, and between two pieces


def cache_folder() -> Path:
    """The folder of this user in which downloads are kept."""
    import pooch

    return Path(pooch.os_cache("genlab"))


def folders(entry: Entry) -> list[Path]:
    """Where files of an entry may lie, in the order in which one looks: GENLAB_DATA, the system, the
    cache."""
    given = os.environ.get("GENLAB_DATA")
    mine = [Path(given).expanduser() / entry.name, Path(given).expanduser()] if given else []
    return [*mine, *(Path(folder) for folder in entry.folders), cache_folder() / entry.name]


def on_this_machine(entry: Entry) -> Path | None:
    """The first folder that has every file of an entry, by name alone: quick, for a listing."""
    for folder in folders(entry):
        if all((folder / file.name).is_file() for file in entry.files):
            return folder
    return None


def obtain(entry: Entry) -> dict[str, Path]:
    """Every file of an entry by its name, checked against its SHA-256; what is not here is downloaded.

    Raises UserError in one sentence that says which files to put where, when no mirror could be used."""
    here: dict[str, Path] = {}
    damaged: list[Path] = []
    for file in entry.files:
        for folder in folders(entry):
            path = folder / file.name
            if path.is_file():
                if sha256(path) in (file.sha256, *file.also):
                    here[file.name] = path
                    break
                damaged.append(path)
    missing = [file for file in entry.files if file.name not in here]
    if missing:
        here |= _download(entry, missing, damaged)
    return here


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(entry: Entry, files: list[File], damaged: list[Path]) -> dict[str, Path]:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    target = cache_folder() / entry.name
    fetched = {}
    with Progress(console=console, disable=not console.is_terminal) as progress:
        for file in files:
            reasons = []
            task = progress.add_task(file.name, total=file.size)
            for mirror in entry.mirrors:
                progress.reset(task)
                reason = _try_mirror(mirror, file, target, _Meter(progress, task, file.size))
                if reason is None:
                    fetched[file.name] = target / file.name
                    break
                reasons.append(f"{urlsplit(mirror).hostname} {reason}")
            else:
                raise UserError(_offline(entry, reasons, target, damaged))
    return fetched


def _try_mirror(mirror: str, file: File, target: Path, meter: _Meter) -> str | None:
    """Download one file from one mirror into `target`, whole and checked or not at all; why not, or None."""
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    # Identity: a server that labels a .gz as gzip-encoded would have it unpacked on the way.
    headers = {"Accept-Encoding": "identity"}
    downloader = pooch.HTTPDownloader(progressbar=meter, chunk_size=1 << 16, timeout=TIMEOUT, headers=headers)
    try:
        pooch.retrieve(mirror + file.name, f"sha256:{file.sha256}", file.name, target, downloader=downloader)
    except requests.HTTPError as error:
        return f"answers {error.response.status_code if error.response is not None else error}"
    except requests.RequestException:
        return "cannot be reached"
    except ValueError as error:
        return str(error) if isinstance(error, UserError) else "sends a file with another SHA-256"
    except OSError as error:
        why = error.strerror or error
        raise UserError(f"{target} cannot be written to ({why}): make room there.") from error
    return None


class _Meter:
    """pooch's idea of a progress bar: shows what has come, and stops a server that sends without end."""

    def __init__(self, progress: Progress, task: TaskID, size: int) -> None:
        self.total = 0  # set by pooch to what the server announces
        self._progress, self._task = progress, task
        self._come, self._most = 0, 2 * size + (1 << 20)  # pooch counts whole pieces, however short they were

    def update(self, n: int) -> None:
        self._come += n
        if self._come > self._most:
            raise UserError("sends far more than the file should hold")
        self._progress.update(self._task, completed=self._come)

    def reset(self) -> None:
        self._come = 0

    def close(self) -> None:
        pass


def _offline(entry: Entry, reasons: list[str], target: Path, damaged: list[Path]) -> str:
    """What to do when no mirror could be used, in one sentence."""
    names = ", ".join(file.name for file in entry.files)
    wrong = f" ({damaged[0]} is there but has another SHA-256 than it should)" if damaged else ""
    return (
        f"{entry.name} is not on this machine{wrong} and could not be downloaded ({', '.join(reasons)}): "
        f"put {names} from {entry.source} into {target}, or into the folder that GENLAB_DATA names."
    )
